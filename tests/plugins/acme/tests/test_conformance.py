"""Acme's plugin, held to what every provider must do."""

import json

from mirascope.core.testing import ProviderConformance, Wire

USAGE = {"in": 20, "out": 20, "cached": 10}
COUNTED = b'U {"in": 20, "out": 20, "cached": 10}\n'
ANSWER = {"id": "r-1", "model": "acme-large", "usage": USAGE, "reason": "stop"}
CALLS = [
    {"id": "c1", "name": "get_weather", "arguments": '{"city": "Oslo"}'},
    {"id": "c2", "name": "get_time", "arguments": '{"zone": "Europe/Oslo"}'},
    {"id": "c3", "name": "ping", "arguments": "{}"},
]


class TestAcme(ProviderConformance):
    """What Acme's server sends, in its own words."""

    provider = "acme"
    model = "acme-large"
    expect = {"cost": "0.000205"}
    address_variable = "ACME_BASE_URL"
    wire = Wire(
        text=(b"M acme-large r-1\n", b"T Hello,\n", b"T  world\n", COUNTED, b"X stop\n"),
        usage=(30, 20, 10),
        tools=(
            b"M acme-large r-1\n",
            *(f"C {c['id']} {c['name']} {c['arguments']}\n".encode() for c in CALLS),
            COUNTED,
            b"X calls\n",
        ),
        calls_end=True,
        error=b"E overloaded try again, %KEY%\n",
        malformed=b"U {broken\n",
        unknown=b"Z a record of a later version\n",
        keep_alive=b"P\n",
        no_usage=(b"M acme-large r-1\n", b"T Hello,\n", b"T  world\n", b"X stop\n"),
        whole=json.dumps({**ANSWER, "text": "Hello, world", "calls": []}).encode(),
        whole_tools=json.dumps({**ANSWER, "text": "", "calls": CALLS, "reason": "calls"}).encode(),
        refused=b"E denied the key %KEY% is wrong\n",
        content_type="text/plain",
    )
