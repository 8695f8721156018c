"""Instructions per chunk of the way from bytes to chunks, against stored figures.

    uv run nox -s instructions [-- --write] [CASE...]

Times on a machine that others use too are worth little; the number of instructions that a Python
program runs is the same to a hundredth each time. Valgrind's callgrind counts them. A case that
takes more than a tenth over its figure in `instructions.json` fails; `-- --write` stores what was
counted. The figures are those of one build of Python: another version, or another build of it, is
told by a fixed piece of work that comes first, and then nothing is compared.

Every case is a whole stream in memory, read by the ordinary loop; what a short stream takes is
taken off, so that what remains is the chunks' own.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import dataclasses
import gc
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import bodies

STORED = Path(__file__).with_suffix(".json")
SLACK = 1.1
SAME_BUILD = 0.03
CHUNKS = 500
SHORT = 20
MANY = 16 * 1024

# What tells callgrind where to begin and to stop; without it the imports would be counted.
SHIM = """
#include <valgrind/callgrind.h>
void start(void) { CALLGRIND_START_INSTRUMENTATION; CALLGRIND_ZERO_STATS; }
void stop(const char *name) { CALLGRIND_DUMP_STATS_AT(name); CALLGRIND_STOP_INSTRUMENTATION; }
"""


class Case(NamedTuple):
    """A stream.

    Attributes:
        protocol: whose events they are, by the function in `bodies`.
        provider: who reads them.
        kind: what is in them.
        read: the bytes of a read; 0 is one event a read.
        asynchronous: whether it is read with `async for`.
    """

    protocol: str
    provider: str
    kind: str = "text"
    read: int = 0
    asynchronous: bool = False


CASES = {
    "chat": Case("chat", "openai"),
    "chat, tools": Case("chat", "openai", "tools"),
    "chat, thinking": Case("chat", "openai", "thinking"),
    "chat, many events a read": Case("chat", "openai", read=MANY),
    "chat, async": Case("chat", "openai", asynchronous=True),
    "compatible": Case("chat", "compatible"),
    "responses": Case("responses", "openai"),
    "responses, tools": Case("responses", "openai", "tools"),
    "messages": Case("messages", "anthropic"),
    "messages, tools": Case("messages", "anthropic", "tools"),
    "messages, many events a read": Case("messages", "anthropic", read=MANY),
    "generate": Case("generate", "google"),
    "generate, tools": Case("generate", "google", "tools"),
    "generate, thinking": Case("generate", "google", "thinking"),
}
FIXED = "fixed work"


class Reads:
    """A source over reads that are in memory, with nothing in between."""

    request_id = None

    def __init__(self, reads: list[bytes]) -> None:
        self.reads = reads

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.reads)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for read in self.reads:
            yield read

    def abort(self) -> None:
        """Nothing ever waits here."""

    def close(self) -> None:
        """Nothing to release."""

    async def aclose(self) -> None:
        """Nothing to release."""


def save(text: str) -> str:
    """The tool that the bodies call.

    Args:
        text: anything.
    """
    return text


def reader_of(case: Case, chunks: int) -> Callable[[], int]:
    """A function that reads a stream of so many chunks and returns how many there were."""
    from mirascope.core import stream_from
    from mirascope.core.plugins import load_provider

    reads = list(getattr(bodies, case.protocol)(chunks, case.kind))
    if case.read:
        body = b"".join(reads)
        reads = [body[at : at + case.read] for at in range(0, len(body), case.read)]
    api = case.protocol if case.provider == "openai" else None
    provider = load_provider(case.provider, api)
    replayed: Any = stream_from(b"", provider=provider, tools=[save])
    call = dataclasses.replace(replayed._call, response=Reads(reads))

    def read() -> int:
        return sum(1 for _ in provider.stream_class(call))

    async def read_async() -> int:
        chunks = 0
        async for _ in provider.async_stream_class(call):
            chunks += 1
        return chunks

    return (lambda: asyncio.run(read_async())) if case.asynchronous else read


def fixed_work(chunks: int) -> Callable[[], int]:
    """Work that no change of ours touches: calls, dictionaries, text and JSON of the standard."""
    text = json.dumps({"choices": [{"delta": {"content": " word"}}], "n": list(range(20))})

    def work() -> int:
        return sum(len(json.dumps(json.loads(text))) for _ in range(chunks))

    return work


def count(shim: str, names: list[str]) -> None:
    """Run the cases, in a process that callgrind looks at."""
    callgrind = ctypes.CDLL(shim)
    for name in names:
        case = CASES.get(name)
        for chunks in (CHUNKS, SHORT):
            run = fixed_work(chunks) if case is None else reader_of(case, chunks)
            # Python adapts its code to what it sees, and much is made only once.
            expected = run()
            if expected < chunks or run() != expected:
                raise AssertionError(f"{name!r} has {expected} chunks, not {chunks}")
            gc.collect()
            gc.disable()
            callgrind.start()
            run()
            callgrind.stop(f"{name}: {chunks}".encode())
            gc.enable()
    # What a process does at its end is slow under callgrind, and nobody's business here.
    os._exit(0)


def counted(names: list[str], folder: Path) -> dict[str, int]:
    """Return the instructions per chunk of each case."""
    source, shim = folder / "shim.c", folder / "shim.so"
    source.write_text(SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, source], check=True)
    tool = ("valgrind", "--tool=callgrind", "--instr-atstart=no")
    ours = (sys.executable, __file__, "--shim", str(shim), *names)
    run = subprocess.run(
        [*tool, f"--callgrind-out-file={folder / 'counts'}", *ours],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise SystemExit(f"valgrind failed:\n{run.stdout}{run.stderr}")
    totals: dict[str, int] = {}
    for path in folder.glob("counts.*"):
        dump = path.read_text()
        trigger = re.search(r"^desc: Trigger: Client Request: (.*)$", dump, re.MULTILINE)
        total = re.search(r"^(?:summary|totals): (\d+)", dump, re.MULTILINE)
        if trigger and total:
            totals[trigger[1]] = int(total[1])
    return {
        name: (totals[f"{name}: {CHUNKS}"] - totals[f"{name}: {SHORT}"]) // (CHUNKS - SHORT)
        for name in names
    }


def compare(found: dict[str, int], stored: dict[str, int]) -> bool:
    """Print what was counted beside what is stored; return whether all of it is within."""
    within = True
    print(f"{'instructions per chunk':32} {'now':>8} {'stored':>8} {'change':>8}")
    for name, now in found.items():
        before = stored.get(name, now)
        over = now > before * SLACK
        within = within and not over
        note = " more than a tenth over" if over else ""
        note = " store it: -- --write" if now * SLACK < before else note
        print(f"{name:32} {now:8,} {before:8,} {now / before - 1:8.1%}{note}")
    return within


def main() -> None:
    """Count what the arguments ask for and compare it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--write", action="store_true", help="store what was counted")
    parser.add_argument("--shim", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.shim:
        count(arguments.shim, arguments.cases)
    stored = json.loads(STORED.read_text())
    if platform.python_version() != stored["python"] and not arguments.write:
        print(f"skipped: the figures are those of Python {stored['python']}")
        return
    missing = [tool for tool in ("valgrind", "cc") if shutil.which(tool) is None]
    if missing:
        print(f"skipped: {' and '.join(missing)} not found")
        return
    with tempfile.TemporaryDirectory() as folder:
        found = counted([FIXED, *(arguments.cases or CASES)], Path(folder))
    figures: dict[str, int] = stored["instructions"]
    if arguments.write:
        figures = {**(figures if arguments.cases else {}), **found}
        whole = {"python": platform.python_version(), "instructions": figures}
        STORED.write_text(json.dumps(whole, indent=2) + "\n")
    within = compare(found, figures)
    if abs(found[FIXED] / figures[FIXED] - 1) > SAME_BUILD:
        print("skipped: this is another build of Python than that of the figures")
    elif not within:
        raise SystemExit("the way from bytes to chunks has become longer")


if __name__ == "__main__":
    main()
