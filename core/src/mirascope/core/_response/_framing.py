"""A plugin's own framer, wrapped so that its mistakes are named as the plugin's."""

from __future__ import annotations

from collections.abc import Callable

from .._errors import StreamError
from .._interruptions import interruption
from .._provider._faults import checked_events, raised
from .._provider._provider import Provider
from ..wire import Event, Framer, WireError


class CheckedFramer:
    """A framer that names the mistakes of a plugin's framer as the plugin's.

    Args:
        framer: the plugin's.
        provider: whose it is.

    Attributes:
        successor: the framer that is to take what follows, once the plugin's knows it.
    """

    __slots__ = ("_framer", "_provider", "successor")

    def __init__(self, framer: Framer, provider: Provider) -> None:
        self._framer = framer
        self._provider = provider
        self.successor: Framer | None = None

    def feed(self, piece: bytes) -> list[Event]:
        """Take the next bytes and return the events that they complete.

        Raises:
            PluginError: the plugin's framer raised, or returned something else than events.
            StreamError: what the framer itself says of the body.
            WireError: an event grew larger than the framer's bound.
        """
        return self._checked("feed", lambda: self._framer.feed(piece))

    def end(self) -> list[Event]:
        """Return what the body's end leaves.

        Raises:
            PluginError: the plugin's framer raised, or returned something else than events.
            StreamError: what the framer itself says of the body.
            WireError: what is left can't be framed.
        """
        return self._checked("end", self._framer.end)

    def _checked(self, method: str, call: Callable[[], object]) -> list[Event]:
        name = f"{type(self._framer).__name__}.{method}"
        try:
            events = call()
        except (StreamError, WireError):
            raise
        except Exception as error:
            if interruption(error) is not None:
                raise
            raise raised(self._provider, name, error) from error
        self.successor = getattr(self._framer, "successor", None)
        return checked_events(self._provider, name, events)
