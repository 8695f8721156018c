"""Acme's API: a call to a request, an answer to a message, and which counter is which."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from mirascope import core
from mirascope.core.http import HTTPProvider
from mirascope.core.wire import Framer

from ._decode import AcmeDecoder, AcmeFramer
from ._stream import AcmeAsyncStream, AcmeStream

_Results: TypeAlias = Sequence[tuple[core.BaseTool, Any]]
_REASONS: dict[str, core.FinishReason] = {"stop": "stop", "length": "length", "calls": "tool_calls"}


class AcmeProvider(HTTPProvider):
    """Acme. The transport, `base_url=`, `api_key=` and `client=` are those of `HTTPProvider`."""

    name = "acme"
    api = "lines"
    base_url = "https://api.acme.example"
    base_url_env = "ACME_BASE_URL"
    api_key_env = "ACME_API_KEY"
    path = "/v1/answers"
    stream_class = AcmeStream
    async_stream_class = AcmeAsyncStream
    response_class = core.BaseCallResponse
    prices_package = "mirascope_acme"

    # 1. request

    def prepare(self, request: core.CallRequest) -> core.Request:
        messages = [_message(message) for message in request.messages]
        body = {"model": request.model, "messages": messages, **request.call_params}
        if request.tools:
            body["tools"] = [
                {"name": t.tool_name(), "about": t.tool_description(), "takes": t.tool_parameters()}
                for t in request.tools
            ]
        return core.Request(messages=messages, kwargs={**body, "stream": request.stream})

    def message_param(self, answer: core.Accumulator) -> dict[str, Any]:
        calls = _calls(answer)
        return {"role": "assistant", "text": answer.text, **({"calls": calls} if calls else {})}

    def tool_message_params(self, results: _Results) -> list[dict[str, Any]]:
        return [
            {"role": "tool", "call": tool.tool_call.id, "text": tool.result_text(output)}
            for tool, output in results
        ]

    # 2. open: `HTTPProvider` sends the request; what is Acme's own are the key and the errors

    def key_headers(self, key: str) -> Mapping[str, str]:
        return {"X-Acme-Key": key}

    def error(self, status: int, body: bytes, headers: Mapping[str, str]) -> core.APIError:
        if not body.startswith(b"E "):
            return super().error(status, body, headers)
        _, code, message = body.decode(errors="replace").strip().split(" ", 2)
        return core.error_from_status(status, message, headers=headers, code=code)

    # 3. decode

    def framer(self) -> Framer:
        return AcmeFramer()

    def decoder(self) -> core.Decoder:
        return AcmeDecoder()

    def response_object(self, answer: core.Accumulator) -> core.JSONObject:
        named = {"id": answer.id, "model": answer.model, "text": answer.text}
        called = {"calls": _calls(answer), "usage": answer.usage}
        return {**named, **called, "reason": answer.finish_reason}

    def finish_reason(self, reason: str) -> core.FinishReason:
        return _REASONS.get(reason, "other")

    # 4. usage: Acme's `in` leaves out what the cache served

    def normalize(self, usage: core.JSONObject, facts: Mapping[str, str]) -> core.Usage:
        cached = core.token_count(usage.get("cached"))
        sent = cached + core.token_count(usage.get("in"))
        said = core.token_count(usage.get("out"))
        return core.Usage(input_tokens=sent, output_tokens=said, cache_read_tokens=cached)


def _message(message: core.MessageParam) -> core.JSONObject:
    if "text" in message:
        return dict(message)
    if not isinstance(message["content"], str):
        raise core.UsageError(f"acme takes text only, not {message['content']!r}")
    return {"role": message["role"], "text": message["content"]}


def _calls(answer: core.Accumulator) -> list[core.JSONObject]:
    calls = (block.call for block in answer.tool_calls)
    return [{"id": c.id, "name": c.name, "arguments": c.arguments} for c in calls if c is not None]
