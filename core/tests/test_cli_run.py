"""`mirascope run` as a process: a real server, real pipes, a real terminal (L1, L4)."""

from __future__ import annotations

import contextlib
import fcntl
import io
import itertools
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mirascope.cli._terminal import TerminalDisplay
from rich.console import Console

DEADLINE = 30.0
"""Seconds after which a test that waits has failed; nothing is expected to take that long."""

UNTIL_CLIENT_LEAVES = object()
"""A step of a server: wait until the client closes its connection."""

Step = bytes | float | threading.Event | object
"""Bytes to send, seconds to sleep, an event to wait for, or `UNTIL_CLIENT_LEAVES`."""


def event(content: str | None = None, *, finish: str | None = None, **delta: object) -> bytes:
    if content is not None:
        delta["content"] = content
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "chatcmpl-1", "model": "gpt-4o-2024-08-06", "choices": [choice]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def usage(prompt: int, completion: int) -> bytes:
    counts = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    return b"data: " + json.dumps({"choices": [], "usage": counts}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def answer(*pieces: str) -> list[bytes]:
    return [*map(event, pieces), event(finish="stop"), usage(12, 102), DONE]


class Server:
    """Answers every request with the same steps; the body ends where the connection does."""

    def __init__(self, steps: list[Step], status: str = "200 OK") -> None:
        self.bodies: list[dict[str, object]] = []
        self.requested = threading.Event()
        self.left = threading.Event()
        self._head = f"HTTP/1.1 {status}\r\nContent-Type: text/event-stream\r\n\r\n".encode()
        self._steps = steps
        self._stopping = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(DEADLINE)
        self._socket.close()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._socket.accept()
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(DEADLINE)
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as reader:
            length = 0
            while (line := reader.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            self.bodies.append(json.loads(reader.read(length)))
        self.requested.set()
        try:
            head = self._head
            for step in self._steps:
                if step is UNTIL_CLIENT_LEAVES:
                    self._wait_for_leaving(connection)
                elif isinstance(step, threading.Event):
                    step.wait(DEADLINE)
                elif isinstance(step, float):
                    time.sleep(step)
                elif isinstance(step, bytes):
                    connection.sendall(head + step)
                    head = b""
            connection.sendall(head)
        except (BrokenPipeError, ConnectionResetError):
            self.left.set()

    def _wait_for_leaving(self, connection: socket.socket) -> None:
        end = time.monotonic() + DEADLINE
        while not self._stopping.is_set() and time.monotonic() < end:
            if select.select([connection], [], [], 0.05)[0] and not connection.recv(1):
                self.left.set()
                return


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*steps: Step, status: str = "200 OK") -> Server:
        servers.append(Server(list(steps), status))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def environment(**extra: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "MIRASCOPE_DISABLE_PLUGINS"):
        kept.pop(name, None)
    return {**kept, "OPENAI_API_KEY": "sk-test-0123456789abcdef", "TERM": "xterm-256color", **extra}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mirascope", *arguments]


def mirascope(
    *arguments: str, stdin: bytes = b"", **extra: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command(*arguments),
        input=stdin,
        capture_output=True,
        timeout=DEADLINE,
        env=environment(**extra),
    )


def run(
    server: Server, prompt: str, *arguments: str, provider: str = "compatible", stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    model = f"{provider}/gpt-4o"
    return mirascope("run", "-m", model, "--base-url", server.url, *arguments, prompt, stdin=stdin)


def lines(output: bytes) -> list[str]:
    assert b"Traceback" not in output
    return output.decode().splitlines()


# Piped


@pytest.mark.parametrize("provider", ["compatible", "openai"])
def test_the_answer_is_piped_byte_for_byte(serve: Callable[..., Server], provider: str) -> None:
    pieces = ["# Grüße", "\n\n\n  ", "\x1b[1m**日本", "語**", "\r\n\tend  \n"]
    done = run(serve(*answer(*pieces)), "hello", provider=provider)
    assert done.stdout == "".join(pieces).encode() + b"\n"
    assert done.returncode == 0
    (line,) = lines(done.stderr)
    cost = r"\$0\.00105" if provider == "openai" else "cost unknown"
    assert re.fullmatch(
        rf"{provider}/gpt-4o-2024-08-06: 12 tokens in, 102 out, {cost}, "
        r"first token \d+\.\d\d s, \d+\.\d tokens/s",
        line,
    )


def test_what_is_sent(serve: Callable[..., Server]) -> None:
    server = serve(*answer("ok"))
    done = run(
        server,
        "{braces} are {harmless!r} {0} }{",
        "--system", "Be {brief}.",
        "-p", "temperature=0.5",
        "-p", 'stop=["a", "b"]',
        "-p", "user=someone",
        "--param", 'metadata={"a=b": null}',
        "-p", "seed=NaN",
    )  # fmt: skip
    assert done.returncode == 0
    assert server.bodies == [
        {
            "model": "gpt-4o",
            "messages": [
                {"role": "system", "content": "Be {brief}."},
                {"role": "user", "content": "{braces} are {harmless!r} {0} }{"},
            ],
            "temperature": 0.5,
            "stop": ["a", "b"],
            "user": "someone",
            "metadata": {"a=b": None},
            "seed": "NaN",
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]


def test_the_prompt_from_standard_input(serve: Callable[..., Server]) -> None:
    server = serve(*answer("ok"))
    run(server, "-", stdin="  SYSTEM: {über}\nzwei\n".encode())
    assert server.bodies[0]["messages"] == [{"role": "user", "content": "  SYSTEM: {über}\nzwei"}]


def test_reasoning_is_not_piped(serve: Callable[..., Server]) -> None:
    done = run(serve(event(reasoning_content="secret thoughts"), *answer("ok")), "hi")
    assert done.stdout == b"ok\n"
    assert b"secret" not in done.stderr


def test_tool_calls_and_refusals_are_said(serve: Callable[..., Server]) -> None:
    call = {"index": 0, "id": "a", "function": {"name": "look_up", "arguments": '{"q": "x"}'}}
    steps = [event(tool_calls=[call]), event(refusal="I will not."), event(finish="tool_calls")]
    done = run(serve(*steps, usage(1, 2), DONE), "hi")
    assert done.returncode == 0
    assert done.stdout == b"\n"
    said = lines(done.stderr)
    assert said[:2] == ['tool call: look_up({"q": "x"})', "the model declined: I will not."]
    assert said[2].startswith("compatible/gpt-4o-2024-08-06: 1 tokens in, 2 out, ")


def test_characters_that_were_cut_in_two_are_joined(serve: Callable[..., Server]) -> None:
    done = run(serve(*answer("a\ud83d", "\ude00b", "\ud83d")), "hi")
    assert done.stdout == "a😀b\ufffd\n".encode()


def test_a_finish_reason_that_is_no_plain_end_is_said(serve: Callable[..., Server]) -> None:
    done = run(serve(event("a"), event(finish="length"), DONE), "hi")
    assert done.returncode == 0
    assert lines(done.stderr)[-1].endswith("finish reason 'length'")


# Streams that do not complete


@pytest.mark.parametrize(
    ("steps", "said", "state"),
    [
        ([event("part")], "the response ended before its protocol", "truncated"),
        ([event("part"), b'data: {"err\n\n'], "an event is not valid JSON", "failed"),
        (
            [event("part"), b'data: {"error": {"message": "over\\n\\u001b[31mloaded"}}\n\n'],
            "over ␛[31mloaded",
            "failed",
        ),
    ],
)
def test_a_stream_that_breaks(
    serve: Callable[..., Server], steps: list[bytes], said: str, state: str
) -> None:
    done = run(serve(*steps), "hi")
    assert done.returncode == 1
    assert done.stdout == b"part\n"
    problem, summary = lines(done.stderr)
    assert problem.startswith("mirascope: compatible/gpt-4o: ")
    assert said in problem
    assert summary.startswith("compatible/gpt-4o-2024-08-06: tokens not reported, cost unknown, ")
    assert summary.endswith(state)


@pytest.mark.parametrize("provider", ["compatible", "openai"])
@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found", "400 Bad Request"])
def test_a_request_that_fails(serve: Callable[..., Server], status: str, provider: str) -> None:
    server = serve(b'{"error": {"message": "no, sk-test-0123456789abcdef"}}', status=status)
    done = run(server, "hi", provider=provider)
    assert done.returncode == 1
    assert done.stdout == b""
    (problem,) = lines(done.stderr)
    said = "no, ***"
    if status.startswith("401"):
        said += (
            " (base_url= was given without api_key=, and the key in the environment goes to its own"
            " address only: give api_key= as well, or name the address in the environment)"
        )
    assert problem == f"mirascope: {provider}/gpt-4o: {said} (HTTP {status[:3]})"


def test_a_timeout(serve: Callable[..., Server]) -> None:
    server = serve(event("part"), UNTIL_CLIENT_LEAVES)
    done = run(server, "hi", "--timeout", "1.5")
    assert done.returncode == 1
    assert done.stdout == b"part\n"
    problem, summary = lines(done.stderr)
    assert "did not end within 1.5 s" in problem
    assert summary.endswith("timed_out")
    assert server.left.wait(DEADLINE)


# Wrong usage


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-m", "gpt-4o", "hi"], "a model is named 'provider/model'"),
        (["-m", "gpt-4o", "--base-url", "http://127.0.0.1:1", "hi"], "a model is named"),
        (["-m", "nobody/x", "hi"], "no provider 'nobody' is installed"),
        (["-m", "compatible/x", "--api", "nope", "hi"], "has no API 'nope'"),
        (["-m", "compatible/x", "hi"], "no server is given"),
        (["-m", "compatible/x", "-p", "temperature", "hi"], "--param takes KEY=VALUE"),
        (["-m", "compatible/x", "-p", "=1", "hi"], "--param takes KEY=VALUE"),
        (["-m", "compatible/x", "-p", "a=1", "-p", "a=2", "hi"], "--param a is given twice"),
        (["-m", "compatible/x", "--timeout", "0", "hi"], "must be a positive number of seconds"),
        (["-m", "compatible/x", "  "], "the prompt is empty"),
        (["-m", "compatible/x", "-"], "the prompt is empty"),
        (["-m", "compatible/x", "\udcff"], "the prompt must be UTF-8 text"),
        (["-m", "compatible/x", "--system", "\udcff", "hi"], "system message must be UTF-8 text"),
    ],
)
def test_wrong_usage_is_one_clear_line(arguments: list[str], said: str) -> None:
    done = mirascope("run", *arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    (problem,) = lines(done.stderr)
    assert problem.startswith("mirascope: ")
    assert said in problem


@pytest.mark.parametrize(
    "arguments", [["run"], ["run", "--nope", "hi"], ["run", "--timeout", "x", "hi"], ["nope"]]
)
def test_a_command_line_that_cant_be_read(arguments: list[str]) -> None:
    done = mirascope(*arguments)
    assert done.returncode == 2
    assert lines(done.stderr)[0].startswith("Usage: mirascope")


def test_a_base_url_for_a_provider_without_one(tmp_path: object) -> None:
    plugin = f"{tmp_path}/fixed_plugin.py"
    with open(plugin, "w") as file:
        file.write(
            "from mirascope.core.plugins import ProviderSpec, hookimpl\n"
            "from mirascope_compatible import ChatProvider, CompatibleProvider\n"
            "class Fixed(CompatibleProvider):\n"
            "    name = 'fixed'\n"
            "    settings = frozenset()\n"
            "@hookimpl\n"
            "def mirascope_provider():\n"
            "    return ProviderSpec(name='fixed', api_version=1, package='fixed_plugin',\n"
            "        title='Fixed', apis={'chat': Fixed}, capabilities=frozenset())\n"
        )
    metadata = f"{tmp_path}/fixed_plugin-1.0.dist-info"
    os.mkdir(metadata)
    with open(f"{metadata}/METADATA", "w") as file:
        file.write("Metadata-Version: 2.1\nName: fixed-plugin\nVersion: 1.0\n")
    with open(f"{metadata}/entry_points.txt", "w") as file:
        file.write("[mirascope.providers]\nfixed = fixed_plugin\n")
    done = mirascope(
        "run", "-m", "fixed/x", "--base-url", "http://127.0.0.1:1", "hi", PYTHONPATH=str(tmp_path)
    )
    assert done.returncode == 2
    assert lines(done.stderr) == ["mirascope: provider 'fixed' takes no --base-url"]


# Leaving early


def test_ctrl_c_keeps_what_came_and_says_so(serve: Callable[..., Server]) -> None:
    # What is shown last has come last.
    server = serve(usage(12, 3), event("part"), UNTIL_CLIENT_LEAVES)
    arguments = ("run", "-m", "openai/gpt-4o", "--base-url", server.url, "hi")
    with subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(4) == b"part"
        process.send_signal(signal.SIGINT)
        rest, problems = process.communicate(timeout=DEADLINE)
    assert rest == b"\n"
    assert process.returncode == 1
    problem, summary = lines(problems)
    assert problem == "mirascope: stopped before the answer was complete"
    assert summary.startswith("openai/gpt-4o-2024-08-06: 12 tokens in, 3 out, $0.00006, ")
    assert summary.endswith("cancelled")
    assert server.left.wait(DEADLINE)


def test_ctrl_c_before_the_answer_begins(serve: Callable[..., Server]) -> None:
    server = serve(UNTIL_CLIENT_LEAVES)
    arguments = ("run", "-m", "compatible/gpt-4o", "--base-url", server.url, "hi")
    with subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as process:
        assert server.requested.wait(DEADLINE)
        process.send_signal(signal.SIGINT)
        output, problems = process.communicate(timeout=DEADLINE)
    assert (process.returncode, output) == (1, b"")
    assert lines(problems) == ["mirascope: stopped before the answer was complete"]


def test_a_pipe_that_is_closed_ends_the_run_quietly(serve: Callable[..., Server]) -> None:
    closed = threading.Event()
    server = serve(event("part"), closed, *map(event, ["more"] * 9), UNTIL_CLIENT_LEAVES)
    arguments = ("run", "-m", "compatible/gpt-4o", "--base-url", server.url, "hi")
    with subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(4) == b"part"
        process.stdout.close()
        closed.set()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(DEADLINE) == 1
    assert server.left.wait(DEADLINE)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_a_full_disk(serve: Callable[..., Server]) -> None:
    arguments = ("run", "-m", "compatible/gpt-4o", "--base-url", serve(*answer("ok")).url, "hi")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command(*arguments), stdout=full, stderr=subprocess.PIPE, env=environment()
        )
    assert done.returncode == 1
    assert lines(done.stderr) == ["mirascope: No space left on device"]


# In a terminal


class Terminal:
    """What a terminal of this size makes of the output.

    Lines that have left the screen at its top can't be changed any more: the cursor stops there.
    """

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._rows: list[list[str]] = [[]]
        self._row = self._column = 0

    def feed(self, output: str) -> None:
        position = 0
        for found in re.finditer(r"\x1b\[([?\d;]*)([A-Za-z])|[\x00-\x1f]", output):
            self._write(output[position : found.start()])
            position = found.end()
            top = max(0, len(self._rows) - self._height)
            match found[0], found[2]:
                case "\r", _:
                    self._column = 0
                case "\n", _:
                    self._line_feed()
                case _, "A":
                    self._row = max(top, self._row - int(found[1] or 1))
                case _, "K":
                    assert found[1] == "2"
                    self._rows[self._row] = []
                case _, "m" | "h" | "l":
                    pass
                case _:
                    pytest.fail(f"the terminal was sent {found[0]!r}")
        self._write(output[position:])

    def lines(self) -> list[str]:
        return ["".join(row).rstrip() for row in self._rows]

    def _write(self, text: str) -> None:
        for character in text:
            if self._column == self._width:
                self._column = 0
                self._line_feed()
            row = self._rows[self._row]
            row += " " * (self._column + 1 - len(row))
            row[self._column] = character
            self._column += 1

    def _line_feed(self) -> None:
        self._row += 1
        if self._row == len(self._rows):
            self._rows.append([])


class TerminalRun:
    """`mirascope run` with a terminal of 60 by 16 for its input and output."""

    def __init__(self, server: Server, *, term: str = "xterm-256color") -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 16, 60, 0, 0))
        self.process = subprocess.Popen(
            command("run", "-m", "compatible/gpt-4o", "--base-url", server.url, "hi"),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment(TERM=term),
        )
        os.close(slave)
        self.output = ""
        self._undecoded = b""

    def read_until(self, text: str) -> None:
        end = time.monotonic() + DEADLINE
        while text not in self.output:
            assert time.monotonic() < end, self.output
            assert self._read(), self.output

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def finish(self) -> int:
        while self._read():
            pass
        os.close(self._master)
        return self.process.wait(DEADLINE)

    def screen(self) -> list[str]:
        terminal = Terminal(60, 16)
        terminal.feed(self.output)
        return terminal.lines()

    def _read(self) -> bool:
        if not select.select([self._master], [], [], DEADLINE)[0]:
            self.process.kill()
            pytest.fail(f"nothing more came after {self.output!r}")
        try:
            data = os.read(self._master, 65536)
        except OSError:
            # Linux says so when the last process has left the terminal.
            return False
        self._undecoded += data
        text = self._undecoded.decode(errors="ignore")
        if text.encode() == self._undecoded:
            self.output += text
            self._undecoded = b""
        return bool(data)


LONG_ANSWER = "\n".join(
    [
        "# mark-0 title",
        "",
        "mark-1 a paragraph of **bold** words that is longer than the terminal is wide, with",
        "mark-2 a second line, <b>mark-3</b> and [mark-4](http://x.example/mark-5).",
        "",
        *[f"{number}. mark-{number + 5} item" for number in range(1, 31)],
        "",
        "```python",
        *[f"print('mark-{number}')" for number in range(36, 76)],
        "```",
        "",
        "| left | right |",
        "|------|-------|",
        *[f"| mark-{number} | cell |" for number in range(76, 106)],
        "",
        "- mark-106",
        "- mark-107",
        "  - mark-108",
        "",
        "> mark-109",
        "",
        "mark-110 " + " ".join(f"mark-{number}" for number in range(111, 300)),
        "",
        "mark-300",
    ]
)


def test_an_answer_taller_than_the_terminal_is_all_there_once(
    serve: Callable[..., Server],
) -> None:
    pieces = re.findall(r"(?s).{1,12}", LONG_ANSWER)
    steps: list[Step] = []
    for number, step in enumerate(answer(*pieces)):
        steps.append(step)
        if number % 4 == 0:
            # The steps are spread over time, so that much is repainted.
            steps.append(0.01)
    session = TerminalRun(serve(*steps))
    assert session.finish() == 0
    shown = session.screen()
    marks = re.findall(r"mark-\d+", "\n".join(shown))
    assert marks == [f"mark-{number}" for number in range(301)]
    assert " 9 mark-14 item" in [line.replace("  ", " ") for line in shown]
    assert "<b>mark-3</b> and mark-4 (http://x.example/mark-5)." in " ".join(shown)
    assert shown[-1] == ""
    assert "12 tokens in, 102 out" in "".join(shown[-3:])


@pytest.mark.parametrize(
    "rows",
    [
        ["| left | right |", "|---|---|", *[f"| row-{n} | cell |" for n in range(40)]],
        ["```", *[f"row-{n}" for n in range(40)]],
        ["- item", *[f"  - row-{n}" for n in range(40)]],
    ],
    ids=["table", "code", "list"],
)
def test_the_end_of_what_is_taller_than_the_terminal_shows(
    serve: Callable[..., Server], rows: list[str]
) -> None:
    seen = threading.Event()
    session = TerminalRun(serve(*[event(f"{row}\n") for row in rows], seen, *answer("")))
    session.read_until("row-39")
    assert "row-39" in "".join(session.screen()[-16:])
    seen.set()
    assert session.finish() == 0
    shown = re.findall(r"row-\d+", "\n".join(session.screen()))
    assert shown == [f"row-{n}" for n in range(40)]


FRAGMENTS = [
    "# Head\n",
    "para one two\n",
    "\n",
    "- a\n",
    "  - b\n",
    "    more\n",
    "1. x\n",
    "1. y\n",
    "7. z\n",
    "```\ncode\n\nmore code\n```\n",
    "```py\nx = 1\n",
    "```\n",
    "> quote\n",
    "> > inner\n",
    "| a | b |\n|---|---|\n| 1 | 2 |\n",
    "| 3 | 4 |\n",
    "---\n",
    "***\n",
    "===\n",
    "word ",
    "**bold",
    "** ",
    "*em* ",
    "`tick` ",
    "<b>html</b> ",
    "<div>\n",
    "[link](http://a.example) ",
    "[ref][1] ",
    "[1]: http://b.example\n",
    "![image](c.png) ",
    "long " * 30 + "\n",
    "日本語 ",
    "\t- tab\n",
    "row\n" * 25,
    "- item\n" * 20,
    "```\n" + "line\n" * 30,
]


def on_screen(pieces: list[str]) -> list[str]:
    """What a terminal shows of an answer that arrives like this, as words."""
    output = io.StringIO()
    console = Console(
        file=output, force_terminal=True, width=60, height=16, color_system=None, _environ={}
    )
    display = TerminalDisplay(console)
    for piece in pieces:
        display.text(piece)
    display.close(completed=True)
    terminal = Terminal(60, 16)
    terminal.feed(output.getvalue().replace("\n", "\r\n"))
    return re.findall(r"\w+", " ".join(terminal.lines()))


@settings(max_examples=60, deadline=None)
@given(
    fragments=st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=20),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=20),
)
def test_the_screen_ends_the_same_however_an_answer_is_cut(
    fragments: list[str], sizes: list[int]
) -> None:
    source = "".join(fragments)
    pieces, start = [], 0
    for size in itertools.cycle(sizes):
        pieces.append(source[start : start + size])
        start += size
        if start >= len(source):
            break
    with pytest.MonkeyPatch.context() as patch:
        # Everything is settled and painted as soon as it can be, not when a tenth of a second is
        # over.
        patch.setattr("mirascope.cli._terminal._pause", lambda took: 0.0)
        assert on_screen(pieces) == on_screen([source])


def test_text_is_shown_while_it_arrives(serve: Callable[..., Server]) -> None:
    seen = threading.Event()
    session = TerminalRun(serve(event("Half a **sent"), seen, *answer("ence** is *shown*")))
    session.read_until("Half a **sent")
    seen.set()
    assert session.finish() == 0
    assert session.screen()[0] == "Half a sentence is shown"
    # The cursor is back.
    assert session.output.rfind("\x1b[?25h") > session.output.rfind("\x1b[?25l")


def test_reasoning_is_dimmed(serve: Callable[..., Server]) -> None:
    thoughts = [event(reasoning_content="let me "), event(reasoning_content="think\nabout it")]
    session = TerminalRun(serve(*thoughts, *answer("Yes.")))
    assert session.finish() == 0
    assert session.screen()[:4] == ["let me think", "about it", "", "Yes."]
    assert "\x1b[2mlet me " in session.output


def test_what_a_model_sends_does_not_command_the_terminal(serve: Callable[..., Server]) -> None:
    evil = "a\x1b]0;title\x07b\x1b[2J\x9b2Jc"
    session = TerminalRun(serve(event(reasoning_content=evil), *answer(evil)))
    assert session.finish() == 0
    assert session.screen()[0] == "a␛]0;title␇b␛[2J\ufffd2Jc"
    assert session.screen()[2] == "a␛]0;title␇b␛[2J\ufffd2Jc"


def test_a_terminal_that_can_do_nothing_gets_plain_text(serve: Callable[..., Server]) -> None:
    session = TerminalRun(serve(*answer("**a**\x1b[1m\n", "b")), term="dumb")
    assert session.finish() == 0
    assert session.screen()[:2] == ["**a**␛[1m", "b"]
    assert "\x1b" not in session.output


def test_ctrl_c_in_a_terminal(serve: Callable[..., Server]) -> None:
    # The last line is as wide as the terminal: what is typed would be shown on the next one.
    last = "Two *and" + " x" * 26
    server = serve(event(f"One.\n\n{last}"), UNTIL_CLIENT_LEAVES)
    session = TerminalRun(server)
    session.read_until(last)
    session.type(b"^C")
    session.process.send_signal(signal.SIGINT)
    assert session.finish() == 1
    shown = session.screen()
    assert shown[:4] == [
        "One.",
        "",
        last,
        "mirascope: stopped before the answer was complete",
    ]
    assert "cancelled" in "".join(shown[4:])
    assert session.output.rfind("\x1b[?25h") > session.output.rfind("\x1b[?25l")
    assert "Traceback" not in session.output
    assert server.left.wait(DEADLINE)


# The rest of the command line


def test_help_and_version_load_no_library() -> None:
    heavy = "mirascope.core", "pluggy", "openai", "httpx", "httpx2"
    for arguments, said in [
        (["--help"], "providers"),
        (["run", "--help"], "PROVIDER/MODEL"),
        (["replay", "--help"], "--chunk-bytes"),
        (["--version"], "mirascope-core 0."),
    ]:
        code = (
            "import sys\n"
            "from mirascope.__main__ import main\n"
            f"sys.argv = ['mirascope', *{arguments!r}]\n"
            "try:\n"
            "    main()\n"
            "except SystemExit as end:\n"
            "    assert not end.code, end.code\n"
            f"loaded = [name for name in {heavy!r} if name in sys.modules]\n"
            "assert not loaded, loaded\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, env=environment(), timeout=DEADLINE
        )
        assert done.returncode == 0, done.stderr.decode()
        assert said in done.stdout.decode()


def test_streams_that_were_closed_before_the_start(serve: Callable[..., Server]) -> None:
    script = '"$0" -m mirascope run -m compatible/x --base-url "$1" hi >&- 2>&- <&-'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable, serve(*answer("ok")).url],
        env=environment(),
        timeout=DEADLINE,
    )
    assert done.returncode == 0
