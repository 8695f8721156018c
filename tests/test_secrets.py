"""Every attempt to see a key: each provider, each place to give one, each way to echo it.

An attempt calls a server that knows the key and answers with it, in one of many ways, and then
looks wherever a tool looks: the error's text, `repr`, arguments and attributes; the same of every
exception that it was caused by, with their requests, responses and bodies; the variables of all
frames; the representations of the stream and of what belongs to it; the log at its most talkative;
a recording; a pickle.

By default one combination in 37 is tried, with `MIRASCOPE_TESTS=long`, which is `nox -s secrets`,
every one.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import html
import itertools
import json
import logging
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar
from urllib.parse import quote, quote_plus

import pytest
from mirascope.core import Call, Connection, MirascopeError, Request, Source
from mirascope.core.testing import (
    Hangup,
    Hold,
    ReceivedRequest,
    Reset,
    Server,
    sse,
    streamed,
    whole,
)
from mirascope_compatible import CompatibleProvider
from mirascope_tests.chat import DONE, chunk
from typing_extensions import override

IS_LONG = os.environ.get("MIRASCOPE_TESTS") == "long"

KEYS = {
    "plain": "Zq7pLw0aVt3mXk9cRb5nYd2s",
    "odd": "k7/Q+w=%e\"x\\y&<z>'T9:u@v",
}
OTHER = "another-key-of-no-matter"
HOST = "http://127.0.0.1"


# Providers


class StrangerProvider(CompatibleProvider):
    """A stranger's: its key comes from a file, and goes into a header that nobody else has."""

    name: ClassVar[str] = "stranger"
    api_key_env: ClassVar[str] = "NOBODY_SETS_THIS"
    key_file: ClassVar[Path]

    @override
    def open(self, request: Request, connection: Connection) -> Source:
        return super().open(request, self._with_key(connection))

    @override
    async def open_async(self, request: Request, connection: Connection) -> Any:
        return await super().open_async(request, self._with_key(connection))

    @override
    def fetch(self, request: Request, connection: Connection) -> Any:
        return super().fetch(request, self._with_key(connection))

    @override
    async def fetch_async(self, request: Request, connection: Connection) -> Any:
        return await super().fetch_async(request, self._with_key(connection))

    def _with_key(self, connection: Connection) -> Connection:
        key = self.key_file.read_text()
        settings = {**connection.settings, "headers": {"X-Login": key}}
        return Connection(client=connection.client, settings=settings)


def decorator(provider: str) -> Callable[..., Any]:
    import mirascope_anthropic
    import mirascope_compatible
    import mirascope_google
    import mirascope_openai

    if provider == "responses":
        return lambda *args, **kwargs: mirascope_openai.call(*args, api="responses", **kwargs)
    if provider == "stranger":
        return Call[Any, Any, Any](StrangerProvider())
    modules: dict[str, Any] = {
        "compatible": mirascope_compatible,
        "openai": mirascope_openai,
        "anthropic": mirascope_anthropic,
        "google": mirascope_google,
    }
    return modules[provider].call


PROVIDERS = ["compatible", "openai", "responses", "anthropic", "google"]
VARIABLES = {
    "compatible": ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
    "openai": ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
    "responses": ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
    "google": ("GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"),
}
SDK = {"openai", "responses", "anthropic"}


def address(provider: str, server: Server, before: str = "") -> str:
    path = "/v1" if provider in ("compatible", "openai", "responses", "stranger") else ""
    return f"http://{before}127.0.0.1:{server.port}{path}"


def make_client(provider: str, url: str, *, is_async: bool, **options: Any) -> Any:
    """Make a client of the user's own.

    Args:
        provider: whose client.
        url: its address.
        is_async: which kind.
        **options: `key`, `headers` and `query`.
    """
    key, headers, query = options.get("key"), options.get("headers"), options.get("query")
    if provider == "compatible":
        import httpx

        kind: Any = httpx.AsyncClient if is_async else httpx.Client
        bearer = {"Authorization": f"Bearer {key}"} if key else {}
        return kind(base_url=url, headers={**bearer, **(headers or {})}, params=query or {})
    if provider == "google":
        from google import genai

        http_options: Any = {"base_url": url, "headers": headers or {}}
        return genai.Client(api_key=key or OTHER, http_options=http_options)
    if provider == "anthropic":
        import anthropic

        kind = anthropic.AsyncAnthropic if is_async else anthropic.Anthropic
    else:
        import openai

        kind = openai.AsyncOpenAI if is_async else openai.OpenAI
    return kind(
        base_url=url,
        api_key=key or OTHER,
        default_headers=headers,
        default_query=query,
        max_retries=0,
    )


# Where a key can be given: each returns the decorator's arguments and the function's result


Given = tuple[dict[str, Any], Any]


def _plain(provider: str, server: Server, **more: Any) -> dict[str, Any]:
    return {"base_url": address(provider, server), "api_key": OTHER, **more}


def as_setting(provider: str, server: Server, key: str, is_async: bool) -> Given:
    return {**_plain(provider, server), "api_key": key}, None


def as_variable(provider: str, server: Server, key: str, is_async: bool) -> Given:
    key_name, url_name = VARIABLES[provider]
    os.environ |= {key_name: key, url_name: address(provider, server)}
    return {}, None


def as_dynamic_parameter(provider: str, server: Server, key: str, is_async: bool) -> Given:
    return _plain(provider, server), {"call_params": {"api_key": key}}


def in_client(provider: str, server: Server, key: str, is_async: bool) -> Given:
    url = address(provider, server)
    return {"client": make_client(provider, url, is_async=is_async, key=key)}, None


def in_client_headers(provider: str, server: Server, key: str, is_async: bool) -> Given:
    url = address(provider, server)
    headers = {"X-Gateway": key}
    return {"client": make_client(provider, url, is_async=is_async, headers=headers)}, None


def in_client_query(provider: str, server: Server, key: str, is_async: bool) -> Given:
    url = address(provider, server)
    query = {"sig": key}
    return {"client": make_client(provider, url, is_async=is_async, query=query)}, None


def in_headers(provider: str, server: Server, key: str, is_async: bool) -> Given:
    headers = {"X-Gateway": f"Token {key}"}
    if provider == "google":
        more: dict[str, Any] = {"config": {"http_options": {"headers": headers}}}
    else:
        more = {"headers" if provider == "compatible" else "extra_headers": headers}
    return _plain(provider, server, **more), None


def in_query(provider: str, server: Server, key: str, is_async: bool) -> Given:
    return _plain(provider, server, extra_query={"sig": key}), None


def in_body(provider: str, server: Server, key: str, is_async: bool) -> Given:
    return _plain(provider, server, extra_body={"servers": [{"auth_token": key}]}), None


def in_password(provider: str, server: Server, key: str, is_async: bool) -> Given:
    url = address(provider, server, f"user:{quote(key, safe='')}@")
    return _plain(provider, server, base_url=url), None


def in_address_query(provider: str, server: Server, key: str, is_async: bool) -> Given:
    url = f"{address(provider, server)}?sig={quote(key, safe='')}"
    return _plain(provider, server, base_url=url), None


def as_callable(provider: str, server: Server, key: str, is_async: bool) -> Given:
    async def later() -> str:
        return key

    import openai

    url = address(provider, server)
    client: Any = openai.AsyncOpenAI if is_async else openai.OpenAI
    token: Any = later if is_async else lambda: key
    return {"client": client(base_url=url, api_key=token, max_retries=0)}, None


def in_azure_client(provider: str, server: Server, key: str, is_async: bool) -> Given:
    import openai

    kind: Any = openai.AsyncAzureOpenAI if is_async else openai.AzureOpenAI
    url = address(provider, server)
    client = kind(azure_endpoint=url, azure_ad_token=key, api_version="2024-10-21", max_retries=0)
    return {"client": client}, None


def as_auth_token(provider: str, server: Server, key: str, is_async: bool) -> Given:
    import anthropic

    kind: Any = anthropic.AsyncAnthropic if is_async else anthropic.Anthropic
    client = kind(base_url=address(provider, server), auth_token=key, max_retries=0)
    return {"client": client}, None


def as_basic_auth(provider: str, server: Server, key: str, is_async: bool) -> Given:
    import httpx

    kind: Any = httpx.AsyncClient if is_async else httpx.Client
    return {"client": kind(base_url=address(provider, server), auth=("user", key))}, None


def as_cookie(provider: str, server: Server, key: str, is_async: bool) -> Given:
    import httpx

    kind: Any = httpx.AsyncClient if is_async else httpx.Client
    headers = {"Cookie": f"theme=dark; session={key}"}
    return {"client": kind(base_url=address(provider, server), headers=headers)}, None


def in_unnamed_body_field(provider: str, server: Server, key: str, is_async: bool) -> Given:
    return _plain(provider, server, extra_body={"gateway": {"pass_on": [key]}}), None


def in_header_variable(provider: str, server: Server, key: str, is_async: bool) -> Given:
    name = "ANTHROPIC_CUSTOM_HEADERS" if provider == "anthropic" else "OPENAI_CUSTOM_HEADERS"
    os.environ |= {name: f"X-Tenant: {key}", VARIABLES[provider][1]: address(provider, server)}
    return {"api_key": OTHER}, None


PLACES = [
    *(as_setting, as_variable, as_dynamic_parameter, in_client, in_client_headers),
    *(in_client_query, in_headers, in_query, in_body, in_unnamed_body_field, in_password),
    *(in_address_query, in_header_variable, as_callable, in_azure_client, as_auth_token),
    *(as_basic_auth, as_cookie),
]
# Gemini's SDK has neither, and `compatible` takes any parameter as one of the API's.
ABSENT = {
    ("google", in_client_query),
    ("google", in_query),
    ("google", in_body),
    ("google", in_unnamed_body_field),
    ("compatible", in_query),
    *((name, in_header_variable) for name in ("google", "compatible")),
    *((name, as_basic_auth) for name in PROVIDERS if name != "compatible"),
    *((name, as_cookie) for name in PROVIDERS if name != "compatible"),
    *((name, as_auth_token) for name in PROVIDERS if name != "anthropic"),
    *((name, as_callable) for name in PROVIDERS if name not in ("openai", "responses")),
    *((name, in_azure_client) for name in PROVIDERS if name not in ("openai", "responses")),
}


# How a server can echo it


def _error(text: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": text, "type": "invalid_request_error", "code": None, **more}}


def _status(status: int, body: Any, **headers: str) -> Callable[[str], Any]:
    return lambda key: whole(
        body(key),
        status=status,
        headers={"x-should-retry": "false", **dict.fromkeys(headers, key)},
    )


def _streamed(*pieces: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda key: streamed(*(piece(key) for piece in pieces))


def _raw(text: str) -> Callable[[str], Any]:
    return lambda key: [text.replace("KEY", key).encode()]


_OPENED = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"

ECHOES: dict[str, Callable[[str], Any]] = {
    "message": _status(401, lambda key: _error(f"the key {key} is not valid")),
    "code": _status(403, lambda key: _error("no", code=key, type=f"no_{key}")),
    "quoted": _status(400, lambda key: _error(f"bad url ?sig={quote(key, safe='')}&x=1")),
    "plus": _status(400, lambda key: _error(f"bad form sig={quote_plus(key)}")),
    "base64": _status(
        401, lambda key: _error(f"Basic {base64.b64encode(f'user:{key}'.encode()).decode()}")
    ),
    "json in json": _status(422, lambda key: _error(json.dumps({"you": {"sent": key}}))),
    "repr": _status(400, lambda key: _error(f"headers: {[('x-api-key', key)]!r}")),
    "half": _status(401, lambda key: _error(f"{key[: len(key) // 2]} and {key[len(key) // 2 :]}")),
    "cut": _status(400, lambda key: f"{'x' * 290} {key}".encode()),
    "html": _status(403, lambda key: f"<html><b>{html.escape(key)}</b> {key}</html>".encode()),
    "other": _status(404, lambda key: {"detail": [{"loc": ["header"], "input": key}]}),
    "array": _status(400, lambda key: [_error(key)]),
    "headers": _status(429, lambda key: _error("slow"), **{"x-request-id": "", "x-echo": ""}),
    "location": _status(403, lambda key: b"", location=""),
    "event": _streamed(lambda key: sse(_error(f"the key {key} is not valid"), "error")),
    "event text": _streamed(lambda key: sse({"error": key}, "error")),
    "event and code": _streamed(lambda key: sse(_error("no", code=key, type=key), "error")),
    "later event": _streamed(
        lambda key: chunk("Hi"), lambda key: sse(_error(f"no {key}"), "error")
    ),
    "bad event": _streamed(lambda key: sse(f'{{"choices": {key}'.encode())),
    "bad event, cut": _streamed(lambda key: sse(b"{" + b"x" * 100 + key.encode() + b"x" * 50)),
    "bad shape": _streamed(lambda key: sse({"choices": key, "candidates": key, "type": key})),
    "no object": _streamed(lambda key: sse(json.dumps([key]).encode())),
    "two lines": _streamed(
        lambda key: b"data: {" + key[:12].encode() + b"\ndata: " + key[12:].encode() + b"\n\n"
    ),
    "two reads": _streamed(
        lambda key: b'data: {"error": {"message": "' + key[:7].encode(),
        lambda key: json.dumps(key)[1:-1].encode()[7:] + b'"}}\n\n',
    ),
    "no stream": _streamed(lambda key: f"<html>{key}</html>".encode()),
    "no json": _streamed(lambda key: f"\xff {key}".encode("latin-1")),
    "a whole error": lambda key: whole(_error(f"the key {key} is not valid")),
    "chunk size": lambda key: [f"{_OPENED}{key}\r\n".encode(), Hangup()],
    "reset": lambda key: [_OPENED.encode(), b"5\r\ndata:\r\n", Reset()],
    "nothing": _streamed(lambda key: DONE),
}
DROPPED = {"chunk size", "reset"}
# The SDKs try these again and wait between; once, with a client that does not, is enough.
BROKEN_HEADS = {
    "status line": _raw("HTTP/1.1 KEY\r\n\r\n"),
    "header line": _raw("HTTP/1.1 200 OK\r\nKEY\r\n\r\n"),
}

MODES = ["stream", "async stream", "call", "async call"]
SDK_MODES = ["SDK stream", "async SDK stream"]
"""The same through the SDK's own loop (`sdk_iteration=True`)."""


# What is looked at


def traces(key: str) -> dict[str, str]:
    """What of a key is too much to see, in our own words."""
    half = len(key) // 2
    encoded = base64.b64encode(key.encode()).decode()
    return {
        "key": key,
        "first half": key[: half + 1],
        "second half": key[half - 1 :],
        "quoted": quote(key, safe=""),
        "escaped": json.dumps(key)[1:-1],
        "html": html.escape(key),
        "base64": encoded[: len(encoded) // 4 * 4 - 4],
        "with a user": base64.b64encode(f"user:{key}".encode()).decode()[8:-4],
    }


def chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo:
        found = todo.pop()
        if found is not None and not any(found is known for known in seen):
            seen.append(found)
            yield found
            todo += [found.__cause__, found.__context__]


def frames(shown: TracebackType | None) -> Iterator[tuple[str, str]]:
    while shown is not None:
        code = shown.tb_frame.f_code
        if code.co_filename != __file__:
            for name, value in shown.tb_frame.f_locals.items():
                with contextlib.suppress(Exception):
                    yield f"{code.co_qualname}: {name}", repr(value)
                for where, text in http(value, 0):
                    yield f"{code.co_qualname}: {name}.{where}", text
        shown = shown.tb_next


def http(value: Any, depth: int = 4) -> Iterator[tuple[str, str]]:
    """What an HTTP library's object shows, by the attributes that people read."""
    for name in ("url", "content", "text", "reason", "body", "details"):
        with contextlib.suppress(Exception):
            yield name, str(getattr(value, name))
    with contextlib.suppress(Exception):
        yield "headers", str(list(value.headers.items()))
    for name in ("request", "response"):
        with contextlib.suppress(Exception):
            if depth and (found := getattr(value, name)) is not None:
                for where, text in http(found, depth - 1):
                    yield f"{name}.{where}", text


def views(error: BaseException) -> Iterator[tuple[str, str]]:
    yield "traceback", "".join(traceback.format_exception(error))
    for found in chain(error):
        kind = type(found).__name__
        yield f"{kind}: str", str(found)
        yield f"{kind}: repr", repr(found)
        yield f"{kind}: args", repr(found.args)
        yield f"{kind}: attributes", repr(vars(found))
        for where, text in http(found):
            yield f"{kind}.{where}", text
        for where, text in frames(found.__traceback__):
            yield f"{kind} in {where}", text
    if isinstance(error, MirascopeError):
        pickled = pickle.dumps(error)
        yield "pickle", pickled.decode("latin-1")
        yield "unpickled", repr(vars(pickle.loads(pickled)))


def of_stream(stream: Any) -> Iterator[tuple[str, str]]:
    yield "repr(stream)", repr(stream)
    call = stream._call
    for name in ("provider", "request", "connection", "toolset"):
        yield f"repr({name})", repr(getattr(call, name))
    yield "repr(call)", repr(call)
    yield "the answer's error", repr(stream.answer.error)
    if stream.state.ended:
        yield "repr(response)", repr(stream.construct_call_response())
    yield "repr(picture)", repr(stream.picture())


class Log:
    """What this library logs at its most talkative; what an SDK logs is the SDK's."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def clear(self) -> None:
        self._caplog.clear()

    @property
    def text(self) -> str:
        formatter = logging.Formatter()
        return "\n".join(
            formatter.format(record)
            for record in self._caplog.records
            if record.name.partition(".")[0].startswith("mirascope")
        )


class Attempts:
    """Makes attempts and keeps what was seen.

    Attributes:
        count: how many were made.
        looks: how many texts were looked at.
        seen: what showed a key, one line each.
    """

    def __init__(self, server: Server, directory: Path, log: Log) -> None:
        self._server = server
        self._directory = directory
        self._log = log
        self.count = self.looks = 0
        self.seen: list[str] = []

    def make(
        self, provider: str, place: Callable[..., Given], echo: str, mode: str, key: str
    ) -> None:
        self.count += 1
        what = f"{provider}, {place.__name__}, {echo}, {mode}"
        before = dict(os.environ)
        self._log.clear()
        recording = self._directory / f"{self.count}.jsonl"
        is_async, streams = mode.startswith("async"), mode.endswith("stream")
        self._server.reply = lambda _: {**ECHOES, **BROKEN_HEADS}[echo](key)
        try:
            arguments, result = place(provider, self._server, key, is_async)
            if streams:
                arguments |= {"stream": True, "record": recording}
            if "SDK" in mode:
                arguments["sdk_iteration"] = True
            decorate = decorator(provider)("a-model", **arguments)
            shown = [("repr(decorator)", repr(decorate))]
            function: Any = _asynchronous(result) if is_async else _synchronous(result)
            decorated = decorate(function)
            shown.append(("repr(function)", repr(decorated)))
            try:
                if is_async:
                    asyncio.run(_read_async(decorated, shown, streams, arguments.get("client")))
                else:
                    _read(decorated, shown, streams)
            except Exception as error:
                shown += views(error)
            finally:
                if (client := arguments.get("client")) is not None and not is_async:
                    client.close()
            shown.append(("log", self._log.text))
            if recording.exists():
                shown.append(("recording", recording.read_text("utf-8", "replace")))
        finally:
            os.environ.clear()
            os.environ |= before
        self._look(what, shown, key)

    def _look(self, what: str, shown: list[tuple[str, str]], key: str) -> None:
        wanted = traces(key)
        for where, text in shown:
            self.looks += 1
            for kind, part in wanted.items():
                if part in text:
                    at = text.index(part)
                    self.seen.append(
                        f"{what}: {kind} in {where}: {text[max(0, at - 60) : at + 40]!r}"
                    )
                    break


def _synchronous(result: Any) -> Any:
    def ask() -> Any:
        """Hi"""
        return result

    return ask


def _asynchronous(result: Any) -> Any:
    async def ask() -> Any:
        """Hi"""
        return result

    return ask


def _read(decorated: Any, shown: list[tuple[str, str]], streams: bool) -> None:
    found = decorated()
    if not streams:
        shown.append(("repr(response)", repr(found)))
        return
    shown += of_stream(found)
    try:
        for _ in found:
            pass
    finally:
        shown += of_stream(found)


async def _read_async(
    decorated: Any, shown: list[tuple[str, str]], streams: bool, client: Any
) -> None:
    try:
        found = await decorated()
        if not streams:
            shown.append(("repr(response)", repr(found)))
            return
        shown += of_stream(found)
        try:
            async for _ in found:
                pass
        finally:
            shown += of_stream(found)
    finally:
        if client is not None:
            client = getattr(client, "aio", client)
            await (client.aclose() if hasattr(client, "aclose") else client.close())


class EchoServer(Server):
    """A server whose reply can be changed between requests."""

    def __init__(self) -> None:
        self.reply: Callable[[ReceivedRequest], Any] = lambda _: whole({})
        super().__init__(lambda received: self.reply(received))


@pytest.fixture
def attempts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Attempts]:
    caplog.set_level(logging.DEBUG, "mirascope")
    with EchoServer() as server:
        yield Attempts(server, tmp_path, Log(caplog))


def combinations() -> Iterator[tuple[str, Any, str, str, str]]:
    """Yield what is tried: everything, or a sample with every place, echo, mode and provider."""
    keys = itertools.cycle(KEYS)
    everything = [
        (provider, place, echo, mode)
        for place, echo, mode, provider in itertools.product(PLACES, ECHOES, MODES, PROVIDERS)
        if (provider, place) not in ABSENT and not _waits(provider, place, echo, mode)
    ]
    through_the_sdk = [
        (provider, place, echo, mode)
        for place, echo, mode, provider in itertools.product(PLACES, ECHOES, SDK_MODES, PROVIDERS)
        if (provider, place) not in ABSENT and provider != "compatible"
    ]
    # Steps that have no divisor in common with the lengths of the lists take every value of each.
    for combination in (
        *everything[:: 1 if IS_LONG else 37],
        *through_the_sdk[:: 1 if IS_LONG else 73],
    ):
        yield *combination, next(keys)


def _waits(provider: str, place: Any, echo: str, mode: str) -> bool:
    """Whether an SDK's default client would try again, and wait in between."""
    is_own = "client" in place.__name__ or place in (as_callable, as_auth_token)
    return provider in SDK and not is_own and mode.endswith("call") and echo in DROPPED


def test_every_attempt(attempts: Attempts) -> None:
    for provider, place, echo, mode, key in combinations():
        attempts.make(provider, place, echo, mode, KEYS[key])
    print(f"{attempts.count} attempts, {attempts.looks} looks, {len(attempts.seen)} saw a key")
    assert attempts.seen == []


@pytest.mark.parametrize("mode", MODES)
def test_a_strangers_provider_without_a_line_of_its_own(
    attempts: Attempts, tmp_path: Path, mode: str
) -> None:
    StrangerProvider.key_file = tmp_path / "key"
    StrangerProvider.key_file.write_text(KEYS["plain"])

    def in_a_file(provider: str, server: Server, key: str, is_async: bool) -> Given:
        return {"base_url": address(provider, server)}, None

    # The error inside of a good answer that was not streamed: nothing of the request is left then.
    left_out = {"a whole error"} if mode.endswith("call") else set[str]()
    for echo in ECHOES.keys() - left_out:
        attempts.make("stranger", in_a_file, echo, mode, KEYS["plain"])
    assert attempts.seen == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_response_that_is_broken_in_its_head(
    attempts: Attempts, provider: str, mode: str
) -> None:
    for echo in BROKEN_HEADS:
        attempts.make(provider, in_client, echo, mode, KEYS["plain"])
    assert attempts.seen == []


class SoftTimeLimit(Exception):  # noqa: N818 - named as task queues name it
    pass


def too_late(number: int, frame: Any) -> None:
    raise SoftTimeLimit


def ctrl_c(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("handler", [too_late, ctrl_c])
def test_what_passes_a_call_unchanged_has_no_key_beneath_it(
    handler: Any, provider: str, mode: str
) -> None:
    key = KEYS["plain"]
    reply = streamed(chunk("Hi"), Hold()) if mode == "stream" else [Hold()]
    before = signal.signal(signal.SIGUSR1, handler)
    with Server(reply) as server:

        def interrupt() -> None:
            deadline = time.monotonic() + 20
            while not server.requests and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(0.2)
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

        thread = threading.Thread(target=interrupt)
        arguments = {"base_url": address(provider, server), "api_key": key}
        decorated = decorator(provider)("a-model", stream=mode.endswith("stream"), **arguments)
        decorate: Any = _asynchronous if mode.startswith("async") else _synchronous
        function = decorated(decorate(None))
        thread.start()
        try:
            if mode.startswith("async"):
                asyncio.run(_read_async(function, [], mode.endswith("stream"), None))
            else:
                _read(function, [], mode.endswith("stream"))
        except (SoftTimeLimit, KeyboardInterrupt) as error:
            found = [*views(error)]
        else:
            found = []
        finally:
            thread.join()
            signal.signal(signal.SIGUSR1, before)
    assert found
    assert [where for where, text in found if key in text] == []
