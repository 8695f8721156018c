"""Gemini's protocol against an independent server: `uv run nox -s peers`.

The peer is the PyPI distribution `llmock`, which has Gemini's wire format from its own reading of
Google's documents.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

LLMOCK = shutil.which("llmock", path=str(Path(sys.executable).parent))
pytestmark = pytest.mark.skipif(LLMOCK is None, reason="llmock is not installed")


@contextmanager
def peer(*options: str) -> Iterator[str]:
    """Run the peer on 127.0.0.1; the value is the address of its Gemini API."""
    assert LLMOCK is not None
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [LLMOCK, "serve", "--host", "127.0.0.1", "--port", str(port), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/gemini"
    finally:
        process.terminate()
        process.wait(10)


def client(address: str) -> Any:
    from google import genai

    # The peer knows the older version of the API's path.
    options: Any = {"base_url": address, "api_version": "v1beta"}
    return genai.Client(api_key="key-of-nobody", http_options=options)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_text_and_usage(asynchronous: bool) -> None:
    from mirascope.core import google

    with peer() as address:
        gemini = client(address)
        if asynchronous:

            @google.call_async("gemini-2.5-flash", stream=True, client=gemini)
            async def greet_async() -> None:
                """Say hello"""

            async def run() -> Any:
                stream = await greet_async()
                async for _ in stream:
                    pass
                await gemini.aio.aclose()
                return stream

            stream = asyncio.run(run())
        else:

            @google.call("gemini-2.5-flash", stream=True, client=gemini)
            def greet() -> None:
                """Say hello"""

            stream = greet()
            stream.collect()
        gemini.close()
    assert stream.state == "completed"
    assert "Say hello" in stream.content
    assert stream.common_usage.input_tokens > 0
    assert stream.common_usage.output_tokens > 0
    assert stream.message_param["role"] == "model"


def test_an_error_before_the_stream() -> None:
    from mirascope.core import RateLimitError, google

    with peer("--error-rate", "429=1.0") as address, client(address) as gemini:

        @google.call("gemini-2.5-flash", stream=True, client=gemini)
        def greet() -> None:
            """Say hello"""

        with pytest.raises(RateLimitError):
            greet().collect()
