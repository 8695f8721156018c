"""The decorators that turn a function into a call of a model."""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, ParamSpec, Protocol, TypedDict, cast, overload

from typing_extensions import TypeVar

from ._accumulate import Accumulator
from ._call_response import BaseCallResponse
from ._deadlines import Timeouts, TimeoutTypes, parse_timeouts
from ._deltas import JSONObject
from ._errors import (
    MirascopeError,
    PromptError,
    ProviderTimeoutError,
    StreamDecodeError,
    UsageError,
    describe,
    error_from_status,
)
from ._messages import MessageParam, to_messages
from ._prepared import PreparedCall
from ._prompt import PromptTemplate, template_of
from ._provider import CallRequest, Connection, Provider
from ._stream import BaseAsyncStream, BaseStream, run_until
from ._tools import ToolLike, Toolset

_OWN_PARAMS = frozenset({"model", "messages", "stream"})

P = ParamSpec("P")
ResponseT = TypeVar("ResponseT", covariant=True)
StreamT = TypeVar("StreamT", covariant=True)
AsyncStreamT = TypeVar("AsyncStreamT", covariant=True)


class BaseDynamicConfig(TypedDict, total=False):
    """What a decorated function may return to configure its own call; it has the last word."""

    messages: Sequence[MessageParam] | str
    """The messages, in place of the template."""
    computed_fields: Mapping[str, Any]
    """More values for the template."""
    call_params: Mapping[str, Any]
    """Parameters of the provider's API, over those of the decorator."""
    tools: Sequence[ToolLike]
    """The tools, in place of the decorator's."""
    metadata: Mapping[str, Any]
    """Anything about the call that you want to find again on its result."""
    client: Any
    """The client for this one call."""


class SyncOrAsyncDecorator(Protocol[ResponseT, StreamT]):
    """Decorates a function, or an `async def`, whose calls return `ResponseT` or `StreamT`."""

    @overload
    def __call__(self, fn: Callable[P, Awaitable[Any]], /) -> Callable[P, Awaitable[StreamT]]: ...
    @overload
    def __call__(self, fn: Callable[P, Any], /) -> Callable[P, ResponseT]: ...


class AsyncDecorator(Protocol[AsyncStreamT]):
    """Decorates an `async def` whose awaited calls return `AsyncStreamT`."""

    def __call__(
        self, fn: Callable[P, Awaitable[Any]], /
    ) -> Callable[P, Awaitable[AsyncStreamT]]: ...


class Call(Generic[ResponseT, StreamT, AsyncStreamT]):
    """The `call` of a provider: a factory of decorators.

    Args:
        provider: who answers the calls.
        apis: the provider's other wire APIs, by the name that `api=` selects them with.
    """

    def __init__(
        self, provider: Provider, apis: Mapping[str, Callable[[], Provider]] | None = None
    ) -> None:
        self._provider = provider
        self._apis = dict(apis or {})

    @overload
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[True],
        api: str | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        sdk_iteration: bool = False,
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
        **params: Any,
    ) -> SyncOrAsyncDecorator[ResponseT, ResponseT]: ...

    def __call__(
        self,
        model: str,
        *,
        stream: bool = False,
        api: str | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        sdk_iteration: bool = False,
        **params: Any,
    ) -> Any:
        """Return a decorator; the function's docstring (or `@prompt_template`) is the prompt.

        Args:
            model: the model's name.
            stream: whether calls return a stream.
            api: one of the provider's wire APIs; its default one if None.
            tools: functions and `BaseTool` classes that the model may call.
            client: the provider SDK's client to use as it is, in place of the default one.
            call_params: parameters of the provider's API.
            timeout: seconds: `{"first_chunk": …, "idle": …, "total": …}`, any subset, or a number
                for the total.
            sdk_iteration: let the SDK iterate the response, for instrumentation that patches it.
            **params: more parameters of the provider's API, such as `temperature=0.7`.

        Raises:
            UsageError: the arguments contradict each other.
            ProviderError: the provider's plugin can't be used.
        """
        provider, model = self._resolve(model, api)
        return functools.partial(
            _decorate,
            _CallSettings.build(
                provider,
                model,
                stream=stream,
                tools=tools,
                client=client,
                call_params=call_params,
                timeout=timeout,
                sdk_iteration=sdk_iteration,
                params=params,
            ),
        )

    def _resolve(self, model: str, api: str | None) -> tuple[Provider, str]:
        if api is None or api == self._provider.api:
            return self._provider, model
        if api not in self._apis:
            known = ", ".join([self._provider.api, *self._apis])
            raise UsageError(f"{self._provider.name!r} has no API {api!r}; it has: {known}")
        return self._apis[api](), model


class AsyncCall(Generic[ResponseT, AsyncStreamT]):
    """The `call_async` of a provider: a `call` for `async def` functions only.

    Args:
        provider: who answers the calls.
        apis: the provider's other wire APIs, by the name that `api=` selects them with.
    """

    def __init__(
        self, provider: Provider, apis: Mapping[str, Callable[[], Provider]] | None = None
    ) -> None:
        self._provider = provider
        self._apis = dict(apis or {})

    @overload
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[True],
        api: str | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        sdk_iteration: bool = False,
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
        **params: Any,
    ) -> AsyncDecorator[ResponseT]: ...

    def __call__(self, model: str, **arguments: Any) -> Any:
        """Return a decorator for an `async def`; the arguments are those of `call`.

        Raises:
            UsageError: the arguments contradict each other, or the function is not asynchronous.
            ProviderError: the provider's plugin can't be used.
        """
        decorate = self._call(model, **arguments)

        def decorate_async(fn: Callable[..., Any]) -> Any:
            if not inspect.iscoroutinefunction(fn):
                name = getattr(fn, "__name__", repr(fn))
                raise UsageError(
                    f"call_async needs an asynchronous function: write 'async def {name}', or use "
                    "call"
                )
            return decorate(fn)

        return decorate_async

    @property
    def _call(self) -> Any:
        return Call[Any, Any, Any](self._provider, self._apis)


class _CallByName(Call[BaseCallResponse[Any], BaseStream[Any], BaseAsyncStream[Any]]):
    """`call("provider/model")` for any provider that is installed."""

    def __init__(self) -> None:
        # No provider until a model names one: importing this module must load no plugin.
        pass

    def _resolve(self, model: str, api: str | None) -> tuple[Provider, str]:
        return resolve_model(model, api)


class _AsyncCallByName(AsyncCall[BaseCallResponse[Any], BaseAsyncStream[Any]]):
    """`call_async("provider/model")` for any provider that is installed."""

    def __init__(self) -> None:
        pass

    @property
    def _call(self) -> Any:
        return call


call = _CallByName()
"""`@call("openai/gpt-4o", stream=True)`: the call of any installed provider, by name."""
call_async = _AsyncCallByName()
"""`@call_async("openai/gpt-4o", stream=True)`: the same for `async def` functions."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _CallSettings:
    """What a decorator was given, checked."""

    provider: Provider
    model: str
    stream: bool
    toolset: Toolset
    client: Any
    call_params: Mapping[str, Any]
    timeouts: Timeouts
    sdk_iteration: bool
    settings: Mapping[str, Any]

    @classmethod
    def build(
        cls,
        provider: Provider,
        model: str,
        *,
        stream: bool,
        tools: Sequence[ToolLike],
        client: Any,
        call_params: Mapping[str, Any] | None,
        timeout: TimeoutTypes,
        sdk_iteration: bool,
        params: Mapping[str, Any],
    ) -> _CallSettings:
        if not isinstance(stream, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageError(f"stream must be True or False, not {stream!r}")
        given = dict(call_params or {})
        if twice := given.keys() & params.keys():
            names = ", ".join(sorted(twice))
            raise UsageError(f"{names}: given both as a keyword and in call_params; give it once")
        if own := given.keys() & _OWN_PARAMS:
            names = ", ".join(sorted(own))
            raise UsageError(
                f"{names}: call_params can't give what the call itself says; say it once"
            )
        given.update(params)
        timeouts = parse_timeouts(timeout)
        if not stream and timeouts.keys() - {"total"}:
            raise UsageError("a call that is not streamed has one timeout: a number of seconds")
        return cls(
            provider=provider,
            model=model,
            stream=stream,
            toolset=Toolset(tools),
            client=client,
            call_params={k: v for k, v in given.items() if k not in provider.settings},
            timeouts=timeouts,
            sdk_iteration=sdk_iteration,
            settings={k: v for k, v in given.items() if k in provider.settings},
        )


def _decorate(settings: _CallSettings, fn: Callable[..., Any]) -> Callable[..., Any]:
    prompt = _Prompt(fn)

    if inspect.iscoroutinefunction(fn):

        @functools.wraps(fn)
        async def call_model_async(*args: Any, **kwargs: Any) -> Any:
            result = await fn(*args, **kwargs)
            prepared = _prepare(settings, prompt, args, kwargs, result)
            if settings.stream:
                return settings.provider.async_stream_class(prepared)
            return await _fetch_async(prepared)

        return call_model_async

    @functools.wraps(fn)
    def call_model(*args: Any, **kwargs: Any) -> Any:
        result = fn(*args, **kwargs)
        prepared = _prepare(settings, prompt, args, kwargs, result)
        if settings.stream:
            return settings.provider.stream_class(prepared)
        return _fetch(prepared)

    return call_model


class _Prompt:
    """The function that is decorated: its arguments and its template."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        if not callable(fn):
            raise UsageError(f"a call decorates a function, not {fn!r}")
        self.name = getattr(fn, "__qualname__", repr(fn)).rpartition("<locals>.")[2]
        text = template_of(fn)
        self.template = PromptTemplate(text, owner=self.name) if text is not None else None
        self._signature = inspect.signature(fn)

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    def messages(self, config: BaseDynamicConfig, fn_args: Mapping[str, Any]) -> list[MessageParam]:
        if (given := config.get("messages")) is not None:
            messages = to_messages(given, what=f"the messages of {self.name}")
        elif self.template is not None:
            values = {**fn_args, **config.get("computed_fields", {})}
            messages = self.template.messages(values)
        else:
            raise PromptError(
                f"{self.name} has no prompt: give it a docstring or @prompt_template, or return "
                "its messages"
            )
        if not messages:
            raise PromptError(f"the prompt of {self.name} is empty")
        return messages


def _dynamic_config(result: object, prompt: _Prompt) -> BaseDynamicConfig:
    if result is None:
        return {}
    if (
        isinstance(result, Mapping)
        and not {"role", "parts"} & cast("Mapping[str, Any]", result).keys()
    ):
        config = cast("Mapping[str, Any]", result)
        if unknown := config.keys() - BaseDynamicConfig.__annotations__.keys():
            known = ", ".join(BaseDynamicConfig.__annotations__)
            raise UsageError(
                f"{prompt.name} returned the unknown keys {', '.join(sorted(unknown))}; a dynamic "
                f"configuration has: {known}"
            )
        return cast("BaseDynamicConfig", config)
    returned: object = cast("object", result)
    return {"messages": to_messages(returned, what=f"what {prompt.name} returned")}


def _prepare(
    settings: _CallSettings,
    prompt: _Prompt,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    result: object,
) -> PreparedCall:
    config = _dynamic_config(result, prompt)
    fn_args = prompt.arguments(args, kwargs)
    toolset = Toolset(config["tools"]) if "tools" in config else settings.toolset
    dynamic = config.get("call_params", {})
    names = settings.provider.settings
    call_params = {
        **settings.call_params,
        **{key: value for key, value in dynamic.items() if key not in names},
    }
    client = config.get("client")
    return PreparedCall(
        provider=settings.provider,
        model=settings.model,
        request=settings.provider.prepare(
            CallRequest(
                model=settings.model,
                messages=prompt.messages(config, fn_args),
                tools=toolset.types,
                call_params=call_params,
                stream=settings.stream,
            )
        ),
        connection=Connection(
            client=settings.client if client is None else client,
            settings={
                **settings.settings,
                **{key: value for key, value in dynamic.items() if key in names},
            },
            sdk_iteration=settings.sdk_iteration,
        ),
        toolset=toolset,
        call_params=call_params,
        timeouts=settings.timeouts,
        fn_args=fn_args,
        prompt_template=prompt.template.text if prompt.template is not None else None,
        metadata=config.get("metadata", {}),
    )


def _fetch(call: PreparedCall) -> BaseCallResponse[Any]:
    start = time.time()
    seconds = call.timeouts.get("total")

    def send() -> tuple[Any, JSONObject]:
        return call.provider.fetch(call.request, call.connection)

    try:
        if seconds is None:
            obj, data = send()
        else:
            obj, data = run_until(send, time.monotonic() + seconds, discard=lambda _: None)
    except Exception as error:
        failure = _fetch_error(call, error, seconds)
        raise failure from (error.__cause__ if failure is error else error)
    return _response(call, obj, data, start)


async def _fetch_async(call: PreparedCall) -> BaseCallResponse[Any]:
    start = time.time()
    seconds = call.timeouts.get("total")
    try:
        async with asyncio.timeout(seconds):
            obj, data = await call.provider.fetch_async(call.request, call.connection)
    except Exception as error:
        failure = _fetch_error(call, error, seconds)
        raise failure from (error.__cause__ if failure is error else error)
    return _response(call, obj, data, start)


def _fetch_error(call: PreparedCall, error: Exception, seconds: float | None) -> MirascopeError:
    if seconds is not None and type(error) is TimeoutError and not str(error):
        return ProviderTimeoutError(
            f"no answer came within {seconds:g} s (timeout 'total')",
            provider=call.provider.name,
            model=call.model,
        )
    return call.provider.opening_error(error, call.model)


def _response(
    call: PreparedCall, obj: Any, data: JSONObject, start: float
) -> BaseCallResponse[Any]:
    answer = Accumulator()
    try:
        calls = answer.add(call.provider.decoder().decode_response(data)) or []
    except Exception as error:
        raise StreamDecodeError(
            f"the response can't be read: {describe(error)}",
            provider=call.provider.name,
            model=call.model,
        ) from error
    calls += answer.end_calls()
    if answer.error is not None:
        raise error_from_status(
            answer.error.status or 500,
            answer.error.message,
            code=answer.error.code,
            provider=call.provider.name,
            model=call.model,
        )
    return call.provider.response_class(
        call,
        answer,
        lambda: obj,
        tools=[call.toolset.resolve(tool_call) for tool_call in calls],
        start_time=start,
        end_time=time.time(),
    )
