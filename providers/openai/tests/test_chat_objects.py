"""`chunk.chunk` is the object that OpenAI's own SDK yields, whichever way it comes about."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mirascope.core import (
    CallResult,
    MirascopeError,
    StreamConsumedError,
    StreamDecodeError,
    StreamTruncatedError,
    openai,
)
from mirascope.core.testing import Server, sse, streamed, whole
from mirascope_tests.api import API, KEY
from mirascope_tests.chat import DONE, USAGE, answer, chunk, completion
from mirascope_tests.shared import CORPUS, each
from openai import APIError, AsyncAzureOpenAI, AzureOpenAI, OpenAI
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionChunk

Serve = Callable[..., Server]

CHAT = sorted(CORPUS.glob("openai-chat/*.sse"))
COMPATIBLE = sorted(CORPUS.glob("openai-compatible/*.sse"))
RECORDINGS = CHAT + random.Random(2).sample(COMPATIBLE, min(40, len(COMPATIBLE)))


def sdks_own(client: OpenAI) -> Iterator[Any]:
    """What the SDK's own loop yields, until its end or its error."""
    stream = client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Hi"}], stream=True
    )
    with stream:
        try:
            yield from stream
        except APIError:
            return


def ours(client: OpenAI, **call: Any) -> tuple[Any, list[Any]]:
    """The chunks of our stream, each once, and the stream."""

    @openai.call("gpt-4o", stream=True, client=client, **call)
    def ask() -> None:
        """Hi"""

    stream = ask()
    chunks: list[Any] = []
    try:
        for item, _ in stream:
            if not chunks or item.data is not chunks[-1].data:
                chunks.append(item)
    except MirascopeError:
        pass
    return stream, chunks


def same(mine: Any, theirs: Any) -> None:
    assert type(mine) is type(theirs)
    assert mine == theirs
    for exclude_unset in (False, True):
        dumps = [x.model_dump(exclude_unset=exclude_unset, warnings=False) for x in (mine, theirs)]
        assert dumps[0] == dumps[1]
    assert repr(mine) == repr(theirs)
    known = type(mine).model_fields.keys()
    assert mine.model_fields_set & known == theirs.model_fields_set & known
    assert mine.model_extra == theirs.model_extra


@pytest.mark.parametrize("path", each(RECORDINGS, lambda path: f"{path.parent.name}/{path.stem}"))
def test_recordings(serve: Serve, path: Path, sdk_client: Callable[[str], OpenAI]) -> None:
    client = sdk_client(serve(streamed(path.read_bytes())).url)
    theirs = list(sdks_own(client))
    stream, from_bytes = ours(client)
    assert len(from_bytes) == len(theirs)
    for mine, sdk in zip(from_bytes, theirs, strict=True):
        same(mine.chunk, sdk)
    # The SDK's own loop as the source: the same deltas, and the very object received.
    sdk_stream, from_sdk = ours(client, sdk_iteration=True)
    assert [c.deltas for c in from_sdk] == [c.deltas for c in from_bytes]
    for mine, sdk in zip(from_sdk, theirs, strict=True):
        assert mine.chunk is mine.chunk
        same(mine.chunk, sdk)
    assert sdk_stream.message_param == stream.message_param
    if None in stream._answer.finish_reasons and stream.state == "completed":
        # The SDK keeps the end marker to itself, so only finish reasons can show the end.
        assert sdk_stream.state == "truncated"
    else:
        assert type(sdk_stream.error) is type(stream.error)
        assert sdk_stream.state == stream.state
    if stream.error is None:
        # The SDK drops the event of an error, and the usage in it.
        assert sdk_stream.common_usage == stream.common_usage
        assert sdk_stream.usage == stream.usage
        assert sdk_stream.finish_reasons == stream.finish_reasons


ODD = [
    {"id": "1", "object": "chat.completion.chunk", "created": "17", "model": "m", "choices": []},
    {"id": None, "choices": None},
    {"choices": [{"index": "0", "delta": {"content": "5"}, "finish_reason": 3}]},
    {"choices": [{"delta": {"content": [{"type": "text", "text": "Hi"}]}}]},
    {"choices": [], "usage": {"prompt_tokens": 1.5, "extra": {"a": 1}}},
    {"new": {"deep": [{"x": None}]}, "created": 1.0, "choices": [], "service_tier": "galactic"},
    {"choices": [{"index": 0, "delta": {"role": "robot", "tool_calls": [{"index": 0}]}}]},
    {"choices": [{"index": 0, "delta": {"content": "e\u0301 \U0001f600 \u2028"}}]},
]


@pytest.mark.parametrize("data", ODD, ids=range(len(ODD)))
def test_objects_that_the_api_does_not_promise(
    serve: Serve, data: Any, sdk_client: Callable[[str], OpenAI]
) -> None:
    client = sdk_client(serve(streamed(sse(data), DONE)).url)
    (theirs,) = sdks_own(client)
    _, (mine,) = ours(client)
    same(mine.chunk, theirs)


async def test_sdk_iteration_hands_the_object_on(openai_api: API) -> None:
    """The object that the client yields is the one that the user gets."""
    made = [ChatCompletionChunk.model_validate_json(e[6:]) for e in answer("Hel", "lo")[:-1]]
    stub = stub_client(openai_api.is_async, made)
    stream = await openai_api.call(openai_api.ask(client=stub), "fantasy")
    reading = await openai_api.drain(stream)
    assert reading.error is None
    assert all(c.chunk is obj for (c, _), obj in zip(reading.items, made, strict=True))
    assert reading.texts == ["Hel", "lo"]
    assert type(stream.usage) is CompletionUsage
    assert stream.usage.total_tokens == 114
    assert stub.seen[0]["stream"] is True
    assert stub.seen[0]["messages"] == stream.messages


def stub_client(is_async: bool, chunks: list[Any], fail: Exception | None = None) -> Any:
    """Any object with `chat.completions.create`: what users put in their own tests."""
    seen: list[dict[str, Any]] = []

    async def slowly() -> Any:
        for item in chunks:
            yield item
        if fail:
            raise fail

    def at_once() -> Any:
        yield from chunks
        if fail:
            raise fail

    async def create_async(**kwargs: Any) -> Any:
        seen.append(kwargs)
        return slowly()

    def create(**kwargs: Any) -> Any:
        seen.append(kwargs)
        return at_once()

    completions = SimpleNamespace(create=create_async if is_async else create)
    return SimpleNamespace(chat=SimpleNamespace(completions=completions), seen=seen)


def test_a_stub_that_returns_a_list() -> None:
    made = [ChatCompletionChunk.model_validate_json(e[6:]) for e in answer("Hi")[:-1]]
    completions = SimpleNamespace(create=lambda **_: made)
    stub: Any = SimpleNamespace(chat=SimpleNamespace(completions=completions))

    @openai.call("gpt-4o", stream=True, client=stub)
    def ask() -> None:
        """Hi"""

    for _ in range(2):
        stream = ask()
        assert "".join(str(c) for c, _ in stream) == "Hi"
        assert stream.state == "completed"


async def test_a_stub_that_breaks(openai_api: API) -> None:
    made = [ChatCompletionChunk.model_validate_json(e[6:]) for e in answer("Hi")[:2]]
    reading = await openai_api.drain(
        await openai_api.call(openai_api.ask(client=stub_client(openai_api.is_async, made)))
    )
    assert type(reading.error) is StreamTruncatedError
    broken = stub_client(openai_api.is_async, made, json.JSONDecodeError("no", "x", 0))
    reading = await openai_api.drain(await openai_api.call(openai_api.ask(client=broken)))
    assert type(reading.error) is StreamDecodeError
    assert reading.stream.content == "Hi"


async def test_break_closes_a_stubs_stream(openai_api: API) -> None:
    closed: list[bool] = []

    class Stream:
        def __iter__(self) -> Iterator[Any]:
            for piece in answer("Hi")[:-1]:
                yield ChatCompletionChunk.model_validate_json(piece[6:])

        async def __aiter__(self) -> Any:
            for piece in self:
                yield piece

        def close(self) -> None:
            closed.append(True)

    stub = stub_client(openai_api.is_async, [])
    if openai_api.is_async:

        async def create(**_: Any) -> Any:
            return Stream()

        stub.chat.completions.create = create
    else:
        stub.chat.completions.create = lambda **_: Stream()
    stream = await openai_api.call(openai_api.ask(client=stub))
    async for chunk_, _ in openai_api.each(stream):
        if chunk_.content:
            break
    assert stream.state == "stopped"
    await openai_api.close(stream)
    assert closed == [True]
    with pytest.raises(StreamConsumedError):
        openai_api.each(stream).__aiter__()


async def test_azure(openai_api: API, serve: Serve) -> None:
    """Azure's first chunk has no choices, no model and no id, but its content filter's results."""
    filtered = {
        "choices": [],
        "created": 0,
        "id": "",
        "model": "",
        "object": "",
        "prompt_filter": 1,
    }
    server = serve(streamed(sse(filtered), *answer("Hel", "lo")))
    azure: Any = AsyncAzureOpenAI if openai_api.is_async else AzureOpenAI
    client = azure(
        azure_endpoint=server.url.removesuffix("/v1"), api_key=KEY, api_version="2024-10-21"
    )
    stream = await openai_api.call(openai_api.ask(client=client), "fantasy")
    reading = await openai_api.drain(stream)
    await openai_api.result(client.close())
    assert reading.error is None
    assert reading.texts == ["Hel", "lo"]
    assert reading.items[0][0].chunk.model_extra["prompt_filter"] == 1
    assert (stream.id, stream.model) == ("chatcmpl-1", "gpt-4o-2024-08-06")
    (request,) = server.requests
    assert request.path == "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
    assert request.headers["api-key"] == KEY


async def test_azures_key_is_not_shown(openai_api: API, serve: Serve) -> None:
    import traceback

    key = "0123azure-key-4567"
    server = serve(lambda r: whole({"error": {"message": r.headers["api-key"]}}, status=401))
    azure: Any = AsyncAzureOpenAI if openai_api.is_async else AzureOpenAI
    client = azure(
        azure_endpoint=server.url.removesuffix("/v1"), api_key=key, api_version="2024-10-21"
    )
    reading = await openai_api.drain(await openai_api.call(openai_api.ask(client=client)))
    await openai_api.result(client.close())
    assert reading.error is not None
    assert key not in "".join(traceback.format_exception(reading.error))


async def test_a_client_that_validates(openai_api: API, serve: Serve) -> None:
    """Its user asked for errors on what the API does not promise, and gets them as ours."""
    strict = {"_strict_response_validation": True}
    good = await openai_api.read(serve(streamed(*answer("Hi"))), client_options=strict)
    assert good.error is None
    assert good.texts == ["Hi"]
    bad = streamed(chunk("Hi"), sse({"choices": "none"}), DONE)
    reading = await openai_api.read(serve(bad), client_options=strict)
    assert type(reading.error) is StreamDecodeError
    assert reading.texts == ["Hi"]
    assert reading.error.__cause__ is not None


async def test_the_rebuilt_response_is_the_sdks_type(openai_api: API, serve: Serve) -> None:
    stream = (await openai_api.read(serve(streamed(*answer("Hel", "lo"))))).stream
    response = stream.construct_call_response()
    expected = ChatCompletion.model_validate(completion("Hello"))
    assert type(response.response) is ChatCompletion
    assert response.response.choices == expected.choices
    assert response.response.usage == CompletionUsage.model_validate(USAGE)
    assert response.response.id == "chatcmpl-1"
    assert response.response.created == 1_700_000_000


async def test_what_was_computed_once_is_kept(api: API, serve: Serve) -> None:
    stream = (await api.read(serve(streamed(*answer("Hi", usage=USAGE), DONE)))).stream
    response = stream.construct_call_response()
    for result in (stream, response):
        assert result.usage is not None
        for name in ("usage", "common_usage", "cost_details"):
            assert getattr(result, name) is getattr(result, name)
    assert response.response is response.response


def test_what_streams_and_responses_share_is_not_a_result_by_itself() -> None:
    with pytest.raises(TypeError, match="abstract"):
        CallResult(None, None, [])
