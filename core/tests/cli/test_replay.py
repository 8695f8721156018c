"""`mirascope replay` as a process, over bodies written here and over the recordings (L3, L4)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mirascope_tests.programs import running
from mirascope_tests.shared import CORPUS, needs_shared

PROTOCOLS = ("openai-chat", "openai-compatible")
FIELDS = [
    "state", "error", "text", "thinking", "refusal", "tool_calls", "finish_reason",
    "finish_reasons", "usage", "common_usage", "cost", "model", "id", "n_events",
]  # fmt: skip
DONE = b"data: [DONE]\n\n"


def event(data: object) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def delta(finish: str | None = None, **fields: object) -> bytes:
    choice = {"index": 0, "delta": fields, "finish_reason": finish}
    return event({"id": "chatcmpl-1", "model": "gpt-4o", "choices": [choice]})


def call(index: int, call_id: str | None, name: str, arguments: str) -> dict[str, object]:
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": call_id, "function": function}


def replay(
    *arguments: str | Path, stdin: bytes = b"", provider: str = "openai", **env: str
) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "mirascope", "replay", "--provider", provider, *arguments],
        input=stdin,
        capture_output=True,
        timeout=120,
        env={**os.environ, **env},
    )
    assert b"Traceback" not in done.stderr
    return done


def parse(line: bytes | str) -> dict[str, Any]:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    parsed = json.loads(line, parse_constant=refuse)
    assert isinstance(parsed, dict)
    return parsed


def replayed(body: bytes, *arguments: str | Path, **options: Any) -> dict[str, Any]:
    done = replay("-", "--format", "json", *arguments, stdin=body, **options)
    # It is UTF-8 on one line.
    assert done.stdout.decode().count("\n") == 1
    record = parse(done.stdout)
    assert list(record) == FIELDS
    assert done.returncode == (0 if record["state"] == "completed" else 1)
    return record


COMPLETE = b"".join(
    [
        delta(role="assistant", content="", reasoning_content="hmm"),
        delta(content="Hello, "),
        delta(content="wörld", tool_calls=[call(0, "a", "add", '{"x": 1, ')]),
        delta(tool_calls=[call(1, None, "b", "")]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": '"y": [null]}'}}]),
        delta(tool_calls=[call(2, "c", "cut", '{"text": "un'), call(3, "d", "nan", "[NaN]")]),
        delta(finish="tool_calls", refusal="no"),
        event({"choices": [], "usage": {"prompt_tokens": 1000, "completion_tokens": 20}}),
        DONE,
    ]
)  # fmt: skip


@pytest.mark.parametrize("chunk_bytes", [(), ("--chunk-bytes", "1"), ("--chunk-bytes", "7")])
def test_everything_that_a_recording_says(chunk_bytes: tuple[str, ...]) -> None:
    assert replayed(COMPLETE, *chunk_bytes) == {
        "state": "completed",
        "error": None,
        "text": "Hello, wörld",
        "thinking": "hmm",
        "refusal": "no",
        "tool_calls": [
            {"id": "a", "name": "add", "arguments": {"x": 1, "y": [None]}},
            {"id": None, "name": "b", "arguments": ""},
            {"id": "c", "name": "cut", "arguments": '{"text": "un'},
            {"id": "d", "name": "nan", "arguments": "[NaN]"},
        ],
        "finish_reason": "tool_calls",
        "finish_reasons": ["tool_calls"],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 20},
        "common_usage": {
            "input_tokens": 1000,
            "output_tokens": 20,
            "total_tokens": 1020,
            "cache_read_tokens": 0,
            "cache_write_tokens": 0,
            "reasoning_tokens": 0,
        },
        "cost": 0.0027,
        "model": "gpt-4o",
        "id": "chatcmpl-1",
        "n_events": 8,
    }


def test_a_file_and_the_api_by_name(tmp_path: Path) -> None:
    file = tmp_path / "answer.sse"
    file.write_bytes(COMPLETE)
    done = replay(file, "--format", "json", "--api", "chat", provider="compatible")
    assert done.returncode == 0
    record = parse(done.stdout)
    assert (record["text"], record["cost"]) == ("Hello, wörld", None)
    assert done.stderr == b""


def test_text_is_the_default(tmp_path: Path) -> None:
    file = tmp_path / "answer.sse"
    file.write_bytes(COMPLETE)
    done = replay(file, PYTHONIOENCODING="latin-1")
    assert done.returncode == 0
    assert done.stdout == "Hello, wörld\n".encode()
    said = done.stderr.decode("latin-1").splitlines()
    assert said[0] == 'tool call: add({"x": 1, "y": [null]})'
    assert said[-2:] == [
        "the model declined: no",
        "openai/gpt-4o: 1000 tokens in, 20 out, $0.0027, 8 events",
    ]


@pytest.mark.parametrize(
    ("body", "state", "error", "message"),
    [
        (COMPLETE[:300], "truncated", "StreamTruncatedError", "ended before its protocol"),
        (b"", "truncated", "StreamTruncatedError", "the response is empty"),
        (b"<html>\nno", "failed", "StreamDecodeError", "not an event stream: '<html>"),
        (b"\x00\xff\xfe", "failed", "StreamDecodeError", "not an event stream"),
        (
            delta(content="a") + b"data: {\n\n",
            "failed",
            "StreamDecodeError",
            "event is not valid JSON",
        ),
        (
            delta(content="a") + event({"error": {"message": "busy", "code": 503}}),
            "failed",
            "StreamProviderError",
            "busy",
        ),
    ],
)
def test_a_recording_that_is_not_complete(
    tmp_path: Path, body: bytes, state: str, error: str, message: str
) -> None:
    record = replayed(body)
    assert (record["state"], record["error"]["type"]) == (state, error)
    assert message in record["error"]["message"]
    file = tmp_path / "answer.sse"
    file.write_bytes(body)
    done = replay(file)
    assert done.returncode == 1
    problem, summary = done.stderr.decode().splitlines()
    assert problem.startswith("mirascope: openai: ")
    assert message in problem
    assert summary.endswith(f"events, {state}")


def test_what_json_cant_say() -> None:
    body = (
        b'data: {"id":"\\udc00","choices":[{"index":0,"delta":{"content":"a\\ud83d"}}],'
        b'"usage":{"prompt_tokens":1,"completion_tokens":1,"x":[NaN,-Infinity,1e999]}}\n\n'
        + delta(content="\ude00", finish="stop")
        + DONE
    )  # fmt: skip
    record = replayed(body)
    assert record["id"] == "\ufffd"
    assert record["text"] == "a😀"
    assert record["model"] == "gpt-4o"
    assert record["usage"]["x"] == [None, None, None]


def test_values_nested_too_deeply_are_no_traceback() -> None:
    deep = "[" * 900 + "]" * 900
    body = f'data: {{"choices":[],"usage":{{"x":{deep}}}}}\n\n'.encode()
    done = replay("--format", "json", "-", stdin=body + delta(finish="stop") + DONE)
    assert done.returncode in (0, 1)
    names = replay("--many", stdin=b"/nowhere\n")
    assert names.returncode == 1


# Tools


CHAT_TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}


def test_calls_of_tools_that_were_not_declared_are_reported(tmp_path: Path) -> None:
    tools = tmp_path / "tools.json"
    tools.write_text(json.dumps([CHAT_TOOL, {"name": "b", "description": "B"}, {"name": "cut"}]))
    done = replay("-", "--tools-json", tools, "--format", "json", stdin=COMPLETE)
    assert done.returncode == 0
    assert list(parse(done.stdout)) == FIELDS
    cut, unknown = done.stderr.decode().splitlines()
    assert cut.startswith("the arguments for 'cut' are not valid JSON")
    assert "'nan'" in unknown
    assert replay("-", "--format", "json", stdin=COMPLETE).stderr == b""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[", "is not valid JSON"),
        ("{}", "must be a JSON array of tools"),
        ('[{"name": "a"}, {}]', "tool 2 has no name"),
        ('[{"name": ""}]', "tool 1 has no name"),
        ('["a"]', "tool 1 has no name"),
        ('[{"name": "a"}, {"function": {"name": "a"}}]', "two tools are named 'a'"),
    ],
)
def test_a_tools_file_that_is_none(tmp_path: Path, content: str, said: str) -> None:
    tools = tmp_path / "tools.json"
    tools.write_text(content)
    done = replay("-", "--tools-json", tools)
    assert (done.returncode, done.stdout) == (2, b"")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(f"mirascope: '{tools}'")
    assert said in line


# Many


def test_many_files_of_which_some_fail(tmp_path: Path) -> None:
    good, cut = tmp_path / "good ä.sse", tmp_path / "cut.sse"
    good.write_bytes(COMPLETE)
    cut.write_bytes(COMPLETE[:300])
    odd = os.fsdecode(b"\xff.sse")
    (tmp_path / odd).write_bytes(COMPLETE)
    names = [str(good), str(tmp_path / "missing"), str(tmp_path), str(cut), "", str(tmp_path / odd)]
    done = replay("--many", stdin="\n".join(names).encode(errors="surrogateescape"))
    assert done.returncode == 1
    records = [parse(line) for line in done.stdout.splitlines()]
    assert all(list(record) == [*FIELDS, "file"] for record in records)
    # The empty line names no file.
    assert [record["file"] for record in records] == [name for name in names if name]
    assert [(record["state"], (record["error"] or {}).get("type")) for record in records] == [
        ("completed", None),
        ("failed", "FileNotFoundError"),
        ("failed", "IsADirectoryError"),
        ("truncated", "StreamTruncatedError"),
        ("completed", None),
    ]
    assert records[1]["error"]["message"] == "No such file or directory"
    assert done.stderr.decode().startswith(f"mirascope: {cut}: openai: the response ended")


def test_each_line_of_many_is_there_before_the_next_name(tmp_path: Path) -> None:
    file = tmp_path / "answer.sse"
    file.write_bytes(COMPLETE)
    with running(
        subprocess.Popen(
            [sys.executable, "-m", "mirascope", "replay", "--provider", "openai", "--many"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(2):
            process.stdin.write(f"{file}\n".encode())
            process.stdin.flush()
            assert parse(process.stdout.readline())["file"] == str(file)
        process.stdin.close()
        assert process.wait(30) == 0


def test_many_ends_quietly_with_its_reader(tmp_path: Path) -> None:
    file = tmp_path / "answer.sse"
    file.write_bytes(COMPLETE)
    with running(
        subprocess.Popen(
            [sys.executable, "-m", "mirascope", "replay", "--provider", "openai", "--many"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, problems = process.communicate(f"{file}\n".encode() * 3, timeout=30)
    assert (process.returncode, problems) == (1, b"")


# Wrong usage


@pytest.mark.parametrize(
    ("arguments", "provider", "said"),
    [
        (["/nowhere/answer.sse"], "openai", "'/nowhere/answer.sse': No such file or directory"),
        (["/"], "openai", "'/': Is a directory"),
        (["-"], "nobody", "no provider 'nobody' is installed"),
        (["-", "--api", "nope"], "openai", "provider 'openai' has no API 'nope'; it has: chat"),
        (["-", "--tools-json", "/nowhere"], "openai", "'/nowhere': No such file or directory"),
        ([], "openai", "no FILE is given"),
        (["-", "--many"], "openai", "--many reads the names"),
        (["--many", "--format", "text"], "openai", "--many reads the names"),
    ],
)
def test_wrong_usage(arguments: list[str], provider: str, said: str) -> None:
    done = replay(*arguments, provider=provider)
    assert (done.returncode, done.stdout) == (2, b"")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("mirascope: ")
    assert said in line


@pytest.mark.parametrize(
    "arguments",
    [["-", "--chunk-bytes", "0"], ["-", "--format", "xml"], ["-", "--nope"], ["a", "b"]],
)
def test_a_command_line_that_cant_be_read(arguments: list[str]) -> None:
    done = replay(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"Usage: mirascope replay")


# The recordings


def expected_arguments(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


@needs_shared
@pytest.mark.parametrize("provider", ["openai", "compatible"])
def test_the_recordings(provider: str) -> None:
    files = sorted(file for protocol in PROTOCOLS for file in (CORPUS / protocol).iterdir())
    assert len(files) > 200
    done = replay("--many", stdin="\n".join(map(str, files)).encode(), provider=provider)
    records = [parse(line) for line in done.stdout.splitlines()]
    assert [record["file"] for record in records] == list(map(str, files))
    wrong: list[object] = []
    for file, record in zip(files, records, strict=True):
        expected = json.loads(
            (CORPUS / "expected" / file.parent.name / file.name).with_suffix(".json").read_bytes()
        )
        for field, said in (
            ("text", expected["text"]),
            ("thinking", expected["thinking_text"]),
            ("refusal", expected["refusal"]),
            (
                "tool_calls",
                [
                    {
                        "id": tool["id"],
                        "name": tool["name"],
                        "arguments": expected_arguments(tool["arguments_raw"]),
                    }
                    for tool in expected["tool_calls"]
                ],
            ),
            ("finish_reason", expected["finish_reason"]),
            ("finish_reasons", expected["finish_reasons"]),
            ("usage", expected["usage"]),
            ("model", expected["model"]),
            ("id", expected["id"]),
            ("n_events", expected["n_events"]),
            ("state", "completed" if expected["error"] is None else "failed"),
        ):
            if record[field] != said:
                wrong.append((file.name, field, record[field], said))
        if (record["error"] is None) != (expected["error"] is None):
            wrong.append((file.name, "error", record["error"], expected["error"]))
    assert wrong == []
