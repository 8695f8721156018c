"""Recordings of streams: their format, and reading them.

A recording is a text file of JSON lines in UTF-8. The first line names the provider; each read
of the response is a line of its own; the last line tells how the stream ended. Lines are only
ever added, so a recording is good up to the line that was written last. `docs/recording.md` has
every field.
"""

from __future__ import annotations

import base64
import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self, TypeAlias, cast

from .._errors import APIError, StreamInterruptedError, StreamTruncatedError, UsageError
from .._state import StreamState
from .._types import JSONObject

FORMAT: Final = 1
"""The version of the format that is written, and the newest one that is read."""
HEADER: Final = "mirascope_recording"
"""The first field of a recording, which tells it from a bare response body; its version."""
ERROR_FACTS: Final = (
    "status", "code", "request_id", "retryable", "retry_after", "deadline", "type",
)  # fmt: skip
"""What is kept of an error besides its class and its message, where the error has it."""

_HEADER: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"mirascope_recording"\s*:')
_HEADERS: Final = re.compile(rb'^\{"mirascope_recording":', re.MULTILINE)
_CLEAN_ENDS: Final = frozenset({StreamState.COMPLETED, StreamState.TRUNCATED})

RecordedPiece: TypeAlias = bytes | JSONObject


@dataclass(frozen=True, slots=True)
class RecordedRead:
    """One read of a response.

    Attributes:
        t: when it came, in seconds after the request was sent.
        piece: bytes of the body, or the JSON object of an event that an SDK's own loop yielded.
    """

    t: float
    piece: RecordedPiece


@dataclass(frozen=True, slots=True)
class RecordedEnd:
    """How a recorded stream ended.

    Attributes:
        t: when, in seconds after the request was sent.
        state: the stream's state (`StreamState`).
        error: the error's `class`, `message` and facts, or None.
    """

    t: float
    state: str
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One recorded stream, or a bare response body.

    Attributes:
        name: the file that it was read from, for messages.
        provider: whose response it is; None for a bare body.
        api: the provider's wire API; None for a bare body.
        model: the model that was asked for.
        date: when the request was sent.
        versions: the distributions that recorded it, as `name version`: `core`, `plugin`, `sdk`.
        request: the keyword arguments of the SDK's function, without credentials.
        messages: the messages of the request, in the provider's form.
        facts: what only the request knew of how it was served, such as a region or another host.
        metadata: what the function's dynamic configuration said of the call, such as its tags.
        streamed: whether the answer was streamed; the body of one that was not is one JSON object.
        request_id: the provider's id of the request.
        reads: the response, read by read.
        end: how the stream ended; None where the recording was cut before it.
        cut: why the recording ends before its last line, or None.
    """

    name: str = ""
    provider: str | None = None
    api: str | None = None
    model: str = ""
    date: datetime | None = None
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    request: Mapping[str, Any] = field(default_factory=dict[str, Any])
    messages: list[Any] = field(default_factory=list[Any])
    facts: Mapping[str, str] = field(default_factory=dict[str, str])
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    streamed: bool = True
    request_id: str | None = None
    reads: tuple[RecordedRead, ...] = ()
    end: RecordedEnd | None = None
    cut: str | None = None

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read a recording, or a bare body, from a file.

        Raises:
            OSError: the file can't be read.
            UsageError: as `parse`.
        """
        return cls.parse(Path(path).read_bytes(), name=os.fspath(path))

    @classmethod
    def parse(cls, data: bytes, *, name: str = "") -> Self:
        """Return the recording that a file's bytes hold.

        Whatever does not begin as a recording is a bare response body, all of it. A recording may
        be cut anywhere behind its first line: what can be read of it counts, and `cut` has the
        reason why it ends there.

        Args:
            data: the bytes.
            name: what messages call them.

        Raises:
            UsageError: the recording has no readable first line, another version of the format, or
                another recording behind it.
        """
        if _HEADER.match(data) is None:
            return cls.of_body(data, name=name)
        first, *lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        return cls._parse_header(first, name)._with_lines(lines)

    @classmethod
    def parse_all(cls, data: bytes, *, name: str = "") -> list[Self]:
        """Return the recordings of a file that holds any number of them, one behind the other.

        Args:
            data: the bytes.
            name: what messages call them.

        Raises:
            UsageError: it is not made of recordings, or one of them can't be read; see `parse`.
        """
        starts = [match.start() for match in _HEADERS.finditer(data)]
        if not starts or data[: starts[0]].strip():
            raise UsageError(f"{name!r} is not a recording: it does not begin with {HEADER!r}")
        ends = [*starts[1:], len(data)]
        return [cls.parse(data[a:b], name=name) for a, b in zip(starts, ends, strict=True)]

    @classmethod
    def of_body(cls, body: bytes, *, name: str = "") -> Self:
        """Return the recording that a bare response body is: it came at once, and whole."""
        reads = (RecordedRead(0.0, body),) if body else ()
        return cls(name=name, reads=reads, end=RecordedEnd(0.0, StreamState.COMPLETED))

    @property
    def body(self) -> bytes:
        """The response's body; without the objects of an SDK's own loop, which have no bytes."""
        return b"".join(read.piece for read in self.reads if isinstance(read.piece, bytes))

    def rechunked(self, chunk_bytes: int) -> Self:
        """Return the same recording with no read larger than `chunk_bytes`.

        Raises:
            UsageError: `chunk_bytes` is not positive.
        """
        if chunk_bytes < 1:
            raise UsageError(f"chunk_bytes must be at least 1, not {chunk_bytes}")
        reads: list[RecordedRead] = []
        for read in self.reads:
            piece = read.piece
            if isinstance(piece, bytes):
                starts = range(0, len(piece), chunk_bytes)
                reads += (RecordedRead(read.t, piece[at : at + chunk_bytes]) for at in starts)
            else:
                reads.append(read)
        return replace(self, reads=tuple(reads))

    def ending_error(self) -> APIError | None:
        """Return what the stream met behind the last read; None where the response ended there."""
        if self.end is None:
            return StreamTruncatedError(f"the recording ends here: {self.cut}")
        if self.end.error is not None and self.end.state not in _CLEAN_ENDS:
            return _restored(self.end.error)
        if self.end.state in _CLEAN_ENDS:
            return None
        return StreamTruncatedError(
            f"the recording ends here: its stream was {self.end.state} by its reader"
        )

    @classmethod
    def _parse_header(cls, line: bytes, name: str) -> Self:
        what = f"recording {name!r}" if name else "the recording"
        try:
            header = _json_object(line)
        except ValueError:
            raise UsageError(
                f"{what} was cut in its first line, which names the provider: nothing of it can be "
                "replayed; record the call again"
            ) from None
        version = header[HEADER]
        if version != FORMAT:
            raise UsageError(
                f"{what} has format {version!r} and this version of mirascope-core reads format "
                f"{FORMAT}: upgrade mirascope-core"
            )
        try:
            request = _typed(header.get("request", {}), dict)
            messages = header.get("messages", [])
            return cls(
                name=name,
                provider=_typed(header["provider"], str),
                api=_typed(header["api"], str),
                model=_typed(header["model"], str),
                date=datetime.fromisoformat(_typed(header["date"], str)),
                versions=_typed(header.get("versions", {}), dict),
                facts={k: str(v) for k, v in _typed(header.get("facts", {}), dict).items()},
                metadata=_typed(header.get("metadata", {}), dict),
                streamed=header.get("streamed") is not False,
                request=request,
                # The name of the argument that holds them saves writing them twice.
                messages=_typed(request[messages] if isinstance(messages, str) else messages, list),
            )
        except (KeyError, ValueError) as error:
            raise UsageError(f"the first line of {what} is damaged: {error}") from None

    def _with_lines(self, lines: list[bytes]) -> Self:
        reads: list[RecordedRead] = []
        request_id: str | None = None
        end: RecordedEnd | None = None
        cut = "it has no last line, as when the process that wrote it was killed"
        for number, line in enumerate(lines, 2):
            if not line.strip():
                continue
            try:
                entry = _json_object(line)
                if HEADER in entry:
                    what = f"{self.name!r} " if self.name else "the file "
                    raise UsageError(
                        f"{what}holds another recording from line {number} on: put each into a "
                        "file of its own"
                    )
                if "response" in entry:
                    request_id = _typed(entry["response"], dict).get("request_id")
                elif "end" in entry:
                    end = _end(entry)
                elif (piece := _piece(entry)) is not None:
                    reads.append(RecordedRead(_seconds(entry), piece))
            except UsageError:
                raise
            except (KeyError, ValueError):
                # What follows a gap does not continue what came before it.
                cut = f"its line {number} was cut"
                break
        return replace(
            self,
            reads=tuple(reads),
            request_id=request_id,
            end=end,
            cut=None if end is not None else cut,
        )


def _json_object(line: bytes) -> JSONObject:
    try:
        return cast("JSONObject", _typed(json.loads(line), dict))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _typed(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{value!r:.60} is not of type {kind.__name__}")
    return value


def _seconds(entry: JSONObject) -> float:
    seconds = entry["t"]
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise ValueError(f"{seconds!r:.60} is not a time in seconds")
    try:
        found = float(seconds)
    except OverflowError:
        found = math.inf
    if not 0 <= found < math.inf:
        raise ValueError(f"{seconds!r:.60} is not a time in seconds")
    return found


def _piece(entry: JSONObject) -> RecordedPiece | None:
    """Return the piece that a line holds; None for a kind of line that is not known yet."""
    if "text" in entry:
        return cast("str", _typed(entry["text"], str)).encode()
    if "base64" in entry:
        return base64.b64decode(_typed(entry["base64"], str), validate=True)
    if "object" in entry:
        return cast("JSONObject", _typed(entry["object"], dict))
    return None


def _end(entry: JSONObject) -> RecordedEnd:
    end = cast("JSONObject", _typed(entry["end"], dict))
    error = end.get("error")
    return RecordedEnd(
        _seconds(entry),
        _typed(end["state"], str),
        None if error is None else cast("JSONObject", _typed(error, dict)),
    )


def _restored(facts: Mapping[str, Any]) -> APIError:
    """Return the error that a recorded stream ended with."""
    message = str(facts.get("message", ""))
    error_class = _error_classes(APIError).get(str(facts.get("class")))
    if error_class is not None:
        known = {name: facts[name] for name in ERROR_FACTS if name in facts}
        try:
            return error_class(message, **known)
        except TypeError:
            # Facts that this version's class does not take.
            pass
    return StreamInterruptedError(message)


def _error_classes(root: type[APIError]) -> dict[str, type[APIError]]:
    below = [_error_classes(error_class) for error_class in root.__subclasses__()]
    return {name: found for classes in below for name, found in classes.items()} | {
        root.__name__: root
    }
