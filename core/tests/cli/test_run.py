"""`mirascope run` as a process: a real server and real pipes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from mirascope.core.testing import Hold, Server, streamed, whole
from mirascope_tests.chat import DONE, answer, chunk
from mirascope_tests.programs import running

from .program import DEADLINE, command, counted, environment, lines, mirascope, run

# Piped


@pytest.mark.parametrize("provider", ["compatible", "openai"])
def test_the_answer_is_piped_byte_for_byte(serve: Callable[..., Server], provider: str) -> None:
    pieces = ["# Grüße", "\n\n\n  ", "\x1b[1m**日本", "語**", "\r\n\tend  \n"]
    done = run(serve(streamed(*answer(*pieces))), "hello", provider=provider)
    assert done.stdout == "".join(pieces).encode() + b"\n"
    assert done.returncode == 0
    (line,) = lines(done.stderr)
    cost = r"\$0\.00105" if provider == "openai" else "cost unknown"
    assert re.fullmatch(
        rf"{provider}/gpt-4o-2024-08-06: 12 tokens in, 102 out, {cost}, "
        r"first token \d+\.\d\d s(, \d+\.\d tokens/s)?",
        line,
    )


def test_what_is_sent(serve: Callable[..., Server]) -> None:
    server = serve(streamed(*answer("ok")))
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
    assert [request.json for request in server.requests] == [
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
    server = serve(streamed(*answer("ok")))
    run(server, "-", stdin="  SYSTEM: {über}\nzwei\n".encode())
    assert server.requests[0].json["messages"] == [
        {"role": "user", "content": "  SYSTEM: {über}\nzwei"}
    ]


def test_reasoning_is_not_piped(serve: Callable[..., Server]) -> None:
    done = run(serve(streamed(chunk(reasoning_content="secret thoughts"), *answer("ok"))), "hi")
    assert done.stdout == b"ok\n"
    assert b"secret" not in done.stderr


def test_tool_calls_and_refusals_are_said(serve: Callable[..., Server]) -> None:
    call = {"index": 0, "id": "a", "function": {"name": "look_up", "arguments": '{"q": "x"}'}}
    steps = [chunk(tool_calls=[call]), chunk(refusal="I will not."), chunk(finish="tool_calls")]
    done = run(serve(streamed(*steps, counted(1, 2), DONE)), "hi")
    assert done.returncode == 0
    assert done.stdout == b"\n"
    said = lines(done.stderr)
    assert said[:2] == ['tool call: look_up({"q": "x"})', "the model declined: I will not."]
    assert said[2].startswith("compatible/gpt-4o-2024-08-06: 1 tokens in, 2 out, ")


def test_characters_that_were_cut_in_two_are_joined(serve: Callable[..., Server]) -> None:
    done = run(serve(streamed(*answer("a\ud83d", "\ude00b", "\ud83d"))), "hi")
    assert done.stdout == "a😀b\ufffd\n".encode()


def test_a_finish_reason_that_is_no_plain_end_is_said(serve: Callable[..., Server]) -> None:
    done = run(serve(streamed(chunk("a"), chunk(finish="length"), DONE)), "hi")
    assert done.returncode == 0
    assert lines(done.stderr)[-1].endswith("finish reason 'length'")


# Streams that do not complete


@pytest.mark.parametrize(
    ("steps", "said", "state"),
    [
        ([chunk("part")], "the response ended before its protocol", "truncated"),
        ([chunk("part"), b'data: {"err\n\n'], "an event is not valid JSON", "failed"),
        (
            [chunk("part"), b'data: {"error": {"message": "over\\n\\u001b[31mloaded"}}\n\n'],
            "over ␛[31mloaded",
            "failed",
        ),
    ],
)
def test_a_stream_that_breaks(
    serve: Callable[..., Server], steps: list[bytes], said: str, state: str
) -> None:
    done = run(serve(streamed(*steps)), "hi")
    assert done.returncode == 1
    assert done.stdout == b"part\n"
    problem, summary = lines(done.stderr)
    assert problem.startswith("mirascope: compatible/gpt-4o: ")
    assert said in problem
    assert summary.startswith("compatible/gpt-4o-2024-08-06: tokens not reported, cost unknown, ")
    assert summary.endswith(state)


@pytest.mark.parametrize("provider", ["compatible", "openai"])
@pytest.mark.parametrize("status", [401, 404, 400])
def test_a_request_that_fails(serve: Callable[..., Server], status: int, provider: str) -> None:
    server = serve(whole(b'{"error": {"message": "no, sk-test-0123456789abcdef"}}', status=status))
    done = run(server, "hi", provider=provider)
    assert done.returncode == 1
    assert done.stdout == b""
    (problem,) = lines(done.stderr)
    said = "no, ***"
    if status == 401:
        said += (
            " (--base-url was given without -p api_key=…, and the key in the environment goes to"
            " its own address only: give -p api_key=… as well, or name the address in the"
            " environment)"
        )
    assert problem == f"mirascope: {provider}/gpt-4o: {said} (HTTP {status})"


def test_a_timeout(serve: Callable[..., Server]) -> None:
    server = serve(streamed(chunk("part"), Hold()))
    done = run(server, "hi", "--timeout", "1.5")
    assert done.returncode == 1
    assert done.stdout == b"part\n"
    problem, summary = lines(done.stderr)
    assert "did not end within 1.5 s" in problem
    assert summary.endswith("timed_out")
    server.wait_closed(0, DEADLINE)


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
        (["-m", "compatible/x"], "no PROMPT is given: write one, or pipe it in"),
        (["-m", "compatible/x", "-a", "-", "-"], "standard input is read once"),
        (
            ["-m", "compatible/x", "-a", "missing.png", "hi"],
            "'missing.png': the image",
        ),
        (["-m", "compatible/x", "-a", sys.executable, "hi"], "the document"),
        (["-m", "compatible/x", "-p", "model=y", "hi"], "--param can't give 'model': name the"),
        (["-m", "compatible/x", "-p", "messages=[]", "hi"], "--param can't give 'messages'"),
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
    "arguments", [["run", "--nope", "hi"], ["run", "--timeout", "x", "hi"], ["nope"]]
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
    server = serve(streamed(counted(12, 3), chunk("part"), Hold()))
    arguments = ("run", "-m", "openai/gpt-4o", "--base-url", server.url, "hi")
    with running(
        subprocess.Popen(
            command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        )
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(4) == b"part"
        process.send_signal(signal.SIGINT)
        rest, problems = process.communicate(timeout=DEADLINE)
    assert rest == b"\n"
    # It dies of the signal, so that a loop in a shell ends as well; a shell shows 130.
    assert process.returncode == -signal.SIGINT
    problem, summary = lines(problems)
    assert problem == "mirascope: stopped before the answer was complete"
    assert summary.startswith("openai/gpt-4o-2024-08-06: 12 tokens in, 3 out, $0.00006, ")
    assert summary.endswith("cancelled")
    server.wait_closed(0, DEADLINE)


def test_ctrl_c_before_the_answer_begins(serve: Callable[..., Server]) -> None:
    server = serve(streamed(Hold()))
    arguments = ("run", "-m", "compatible/gpt-4o", "--base-url", server.url, "hi")
    with running(
        subprocess.Popen(
            command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        )
    ) as process:
        server.wait_requests(1, DEADLINE)
        process.send_signal(signal.SIGINT)
        output, problems = process.communicate(timeout=DEADLINE)
    assert (process.returncode, output) == (-signal.SIGINT, b"")
    problem, summary = lines(problems)
    assert problem == "mirascope: stopped before the answer was complete"
    assert re.fullmatch(
        r"compatible/gpt-4o: tokens not reported, cost unknown, no token in .* s, cancelled",
        summary,
    )


def test_a_pipe_that_is_closed_ends_the_run_quietly(serve: Callable[..., Server]) -> None:
    closed = threading.Event()
    server = serve(streamed(chunk("part"), Hold(closed), *map(chunk, ["more"] * 9), Hold()))
    arguments = ("run", "-m", "compatible/gpt-4o", "--base-url", server.url, "hi")
    with running(
        subprocess.Popen(
            command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        )
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(4) == b"part"
        process.stdout.close()
        closed.set()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(DEADLINE) == 1
    server.wait_closed(0, DEADLINE)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_a_full_disk(serve: Callable[..., Server]) -> None:
    arguments = (
        "run",
        "-m",
        "compatible/gpt-4o",
        "--base-url",
        serve(streamed(*answer("ok"))).url,
        "hi",
    )
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command(*arguments), stdout=full, stderr=subprocess.PIPE, env=environment()
        )
    assert done.returncode == 1
    assert lines(done.stderr) == ["mirascope: No space left on device"]


# The rest of the command line


def test_help_and_version_load_no_library() -> None:
    heavy = "mirascope.core", "pluggy", "openai", "httpx", "httpx2"
    for arguments, said in [
        (["--help"], "providers"),
        (["run", "--help"], "PROVIDER/MODEL"),
        (["replay", "--help"], "--chunk-bytes"),
        (["models", "--help"], "--query"),
        (["--version"], "mirascope-core 0."),
        (["-V"], "mirascope-core 0."),
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
        ["sh", "-c", script, sys.executable, serve(streamed(*answer("ok"))).url],
        env=environment(),
        timeout=DEADLINE,
    )
    assert done.returncode == 0
