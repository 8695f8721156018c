"""What a decorator was told of the answer: a response model, JSON, a parser."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from typing_extensions import override

from .._errors import UsageError
from .._provider._answer_format import AnswerFormat
from .._provider._messages import MessageParam
from .._provider._provider import Provider
from .._structured._answer import ResponseMode
from .._structured._dialect import tidy_schema
from .._structured._response_model import ResponseModel
from .._tools._base_tool import BaseTool, ToolCall
from .._types import JSONObject

_MODES: Final = get_args(ResponseMode)
_COUNTS: Final = ("n", "candidate_count")
"""The parameters by which APIs are asked for several answers."""


@dataclass(frozen=True, slots=True)
class ResponseOptions:
    """What the answer is to be, and how it is asked for.

    Attributes:
        model: the response model, or None.
        format: the form that the request asks for, or None.
        parser: what makes the result of a call's response, or None.
        tool: the tool whose arguments the answer is, in `"tool"` mode.
    """

    model: ResponseModel[Any] | None = None
    format: AnswerFormat | None = None
    parser: Callable[[Any], Any] | None = None
    tool: type[BaseTool] | None = None

    @property
    def mode(self) -> ResponseMode | None:
        """How the value is asked for; None where no value is."""
        return None if self.format is None else self.format.mode

    @property
    def filled(self) -> Sequence[str]:
        """The names of the fields that arguments of the call fill."""
        return () if self.model is None else [field.name for field in self.model.filled]

    @classmethod
    def of(
        cls,
        provider: Provider,
        *,
        stream: bool,
        response_model: Any,
        response_mode: ResponseMode | None,
        json_mode: bool,
        output_parser: Callable[[Any], Any] | None,
        call_params: Mapping[str, Any],
        tools: Sequence[type[BaseTool]],
    ) -> ResponseOptions:
        """Return the options of a decorator, checked.

        Raises:
            UsageError: they contradict each other, or the provider can't be asked so.
        """
        if output_parser is not None:
            if stream:
                raise UsageError(
                    "output_parser takes a whole answer and can't be given with stream=True: call "
                    "the parser on stream.collect()"
                )
            if response_model is not None:
                raise UsageError(
                    "output_parser and response_model both say what a call returns: give one of "
                    "them"
                )
            if not callable(output_parser):
                raise UsageError(f"output_parser must be a function, not {output_parser!r}")
        if not isinstance(json_mode, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageError(f"json_mode must be True or False, not {json_mode!r}")
        if response_mode is not None and response_mode not in _MODES:
            known = ", ".join(map(repr, _MODES))
            raise UsageError(f"response_mode must be one of {known}, not {response_mode!r}")
        if response_model is None:
            if response_mode is not None:
                raise UsageError("response_mode tells how a response_model is asked for: give one")
            return cls(parser=output_parser, format=_json_format(provider) if json_mode else None)
        if json_mode and response_mode not in (None, "json"):
            raise UsageError(f"json_mode=True means response_mode='json', not {response_mode!r}")
        for name in _COUNTS:
            count = call_params.get(name)
            if isinstance(count, int) and count > 1:
                raise UsageError(f"a response_model is one answer: {name}={count} asks for several")
        model = ResponseModel[Any](response_model)
        schema = tidy_schema(model.schema)
        mode = _mode(provider, schema, call_params, "json" if json_mode else response_mode)
        described = AnswerFormat(
            mode=mode, name=model.name, schema=schema, description=model.description
        )
        tool = None
        if mode == "tool":
            tool = _answer_tool(described)
            if any(other.tool_name() == model.name for other in tools):
                raise UsageError(
                    f"the tool {model.name!r} has the name of the response model, which is asked "
                    "for as a tool: rename one of them"
                )
        return cls(model=model, format=described, tool=tool)

    def messages(self, messages: list[MessageParam], provider: Provider) -> list[MessageParam]:
        """Return the messages of a call, with the schema where the model has to be told of it."""
        answer = self.format
        if answer is None or answer.schema is None:
            return messages
        if answer.mode != "json" and not (answer.mode == "native" and provider.shows_schema):
            return messages
        first = next(
            (i for i, message in enumerate(messages) if message.get("role") != "system"),
            len(messages),
        )
        return [*messages[:first], _instruction(answer.schema), *messages[first:]]


def _json_format(provider: Provider) -> AnswerFormat:
    if "json" not in provider.response_modes:
        raise UsageError(
            f"provider {provider.name!r} has no JSON mode: ask for JSON in the prompt, without "
            "json_mode=True"
        )
    return AnswerFormat(mode="json")


def _mode(
    provider: Provider,
    schema: JSONObject,
    call_params: Mapping[str, Any],
    wanted: ResponseMode | None,
) -> ResponseMode:
    """Return how the provider is asked for a value: as wanted, or as its API can.

    The API's own parameter where it has one and can say the schema; else a tool; else words.
    """
    modes = provider.response_modes
    if not modes:
        raise UsageError(
            f"provider {provider.name!r} does not support response_model: its plugin declares no "
            "response_modes"
        )
    if wanted is not None and wanted not in modes:
        known = " or ".join(map(repr, modes))
        raise UsageError(f"provider {provider.name!r} has no response_mode {wanted!r}, but {known}")
    unsayable = provider.unsayable(schema)
    mode: ResponseMode = wanted or modes[0]
    if wanted is None and mode == "native" and unsayable:
        others: list[ResponseMode] = [other for other in modes if other != "native"]
        mode = others[0] if others else mode
    if mode == "native" and unsayable:
        raise UsageError(
            f"provider {provider.name!r} can't say this response_model in its own JSON schemas: "
            f"{'; '.join(unsayable)}; leave response_mode='native' out"
        )
    provider.check_response_mode(mode, unsayable, call_params)
    return mode


def _instruction(schema: JSONObject) -> MessageParam:
    text = json.dumps(schema, ensure_ascii=False)
    told = "Answer with one JSON object that fits this JSON schema, and with nothing else:"
    return {"role": "system", "content": f"{told}\n{text}"}


def _answer_tool(answer: AnswerFormat) -> type[BaseTool]:
    """Return the tool that the model calls to answer; what it is called with is not validated."""
    schema = answer.schema or {}

    class AnswerTool(BaseTool):
        @classmethod
        @override
        def tool_name(cls) -> str:
            return answer.name

        @classmethod
        @override
        def tool_description(cls) -> str:
            return answer.description or "Give the answer."

        @classmethod
        @override
        def tool_parameters(cls) -> JSONObject:
            return {"properties": {}, **schema}

        @classmethod
        @override
        def from_tool_call(cls, tool_call: ToolCall, arguments: Mapping[str, Any]) -> AnswerTool:
            tool = cls.model_construct()
            tool._tool_call = tool_call
            return tool

        @override
        def call(self) -> str:
            return self.tool_call.arguments

    return AnswerTool
