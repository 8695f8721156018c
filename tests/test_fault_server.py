"""The server of faults does what each fault says, in every protocol; the matrix has the rest."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

import pytest
from mirascope.core import Recording, UsageError
from mirascope.core.testing import Fault, FaultServer, Wire, ndjson

PATHS = {
    "/v1/chat/completions": {"stream": True},
    "/responses": {"stream": True},
    "/v1/messages": {"stream": True},
    "/v1beta/models/m:streamGenerateContent?alt=sse": {},
}
CHAT = "/chat/completions"


class Got:
    """What one request was answered with."""

    def __init__(
        self, server: FaultServer, path: str = CHAT, body: Any = None, timeout: float = 5
    ) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout)
        self.error: Exception | None = None
        self.body = b""
        try:
            connection.request("POST", path, json.dumps(body or {"stream": True}))
            self.response = connection.getresponse()
            while piece := self.response.read1():
                self.body += piece
            if self.response.length or (self.response.chunked and not self.response.isclosed()):
                raise EOFError
        except Exception as error:
            self.error = error
        finally:
            connection.close()


def get(*faults: Fault | None, stream: bool = True, **more: Any) -> Got:
    with FaultServer("Hello, world", *faults) as server:
        return Got(server, body={"stream": stream}, **more)


GOOD = get(None).body
EVENTS = [event + b"\n\n" for event in GOOD.split(b"\n\n")][:-1]
WHOLE = get(None, stream=False).body


@pytest.mark.parametrize("path", PATHS)
def test_every_protocol_by_its_path(path: str) -> None:
    with FaultServer(["Hel", "lo"], calls=[("get_weather", {"city": "Oslo"})]) as server:
        got = Got(server, path, PATHS[path])
    assert got.error is None
    assert got.response.headers["content-type"] == "text/event-stream"
    assert b'"Hel"' in got.body
    assert b'"lo"' in got.body
    assert b"get_weather" in got.body


def test_an_unknown_path_is_told() -> None:
    with (
        pytest.raises(ValueError, match="no protocol is known for '/what'"),
        FaultServer() as server,
    ):
        assert Got(server, "/what").error is not None


def test_a_recording_and_a_wire_are_answers_too() -> None:
    lines = ndjson({"text": "a"}, {"text": "b"})
    with FaultServer(Recording.of_body(lines), Fault.cut(event=1), None) as server:
        assert Got(server, "/x").body == ndjson({"text": "a"})
        got = Got(server, "/x")
    assert (got.body, got.response.headers["content-type"]) == (lines, "application/x-ndjson")
    wire = Wire.chat()
    with FaultServer(wire, Fault.error(event=2, message="no"), None) as server:
        assert Got(server).body == b"".join(wire.text[:2]) + wire.keyed(wire.error, "no")
        assert Got(server, body={"stream": False}).body == wire.whole


@pytest.mark.parametrize("event", [0, 1, 2, -1])
def test_cut_at_an_event(event: int) -> None:
    expected = b"".join(EVENTS[:event])
    assert get(Fault.cut(event=event)).body == expected
    assert get(Fault.cut(event=event)).error is None
    closed = get(Fault.cut(event=event, how="close"))
    assert closed.body == expected
    assert closed.error is not None
    dropped = get(Fault.cut(event=event, how="reset"))
    assert dropped.body == expected
    assert isinstance(dropped.error, ConnectionResetError)


@pytest.mark.parametrize("byte", [0, 1, 100, len(GOOD) - 1])
def test_cut_at_a_byte(byte: int) -> None:
    assert get(Fault.cut(byte=byte)).body == GOOD[:byte]
    whole = get(Fault.cut(byte=min(byte, 100), how="close"), stream=False)
    assert whole.body == WHOLE[: min(byte, 100)]
    assert whole.error is not None


def test_a_place_is_named_once() -> None:
    for fault in (Fault.cut, Fault.stall):
        for given in ({}, {"event": 1, "byte": 1}):
            with pytest.raises(UsageError, match="name one place"):
                fault(**given)
    with pytest.raises(UsageError, match="how must be"):
        Fault.cut(event=1, how="gently")  # type: ignore[arg-type]


def test_stalls() -> None:
    silent = get(Fault.stall(event=2), timeout=0.3)
    assert isinstance(silent.error, TimeoutError)
    assert silent.body == b"".join(EVENTS[:2])
    start = time.monotonic()
    assert get(Fault.stall(byte=7, seconds=0.2)).body == GOOD
    assert get(Fault.stall(event=0, seconds=0.2), stream=False).body == WHOLE
    assert time.monotonic() - start >= 0.4
    pinged = get(Fault.stall(event=2, pings=0.01, seconds=0.05))
    assert pinged.body.replace(b": ping\n\n", b"") == GOOD
    assert pinged.body.count(b": ping") == 5


def test_answers_that_are_late() -> None:
    assert isinstance(get(Fault.silent(), timeout=0.2).error, TimeoutError)
    assert isinstance(get(Fault.dropped()).error, ConnectionResetError)
    assert get(Fault.drip(seconds=0.0001, size=50)).body == GOOD


def test_what_is_sent() -> None:
    assert get(Fault.malformed(event=1)).body == EVENTS[0] + b'data: {"choices": [\n\n' + b"".join(
        EVENTS[1:]
    )
    assert b"\xff" in get(Fault.garbage(event=1)).body
    assert get(Fault.error(event=1, message="no")).body.endswith(
        b'data: {"error": {"message": "no", "type": "server_error", "code": "overloaded"}}\n\n'
    )
    page = get(Fault.content_type())
    assert page.response.headers["content-type"] == "text/html"
    assert page.body.startswith(b"<!DOCTYPE html>")
    plain = get(Fault.content_type("text/plain", None))
    assert (plain.response.headers["content-type"], plain.body) == ("text/plain", GOOD)
    huge = get(Fault.huge(event=1, size=200_000))
    assert len(huge.body) == len(GOOD) + 200_000 + len(EVENTS[1]) - len(b"Hello, ")
    assert len(get(Fault.huge(size=200_000), stream=False).body) == len(WHOLE) + 200_000


def test_statuses() -> None:
    refused = get(Fault.status(429, message="slow down", retry_after=3))
    assert refused.response.status == 429
    assert refused.response.headers["retry-after"] == "3"
    assert json.loads(refused.body)["error"]["message"] == "slow down"
    assert get(Fault.status(502, body=b"busy")).body == b"busy"


@pytest.mark.parametrize("stream", [True, False])
def test_gzip(stream: bool) -> None:
    import gzip

    packed = get(Fault.gzip(), stream=stream)
    assert packed.response.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == (GOOD if stream else WHOLE)
    with pytest.raises(Exception, match=r"decompress|CRC|invalid"):
        gzip.decompress(get(Fault.gzip(damaged=True), stream=stream).body)


@pytest.mark.parametrize("pings", [False, True])
def test_endless(pings: bool) -> None:
    with FaultServer("Hi", Fault.endless(pings=pings)) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request("POST", CHAT, '{"stream": true}')
        response = connection.getresponse()
        assert len(response.read(5_000_000)) == 5_000_000
        connection.close()
        server.wait_closed(0)


def test_faults_come_in_turn_and_tell_their_names() -> None:
    faults = (Fault.status(503), Fault.cut(event=1), None)
    with FaultServer("Hi", *faults) as server:
        seen = [Got(server) for _ in range(4)]
    assert [got.response.status for got in seen] == [503, 200, 200, 200]
    assert seen[1].body != seen[2].body == seen[3].body
    assert str(Fault.cut(event=2, how="reset")) == "cut(event=2, how='reset')"
    assert str(Fault.status(429, retry_after=3)) == "status(429, retry_after=3)"
    assert Fault.gzip() == Fault.gzip() != Fault.gzip(damaged=True)
