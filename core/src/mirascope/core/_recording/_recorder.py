"""Write a stream down while it is read."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import re
import stat
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any, BinaryIO, Final, TypeAlias, cast

from .._errors import APIError, MirascopeError, UsageError
from .._interruptions import interruption
from .._provider._provider import Provider, Request
from .._secrets._hiding import Secrets
from .._state import StreamState
from .._transport._opening import CURRENT
from .._transport._source import Piece
from .._types import JSONObject
from ._format import ERROR_FACTS, FORMAT, HEADER

RecordPath: TypeAlias = str | os.PathLike[str]
"""A file that does not exist yet, or a directory."""
RecordTypes: TypeAlias = RecordPath | Callable[[], RecordPath | None] | None
"""What `record=` takes: a file that does not exist yet, a directory, or a function that returns one
of them for each stream, or None for a stream that is not to be recorded."""

_logger = logging.getLogger("mirascope.recording")

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._]+")
# A pipe that nobody reads must fail and never hold the stream up.
_SPECIAL_FLAGS: Final = os.O_WRONLY | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFacts:
    """What a recording keeps of the provider, besides its name.

    Attributes:
        versions: distributions by their part: `core`, `plugin`, `sdk`, each as `name version`.
        key_variables: the environment variables that hold the provider's credentials.
    """

    versions: Mapping[str, str]
    key_variables: Sequence[str] = ()


def check_record(record: object, *, stream: bool) -> None:
    """Check what `record=` was given, when the function is decorated.

    Raises:
        UsageError: it is neither a path nor a function, or the call is not streamed.
    """
    if record is None:
        return
    if not isinstance(record, (str, os.PathLike)) and not callable(record):
        raise UsageError(
            f"record must be a path, or a function that returns one or None, not {record!r}"
        )
    if not stream:
        raise UsageError("record needs stream=True: only streams are recorded")


def recorder_for(record: RecordTypes, facts: Callable[[], ProviderFacts]) -> Recorder | None:
    """Return the recorder of one stream, or None where it is not to be recorded.

    Args:
        record: what `record=` was given.
        facts: what a recording keeps of the provider, asked when the recording begins.

    Raises:
        UsageError: the function that was to return a path returned something else.
    """
    path = record() if callable(record) else record
    if path is None:
        return None
    try:
        return Recorder(os.fsdecode(path), facts)
    except TypeError:
        raise UsageError(f"record must return a path or None, not {path!r}") from None


class Recorder:
    """Writes one stream into one file, a line at a time.

    Each line is handed to the operating system as soon as it is complete, in one write
    without a buffer: it survives the end of the process, however that comes. An error of the disk
    ends the recording and never the stream.

    Args:
        path: a file that does not exist yet, or a directory in which one is made.
        facts: what the recording keeps of the provider.
    """

    def __init__(self, path: str, facts: Callable[[], ProviderFacts]) -> None:
        self._path = path
        self._facts = facts
        self._made = False
        self._file: BinaryIO | None = None
        self._secrets = Secrets(())
        self._start = 0.0
        self._state: StreamState | None = None
        self._error: MirascopeError | None = None
        # Reentrant: a signal handler may end the stream whose line is being written.
        self._lock = threading.RLock()

    def begin(
        self,
        provider: Provider,
        model: str,
        request: Request,
        secrets: Secrets,
        *,
        facts: Mapping[str, str],
        metadata: Mapping[str, Any],
        streamed: bool = True,
    ) -> None:
        """Make the file and write what is known before the request is sent.

        Args:
            provider: the provider.
            model: the model that was asked for.
            request: what is sent, and the messages in it.
            secrets: the credentials of the call, which must not be written.
            facts: what only the request knows of how it is served and changes its price.
            metadata: the `metadata` of the function's dynamic configuration.
            streamed: whether the answer comes as a stream.

        Raises:
            UsageError: the file can't be made, or there is one.
        """
        known = self._facts()
        self._secrets = secrets
        now = datetime.now(UTC)
        self._open(now, provider.name, model)
        self._start = time.monotonic()
        self._write(
            {
                HEADER: FORMAT,
                "date": now.isoformat(timespec="milliseconds"),
                "provider": provider.name,
                "api": provider.api,
                "model": model,
                "versions": dict(known.versions),
                "request": self._secrets.clean(request.kwargs),
                "messages": _messages(request) or self._secrets.clean(request.messages),
                **({} if streamed else {"streamed": False}),
                **{
                    name: self._secrets.clean(dict(given))
                    for name, given in (("facts", facts), ("metadata", metadata))
                    if given
                },
            }
        )

    def discard(self) -> None:
        """Remove the file again: the request failed."""
        with self._lock:
            self._close_file()
            if self._made:
                with contextlib.suppress(OSError):
                    os.unlink(self._path)

    def opened(self, source: object, request_id: str | None) -> None:
        """The response has begun; its source may know what was sent."""
        self._secrets.add_sent(source)
        if (opening := CURRENT.get()) is not None and opening.sent_at is not None:
            self._start = opening.sent_at
        self._write({"t": self._now(), "response": {"request_id": request_id}})

    def read(self, piece: Piece) -> None:
        """A piece of the response came."""
        t = self._now()
        if isinstance(piece, bytes):
            with self._lock:
                data, hidden = self._secrets.feed(piece)
                self._write_bytes(t, data, hidden=hidden)
        else:
            self._write({"t": t, "object": piece[1]})

    def whole(self, data: JSONObject) -> None:
        """The answer has come, which was not streamed: write it, and the end."""
        self._write({"t": self._now(), "response": {"request_id": None}})
        self.read(json.dumps(data, ensure_ascii=False, default=str).encode("utf-8", "replace"))
        self.ended(StreamState.COMPLETED, None)
        self.close()

    def ended(self, state: StreamState, error: MirascopeError | None) -> None:
        """The stream has ended; what is left of its response may still be read."""
        self._state, self._error = state, error

    def close(self) -> None:
        """The response was let go: write how the stream ended. Idempotent."""
        t = self._now()
        with self._lock:
            self._write_bytes(t, self._secrets.take_held())
            # Without a state the stream left before it had begun to read.
            end: dict[str, Any] = {"state": str(self._state or StreamState.STOPPED)}
            if self._error is not None:
                end["error"] = _error_facts(self._error)
            self._write_line({"t": t, "end": end})
            self._close_file()

    def _open(self, now: datetime, provider: str, model: str) -> None:
        try:
            try:
                mode = os.stat(self._path).st_mode
            except FileNotFoundError:
                mode = None
            if mode is None:
                self._file = self._make(self._path)
            elif stat.S_ISDIR(mode):
                self._file = self._make_in(self._path, now, provider, model)
            elif stat.S_ISREG(mode):
                raise FileExistsError
            else:
                self._file = open(  # noqa: SIM115 - closed with the stream
                    self._path, "wb", buffering=0, opener=lambda p, _: os.open(p, _SPECIAL_FLAGS)
                )
        except FileExistsError:
            raise UsageError(
                f"record: {self._path!r} exists, and a recording never overwrites anything: name "
                "another file, or a directory, in which every stream gets a file of its own"
            ) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UsageError(f"record: {self._path!r} can't be written: {reason}") from error

    def _make(self, path: str) -> BinaryIO:
        # For its owner alone: a recording holds prompts and answers.
        file = open(  # noqa: SIM115 - closed with the stream
            path, "xb", buffering=0, opener=lambda p, flags: os.open(p, flags, 0o600)
        )
        self._path, self._made = path, True
        return file

    def _make_in(self, directory: str, now: datetime, provider: str, model: str) -> BinaryIO:
        label = _UNSAFE.sub("-", f"{provider}-{model}").strip("-.")[:80]
        stem = os.path.join(directory, f"{now:%Y%m%dT%H%M%S.%fZ}-{label}")
        for number in count(1):
            with contextlib.suppress(FileExistsError):
                return self._make(f"{stem}{'' if number == 1 else f'-{number}'}.jsonl")
        raise AssertionError  # count() never ends

    def _now(self) -> float:
        return round(time.monotonic() - self._start, 6)

    def _write(self, entry: Mapping[str, Any]) -> None:
        with self._lock:
            self._write_line(entry)

    def _write_bytes(self, t: float, data: bytes, *, hidden: bool = False) -> None:
        if not data:
            return
        note = {"redacted": True} if hidden else {}
        try:
            self._write_line({"t": t, "text": data.decode(), **note})
        except UnicodeDecodeError:
            self._write_line({"t": t, "base64": base64.b64encode(data).decode(), **note})

    def _write_line(self, entry: Mapping[str, Any]) -> None:
        if self._file is None:
            return
        try:
            line = memoryview(_line(entry, self._secrets))
            while line:
                written = cast("int | None", self._file.write(line))
                if written is None:
                    raise BlockingIOError("the pipe is full")
                line = line[written:]
        except Exception as error:
            if (outside := interruption(error)) is not None:
                # A signal handler raised it: not the disk's, and meant for the caller.
                raise outside from outside.__cause__
            # Once, because nothing is written from here on: behind a gap nothing can be read.
            _logger.warning(
                "the recording %r ends here, the stream goes on: %s",
                self._path,
                getattr(error, "strerror", None) or error,
            )
            self._close_file()

    def _close_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()


def _line(entry: Mapping[str, Any], secrets: Secrets) -> bytes:
    text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
    if "text" not in entry and "base64" not in entry:
        text = secrets.hide(text)
    try:
        return f"{text}\n".encode()
    except UnicodeEncodeError:
        # Halves of surrogate pairs, which some servers send: UTF-8 can't encode them, escapes can.
        return f"{json.dumps(json.loads(text), separators=(',', ':'))}\n".encode()


def recorded_request(request: Request, secrets: Secrets) -> JSONObject:
    """Return a request as a recording has it, to compare it with one."""
    line = _line({"request": secrets.clean(request.kwargs)}, secrets)
    found: JSONObject = json.loads(line)["request"]
    return found


def _messages(request: Request) -> str | None:
    """Return the name of the argument that holds the request's messages, where one does."""
    names = (name for name, value in request.kwargs.items() if value is request.messages)
    return next(names, None)


def _error_facts(error: MirascopeError) -> dict[str, Any]:
    message = error.message if isinstance(error, APIError) else str(error)
    facts = {name: getattr(error, name, None) for name in ERROR_FACTS}
    known = {name: fact for name, fact in facts.items() if fact is not None}
    return {"class": type(error).__name__, "message": message, **known}
