"""Calls that are not streamed give what streams give (C1), and what they cost."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from mirascope.core import (
    BaseCallResponse,
    StreamDecodeError,
    UnknownPriceWarning,
    UsageError,
    prices,
)
from mirascope.core.testing import Server, streamed, whole
from mirascope_tests.api import API
from mirascope_tests.chat import USAGE, answer, completion

Serve = Callable[..., Server]


async def called(api: API, server: Server, **call: Any) -> Any:
    async with api.connected(server) as connection:
        return await api.call(api.ask(**{"stream": False, **connection, **call}), "fantasy")


def title(name: str) -> str:
    """Give a title."""
    return name.title()


async def test_an_answer(api: API, serve: Serve) -> None:
    server = serve(whole(completion("Dune.")))
    response = await called(api, server, temperature=0.5)
    assert isinstance(response, BaseCallResponse)
    assert response.content == str(response) == "Dune."
    assert "Dune." in repr(response)
    assert response.finish_reasons == ["stop"]
    assert response.finish_reason == "stop"
    assert (response.id, response.model) == ("chatcmpl-1", "gpt-4o-2024-08-06")
    assert response.message_param == {"role": "assistant", "content": "Dune."}
    assert response.user_message_param == {"role": "user", "content": "Recommend a fantasy book."}
    assert (response.input_tokens, response.output_tokens) == (12, 102)
    assert (response.tools, response.tool) == ([], None)
    assert response.call_params == {"temperature": 0.5}
    assert response.fn_args == {"genre": "fantasy"}
    assert response.start_time <= response.end_time
    assert server.requests[0].json == {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "Recommend a fantasy book."}],
        "temperature": 0.5,
    }
    if api.provider == "openai":
        from openai.types import CompletionUsage
        from openai.types.chat import ChatCompletion

        assert type(response.response) is ChatCompletion
        assert response.response.choices[0].message.content == "Dune."
        assert type(response.usage) is CompletionUsage
        assert response.cost == pytest.approx(0.00105)
    else:
        assert response.response == completion("Dune.")
        assert response.usage == USAGE
        assert response.cost is None


async def test_it_is_what_the_same_stream_gives(api: API, serve: Serve) -> None:
    server = serve(whole(completion("Dune.")), streamed(*answer("Du", "ne.")))
    async with api.connected(server) as connection:
        one = await api.call(api.ask(stream=False, **connection), "fantasy")
        stream = await api.call(api.ask(**connection), "fantasy")
        two = await api.result(stream.collect())
    same = (
        "content message_param user_message_param usage common_usage cost finish_reasons id model "
        "finish_reason messages call_params fn_args prompt_template thinking refusal tools"
    )
    for name in same.split(" "):
        assert getattr(one, name) == getattr(two, name), name
    assert type(one) is type(two)
    assert type(one.response) is type(two.response)


async def test_tools(api: API, serve: Serve) -> None:
    calls = [
        {"id": "a", "type": "function", "function": {"name": "title", "arguments": '{"name":"x"}'}},
        {"id": "b", "type": "function", "function": {"name": "titel", "arguments": "{}"}},
    ]
    server = serve(whole(completion(None, tool_calls=calls, finish="tool_calls")))
    response = await called(api, server, tools=[title])
    assert response.content == ""
    assert response.tool is response.tools[0]
    assert response.tool.call() == "X"
    assert response.tool.tool_call.id == "a"
    assert "titel" in str(response.tools[1].error)
    assert response.finish_reason == "tool_calls"
    message = response.message_param
    assert message == {"role": "assistant", "content": None, "tool_calls": calls}
    assert response.tool_message_params([(response.tool, "X")]) == [
        {"role": "tool", "tool_call_id": "a", "content": "X"}
    ]


async def test_thinking_and_refusal(api: API, serve: Serve) -> None:
    body = completion(None, reasoning_content="Hm.", refusal="No.")
    response = await called(api, serve(whole(body)))
    assert (response.content, response.thinking, response.refusal) == ("", "Hm.", "No.")
    # Under the name that it came under: its server wants it back.
    reasoning = {"reasoning_content": "Hm."}
    message = {"role": "assistant", "content": "", "refusal": "No.", **reasoning}
    assert response.message_param == message


async def test_without_usage(api: API, serve: Serve) -> None:
    body = completion("Hi")
    del body["usage"]
    response = await called(api, serve(whole(body)))
    assert response.usage is response.common_usage is response.cost is response.cost_details is None


def test_cancelling_a_call(serve: Serve, provider: str) -> None:
    from mirascope.core.testing import Hold

    api = API(provider, True)
    server = serve([Hold()])

    async def body() -> None:
        task = asyncio.create_task(called(api, server))
        await asyncio.to_thread(server.wait_requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(server.wait_closed)

    asyncio.run(body())


# Cost


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "call"])
@pytest.mark.parametrize(
    ("model", "usage", "dollars"),
    [
        ("gpt-4o", {"prompt_tokens": 12, "completion_tokens": 102}, "0.00105"),
        ("gpt-4o-2024-08-06", {"prompt_tokens": 1_000_000, "completion_tokens": 0}, "2.5"),
        (
            "gpt-4o",
            {
                "prompt_tokens": 1000,
                "completion_tokens": 7,
                "prompt_tokens_details": {"cached_tokens": 900},
            },
            "0.001445",
        ),
        (
            "gpt-4o",
            {
                "prompt_tokens": 10,
                "completion_tokens": 50,
                "completion_tokens_details": {"reasoning_tokens": 40},
            },
            "0.000525",
        ),
    ],
    ids=["the document's", "a dated model", "cached tokens once", "reasoning once"],
)
async def test_cost(
    openai_api: API, serve: Serve, model: str, usage: dict[str, Any], dollars: str, stream: bool
) -> None:
    usage = {**usage, "total_tokens": usage["prompt_tokens"] + usage["completion_tokens"]}
    body = {**completion("Hi"), "usage": usage, "model": model}
    events = [e.replace(b"gpt-4o-2024-08-06", model.encode()) for e in answer("Hi", usage=usage)]
    if stream:
        result = (await openai_api.read(serve(streamed(*events)))).stream
    else:
        result = await called(openai_api, serve(whole(body)))
    assert result.cost == float(dollars)
    assert result.cost_details.total == Decimal(dollars)
    assert sum(line.amount for line in result.cost_details.lines) == Decimal(dollars)
    # The loopback server is not OpenAI: whether its prices hold there is not known.
    assert not result.cost_details.exact
    (note,) = result.cost_details.notes
    assert note.startswith("another server than the provider's own answered")
    assert result.cost_details.basis == "list"


async def test_an_unknown_model_costs_nothing_that_is_known(openai_api: API, serve: Serve) -> None:
    body = {**completion("Hi"), "model": "gpt-99-secret"}
    server = serve(whole(body))
    first = await called(openai_api, server, model="gpt-99")
    second = await called(openai_api, server, model="gpt-99")
    with pytest.warns(UnknownPriceWarning, match="gpt-99-secret") as caught:
        assert first.cost is None
    assert len(caught) == 1
    # One warning for each model, and it points at the line that asked.
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert first.cost_details is None
        assert second.cost is None


def test_the_warning_of_a_stored_usage_blames_whoever_asked() -> None:
    with pytest.warns(UnknownPriceWarning, match="gpt-99-stored") as caught:
        cost = prices.cost("openai", "gpt-99-stored", {"prompt_tokens": 1, "completion_tokens": 1})
    assert cost is None
    assert caught[0].filename == __file__


async def test_the_price_of_the_model_that_was_asked_for(openai_api: API, serve: Serve) -> None:
    """A gateway that reports a name of its own."""
    body = {**completion("Hi"), "model": "deployment-7"}
    response = await called(openai_api, serve(whole(body)))
    assert response.cost == pytest.approx(0.00105)


async def test_a_cost_that_the_server_reports(api: API, serve: Serve) -> None:
    body = {**completion("Hi"), "model": "any", "usage": {**USAGE, "cost": 0.0123}}
    response = await called(api, serve(whole(body)))
    assert response.cost == 0.0123
    assert response.cost_details.basis == "provider"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"model": "two"}, r"can't contain 'model': pass it to the decorator instead"),
        ({"stream": True, "n": 2}, r"can't contain 'stream': pass it to the decorator instead"),
        ({"messages": []}, r"can't contain 'messages': write a prompt, or return the messages"),
    ],
)
def test_call_params_can_not_contain_what_has_its_own_place(
    params: dict[str, Any], message: str
) -> None:
    from mirascope.core import call

    @call("compatible/one")
    def greet() -> dict[str, Any]:
        """Hi."""
        return {"call_params": params}

    with pytest.raises(UsageError, match=message):
        greet()
    with pytest.raises(UsageError, match=message):
        call("compatible/one", call_params=params)


def test_a_parameter_is_given_once() -> None:
    from mirascope.core import call

    params = {"seed": 1, "temperature": 2}
    message = "call_params and the decorator both give 'seed', 'temperature': give it once"
    with pytest.raises(UsageError, match=message):
        call("compatible/one", call_params=params, temperature=1, seed=1)


@pytest.mark.parametrize(
    ("body", "message"),
    [(b"<html>", "the response is not valid JSON"), ([1], "the response is not a JSON object")],
)
async def test_an_answer_that_is_not_one(
    compatible_api: API, serve: Serve, body: Any, message: str
) -> None:
    with pytest.raises(StreamDecodeError, match=message):
        await called(compatible_api, serve(whole(body)))
