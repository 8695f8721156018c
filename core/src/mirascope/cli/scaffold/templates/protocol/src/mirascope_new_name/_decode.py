"""The wire format: what each event means.

The body is server-sent events, whose data is JSON with a `type`:

    {"type": "start", "id": "r-1", "model": "new-name-1"}
    {"type": "text", "text": "Hello"}
    {"type": "call", "id": "c-1", "name": "get_weather", "arguments": {"city": "Oslo"}}
    {"type": "usage", "usage": {"input": 30, "output": 20, "cached": 10}}
    {"type": "error", "code": "overloaded", "message": "try again"}
    {"type": "end", "reason": "stop"}
    {"type": "ping"}

An answer that is not streamed is one object: `id`, `model`, `text`, `calls`, `usage`, `reason`.
"""

from collections.abc import Sequence

from mirascope import core
from mirascope.core import Delta, JSONObject
from mirascope.core.json import as_json_text, as_object, as_objects, as_text


class NewNameDecoder(core.Decoder):
    """Reads one answer; it holds what must be remembered from one event to the next: nothing."""

    def decode(self, data: JSONObject, event: str | None = None) -> Sequence[Delta] | None:
        """Return what an event says: `()` where it means nothing, None for a keep-alive."""
        match data.get("type"):
            case "start":
                return (_about(data),)
            case "text":
                return (core.TextDelta(data["text"]),)
            case "call":
                return _tool_call(data)
            case "usage":
                return (core.UsageDelta(as_object(data["usage"])),)
            case "error":
                return (core.ErrorDelta.from_object(data),)
            case "end":
                return (core.FinishDelta(data["reason"]), core.EndDelta())
            case kind:
                return None if kind == "ping" else ()

    def decode_response(self, data: JSONObject) -> Sequence[Delta]:
        """Return what an answer says that was not streamed."""
        return (
            _about(data),
            core.TextDelta(data["text"]),
            *(delta for call in as_objects(data.get("calls")) for delta in _tool_call(call)),
            core.UsageDelta(as_object(data.get("usage"))),
            core.FinishDelta(data["reason"]),
        )


def _about(data: JSONObject) -> Delta:
    return core.MetaDelta(id=as_text(data.get("id")), model=as_text(data.get("model")))


def _tool_call(call: JSONObject) -> Sequence[Delta]:
    key = call["id"]
    arguments = as_json_text(call.get("arguments"))
    return core.ToolCallDelta(key, key, call["name"], arguments), core.ToolCallEnd(key)
