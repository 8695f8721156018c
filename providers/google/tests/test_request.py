"""Calls to the SDK's arguments, and usage to prices."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from google.genai import types
from mirascope.core import BaseTool, CallRequest, Messages, ToolCall, UsageError
from mirascope.core._prices._calculate import calculate_cost
from mirascope.core._tools._base_tool import InvalidTool
from mirascope.core._tools._tool_types import to_tool_type
from mirascope_google import GoogleProvider
from mirascope_google._sdk_objects import build, build_response, wire_json

PROVIDER = GoogleProvider()


def prepare(*messages: Any, tools: Any = (), **params: Any) -> Any:
    return PROVIDER.prepare(
        CallRequest(
            model="gemini-2.5-flash",
            messages=messages or (Messages.User("Hi"),),
            tools=[to_tool_type(tool) for tool in tools],
            call_params=params,
            stream=True,
        )
    )


def config(**params: Any) -> dict[str, Any]:
    made = prepare(**params).kwargs["config"]
    types.GenerateContentConfig.model_validate(made)
    assert made.pop("automatic_function_calling") == {"disable": True}
    return made


def test_messages_become_contents() -> None:
    request = prepare(
        Messages.System("Be brief."),
        Messages.User("Hi"),
        Messages.Assistant("Hello"),
        Messages.System("And kind."),
        Messages.User(["Look: ", {"type": "text", "text": "here"}]),
    )
    contents = [
        {"role": "user", "parts": [{"text": "Hi"}]},
        {"role": "model", "parts": [{"text": "Hello"}]},
        {"role": "user", "parts": [{"text": "Look: "}, {"text": "here"}]},
    ]
    assert request.kwargs["contents"] == contents
    system = {"parts": [{"text": "Be brief."}, {"text": "And kind."}]}
    assert request.kwargs["config"]["system_instruction"] == system
    # What stands in `messages` can be given again, system messages included.
    assert prepare(*request.messages).kwargs == request.kwargs
    assert [message["role"] for message in request.messages] == [
        "system",
        "user",
        "model",
        "system",
        "user",
    ]


def test_contents_in_geminis_own_form_are_not_touched() -> None:
    part = types.Part.from_bytes(data=b"png", mime_type="image/png")
    own = {"role": "user", "parts": [{"text": "a", "videoMetadata": {"fps": 1}}, part]}
    before = copy.copy(own["parts"])
    request = prepare(own, {"role": "tool", "name": "f", "content": "x"})
    assert request.kwargs["contents"][0] == own
    assert own["parts"] == before


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
            {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://a.example/b.png?c=d"}},
            {"fileData": {"fileUri": "https://a.example/b.png?c=d", "mimeType": "image/png"}},
        ),
        (
            {"type": "input_image", "image_url": "gs://bucket/b"},
            {"fileData": {"fileUri": "gs://bucket/b", "mimeType": "image/jpeg"}},
        ),
        (
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/webp", "data": "aGk="},
            },
            {"inlineData": {"mimeType": "image/webp", "data": "aGk="}},
        ),
        (
            {"type": "document", "source": {"type": "url", "url": "https://a.example/b"}},
            {"fileData": {"fileUri": "https://a.example/b", "mimeType": "application/pdf"}},
        ),
        (
            {"type": "input_audio", "input_audio": {"format": "wav", "data": "aGk="}},
            {"inlineData": {"mimeType": "audio/wav", "data": "aGk="}},
        ),
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,aGk="}},
            {"inlineData": {"mimeType": "application/pdf", "data": "aGk="}},
        ),
        ({"executableCode": {"code": "1"}}, {"executableCode": {"code": "1"}}),
    ],
)
def test_parts_are_translated(part: Any, expected: Any) -> None:
    [content] = prepare(Messages.User([part])).kwargs["contents"]
    assert content == {"role": "user", "parts": [expected]}
    types.Content.model_validate(content)


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (Messages.User([{"type": "hologram"}]), "of the type 'hologram', which has no translation"),
        (Messages.User([{"type": "image_url"}]), "of the type 'image_url' without 'image_url'"),
        (
            Messages.User([{"type": "input_image", "image_url": "data:text/plain,hi"}]),
            "must hold base64, not 'text/plain'",
        ),
        ({"role": "narrator", "content": "x"}, "has the role 'narrator'"),
        ({"role": "tool", "content": "x", "tool_call_id": "1"}, "which function it answers"),
        (
            {
                "role": "assistant",
                "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{broken"}}],
            },
            "the arguments of an earlier call of 'f' are not JSON",
        ),
    ],
)
def test_a_message_that_can_not_be_translated(message: Any, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        prepare(message)


def test_tool_calls_of_chat_completions() -> None:
    def called(call_id: str, arguments: str) -> dict[str, Any]:
        return {
            "id": call_id,
            "type": "function",
            "function": {"name": "f", "arguments": arguments},
        }

    request = prepare(
        Messages.User("Go"),
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [called("1", '{"a": 1}'), called("2", "")],
        },
        {"role": "tool", "tool_call_id": "1", "content": "one"},
        {"role": "tool", "tool_call_id": "2", "content": "two"},
        Messages.User("And?"),
    )
    assert request.kwargs["contents"][1:] == [
        {
            "role": "model",
            "parts": [
                {"functionCall": {"name": "f", "args": {"a": 1}}},
                {"functionCall": {"name": "f", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "f", "response": {"output": "one"}}},
                {"functionResponse": {"name": "f", "response": {"output": "two"}}},
            ],
        },
        {"role": "user", "parts": [{"text": "And?"}]},
    ]


def test_parameters_are_fields_of_the_config() -> None:
    assert config(temperature=0.5, maxOutputTokens=9) == {
        "temperature": 0.5,
        "max_output_tokens": 9,
    }
    given = {"topP": 0.1, "thinking_config": {"include_thoughts": True}}
    before = copy.deepcopy(given)
    assert config(config=given, seed=1) == {
        "top_p": 0.1,
        "thinking_config": {"include_thoughts": True},
        "seed": 1,
    }
    assert given == before
    model = types.GenerateContentConfig(top_k=3, safety_settings=[])
    assert config(config=model, seed=1) == {"top_k": 3, "safety_settings": [], "seed": 1}
    assert config(config=None) == {}


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"temperature": 1, "config": {"temperature": 2}}, "temperature: given both"),
        ({"top_p": 1, "config": {"topP": 1}}, "top_p: given both"),
        ({"config": 5}, "config is a GenerateContentConfig or a dict, not 5"),
    ],
)
def test_parameters_that_contradict_each_other(params: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        prepare(**params)


def test_two_system_instructions_contradict_each_other() -> None:
    with pytest.raises(UsageError, match="system_instruction is given both"):
        prepare(Messages.System("a"), Messages.User("b"), system_instruction="c")
    assert config(system_instruction="c") == {"system_instruction": "c"}


def test_automatic_function_calling_is_the_users_to_switch_on() -> None:
    calling = {"maximum_remote_calls": 3}
    made = prepare(automatic_function_calling=calling).kwargs["config"]
    assert made["automatic_function_calling"] == calling


def test_tools_are_function_declarations_beside_the_apis_own() -> None:
    def weather(city: str, days: int = 1) -> str:
        """Look the weather up.

        Args:
            city: where.
        """
        return city

    class Now(BaseTool):
        """Tell the time."""

    search = {"google_search": {}}
    assert config_tools(prepare(tools=[weather, Now], config={"tools": [search]})) == [
        {
            "function_declarations": [
                {
                    "name": "weather",
                    "description": "Look the weather up.",
                    "parameters_json_schema": {
                        "type": "object",
                        "properties": {
                            "city": {"type": "string", "description": "where."},
                            "days": {"type": "integer", "default": 1},
                        },
                        "required": ["city"],
                    },
                },
                {"name": "Now", "description": "Tell the time."},
            ]
        },
        search,
    ]


def config_tools(request: Any) -> Any:
    types.GenerateContentConfig.model_validate(request.kwargs["config"])
    return request.kwargs["config"]["tools"]


def test_results_of_tools_are_one_content() -> None:
    def tool(call_id: str, error: bool = False) -> BaseTool:
        made = ToolCall(call_id, "f", "{}")
        if error:
            return InvalidTool.of(made, {}, ValueError("no such tool"))
        return to_tool_type(f).from_tool_call(made, {})

    def f() -> None:
        """Do nothing."""

    [content] = PROVIDER.tool_message_params(
        [
            (tool("0b3pdf3o"), {"a": Decimal("1.5"), "b": [None]}),
            (tool("call_resp-1_1"), None),
            (tool("x", error=True), None),
            (tool("y"), {"error": "it failed"}),
        ]
    )
    assert content["role"] == "user"
    assert [part["functionResponse"] for part in content["parts"]] == [
        {"id": "0b3pdf3o", "name": "f", "response": {"output": {"a": "1.5", "b": [None]}}},
        # An id that core made up is not the API's.
        {"name": "f", "response": {"output": None}},
        {"id": "x", "name": "f", "response": {"error": "no such tool"}},
        {"id": "y", "name": "f", "response": {"error": "it failed"}},
    ]
    types.Content.model_validate(json.loads(json.dumps(content)))
    assert PROVIDER.tool_message_params([]) == []


# Usage and prices


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        # Thoughts stand beside the candidates' tokens …
        ((5000, 1000, 4000, 0, 10000), (5000, 5000, 4000)),
        # … unless the total says that they are a part of them.
        ((10, 100, 40, 0, 110), (10, 100, 40)),
        ((10, 100, 40, 0, 0), (10, 140, 40)),
        # What a tool read is not in the prompt's count.
        ((100, 400, 100, 2500, 3100), (2600, 500, 100)),
        # Nothing was answered yet.
        ((12, None, 200, None, 212), (12, 200, 200)),
    ],
)
def test_usage_is_normalised(usage: tuple[Any, ...], expected: tuple[int, int, int]) -> None:
    names = ("prompt", "candidates", "thoughts", "toolUsePrompt", "total")
    data = {f"{n}TokenCount": v for n, v in zip(names, usage, strict=True) if v is not None}
    found = PROVIDER.normalize(data, {})
    assert (found.input_tokens, found.output_tokens, found.reasoning_tokens) == expected


@pytest.mark.parametrize(
    ("usage", "tier"),
    [
        ({"serviceTier": "standard"}, "standard"),
        ({"serviceTier": "PRIORITY", "trafficType": "ON_DEMAND"}, "priority"),
        ({"trafficType": "ON_DEMAND"}, "standard"),
        ({"trafficType": "ON_DEMAND_FLEX"}, "flex"),
        ({"trafficType": "PROVISIONED_THROUGHPUT"}, "provisioned_throughput"),
        ({"trafficType": 1}, None),
        ({}, None),
    ],
)
def test_the_tier_that_served(usage: dict[str, Any], tier: str | None) -> None:
    assert PROVIDER.normalize(usage, {}).facts.get("service_tier") == tier


def test_odd_usage_is_no_error() -> None:
    odd = {"promptTokenCount": "9", "candidatesTokenCount": -1, "cachedContentTokenCount": 1e999}
    found = PROVIDER.normalize(odd, {})
    assert not found.is_known
    assert [note.partition(" is ")[0] for note in found.notes][:2] == [
        "promptTokenCount",
        "candidatesTokenCount",
    ]


@pytest.mark.parametrize(
    ("model", "usage", "facts", "total"),
    [
        ("gemini-2.5-flash", (12, 120, 300, 432), {}, "0.0010536"),
        ("models/gemini-2.5-flash", (5000, 1000, 4000, 10000), {}, "0.014"),
        ("gemini-2.5-pro", (200000, 1000, 0, 201000), {}, "0.26"),
        ("gemini-4-argon", (1000, 500, 0, 1500), {}, "0.007"),
        ("gemini-3.5-flash", (100, 400, 100, 3100), {"web_search_queries": "2"}, "0.03265"),
    ],
)
def test_prices(model: str, usage: tuple[int, ...], facts: dict[str, str], total: str) -> None:
    names = ("prompt", "candidates", "thoughts", "total")
    data = {f"{n}TokenCount": v for n, v in zip(names, usage, strict=True)}
    data["toolUsePromptTokenCount"] = usage[3] - sum(usage[:3])
    cost = calculate_cost(PROVIDER.normalize(data, facts), PROVIDER.prices, model=model)
    assert cost is not None
    assert cost.total == Decimal(total)


def test_cached_tokens_have_their_own_price() -> None:
    data = {
        "promptTokenCount": 50000,
        "cachedContentTokenCount": 40000,
        "candidatesTokenCount": 500,
        "thoughtsTokenCount": 3000,
        "totalTokenCount": 53500,
    }
    usage = PROVIDER.normalize(data, {})
    assert usage.counts == {"input": 10000, "cache_read": 40000, "cache_write": 0, "output": 3500}
    cost = calculate_cost(usage, PROVIDER.prices, model="gemini-2.5-pro")
    assert cost is not None
    assert cost.total == Decimal("0.0525")


# The SDK's objects


def test_an_object_is_built_of_what_the_sdk_knows() -> None:
    data = {
        "candidates": [
            {
                "content": {"parts": [{"text": "a", "new": 1}, {"text": 5}, {"text": "b"}], "x": 1},
                "citationMetadata": {"citationSources": [{"uri": "u", "new": 1}], "new": 2},
                "finishReason": "STOP",
            },
        ],
        "usageMetadata": {"promptTokenCount": 3, "serviceTier": "flex"},
        "new": {"a": [1]},
    }
    before = copy.deepcopy(data)
    made = build_response(data)
    assert data == before
    assert wire_json(made) == {
        "candidates": [
            {
                "content": {"parts": [{"text": "a"}, {}, {"text": "b"}]},
                "citationMetadata": {"citations": [{"uri": "u"}]},
                "finishReason": "STOP",
            },
        ],
        "usageMetadata": {"promptTokenCount": 3},
    }


def test_an_object_of_nothing_that_the_sdk_knows_is_empty() -> None:
    empty = types.GenerateContentResponse()
    data = {"candidates": "odd", "createTime": [1], "new": 1}
    assert build(types.GenerateContentResponse, data) == empty
    assert build(types.Blob, {"data": "no base64", "mimeType": "a/b"}) == types.Blob(
        mime_type="a/b"
    )


def test_wire_json_is_what_the_object_was_made_of() -> None:
    data = {
        "candidates": [
            {
                "content": {
                    "parts": [
                        {"text": "a", "thought": True, "thoughtSignature": "__4B"},
                        {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
                        {"functionCall": {"name": "f", "args": {"snake_case": None, "n": [1.5]}}},
                    ],
                    "role": "model",
                },
                "finishReason": "MAX_TOKENS",
                "index": 0,
            }
        ],
        "modelVersion": "m",
        "responseId": "r",
        "usageMetadata": {
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}],
            "trafficType": "ON_DEMAND",
        },
    }
    assert wire_json(build_response(data)) == data
    assert wire_json({"candidates": []}) == {"candidates": []}
