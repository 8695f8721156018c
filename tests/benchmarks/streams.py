"""CPU per chunk: each official SDK's own loop against ours, on the same loopback server.

    uv run nox -s bench -- [--protocol chat] [--chunks 5000] [--rounds 5] [--against PYTHON]

`--against` names the Python of an environment of another checkout, such as one from before a
change, and compares the rows of both in the same run.

Each row runs in a fresh process, the rows of a round one after the other, and the ratio is taken
within a round; the medians over the rounds are printed. Not a test: timings are never asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import bodies

WARM_UP = 3
PROMPT = [{"role": "user", "content": "hi"}]


def serve(protocol: str, chunks: int, port: multiprocessing.Queue[int]) -> None:
    """Answer every request on 127.0.0.1 with the same stream, one HTTP chunk per event."""
    events = getattr(bodies, protocol)(chunks)
    body = b"".join(b"%x\r\n%s\r\n" % (len(event), event) for event in events)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
    answer = head + b"\r\n" + body + b"0\r\n\r\n"

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


def text_of(protocol: str, event: Any) -> str:
    """The text in an object that the SDK yields."""
    if protocol == "chat":
        return (event.choices[0].delta.content or "") if event.choices else ""
    if protocol == "responses":
        return event.delta if event.type == "response.output_text.delta" else ""
    if protocol == "messages":
        return event.delta.text if event.type == "content_block_delta" else ""
    return event.text or ""


def sdk_call(protocol: str, *, asynchronous: bool) -> Callable[[], Any]:
    """A function that opens a stream of the official SDK."""
    if protocol in ("chat", "responses"):
        import openai

        client: Any = openai.AsyncOpenAI() if asynchronous else openai.OpenAI()
        if protocol == "responses":
            return lambda: client.responses.create(model="m", input="hi", stream=True)
        return lambda: client.chat.completions.create(
            model="m", messages=PROMPT, stream=True, stream_options={"include_usage": True}
        )
    if protocol == "messages":
        import anthropic

        client = anthropic.AsyncAnthropic() if asynchronous else anthropic.Anthropic()
        return lambda: client.messages.create(
            model="m", messages=PROMPT, max_tokens=100, stream=True
        )
    from google import genai

    gemini = genai.Client()

    def generate() -> Any:
        # The SDK closes a client that nothing refers to, even in the middle of a stream.
        models: Any = gemini.aio.models if asynchronous else gemini.models
        return models.generate_content_stream(model="m", contents="hi")

    return generate


def sdk(protocol: str, *, asynchronous: bool) -> int:
    """The SDK's own loop."""
    if not asynchronous:
        create = sdk_call(protocol, asynchronous=False)
        return measure(lambda: sum(len(text_of(protocol, event)) for event in create()))

    async def main() -> int:
        create = sdk_call(protocol, asynchronous=True)

        async def run() -> int:
            length = 0
            async for event in await create():
                length += len(text_of(protocol, event))
            return length

        return await measure_async(run)

    return asyncio.run(main())


def ours(
    protocol: str, *, asynchronous: bool = False, touch: bool = False, provider: str | None = None
) -> int:
    """Our loop; `touch` reads the provider's object on every chunk."""
    from mirascope.core import call

    names = {"messages": "anthropic", "generate": "google"}
    decorate = call(f"{provider or names.get(protocol, 'openai')}/m", api=protocol, stream=True)
    if asynchronous:

        @decorate
        async def greet_async() -> str:
            return "hi"

        async def run_async() -> int:
            length = 0
            async for chunk, _ in await greet_async():
                length += len(chunk.content)
            return length

        return asyncio.run(measure_async(run_async))

    @decorate
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


ROWS: dict[str, Callable[[str], int]] = {
    "the SDK, sync": lambda protocol: sdk(protocol, asynchronous=False),
    "mirascope, sync": ours,
    "mirascope, sync, chunk.chunk read": lambda protocol: ours(protocol, touch=True),
    "mirascope compatible, sync": lambda protocol: ours(protocol, provider="compatible"),
    "the SDK, async": lambda protocol: sdk(protocol, asynchronous=True),
    "mirascope, async": lambda protocol: ours(protocol, asynchronous=True),
}
PROTOCOLS = ("chat", "responses", "messages", "generate")


def measure(run: Callable[[], int]) -> int:
    """Nanoseconds of this process's CPU for one run after warming up."""
    for _ in range(WARM_UP):
        expected = run()
    start = time.process_time_ns()
    if run() != expected:
        raise AssertionError("the runs differ")
    return time.process_time_ns() - start


async def measure_async(run: Callable[[], Awaitable[int]]) -> int:
    """The same for a coroutine function."""
    for _ in range(WARM_UP):
        expected = await run()
    start = time.process_time_ns()
    if await run() != expected:
        raise AssertionError("the runs differ")
    return time.process_time_ns() - start


def compare(protocol: str, chunks: int, rounds: int, against: str | None) -> None:
    """Measure the rows of a protocol and print its table."""
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(protocol, chunks, ports), daemon=True)
    server.start()
    address = f"http://127.0.0.1:{ports.get()}"
    environment = {
        **os.environ,
        "OPENAI_BASE_URL": f"{address}/v1",
        "ANTHROPIC_BASE_URL": address,
        "GOOGLE_GEMINI_BASE_URL": address,
        **dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"), "nobody"),
    }
    commands = {
        name: [sys.executable, __file__, "--protocol", protocol, "--row", name]
        for name in ROWS
        if protocol == "chat" or "compatible" not in name
    }
    baselines = {name: "the SDK, async" if "async" in name else "the SDK, sync" for name in ROWS}
    if against:
        for name in [name for name in commands if not name.startswith("the SDK")]:
            commands[f"{name}, other"] = [against, *commands[name][1:]]
            baselines[name] = f"{name}, other"
        commands = {name: command for name, command in commands.items() if "SDK" not in name}
    times: dict[str, list[float]] = {name: [] for name in commands}
    try:
        for _ in range(rounds):
            for name, seen in times.items():
                out = subprocess.run(
                    commands[name], env=environment, check=True, capture_output=True
                )
                seen.append(int(out.stdout) / 1000 / chunks)
    finally:
        server.terminate()
        server.join()

    than = "the other" if against else "the SDK"
    print(f"\n{protocol:42} {'µs/chunk':>9} {'of ' + than:>13} {'times less':>11}")
    for name, seen in times.items():
        baseline = times[baselines.get(name, name)]
        ratio = statistics.median(own / other for own, other in zip(seen, baseline, strict=True))
        print(f"{name:42} {statistics.median(seen):9.1f} {ratio:13.3f} {1 / ratio:10.1f}x")


def main() -> None:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--protocol", choices=PROTOCOLS)
    parser.add_argument("--chunks", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--against", metavar="PYTHON", help="the Python of another checkout")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.row:
        print(ROWS[arguments.row](arguments.protocol))
        return
    print(f"{arguments.chunks} chunks, {arguments.rounds} rounds, medians")
    for protocol in [arguments.protocol] if arguments.protocol else PROTOCOLS:
        compare(protocol, arguments.chunks, arguments.rounds, arguments.against)


if __name__ == "__main__":
    main()
