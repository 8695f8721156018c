"""Streams and answers in a real notebook: `uv run nox -s notebooks`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from mirascope.core.testing import Pause, Server, streamed, whole
from mirascope_tests.chat import answer, completion

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

KEY = "sk-loopback-0123456789abcdef"
FIRST = """
from mirascope.core import compatible

options = {"base_url": URL, "api_key": KEY}

def fn():
    '''Hi'''

async def fn_async():
    '''Hi'''

stream = compatible.call("m", stream=True, **options)(fn)()
"""


class Kernel:
    """A notebook that is written cell by cell."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.messages: list[dict[str, Any]] = []
        client.on_cell_executed = None
        listen = client.process_message

        def process_message(message: dict[str, Any], *args: Any) -> Any:
            self.messages.append(message)
            return listen(message, *args)

        client.process_message = process_message

    def run(self, code: str) -> list[Any]:
        """Run a cell and return its outputs."""
        cell = nbformat.v4.new_code_cell(code)
        self.client.nb.cells.append(cell)
        self.client.execute_cell(cell, len(self.client.nb.cells) - 1)
        outputs: list[Any] = cell.outputs
        return outputs

    @property
    def cells(self) -> list[Any]:
        cells: list[Any] = self.client.nb.cells
        return cells

    def updates(self) -> list[str]:
        """The Markdown of every update of what was shown."""
        return [
            message["content"]["data"]["text/markdown"]
            for message in self.messages
            if message["msg_type"] == "update_display_data"
        ]


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    client = nbclient.NotebookClient(nbformat.v4.new_notebook(), timeout=60, kernel_name="python3")
    with client.setup_kernel():
        yield Kernel(client)


def begin(kernel: Kernel, server: Server) -> None:
    assert kernel.run(f"URL, KEY = {server.url!r}, {KEY!r}") == []
    assert kernel.run(FIRST) == []


def shown(outputs: list[Any]) -> str:
    (output,) = outputs
    text: str = output["data"]["text/markdown"]
    return text


def slow(*texts: str) -> Any:
    head, *rest = answer(*texts)
    return streamed(head, *(part for event in rest for part in (Pause(0.25), event)))


@pytest.mark.parametrize(
    "reads",
    [
        "for _ in stream: pass",
        "response = stream.collect()",
        "stream = await compatible.call_async('m', stream=True, **options)(fn_async)()\n"
        "display(stream)\nasync for _ in stream: pass",
    ],
    ids=["for", "collect", "async for"],
)
def test_a_stream_that_is_shown_is_updated_in_place(kernel: Kernel, reads: str) -> None:
    with Server(slow("# Title\n", "*one* ", "*two*"), path="/v1") as server:
        begin(kernel, server)
        before = kernel.run("stream")
        assert shown(before) == "*created*"
        assert server.requests == []
        after = kernel.run(reads)
    where = after if "display" in reads else kernel.cells[2].outputs
    assert shown(where) == "# Title\n*one* *two*"
    updates = kernel.updates()
    assert "# Title\n\n\n*streaming*" in updates
    assert updates[-1] == "# Title\n*one* *two*"
    texts = [update.removesuffix("*streaming*").strip() for update in updates]
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert KEY not in json.dumps(kernel.cells[2:])


def test_each_place_is_updated_and_what_is_shown_later_too(kernel: Kernel) -> None:
    with Server(slow("one ", "two"), path="/v1") as server:
        begin(kernel, server)
        outputs = kernel.run("display(stream)\nfor chunk, _ in stream:\n    display(stream)")
    assert len(outputs) > 2
    assert {output["data"]["text/markdown"] for output in outputs} == {"one two"}


@pytest.mark.parametrize(
    ("leaving", "state"),
    [
        ("for _ in stream: break", "*stopped*"),
        ("stream.close()", "*stopped*"),
        ("with stream:\n    stream.cancel()", "*cancelled*"),
    ],
)
def test_an_ending_is_shown(kernel: Kernel, leaving: str, state: str) -> None:
    with Server(slow("one ", "two"), path="/v1") as server:
        begin(kernel, server)
        kernel.run("stream")
        kernel.run(leaving)
    assert shown(kernel.cells[2].outputs).endswith(state)


def test_a_stream_that_has_ended_and_an_answer_are_shown_as_they_are(kernel: Kernel) -> None:
    server = Server(streamed(*answer("**Hi**")), whole(completion("**Ho**")), path="/v1")
    with server:
        begin(kernel, server)
        kernel.run("stream.collect()")
        assert shown(kernel.run("stream")) == "**Hi**"
        assert shown(kernel.run("compatible.call('m', **options)(fn)()")) == "**Ho**"
    time.sleep(0.3)
    assert kernel.updates() == []


def test_nothing_that_is_looked_at_shows_the_key(kernel: Kernel) -> None:
    with Server(streamed(*answer("Hi")), path="/v1") as server:
        begin(kernel, server)
        for looked_at in (
            "stream",
            "compatible.call('m', stream=True, **options)",
            "compatible.call('m', stream=True, **options)(fn)",
            "compatible.call_async('m', **options)(fn_async)",
            "compatible.call_async('m', **options)(fn_async)()",
            "compatible.call('m', response_model=list[str], stream=True, **options)(fn)()",
            "[stream.call_kwargs, stream.messages, stream.metadata, stream.fn_args]",
            "stream.collect()",
            "stream.picture()",
        ):
            kernel.run(looked_at)
            assert kernel.cells[-1].outputs
    assert KEY not in json.dumps([cell.outputs for cell in kernel.cells])
