"""Providers over httpx: addresses and keys are read at call time, and go where they belong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import pytest
from mirascope.core import (
    APIError,
    AsyncCall,
    AuthenticationError,
    BadRequestError,
    BaseAsyncStream,
    BaseCallResponse,
    BaseStream,
    BaseTool,
    Call,
    CallRequest,
    Decoder,
    Delta,
    EndDelta,
    JSONObject,
    NotFoundError,
    PermissionDeniedError,
    Provider,
    ProviderServerError,
    RateLimitError,
    Request,
    StreamDecodeError,
    TextDelta,
    Usage,
    UsageError,
)
from mirascope.core.http import HTTPProvider
from mirascope.core.testing import Hold, ReceivedRequest, Reply, Server, ndjson, streamed, whole
from mirascope.core.wire import Framer, LineFramer
from mirascope_compatible import CompatibleProvider

KEY = "Zq7pLw0aVt3mXk9cRb5nYd2sHf8gJe4u"
BODY = ndjson({"text": "Hi"}, {"end": True})


class LinesDecoder(Decoder):
    def decode(self, data: JSONObject, event: str | None = None) -> Sequence[Delta] | None:
        return (EndDelta(),) if data.get("end") else (TextDelta(data["text"]),)

    def decode_response(self, data: JSONObject) -> Sequence[Delta]:
        return TextDelta(data["text"]), EndDelta()


class LinesProvider(HTTPProvider):
    """The least that a provider can be."""

    name = "lines"
    api = "lines"
    path = "/v1/answers"
    base_url = "https://lines.example"
    base_url_env = "LINES_BASE_URL"
    api_key_env = ("LINES_API_KEY", "LINES_KEY")
    stream_class = BaseStream
    async_stream_class = BaseAsyncStream
    response_class = BaseCallResponse

    def key_headers(self, key: str) -> Mapping[str, str]:
        return {"X-Lines-Key": key}

    def prepare(self, request: CallRequest) -> Request:
        body = {"model": request.model, "stream": request.stream, **request.call_params}
        return Request(messages=list(request.messages), kwargs=body)

    def framer(self) -> Framer:
        return LineFramer()

    def decoder(self) -> Decoder:
        return LinesDecoder()

    def message_param(self, answer: Any) -> dict[str, Any]:
        return {"role": "assistant", "content": answer.text}

    def tool_message_params(self, results: Sequence[tuple[BaseTool, Any]]) -> list[dict[str, Any]]:
        return []

    def response_object(self, answer: Any) -> Any:
        return {"text": answer.text}

    def normalize(self, usage: JSONObject, facts: Mapping[str, str]) -> Usage:
        return Usage()


PROVIDER = LinesProvider()


def run(
    provider: Provider = PROVIDER, *, is_async: bool = False, stream: bool = True, **given: Any
) -> Any:
    if not is_async:

        @Call(provider)("m", stream=stream, **given)  # type: ignore[call-overload]
        def ask() -> None:
            """Hi"""

        found: Any = ask()
        return found.collect() if stream else found

    @AsyncCall(provider)("m", stream=stream, **given)  # type: ignore[call-overload]
    async def ask_async() -> None:
        """Hi"""

    async def main() -> Any:
        found: Any = await ask_async()
        return await found.collect() if stream else found

    return asyncio.run(main())


def reply(request: ReceivedRequest) -> Reply:
    return streamed(BODY) if request.json["stream"] else whole({"text": "Hi"})


@pytest.fixture
def server(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> Server:
    found = serve(reply, path="")
    for name in ("LINES_BASE_URL", "LINES_API_KEY", "LINES_KEY"):
        monkeypatch.delenv(name, raising=False)
    return found


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_address_and_key_are_read_when_a_call_is_made(
    stream: bool, is_async: bool, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINES_BASE_URL", server.url + "/")
    monkeypatch.setenv("LINES_KEY", KEY)
    assert run(stream=stream, is_async=is_async).content == "Hi"
    monkeypatch.setenv("LINES_API_KEY", "the-first-one-counts")
    run(stream=stream, is_async=is_async)
    first, second = server.requests
    assert (first.method, first.path) == ("POST", "/v1/answers")
    assert first.headers["x-lines-key"] == KEY
    assert second.headers["x-lines-key"] == "the-first-one-counts"


def test_the_environment_s_key_goes_to_the_provider_s_own_addresses_only(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINES_API_KEY", KEY)
    run(base_url=server.url)
    monkeypatch.setenv("LINES_BASE_URL", server.url)
    run(base_url=server.url)
    run(base_url=server.url, api_key="given")
    run(headers={"x-lines-key": "written"})
    with httpx.Client(base_url=server.url) as client:
        run(client=client)
    keys = [request.headers.get("x-lines-key") for request in server.requests]
    assert keys == [None, KEY, "given", "written", None]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_key_that_is_missing_is_named_before_anything_is_sent(
    is_async: bool, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINES_BASE_URL", server.url)
    with pytest.raises(AuthenticationError, match="set LINES_API_KEY or give api_key="):
        run(is_async=is_async)
    assert server.requests == []


class DeepProvider(CompatibleProvider):
    """A provider that was written when the address of the environment was read at import."""

    name = "deep"
    base_url = "https://deep.example/v1"
    api_key_env = "DEEP_API_KEY"


def test_another_server_s_variables_are_not_inherited(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    class NoVariables(CompatibleProvider):
        name = "none"
        base_url = server.url

    assert DeepProvider().own_address() == "https://deep.example/v1"
    assert NoVariables().key_variables == ()
    assert CompatibleProvider().own_address() == server.url
    with pytest.raises(AuthenticationError, match="set DEEP_API_KEY"):
        run(DeepProvider())
    assert server.requests == []


STATUSES = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    429: RateLimitError,
    500: ProviderServerError,
    529: ProviderServerError,
}
BODIES = [b"<html>", b"", b'"text"', b"[1]", b'{"error": null}', b"\xff", b"null"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("body", BODIES)
def test_an_error_s_body_may_be_anything(
    body: bytes, stream: bool, serve: Callable[..., Server]
) -> None:
    for status, kind in STATUSES.items():
        server = serve(whole(body, status=status, headers={"retry-after": "3"}))
        with pytest.raises(kind) as caught:
            run(base_url=server.url, api_key=KEY, stream=stream)
        error = caught.value
        assert (error.status, error.request_id) == (status, "req_1")
        if isinstance(error, RateLimitError):
            assert error.retry_after == 3
        server.wait_open(1)


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"error": {"message": "no such model", "code": "nope"}}, "no such model", "nope"),
        ({"detail": "no such model"}, "no such model", None),
        ([{"error": {"message": "no such model"}}], "no such model", None),
    ],
)
def test_an_error_s_body_is_read_in_the_usual_shapes(
    body: Any, message: str, code: str | None, serve: Callable[..., Server]
) -> None:
    server = serve(whole(body, status=404))
    with pytest.raises(APIError) as caught:
        run(base_url=server.url, api_key=KEY)
    assert (caught.value.message, caught.value.code) == (message, code)


@pytest.mark.parametrize("body", [b"[]", b"null", b"<html>", b"", b"{}", b'"x"'])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_whole_answer_that_is_none_is_an_error(
    body: bytes, is_async: bool, serve: Callable[..., Server]
) -> None:
    server = serve(whole(body))
    with pytest.raises(APIError) as caught:
        run(base_url=server.url, api_key=KEY, stream=False, is_async=is_async)
    assert isinstance(caught.value, StreamDecodeError) == (body != b"{}") or "text" in str(
        caught.value
    )
    assert not caught.value.retryable


def test_a_client_of_the_other_kind_is_refused(server: Server) -> None:
    with pytest.raises(UsageError, match=r"client is asynchronous.*give an httpx\.Client"):
        run(client=httpx.AsyncClient(), api_key=KEY)


def test_a_hundred_and_twenty_streams_at_once(
    serve: Callable[..., Server],
) -> None:
    gate = threading.Event()
    server = serve(streamed(ndjson({"text": "Hi"}), Hold(gate), ndjson({"end": True})))

    @Call(PROVIDER)("m", stream=True, base_url=server.url, api_key=KEY)
    def ask() -> None:
        """Hi"""

    streams = [ask().open() for _ in range(120)]
    server.wait_requests(120, seconds=20)
    gate.set()
    assert {stream.collect().content for stream in streams} == {"Hi"}


def test_a_refused_key_is_told_where_it_belongs(serve: Callable[..., Server]) -> None:
    server = serve(whole({"error": {"message": "who are you?"}}, status=401))
    with pytest.raises(AuthenticationError, match="who are you") as caught:
        run(CompatibleProvider(), base_url=server.url)
    assert "set OPENAI_API_KEY or give api_key=" in str(caught.value)
    with pytest.raises(AuthenticationError) as caught:
        run(CompatibleProvider(), base_url=server.url, api_key=KEY)
    assert "no key is known" not in str(caught.value)
