"""Bodies of the Responses API, and both ways of calling it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import mirascope_openai
import openai
from mirascope.core.testing import sse
from mirascope_tests.api import Reading

KEY = "sk-loopback-0123456789abcdef"
MODEL = "gpt-5-2025-08-07"


@dataclass(frozen=True)
class Way:
    """One of the two ways of calling."""

    is_async: bool

    def client(self, url: str) -> Any:
        client_class: Any = openai.AsyncOpenAI if self.is_async else openai.OpenAI
        return client_class(base_url=url, api_key=KEY, max_retries=0)

    def decorated(self, returns: Any = None, **call: Any) -> Any:
        """A function that asks for a book of a genre."""
        call = {"api": "responses", "stream": True, "model": "gpt-5", **call}
        if self.is_async:

            @mirascope_openai.call_async(**call)
            async def recommend_book(genre: str = "fantasy") -> Any:
                """Recommend a {genre} book."""
                return returns
        else:

            @mirascope_openai.call(**call)
            def recommend_book(genre: str = "fantasy") -> Any:
                """Recommend a {genre} book."""
                return returns

        return recommend_book

    def read(self, url: str, returns: Any = None, **call: Any) -> Reading:
        """Call once and read to the end, whatever the end is."""
        items: list[tuple[Any, Any]] = []

        async def read_async() -> tuple[Any, Exception | None]:
            async with self.client(url) as client:
                stream = await self.decorated(returns, **{"client": client, **call})()
                try:
                    async for item in stream:
                        items.append(item)  # noqa: PERF401 - what came before an error is kept
                except Exception as error:
                    return stream, error
                return stream, None

        def read() -> tuple[Any, Exception | None]:
            with self.client(url) as client:
                stream = self.decorated(returns, **{"client": client, **call})()
                try:
                    for item in stream:
                        items.append(item)  # noqa: PERF402
                except Exception as error:
                    return stream, error
                return stream, None

        stream, error = asyncio.run(read_async()) if self.is_async else read()
        return Reading(stream, items, error)

    def fetch(self, url: str, returns: Any = None, **call: Any) -> Any:
        """Call once without streaming."""
        call["stream"] = False

        async def fetch_async() -> Any:
            async with self.client(url) as client:
                return await self.decorated(returns, client=client, **call)()

        if self.is_async:
            return asyncio.run(fetch_async())
        with self.client(url) as client:
            return self.decorated(returns, client=client, **call)()


WAYS = [Way(is_async=False), Way(is_async=True)]


def way_name(way: Way) -> str:
    return "async" if way.is_async else "sync"


def event(kind: str, **fields: Any) -> bytes:
    """One event, named as OpenAI names it."""
    return sse({"type": kind, **fields}, kind)


def response(status: str = "in_progress", **fields: Any) -> dict[str, Any]:
    """A response object."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": MODEL,
        "output": [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": None,
        **fields,
    }


USAGE = {
    "input_tokens": 120,
    "input_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 0},
    "output_tokens": 30,
    "output_tokens_details": {"reasoning_tokens": 10},
    "total_tokens": 150,
}


def created() -> bytes:
    return event("response.created", response=response())


def completed(*items: dict[str, Any], **fields: Any) -> bytes:
    return event(
        "response.completed",
        response=response("completed", **{"output": list(items), "usage": USAGE, **fields}),
    )


def message(text: str, number: int = 1, **fields: Any) -> dict[str, Any]:
    """A message as an output item."""
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [part] if text else [],
        **fields,
    }


def reasoning(text: str = "", number: int = 1, **fields: Any) -> dict[str, Any]:
    """A reasoning item."""
    summary = [{"type": "summary_text", "text": text}] if text else []
    return {
        "id": f"rs_{number}",
        "type": "reasoning",
        "summary": summary,
        "encrypted_content": "gAAAA" * 3,
        **fields,
    }


def function_call(name: str, arguments: str, number: int = 1, **fields: Any) -> dict[str, Any]:
    """A function call as an output item."""
    return {
        "id": f"fc_{number}",
        "type": "function_call",
        "status": "completed",
        "call_id": f"call_{number}",
        "name": name,
        "arguments": arguments,
        **fields,
    }


def added(item: dict[str, Any], index: int) -> bytes:
    empty = {"status": "in_progress", "content": [], "summary": [], "arguments": "", "input": ""}
    begun = {**item, **{name: value for name, value in empty.items() if name in item}}
    return event("response.output_item.added", output_index=index, item=begun)


def done(item: dict[str, Any], index: int) -> bytes:
    return event("response.output_item.done", output_index=index, item=item)


_DELTAS = {
    "message": ("response.output_text.delta", "content_index"),
    "reasoning": ("response.reasoning_summary_text.delta", "summary_index"),
    "function_call": ("response.function_call_arguments.delta", None),
    "custom_tool_call": ("response.custom_tool_call_input.delta", None),
}


def deltas(item: dict[str, Any], index: int, *texts: str) -> bytes:
    kind, part = _DELTAS[item["type"]]
    fields = {"item_id": item["id"], "output_index": index, **({part: 0} if part else {})}
    return b"".join(event(kind, **fields, delta=text) for text in texts)


def events(*items: dict[str, Any]) -> bytes:
    """A stream of whole items: announced, in two deltas, done, and once more at the end."""
    parts = [created()]
    for index, item in enumerate(items):
        text = _text(item)
        parts.append(added(item, index))
        if text:
            parts.append(deltas(item, index, text[:3], text[3:]))
        parts.append(done(item, index))
    return b"".join([*parts, completed(*items)])


def _text(item: dict[str, Any]) -> str:
    if item["type"] in ("function_call", "custom_tool_call"):
        return item.get("arguments", item.get("input"))
    parts = item.get("content") or item.get("summary") or []
    return "".join(part["text"] for part in parts)
