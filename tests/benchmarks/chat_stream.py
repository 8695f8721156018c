"""CPU per chunk: the official SDK's own loop against ours, on the same loopback server.

    uv run python tests/benchmarks/chat_stream.py [--chunks 5000] [--rounds 5]

Each row runs in a fresh process, the rows of a round one after the other, and the ratio is taken
within a round; the medians over the rounds are printed. Not a test: timings are never asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable

WARM_UP = 3


def body(chunks: int) -> bytes:
    """A streamed completion with `chunks` text deltas, one HTTP chunk per event."""
    base = {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion.chunk",
        "created": 1741569952,
        "model": "gpt-4o-2024-08-06",
        "service_tier": "default",
        "system_fingerprint": "fp_65564d8ba5",
    }

    def event(delta: dict[str, object], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return json.dumps({**base, "choices": [choice]}).encode()

    usage = {"prompt_tokens": 12, "completion_tokens": chunks, "total_tokens": chunks + 12}
    events = [
        event({"role": "assistant", "content": ""}),
        *[event({"content": f" word{i % 100}"}) for i in range(chunks)],
        event({}, "stop"),
        json.dumps({**base, "choices": [], "usage": usage}).encode(),
        b"[DONE]",
    ]
    framed = (b"data: " + data + b"\n\n" for data in events)
    parts = [b"%x\r\n%s\r\n" % (len(part), part) for part in framed]
    return b"".join([*parts, b"0\r\n\r\n"])


def serve(chunks: int, port: multiprocessing.Queue[int]) -> None:
    """Answer every request on 127.0.0.1 with the same stream."""
    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        + body(chunks)
    )

    def handle(connection: socket.socket) -> None:
        with connection:
            buffered = b""
            while True:
                while b"\r\n\r\n" not in buffered:
                    if not (data := connection.recv(65536)):
                        return
                    buffered += data
                head, _, rest = buffered.partition(b"\r\n\r\n")
                lengths = [
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                ]
                while len(rest) < sum(lengths):
                    rest += connection.recv(65536)
                buffered = rest[sum(lengths) :]
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        port.put(server.getsockname()[1])
        while True:
            connection, _ = server.accept()
            threading.Thread(target=handle, args=(connection,), daemon=True).start()


def sdk_sync() -> int:
    """The SDK's own loop."""
    import openai

    client = openai.OpenAI()

    def run() -> int:
        stream = client.chat.completions.create(
            model="gpt-4o",
            messages=[{"role": "user", "content": "hi"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        return sum(len(chunk.choices[0].delta.content or "") for chunk in stream if chunk.choices)

    return measure(run)


def ours_sync(*, touch: bool = False, provider: str = "openai") -> int:
    """Our loop; `touch` reads the SDK's object on every chunk."""
    from mirascope.core import call

    @call(f"{provider}/gpt-4o", stream=True)
    def greet() -> str:
        return "hi"

    def run() -> int:
        length = 0
        for chunk, _ in greet():
            length += len(chunk.content)
            if touch:
                _ = chunk.chunk
        return length

    return measure(run)


def sdk_async() -> int:
    """The SDK's own asynchronous loop."""
    import openai

    async def main() -> int:
        client = openai.AsyncOpenAI()

        async def run() -> int:
            stream = await client.chat.completions.create(
                model="gpt-4o",
                messages=[{"role": "user", "content": "hi"}],
                stream=True,
                stream_options={"include_usage": True},
            )
            length = 0
            async for chunk in stream:
                if chunk.choices:
                    length += len(chunk.choices[0].delta.content or "")
            return length

        return await measure_async(run)

    return asyncio.run(main())


def ours_async() -> int:
    """Our asynchronous loop."""
    from mirascope.core import openai

    @openai.call("gpt-4o", stream=True)
    async def greet() -> str:
        return "hi"

    async def run() -> int:
        length = 0
        async for chunk, _ in await greet():
            length += len(chunk.content)
        return length

    return asyncio.run(measure_async(run))


ROWS = {
    "openai SDK, sync": sdk_sync,
    "mirascope openai, sync": ours_sync,
    "mirascope openai, sync, chunk.chunk read": lambda: ours_sync(touch=True),
    "mirascope compatible, sync": lambda: ours_sync(provider="compatible"),
    "openai SDK, async": sdk_async,
    "mirascope openai, async": ours_async,
}
BASELINE = {name: "openai SDK, async" if "async" in name else "openai SDK, sync" for name in ROWS}


def measure(run: Callable[[], int]) -> int:
    """Nanoseconds of this process's CPU for one run after warming up."""
    for _ in range(WARM_UP):
        expected = run()
    start = time.process_time_ns()
    assert run() == expected
    return time.process_time_ns() - start


async def measure_async(run: Callable[[], Awaitable[int]]) -> int:
    """The same for a coroutine function."""
    for _ in range(WARM_UP):
        expected = await run()
    start = time.process_time_ns()
    assert await run() == expected
    return time.process_time_ns() - start


def main() -> None:
    """Measure all rows and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--chunks", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--row", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.row:
        print(ROWS[arguments.row]())
        return

    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(arguments.chunks, ports), daemon=True)
    server.start()
    environment = {
        **os.environ,
        "OPENAI_BASE_URL": f"http://127.0.0.1:{ports.get()}/v1",
        "OPENAI_API_KEY": "key-of-nobody",
    }
    times: dict[str, list[float]] = {name: [] for name in ROWS}
    try:
        for _ in range(arguments.rounds):
            for name, seen in times.items():
                command = [sys.executable, __file__, "--row", name]
                out = subprocess.run(
                    command, env=environment, check=True, capture_output=True, text=True
                ).stdout
                seen.append(int(out) / 1000 / arguments.chunks)
    finally:
        server.terminate()
        server.join()

    print(f"{arguments.chunks} chunks, {arguments.rounds} rounds, medians\n")
    print(f"{'':42} {'µs/chunk':>9} {'of the SDK':>11} {'times less':>11}")
    for name, seen in times.items():
        pairs = zip(seen, times[BASELINE[name]], strict=True)
        ratio = statistics.median(own / sdk for own, sdk in pairs)
        print(f"{name:42} {statistics.median(seen):9.1f} {ratio:11.2f} {1 / ratio:10.1f}x")


if __name__ == "__main__":
    main()
