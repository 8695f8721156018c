"""The protocol: a call to a request, an answer to a message, and which counter is which.

Whatever sends the requests; nothing here is changed that was given, and nothing here does I/O.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mirascope import core

from ._decode import NewNameDecoder
from ._stream import NewNameAsyncStream, NewNameStream


class NewNameProtocol(core.Provider):
    """What is sent and received."""

    name = "new_name"
    api = "answers"
    stream_class = NewNameStream
    async_stream_class = NewNameAsyncStream
    response_class = core.BaseCallResponse
    prices_package = "mirascope_new_name"

    def prepare(self, request: core.CallRequest) -> core.Request:
        """Return the body of a request."""
        messages = [_message(message) for message in request.messages]
        body = {"model": request.model, "messages": messages, **request.call_params}
        if request.tools:
            body["tools"] = [
                {
                    "name": tool.tool_name(),
                    "description": tool.tool_description(),
                    "parameters": tool.tool_parameters(),
                }
                for tool in request.tools
            ]
        return core.Request(messages=messages, kwargs={**body, "stream": request.stream})

    def message_param(self, answer: core.Accumulator) -> dict[str, Any]:
        """Return an answer as the next request sends it back."""
        calls = _calls(answer)
        return {"role": "assistant", "text": answer.text, **({"calls": calls} if calls else {})}

    def tool_message_params(
        self, results: Sequence[tuple[core.BaseTool, Any]]
    ) -> list[dict[str, Any]]:
        """Return the results of tool calls as the next request sends them back."""
        return [
            {"role": "tool", "call": tool.tool_call.id, "text": tool.result_text(output)}
            for tool, output in results
        ]

    def decoder(self) -> core.Decoder:
        """Return a decoder for one answer."""
        return NewNameDecoder()

    def response_object(self, answer: core.Accumulator) -> core.JSONObject:
        """Return a streamed answer as it would have come without streaming."""
        return {
            "id": answer.id,
            "model": answer.model,
            "text": answer.text,
            "calls": _calls(answer),
            "usage": answer.usage,
            "reason": answer.finish_reason,
        }

    def normalize(self, usage: core.JSONObject, facts: Mapping[str, str]) -> core.Usage:
        """Say which counter is which: `input` has what the cache served in it."""
        return core.Usage(
            input_tokens=core.token_count(usage.get("input")),
            output_tokens=core.token_count(usage.get("output")),
            cache_read_tokens=core.token_count(usage.get("cached")),
        )


def _message(message: core.MessageParam) -> core.JSONObject:
    """Return a message in the server's form; one that has it already passes as it is."""
    if "text" in message:
        return dict(message)
    if not isinstance(message["content"], str):
        raise core.UsageError(f"new_name takes text, not {message['content']!r}")
    return {"role": message["role"], "text": message["content"]}


def _calls(answer: core.Accumulator) -> list[core.JSONObject]:
    calls = (block.call for block in answer.tool_calls)
    return [{"id": c.id, "name": c.name, "arguments": c.arguments} for c in calls if c is not None]
