"""Recordings stand in for the calls of a test, whoever makes them and however."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from mirascope.core import MissingFileError, Recording, UsageError, stream_from
from mirascope.core.testing import Fault, FaultServer, recorded
from mirascope_tests.turns import WAYS, Way
from pydantic import BaseModel

pytestmark = pytest.mark.filterwarnings("ignore::mirascope.core.UnknownPriceWarning")

KEY = "Zq7pLw0aVt3mXk9cRb5nYd2s"
NOWHERE = "http://127.0.0.1:9"
ways = pytest.mark.parametrize("way", WAYS, ids=str)


class Book(BaseModel):
    title: str


def ask(way: Way, url: str, text: str = "Hi", key: str | None = None, **call: Any) -> Any:
    """What one call gives: its text, usage, finish reason and message."""
    module = importlib.import_module(f"mirascope_{way.provider}")
    given = {"base_url": url, **({"api": way.api} if way.api else {}), **call}
    if key is not None:
        given["api_key"] = key

    def prompt() -> str:
        return text

    async def prompt_async() -> str:
        return text

    async def read() -> Any:
        answer = await module.call_async("m", **given)(prompt_async)()
        return await answer.collect() if given.get("stream") else answer

    if way.is_async:
        return asyncio.run(read())
    answer = module.call("m", **given)(prompt)()
    return answer.collect() if given.get("stream") else answer


def looks(answer: Any) -> list[Any]:
    return [
        type(answer),
        answer.content,
        answer.usage,
        answer.common_usage,
        answer.finish_reason,
        answer.message_param,
        answer.user_message_param,
        type(answer.response),
        answer.id,
        answer.model,
    ]


@ways
def test_every_kind_of_call_is_recorded_and_read_again(way: Way, tmp_path: Path) -> None:
    path = tmp_path / "new" / "answer.jsonl"
    with FaultServer("Hello, world") as server, recorded(path) as recording:
        assert not recording.is_replay
        first = [ask(way, server.url, key=KEY, stream=stream) for stream in (True, False)]
    assert len(server.requests) == len(recording.recordings) == 2
    assert [each.streamed for each in recording.recordings] == [True, False]
    assert KEY.encode() not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    with recorded(path, when="never") as recording:
        assert recording.is_replay
        # Without a key, without a server, and in any order.
        again = [ask(way, NOWHERE, stream=stream) for stream in (False, True)]
    assert [looks(answer) for answer in again] == [looks(answer) for answer in reversed(first)]
    assert all(answer.is_replay for answer in again)


@ways
def test_values_are_made_of_recordings_too(way: Way, tmp_path: Path) -> None:
    path = tmp_path / "book.jsonl"
    given: Any = {"response_model": Book, "response_mode": "json"}
    if way.provider == "anthropic":
        given["response_mode"] = "tool"
        server = FaultServer("", calls=[("Book", {"title": "Emma"})])
    else:
        server = FaultServer('{"title": "Emma"}')
    with server, recorded(path):
        assert ask(way, server.url, key=KEY, **given).title == "Emma"
    with recorded(path):
        assert ask(way, NOWHERE, **given).title == "Emma"


WAY = WAYS[0]


def test_a_request_that_has_changed_is_told(tmp_path: Path) -> None:
    path = tmp_path / "answer.jsonl"
    with FaultServer() as server, recorded(path):
        ask(WAY, server.url)
    with (
        pytest.raises(
            UsageError, match=r"answer\.jsonl' has no answer for call 1 \(compatible/m\)"
        ),
        recorded(path),
    ):
        ask(WAY, NOWHERE, "Something else")
    with (
        pytest.raises(UsageError, match="the request has other 'messages' and 'seed' than the one"),
        recorded(path),
    ):
        ask(WAY, NOWHERE, "Something else", seed=1)
    with recorded(path, match="order"):
        assert ask(WAY, NOWHERE, "Something else").content == "Hello, world"
    with pytest.raises(UsageError, match="those that it had are used up"), recorded(path):  # noqa: PT012
        ask(WAY, NOWHERE)
        ask(WAY, NOWHERE)


def test_a_program_that_hides_errors_does_not_hide_this_one(tmp_path: Path) -> None:
    path = tmp_path / "answer.jsonl"
    with FaultServer() as server, recorded(path):
        ask(WAY, server.url)

    def program() -> str:
        try:
            return str(ask(WAY, NOWHERE, "Something else").content)
        except Exception:
            return "sorry"

    with pytest.raises(UsageError, match="no answer for call 1"), recorded(path):
        assert program() == "sorry"


def test_a_stream_that_nobody_read_has_used_nothing_up(tmp_path: Path) -> None:
    path = tmp_path / "answer.jsonl"
    with FaultServer() as server, recorded(path):
        ask(WAY, server.url, stream=True)

    compatible = importlib.import_module("mirascope_compatible")

    @compatible.call("m", stream=True, base_url=NOWHERE)
    def hi() -> str:
        return "Hi"

    with recorded(path):
        hi()
        assert hi().collect().content == "Hello, world"


def test_threads_and_nested_blocks(tmp_path: Path) -> None:
    outer, inner = tmp_path / "outer.jsonl", tmp_path / "inner.jsonl"
    for path, text in ((outer, "outer"), (inner, "inner")):
        with FaultServer(text) as server, recorded(path):
            ask(WAY, server.url)
            ask(WAY, server.url)
    said: list[str] = []
    with recorded(outer):
        thread = threading.Thread(target=lambda: said.append(ask(WAY, NOWHERE).content))
        thread.start()
        thread.join()
        with recorded(inner):
            said.append(ask(WAY, NOWHERE).content)
        said.append(ask(WAY, NOWHERE).content)
    assert said == ["outer", "inner", "outer"]


def test_what_is_left_by_a_block_that_fails(tmp_path: Path) -> None:
    path = tmp_path / "answer.jsonl"
    with pytest.raises(ZeroDivisionError), FaultServer() as server, recorded(path):  # noqa: PT012
        ask(WAY, server.url)
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_call_without_an_answer_is_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "answer.jsonl"
    with FaultServer("Hi", Fault.status(429), None) as server, recorded(path) as recording:
        with pytest.raises(Exception, match="429"):
            ask(WAY, server.url)
        ask(WAY, server.url)
    assert len(recording.recordings) == 1


def test_record_of_the_calls_rests(tmp_path: Path) -> None:
    own, path = tmp_path / "own.jsonl", tmp_path / "answer.jsonl"
    with FaultServer() as server, recorded(path):
        ask(WAY, server.url, stream=True, record=own)
    with recorded(path):
        ask(WAY, NOWHERE, stream=True, record=own)
    assert not own.exists()
    assert stream_from(path).collect().content == "Hello, world"


def test_when(tmp_path: Path) -> None:
    path = tmp_path / "answer.jsonl"
    with (
        pytest.raises(MissingFileError, match="when='never' makes none"),
        recorded(path, when="never"),
    ):
        pass
    for text in ("one", "two"):
        with FaultServer(text) as server, recorded(path, when="always"):
            ask(WAY, server.url)
    with recorded(path):
        assert ask(WAY, NOWHERE).content == "two"
    with pytest.raises(UsageError, match="when must be one of"):
        recorded(path, when="sometimes")  # type: ignore[arg-type]
    path.write_bytes(b"no recording")
    with pytest.raises(UsageError, match="is not a recording"), recorded(path):
        pass


def test_several_recordings_of_one_file() -> None:
    who = b'"provider":"p","api":"a","model":"m"'
    line = b'{"mirascope_recording":1,"date":"2026-03-01T12:00:00+00:00",%b}\n' % who
    assert len(Recording.parse_all(line + line)) == 2
    for data in (b"", b"x", b"x\n" + line):
        with pytest.raises(UsageError, match="not a recording"):
            Recording.parse_all(data)


TESTS = """
import os
from mirascope.core import RateLimitError, compatible
from mirascope.core.testing import Fault
import pytest

def bot(url):
    @compatible.call("m", base_url=url)
    def hi():
        "Hi"
    return hi().content

def test_recorded(recorded, fault_server):
    url = fault_server("Hello").url if os.environ.get("FIRST") else "http://127.0.0.1:9"
    with recorded("answer.jsonl"):
        assert bot(url) == "Hello"

def test_fault(fault_server):
    server = fault_server("Hello", Fault.status(429, retry_after=3), None)
    with pytest.raises(RateLimitError) as caught:
        bot(server.url)
    assert caught.value.retry_after == 3
    assert bot(server.url) == "Hello"
"""


def test_the_fixtures(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "test_it.py").write_text(TESTS)

    def pytest_run(*options: str, **variables: str) -> str:
        words = ["-m", "pytest", "-q", "-p", "mirascope._pytest_plugin", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [sys.executable, *words, *options, "--rootdir=.", "sub"],
            cwd=tmp_path,
            env={"PATH": "", **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout + done.stderr

    assert "1 failed, 1 passed" in (printed := pytest_run("--mirascope-record=never")), printed
    assert "2 passed" in (printed := pytest_run(FIRST="1")), printed
    assert (tmp_path / "sub" / "answer.jsonl").exists()
    assert "2 passed" in (printed := pytest_run("--mirascope-record=never")), printed


def test_a_run_of_pytest_does_not_import_the_library(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "def test_it():\n    import sys\n    assert 'mirascope.core' not in sys.modules\n"
    )
    words = ["-m", "pytest", "-q", "-p", "mirascope._pytest_plugin", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, *words, "--rootdir=."],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "1 passed" in done.stdout, done.stdout + done.stderr
