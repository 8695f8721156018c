"""Server-sent events by the rules of the WHATWG HTML standard, on bytes.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

Two things go beyond the standard, because providers do: an event that the end of the body leaves
open is handed on, and text that is not a field is handed on as a `STRAY` event (error objects and
whole JSON answers arrive that way).
"""

from __future__ import annotations

from ._framer import MAX_EVENT_BYTES, STRAY, Event, PendingBytes

_BOM = b"\xef\xbb\xbf"
_ENDS = (b"\n\n", b"\r\n\r\n")
_FIELDS = (b"data", b"event", b"id", b"retry")


class SSEFramer:
    """Cut a body into server-sent events: any line end, comments, several data lines, BOM.

    Args:
        max_event_bytes: the largest event that is accepted.
        error_field: a field of the server's own, such as `"error"`, whose value is an error object:
            the value is handed on as the stray text, without the field's name.

    Attributes:
        max_event_bytes: the largest event that is accepted.
        is_between: whether the next byte begins an event, with nothing to remember from before.
        blank_line: what ended the last event that was taken whole, with the end of its own line.
    """

    __slots__ = (
        *("_bom", "_data", "_error_field", "_known_name", "_line", "_name", "_skip_lf"),
        *("_stray", "blank_line", "is_between", "max_event_bytes"),
    )

    def __init__(
        self, max_event_bytes: int = MAX_EVENT_BYTES, *, error_field: str | None = None
    ) -> None:
        self._error_field = None if error_field is None else error_field.encode()
        self._bom: bytes | None = b""
        self._skip_lf = False
        self.is_between = False
        self.blank_line = b"\n\n"
        self.max_event_bytes = max_event_bytes
        self._line = PendingBytes(max_event_bytes)
        self._name: str | None = None
        # The last name of an event, as it came and as text: most events have the one before's.
        self._known_name: tuple[bytes, str] = (b"", "")
        self._data: list[bytes] = []
        self._stray: list[bytes] = []

    def feed(self, piece: bytes, /) -> list[Event]:
        """Take the next bytes and return the events that they complete."""
        event = self.whole_event(piece)
        if event is not None:
            return [event]
        # No event is larger than the read that it came in.
        small = len(piece) <= self.max_event_bytes
        events: list[Event] = []
        if not self.is_between or 13 in piece:
            if self._bom is not None:
                piece = self._without_bom(piece)
            if self._skip_lf or 13 in piece:
                piece = self._with_lf(piece)
            if self._line or self._data or self._stray or self._name is not None:
                # A read of a fixed size begins inside of an event: only its lines are looked at,
                # which saves a sixth of the work of such reads.
                end = piece.find(b"\n\n") + 2
                if end < 2:
                    self._feed_lines(piece, events)
                    return events
                self._feed_lines(piece[:end], events)
                piece = piece[end:]
        # What begins at an event's beginning is cut into whole events without looking at their
        # lines.
        blocks = piece.split(b"\n\n")
        rest = blocks.pop()
        for block in blocks:
            if small and (event := self._whole(block)) is not None:
                events.append(event)
                continue
            for line in block.split(b"\n"):
                self._take_line(line, events)
            self._dispatch(events)
        self.is_between = not rest and self._bom is None and not self._skip_lf
        if rest:
            self._feed_lines(rest, events)
        return events

    def whole_event(self, piece: bytes) -> Event | None:
        """Return the event that the next bytes are, as most servers send them; None otherwise.

        This is the quick way through `feed`: what it returns is fed, and nothing else is.
        """
        if self.is_between and piece.endswith(_ENDS) and len(piece) <= self.max_event_bytes:
            self.blank_line = blank_line = _ENDS[piece[-2] != 10]
            return self._whole(piece[: -len(blank_line)])
        return None

    def end(self) -> list[Event]:
        """Return the event that no blank line closed, if there is one."""
        events: list[Event] = []
        if self._bom:
            self._line.add(self._bom)
        self._bom = None
        line = self._line.take()
        # A body may be cut inside of a field's name, which is not text of anybody's.
        if line and not any(field.startswith(line) and field != line for field in _FIELDS):
            self._take_line(line, events)
        self._dispatch(events)
        return events

    def _whole(self, block: bytes) -> Event | None:
        """Return the event that a block of lines is, in its two most frequent forms, or None.

        They are one line of data, and a name with one line of data; both with a space behind the
        colon. Whatever else a block is, its lines are taken one by one.
        """
        field, _, data = block.partition(b": ")
        name: str | None = None
        if field == b"event":
            line, _, rest = data.partition(b"\n")
            field, _, data = rest.partition(b": ")
            if line == self._known_name[0]:
                name = self._known_name[1]
            elif 13 in line:
                return None
            else:
                name = line.decode("utf-8", "replace")
                self._known_name = line, name
        # Single bytes are looked for by their numbers, which CPython answers with memchr, nine
        # times faster than a search for a string of one byte.
        return None if field != b"data" or 10 in data or 13 in data else (name, data)

    def _feed_lines(self, piece: bytes, events: list[Event]) -> None:
        *lines, rest = piece.split(b"\n")
        if lines:
            lines[0] = self._line.take() + lines[0]
            for line in lines:
                self._take_line(line, events)
        if rest:
            self._line.add(rest)

    def _take_line(self, line: bytes, events: list[Event]) -> None:
        if not line:
            self._dispatch(events)
            return
        if line.startswith(b":"):
            # A comment, such as OpenRouter's ": OPENROUTER PROCESSING", keeps proxies awake.
            return
        field, _, value = line.partition(b":")
        if field == b"data":
            if self._stray:
                self._dispatch_stray(events)
            value = value.removeprefix(b" ")
            self._line.count(value)
            self._data.append(value)
        elif field == b"event":
            if self._stray:
                self._dispatch_stray(events)
            self._name = value.removeprefix(b" ").decode("utf-8", "replace")
        # `id` and `retry` are for reconnecting, which is not done here. The standard ignores every
        # other field; then an error in plain text or JSON would vanish.
        elif field not in (b"id", b"retry"):
            self._line.count(line)
            is_error = field == self._error_field
            self._stray.append(value.removeprefix(b" ") if is_error else line)

    def _dispatch(self, events: list[Event]) -> None:
        if self._data:
            events.append((self._name, b"\n".join(self._data)))
            self._data.clear()
        self._name = None
        if self._stray:
            self._dispatch_stray(events)
        self._line.reset()

    def _dispatch_stray(self, events: list[Event]) -> None:
        events.append((STRAY, b"\n".join(self._stray)))
        self._stray.clear()

    def _without_bom(self, piece: bytes) -> bytes:
        # One at the very beginning is not a part of the stream; it may come byte by byte.
        head = (self._bom or b"") + piece
        if len(head) < len(_BOM) and _BOM.startswith(head):
            self._bom = head
            return b""
        self._bom = None
        return head.removeprefix(_BOM)

    def _with_lf(self, piece: bytes) -> bytes:
        if not piece:
            return piece
        if self._skip_lf:
            piece = piece.removeprefix(b"\n")
        # A CR at the end of a read ends its line at once; the LF that may follow is skipped.
        self._skip_lf = piece.endswith(b"\r")
        return piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
