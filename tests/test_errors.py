"""Errors leave the process that raised them, and what had arrived goes with them."""

from __future__ import annotations

import concurrent.futures
import copy
import importlib
import inspect
import multiprocessing
import pickle
import signal
import threading
from collections.abc import Callable
from typing import Any

import mirascope.core
import pytest
from mirascope.core import (
    APIError,
    MirascopeError,
    NotCopyableError,
    StreamCancelledError,
    StreamDecodeError,
    StreamError,
    StreamPicture,
    StreamProviderError,
    StreamState,
    StreamTruncatedError,
    UsageError,
    compatible,
)
from mirascope.core.testing import Hold, Server, sse, streamed, whole
from mirascope_tests.chat import chunk, completion

ERRORS = {
    value
    for value in vars(mirascope.core).values()
    if isinstance(value, type) and issubclass(value, MirascopeError)
}
COPIES: dict[str, Callable[[Any], Any]] = {
    **{
        f"pickle-{protocol}": lambda error, p=protocol: pickle.loads(pickle.dumps(error, p))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


def ask(server: Server, **options: Any) -> Any:
    @compatible.call("m", base_url=server.url, **options)
    def f() -> None:
        """Hi"""

    return f()


def collected(make: Callable[[], Any]) -> Any:
    """Return a whole answer, of a call or of a stream."""
    found = make()
    return found.collect() if hasattr(found, "collect") else found


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("error_class", sorted(ERRORS, key=lambda cls: cls.__name__))
def test_every_error_survives(error_class: type[MirascopeError], how: str) -> None:
    needed = {
        name: name
        for name, parameter in inspect.signature(error_class.__init__).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty
    }
    error = error_class("it broke", **needed)
    error.add_note("a note")
    again = COPIES[how](error)
    assert type(again) is error_class
    assert (str(again), again.args) == (str(error), error.args)
    assert {**vars(again)} == {**vars(error)}


class OddError(StreamTruncatedError):
    """An error of a plugin's own, with facts that no other error has and one that can't travel."""

    def __init__(self, shard: int, *, lock: Any) -> None:
        super().__init__(f"shard {shard} is gone", status=503)
        self.shard = shard
        self.lock = lock


@pytest.mark.parametrize("how", [name for name in COPIES if name != "copy"])
def test_an_error_of_a_plugin_travels_without_what_cant(how: str) -> None:
    again = COPIES[how](OddError(3, lock=threading.Lock()))
    assert (type(again), again.shard, again.status) == (OddError, 3, 503)
    assert str(again) == "shard 3 is gone (HTTP 503)"
    assert not hasattr(again, "lock")


@pytest.mark.parametrize("how", COPIES)
def test_what_had_arrived_goes_along(serve: Callable[..., Server], how: str) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    server = serve(streamed(chunk("Hel"), chunk("lo", usage=usage)))
    stream = ask(server, stream=True)
    with pytest.raises(StreamTruncatedError) as caught:
        stream.collect()
    assert caught.value.stream is stream
    again = COPIES[how](caught.value)
    picture = again.stream
    assert (picture is stream) is (how == "copy")
    assert (picture.content, picture.state) == ("Hello", StreamState.TRUNCATED)
    assert (picture.provider, picture.model) == ("compatible", "gpt-4o-2024-08-06")
    assert picture.usage == usage
    assert (picture.common_usage.input_tokens, picture.common_usage.output_tokens) == (3, 2)
    assert picture.message_param == {"role": "assistant", "content": "Hello"}
    assert picture.event_count == 2
    assert picture.cost is None
    # And further, through as many processes as there are.
    assert COPIES[how](again).stream.content == "Hello"


IN_ANOTHER_PROCESS = """
from mirascope.core import compatible

@compatible.call("m", base_url={url!r}, stream=True)
def f():
    "Hi"

f().collect()
"""


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_out_of_a_pool(serve: Callable[..., Server], method: str) -> None:
    server = serve(streamed(chunk("Hel")))
    context = multiprocessing.get_context(method)
    with (
        concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool,
        pytest.raises(StreamTruncatedError) as caught,
    ):
        pool.submit(exec, IN_ANOTHER_PROCESS.format(url=server.url)).result(60)
    assert isinstance(caught.value.stream, StreamPicture)
    assert caught.value.stream.content == "Hel"


COPY = [copy.copy, copy.deepcopy, pickle.dumps]


@pytest.mark.parametrize("duplicate", COPY)
def test_a_stream_is_not_copied(
    serve: Callable[..., Server], duplicate: Callable[[Any], Any]
) -> None:
    server = serve(streamed(chunk("a"), chunk("b"), chunk(finish="stop")))
    stream = ask(server, stream=True)
    items = iter(stream)
    for _ in range(2):
        with pytest.raises(NotCopyableError, match=r"picture\(\)") as caught:
            duplicate(stream)
        assert isinstance(caught.value, TypeError)
        assert "\n" not in str(caught.value)
        assert next(items)[0].content in "ab"
    picture = stream.picture()
    assert (picture.content, picture.state, picture.usage) == ("ab", StreamState.STREAMING, None)
    assert pickle.loads(pickle.dumps(picture)) == picture
    stream.close()
    with pytest.raises(NotCopyableError):
        duplicate(stream)


def test_a_response_is_data_or_stays(serve: Callable[..., Server]) -> None:
    response = ask(serve(whole(completion("Hi"))))
    assert response.state is StreamState.COMPLETED
    for duplicate in (copy.deepcopy, pickle.dumps):
        with pytest.raises(NotCopyableError, match=r"picture\(\)"):
            duplicate(response)
    assert copy.copy(response).content == "Hi"
    picture = pickle.loads(pickle.dumps(response.picture()))
    assert (picture.content, picture.finish_reason) == ("Hi", "stop")
    assert picture.common_usage == response.common_usage


@pytest.mark.parametrize("leave", ["cancel", "close"])
def test_collect_never_returns_a_part(serve: Callable[..., Server], leave: str) -> None:
    server = serve(streamed(chunk("Hel"), Hold()))
    stream = ask(server, stream=True)
    threading.Timer(0.2, getattr(stream, leave)).start()
    with pytest.raises(StreamCancelledError) as caught:
        stream.collect()
    assert not caught.value.retryable
    assert caught.value.stream is stream
    assert stream.error is None
    assert stream.state is (StreamState.CANCELLED if leave == "cancel" else StreamState.STOPPED)
    # Who asks for what there is gets it, and can tell what it is.
    response = stream.construct_call_response()
    assert (response.content, response.state) == ("Hel", stream.state)


EVENTS = [
    ({"type": "server_error"}, True),
    ({"type": "overloaded_error"}, True),
    ({"code": "rate_limit_exceeded"}, True),
    ({"code": "UNAVAILABLE"}, True),
    ({"code": 503}, True),
    ({"type": "insufficient_quota"}, False),
    ({"code": "insufficient_quota", "status": 429}, False),
    ({"code": "context_length_exceeded"}, False),
    ({"type": "something_new"}, False),
    ({}, False),
]


@pytest.mark.parametrize(("fields", "retryable"), EVENTS)
def test_an_error_event_is_retryable_by_what_it_is(
    serve: Callable[..., Server], fields: dict[str, Any], retryable: bool
) -> None:
    server = serve(streamed(chunk("Hi"), sse({"error": {"message": "no", **fields}})))
    with pytest.raises(StreamProviderError) as caught:
        ask(server, stream=True).collect()
    assert caught.value.retryable is retryable


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (429, None, True),
        (429, "rate_limit_exceeded", True),
        (429, "insufficient_quota", False),
        (500, None, True),
        (501, None, False),
        (529, None, True),
        (400, None, False),
        (403, "rate_limit_exceeded", True),
        (408, None, True),
        (401, "invalid_api_key", False),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_an_http_error_is_retryable_by_what_it_is(
    serve: Callable[..., Server], status: int, code: str | None, retryable: bool, stream: bool
) -> None:
    server = serve(whole({"error": {"message": "no", "code": code}}, status=status))
    with pytest.raises(APIError) as caught:
        collected(lambda: ask(server, stream=stream))
    assert (caught.value.status, caught.value.retryable) == (status, retryable)


@pytest.mark.parametrize("url", ["127.0.0.1:9/v1", "htp://127.0.0.1:9/v1", "http://127.0.0.1:x/v1"])
@pytest.mark.parametrize("provider", ["compatible", "openai", "anthropic", "google"])
def test_an_address_that_is_wrong_is_not_tried_again(provider: str, url: str) -> None:
    module = importlib.import_module(f"mirascope_{provider}")
    stream = module.call("m", stream=True, base_url=url, api_key="k")(lambda: "Hi")()
    with pytest.raises((APIError, UsageError)) as caught:
        stream.collect()
    assert not getattr(caught.value, "retryable", False)


class Anything:
    pass


@pytest.mark.parametrize("provider", ["compatible", "openai", "anthropic", "google"])
@pytest.mark.parametrize("client", [Anything(), Anything], ids=["an object", "a class"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_client_of_another_kind(provider: str, client: Any, stream: bool) -> None:
    module = importlib.import_module(f"mirascope_{provider}")
    with pytest.raises(UsageError, match="Anything") as caught:
        collected(lambda: module.call("m", stream=stream, client=client)(lambda: "Hi")())
    assert "client=" in str(caught.value)


class SoftTimeLimit(Exception):  # noqa: N818 - named as task queues name it
    pass


def handlers() -> dict[str, Any]:
    def plain(number: int, frame: Any) -> None:
        raise SoftTimeLimit

    def of_the_standard_library(number: int, frame: Any) -> None:
        raise TimeoutError("too long")

    def with_any_arguments(*arguments: Any) -> None:
        raise ValueError("too long")

    def nested(number: int, frame: Any) -> None:
        plain(0, None)

    return {
        handler.__name__: handler
        for handler in (plain, of_the_standard_library, with_any_arguments, nested)
    }


@pytest.mark.parametrize("handler", handlers())
@pytest.mark.parametrize("when", ["opening", "reading", "call"])
def test_what_a_signal_handler_raises_passes(
    serve: Callable[..., Server], handler: str, when: str
) -> None:
    server = serve(streamed(chunk("Hel"), Hold()) if when == "reading" else [Hold()])
    raised: list[BaseException] = []

    def note(number: int, frame: Any) -> None:
        try:
            handlers()[handler](number, frame)
        except Exception as error:
            raised.append(error)
            raise

    before = signal.signal(signal.SIGALRM, note)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    streams: list[Any] = []

    def make() -> Any:
        streams.append(ask(server, stream=when != "call"))
        return streams[0]

    try:
        with pytest.raises((SoftTimeLimit, TimeoutError, ValueError)) as caught:
            collected(make)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert caught.value is raised[0]
    for stream in streams:
        assert (stream.state, stream.error) == (StreamState.CANCELLED, None)
        assert stream.content == ("Hel" if when == "reading" else "")


@pytest.mark.parametrize("name", ["stream_options", "tools"])
def test_a_parameter_of_the_wrong_type(name: str) -> None:
    def tool() -> str:
        """A tool."""
        return ""

    arguments: dict[str, Any] = {"tools": [tool], "call_params": {name: 5}}
    decorated = compatible.call("m", stream=True, base_url="http://127.0.0.1:9", **arguments)
    with pytest.raises(UsageError, match="'compatible' can't make a request"):
        decorated(lambda: "Hi")()


@pytest.mark.parametrize("reply", [b"<html>", {"choices": [{"message": 5}]}, b"[]"])
def test_the_error_of_a_call_that_is_not_streamed_has_a_picture(
    serve: Callable[..., Server], reply: Any
) -> None:
    with pytest.raises(StreamError) as caught:
        ask(serve(whole(reply)))
    assert isinstance(caught.value, StreamDecodeError)
    assert isinstance(caught.value.stream, StreamPicture)
    assert (caught.value.stream.content, caught.value.stream.state) == ("", StreamState.FAILED)
