"""Every public attribute in every state, and every error on its way to another process."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import inspect
import pickle
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from mirascope.core import MirascopeError
from mirascope.core.testing import replay, replay_async

from ..protocols import PROTOCOLS, Protocol, body
from .conftest import Tried
from .damage import events_of, written
from .looks import look


def add(a: int, b: list[int]) -> str:
    """Add."""
    return str(a + sum(b))


Leave = Callable[[Any, int], Any]
"""What becomes of a stream at its chunk of this number; true where the loop is left."""


def read_on(_: Any, __: int) -> bool:
    return False


def leave(_: Any, number: int) -> bool:
    return number == 2


def cancel(stream: Any, number: int) -> bool:
    if number == 2:
        stream.cancel()
    return False


def close(stream: Any, number: int) -> Any:
    return (stream.aclose if hasattr(stream, "aclose") else stream.close)() if number == 2 else None


def whole(protocol: Protocol) -> list[bytes]:
    return written(events_of(protocol), protocol.done)


def in_error(protocol: Protocol) -> list[bytes]:
    error = {"error": {"message": "Overloaded", "type": "overloaded_error", "code": 503}}
    return [*whole(protocol)[:4], b"event: error\n" + body({"type": "error", **error})]


def calling(protocol: Protocol, name: str, arguments: str) -> list[bytes]:
    events = [*protocol.begin, *protocol.call(0, "call_1", name, [arguments]), *protocol.end]
    return written(events, protocol.done)


SENT: dict[str, tuple[Callable[[Protocol], list[bytes]], Leave]] = {
    "whole": (whole, read_on),
    "left": (whole, leave),
    "cancelled": (whole, cancel),
    "closed": (whole, close),
    "empty": (lambda protocol: [], read_on),
    "cut behind its begin": (lambda protocol: whole(protocol)[:1], read_on),
    "cut in its reasoning": (lambda protocol: whole(protocol)[: len(protocol.begin) + 1], read_on),
    "cut in its text": (lambda protocol: whole(protocol)[: len(protocol.begin) + 3], read_on),
    "cut in its call": (lambda protocol: whole(protocol)[: len(protocol.begin) + 5], read_on),
    "cut in an event": (lambda protocol: [b"".join(whole(protocol))[:-40]], read_on),
    "without its end": (lambda protocol: written(events_of(protocol)[:-1], b""), read_on),
    "without its text": (
        lambda protocol: written([*protocol.begin, *protocol.end], protocol.done),
        read_on,
    ),
    "an error event": (in_error, read_on),
    "an error alone": (lambda protocol: in_error(protocol)[-1:], read_on),
    "not JSON": (lambda protocol: [*whole(protocol)[:4], b"data: {'a'\n\n"], read_on),
    "a page": (lambda protocol: [b"<html><body>Bad gateway</body></html>"], read_on),
    "a list": (lambda protocol: [*whole(protocol)[:4], b"data: [1]\n\n"], read_on),
    "an unknown function": (lambda protocol: calling(protocol, "sub", '{"a": 1}'), read_on),
    "other arguments": (lambda protocol: calling(protocol, "add", '{"c": "x"}'), read_on),
    "arguments that are a list": (lambda protocol: calling(protocol, "add", "[1]"), read_on),
    "more behind its end": (
        lambda protocol: [*whole(protocol), b"data: {}\n\n", b"data: x\n\n", b"\0\xff"],
        read_on,
    ),
}


class Seen:
    """Looks at a stream and at all that belongs to it, and counts the looks."""

    def __init__(self) -> None:
        self.looks = 0

    def stream(self, stream: Any) -> None:
        self.looks += look(stream)
        for tool in stream.tools:
            self.looks += look(tool)
        if stream.error is not None:
            self.error(stream.error)
        for refused in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(MirascopeError):
                refused(stream)
        picture = pickle.loads(pickle.dumps(stream.picture()))
        assert (picture.content, picture.state) == (stream.content, stream.state)
        with contextlib.suppress(MirascopeError):
            response = stream.construct_call_response()
            self.looks += look(response)
            response.tool_message_params([(tool, "6") for tool in response.tools or ()])

    def error(self, error: MirascopeError) -> None:
        self.looks += look(error)
        for travel in (copy.deepcopy, lambda sent: pickle.loads(pickle.dumps(sent))):
            again = travel(error)
            assert (type(again), str(again)) == (type(error), str(error))
            before, after = getattr(error, "stream", None), getattr(again, "stream", None)
            assert (before is None) is (after is None)
            if before is not None:
                assert after.content == before.content


async def items_of(stream: Any) -> AsyncIterator[Any]:
    if hasattr(stream, "aclose"):
        async for item in stream:
            yield item
    else:
        for item in stream:
            yield item


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_attribute_in_every_state(name: str, is_async: bool, tried: Tried) -> None:
    protocol, seen = PROTOCOLS[name], Seen()

    async def run(sent: bytes, leave: Leave) -> None:
        make = replay_async if is_async else replay
        stream = make(protocol.provider, sent, api=protocol.api, tools=[add])
        seen.stream(stream)
        try:
            number = 0
            async with contextlib.aclosing(items_of(stream)) as items:
                async for chunk, tool in items:
                    seen.looks += look(chunk) + (0 if tool is None else look(tool))
                    seen.stream(stream)
                    left = leave(stream, number)
                    if inspect.isawaitable(left):
                        await left
                    elif left:
                        break
                    number += 1
        except MirascopeError as error:
            seen.error(error)
        seen.stream(stream)
        assert is_async or stream.state.ended

    for state, (pieces, leave) in SENT.items():
        try:
            asyncio.run(run(b"".join(pieces(protocol)), leave))
        except Exception as error:
            error.add_note(state)
            raise
    tried(seen.looks)
