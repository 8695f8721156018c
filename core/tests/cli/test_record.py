"""`mirascope run --record` and `mirascope replay` of what it wrote, as processes (L1, L3, L4)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mirascope.core.testing import Hold, Pause, ReceivedRequest, Server, Step, streamed, whole
from mirascope_tests.programs import running

KEY = "sk-test-0123456789abcdef"
PAUSE = 0.2


def event(content: str | None = None, finish: str | None = None) -> bytes:
    delta = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "chatcmpl-1", "model": "gpt-4o-2024-08-06", "choices": [choice]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def response_event(kind: str, **fields: Any) -> bytes:
    data = json.dumps({"type": kind, **fields})
    return f"event: {kind}\ndata: {data}\n\n".encode()


USAGE = {"prompt_tokens": 12, "completion_tokens": 102, "total_tokens": 114}
CHAT = [
    event("Grüße, "),
    event("Welt"),
    event(finish="stop"),
    b"data: " + json.dumps({"choices": [], "usage": USAGE}).encode() + b"\n\n",
    b"data: [DONE]\n\n",
]
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "gpt-4o-2024-08-06",
    "output": [],
    "usage": {"input_tokens": 12, "output_tokens": 102, "total_tokens": 114},
}
RESPONSES = [
    response_event(
        "response.output_text.delta",
        item_id="msg_1",
        output_index=0,
        content_index=0,
        delta="Grüße, Welt",
        sequence_number=1,
    ),
    response_event("response.completed", response=RESPONSE, sequence_number=2),
]


def answer(request: ReceivedRequest) -> Iterable[Step]:
    """Answers in each API's own protocol; a prompt may ask for an answer that never ends."""
    prompt = str(request.json)
    if "fail" in prompt:
        return whole({"error": {"message": "out of order"}}, status=500)
    first, second, *rest = RESPONSES if request.path.endswith("/responses") else CHAT
    waiting = Hold() if "hold" in prompt else Pause(PAUSE)
    return streamed(first, Pause(PAUSE), second, waiting, *rest)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(answer, path="/v1") as served:
        yield served


Mirascope = Callable[..., "subprocess.CompletedProcess[bytes]"]


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "mirascope", *map(str, arguments)]


ENVIRONMENT = {**os.environ, "OPENAI_API_KEY": KEY}


def mirascope(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        command(*arguments), input=stdin, capture_output=True, timeout=60, env=ENVIRONMENT
    )
    assert b"Traceback" not in done.stderr
    return done


def run(
    server: Server, path: Path, *arguments: str, model: str = "openai/gpt-4o", prompt: str = "Hi"
) -> subprocess.CompletedProcess[bytes]:
    place = ("--base-url", server.url, "--record", path)
    return mirascope("run", "-m", model, *place, *arguments, prompt)


def summary_of(done: subprocess.CompletedProcess[bytes]) -> str:
    """The last line up to the times, which no two runs share."""
    return done.stderr.decode().splitlines()[-1].rpartition(", first")[0]


@pytest.mark.parametrize("model", ["openai/gpt-4o", "compatible/gpt-4o"])
def test_a_run_is_recorded_and_replayed(server: Server, tmp_path: Path, model: str) -> None:
    path = tmp_path / "answer.jsonl"
    done = run(server, path, "-p", "temperature=0.5", model=model)
    assert (done.returncode, done.stdout) == (0, "Grüße, Welt\n".encode())
    assert KEY.encode() not in path.read_bytes()
    assert b'"temperature":0.5' in path.read_bytes()
    again = mirascope("replay", path)
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert again.stderr.decode() == f"{summary_of(done)}, 4 events\n"
    answer = json.loads(mirascope("replay", path, "--format", "json").stdout)
    assert answer["state"] == "completed"
    assert (answer["text"], answer["n_events"]) == ("Grüße, Welt", 4)
    assert answer["usage"] == USAGE
    assert answer["cost"] == (0.00105 if model.startswith("openai") else None)


def test_the_wire_api_is_recorded(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "answer.jsonl"
    done = run(server, path, "--api", "responses")
    assert (done.returncode, done.stdout) == (0, "Grüße, Welt\n".encode())
    where = server.requests[0].path
    assert len(server.requests) == 1
    assert where == "/v1/responses"
    again = mirascope("replay", path)
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert again.stderr.decode() == f"{summary_of(done)}, 2 events\n"
    # Said by hand, it counts.
    wrong = mirascope("replay", path, "--provider", "openai", "--api", "chat")
    assert wrong.returncode == 1
    assert mirascope("replay", path, "--api", "responses").returncode == 0
    unknown = mirascope("replay", path, "--api", "nope")
    assert (unknown.returncode, unknown.stdout) == (2, b"")
    assert b"has no API 'nope'; it has: chat, responses" in unknown.stderr


def test_a_wire_api_that_a_provider_has_not(server: Server, tmp_path: Path) -> None:
    done = run(server, tmp_path, "--api", "responses", model="compatible/gpt-4o")
    assert (done.returncode, done.stdout) == (2, b"")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("mirascope: provider 'compatible' has no API 'responses'; it has: chat")
    assert list(tmp_path.iterdir()) == []


def test_the_pace_of_a_replay(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "answer.jsonl"
    assert run(server, path).returncode == 0
    start = time.monotonic()
    slow = mirascope("replay", path, "--speed", "0.25")
    # The second of the server's pauses at least, four times as long.
    assert time.monotonic() - start >= 4 * PAUSE
    assert (slow.returncode, slow.stdout) == (0, "Grüße, Welt\n".encode())
    for speed in ("-1", "nan"):
        done = mirascope("replay", path, f"--speed={speed}")
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"speed must be 0 or a positive number" in done.stderr


def test_a_file_is_never_overwritten(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "answer.jsonl"
    path.write_bytes(b"precious")
    done = run(server, path)
    assert (done.returncode, done.stdout) == (2, b"")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(f"mirascope: record: '{path}' exists, and a recording never overwrites")
    assert path.read_bytes() == b"precious"
    assert server.requests == []
    for _ in range(2):
        path.unlink(missing_ok=True)
        assert run(server, tmp_path).returncode == 0
    assert len(list(tmp_path.iterdir())) == 2


def test_an_error_before_the_response_leaves_no_file(server: Server, tmp_path: Path) -> None:
    done = run(server, tmp_path / "answer.jsonl", model="compatible/gpt-4o", prompt="fail")
    assert done.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_interrupted(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "answer.jsonl"
    url = server.url
    arguments = ["run", "-m", "openai/gpt-4o", "--base-url", url, "--record", path, "hold"]
    with running(
        subprocess.Popen(
            command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
        )
    ) as process:
        assert process.stdout is not None
        text = b""
        while not text.endswith(b"Welt"):
            text += process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        _, problems = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert b"Traceback" not in problems
    again = mirascope("replay", path)
    assert (again.returncode, again.stdout) == (1, "Grüße, Welt\n".encode())
    problem, summary = again.stderr.decode().splitlines()
    assert "the recording ends here: its stream was cancelled by its reader" in problem
    assert summary.endswith(", truncated")


def test_what_is_left_of_a_recording(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "answer.jsonl"
    assert run(server, path).returncode == 0
    lines = path.read_bytes().splitlines(keepends=True)
    cut = tmp_path / "cut.jsonl"
    at = next(number for number, line in enumerate(lines) if b"Welt" in line)
    cut.write_bytes(b"".join(lines[:at]) + lines[at][:50])
    done = mirascope("replay", cut)
    assert (done.returncode, done.stdout) == (1, "Grüße, \n".encode())
    assert f"the recording ends here: its line {at + 1} was cut" in done.stderr.decode()
    answer = json.loads(mirascope("replay", cut, "--format", "json").stdout)
    assert (answer["state"], answer["text"]) == ("truncated", "Grüße, ")
    assert answer["error"]["type"] == "StreamTruncatedError"
    # Cut behind the provider's own end: the answer is whole, and it is said all the same.
    cut.write_bytes(b"".join(lines[:-1]))
    done = mirascope("replay", cut)
    assert (done.returncode, done.stdout) == (0, "Grüße, Welt\n".encode())
    note, summary = done.stderr.decode().splitlines()
    assert note == (
        "the recording ends behind the answer: it has no last line, as when the process that wrote "
        "it was killed"
    )
    assert "12 tokens in, 102 out" in summary


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            b"".join(CHAT),
            "is not a recording: if it is the body of a response, name its",
        ),
        (b"\x89PNG", "is not a recording"),
        (b'{"mirascope_recording":1,"da', "was cut in its first line"),
        (b'{"mirascope_recording":9}\n', "has format 9 and this version of mirascope-core reads"),
    ],
)
def test_what_is_not_a_recording(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "answer"
    path.write_bytes(data)
    for arguments, stdin in (([path], b""), (["-"], data), ([path, "--format", "json"], b"")):
        done = mirascope("replay", *arguments, stdin=stdin)
        assert (done.returncode, done.stdout) == (2, b"")
        (line,) = done.stderr.decode().splitlines()
        assert said in line
        assert (str(path) in line) is (arguments != ["-"])


def test_recordings_and_bodies_together(server: Server, tmp_path: Path) -> None:
    assert run(server, tmp_path / "1.jsonl").returncode == 0
    assert run(server, tmp_path / "2.jsonl", "--api", "responses").returncode == 0
    (tmp_path / "3.sse").write_bytes(b"".join(CHAT))
    (tmp_path / "4.jsonl").write_bytes(b'{"mirascope_recording":9}')
    names = [str(path) for path in sorted(tmp_path.iterdir())]
    done = mirascope("replay", "--many", stdin="\n".join(names).encode())
    assert done.returncode == 1
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["file"] for answer in answers] == names
    assert [answer["text"] for answer in answers] == ["Grüße, Welt", "Grüße, Welt", "", ""]
    assert [(answer["error"] or {}).get("type") for answer in answers] == [
        None,
        None,
        "UsageError",
        "UsageError",
    ]
    # With a provider, the body has one too.
    told = mirascope(
        "replay", "--many", "--provider", "openai", stdin="\n".join(names[::2]).encode()
    )
    assert told.returncode == 0
    assert told.stdout.count("Grüße, Welt".encode()) == 2


@pytest.mark.parametrize("chunk_bytes", ["1", "7"])
def test_a_recording_in_other_pieces(server: Server, tmp_path: Path, chunk_bytes: str) -> None:
    path = tmp_path / "answer.jsonl"
    assert run(server, path).returncode == 0
    done = mirascope("replay", path, "--chunk-bytes", chunk_bytes)
    assert (done.returncode, done.stdout) == (0, "Grüße, Welt\n".encode())
