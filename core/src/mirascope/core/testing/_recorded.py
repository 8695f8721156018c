"""Recordings that stand in for every call of a test."""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
import threading
from dataclasses import fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeAlias, get_args

from .._call import provider_facts
from .._errors import MissingFileError, UsageError
from .._recording._format import Recording
from .._recording._recorder import Recorder, recorded_request
from .._replay import RecordedCall, ReplaySource
from .._request._prepared import PreparedCall
from .._request._stand_in import standing_in
from .._types import JSONObject

RecordWhen: TypeAlias = Literal["missing", "never", "always"]
"""When calls are really made, and recorded: where the file is missing, never, or always."""
MatchBy: TypeAlias = Literal["request", "order"]
"""Which recording is the answer to a call: that of the same request, or the next one."""

_OWN_FIELDS: Final = tuple(field.name for field in fields(PreparedCall))


class recorded:  # noqa: N801 - used like a function
    """Let recordings stand in for every call inside of a `with` block, in any thread or task.

    Where the file is there, nothing is sent and no key is needed: a call gets the answer that was
    recorded for the same request, by its provider's real decoder, whether it is streamed or not.
    Where it is missing, the calls are made, and their answers written, without credentials, when
    the block has ended well. `record=` of the calls rests meanwhile.

    A call that got no answer is not recorded: `FaultServer` has such days.

    Args:
        path: the file, `.jsonl`; one holds all calls of the block.
        when: `"missing"`; or `"never"`, where a missing file is an error, as for a continuous
            integration; or `"always"`, which writes it anew.
        match: `"request"`, by which a call whose request has changed is an error; or `"order"`,
            for requests that differ each time, as by a date.

    Attributes:
        path: the file.
        is_replay: whether nothing is sent, because the recordings are there.
        recordings: what the file holds; of a block that records, once it has ended.

    Raises:
        UsageError: `when` or `match` is another word, the file can't be read, or, from a call, it
            holds no answer to it.
        MissingFileError: the file is missing, and nothing may be recorded.

    Example:
        ```python
        with recorded("answer.jsonl"):
            assert my_program("fantasy") == "The Name of the Wind"
        ```
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        when: RecordWhen = "missing",
        match: MatchBy = "request",
    ) -> None:
        for name, word, words in (("when", when, RecordWhen), ("match", match, MatchBy)):
            if word not in get_args(words):
                raise UsageError(f"{name} must be one of {get_args(words)}, not {word!r}")
        self.path = Path(path)
        self.is_replay = when != "always" and self.path.exists()
        self.recordings: list[Recording] = []
        self._when, self._by_request = when, match == "request"
        self._blocks = contextlib.ExitStack()
        self._directory = Path()
        self._calls = itertools.count(1)
        self._lock = threading.Lock()
        self._answers: list[_Answer] = []
        self._error: UsageError | None = None

    def __enter__(self) -> Self:
        if self.is_replay:
            self.recordings = Recording.parse_all(self.path.read_bytes(), name=str(self.path))
            self._answers = [_Answer(recording) for recording in self.recordings]
            self._blocks.enter_context(standing_in(self._replayed))
            return self
        if self._when == "never":
            raise MissingFileError(
                f"there is no recording {str(self.path)!r}, and when='never' makes none: run the "
                "test once without it, with a key, and keep the file"
            )
        made = self._blocks.enter_context(tempfile.TemporaryDirectory(prefix="mirascope-"))
        self._directory = Path(made)
        self._blocks.enter_context(standing_in(self._recorded))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._blocks:
            if kind is None and not self.is_replay:
                self._write()
        if kind is None and self._error is not None:
            # The program has hidden it, as one that answers every error with an excuse.
            raise self._error

    def _recorded(self, call: PreparedCall, streamed: bool) -> PreparedCall:
        path = self._directory / f"{next(self._calls):06}.jsonl"
        name = call.provider.name
        return replace(call, recorder=Recorder(str(path), lambda: provider_facts(name)))

    def _write(self) -> None:
        data = b"".join(path.read_bytes() for path in sorted(self._directory.iterdir()))
        if not data:
            return
        self.recordings = Recording.parse_all(data, name=str(self.path))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # At once: a test that is stopped meanwhile leaves the whole file or none.
        descriptor, made = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}-")
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
            os.replace(made, self.path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(made)
            raise

    def _replayed(self, call: PreparedCall, streamed: bool) -> PreparedCall:
        request = recorded_request(call.request, call.secrets())
        with self._lock:
            answer = self._answer(call, request, streamed)
            source = answer.source = ReplaySource(answer.recording)
        recording = answer.recording
        given = {name: getattr(call, name) for name in _OWN_FIELDS}
        given["recorder"] = None
        given["sent_at"] = None if recording.date is None else recording.date.timestamp()
        return RecordedCall(**given, response=source, recorded_facts=recording.facts)

    def _answer(self, call: PreparedCall, request: JSONObject, streamed: bool) -> _Answer:
        kind = (call.provider.name, call.provider.api, streamed)
        number = next(self._calls)
        good = [
            answer
            for answer in self._answers
            if answer.kind == kind and (not self._by_request or answer.recording.request == request)
        ]
        # A stream that was never read has used nothing up.
        found = next((a for a in good if a.source is None), None) or next(
            (a for a in good if a.source is not None and not a.source.begun), None
        )
        if found is not None:
            return found
        which = f"call {number} ({call.provider.name}/{call.model})"
        self._error = UsageError(
            f"the recording {str(self.path)!r} has no answer for {which}: "
            f"{self._why(kind, request, used_up=bool(good))}; to record it anew, remove the file"
        )
        raise self._error

    def _why(self, kind: tuple[Any, ...], request: JSONObject, *, used_up: bool) -> str:
        if used_up:
            return "those that it had are used up"
        for answer in self._answers:
            held = answer.recording.request
            if answer.source is None and answer.kind == kind:
                names = sorted({*held, *request})
                differ = [repr(n) for n in names if held.get(n) != request.get(n)]
                return f"the request has other {' and '.join(differ)} than the one recorded"
        return "no such call is left in it"


class _Answer:
    """A recording, and the source that reads it, if it was given to a call."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.kind = (recording.provider, recording.api, recording.streamed)
        self.source: ReplaySource | None = None
