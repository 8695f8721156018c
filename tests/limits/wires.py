"""One body for every wire protocol, and one way to call every provider."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mirascope.core.testing import sse
from mirascope_tests.chat import DONE, chunk, completion

KEY = "key-of-the-test"
PROMPT = "a prompt that is nobody's business"


@dataclass(frozen=True)
class Wire:
    """A provider's protocol: how to call it and what its server sends.

    Attributes:
        name: the provider's name, and its API where it has several.
        delta: the event of one piece of text.
        whole: an answer that is not streamed.
        end: what completes a stream.
    """

    name: str
    delta: Callable[[str], bytes]
    whole: Callable[[str], dict[str, Any]]
    end: tuple[bytes, ...]

    @property
    def package(self) -> Any:
        return importlib.import_module(f"mirascope_{self.name.partition('-')[0]}")

    def settings(self, url: str) -> dict[str, Any]:
        """The arguments that reach a server with a default client."""
        root = url.removesuffix("/v1")
        base_url = root if self.name in ("anthropic", "google") else url
        api = {"api": "responses"} if self.name == "openai-responses" else {}
        return {"base_url": base_url, "api_key": KEY, **api}

    def read(
        self,
        url: str,
        *,
        is_async: bool,
        stream: bool = True,
        make_client: Callable[[], Any] | None = None,
        **options: Any,
    ) -> Outcome:
        """Call the provider and read what comes to its end, or to its error.

        A client that is made for the call is closed after it.
        """
        settings = self.settings(url)
        if self.name == "anthropic":
            settings.setdefault("call_params", {"max_tokens": 16})
        if make_client is not None:
            del settings["base_url"], settings["api_key"]

        def decorate(client: Any) -> Callable[[Callable[..., Any]], Any]:
            given = {**settings, **options, "client": client}
            return self.package.call("model-1", stream=stream, **given)

        if is_async:
            return asyncio.run(_read_async(decorate, stream, make_client))
        return _read(decorate, stream, make_client)


@dataclass
class Outcome:
    """What a call gave: a response or a stream, and the error that ended it."""

    result: Any = None
    error: Any = None


def _read(
    decorate: Callable[[Any], Any], stream: bool, make_client: Callable[[], Any] | None
) -> Outcome:
    outcome = Outcome()
    client = None if make_client is None else make_client()

    @decorate(client)
    def ask() -> str:
        return PROMPT

    try:
        outcome.result = ask()
        if stream:
            for _ in outcome.result:
                pass
    except Exception as error:
        outcome.error = error
    if client is not None:
        client.close()
    return outcome


async def _read_async(
    decorate: Callable[[Any], Any], stream: bool, make_client: Callable[[], Any] | None
) -> Outcome:
    outcome = Outcome()
    client = None if make_client is None else make_client()

    @decorate(client)
    async def ask() -> str:
        return PROMPT

    try:
        outcome.result = await ask()
        if stream:
            async for _ in outcome.result:
                pass
    except Exception as error:
        outcome.error = error
    if client is not None:
        owner = getattr(client, "aio", client)
        await (owner.aclose() if hasattr(owner, "aclose") else owner.close())
    return outcome


def _responses_delta(text: str) -> bytes:
    data = {
        "type": "response.output_text.delta",
        "sequence_number": 1,
        "item_id": "m",
        "output_index": 0,
        "content_index": 0,
        "delta": text,
        "logprobs": [],
    }
    return sse(data, "response.output_text.delta")


def _responses(text: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    message = {"type": "message", "id": "m", "role": "assistant", "status": "completed"}
    return {
        "id": "r",
        "object": "response",
        "created_at": 1,
        "model": "gpt-4o",
        "status": "completed",
        "output": [{**message, "content": [part]}],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


def _anthropic_delta(text: str) -> bytes:
    data = {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": text},
    }
    return sse(data, "content_block_delta")


def _anthropic(text: str) -> dict[str, Any]:
    return {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def _gemini(text: str, **candidate: Any) -> dict[str, Any]:
    content = {"role": "model", "parts": [{"text": text}]}
    return {"candidates": [{"content": content, "index": 0, **candidate}], "modelVersion": "m"}


_CHAT_END = (chunk(finish="stop"), DONE)

WIRES = [
    Wire("openai", chunk, completion, _CHAT_END),
    Wire(
        "openai-responses",
        _responses_delta,
        _responses,
        (sse({"type": "response.completed", "sequence_number": 2, "response": _responses("Hi")}),),
    ),
    Wire(
        "anthropic",
        _anthropic_delta,
        _anthropic,
        (sse({"type": "message_stop"}, "message_stop"),),
    ),
    Wire(
        "google",
        lambda text: sse(_gemini(text)),
        lambda text: _gemini(text, finishReason="STOP"),
        (sse(_gemini("", finishReason="STOP")),),
    ),
    Wire("compatible", chunk, completion, _CHAT_END),
]


class Counted:
    """Steps of a server, counted as they are sent.

    Args:
        pieces: the bytes; they may never end.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.sent = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            yield piece
            self.sent += len(piece)


def error_body(message: str) -> bytes:
    return json.dumps({"error": {"message": message, "code": 400, "type": "e"}}).encode()
