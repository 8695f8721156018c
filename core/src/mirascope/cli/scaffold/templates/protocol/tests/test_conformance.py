"""The plugin, held to what every provider must do."""

import json
from typing import Any

from mirascope.core.testing import ProviderConformance, Wire, sse

START = {"type": "start", "id": "r-1", "model": "new-name-1"}
TEXT = ({"type": "text", "text": "Hello,"}, {"type": "text", "text": " world"})
USAGE = {"input": 30, "output": 20, "cached": 10}
COUNTED = {"type": "usage", "usage": USAGE}
CALLS: list[dict[str, Any]] = [
    {"id": "c-1", "name": "get_weather", "arguments": {"city": "Oslo"}},
    {"id": "c-2", "name": "get_time", "arguments": {"zone": "Europe/Oslo"}},
    {"id": "c-3", "name": "ping", "arguments": {}},
]
CALLED = [{"type": "call", **call} for call in CALLS]
ANSWER = {"id": "r-1", "model": "new-name-1", "usage": USAGE}


class TestNewName(ProviderConformance):
    """What the server sends, in its own words."""

    provider = "new_name"
    model = "new-name-1"
    expect = {"cost": "0.000045"}
    address_variable = "NEW_NAME_BASE_URL"
    wire = Wire(
        text=tuple(map(sse, (START, *TEXT, COUNTED, {"type": "end", "reason": "stop"}))),
        usage=(30, 20, 10),
        tools=tuple(map(sse, (START, *CALLED, COUNTED, {"type": "end", "reason": "tool_calls"}))),
        calls_end=True,
        error=sse({"type": "error", "code": "overloaded", "message": "try again, %KEY%"}),
        malformed=b'data: {"type": [\n\n',
        unknown=sse({"type": "novelty", "text": "of a later version"}),
        keep_alive=sse({"type": "ping"}),
        no_usage=tuple(map(sse, (START, *TEXT, {"type": "end", "reason": "stop"}))),
        whole=json.dumps({**ANSWER, "text": "Hello, world", "reason": "stop"}).encode(),
        whole_tools=json.dumps(
            {**ANSWER, "text": "", "calls": CALLS, "reason": "tool_calls"}
        ).encode(),
    )
