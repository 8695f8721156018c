"""Every shape of usage that the library hands out costs the same, whichever way it is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mirascope.cli._app import app
from mirascope.core import Usage, prices
from mirascope.core.plugins import load_provider
from mirascope.core.testing import replay
from typer.testing import CliRunner

CASES: dict[str, tuple[str, str, list[dict[str, Any]], str]] = {
    "openai": (
        "openai",
        "gpt-5",
        [
            {
                "id": "c",
                "model": "gpt-5",
                "service_tier": "default",
                "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}],
                "usage": {
                    "prompt_tokens": 50_000,
                    "completion_tokens": 1000,
                    "total_tokens": 51_000,
                    "prompt_tokens_details": {"cached_tokens": 40_000},
                    "completion_tokens_details": {"reasoning_tokens": 500},
                },
            }
        ],
        "0.0275",
    ),
    "anthropic": (
        "anthropic",
        "claude-opus-5-5",
        [
            {
                "type": "message_start",
                "message": {
                    "id": "m",
                    "model": "claude-opus-5-5",
                    "usage": {
                        "input_tokens": 1000,
                        "cache_read_input_tokens": 10_000,
                        "cache_creation_input_tokens": 6000,
                        "cache_creation": {
                            "ephemeral_5m_input_tokens": 4000,
                            "ephemeral_1h_input_tokens": 2000,
                        },
                        "output_tokens": 1,
                        "service_tier": "standard",
                    },
                },
            },
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn"},
                "usage": {"output_tokens": 500},
            },
            {"type": "message_stop"},
        ],
        # 1000 x 4 + 10,000 x 0.2 + 4000 x 5 + 2000 x 8 + 500 x 20, a million
        "0.052",
    ),
    "google": (
        "google",
        "gemini-3.5-flash",
        [
            {
                "modelVersion": "gemini-3.5-flash",
                "candidates": [
                    {
                        "content": {"parts": [{"text": "Hi"}]},
                        "finishReason": "STOP",
                        "groundingMetadata": {"webSearchQueries": ["a", "b"]},
                    }
                ],
                "usageMetadata": {
                    "promptTokenCount": 100_000,
                    "cachedContentTokenCount": 40_000,
                    "candidatesTokenCount": 9000,
                    "thoughtsTokenCount": 1000,
                    "totalTokenCount": 110_000,
                    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 100_000}],
                    "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 40_000}],
                },
            }
        ],
        # 60,000 x 1.5 + 40,000 x 0.15 + 10,000 x 9, a million, and 2 x 14 a thousand
        "0.214",
    ),
}

SHAPES: dict[str, Callable[[Any], Any]] = {
    "the SDK's object": lambda stream: stream.usage,
    "its dump": lambda stream: stream.usage.model_dump(),
    "its dump without what is not set": lambda stream: stream.usage.model_dump(exclude_unset=True),
    "its dump by alias": lambda stream: stream.usage.model_dump(by_alias=True, mode="json"),
    "a dict of it": lambda stream: dict(stream.usage),
    "its JSON": lambda stream: json.loads(stream.usage.model_dump_json()),
    "as it was sent": lambda stream: stream.answer.usage,
    "neutral": lambda stream: stream.common_usage,
    "neutral, as a dict": lambda stream: stream.common_usage.to_dict(),
    "neutral, through JSON": lambda stream: json.loads(json.dumps(stream.common_usage.to_dict())),
    "neutral, and back": lambda stream: Usage.from_dict(stream.common_usage.to_dict()),
    "of the call response": lambda stream: stream.construct_call_response().usage,
    "of the response object": lambda stream: usage_of(stream.construct_call_response().response),
}
CONTEXT = {"google": {"groundingMetadata": {"web_search_queries": ["a", "b"]}}}


def usage_of(response: Any) -> Any:
    return response.usage_metadata if hasattr(response, "usage_metadata") else response.usage


def stream_of(name: str) -> Any:
    provider, _, events, _ = CASES[name]
    body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    stream = replay(load_provider(provider), body + b"data: [DONE]\n\n" * (name == "openai"))
    for _ in stream:
        pass
    return stream


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_costs_the_same(name: str, shape: str, tmp_path: Path) -> None:
    provider, model, _, expected = CASES[name]
    stream = stream_of(name)
    assert format(stream.cost_details.total.normalize(), "f") == expected
    assert stream.cost_details.exact
    usage, context = SHAPES[shape](stream), CONTEXT.get(provider, {})
    cost = prices.cost(provider, model, usage, context=context, at=stream.start_time)
    assert cost is not None
    assert (cost, cost.exact, cost.notes) == (stream.cost_details, True, ())
    assert cost.lines == stream.cost_details.lines
    if isinstance(usage, dict):
        # The command line reads JSON.
        file = tmp_path / "usage.json"
        file.write_text(json.dumps(usage, default=lambda value: value.model_dump(mode="json")))
        (tmp_path / "context.json").write_text(json.dumps(context))
        arguments = ["prices", "explain", provider, model, str(file), "--format", "json"]
        arguments += ["--context", str(tmp_path / "context.json")]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
        said = json.loads(done.stdout)
        assert (said["total"], said["exact"]) == (expected, True)


@pytest.mark.parametrize("usage", [None, 5, "text", [1]])
def test_what_is_not_usage_is_said_so(usage: Any) -> None:
    from mirascope.core import UsageError

    with pytest.raises(UsageError, match="give the provider's usage object"):
        prices.cost("openai", "gpt-5", usage)


NEUTRAL = Usage(input_tokens=1000, output_tokens=10)


@pytest.mark.parametrize(
    "usage",
    [{"prompt_tokens": 1000, "completion_tokens": 10}, NEUTRAL, NEUTRAL.to_dict()],
    ids=["sent", "neutral", "neutral, as a dict"],
)
@pytest.mark.parametrize("key", ["servicetier", "serviceTier", "service_teir", "baseURL"])
def test_a_key_of_the_context_that_looks_misspelt_is_said_so(usage: Any, key: str) -> None:
    cost = prices.cost("openai", "gpt-5.4", usage, context={key: "flex"}, at="2026-11-28")
    assert cost is not None
    assert not cost.exact
    assert f"nothing reads {key!r} of the context" in cost.notes[0]


def test_neutral_usage_is_priced_in_its_context() -> None:
    for given in (NEUTRAL, NEUTRAL.to_dict()):
        standard, flex = (
            prices.cost("openai", "gpt-5.4", given, context=context, at="2026-11-28")
            for context in (
                None,
                {"service_tier": "flex", "tenant": "a", "requested_service_tier": "auto"},
            )
        )
        assert standard is not None
        assert flex is not None
        assert (flex.total, flex.exact) == (standard.total / 2, True)


def test_the_page_lists_what_a_context_is_read_for() -> None:
    from mirascope.core._prices._lint import FACTS

    page = (Path(__file__).resolve().parents[2] / "docs" / "costs.md").read_text()
    table = page.partition("`context` is a JSON object")[2].partition("\n## ")[0]
    keys = {key for row in re.findall(r"^\| (`.*?) \|", table, re.M) for key in key_names(row)}
    assert prices.CONTEXT_KEYS - set(FACTS) - {"grounding_metadata", "aws_region"} <= keys
    assert keys <= prices.CONTEXT_KEYS


def key_names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_neutral_usage_keeps_all_that_changes_a_cost() -> None:
    usage = Usage(
        input_tokens=10,
        output_tokens=5,
        facts={"service_tier": "flex"},
        details={"input_audio": 3},
        fees={"web_search": 2},
        notes=("a note",),
        reported_cost="0.1",
        cost_notes=("another",),
        final=False,
    )
    assert Usage.from_dict(json.loads(json.dumps(usage.to_dict()))) == usage
    plain = Usage(input_tokens=1, output_tokens=2)
    assert all(isinstance(value, int) for value in plain.to_dict().values())
    assert Usage.from_dict(plain.to_dict()) == plain
