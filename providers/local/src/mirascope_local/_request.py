"""What is added to a request, and a whole completion out of chunks. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from mirascope.core import (
    Accumulator,
    AnswerFormat,
    Decoder,
    JSONObject,
    ProviderServerError,
    SchemaDialect,
    UsageError,
    error_from_status,
)
from mirascope.core.json import as_list, as_object

from ._models import DEFAULT_MODEL

SAMPLING: Final[Mapping[str, float]] = {"temperature": 0.0, "repeat_penalty": 1.15}
"""Sampling where the call says nothing: deterministic, and kept from repeating itself."""
MAX_TOKENS: Final = 512
"""The longest answer where the call says nothing: a small model may never find an end."""

GRAMMAR: Final = SchemaDialect(
    keywords=frozenset(
        {"format", "minLength", "maxLength", "minItems", "maxItems"}
        | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    ),
)
"""What llama.cpp's grammar keeps of a schema."""

_LIMITS: Final = frozenset({"max_tokens", "max_completion_tokens", "n_predict"})


def with_defaults(body: JSONObject) -> JSONObject:
    """Return a request with what the caller left open.

    Raises:
        UsageError: it asks for several answers, or for a tool that it does not have.
    """
    if (body.get("n") or 1) != 1:
        raise UsageError("the local provider gives one answer a call: leave n out, and call again")
    body = {**SAMPLING, **body}
    if not _LIMITS & body.keys():
        body["max_tokens"] = MAX_TOKENS
    if body.get("tools"):
        _tool_choice(body)
    return body


def with_answer(body: JSONObject, answer: AnswerFormat) -> JSONObject:
    """Return a request that asks for the form of an answer, as llama.cpp reads it.

    Its grammar takes any schema, and bounds lengths too, which keeps a small model from running
    on: nothing of the schema is rewritten but patterns, which it does not keep.
    """
    if answer.mode == "native" and answer.schema is not None:
        described = {"name": answer.name, "schema": GRAMMAR.written(answer.schema)}
        return {**body, "response_format": {"type": "json_schema", "json_schema": described}}
    return body


def completion(
    chunks: Sequence[JSONObject], decoder: Decoder, build: Callable[[Accumulator], JSONObject]
) -> JSONObject:
    """Return the chunks of an answer as the completion that they are pieces of.

    Args:
        chunks: all of them.
        decoder: a fresh decoder.
        build: makes a completion of an answer.

    Raises:
        APIError: llama.cpp failed in the middle of the answer.
    """
    answer = Accumulator()
    for chunk in chunks:
        answer.add(decoder.decode(chunk) or ())
    answer.end_calls()
    if answer.error is not None:
        error = answer.error
        raise error_from_status(error.status or 500, error.message, code=error.code)
    if not answer.finished:
        raise ProviderServerError("llama.cpp ended the answer before it was finished")
    whole = build(answer)
    if logprobs := [entry for chunk in chunks for entry in _logprobs(chunk)]:
        whole["choices"][0]["logprobs"] = {"content": logprobs}
    if timings := next((c["timings"] for c in reversed(chunks) if "timings" in c), None):
        whole["timings"] = timings
    return whole


def _tool_choice(body: JSONObject) -> None:
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        # llama.cpp knows no choice by name: the same is said with one tool, which is required.
        name = _name(cast("object", choice))
        body["tools"] = [tool for tool in body["tools"] if _name(tool) == name]
        if not body["tools"]:
            raise UsageError(f"tool_choice names {name!r}, which is none of the tools of the call")
        body["tool_choice"] = "required"
    elif choice is None and body.get("model") == DEFAULT_MODEL:
        # Left to itself, a model of this size calls functions that it makes up, in forms that
        # can't be read, and calls again where it should answer.
        answers = bool(body["messages"]) and body["messages"][-1].get("role") == "tool"
        body["tool_choice"] = "none" if answers else "required"
        body.setdefault("parallel_tool_calls", False)


def _name(tool: object) -> Any:
    return as_object(as_object(tool).get("function")).get("name")


def _logprobs(chunk: JSONObject) -> list[Any]:
    found: list[Any] = []
    for choice in chunk.get("choices") or ():
        found += as_list(as_object(choice.get("logprobs")).get("content"))
    return found
