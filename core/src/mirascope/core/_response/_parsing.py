"""The data of one event: a JSON object, or what else a server may have meant."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, cast

from pydantic_core import from_json

from .._errors import StreamDecodeError, describe
from .._interruptions import interruption
from .._provider._deltas import ErrorDelta
from .._provider._failures import is_keep_alive
from .._secrets._hiding import redact
from .._types import JSONObject
from ..json import as_list

_SHOWN: Final = 120
"""How many characters an error shows of a response."""
_SEARCHED: Final = 4096
"""In how many bytes credentials are looked for before they are cut to `_SHOWN`."""
_PULSE: Final = 120
"""No keep-alive is longer, in bytes."""


class EventParser:
    """Parses events, and says of the others what they are.

    Args:
        parse: turns the data into an object; `from_json` where the protocol speaks JSON.
        hide: takes credentials out of what errors show of the response.

    Attributes:
        is_strict: False once an event was valid for the standard library alone: it may hold a
            character that was cut in two.
    """

    __slots__ = ("_hide", "_is_json", "_parse", "is_strict")

    def __init__(self, parse: Callable[[bytes], Any], hide: Callable[[str], str]) -> None:
        self._parse = parse
        self._is_json = parse is from_json
        self._hide = hide
        self.is_strict = True

    def read(
        self, name: str | None, data: bytes
    ) -> JSONObject | ErrorDelta | StreamDecodeError | None:
        """Return an event's object; or the failure that it tells; or why it can't be read.

        None is an event that says nothing: a keep-alive.

        Args:
            name: the event's name, where the wire gave one.
            data: its data.
        """
        if not data:
            return None
        # A comment that a gateway wrapped as data, or a word that says no more than one.
        if self._is_json and data[:1] != b"{" and is_keep_alive(_text(data[:_PULSE])):
            return None
        try:
            parsed = self._parsed(data)
        except Exception as error:
            if interruption(error) is not None:
                raise
            if is_keep_alive(name):
                return None
            if name == "error":
                return ErrorDelta(_text(data))
            if self._is_json:
                return self._failed(f"is not valid JSON ({error})", data, error)
            return self.unreadable(data, error)
        return self._object(name, data, parsed)

    def can_parse(self, data: bytes) -> bool:
        """Whether the data of an event is whole."""
        try:
            self._parsed(data)
        except Exception as error:
            if interruption(error) is not None:
                raise
            return False
        return True

    def unreadable(self, data: bytes, error: Exception) -> StreamDecodeError:
        """Return the error for an event that was parsed or decoded in vain."""
        return self._failed(f"can't be read ({describe(error)})", data, error)

    def shown(self, data: bytes) -> str:
        """Return the beginning of what can't be read, for an error."""
        # Without credentials before it is cut: of half a key nobody could tell what it is.
        text = self._hide(redact(_text(data[:_SEARCHED])))
        return repr(text[:_SHOWN]) + ("…" if len(text) > _SHOWN else "")

    def _parsed(self, data: bytes) -> object:
        if not self._is_json:
            return self._parse(data)
        try:
            return self._parse(data)
        except ValueError as first:
            # The standard library accepts what some servers send: lone surrogates, NaN.
            try:
                parsed = json.loads(data)
            except (ValueError, RecursionError):
                raise first from None
            self.is_strict = False
            return parsed

    def _object(
        self, name: str | None, data: bytes, parsed: object
    ) -> JSONObject | ErrorDelta | StreamDecodeError | None:
        """Return the object that an event is, or that stands in an array by itself."""
        if isinstance(parsed, dict):
            return cast("JSONObject", parsed)
        held = as_list(parsed)
        if len(held) == 1 and isinstance(held[0], dict):
            return cast("JSONObject", held[0])
        if name == "error" and isinstance(parsed, str) and parsed:
            return ErrorDelta(parsed)
        if is_keep_alive(parsed) or is_keep_alive(name):
            return None
        return self._failed("is not a JSON object", data)

    def _failed(self, what: str, data: bytes, cause: Exception | None = None) -> StreamDecodeError:
        error = StreamDecodeError(f"an event {what}: {self.shown(data)}")
        error.__cause__ = cause
        return error


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
