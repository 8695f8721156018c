"""What people write by mistake: each is refused or warned of, in one line with the way out."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import tenacity
from mirascope.core import (
    MissingFileError,
    PromptWarning,
    RetryWarning,
    UnreadableFileError,
    UsageError,
    anthropic,
    call,
    call_async,
    compatible,
    google,
    local,
    openai,
    stream_from,
    stream_from_async,
)
from mirascope.core.testing import Server, streamed, whole
from mirascope_tests.chat import answer, completion

Serve = Callable[..., Server]

PROVIDERS = {"anthropic": anthropic, "google": google, "local": local, "openai": openai}
DECORATORS: dict[str, Callable[..., Any]] = {
    **{f"{name}.call": module.call for name, module in PROVIDERS.items()},
    **{f"{name}.call_async": module.call_async for name, module in PROVIDERS.items()},
    "compatible.call": compatible.call,
    "compatible.call_async": compatible.call_async,
    "call": call,
    "call_async": call_async,
}


def fantasy(genre: str = "fantasy") -> None:
    """Recommend a {genre} book."""


def get_weather(city: str) -> str:
    """Get the weather in a city."""
    return f"It rains in {city}."


def one_line(error: pytest.ExceptionInfo[BaseException]) -> bool:
    return "\n" not in str(error.value)


# The decorator


@pytest.mark.parametrize("decorator", DECORATORS)
@pytest.mark.parametrize(
    ("model", "message"),
    [
        (fantasy, "the decorator of 'fantasy' names no model: write it with parentheses"),
        (None, "must be a string such as 'gpt-4o', not None"),
        (["gpt-4o"], "must be a string such as 'gpt-4o', not a list"),
        (b"gpt-4o", "must be a string such as 'gpt-4o', not a bytes"),
        ("", "has no name"),
        (" ", "has no name"),
        ("gpt-4o ", "has blanks or control characters"),
        ("gpt\n4o", "has blanks or control characters"),
    ],
)
def test_a_model_that_is_not_one(decorator: str, model: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        DECORATORS[decorator](model)
    assert one_line(caught)


def test_a_model_that_names_its_provider_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)
    with pytest.raises(UsageError, match=r"'openai/gpt-4o' names its provider.*: write 'gpt-4o'"):
        openai.call("openai/gpt-4o", stream=True)(fantasy)()
    with pytest.raises(UsageError, match="write 'gpt-4o'"):
        call("openai/openai/gpt-4o", api="responses")(fantasy)()
    with pytest.raises(UsageError, match="write 'claude-sonnet-4-5'"):
        anthropic.call("anthropic/claude-sonnet-4-5")(fantasy)()


def test_a_gateway_has_models_of_such_names(serve: Serve) -> None:
    server = serve(whole(completion("Hi")))
    ask = openai.call("openai/gpt-4o", base_url=server.url, api_key="k")(fantasy)
    assert ask().content == "Hi"
    assert server.requests[0].json["model"] == "openai/gpt-4o"


@pytest.mark.parametrize("decorator", DECORATORS)
@pytest.mark.parametrize(
    ("tools", "message"),
    [
        (get_weather, r"must be a list of functions, not a function: write tools=\[get_weather\]"),
        ("get_weather", "must be a list of functions, not a str"),
        ({"get_weather": get_weather}, "must be a list of functions, not a dict"),
        (1, "must be a list of functions, not a int"),
        ([lambda city: city], "a lambda has no name"),
    ],
)
def test_tools_that_are_not_a_list_of_functions(decorator: str, tools: Any, message: str) -> None:
    model = "openai/gpt-4o" if decorator.startswith("call") else "gpt-4o"
    with pytest.raises(UsageError, match=message) as caught:
        DECORATORS[decorator](model, tools=tools)
    assert one_line(caught)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ([1], "must be a mapping of names to values, .* not 'list'"),
        ("sk-secret-0123456789", "must be a mapping of names to values, .* not 'str'"),
        ([("temperature", 1)], "must be a mapping of names to values"),
        ({1: 2}, "1 is not the name of a parameter"),
    ],
)
def test_parameters_that_are_not_a_mapping(params: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        openai.call("gpt-4o", call_params=params)
    assert "sk-secret" not in str(caught.value)

    def configured() -> Any:
        """Hi"""
        return {"call_params": params}

    with pytest.raises(UsageError, match=message):
        openai.call("gpt-4o")(configured)()


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_parameter_that_is_misspelt(name: str) -> None:
    with pytest.raises(UsageError, match=r"'temprature': did you mean 'temperature'\?"):
        PROVIDERS[name].call("m", temprature=0.1)


@pytest.mark.parametrize("option", ["max_retries", "http_client", "default_headers"])
@pytest.mark.parametrize("name", PROVIDERS)
def test_an_option_of_the_client(name: str, option: str) -> None:
    with pytest.raises(UsageError, match=f"'{option}' is an option of a client.* client="):
        PROVIDERS[name].call("m", **{option: 1})


@pytest.mark.parametrize("stream", [False, True], ids=["call", "stream"])
@pytest.mark.parametrize("client", ["x", 5, {}, object(), Thread()], ids=lambda x: type(x).__name__)
@pytest.mark.parametrize("module", [openai, anthropic, google, compatible])
def test_something_else_for_a_client(module: Any, client: object, stream: bool) -> None:
    message = f"client= is {type(client).__name__}, which '.*' can't use: give an instance of its"
    ask = module.call("m", client=client, stream=stream)(lambda: "Hi")
    with pytest.raises(UsageError, match=message):
        ask().open() if stream else ask()


# The function


class Thing:
    """Hi"""


def generator() -> Any:
    """Hi"""
    yield "x"


async def async_generator() -> Any:
    """Hi"""
    yield "x"


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (Thing, "decorates a function or method, not the class 'Thing'"),
        (generator, "'generator' yields.*: return the messages as a list"),
        (async_generator, "'async_generator' yields.*: return the messages as a list"),
        (
            openai.call("gpt-4o")(fantasy),
            r"'fantasy' is decorated as a call already: .*__wrapped__",
        ),
        ("Hi", "decorates a function, not 'Hi'"),
    ],
)
def test_what_no_prompt_comes_of(fn: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        openai.call("gpt-4o", stream=True)(fn)


def test_a_docstring_that_documents_its_arguments() -> None:
    @openai.call("gpt-4o", stream=True)
    def documented(genre: str) -> None:
        """Recommend a {genre} book.

        Args:
            genre: What it is about.
        """

    with pytest.warns(PromptWarning, match="'documented' is its prompt.* of 'genre'") as caught:
        stream = documented("crime")
    assert caught[0].filename == __file__
    assert "What it is about" in stream.messages[0]["content"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        documented("crime")  # told once


def test_a_prompt_that_only_looks_like_documentation() -> None:
    @openai.call("gpt-4o", stream=True)
    def prompt(genre: str, author: str) -> None:
        """Recommend a book.

        Parameters:
            genre: {genre}
            author: {author}
        """

    @openai.call("gpt-4o", stream=True)
    def other(genre: str) -> None:
        """Explain to a {genre} reader what these are.

        Args:
            foo: what is it?
        """

    for fn, args in ((prompt, ("crime", "Doyle")), (other, ("crime",))):
        assert fn(*args).messages


# await


def asynchronous(serve: Serve, **options: Any) -> Callable[..., Any]:
    server = serve(streamed(*answer("Hi")) if options.get("stream") else whole(completion("Hi")))

    @openai.call_async("gpt-4o", base_url=server.url, api_key="k", **options)
    async def ask() -> None:
        """Hi"""

    return ask


async def loop_async(ask: Any) -> None:
    async for _ in ask():
        pass


async def loop(ask: Any) -> None:
    for _ in ask():
        pass


async def block_async(ask: Any) -> None:
    async with ask():
        pass


async def block(ask: Any) -> None:
    with ask():
        pass


@pytest.mark.parametrize("slip", [loop_async, loop, block_async, block])
def test_an_await_that_is_missing(serve: Serve, slip: Callable[..., Any]) -> None:
    stream, whole_answer = asynchronous(serve, stream=True), asynchronous(serve)
    way_out = r"write 'async for chunk, tool in await ask\(…\)'"
    with pytest.raises(TypeError, match=f"'ask' was not awaited: {way_out}"):
        asyncio.run(slip(stream))
    with pytest.raises(TypeError, match=r"'ask' was not awaited: write 'await ask\(…\)'"):
        asyncio.run(slip(whole_answer))


def test_a_property_before_the_await(serve: Serve) -> None:
    pending = asynchronous(serve)()
    with pytest.raises(AttributeError, match=r"no 'content' before .*\(await ask\(…\)\).content"):
        _ = pending.content
    assert repr(pending) == "<call of 'ask' that was not awaited>"
    pending.close()


@pytest.mark.parametrize("stream", [False, True])
def test_a_pending_call_is_a_coroutine(serve: Serve, stream: bool) -> None:
    server = serve(*[streamed(*answer("Hi")) if stream else whole(completion("Hi"))] * 5)

    @openai.call_async("gpt-4o", stream=stream, base_url=server.url, api_key="k")
    async def ask() -> None:
        """Hi"""

    assert inspect.iscoroutinefunction(ask)
    assert asyncio.iscoroutinefunction(ask) if hasattr(asyncio, "iscoroutinefunction") else True

    async def content(found: Any) -> str:
        return (await found.collect()).content if stream else found.content

    async def main() -> list[str]:
        task = asyncio.create_task(ask())
        task.print_stack()
        found = [await ask(), await task, *await asyncio.gather(ask(), ask())]
        found.append(await asyncio.wait_for(ask(), 10))
        return [await content(one) for one in found]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        assert asyncio.run(main()) == ["Hi"] * 5
    pending = ask()
    assert inspect.isawaitable(pending)
    assert pending.cr_code is not None
    with pytest.raises(ZeroDivisionError):
        pending.throw(ZeroDivisionError())


def test_a_class_has_it_as_a_method(serve: Serve) -> None:
    server = serve(whole(completion("Hi")))

    class Bot:
        @openai.call_async("gpt-4o", base_url=server.url, api_key="k")
        async def ask(self) -> None:
            """Hi"""

    assert inspect.iscoroutinefunction(Bot().ask)
    assert asyncio.run(Bot().ask()).content == "Hi"


def test_synchronous_and_asynchronous_blocks_are_told_apart(serve: Serve) -> None:
    server = serve(streamed(*answer("Hi")))
    stream = openai.call("gpt-4o", stream=True, base_url=server.url, api_key="k")(fantasy)()
    with pytest.raises(TypeError, match="OpenAIStream is synchronous: write 'with'"):
        asyncio.run(block_async(lambda: stream))

    async def wrong() -> None:
        with await asynchronous(serve, stream=True)():
            pass

    with pytest.raises(TypeError, match="OpenAIAsyncStream is asynchronous: write 'async with'"):
        asyncio.run(wrong())


def test_a_whole_answer_is_not_a_stream(serve: Serve) -> None:
    server = serve(whole(completion("Hi")))
    found: Any = openai.call("gpt-4o", base_url=server.url, api_key="k")(fantasy)()
    with pytest.raises(TypeError, match=r"OpenAICallResponse is a whole answer.* stream=True"):
        list(found)
    with pytest.raises(TypeError, match=r"give the decorator stream=True to use 'async for'"):
        asyncio.run(loop_async(lambda: found))


# Retries


def test_a_retry_around_a_streaming_call(serve: Serve) -> None:
    server = serve(streamed(*answer("Hi")))
    again = tenacity.retry(stop=tenacity.stop_after_attempt(3))
    ask: Any = again(openai.call("gpt-4o", stream=True, base_url=server.url, api_key="k")(fantasy))
    with pytest.warns(RetryWarning, match="streaming call 'fantasy' repeats nothing") as caught:
        stream = ask()
    assert caught[0].filename == __file__
    assert stream.collect().content == "Hi"

    async def main() -> None:
        await again(asynchronous(serve, stream=True))()

    with pytest.warns(RetryWarning, match="streaming call 'ask' repeats nothing"):
        asyncio.run(main())


def test_a_retry_around_what_reads_is_right(serve: Serve) -> None:
    server = serve(streamed(*answer("Hi")), whole(completion("Hi")))
    options: Any = {"base_url": server.url, "api_key": "k"}
    ask = openai.call("gpt-4o", stream=True, **options)(fantasy)
    again = tenacity.retry(stop=tenacity.stop_after_attempt(3))
    assert again(lambda: ask().collect())().content == "Hi"
    assert again(openai.call("gpt-4o", **options)(fantasy))().content == "Hi"


# Recordings


@pytest.mark.parametrize("replayed", [stream_from, stream_from_async])
def test_a_recording_that_is_not_there(tmp_path: Path, replayed: Callable[..., Any]) -> None:
    with pytest.raises(MissingFileError, match=r"missing\.jsonl' can't be read: No such file") as e:
        replayed(tmp_path / "missing.jsonl")
    assert isinstance(e.value, (UsageError, FileNotFoundError))
    with pytest.raises(UnreadableFileError, match="can't be read: Is a directory"):
        replayed(str(tmp_path))
    with pytest.raises(UsageError, match=r"a recording is a path, .*, not None"):
        replayed(None)


def test_an_address_without_a_scheme() -> None:
    ask = compatible.call("m", stream=True, base_url="localhost:9/v1")(fantasy)
    with pytest.raises(Exception, match=r"must begin with https:// or http://: see base_url=") as e:
        ask().collect()
    assert getattr(e.value, "retryable", None) is False
