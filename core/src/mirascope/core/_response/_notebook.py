"""What a notebook shows of a stream, kept up to date in its cell while the stream is read."""

from __future__ import annotations

import contextlib
import importlib
import sys
import time
import weakref
from typing import TYPE_CHECKING, Any, Final

from .._state import StreamState
from .._transport._watchdog import WATCHDOG, Alarm

if TYPE_CHECKING:
    from ._call_result import CallResult
    from ._stream_base import StreamBase

_EVERY: Final = 0.1
"""Seconds between two looks at a stream that is shown."""


def markdown(result: CallResult) -> str:
    """Return what has arrived as Markdown, and the state unless the answer is whole.

    Looking at a stream sends and reads nothing.
    """
    parts = [result.content, result.refusal, *(_code(repr(tool)) for tool in result.tools)]
    if result.state is not StreamState.COMPLETED:
        parts.append(f"*{result.state}*")
    return "\n\n".join(filter(None, parts))


def _code(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}python\n{text}\n{fence}"


class Shown:
    """The places where a notebook shows one stream."""

    def __init__(self) -> None:
        self._handles: list[Any] = []
        self._last: object = None
        self._alarm: Alarm | None = None

    def add(self, stream: StreamBase[Any]) -> None:
        """Show the stream in the cell that runs; it is updated there from now on.

        Raises:
            NotImplementedError: whoever asks is not a notebook, so that IPython shows it once.
        """
        if not _is_kernel():
            raise NotImplementedError
        display = importlib.import_module("IPython.display").display
        self._last = _bundle(stream)
        self._handles.append(display(self._last, raw=True, display_id=True))
        if stream.state is StreamState.STREAMING:
            self.begin(stream)

    def begin(self, stream: StreamBase[Any]) -> None:
        """The stream has begun: look at it now and then, without a part in its reading."""
        if self._alarm is None:
            self._look_later(weakref.ref(stream))

    def end(self, stream: StreamBase[Any]) -> None:
        """The stream has ended: show that now, before the cell ends."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._update(stream)

    def _look_later(self, stream: weakref.ref[StreamBase[Any]]) -> None:
        # Where no thread can be started, as in a browser, the ending is all that is shown.
        with contextlib.suppress(RuntimeError):
            self._alarm = WATCHDOG.at(time.monotonic() + _EVERY, lambda: self._look(stream))

    def _look(self, reference: weakref.ref[StreamBase[Any]]) -> None:
        stream = reference()
        if stream is None or stream.state.ended:
            return
        self._update(stream)
        self._look_later(reference)

    def _update(self, stream: StreamBase[Any]) -> None:
        bundle = _bundle(stream)
        if bundle == self._last:
            return
        self._last = bundle
        # A kernel that goes away is no reason for the answer to break.
        with contextlib.suppress(Exception):
            for handle in self._handles:
                handle.update(bundle, raw=True)


def _bundle(stream: StreamBase[Any]) -> dict[str, str]:
    return {"text/plain": repr(stream), "text/markdown": markdown(stream)}


def _is_kernel() -> bool:
    """Whether this is a notebook: a terminal's IPython can't change what it has printed."""
    shell = sys.modules.get("IPython")
    return shell is not None and getattr(shell.get_ipython(), "kernel", None) is not None
