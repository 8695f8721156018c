"""A streamed body as the JSON objects that the SDK's loop takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, cast

from mirascope.core import JSONObject, StreamDecodeError, is_keep_alive
from mirascope.core.wire import Event, WireError

from ._framer import GenerateFramer


class Segments:
    """Reads JSON objects out of a body, for the SDK's own loop. Pure.

    Raises:
        StreamDecodeError: one event is larger than any may be.
        ValueError: an event is not a JSON object. The SDK treats it as a dropped connection, and
            continues the answer where it can.
    """

    __slots__ = ("_framer",)

    def __init__(self) -> None:
        self._framer = GenerateFramer()

    def feed(self, piece: bytes) -> Iterator[JSONObject]:
        """Take the next bytes and return the objects that they complete."""
        try:
            events = self._framer.feed(piece)
        except WireError as error:
            # A bound, and no reason to send the request again.
            raise StreamDecodeError(str(error)) from error
        return _objects(events)

    def end(self) -> Iterator[JSONObject]:
        """Return what the end of the body leaves."""
        return _objects(self._framer.end())


def objects_in(body: bytes) -> list[JSONObject]:
    """Return the objects of whole events."""
    segments = Segments()
    return [*segments.feed(body), *segments.end()]


def _objects(events: Iterable[Event]) -> Iterator[JSONObject]:
    for name, data in events:
        text = data.decode("utf-8", "replace")
        if is_keep_alive(name) or is_keep_alive(text):
            continue
        value: Any = json.loads(text)
        if isinstance(value, list) and len(cast("list[Any]", value)) == 1:
            [value] = cast("list[Any]", value)
        if not isinstance(value, dict):
            raise ValueError(f"an event is not a JSON object: {text[:80]!r}")
        yield cast("JSONObject", value)
