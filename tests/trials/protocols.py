"""Every protocol's answers with any text, and clients that show what a stream leaves behind."""

from __future__ import annotations

import importlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from mirascope.core import watch_request, watch_request_async
from mirascope.core.testing import Step, sse, streamed
from mirascope_tests.chat import DONE, chunk

KEY = "key-of-the-test"
_TLS = ssl.create_default_context()
"""Never used on loopback, and what takes nearly all of the time of making a client."""


@dataclass(frozen=True)
class Protocol:
    """A provider's wire API.

    Attributes:
        provider: the provider's name.
        api: its wire API.
        delta: the event of one piece of text.
        end: what completes a stream.
        options: the options of a call that it needs.
    """

    provider: str
    api: str
    delta: Callable[[str], bytes]
    end: tuple[bytes, ...]
    options: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.provider}-{self.api}"

    def reply(self, *texts: str, before_end: tuple[Step, ...] = ()) -> list[Step]:
        """A whole answer, one HTTP chunk for each text."""
        return streamed(*map(self.delta, texts), *before_end, *self.end)

    def settings(self, url: str) -> dict[str, Any]:
        """The options of a call that reach a server by a default client."""
        root = url.removesuffix("/v1")
        base_url = root if self.provider in ("anthropic", "google") else url
        return {"base_url": base_url, "api_key": KEY, **self.options}

    def ask(self, name: str, *, asynchronous: bool = False, **options: Any) -> Any:
        """Return a stream, or what to await for one, of the answer that has this name."""
        return self.call(f"name={name};", asynchronous=asynchronous, stream=True, **options)

    def call(self, text: str = "Hi", *, asynchronous: bool = False, **options: Any) -> Any:
        """Return what a call returns, or what to await for it."""
        package = importlib.import_module(f"mirascope_{self.provider}")
        decorate: Any = package.call_async if asynchronous else package.call
        if asynchronous:

            async def hello() -> str:
                return text

        else:

            def hello() -> str:  # type: ignore[misc]
                return text

        return decorate("model-1", **{**self.options, **options})(hello)()

    def client(
        self, url: str, *, asynchronous: bool = False, connections: int | None = None
    ) -> Any:
        """A client of one's own that retries nothing.

        Args:
            url: the server's address.
            asynchronous: which of the two kinds.
            connections: how many it may have; a further request fails after two seconds.
        """
        settings = {
            # As default clients have it: what is given up ends where the client would wait on.
            "event_hooks": {"request": [watch_request_async if asynchronous else watch_request]},
            "timeout": httpx.Timeout(20, pool=2),
            "verify": _TLS,
            "limits": httpx.Limits(max_connections=connections),
        }
        url = self.settings(url)["base_url"]
        if self.provider == "compatible":
            kind: Any = httpx.AsyncClient if asynchronous else httpx.Client
            return kind(base_url=url, headers={"authorization": f"Bearer {KEY}"}, **settings)
        if self.provider == "google":
            from google import genai

            options: Any = {
                "base_url": url,
                "async_client_args" if asynchronous else "client_args": settings,
            }
            return genai.Client(api_key=KEY, http_options=options)
        sdk = importlib.import_module(self.provider)
        http: Any = sdk.DefaultAsyncHttpxClient if asynchronous else sdk.DefaultHttpxClient
        module: Any = importlib.import_module(http.__mro__[1].__module__.partition(".")[0])
        settings["timeout"] = module.Timeout(20, pool=2)
        settings["limits"] = module.Limits(max_connections=connections)
        prefix = "Async" if asynchronous else ""
        sdk_client: Any = getattr(
            sdk, prefix + ("OpenAI" if self.provider == "openai" else "Anthropic")
        )
        return sdk_client(
            base_url=url,
            api_key=KEY,
            max_retries=0,
            http_client=http(**settings),
            timeout=settings["timeout"],
        )


def name_of(body: bytes) -> str:
    """The name of the answer that a request asks for, whichever protocol it is of."""
    return body.decode().partition("name=")[2].partition(";")[0]


def _responses_delta(text: str) -> bytes:
    place = {"item_id": "m", "output_index": 0, "content_index": 0, "sequence_number": 1}
    data = {"type": "response.output_text.delta", **place, "delta": text, "logprobs": []}
    return sse(data, "response.output_text.delta")


def _anthropic_delta(text: str) -> bytes:
    delta = {"type": "text_delta", "text": text}
    data = {"type": "content_block_delta", "index": 0, "delta": delta}
    return sse(data, "content_block_delta")


def _gemini(text: str, **candidate: Any) -> bytes:
    content = {"role": "model", "parts": [{"text": text}]}
    return sse({"candidates": [{"content": content, "index": 0, **candidate}]})


_RESPONSE = {
    "id": "r",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "status": "completed",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}
_COMPLETED = {"type": "response.completed", "sequence_number": 2, "response": _RESPONSE}
_CHAT_END = (chunk(finish="stop"), DONE)

PROTOCOLS = [
    Protocol("compatible", "chat", chunk, _CHAT_END, {}),
    Protocol("openai", "chat", chunk, _CHAT_END, {}),
    Protocol(
        "openai",
        "responses",
        _responses_delta,
        (sse(_COMPLETED, "response.completed"),),
        {"api": "responses"},
    ),
    Protocol(
        "anthropic",
        "messages",
        _anthropic_delta,
        (
            sse(
                {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}},
                "message_delta",
            ),
            sse({"type": "message_stop"}, "message_stop"),
        ),
        {"call_params": {"max_tokens": 16}},
    ),
    Protocol("google", "generate", _gemini, (_gemini("", finishReason="STOP"),), {}),
]
