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

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from mirascope.core import (
    Decoder,
    Delta,
    EndDelta,
    ErrorDelta,
    FinishDelta,
    JSONObject,
    MetaDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    UsageDelta,
)
from mirascope.core.wire import Event, LineFramer
from typing_extensions import override


class AcmeFramer(LineFramer):
    """Cuts a body into lines and drops a last one that no line feed ended."""

    @override
    def end(self) -> list[Event]:
        return []


class AcmeDecoder(Decoder):
    """Says what Acme's records mean."""

    @override
    def parse(self, data: bytes) -> JSONObject:
        kind, _, rest = data.decode().partition(" ")
        match kind:
            case "M":
                model, _, response_id = rest.partition(" ")
                return {"kind": kind, "model": model, "id": response_id}
            case "T":
                text = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], rest)
                return {"kind": kind, "text": text}
            case "C":
                call_id, name, arguments = rest.split(" ", 2)
                return {"kind": kind, "id": call_id, "name": name, "arguments": arguments}
            case "U":
                return {"kind": kind, "usage": json.loads(rest)}
            case "E":
                code, _, message = rest.partition(" ")
                return {"kind": kind, "code": code, "message": message}
            case _:
                return {"kind": kind, "rest": rest}

    @override
    def decode(self, data: JSONObject, event: str | None = None) -> Sequence[Delta] | None:
        match data["kind"]:
            case "T":
                return (TextDelta(data["text"]),)
            case "M":
                return (MetaDelta(id=data["id"], model=data["model"]),)
            case "C":
                return _tool_call(data)
            case "U":
                return (UsageDelta(data["usage"]),)
            case "E":
                return (ErrorDelta(data["message"], code=data["code"]),)
            case "X":
                return (FinishDelta(data["rest"]), EndDelta())
            case "P":
                return None
            case _:
                return ()

    @override
    def decode_response(self, data: JSONObject) -> Sequence[Delta]:
        deltas: list[Delta] = [
            MetaDelta(id=data["id"], model=data["model"]),
            TextDelta(data["text"]),
        ]
        for call in data["calls"]:
            deltas += _tool_call(call)
        return [*deltas, UsageDelta(data["usage"]), FinishDelta(data["reason"])]


def _tool_call(call: JSONObject) -> Sequence[Delta]:
    key = call["id"]
    return ToolCallDelta(key, key, call["name"], call["arguments"]), ToolCallEnd(key)
