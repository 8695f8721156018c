r"""Acme's wire format: one record a line, a letter first.

    M <model> <id>          the response begins
    T <text>                more text; a backslash is `\\`, a line feed `\n`
    C <id> <name> <json>    a whole tool call
    U <json>                usage
    P                       a keep-alive
    E <code> <message>      an error, and the end
    X <reason>              why the model stopped, and the end

Every record ends with a line feed: one without it was cut.
"""

import json
import re
from collections.abc import Sequence

from mirascope import core
from mirascope.core import Delta, JSONObject
from mirascope.core.wire import Event, LineFramer

_FIELDS = {
    "M": "model id",
    "T": "text",
    "C": "id name arguments",
    "U": "usage",
    "E": "code message",
}


class AcmeFramer(LineFramer):
    """Cuts a body into lines and drops a last one that no line feed ended."""

    def end(self) -> list[Event]:
        return []


class AcmeDecoder(core.Decoder):
    """Says what Acme's records mean."""

    def parse(self, data: bytes) -> JSONObject:
        kind, _, rest = data.decode().partition(" ")
        names = _FIELDS.get(kind, "rest").split()
        fields = zip(names, rest.split(" ", len(names) - 1), strict=True)
        return {"kind": kind, **dict(fields)}

    def decode(self, data: JSONObject, event: str | None = None) -> Sequence[Delta] | None:
        match data["kind"]:
            case "T":
                text = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], data["text"])
                return (core.TextDelta(text),)
            case "M":
                return (core.MetaDelta(id=data["id"], model=data["model"]),)
            case "C":
                return _tool_call(data)
            case "U":
                return (core.UsageDelta(json.loads(data["usage"])),)
            case "E":
                return (core.ErrorDelta(data["message"], code=data["code"]),)
            case "X":
                return (core.FinishDelta(data["rest"]), core.EndDelta())
            case kind:
                return None if kind == "P" else ()

    def decode_response(self, data: JSONObject) -> Sequence[Delta]:
        return (
            core.MetaDelta(id=data["id"], model=data["model"]),
            core.TextDelta(data["text"]),
            *(delta for call in data["calls"] for delta in _tool_call(call)),
            core.UsageDelta(data["usage"]),
            core.FinishDelta(data["reason"]),
        )


def _tool_call(call: JSONObject) -> Sequence[Delta]:
    key = call["id"]
    return core.ToolCallDelta(key, key, call["name"], call["arguments"]), core.ToolCallEnd(key)
