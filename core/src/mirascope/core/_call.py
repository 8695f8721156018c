"""The decorators that turn a function into a call of a model."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Literal, TypeAlias, TypeVar, overload

from typing_extensions import TypeForm

from ._errors import ProviderError, UsageError
from ._provider._provider import Provider
from ._recording._recorder import ProviderFacts, RecordTypes
from ._request._arguments import parse_model
from ._request._decorated import AsyncStreamT, ResponseT
from ._request._decorators import AsyncDecorator, StreamT, SyncOrAsyncDecorator
from ._request._prompt_function import FunctionPrompt, mark_call
from ._request._settings import CallSettings, prepare
from ._request._stand_in import stood_in
from ._request._stream_config import StreamConfig
from ._request._timeouts import TimeoutTypes
from ._response._async_stream import BaseAsyncStream
from ._response._async_structured_stream import AsyncStructuredStream
from ._response._call_response import BaseCallResponse
from ._response._fetch import fetch, fetch_async
from ._response._pending_call import pending
from ._response._returns import returned, streamed, streamed_async
from ._response._stream import BaseStream
from ._response._structured_stream import StructuredStream
from ._response._useless_retry import warn_of_useless_retry
from ._scrub import conceal
from ._structured._answer import ResponseMode
from ._tools._base_tool import ToolLike
from .plugins._in_use import use_plugins, use_plugins_async

T = TypeVar("T")

Resolve: TypeAlias = Callable[[str, str | None], tuple[Provider, str]]
"""Takes the model and the `api=` of a decorator; returns the provider and its own model name."""


class Call(Generic[ResponseT, StreamT, AsyncStreamT]):
    """The `call` of a provider: a factory of decorators.

    Args:
        provider: who answers the calls, or a function that finds it for a model and an `api=`.
        apis: the provider's other wire APIs, by the name that `api=` selects them with.
    """

    def __init__(
        self,
        provider: Provider | Resolve,
        apis: Mapping[str, Callable[[], Provider]] | None = None,
    ) -> None:
        self._resolve = _resolver(provider, apis)

    @overload
    def __call__(
        self,
        model: str,
        *,
        response_model: TypeForm[T],
        stream: Literal[True],
        response_mode: ResponseMode | None = None,
        json_mode: bool = False,
        output_parser: None = None,
        api: str | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: bool = False,
        record: RecordTypes = None,
        **params: Any,
    ) -> SyncOrAsyncDecorator[StructuredStream[T], AsyncStructuredStream[T]]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        response_model: TypeForm[T],
        stream: Literal[False] = False,
        response_mode: ResponseMode | None = None,
        json_mode: bool = False,
        output_parser: None = None,
        api: str | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: Literal[False] = False,
        record: None = None,
        **params: Any,
    ) -> SyncOrAsyncDecorator[T, T]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        output_parser: Callable[[ResponseT], T],
        stream: Literal[False] = False,
        api: str | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: Literal[False] = False,
        record: None = None,
        response_model: None = None,
        json_mode: bool = False,
        **params: Any,
    ) -> SyncOrAsyncDecorator[T, T]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[True] | StreamConfig,
        api: str | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: bool = False,
        record: RecordTypes = None,
        response_model: None = None,
        json_mode: bool = False,
        output_parser: None = None,
        **params: Any,
    ) -> SyncOrAsyncDecorator[StreamT, AsyncStreamT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[False] = False,
        api: str | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: Literal[False] = False,
        record: None = None,
        response_model: None = None,
        json_mode: bool = False,
        output_parser: None = None,
        **params: Any,
    ) -> SyncOrAsyncDecorator[ResponseT, ResponseT]: ...

    def __call__(
        self,
        model: str,
        *,
        stream: bool | StreamConfig = False,
        api: str | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: bool = False,
        record: RecordTypes = None,
        **params: Any,
    ) -> Any:
        """Return a decorator; the function's docstring (or `@prompt_template`) is the prompt.

        Args:
            model: the model's name.
            stream: whether calls return a stream; `{"partial_tools": True}` for one that yields
                tools while their arguments arrive.
            api: one of the provider's wire APIs; its default one if None.
            tools: functions and `BaseTool` classes that the model may call.
            client: the provider SDK's client to use as it is, in place of the default one.
            call_params: parameters of the provider's API.
            timeout: seconds: `{"first_chunk": …, "idle": …, "total": …}`, any subset, or a number
                for the total.
            max_bytes: how large a response may be, in bytes, decompressed. By default 1 GiB for a
                stream and 64 MiB without `stream=True`; a larger one is a `StreamLimitError`.
            sdk_iteration: let the SDK iterate the response, for instrumentation that patches it.
            record: where each stream is recorded: a file that does not exist yet, a directory in
                which every stream gets a file of its own, or a function that returns one of them
                for each stream, or None.
            **params: more parameters of the provider's API, such as `temperature=0.7`.
                `tool_choice=` is the same for all: `"auto"`, `"none"`, `"required"`, a tool or its
                name, besides what the API itself takes. `prices=`
                is the call's own prices: a `PriceTable`, or US dollars per million tokens such as
                `{"input": 2, "output": 8}`.

        What calls return is changed by one of these:

        - `response_model=Book`: a validated value of this type, with its response at `._response`;
          with `stream=True`, a `StructuredStream` of partials that ends in it. Any type that
          pydantic validates: models, `list[Book]`, unions, `Literal`, enums, `int` …
          `response_mode=` is how the model is asked for it, `"native"`, `"tool"` or `"json"`;
          without it, the best way that the provider has and that can say the type.
        - `json_mode=True`: the API's JSON mode. With a `response_model`, `response_mode="json"`.
        - `output_parser=`: a function of the response; not with `stream=True`.

        Raises:
            UsageError: the arguments contradict each other.
            ProviderError: the provider's plugin can't be used.
        """
        try:
            return _decorator(
                self._resolve,
                model,
                api=api,
                stream=stream,
                tools=tools,
                client=client,
                call_params=call_params,
                timeout=timeout,
                max_bytes=max_bytes,
                sdk_iteration=sdk_iteration,
                record=record,
                **params,
            )
        except Exception as error:
            # What shows this frame with its variables shows no key.
            conceal(error, params, call_params)
            del client, call_params, params
            raise


class AsyncCall(Generic[ResponseT, AsyncStreamT]):
    """The `call_async` of a provider: a `call` for `async def` functions only.

    Args:
        provider: who answers the calls.
        apis: the provider's other wire APIs, by the name that `api=` selects them with.
    """

    def __init__(
        self,
        provider: Provider | Resolve,
        apis: Mapping[str, Callable[[], Provider]] | None = None,
    ) -> None:
        self._resolve = _resolver(provider, apis)

    @overload
    def __call__(
        self,
        model: str,
        *,
        response_model: TypeForm[T],
        stream: Literal[True],
        response_mode: ResponseMode | None = None,
        json_mode: bool = False,
        output_parser: None = None,
        api: str | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: bool = False,
        record: RecordTypes = None,
        **params: Any,
    ) -> AsyncDecorator[AsyncStructuredStream[T]]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        response_model: TypeForm[T],
        stream: Literal[False] = False,
        response_mode: ResponseMode | None = None,
        json_mode: bool = False,
        output_parser: None = None,
        api: str | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: Literal[False] = False,
        record: None = None,
        **params: Any,
    ) -> AsyncDecorator[T]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        output_parser: Callable[[ResponseT], T],
        stream: Literal[False] = False,
        api: str | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: Literal[False] = False,
        record: None = None,
        response_model: None = None,
        json_mode: bool = False,
        **params: Any,
    ) -> AsyncDecorator[T]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[True] | StreamConfig,
        api: str | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: bool = False,
        record: RecordTypes = None,
        response_model: None = None,
        json_mode: bool = False,
        output_parser: None = None,
        **params: Any,
    ) -> AsyncDecorator[AsyncStreamT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[False] = False,
        api: str | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: Literal[False] = False,
        record: None = None,
        response_model: None = None,
        json_mode: bool = False,
        output_parser: None = None,
        **params: Any,
    ) -> AsyncDecorator[ResponseT]: ...

    def __call__(self, model: str, **arguments: Any) -> Any:
        """Return a decorator for an `async def`; the arguments are those of `call`.

        Raises:
            UsageError: the arguments contradict each other, or the function is not asynchronous.
            ProviderError: the provider's plugin can't be used.
        """
        try:
            decorate = _decorator(self._resolve, model, **arguments)
        except Exception as error:
            conceal(error, arguments)
            del arguments
            raise
        del arguments

        def decorate_async(fn: Callable[..., Any]) -> Any:
            if not inspect.iscoroutinefunction(fn):
                name = getattr(fn, "__name__", repr(fn))
                raise UsageError(
                    f"call_async needs an asynchronous function, which {name!r} is not: write "
                    f"'async def {name}', or use call"
                )
            return decorate(fn)

        return decorate_async


def resolve_model(model: str, api: str | None = None) -> tuple[Provider, str]:
    """Return the provider and its model for `provider/model`.

    Raises:
        UsageError: the name has no provider.
        ProviderError: the provider's plugin can't be used.
    """
    name, slash, rest = model.partition("/")
    if not slash or not name or not rest:
        raise UsageError(f"a model is named 'provider/model', as in 'openai/gpt-4o', not {model!r}")
    from .plugins import load_provider

    return load_provider(name, api), rest


def _resolver(
    provider: Provider | Resolve, apis: Mapping[str, Callable[[], Provider]] | None
) -> Resolve:
    """Return what finds the provider of a call; importing a decorator must load no plugin."""
    if not isinstance(provider, Provider):
        return provider

    def resolve(model: str, api: str | None) -> tuple[Provider, str]:
        if api is None or api == provider.api:
            return provider, model
        others = apis or {}
        if api not in others:
            known = ", ".join([provider.api, *others])
            raise UsageError(f"{provider.name!r} has no API {api!r}; it has: {known}")
        return others[api](), model

    return resolve


def _decorator(
    resolve: Resolve, model: str, /, *, api: str | None = None, **arguments: Any
) -> Callable[[Callable[..., Any]], Any]:
    """Check what a decorator was given; what is not an argument of its own is the API's."""
    provider, model = resolve(parse_model(model), api)
    facts = functools.partial(provider_facts, provider.name)
    return _Decorator(CallSettings.build(provider, model, facts, **arguments))


class _Decorator:
    """Decorates a function. A notebook shows what its cell ends with: this must show no key."""

    def __init__(self, settings: CallSettings) -> None:
        self._settings = settings

    def __call__(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return _decorate(self._settings, fn)

    def __repr__(self) -> str:
        settings = self._settings
        return f"<{settings.provider.name}.call {settings.model!r}: decorate a function with it>"


def _decorate(settings: CallSettings, fn: Callable[..., Any]) -> Callable[..., Any]:
    prompt = FunctionPrompt(fn)
    prompt.check_fills(settings.response.filled)
    function = prompt.function
    again = functools.partial(_decorate, settings)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(fn)
        async def call_model_async(*args: Any, **kwargs: Any) -> Any:
            await use_plugins_async(settings.provider.name)
            result = await function(*args, **kwargs)
            try:
                prepared = prepare(settings, prompt, args, kwargs, result)
                prepared = stood_in(prepared, streamed=settings.stream)
            except Exception as error:
                conceal(error, kwargs, result)
                del args, kwargs, result
                raise
            del args, kwargs, result
            if settings.stream:
                stream = settings.provider.async_stream_class(prepared)
                return streamed_async(settings.response, stream)
            return returned(settings.response, await fetch_async(prepared))

        made = pending(call_model_async, prompt.name, stream=settings.stream)
        return mark_call(made, prompt, again)

    @functools.wraps(fn)
    def call_model(*args: Any, **kwargs: Any) -> Any:
        if settings.stream:
            warn_of_useless_retry(prompt.name)
        use_plugins(settings.provider.name)
        result = function(*args, **kwargs)
        try:
            prepared = prepare(settings, prompt, args, kwargs, result)
            prepared = stood_in(prepared, streamed=settings.stream)
        except Exception as error:
            conceal(error, kwargs, result)
            del args, kwargs, result
            raise
        # A dynamic configuration may hold a key, and this frame is in every traceback of the call.
        del args, kwargs, result
        if settings.stream:
            return streamed(settings.response, settings.provider.stream_class(prepared))
        return returned(settings.response, fetch(prepared))

    return mark_call(call_model, prompt, again)


def provider_facts(name: str) -> ProviderFacts:
    """Return what a recording keeps of a provider; only a plugin has more than core's version."""
    from .plugins import provider
    from .plugins._registry import origin_of

    found = {"core": _distribution("mirascope-core")}
    try:
        spec = provider(name)
    except ProviderError:
        return ProviderFacts(versions=found)
    if (origin := origin_of(name)) is not None and origin.distribution:
        found["plugin"] = origin.distribution
    if spec.sdk is not None:
        found["sdk"] = _distribution(spec.sdk)
    return ProviderFacts(
        versions={part: text for part, text in found.items() if text},
        key_variables=spec.api_key_env,
    )


@functools.lru_cache(maxsize=32)
def _distribution(name: str) -> str:
    # Here, because importing it takes longer than the rest of this package.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return ""


call = Call[BaseCallResponse[Any], BaseStream[Any], BaseAsyncStream[Any]](resolve_model)
"""`@call("openai/gpt-4o", stream=True)`: the call of any installed provider, by name."""
call_async = AsyncCall[BaseCallResponse[Any], BaseAsyncStream[Any]](resolve_model)
"""`@call_async("openai/gpt-4o", stream=True)`: the same for `async def` functions."""
