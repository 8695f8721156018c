"""Exceptions without credentials: their text, what they hold, and the variables of their frames.

An error of ours keeps the SDK's or the transport's exception as its cause, because that is what
explains it. Tools print all of it: the text of every cause, `repr`, and the local variables of the
frames (`pytest --showlocals`, rich, error trackers). A server echoes keys into all these places.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Final, cast

from ._causes import chain, running_frames
from ._interruptions import handler_in
from ._secrets._hiding import Secrets

_MESSAGES: Final = frozenset(
    {
        *("Request", "Response", "PreparedRequest", "ClientResponse", "RequestInfo"),
        *("Headers", "HeaderDict", "HTTPHeaderDict", "CaseInsensitiveDict", "URL", "QueryParams"),
        *("ByteStream", "HTTPResponse", "HttpResponse", "APIResponse"),
    }
)
"""Classes of what an HTTP library's exception holds, by their names: core imports none of them."""
_DEPTH: Final = 8
# What exceptions of the standard library hold outside their `__dict__`.
_FIELDS: Final = ("filename", "filename2", "strerror", "object", "reason", "msg", "name", "value")


def scrub(error: BaseException, secrets: Secrets) -> None:
    """Take a call's credentials out of an error and out of everything that it was caused by.

    The exceptions stay the objects that they were, with their tracebacks; what they hold is
    replaced by copies. One that keeps its text out of reach is replaced by one that only looks
    like it. The frames that have ended lose their variables.

    Args:
        error: the error, with its causes.
        secrets: the call's credentials; what the causes show to have been sent is added.
    """
    causes = list(chain(error))
    learn(causes, secrets)
    for found in causes:
        clear_frames(found.__traceback__)
        _Scrubber(secrets).exception(found)
    for found in causes:
        for name in ("__cause__", "__context__"):
            linked = getattr(found, name)
            if linked is not None and any(linked is known for known in causes):
                shown = _shown(linked)
                if secrets.hide(shown) != shown:
                    _link(found, name, _stand_in(linked, secrets))


def conceal(error: BaseException, *given: object) -> None:
    """Take credentials out of an error about what a user gave, before there was a call.

    Args:
        error: the error, which is being handled in the frame that catches it.
        *given: the mappings that hold what was given; anything else counts for nothing.
    """
    secrets = Secrets(())
    for values in given:
        if isinstance(values, Mapping):
            mapping = cast("Mapping[str, Any]", values)
            for found in (mapping, mapping.get("call_params")):
                if isinstance(found, Mapping):
                    secrets.add(Secrets.named_in(cast("Mapping[str, Any]", found)))
    scrub(error, secrets)


def learn(causes: Iterable[BaseException], secrets: Secrets) -> None:
    """Add the credentials that exceptions show to have been sent.

    The frames of a request's sender hold them too: only there is the key of some providers.
    """
    running = set(running_frames())
    for found in causes:
        secrets.add_sent(found)
        traceback = found.__traceback__
        while traceback is not None:
            frame = traceback.tb_frame
            if frame not in running:
                variables = frame.f_locals
                secrets.add(Secrets.of_variables(variables))
                for value in variables.values():
                    if type(value).__name__ in _MESSAGES:
                        secrets.add_sent(value)
            traceback = traceback.tb_next


def forget(error: BaseException) -> None:
    """Forget the variables beneath an exception that passes a call unchanged, such as Ctrl-C."""
    for found in chain(error):
        clear_frames(found.__traceback__)


def clear_frames(traceback: TracebackType | None) -> None:
    """Forget the variables of a traceback's frames, where they have ended.

    They are the SDK's and the transport's, which hold headers and keys in plain variables. A frame
    that is still running (this library's own, and all of the caller's) is left alone, and so is
    what a signal handler ran.
    """
    handler = handler_in(traceback)
    while traceback is not None and traceback is not handler:
        with contextlib.suppress(RuntimeError):
            traceback.tb_frame.clear()
        traceback = traceback.tb_next


class _Scrubber:
    """Copies what holds a credential, and returns what does not as it is."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._copies: dict[int, Any] = {}

    def exception(self, error: BaseException) -> None:
        with contextlib.suppress(Exception):
            args = self.value(error.args)
            if args is not error.args:
                error.args = args
        for name in _FIELDS:
            # Not every class has them, and not every one lets them be set.
            with contextlib.suppress(Exception):
                value = getattr(error, name)
                if (clean := self.value(value)) is not value:
                    setattr(error, name, clean)
        held = vars(error)
        for name, value in list(held.items()):
            with contextlib.suppress(Exception):
                if (clean := self.value(value)) is not value:
                    held[name] = clean

    def value(self, value: Any, depth: int = _DEPTH) -> Any:
        """Return a value without credentials; the very value where it has none."""
        if isinstance(value, str):
            hidden = self._secrets.hide(value)
            return value if hidden == value else hidden
        if isinstance(value, (bytes, bytearray)):
            hidden_bytes = self._secrets.hide_bytes(bytes(value))
            return value if hidden_bytes == value else hidden_bytes
        if not depth or value is None or isinstance(value, (bool, int, float, type)):
            return value
        if isinstance(value, dict):
            items = cast("dict[Any, Any]", value)
            clean = {self.value(k, depth - 1): self.value(v, depth - 1) for k, v in items.items()}
            same = all(map(_is_same, items, clean)) and all(
                map(_is_same, items.values(), clean.values())
            )
            return items if same and len(clean) == len(items) else clean
        if isinstance(value, (list, tuple)):
            entries = cast("list[Any]", value)
            cleaned = [self.value(item, depth - 1) for item in entries]
            if all(map(_is_same, entries, cleaned)):
                return entries
            if isinstance(value, tuple):
                make = getattr(cast("Any", value), "_make", None)
                return tuple(cleaned) if make is None else make(cleaned)
            return cleaned
        found: Any = value
        if any(base.__name__ in _MESSAGES for base in type(found).__mro__):
            return self._message(found, depth)
        return value

    def _message(self, value: Any, depth: int) -> Any:
        """Return a request, a response or a part of one without credentials."""
        if id(value) in self._copies:
            return self._copies[id(value)]
        self._copies[id(value)] = value
        held = cast("dict[str, Any]", vars(value))
        kind = cast("type[Any]", type(value))
        clean: dict[str, Any] = {n: self.value(item, depth - 1) for n, item in held.items()}
        if all(_is_same(held[name], clean[name]) for name in held):
            return value
        if hasattr(kind, "__del__"):
            # Two of them would both give the connection back.
            held.update(clean)
            return value
        copied: Any = object.__new__(kind)
        cast("dict[str, Any]", vars(copied)).update(clean)
        self._copies[id(value)] = copied
        return copied


def _is_same(one: object, other: object) -> bool:
    return one is other


def _shown(error: BaseException) -> str:
    try:
        return f"{error} {error!r}"
    except Exception:
        return ""


def _stand_in(error: BaseException, secrets: Secrets) -> BaseException:
    """Return an exception that looks like one whose text can't be changed."""
    kind = type(error)
    names: Mapping[str, Any] = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    stand_in = cast("type[Exception]", type(kind.__name__, (Exception,), dict(names)))(
        secrets.hide(str(error))
    )
    stand_in.__traceback__ = error.__traceback__
    stand_in.__cause__, stand_in.__context__ = error.__cause__, error.__context__
    stand_in.__suppress_context__ = error.__suppress_context__
    return stand_in


def _link(error: BaseException, name: str, linked: BaseException) -> None:
    suppress = error.__suppress_context__
    setattr(error, name, linked)
    error.__suppress_context__ = suppress
