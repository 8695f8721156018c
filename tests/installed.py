"""Try the distributions that the running interpreter has installed, as their users would.

`nox -s wheels` runs it in an environment that has the wheels of `dist/` and nothing of this
checkout. Nothing leaves the machine: requests go to a server in this process, and the embedded
model is local.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

TEXT = "Hello, you."

_CHAT = """\
data: {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "tiny", "choices": \
[{"index": 0, "delta": {"role": "assistant", "content": "Hello, "}, "finish_reason": null}]}

data: {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "tiny", "choices": \
[{"index": 0, "delta": {"content": "you."}, "finish_reason": "stop"}]}

data: {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "tiny", \
"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}}

data: [DONE]

"""

BODIES = {
    "openai": _CHAT,
    "compatible": _CHAT,
    "local": _CHAT,
    "anthropic": """\
data: {"type": "message_start", "message": {"id": "m1", "type": "message", "role": "assistant", \
"model": "claude-tiny", "content": [], "usage": {"input_tokens": 5, "output_tokens": 1}}}

data: {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}

data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", \
"text": "Hello, you."}}

data: {"type": "content_block_stop", "index": 0}

data: {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}

data: {"type": "message_stop"}

""",
    "google": """\
data: {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hello, you."}]}, \
"finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 3, \
"totalTokenCount": 8}, "modelVersion": "gemini-tiny"}

""",
}
"""A whole streamed answer of each provider: `TEXT`, 5 tokens in and 3 out."""

SNIPPET = """
from mirascope.core import openai

@openai.call(model="tiny", stream=True)
def recommend_book(genre: str):
    '''Recommend a {genre} book.'''

stream = recommend_book(genre="fantasy")
print("".join(chunk.content for chunk, _ in stream))
assert type(stream.usage).__name__ == "CompletionUsage", stream.usage
assert stream.state == "completed"
"""


def run(*arguments: str, environment: Mapping[str, str]) -> str:
    """Run this interpreter and return what it prints.

    Raises:
        SystemExit: it failed.
    """
    done = subprocess.run(
        [sys.executable, "-I", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def check(what: str, holds: bool, found: object = "") -> None:
    """Report one fact, and end where it does not hold."""
    print(f"{'ok' if holds else 'FAILED'}: {what} {'' if holds else found}".rstrip(), flush=True)
    if not holds:
        raise SystemExit(1)


def main() -> None:
    """Try everything."""
    import mirascope.core
    from mirascope.core.testing import Server, streamed

    home = Path(str(mirascope.core.__file__))
    check("mirascope is the installed one", home.is_relative_to(sys.prefix), home)

    with Server(streamed(_CHAT.encode()), path="/v1") as server:
        try_everything(server.url)


def try_everything(address: str) -> None:
    """Try the providers, the recordings and the command line; a server answers at `address`."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")
    environment = {name: os.environ[name] for name in kept if name in os.environ} | {
        "OPENAI_BASE_URL": address,
        "OPENAI_API_KEY": "key-of-nobody",
    }

    plugins = json.loads(
        run("-m", "mirascope", "providers", "--format", "json", environment=environment)
    )
    states = {plugin["name"]: plugin["state"] for plugin in plugins}
    check("every provider is well", states == dict.fromkeys(BODIES, "ok"), states)

    with tempfile.TemporaryDirectory() as directory:
        for provider, body in BODIES.items():
            path = Path(directory, provider)
            path.write_text(body, "utf-8")
            arguments = ["replay", str(path), "--provider", provider, "--format", "json"]
            report = json.loads(run("-m", "mirascope", *arguments, environment=environment))
            facts = [report["state"], report["text"], report["common_usage"]["output_tokens"]]
            check(f"a recorded answer of {provider}", facts == ["completed", TEXT, 3], report)

    printed = run("-c", SNIPPET, environment=environment)
    check("a stream through OpenAI's SDK", printed == f"{TEXT}\n", printed)
    arguments = ["run", "-m", "compatible/tiny", "Say hello"]
    printed = run("-m", "mirascope", *arguments, environment=environment)
    check("mirascope run, from a server", printed.strip() == TEXT, printed)
    printed = run("-m", "mirascope", "run", "Say hello", environment=environment)
    check("mirascope run, from the embedded model", bool(printed.strip()), printed)


if __name__ == "__main__":
    main()
