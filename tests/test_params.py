"""What a decorator takes for a parameter of the API, and what it refuses to send."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from mirascope import core
from mirascope.core import UsageError
from mirascope.core.testing import Server, streamed, whole
from mirascope_tests.api import API
from mirascope_tests.chat import answer, completion
from pydantic import BaseModel

Serve = Callable[..., Server]

PROVIDERS = ("anthropic", "compatible", "google", "local", "openai")


class Book(BaseModel):
    title: str


OF_THE_DECORATOR = ("response_model", "response_mode", "json_mode", "output_parser")


def decorators() -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {
        "by name": lambda **call: core.call("compatible/m", **call),
        "by name, asynchronous": lambda **call: core.call_async("compatible/m", **call),
        "responses": lambda **call: core.call("openai/m", api="responses", **call),
    }
    for provider in PROVIDERS:
        module = importlib.import_module(f"mirascope_{provider}")
        found[provider] = lambda module=module, **call: module.call("m", **call)
        found[f"{provider}, asynchronous"] = lambda module=module, **call: module.call_async(
            "m", **call
        )
    return found


DECORATORS = decorators()


@pytest.mark.parametrize("name", OF_THE_DECORATOR)
@pytest.mark.parametrize("decorator", DECORATORS)
def test_what_decides_the_result_of_calls_is_not_a_parameter(decorator: str, name: str) -> None:
    with pytest.raises(
        UsageError, match=rf"^call_params can't contain '{name}': give it to the decorator"
    ):
        DECORATORS[decorator](call_params={name: Book})


@pytest.mark.parametrize("name", OF_THE_DECORATOR)
async def test_nor_does_a_function_slip_it_in(api: API, serve: Serve, name: str) -> None:
    server = serve(whole(completion("Hi")))
    async with api.connected(server) as connection:
        fn = api.function("Hi.", {"call_params": {name: True}})
        ask = api.ask(fn=fn, stream=False, **connection)
        with pytest.raises(UsageError, match=f"call_params can't contain '{name}'"):
            await api.call(ask)
    assert server.requests == []


async def test_an_option_that_is_switched_off_is_not_sent(api: API, serve: Serve) -> None:
    server = serve(streamed(*answer("Hi")))
    reading = await api.read(
        server, response_model=None, json_mode=False, output_parser=None, temperature=0.5
    )
    assert reading.error is None
    assert reading.stream.call_params == {"temperature": 0.5}
    body = server.requests[0].json
    assert body.keys() & {"response_model", "json_mode", "output_parser"} == set()


def test_messages_are_not_a_parameter() -> None:
    with pytest.raises(UsageError, match="'messages' is not a parameter of a call: write a prompt"):
        core.call("compatible/m", messages=[{"role": "user", "content": "Hi"}])


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("tool", "tools"),
        ("steam", "stream"),
        ("timout", "timeout"),
        ("timeouts", "timeout"),
        ("call_param", "call_params"),
        ("callparams", "call_params"),
        ("sdk_iterations", "sdk_iteration"),
        ("records", "record"),
        ("price", "prices"),
        ("clients", "client"),
        ("response_models", "response_model"),
        ("jsonmode", "json_mode"),
        ("output_parsers", "output_parser"),
        ("baseurl", "base_url"),
        ("apikey", "api_key"),
        ("header", "headers"),
    ],
)
async def test_an_argument_that_is_misspelt_is_not_taken_for_the_api_s(
    compatible_api: API, serve: Serve, name: str, meant: str
) -> None:
    with pytest.raises(
        UsageError, match=rf"^unknown argument '{name}': did you mean '{meant}'\? .*call_params"
    ):
        compatible_api.ask(**{name: 1})
    # A server may have a parameter of any name.
    server = serve(streamed(*answer("Hi")))
    reading = await compatible_api.read(server, call_params={name: 1})
    assert reading.error is None
    assert server.requests[0].json[name] == 1


def parameters() -> Iterable[str]:
    """The parameters of every API whose SDK is here."""
    import anthropic.types as claude
    import openai.types.chat.completion_create_params as chat
    import openai.types.responses.response_create_params as responses
    from anthropic.resources import Messages
    from google.genai.types import GenerateContentConfig
    from openai.resources.chat import Completions
    from openai.resources.responses import Responses

    for fn in (Completions.create, Responses.create, Messages.create):
        yield from inspect.signature(fn).parameters
    yield from GenerateContentConfig.model_fields
    for typed_dict in (
        chat.CompletionCreateParamsBase,
        responses.ResponseCreateParamsBase,
        claude.message_create_params.MessageCreateParamsBase,
    ):
        yield from typed_dict.__annotations__
    # OpenRouter, vLLM, Ollama, Mistral.
    yield from [
        "models",
        "route",
        "transforms",
        "provider",
        "plugins",
        "top_a",
        "min_p",
        "guided_json",
    ]
    yield from [
        "prompt_logprobs",
        "options",
        "keep_alive",
        "format",
        "think",
        "safe_prompt",
        "prompt_mode",
    ]


OURS = {"self", "messages", "model", "stream", "tools", "timeout"}


@pytest.mark.parametrize("name", sorted(set(parameters()) - OURS))
def test_no_parameter_of_an_api_is_taken_for_a_misspelt_argument(name: str) -> None:
    for provider in PROVIDERS:
        assert core.call(f"{provider}/m", **{name: None}) is not None
