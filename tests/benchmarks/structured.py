"""CPU of structured streams: per chunk over a plain stream, by length, and against re-parsing.

    uv run nox -s structured [-- --rounds 5]

Bodies of chat completions, one read for each event, go through the whole stream; nothing is sent.
A partial is taken at every change. Three shapes: sections of a report, many small objects, and one
long string. Each figure is the best of the rounds, whose rows are run one after the other. Not a
test: timings are never asserted.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import jiter
from mirascope.core import Recording, stream_from
from mirascope.core._recording._format import RecordedRead
from pydantic import BaseModel

DELTA = 4
"""Characters in a chunk: the median of recorded chat completions."""
SIZES = (10_000, 50_000, 200_000)
LONG = 1_000_000
SAMPLE = 50
"""Re-parsing is run at one delta in so many, and its time is scaled."""
WORDS = "The quick brown fox jumps over the lazy dog, and 'again' over “Größe” and 日本. "


class Section(BaseModel):
    heading: str
    body: str
    tags: list[str]


class Report(BaseModel):
    title: str
    sections: list[Section]


class Row(BaseModel):
    id: int
    name: str
    price: float
    in_stock: bool


class Table(BaseModel):
    rows: list[Row]


class Essay(BaseModel):
    title: str
    text: str


class LooseSection(BaseModel):
    heading: str | None = None
    body: str | None = None
    tags: list[str] | None = None


class LooseReport(BaseModel):
    title: str | None = None
    sections: list[LooseSection] | None = None


class LooseRow(BaseModel):
    id: int | None = None
    name: str | None = None
    price: float | None = None
    in_stock: bool | None = None


class LooseTable(BaseModel):
    rows: list[LooseRow] | None = None


class LooseEssay(BaseModel):
    title: str | None = None
    text: str | None = None


def report(size: int) -> Any:
    body = (WORDS * 9)[:700]
    section = {"heading": "A heading", "body": body, "tags": ["one", "two"]}
    return {"title": "A report", "sections": [section] * max(1, size // 780)}


def table(size: int) -> Any:
    row = {"id": 1, "name": "A thing of some kind", "price": 12.5, "in_stock": True}
    return {"rows": [{**row, "id": n} for n in range(max(1, size // 76))]}


def essay(size: int) -> Any:
    return {"title": "An essay", "text": (WORDS * (size // len(WORDS) + 1))[:size]}


SHAPES: dict[str, tuple[Callable[[int], Any], type[BaseModel], type[BaseModel]]] = {
    "report": (report, Report, LooseReport),
    "table": (table, Table, LooseTable),
    "essay": (essay, Essay, LooseEssay),
}


def deltas(value: Any) -> list[str]:
    """The pieces that a value's JSON arrives in."""
    text = json.dumps(value, ensure_ascii=False)
    return [text[at : at + DELTA] for at in range(0, len(text), DELTA)]


def recording(pieces: list[str]) -> Recording:
    """A chat completion of these pieces, one read each."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}

    def chunk(delta: Any, reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        data = json.dumps({**head, "choices": [choice]}, ensure_ascii=False)
        return f"data: {data}\n\n".encode()

    reads = [*(chunk({"content": piece}) for piece in pieces), chunk({}, "stop")]
    timed = [RecordedRead(0.0, read) for read in (*reads, b"data: [DONE]\n\n")]
    return dataclasses.replace(Recording.of_body(b""), reads=tuple(timed))


def plain(recorded: Recording) -> None:
    """Read the chunks alone."""
    deque((chunk.content for chunk, _ in stream_from(recorded, provider="compatible")), maxlen=0)


def partials(recorded: Recording, model: type[BaseModel]) -> None:
    """Read a partial at each change, and the value."""
    made = stream_from(recorded, provider="compatible", response_model=model)
    deque(made, maxlen=0)


def value(recorded: Recording, model: type[BaseModel]) -> None:
    """Read the value alone."""
    stream_from(recorded, provider="compatible", response_model=model).result()


def reparsed(pieces: list[str], loose: type[BaseModel]) -> None:
    """Parse and validate all that has come anew, at one delta in `SAMPLE`."""
    text = ""
    for number, piece in enumerate(pieces, 1):
        text += piece
        if number % SAMPLE == 0:
            loose.model_validate(jiter.from_json(text.encode(), partial_mode="trailing-strings"))


def cpu(run: Callable[..., None], *arguments: Any) -> float:
    """Seconds of this process's CPU."""
    gc.collect()
    start = time.process_time()
    run(*arguments)
    return time.process_time() - start


def best(rounds: int, runs: dict[Any, Callable[[], float]]) -> dict[Any, float]:
    """The least that each run took, one after the other in each round."""
    times: dict[Any, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(run())
    return {name: min(seen) for name, seen in times.items()}


def measure(shape: str, rounds: int) -> None:
    """Print the rows of a shape."""
    make, model, loose = SHAPES[shape]
    sizes = [*SIZES, LONG] if shape == "essay" else list(SIZES)
    pieces = {size: deltas(make(size)) for size in sizes}
    recorded = {size: recording(pieces[size]) for size in sizes}
    runs: dict[Any, Callable[[], float]] = {}
    for size in sizes:
        runs["plain", size] = lambda size=size: cpu(plain, recorded[size])
        runs["value", size] = lambda size=size: cpu(value, recorded[size], model)
        runs["partials", size] = lambda size=size: cpu(partials, recorded[size], model)
    for run in runs.values():
        run()  # the model's shape is made once
    took = best(rounds, runs)
    print(
        f"\n{shape:8} {'plain':>10} {'value':>10} {'partials':>10} {'over plain':>11}  µs a chunk"
    )
    for size in sizes:
        row = {
            name: took[name, size] / len(pieces[size]) * 1e6
            for name in ("plain", "value", "partials")
        }
        over = row["partials"] - row["plain"]
        columns = " ".join(f"{microseconds:10.2f}" for microseconds in row.values())
        print(f"{size:8,} {columns} {over:11.2f}")
    small, base = SIZES[0], took["partials", SIZES[0]] / len(pieces[SIZES[0]])
    for size in sizes[2:]:
        ratio = took["partials", size] / len(pieces[size]) / base
        print(f"{size:,} against {small:,}: {ratio:.2f} of proportional")
    largest = SIZES[-1]
    again = cpu(reparsed, pieces[largest], loose) * SAMPLE
    ours = took["partials", largest]
    print(f"{largest:,} with jiter and pydantic: {again:.1f} s, {again / ours:.0f} times ours")


def main() -> None:
    """Measure every shape."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--shape", choices=SHAPES)
    arguments = parser.parse_args()
    for shape in [arguments.shape] if arguments.shape else SHAPES:
        measure(shape, arguments.rounds)


if __name__ == "__main__":
    main()
