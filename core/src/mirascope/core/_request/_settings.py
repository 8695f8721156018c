"""A decorated function's own part in a call: its arguments, its prompt, what it returns."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from .._errors import MirascopeError, PromptError, UsageError, describe
from .._prices._overrides import call_prices
from .._prices._table import PriceTable
from .._provider._messages import MessageParam, to_messages
from .._provider._provider import CallRequest, Provider, Request
from .._recording._recorder import ProviderFacts, RecordTypes, check_record, recorder_for
from .._tools._base_tool import ToolLike
from .._tools._toolset import Toolset
from .._transport._connection import Connection
from ._params import api_params, refuse_own
from ._prepared import PreparedCall
from ._prompt import PromptTemplate, template_of
from ._timeouts import Timeouts, TimeoutTypes, parse_timeouts


@with_config(ConfigDict(extra="forbid"))
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


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CallSettings:
    """What a decorator was given, checked."""

    provider: Provider
    model: str
    stream: bool
    toolset: Toolset
    client: Any
    call_params: Mapping[str, Any]
    timeouts: Timeouts
    sdk_iteration: bool
    record: RecordTypes
    provider_facts: Callable[[], ProviderFacts]
    settings: Mapping[str, Any]
    prices: PriceTable | None = None

    def __repr__(self) -> str:
        # Its settings, its client and its parameters may hold credentials.
        return f"<{type(self).__name__} {self.provider.name}/{self.model}>"

    def key_variables(self) -> Sequence[str]:
        """Return the environment variables that hold the provider's credentials."""
        return self.provider_facts().key_variables

    @classmethod
    def build(
        cls,
        provider: Provider,
        model: str,
        provider_facts: Callable[[], ProviderFacts],
        /,
        *,
        stream: bool = False,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        sdk_iteration: bool = False,
        record: RecordTypes = None,
        **params: Any,
    ) -> CallSettings:
        if not isinstance(stream, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageError(f"stream must be True or False, not {stream!r}")
        given = dict(call_params or {})
        if twice := given.keys() & params.keys():
            names = ", ".join(map(repr, sorted(twice)))
            raise UsageError(f"call_params and the decorator both give {names}: give it once")
        refuse_own(given)
        given.update(api_params(params, provider.settings))
        prices = call_prices(given.pop("prices", None))
        timeouts = parse_timeouts(timeout)
        if not stream and timeouts.keys() - {"total"}:
            raise UsageError(
                "without stream=True, timeout is one number (seconds in total); 'first_chunk' and "
                "'idle' need stream=True"
            )
        check_record(record, stream=stream)
        return cls(
            provider=provider,
            model=model,
            stream=stream,
            toolset=Toolset(tools),
            client=client,
            call_params={k: v for k, v in given.items() if k not in provider.settings},
            timeouts=timeouts,
            sdk_iteration=sdk_iteration,
            record=record,
            provider_facts=provider_facts,
            settings={k: v for k, v in given.items() if k in provider.settings},
            prices=prices,
        )


class FunctionPrompt:
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

    def messages(
        self, config: BaseDynamicConfig, fn_args: Mapping[str, Any], provider: Provider
    ) -> list[MessageParam]:
        is_message = provider.is_message
        if (given := config.get("messages")) is not None:
            messages = to_messages(
                given, what=f"the messages of {self.name!r}", is_message=is_message
            )
        elif self.template is not None:
            values = {**fn_args, **config.get("computed_fields", {})}
            messages = self.template.messages(values, is_message=is_message)
        else:
            raise PromptError(
                f"{self.name!r} has no prompt: give it a docstring or @prompt_template, or return "
                "its messages"
            )
        if not messages:
            raise PromptError(f"the prompt of {self.name!r} is empty: give it text, or messages")
        return messages


def _dynamic_config(
    result: object, prompt: FunctionPrompt, provider: Provider
) -> BaseDynamicConfig:
    if result is None:
        return {}
    if isinstance(result, Mapping) and not provider.is_message(cast("Mapping[str, Any]", result)):
        config = cast("Mapping[str, Any]", result)
        if unknown := config.keys() - BaseDynamicConfig.__annotations__.keys():
            known = ", ".join(BaseDynamicConfig.__annotations__)
            raise UsageError(
                f"{prompt.name!r} returned a dynamic configuration with unknown keys "
                f"{', '.join(map(repr, sorted(map(str, unknown))))}; it takes: {known}"
            )
        return cast("BaseDynamicConfig", config)
    returned: object = cast("object", result)
    what = f"the result of {prompt.name!r}"
    return {"messages": to_messages(returned, what=what, is_message=provider.is_message)}


def prepare(
    settings: CallSettings,
    prompt: FunctionPrompt,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    result: object,
) -> PreparedCall:
    config = _dynamic_config(result, prompt, settings.provider)
    fn_args = prompt.arguments(args, kwargs)
    toolset = Toolset(config["tools"]) if "tools" in config else settings.toolset
    dynamic = config.get("call_params", {})
    refuse_own(dynamic)
    # Address and key are parameters for the user and none of the request's: they travel apart, so
    # that neither a recording nor `call_kwargs` has them.
    names = settings.provider.settings
    call_params = {
        **settings.call_params,
        **{key: value for key, value in dynamic.items() if key not in names},
    }
    client = config.get("client")
    return PreparedCall(
        provider=settings.provider,
        model=settings.model,
        request=_request(
            settings.provider,
            CallRequest(
                model=settings.model,
                messages=prompt.messages(config, fn_args, settings.provider),
                tools=toolset.types,
                call_params=call_params,
                stream=settings.stream,
            ),
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
        recorder=recorder_for(settings.record, settings.provider_facts),
        prices=settings.prices,
        key_variables=settings.key_variables,
    )


def _request(provider: Provider, call: CallRequest) -> Request:
    try:
        return provider.prepare(call)
    except MirascopeError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        # A parameter of the wrong type, such as a number where the API has an object.
        raise UsageError(
            f"{provider.name!r} can't make a request of these messages and parameters: "
            f"{describe(error)}"
        ) from error
