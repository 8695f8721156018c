"""What calls cost: the project's vectors, through every way in which a cost can be asked for."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirascope.core import (
    Connection,
    Cost,
    MirascopeError,
    Provider,
    UnknownPriceError,
    Usage,
    UsageError,
    UsagePart,
    prices,
)
from mirascope.core._prices._calculate import calculate_cost
from mirascope.core._prices._cost import plain
from mirascope.core._prices._units import UNITS
from mirascope.core.plugins import load_provider, statuses
from mirascope.core.testing import Server, replay, whole
from mirascope_tests.chat import completion
from mirascope_tests.shared import SHARED, each, needs_shared

VECTORS_FILE = SHARED / "prices" / "cost_vectors.json"
VECTORS: list[dict[str, Any]] = (
    json.loads(VECTORS_FILE.read_text())["vectors"] if VECTORS_FILE.exists() else []
)
INSTALLED = {status.name for status in statuses()}
PRICED = sorted(INSTALLED & {"anthropic", "google", "openai"})
NOW = "2026-11-22T00:00:00Z"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("MIRASCOPE_PRICES", raising=False)
    with prices.isolated():
        yield


def vectors(*keys: str) -> Any:
    """The vectors that have all of these keys, or one skipped test where there are none here."""
    found = [v for v in VECTORS if all(key in v for key in keys)]
    return pytest.mark.parametrize("vector", each(found, lambda vector: vector["id"]))


def api_of(vector: dict[str, Any]) -> Provider:
    is_responses = vector["provider"] == "openai" and "input_tokens" in vector["usage"]
    return load_provider(vector["provider"], "responses" if is_responses else None)


def request_time(vector: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(vector["context"].get("request_time", NOW))


# The vectors


@vectors()
def test_stored_usage(vector: dict[str, Any]) -> None:
    cost = prices.cost(
        vector["provider"],
        vector["model"],
        vector["usage"],
        context=vector["context"],
        at=request_time(vector),
    )
    assert cost is not None
    assert cost.total == Decimal(vector["expected_usd"])
    assert sum(line.amount for line in cost.lines) == cost.total
    assert (cost.exact, cost.notes, cost.basis) == (True, (), "list")


@needs_shared
def test_the_command_line_says_the_same(tmp_path: Path) -> None:
    # One process for all of them: what differs is the arguments, not the interpreter.
    script = (
        "import json, sys\nfrom typer.testing import CliRunner\n"
        "from mirascope.cli._app import app\n"
        "for line in sys.stdin:\n"
        "    print(CliRunner().invoke(app, json.loads(line)).stdout.strip(), flush=True)\n"
    )
    asked, wanted = [], []
    for number, vector in enumerate(VECTORS):
        usage, context = tmp_path / f"usage{number}.json", tmp_path / f"context{number}.json"
        usage.write_text(json.dumps(vector["usage"]))
        context.write_text(json.dumps({"request_time": NOW, **vector["context"]}))
        arguments = ["prices", "explain", vector["provider"], vector["model"], str(usage)]
        asked.append([*arguments, "--context", str(context), "--format", "json"])
        wanted.append((vector["expected_usd"], True))
    done = subprocess.run(
        [sys.executable, "-c", script],
        input="\n".join(map(json.dumps, asked)),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stderr == ""
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["total"], one["exact"]) for one in said] == wanted
    for one in said:
        assert sum(Decimal(line["amount"]) for line in one["lines"]) == Decimal(one["total"])


def body_of(vector: dict[str, Any], events: list[dict[str, Any]]) -> bytes:
    """The response body that a vector's simplified events stand for."""
    wire: list[dict[str, Any]] = []
    for event in events:
        if vector["provider"] == "openai":
            wire.append({"id": "chatcmpl-1", "model": vector["model"], **event})
        elif vector["provider"] == "google":
            wire.append({"modelVersion": vector["model"], **event})
        elif event["type"] == "message_start":
            message = {"id": "msg_1", "model": vector["model"], "usage": event["usage"]}
            wire.append({"type": "message_start", "message": message})
        else:
            wire.append({**event, "delta": {"stop_reason": "end_turn"}})
    if vector["provider"] == "anthropic":
        wire.append({"type": "message_stop"})
    if vector["provider"] == "google":
        wire[-1]["candidates"] = [{"finishReason": "STOP"}]
    body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in wire)
    return body + (b"data: [DONE]\n\n" if vector["provider"] == "openai" else b"")


@vectors("events")
def test_streamed_events(vector: dict[str, Any]) -> None:
    stream = replay(load_provider(vector["provider"]), body_of(vector, vector["events"]))
    for _ in stream:
        pass
    assert stream.cost_details is not None
    assert stream.cost_details.total == Decimal(vector["expected_usd"])
    assert stream.cost_details.exact
    assert stream.cost == float(stream.cost_details.total)


@vectors("events")
def test_a_stream_that_is_cut_at_any_event(vector: dict[str, Any]) -> None:
    body = body_of(vector, vector["events"])
    events = body.split(b"\n\n")[:-1]
    for kept in range(len(events)):
        stream = replay(load_provider(vector["provider"]), b"\n\n".join(events[:kept]))
        with contextlib.suppress(MirascopeError):
            for _ in stream:
                pass
        cost = stream.cost_details
        assert (stream.cost is None) == (cost is None) == (stream.usage is None)
        if cost is not None:
            assert cost.total <= Decimal(vector["expected_usd"])
            if stream.error is not None:
                assert not cost.exact
                assert "lower bound" in cost.notes[0]


def whole_body(vector: dict[str, Any]) -> bytes | None:
    """A body that brings a vector's usage and context as its provider does, where a body can."""
    usage, context, model = vector["usage"], vector["context"], vector["model"]
    if context.keys() & {"request_time", "base_url", "processing", "backend", "headers"}:
        return None
    if vector["provider"] == "anthropic":
        return body_of(vector, [{"type": "message_start", "usage": usage}])
    if vector["provider"] == "google":
        queries = context.get("candidates[0].groundingMetadata.webSearchQueries")
        event: dict[str, Any] = {"modelVersion": model, "usageMetadata": usage}
        event["candidates"] = [{"finishReason": "STOP"}]
        if queries:
            event["candidates"][0]["groundingMetadata"] = {"webSearchQueries": queries}
        return b"data: " + json.dumps(event).encode() + b"\n\n"
    if "prompt_tokens" in usage:
        return body_of(vector, [{"choices": [], "usage": usage, **context}])
    output = []
    for item in context.get("output_items", ()):
        kind, _, action = item.partition(":")
        output.append({"type": kind, **({"action": {"type": action}} if action else {})})
    stated = {name: value for name, value in context.items() if name != "output_items"}
    response = {"status": "completed", "model": model, "usage": usage, "output": output, **stated}
    event = {"type": "response.completed", "response": response}
    return b"data: " + json.dumps(event).encode() + b"\n\n"


@vectors()
def test_the_decoder_finds_the_facts_that_the_context_states(vector: dict[str, Any]) -> None:
    body = whole_body(vector)
    if body is None:
        pytest.skip("a body does not say this")
    stream = replay(api_of(vector), body)
    for _ in stream:
        pass
    assert stream.cost_details is not None
    assert stream.cost_details.total == Decimal(vector["expected_usd"])
    assert stream.cost_details.exact


def test_the_region_comes_from_the_client() -> None:
    import openai

    eu = "https://eu.api.openai.com/v1"
    for connection, facts in [
        (Connection(client=openai.OpenAI(base_url=eu, api_key="sk-none")), {"region": "eu"}),
        (Connection(client=openai.OpenAI(api_key="sk-none")), {}),
        (Connection(settings={"base_url": eu}), {"region": "eu"}),
        (
            Connection(settings={"base_url": "https://proxy.example/eu.api.openai.com"}),
            {"host": "other"},
        ),
        (Connection(client=object()), {"host": "?"}),
    ]:
        assert load_provider("openai").request_facts(connection) == facts


# The arithmetic

JUNK = st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats() | st.text(max_size=4)
NAMES = sorted(
    {
        *("prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens"),
        *("prompt_tokens_details", "completion_tokens_details", "input_tokens_details", "cost"),
        *("cached_tokens", "audio_tokens", "image_tokens", "reasoning_tokens", "iterations"),
        *("cache_write_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
        *("cache_creation", "ephemeral_1h_input_tokens", "server_tool_use", "service_tier"),
        *("web_search_requests", "speed", "inference_geo", "promptTokenCount", "trafficType"),
        *("candidatesTokenCount", "thoughtsTokenCount", "cachedContentTokenCount"),
        *("promptTokensDetails", "cacheTokensDetails", "toolUsePromptTokenCount", "type"),
        *("prompt_token_count", "candidates_token_count", "total_token_count", "cost_details"),
        *("model", "modality", "tokenCount", "cached_tokens_details", "image_gen", "is_byok"),
    }
)
VALUE = st.integers(0, 10**6) | JUNK
INNER = st.dictionaries(st.sampled_from(NAMES), VALUE | st.lists(VALUE, max_size=2), max_size=3)
# Two levels are all that usage has; a strategy without an end is slow, and failed its health check.
OBJECT = st.dictionaries(
    st.sampled_from(NAMES), VALUE | INNER | st.lists(INNER, max_size=2), max_size=6
)
MODELS = {
    "openai": ["gpt-5.4", "gpt-audio", "gpt-6.1-sol"],
    "anthropic": ["claude-sonnet-5", "claude-haiku-5-5"],
    "google": ["gemini-2.5-pro", "gemini-3.5-flash"],
}


@pytest.mark.parametrize("name", PRICED)
@given(
    usage=OBJECT,
    facts=st.dictionaries(
        st.sampled_from(["service_tier", "speed", "region", "web_searches", "image_gen"]),
        st.sampled_from(["", "flex", "priority", "fast", "eu", "3", "²", '{"input_tokens": 5}']),
    ),
    pick=st.integers(0, 5),
)
def test_odd_usage_never_raises(
    name: str, usage: dict[str, Any], facts: dict[str, str], pick: int
) -> None:
    provider = load_provider(name)
    model = MODELS[name][pick % len(MODELS[name])]
    normalized = provider.normalize(usage, facts)
    assert sum(normalized.counts.values()) == normalized.total_tokens
    assert min(normalized.counts.values()) >= 0
    with warnings.catch_warnings(action="ignore"):
        cost = calculate_cost(normalized, provider.prices, model=model)
    if cost is None:
        assert not normalized.is_known
        return
    assert cost.total >= 0
    if cost.basis == "list":
        assert sum((line.amount for line in cost.lines), Decimal(0)) == cost.total
    assert cost.exact == (not cost.notes)


COUNTS = st.dictionaries(st.sampled_from(sorted(UNITS)), st.integers(0, 400_000), max_size=6)


@pytest.mark.parametrize("name", PRICED)
@given(
    counts=COUNTS,
    unit=st.sampled_from(sorted(UNITS)),
    more=st.integers(1, 400_000),
    pick=st.integers(0, 10**6),
)
def test_more_of_anything_never_costs_less(
    name: str, counts: dict[str, int], unit: str, more: int, pick: int
) -> None:
    table = load_provider(name).prices
    model = sorted(table.models)[pick % len(table.models)]

    def total(used: dict[str, int]) -> Decimal:
        usage = Usage(input_tokens=0, output_tokens=0, parts=(UsagePart(counts=used),))
        cost = calculate_cost(usage, table, model=model, at=datetime.fromisoformat(NOW))
        assert cost is not None
        return cost.total

    assert total(counts) <= total({**counts, unit: counts.get(unit, 0) + more})


def test_costs_add_up() -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 500}
    one, other = (prices.cost("openai", model, usage) for model in ("gpt-5", "gpt-4.1"))
    assert one is not None
    assert other is not None
    both = sum([one, other])
    assert isinstance(both, Cost)
    assert both.total == one.total + other.total == sum(line.amount for line in both.lines)
    assert (both.basis, both.model, (one + one).model) == ("list", "", "gpt-5")
    reported = prices.cost("openai", "gpt-5", {**usage, "cost": 0.25})
    assert reported is not None
    assert (reported.basis, (one + reported).basis) == ("provider", "mixed")


@pytest.mark.parametrize(
    ("amount", "text"), [("1E+3", "1000"), ("0.0100", "0.01"), ("0", "0"), ("1E-9", "0.000000001")]
)
def test_amounts_are_written_in_full(amount: str, text: str) -> None:
    assert plain(Decimal(amount)) == text


# Prices of one's own

USAGE = {"prompt_tokens": 1_000_000, "completion_tokens": 1_000_000}
MINE = """
schema = 1
provider = "openai"
[models."gpt-5"]
prices = [{ input = 1, output = 2 }]
[models."gpt-4.1"]
extends = true
prices = [{ output = 3 }]
[models."mine"]
prices = [{ input = 7, output = 0 }]
"""


def cost_of(model: str) -> tuple[str, str]:
    cost = prices.cost("openai", model, USAGE)
    assert cost is not None
    return str(cost), cost.basis


def test_registered_prices_and_files_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cost_of("gpt-5") == ("$11.25", "list")
    file = tmp_path / "mine.toml"
    file.write_text(MINE)
    monkeypatch.setenv("MIRASCOPE_PRICES", str(file))
    assert cost_of("gpt-5") == ("$3", "override")
    assert cost_of("gpt-5-2025-08-07") == ("$3", "override")
    assert cost_of("gpt-4.1") == ("$5", "override")
    assert cost_of("mine") == ("$7", "override")
    assert cost_of("gpt-5-mini")[1] == "list"
    other = tmp_path / "other.toml"
    other.write_text(MINE.replace("input = 1", "input = 5"))
    prices.register("openai", other)
    assert cost_of("gpt-5") == ("$7", "override")
    prices.discount("openai", "0.5")
    assert cost_of("gpt-5") == ("$3.5", "override")
    prices.unregister("openai")
    assert cost_of("gpt-5") == ("$3", "override")


def test_files_that_can_not_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRASCOPE_PRICES", str(tmp_path / "none.toml"))
    with pytest.raises(UsageError, match=r"MIRASCOPE_PRICES: .*none\.toml"):
        cost_of("gpt-5")
    for factor in ("-1", "nan"):
        with pytest.raises(UsageError, match="discount"):
            prices.discount("openai", factor)


class Completions:
    """A client of the user's own: one answer, the object that the SDK would have given."""

    class _Completions:
        def create(self, **arguments: Any) -> Any:
            from openai.types.chat import ChatCompletion

            return ChatCompletion.model_validate(
                {
                    "id": "1",
                    "object": "chat.completion",
                    "created": 0,
                    "model": arguments["model"],
                    "choices": [
                        {
                            "index": 0,
                            "finish_reason": "stop",
                            "message": {"role": "assistant", "content": "Hi"},
                        }
                    ],
                    "usage": {**USAGE, "total_tokens": 2_000_000},
                }
            )

    class _Chat:
        pass

    def __init__(self) -> None:
        self.chat = self._Chat()
        self.chat.completions = self._Completions()  # type: ignore[attr-defined]


OWN_PRICES = [
    {"input": 3, "output": "0.5"},
    prices.PriceTable.from_toml(
        "schema = 1\n[models.tuned]\nprices = [{ input = 3, output = 0.5 }]", "test"
    ),
]


@pytest.mark.parametrize("given", OWN_PRICES)
def test_a_call_with_prices_of_its_own_has_them_on_any_server(given: Any) -> None:
    from mirascope.core import openai

    body = {**completion("Hi"), "model": "tuned"}
    with Server(whole(body)) as server:
        call = openai.call("tuned", base_url=server.url, api_key="k", prices=given)
        cost = call(lambda: "Hi")().cost_details
    assert cost is not None
    assert (cost.exact, cost.notes, cost.basis) == (True, (), "override")


@pytest.mark.parametrize("given", OWN_PRICES)
def test_a_call_with_prices_of_its_own(given: Any) -> None:
    from mirascope.core import openai

    @openai.call("tuned", client=Completions(), prices=given)
    def ask() -> str:
        """Hi"""

    answer = ask()
    assert answer.cost == 3.5
    assert answer.cost_details.basis == "override"
    assert "prices" not in answer.call_kwargs
    for wrong in (3, {}, {"inputs": 1}, {"input": "cheap"}):
        with pytest.raises(UsageError):
            openai.call("tuned", prices=wrong)


def test_strict() -> None:
    prices.strict()
    with pytest.raises(UnknownPriceError, match="'gpt-99'"):
        prices.cost("openai", "gpt-99", USAGE)
    prices.strict(False)
    with warnings.catch_warnings(action="ignore"):
        assert prices.cost("openai", "gpt-99", USAGE) is None


def test_an_advisor_without_a_price_is_left_out_and_said_so() -> None:
    iterations = [
        {"type": "message", "input_tokens": 1_000_000, "output_tokens": 0},
        {"type": "advisor_message", "model": "claude-none", "input_tokens": 5},
    ]
    cost = prices.cost("anthropic", "claude-sonnet-5", {"iterations": iterations})
    assert cost is not None
    assert (str(cost), cost.exact) == ("$2", False)
    assert "'claude-none' (advisor_message)" in cost.notes[0]


def test_images_that_a_tool_made_are_priced_at_their_own_model() -> None:
    usage = {"input_tokens": 1_000_000, "output_tokens": 0}
    images = {
        "input_tokens": 1_000_000,
        "input_tokens_details": {"image_tokens": 400_000, "text_tokens": 600_000},
        "output_tokens": 1_000_000,
    }
    context = {
        "tool_usage": {"image_gen": images},
        "tools": [{"type": "image_generation", "model": "gpt-image-1.5"}],
    }
    cost = prices.cost("openai", "gpt-4.1", usage, context=context)
    assert cost is not None
    # gpt-4.1: $2; the image model: 600 k of text at $5, 400 k of images at $8, output at $10.
    assert (str(cost), cost.exact) == ("$18.2", True)
    del context["tools"]
    cost = prices.cost("openai", "gpt-4.1", usage, context=context)
    assert cost is not None
    assert (str(cost), cost.exact) == ("$2", False)
