"""What a decorator was given, and a call that is prepared of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._errors import MirascopeError, UsageError, describe
from .._interruptions import interruption
from .._prices._overrides import call_prices
from .._prices._table import PriceTable
from .._provider._faults import raised, returned
from .._provider._provider import CallRequest, Provider, Request
from .._recording._recorder import ProviderFacts, RecordTypes, check_record, recorder_for
from .._structured._answer import ResponseMode
from .._tools._base_tool import ToolLike
from .._tools._tool_choice import ToolChoice, is_neutral, read_tool_choice
from .._tools._toolset import Toolset
from .._transport._connection import Connection
from ._arguments import parse_call_params
from ._max_bytes import parse_max_bytes
from ._params import api_params, refuse_own
from ._prepared import PreparedCall
from ._prompt_function import FunctionPrompt
from ._response_options import ResponseOptions
from ._stream_config import StreamConfig, check_partial_tools, parse_stream
from ._timeouts import Timeouts, TimeoutTypes, parse_timeouts
from ._tool_names import toolset_for


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CallSettings:
    """What a decorator was given, checked."""

    provider: Provider
    model: str
    stream: bool
    partial_tools: bool
    toolset: Toolset
    client: Any
    call_params: Mapping[str, Any]
    timeouts: Timeouts
    max_bytes: int
    sdk_iteration: bool
    record: RecordTypes
    provider_facts: Callable[[], ProviderFacts]
    settings: Mapping[str, Any]
    prices: PriceTable | None = None
    response: ResponseOptions = field(default_factory=ResponseOptions)

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
        stream: bool | StreamConfig = False,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: bool = False,
        record: RecordTypes = None,
        response_model: Any = None,
        response_mode: ResponseMode | None = None,
        json_mode: bool = False,
        output_parser: Callable[[Any], Any] | None = None,
        **params: Any,
    ) -> CallSettings:
        stream, partial_tools = parse_stream(stream)
        check_partial_tools(partial_tools, response_model)
        given = parse_call_params(call_params)
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
        toolset = toolset_for(provider, tools)
        call_params = {k: v for k, v in given.items() if k not in provider.settings}
        response = ResponseOptions.of(
            provider,
            stream=stream,
            response_model=response_model,
            response_mode=response_mode,
            json_mode=json_mode,
            output_parser=output_parser,
            call_params=call_params,
            tools=toolset.types,
        )
        return cls(
            provider=provider,
            model=model,
            stream=stream,
            partial_tools=partial_tools,
            toolset=toolset,
            client=client,
            call_params=call_params,
            timeouts=timeouts,
            max_bytes=parse_max_bytes(max_bytes, stream=stream),
            sdk_iteration=sdk_iteration,
            record=record,
            provider_facts=provider_facts,
            settings={k: v for k, v in given.items() if k in provider.settings},
            prices=prices,
            response=response,
        )


def prepare(
    settings: CallSettings,
    prompt: FunctionPrompt,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    result: object,
) -> PreparedCall:
    is_message = settings.provider.is_message
    config = prompt.config(result, is_message)
    fn_args = prompt.arguments(args, kwargs)
    messages, template = prompt.messages(config, fn_args, is_message)
    toolset = settings.toolset
    if "tools" in config:
        toolset = toolset_for(settings.provider, config["tools"])
    dynamic = parse_call_params(config.get("call_params"))
    response = settings.response
    if response.tool is not None:
        toolset = toolset.plus(response.tool)
    refuse_own(dynamic)
    # Address and key are parameters for the user and none of the request's: they travel apart, so
    # that neither a recording nor `call_kwargs` has them.
    names = settings.provider.settings
    call_params = {
        **settings.call_params,
        **{key: value for key, value in dynamic.items() if key not in names},
    }
    client = config.get("client")
    connection = Connection(
        client=settings.client if client is None else client,
        settings={
            **settings.settings,
            **{key: value for key, value in dynamic.items() if key in names},
        },
        sdk_iteration=settings.sdk_iteration,
        max_bytes=settings.max_bytes
        if (max_bytes := config.get("max_bytes")) is None
        else parse_max_bytes(max_bytes, stream=settings.stream),
    )
    _check_name(settings.provider, settings.model, connection)
    choice, api_params = _tool_choice(settings.provider, toolset, call_params)
    return PreparedCall(
        provider=settings.provider,
        model=settings.model,
        request=_request(
            settings.provider,
            CallRequest(
                model=settings.model,
                messages=response.messages(messages, settings.provider),
                tools=toolset.types,
                call_params=api_params,
                stream=settings.stream,
                tool_choice=choice,
                answer=response.format,
            ),
        ),
        connection=connection,
        toolset=toolset,
        call_params=call_params,
        timeouts=settings.timeouts,
        fn_args=fn_args,
        prompt_template=template,
        metadata=config.get("metadata", {}),
        recorder=recorder_for(settings.record, settings.provider_facts),
        prices=settings.prices,
        partial_tools=settings.partial_tools,
        key_variables=settings.key_variables,
    )


def _check_name(provider: Provider, model: str, connection: Connection) -> None:
    """Refuse `openai/gpt-4o` where the provider is named already, as in `openai.call`.

    Other servers have such names: gateways put the maker's name before the model's.
    """
    own = model.removeprefix(f"{provider.name}/")
    if own == model or provider.request_facts(connection).get("host"):
        return
    if provider.prices.match(own) is not None:
        raise UsageError(
            f"{model!r} names its provider, which the decorator does already: write {own!r}"
        )


def _tool_choice(
    provider: Provider, toolset: Toolset, call_params: Mapping[str, Any]
) -> tuple[ToolChoice | None, Mapping[str, Any]]:
    """Part the choice that is the same for all providers from the parameters of the API."""
    given = call_params.get("tool_choice")
    if not is_neutral(given) or (isinstance(given, str) and not provider.tool_choices):
        return None, call_params
    choice = read_tool_choice(
        given,
        provider=provider.name,
        takes=provider.tool_choices,
        names=[tool.tool_name() for tool in toolset.types],
        is_open=any(call_params.get(name) for name in ("tools", "config")),
    )
    return choice, {name: v for name, v in call_params.items() if name != "tool_choice"}


def _request(provider: Provider, call: CallRequest) -> Request:
    try:
        request = provider.prepare(call)
    except MirascopeError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        # A parameter of the wrong type, such as a number where the API has an object.
        raise UsageError(
            f"{provider.name!r} can't make a request of these messages and parameters: "
            f"{describe(error)}"
        ) from error
    except Exception as error:
        if interruption(error) is not None:
            raise
        raise raised(provider, "prepare", error, call.model) from error
    if not isinstance(request, Request):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise returned(provider, "prepare", request, "a Request", call.model)
    return request
