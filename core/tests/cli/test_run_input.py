"""What `mirascope run` is asked, of whom, and in which form it answers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mirascope.cli._wording import at_a_shell
from mirascope.core.testing import Server, streamed
from mirascope_tests.chat import answer, chunk

from .program import DEADLINE, command, environment, lines, mirascope, run

PNG = b"\x89PNG\r\n\x1a\n0000"
DATA_URL = "data:image/png;base64,iVBORw0KGgowMDAw"

Serve = Callable[..., Server]


def asked(server: Server) -> Any:
    (request,) = server.requests
    return request.json["messages"]


def ask(server: Server, *arguments: str, stdin: bytes = b"", **extra: str) -> Any:
    address = ("--base-url", server.url)
    return mirascope("run", "-m", "openai/gpt-4o", *address, *arguments, stdin=stdin, **extra)


@pytest.mark.parametrize(
    ("arguments", "piped", "content"),
    [
        (["Summarise"], "ARTICLE\n", "Summarise\n\nARTICLE"),
        (["Summarise"], "", "Summarise"),
        (["Summarise"], " \n", "Summarise"),
        ([], "ARTICLE\n", "ARTICLE"),
        (["-"], "ARTICLE\n", "ARTICLE"),
    ],
)
def test_what_is_piped_in_joins_the_prompt(
    serve: Serve, arguments: list[str], piped: str, content: str
) -> None:
    server = serve(streamed(*answer("ok")))
    done = ask(server, *arguments, stdin=piped.encode())
    assert done.returncode == 0, done.stderr
    assert asked(server) == [{"role": "user", "content": content}]


def test_a_file_is_read_like_a_pipe(serve: Serve, tmp_path: Path) -> None:
    server = serve(streamed(*answer("ok")))
    article = tmp_path / "article.txt"
    article.write_text("ARTICLE")
    with article.open() as stdin:
        arguments = ("run", "-m", "openai/gpt-4o", "--base-url", server.url, "Summarise")
        subprocess.run(command(*arguments), stdin=stdin, env=environment(), timeout=DEADLINE)
    assert asked(server)[0]["content"] == "Summarise\n\nARTICLE"


def test_who_waits_for_standard_input_is_told_so(serve: Serve) -> None:
    server = serve(streamed(*answer("ok")))
    process = subprocess.Popen(
        command("run", "-m", "openai/gpt-4o", "--base-url", server.url, "Summarise"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdin is not None
    assert process.stderr is not None
    try:
        assert b"waiting for the end of standard input" in process.stderr.readline()
        process.stdin.write(b"ARTICLE")
        process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
        process.wait()
    assert asked(server)[0]["content"] == "Summarise\n\nARTICLE"


def test_images_go_with_the_prompt(serve: Serve, tmp_path: Path) -> None:
    server = serve(streamed(*answer("ok")), streamed(*answer("ok")))
    (tmp_path / "x.png").write_bytes(PNG)
    files = ("-a", str(tmp_path / "x.png"), "--attachment", "https://example.com/y.png")
    done = ask(server, *files, "What is it?", stdin=b"Be brief.")
    assert done.returncode == 0, done.stderr
    urls = [DATA_URL, "https://example.com/y.png"]
    content = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    text = {"type": "text", "text": "What is it?\n\nBe brief."}
    assert asked(server)[0]["content"] == [*content, text]
    ask(server, "-a", "-", "What?", stdin=PNG)
    assert server.requests[1].json["messages"][0]["content"][0]["image_url"]["url"] == DATA_URL


def test_documents_and_audio_go_with_it_too(serve: Serve, tmp_path: Path) -> None:
    server = serve(streamed(*answer("ok")))
    (tmp_path / "x.pdf").write_bytes(b"%PDF-1.7 ...")
    (tmp_path / "x.wav").write_bytes(b"RIFF0000WAVEfmt ")
    done = ask(server, "-a", str(tmp_path / "x.pdf"), "-a", str(tmp_path / "x.wav"), "Compare")
    assert done.returncode == 0, done.stderr
    kinds = [part["type"] for part in asked(server)[0]["content"]]
    assert kinds == ["file", "input_audio", "text"]


def test_the_whole_as_json(serve: Serve) -> None:
    done = run(serve(streamed(*answer("Grüße, ", "Welt"))), "hi", "--format", "json")
    (line,) = done.stdout.decode().splitlines()
    found = json.loads(line)
    assert (found["provider"], found["state"], found["text"]) == (
        "compatible",
        "completed",
        "Grüße, Welt",
    )
    assert found["usage"]["completion_tokens"] == 102
    assert len(lines(done.stderr)) == 1


def test_pieces_as_lines_of_json(serve: Serve) -> None:
    call = {"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{}"}}
    events = [
        chunk(reasoning_content="hm"),
        chunk(tool_calls=[call]),
        *answer("a", "\ud83d", "\ude00"),
    ]
    done = run(serve(streamed(*events)), "hi", "--format", "jsonl")
    *pieces, whole = map(json.loads, done.stdout.decode().splitlines())
    assert {"thinking": "hm"} in pieces
    assert {"tool_call": {"id": "c1", "name": "f", "arguments": "{}"}} in pieces
    assert "".join(piece.get("text", "") for piece in pieces) == "a😀" == whole["text"]


def test_what_broke_is_in_the_json(serve: Serve) -> None:
    done = run(serve(streamed(chunk("part"))), "hi", "--format", "json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert (found["state"], found["text"]) == ("truncated", "part")
    assert found["error"]["type"] == "StreamTruncatedError"


# Whom


def default(server: Server, **extra: str) -> str:
    done = mirascope("run", "hi", OPENAI_BASE_URL=server.url, **extra)
    assert done.returncode == 0, done.stderr
    return str(server.requests[-1].json["model"])


def test_the_model_where_none_is_named(serve: Serve) -> None:
    server = serve(streamed(*answer("ok")), streamed(*answer("ok")))
    keys = {"ANTHROPIC_API_KEY": "", "GEMINI_API_KEY": "", "GOOGLE_API_KEY": ""}
    assert default(server, MIRASCOPE_MODEL="openai/named", **keys) == "named"
    assert default(server, MIRASCOPE_MODEL="", **keys) == "gpt-4o-mini"


def test_no_model_and_no_key() -> None:
    keys = ("ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENAI_API_KEY")
    extra = {**dict.fromkeys(keys, ""), "MIRASCOPE_MODEL": "", "MIRASCOPE_DISABLE_PLUGINS": "local"}
    done = mirascope("run", "hi", **extra)
    assert done.returncode == 2
    (line,) = lines(done.stderr)
    assert line == (
        "mirascope: no model is named: give --model PROVIDER/MODEL, or set MIRASCOPE_MODEL or "
        "ANTHROPIC_API_KEY or GEMINI_API_KEY or OPENAI_API_KEY"
    )


def test_the_models_that_are_known() -> None:
    done = mirascope("models", "-q", "gpt-4o", "-q", "MINI")
    assert done.returncode == 0
    found = lines(done.stdout)
    assert "openai/gpt-4o-mini  input 0.15  cache_read 0.075  output 0.6" in "\n".join(found)
    assert all("gpt-4o" in line and "mini" in line for line in found)
    parsed = json.loads(mirascope("models", "--format", "json", "-q", "deepseek/").stdout)
    assert parsed[0]["model"].startswith("deepseek/")
    done = mirascope("models", "-q", "nobody's")
    assert (done.returncode, done.stdout) == (1, b"")
    assert "no model of that name is known" in done.stderr.decode()


def test_a_shell_completes_the_names_of_models() -> None:
    done = mirascope(
        _MIRASCOPE_COMPLETE="complete_bash",
        COMP_WORDS="mirascope run -m openai/gpt-4o-m",
        COMP_CWORD="3",
    )
    assert "openai/gpt-4o-mini" in done.stdout.decode().split()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("pass base_url= or set X", "give --base-url or set X"),
        ("set OPENAI_API_KEY, or give client=OpenAI(api_key=…) (no)", "set OPENAI_API_KEY (no)"),
        ("no key is known: set X or give api_key=", "no key is known: set X or give -p api_key=…"),
        ("as in model='/a/b.gguf'", "as in --model local//a/b.gguf"),
        ("name its provider (provider=)", "name its provider (--provider)"),
        (
            "use 'google' with client=genai.Client(vertexai=True)",
            "use 'google' with the client genai.Client in a program",
        ),
    ],
)
def test_messages_speak_of_options(message: str, words: str) -> None:
    assert at_a_shell(message) == words


@pytest.mark.parametrize(
    "model", ["openai/x", "anthropic/x", "google/x", "deepseek/x", "vertex/x", "compatible/x"]
)
def test_no_message_at_a_shell_speaks_python(model: str) -> None:
    keys = (
        "ANTHROPIC_API_KEY",
        "GEMINI_API_KEY",
        "GOOGLE_API_KEY",
        "OPENAI_API_KEY",
        "DEEPSEEK_API_KEY",
    )
    done = mirascope("run", "-m", model, "hi", **dict.fromkeys(keys, ""))
    assert done.returncode in (1, 2)
    (line,) = lines(done.stderr)
    assert "client=" not in line
    assert "base_url=" not in line
    assert " api_key=" not in line.replace("-p api_key=", "")


def test_ctrl_c_ends_a_loop_of_the_shell(serve: Serve) -> None:
    code = (
        "import os, signal, sys\n"
        "from mirascope.cli import run_command_line\n"
        "import mirascope.cli._run as r\n"
        "r.user_content = lambda *_: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.argv = ['mirascope', 'run', '-m', 'compatible/x', 'hi']\n"
        "run_command_line()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), timeout=DEADLINE)
    assert done.returncode == -signal.SIGINT
