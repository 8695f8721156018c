"""Bodies of every wire protocol, damaged in every way that a network, a gateway or a server has."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..protocols import PROTOCOLS, Event, Protocol

TEXTS = ("Hel", "lo \N{GRINNING FACE}", " there", ", and ", "goodbye.")


@dataclass(frozen=True)
class Body:
    """A body as it came.

    Attributes:
        sent: its bytes.
        how: what was done to it.
        intact: the text of the events before the first byte that is not as it was.
    """

    sent: bytes
    how: str
    intact: str


def events_of(protocol: Protocol) -> list[Event]:
    """The events of a whole answer: reasoning, text, a call of a function, and text again."""
    return [
        *protocol.begin,
        *protocol.thinking("Hm."),
        *(event for text in TEXTS[:3] for event in protocol.text(text)),
        *protocol.call(0, "call_1", "add", ['{"a": 1, "b": [2, 3]}']),
        *(event for text in TEXTS[3:] for event in protocol.text(text)),
        *protocol.end,
    ]


def written(events: list[Event], done: bytes) -> list[bytes]:
    """The events as a server writes them, one each."""
    return [*(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events), done]


def bodies(protocol: Protocol, seed: int, *, large: bool) -> Iterator[Body]:
    """Yield damaged bodies without end.

    Args:
        protocol: the protocol of the body.
        seed: which ones.
        large: whether values of megabytes are among them.
    """
    chance = random.Random(seed)
    events = events_of(protocol)
    others = [
        event for other in PROTOCOLS.values() if other is not protocol for event in events_of(other)
    ]
    while True:
        how = chance.choice(_WAYS)
        pieces = how(chance, protocol, copy.deepcopy(events), others, large)
        sent = b"".join(pieces)
        yield Body(sent, f"{how.__name__[1:]} (seed {seed})", _intact(protocol, events, sent))


def _intact(protocol: Protocol, events: list[Event], sent: bytes) -> str:
    """Return the text of the events that are as they were, up to the first that is not."""
    text, place = "", 0
    texts = {json.dumps(event): text for text in TEXTS for event in protocol.text(text)}
    for event, piece in zip(events, written(events, b""), strict=False):
        if sent[place : place + len(piece)] != piece:
            break
        place += len(piece)
        text += texts.get(json.dumps(event), "")
    return text


Way = Callable[[random.Random, Protocol, list[Event], list[Event], bool], list[bytes]]


def _bytes_flipped(
    chance: random.Random, protocol: Protocol, events: list[Event], _: list[Event], __: bool
) -> list[bytes]:
    sent = bytearray(b"".join(written(events, protocol.done)))
    for _ in range(chance.randint(1, 4)):
        sent[chance.randrange(len(sent))] = chance.randrange(256)
    return [bytes(sent)]


def _bytes_left_out(
    chance: random.Random, protocol: Protocol, events: list[Event], _: list[Event], __: bool
) -> list[bytes]:
    sent = b"".join(written(events, protocol.done))
    at = chance.randrange(len(sent))
    return [sent[:at], sent[at + chance.randint(1, 60) :]]


def _cut(
    chance: random.Random, protocol: Protocol, events: list[Event], _: list[Event], __: bool
) -> list[bytes]:
    sent = b"".join(written(events, protocol.done))
    return [sent[: chance.randrange(len(sent))]]


def _events_moved(
    chance: random.Random, protocol: Protocol, events: list[Event], _: list[Event], __: bool
) -> list[bytes]:
    pieces = written(events, protocol.done)
    pieces.insert(chance.randrange(len(pieces)), pieces.pop(chance.randrange(len(pieces))))
    return pieces


def _events_repeated_or_lost(
    chance: random.Random, protocol: Protocol, events: list[Event], _: list[Event], __: bool
) -> list[bytes]:
    pieces = written(events, protocol.done)
    at = chance.randrange(len(pieces))
    pieces[at : at + 1] = [pieces[at]] * chance.choice((0, 2, 3))
    return pieces


def _a_foreign_event(
    chance: random.Random, protocol: Protocol, events: list[Event], others: list[Event], _: bool
) -> list[bytes]:
    events.insert(chance.randrange(len(events)), chance.choice(others))
    return written(events, protocol.done)


def _other_values(
    chance: random.Random, protocol: Protocol, events: list[Event], _: list[Event], large: bool
) -> list[bytes]:
    odd = _LARGE if large and chance.random() < 0.02 else _ODD
    texts = [json.dumps(event) for event in events]
    for _ in range(chance.randint(1, 2)):
        at = chance.randrange(len(events))
        places = list(_places(events[at]))
        if not places:
            continue
        holder, key = chance.choice(places)
        before, holder[key] = holder[key], "\0here"
        texts[at] = json.dumps(events[at]).replace('"\\u0000here"', chance.choice(odd)())
        # The next value may be another one's of the same event, and JSON alone has this one.
        holder[key] = before
    return [*(f"data: {text}\n\n".encode() for text in texts), protocol.done]


def _fields_left_out(
    chance: random.Random, protocol: Protocol, events: list[Event], _: list[Event], __: bool
) -> list[bytes]:
    for _ in range(chance.randint(1, 3)):
        places = list(_places(chance.choice(events)))
        if places:
            holder, key = chance.choice(places)
            del holder[key]
    return written(events, protocol.done)


def _other_fields(
    chance: random.Random, protocol: Protocol, events: list[Event], others: list[Event], _: bool
) -> list[bytes]:
    places = list(_places(chance.choice(events)))
    for holder, key in places[:: chance.randint(1, 3)]:
        if isinstance(holder, dict):
            foreign = chance.choice(list(_places(chance.choice(others))))
            holder[key] = foreign[0][foreign[1]]
    return written(events, protocol.done)


_WAYS: list[Way] = [
    _bytes_flipped,
    _bytes_left_out,
    _cut,
    _events_moved,
    _events_repeated_or_lost,
    _a_foreign_event,
    _other_values,
    _other_values,
    _fields_left_out,
    _other_fields,
]

_ODD: list[Callable[[], str]] = [
    lambda value=value: value  # type: ignore[misc]
    for value in (
        "null",
        "true",
        "false",
        "0",
        "-1",
        "3.5",
        "1e400",
        "NaN",
        "-Infinity",
        "9" * 5000,
        '""',
        '"a"',
        '"5"',
        "[]",
        "{}",
        "[[]]",
        "[null]",
        '[{"a": []}]',
        '{"a": {"b": null}}',
        '"\\ud83d"',
        '"\\ude00 and \\ud83d"',
        '"\\u0000\\u001b[31m\\u202e"',
        '{"__class__": "os"}',
        "[" * 400 + "]" * 400,
    )
]
_LARGE: list[Callable[[], str]] = [
    lambda: "[" * 60_000 + "]" * 60_000,
    lambda: '{"a":' * 60_000 + "1" + "}" * 60_000,
    lambda: '"' + "x" * 10_000_000 + '"',
    lambda: "[" + "0," * 1_000_000 + "0]",
]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place in a JSON value, as what holds it and its key."""
    if isinstance(value, (dict, list)):
        keys: Any = list(value) if isinstance(value, dict) else range(len(value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        for key in keys:
            yield value, key  # pyright: ignore[reportUnknownVariableType]
            yield from _places(value[key])
