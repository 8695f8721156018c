"""Every fault, at three places of an answer, with every provider: the ending is the contract's."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from mirascope.core import (
    APIError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
    ProviderConnectionError,
    ProviderServerError,
    ProviderTimeoutError,
    RateLimitError,
    StreamDecodeError,
    StreamError,
    StreamInterruptedError,
    StreamLimitError,
    StreamProviderError,
    StreamTimeoutError,
    StreamTruncatedError,
)
from mirascope.core.testing import Fault, FaultServer

from . import page
from .conftest import LONG, Tried
from .protocols import KEY, Protocol

PIECES = ["Once ", "upon ", "a ", "time, ", "in Zürich", "."]
TEXT = "".join(PIECES)
WAIT = 0.5
"""Seconds of silence after which a stream is given up."""

pytestmark = pytest.mark.filterwarnings("ignore::mirascope.core.UnknownPriceWarning")


@dataclass(frozen=True)
class Events:
    """Where the events of a protocol's answer are.

    Attributes:
        before: how many come before the text.
        after: how many, from the one that completes the answer on, are at its end.
    """

    before: int
    after: int

    def place(self, where: str) -> int:
        """How many events are sent before a fault."""
        if where == "beginning":
            return 0
        return self.before + 3 if where == "middle" else -self.after

    def text(self, event: int) -> str:
        """The text in the first events."""
        return TEXT if event < 0 else "".join(PIECES[: max(0, event - self.before)])


EVENTS = {
    "chat": Events(1, 3),
    "responses": Events(1, 1),
    "messages": Events(2, 1),
    "generate": Events(0, 1),
}
PLACES = ("beginning", "middle", "end")


@dataclass(frozen=True)
class Row:
    """A fault, and how a call must end that meets it.

    Attributes:
        name: what the page calls it.
        fault: makes it, for a number of events and of bytes.
        ends: the error of a stream, or None where it is whole.
        whole: the error of a call that is not streamed, or None.
        places: whether it has a place in the answer.
        options: more arguments of the call.
        or_whole: whether the answer may be whole instead, as where the noise has hit nothing.
    """

    name: str
    fault: Callable[[int], Fault]
    ends: type[APIError] | None
    whole: type[APIError] | None
    places: bool = True
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    or_whole: bool = False


def status(code: int, error: type[APIError]) -> Row:
    return Row(
        f"HTTP status {code}",
        lambda _: Fault.status(code, retry_after=7),
        error,
        error,
        places=False,
    )


BYTES = {0: 1, 3: 200, 4: 200, 5: 200, -1: -3, -3: -3}
"""A byte inside of an event, near to each of the places."""

ROWS = [
    Row("no fault", lambda _: Fault.cut(byte=2**40), None, None, places=False),
    Row(
        "cut between events, ends as if whole",
        lambda n: Fault.cut(event=n),
        StreamTruncatedError,
        StreamDecodeError,
    ),
    Row(
        "cut inside of an event, ends as if whole",
        lambda n: Fault.cut(byte=abs(BYTES[n])),
        StreamTruncatedError,
        StreamDecodeError,
    ),
    Row(
        "cut, connection closed",
        lambda n: Fault.cut(event=n, how="close"),
        StreamInterruptedError,
        ProviderConnectionError,
    ),
    Row(
        "cut, connection reset",
        lambda n: Fault.cut(event=n, how="reset"),
        StreamInterruptedError,
        ProviderConnectionError,
    ),
    Row(
        "reset before the headers",
        lambda _: Fault.dropped(),
        ProviderConnectionError,
        ProviderConnectionError,
        places=False,
    ),
    Row(
        "no answer",
        lambda _: Fault.silent(),
        StreamTimeoutError,
        ProviderTimeoutError,
        places=False,
    ),
    Row(
        "silence",
        lambda n: Fault.stall(event=n),
        StreamTimeoutError,
        ProviderTimeoutError,
    ),
    Row(
        "silence with keep-alives",
        lambda n: Fault.stall(event=n, pings=0.02),
        StreamTimeoutError,
        ProviderTimeoutError,
    ),
    Row("a pause", lambda n: Fault.stall(event=n, seconds=0.1), None, None),
    Row(
        "a few bytes at a time",
        lambda _: Fault.drip(seconds=0.001, size=7),
        None,
        None,
        places=False,
    ),
    Row("an event that is not JSON", lambda n: Fault.malformed(event=n), *[StreamDecodeError] * 2),
    Row(
        "bytes that are not text",
        lambda n: Fault.garbage(event=n),
        *[StreamDecodeError] * 2,
        or_whole=True,
    ),
    Row(
        "a failure inside of the answer",
        lambda n: Fault.error(event=n),
        StreamProviderError,
        ProviderServerError,
    ),
    status(400, BadRequestError),
    status(401, AuthenticationError),
    status(403, PermissionDeniedError),
    status(404, NotFoundError),
    status(429, RateLimitError),
    status(500, ProviderServerError),
    status(503, ProviderServerError),
    status(529, ProviderServerError),
    Row(
        "status 200 and an HTML page",
        lambda _: Fault.content_type(),
        *[StreamDecodeError] * 2,
        places=False,
    ),
    Row(
        "the answer, called a text",
        lambda _: Fault.content_type("text/plain", None),
        None,
        None,
        places=False,
    ),
    Row(
        "text without end",
        lambda n: Fault.endless(event=n),
        *[StreamLimitError] * 2,
        options={"max_bytes": 300_000},
    ),
    Row(
        "keep-alives without end",
        lambda n: Fault.endless(event=n, pings=True),
        StreamTimeoutError,
        StreamLimitError,
    ),
    Row(
        "an event of 65 MiB",
        lambda n: Fault.huge(event=n, size=65 * 2**20),
        StreamDecodeError,
        StreamLimitError,
    ),
    Row("compressed", lambda _: Fault.gzip(), None, None, places=False),
    Row(
        "compressed and damaged",
        lambda _: Fault.gzip(damaged=True),
        *[StreamDecodeError] * 2,
        places=False,
    ),
]
RETRYABLE = {
    StreamTruncatedError,
    StreamInterruptedError,
    StreamTimeoutError,
    ProviderTimeoutError,
    ProviderConnectionError,
    ProviderServerError,
    RateLimitError,
}
"""Errors after which the same request may succeed."""
STATES = {
    StreamTruncatedError: "truncated",
    StreamTimeoutError: "timed_out",
}


class Outcome:
    """How one call ended."""

    def __init__(self) -> None:
        self.answer: Any = None
        self.error: APIError | None = None


def call(protocol: Protocol, url: str, *, is_async: bool, stream: bool, **options: Any) -> Outcome:
    """Call, and read to the end, whatever the end is."""
    outcome = Outcome()

    async def read() -> None:
        client = protocol.client(url, asynchronous=True)
        try:
            answer = await protocol.call(asynchronous=True, stream=stream, client=client, **options)
            outcome.answer = answer
            if stream:
                async for _ in answer:
                    pass
        except APIError as error:
            outcome.error = error
        finally:
            owner = getattr(client, "aio", client)
            await (owner.aclose() if hasattr(owner, "aclose") else owner.close())

    if is_async:
        asyncio.run(read())
        return outcome
    client = protocol.client(url)
    try:
        outcome.answer = protocol.call(stream=stream, client=client, **options)
        if stream:
            for _ in outcome.answer:
                pass
    except APIError as error:
        outcome.error = error
    finally:
        client.close()
    return outcome


@pytest.fixture(scope="module")
def endings() -> Iterator[dict[tuple[str, str], dict[str, set[str]]]]:
    """What became of each fault at each place: for each ending, the providers."""
    found: dict[tuple[str, str], dict[str, set[str]]] = {}
    yield found
    if LONG:
        page.write_matrix([row.name for row in ROWS], (*PLACES, "whole"), found)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_matrix(
    row: Row,
    protocol: Protocol,
    is_async: bool,
    tried: Tried,
    endings: dict[tuple[str, str], dict[str, set[str]]],
) -> None:
    if "MiB" in row.name and not LONG:
        pytest.skip("the long form has it")
    for place in PLACES if row.places else PLACES[:1]:
        event = EVENTS[protocol.api].place(place)
        outcome, opened = one(row, protocol, is_async=is_async, stream=True, event=event)
        note(endings, row, place if row.places else "anywhere", protocol, outcome)
        judge(row, protocol, outcome, row.ends, event)
        assert opened == 0
        tried(1)
    if row.fault(3).name != row.fault(0).name or not row.places:
        outcome, opened = one(row, protocol, is_async=is_async, stream=False, event=3)
        note(endings, row, "whole", protocol, outcome)
        judge_whole(row, protocol, outcome)
        assert opened == 0
        tried(1)


def one(
    row: Row, protocol: Protocol, *, is_async: bool, stream: bool, event: int
) -> tuple[Outcome, int]:
    """Call one server, and count the connections that are open a little later."""
    # Short only where time has to run out: the machine may be busy.
    ends = row.ends if stream else row.whole
    seconds = WAIT if ends in (StreamTimeoutError, ProviderTimeoutError) else 60
    timeout: Any = {"first_chunk": 10, "idle": seconds} if stream else seconds
    if event == 0 or not row.places:
        timeout = {"first_chunk": seconds} if stream else seconds
    options = {"timeout": timeout, **row.options}
    with FaultServer(PIECES, row.fault(event), path="/v1") as server:
        outcome = call(protocol, server.url, is_async=is_async, stream=stream, **options)
        with contextlib.suppress(AssertionError):
            server.wait_open(0, seconds=2)
        return outcome, len(server.open_connections)


def note(
    endings: dict[tuple[str, str], dict[str, set[str]]],
    row: Row,
    place: str,
    protocol: Protocol,
    outcome: Outcome,
) -> None:
    ending = "whole" if outcome.error is None else type(outcome.error).__name__
    endings.setdefault((row.name, place), {}).setdefault(ending, set()).add(str(protocol))


def judge(
    row: Row, protocol: Protocol, outcome: Outcome, ends: type[APIError] | None, event: int
) -> None:
    """The stream's ending is the one that the contract has, and what arrived is all there."""
    stream, error = outcome.answer, outcome.error
    assert TEXT.startswith(stream.content) or isinstance(error, StreamLimitError)
    assert stream.construct_call_response().content == stream.content
    assert stream.message_param
    assert stream.cost is None or stream.cost >= 0
    assert stream.error is error
    if ends is None or (row.or_whole and error is None):
        assert error is None
        assert (stream.state, stream.content) == ("completed", TEXT)
        assert stream.common_usage.output_tokens == 34
        assert stream.finish_reason == "stop"
        return
    looked(protocol, error, ends)
    assert stream.state == STATES.get(type(error), "failed")
    if row.places and "event=" in row.fault(event).name and ends is not StreamLimitError:
        assert stream.content == EVENTS[protocol.api].text(event)
    if isinstance(error, StreamError):
        assert error.stream is stream


def judge_whole(row: Row, protocol: Protocol, outcome: Outcome) -> None:
    """The same of a call that is not streamed: it has no half answers."""
    if row.whole is None or (row.or_whole and outcome.error is None):
        assert outcome.error is None
        assert (outcome.answer.content, outcome.answer.finish_reason) == (TEXT, "stop")
        return
    assert outcome.answer is None
    looked(protocol, outcome.error, row.whole)


def looked(protocol: Protocol, error: APIError | None, expected: type[APIError]) -> None:
    """An error is of the right class, names who it is about, and shows no key."""
    assert type(error) is expected, error
    assert (error.provider, error.model) == (protocol.provider, "model-1")
    # A failure inside of an answer is worth another try where the server says so.
    if expected is not StreamProviderError:
        assert error.retryable is (expected in RETRYABLE)
    if isinstance(error, RateLimitError):
        assert error.retry_after == 7
    assert KEY not in "".join(traceback.format_exception(error))
