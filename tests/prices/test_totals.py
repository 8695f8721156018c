"""Costs as money, their sums, and the ledger of who spent what."""

from __future__ import annotations

import csv
import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirascope.cli._app import app
from mirascope.core import Cost, Usage, UsageError, call, prices
from mirascope.core.plugins import isolated_registry, register_plugin
from mirascope.core.testing import Server, streamed, whole
from mirascope_tests.chat import answer, completion
from typer.testing import CliRunner

Serve = Callable[..., Server]
USAGE = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}


def cost(model: str = "gpt-5", **usage: Any) -> Cost:
    found = prices.cost("openai", model, {**USAGE, **usage}, at="2026-11-22")
    assert found is not None
    return found


# Money


def test_a_cost_compares_as_money_does() -> None:
    one, other = cost("gpt-5"), cost("gpt-4.1")
    assert one == Decimal("0.00625") == cost("gpt-5-2025-08-07")
    assert one == 0.00625
    assert one != other
    assert other < one
    assert one > other >= Decimal("0.006")
    assert Decimal("0.006") <= other <= 0.006 < one
    assert max([one, other]) is one
    assert sorted([one, other]) == [other, one]
    assert len({one, cost("gpt-5")}) == 1
    assert one != "0.00625"
    assert one is not None
    with pytest.raises(TypeError):
        assert one < "0.1"


def test_a_cost_is_rounded_formatted_and_multiplied() -> None:
    one = cost()
    assert f"{one}" == str(one) == "$0.00625"
    assert f"{one:.4f}" == "0.0062"
    assert f"{one:>12.2f}|" == "        0.01|"
    assert round(one, 4) == Decimal("0.0062")
    assert round(one) == 0
    assert one * 2 == 2 * one == Decimal("0.0125")
    assert isinstance(one * 0.1, Decimal)
    assert one * 0.1 == Decimal("0.000625")
    assert 1 - one == Decimal("0.99375")
    assert one - one == 0
    with pytest.raises(TypeError):
        one * one


def test_a_cost_goes_through_json_and_loses_nothing() -> None:
    one = cost("gpt-5.4", prompt_tokens=300_001)
    back = Cost.from_dict(json.loads(json.dumps(one.to_dict())))
    assert back == one
    assert (back.lines, back.exact, back.notes, back.basis) == (
        one.lines, one.exact, one.notes, one.basis,
    )  # fmt: skip
    assert one.to_dict()["currency"] == "USD"
    for wrong in ({}, {"total": "many"}, {"total": "1", "lines": [{}]}, {"total": "1", "basis": 3}):
        with pytest.raises(UsageError, match="not a cost"):
            Cost.from_dict(wrong)


# Sums


def test_a_total_counts_what_has_no_price() -> None:
    assert prices.total([]) == 0
    total = prices.total([cost(), None, cost(), cost("gpt-4.1"), None])
    assert total.total == 2 * Decimal("0.00625") + Decimal("0.006")
    assert (total.calls, total.unpriced, total.exact) == (5, 2, False)
    assert total.notes == ("not the whole: 2 of 5 calls have no known price and are left out",)
    # Two of a kind are one line each.
    assert [(line.model, line.unit, line.count) for line in total.lines] == [
        ("gpt-5", "input", 2000),
        ("gpt-5", "output", 1000),
        ("gpt-4.1", "input", 1000),
        ("gpt-4.1", "output", 500),
    ]
    assert sum(line.amount for line in total.lines) == total.total
    twice = total + total
    assert (twice.calls, twice.unpriced) == (10, 4)
    assert twice.notes == ("not the whole: 4 of 10 calls have no known price and are left out",)
    assert sum([cost(), cost()]) == cost() + cost() == prices.total([cost(), cost()])
    assert (prices.total([cost()]).exact, prices.total([cost()]).model) == (True, "gpt-5")


def test_a_total_of_numbers_says_what_it_adds() -> None:
    numbers: list[Any] = [0.00625]
    with pytest.raises(UsageError, match=r"such as stream\.cost_details, and 0\.00625 is not one"):
        prices.total(numbers)


@given(
    counts=st.lists(st.tuples(st.integers(0, 10**9), st.sampled_from(["gpt-5", "gpt-4.1"]))),
    seed=st.integers(),
)
def test_totals_are_the_same_in_any_order(counts: list[tuple[int, str]], seed: int) -> None:
    costs = [cost(model, prompt_tokens=count) for count, model in counts]
    shuffled = random.Random(seed).sample(costs, len(costs))
    total, other = prices.total(costs), prices.total(shuffled)
    assert total == other == sum((c.total for c in costs), Decimal(0))
    assert set(total.lines) == set(other.lines)
    half = len(costs) // 2
    parts = prices.total([prices.total(costs[:half]), prices.total(costs[half:])])
    assert (parts, parts.calls) == (total, len(costs))


@pytest.mark.parametrize("add", [prices.total, sum])
def test_a_hundred_thousand_costs_are_added_in_linear_time(add: Callable[[Any], Any]) -> None:
    costs = [cost("gpt-5"), cost("gpt-4.1"), cost("gpt-5.4")] * 33_334
    began = time.process_time()
    total = add(costs)
    seconds = time.process_time() - began
    assert total == 33_334 * sum(c.total for c in costs[:3])
    # `total` takes a tenth of this; it is far from what a quadratic sum would take.
    assert seconds < (3 if add is prices.total else 20)


# The hook and the ledger


def ask_with(
    tags: list[str], server: Server, model: str = "gpt-4o", *, stream: bool = False
) -> Any:
    @call(f"openai/{model}", stream=stream, base_url=server.url, api_key="sk-test")
    def ask() -> Any:
        return {"messages": [{"role": "user", "content": "Hi"}], "metadata": {"tags": tags}}

    return ask()


def test_every_finished_call_is_told_streamed_or_not(serve: Serve) -> None:
    seen: list[Any] = []

    class Observer:
        @staticmethod
        def mirascope_call_finished(result: Any) -> None:
            seen.append((type(result).__name__, result.cost, result.metadata["tags"]))

    from mirascope.core.plugins import hookimpl

    hookimpl(Observer.mirascope_call_finished)
    with isolated_registry():
        register_plugin(Observer())
        ask_with(["a"], serve(whole({**completion("Hi"), "usage": USAGE})))
        for _ in ask_with(["b"], serve(streamed(*answer("Hi", usage=USAGE))), stream=True):
            pass
        left = ask_with(["c"], serve(streamed(*answer("Hi", usage=USAGE))), stream=True)
        for _ in left:
            break
        # Never sent: there is nothing to tell.
        ask_with(["d"], serve(), stream=True).close()
    assert [(name, tags) for name, _, tags in seen] == [
        ("OpenAICallResponse", ["a"]),
        ("OpenAIStream", ["b"]),
        ("OpenAIStream", ["c"]),
    ]
    assert [amount for _, amount, _ in seen] == [0.0075, 0.0075, None]


def test_a_ledger_says_who_spent_what(serve: Serve, tmp_path: Path) -> None:
    with isolated_registry(), prices.ledger() as ledger:
        for tags in (["search", "web"], ["search"], []):
            ask_with(tags, serve(whole({**completion("Hi"), "usage": USAGE})))
        ledger.close()
        ask_with(["later"], serve(whole({**completion("Hi"), "usage": USAGE})))
    assert len(ledger) == 3
    assert ledger.total == Decimal("0.0225")
    rows = {row.key["tag"]: row for row in ledger.rows(by=("tag",))}
    assert {tag: row.cost.calls for tag, row in rows.items()} == {"": 1, "search": 2, "web": 1}
    assert rows["search"].cost == Decimal("0.015")
    assert rows["search"].tokens["input_tokens"] == 2000
    file = tmp_path / "spent.csv"
    text = ledger.to_csv(file)
    assert file.read_text() == text
    read = list(csv.DictReader(StringIO(text)))
    day = datetime.now(UTC).date().isoformat()
    assert [(row["tag"], row["model"], row["day"], row["cost_usd"]) for row in read] == [
        ("", "openai/gpt-4o-2024-08-06", day, "0.0075"),
        ("search", "openai/gpt-4o-2024-08-06", day, "0.015"),
        ("web", "openai/gpt-4o-2024-08-06", day, "0.0075"),
    ]
    with pytest.raises(UsageError, match="'user'"):
        ledger.rows(by=("user",))
    assert len(ledger.clear()) == 3
    assert len(ledger) == 0


def entry(number: int) -> prices.LedgerEntry:
    return prices.LedgerEntry(
        time=datetime(2026, 11, 1 + number % 28, tzinfo=UTC),
        provider="openai",
        model=("gpt-5", "gpt-4.1", "unknown")[number % 3],
        tags=(f"team-{number % 7}", "=cmd()")[: 1 + number % 2],
        usage=Usage(input_tokens=1000, output_tokens=500),
        cost=None if number % 3 == 2 else cost(("gpt-5", "gpt-4.1")[number % 3]),
    )


def test_a_ledger_of_ten_thousand_calls() -> None:
    ledger = prices.Ledger(entry(number) for number in range(10_000))
    began = time.process_time()
    rows = ledger.rows()
    text = ledger.to_csv()
    seconds = time.process_time() - began
    assert seconds < 5
    assert ledger.total.calls == 10_000
    assert ledger.total.unpriced == 3333
    by_day = ledger.rows(by=("day",))
    assert sum((row.cost.total for row in by_day), Decimal(0)) == ledger.total.total
    assert sum(row.cost.calls for row in rows) == 15_000  # every other call has two tags
    # A tag is somebody's text, and a spreadsheet must not run it.
    assert "\n=cmd" not in text
    assert "'=cmd()" in text


# Recordings


def test_a_report_of_recordings(serve: Serve, tmp_path: Path) -> None:
    for number, tags in enumerate((["search"], ["search", "web"], [])):
        url = serve(streamed(*answer("Hi", usage=USAGE))).url
        file = tmp_path / f"{number}.jsonl"

        @call("openai/gpt-4o", stream=True, base_url=url, api_key="sk-test", record=file)
        def ask(tags: Any = tags) -> Any:
            return {"messages": [{"role": "user", "content": "Hi"}], "metadata": {"tags": tags}}

        for _ in ask():
            pass
    (tmp_path / "notes.txt").write_text("not a recording")

    def report(*arguments: str) -> Any:
        done = CliRunner().invoke(app, ["prices", "report", str(tmp_path), *arguments])
        assert done.exit_code == 0, done.output
        return done

    read = list(csv.DictReader(StringIO(report("--format", "csv").stdout)))
    assert [(row["tag"], row["calls"], row["cost_usd"]) for row in read] == [
        ("", "1", "0.0075"),
        ("search", "2", "0.015"),
        ("web", "1", "0.0075"),
    ]
    # The server was not OpenAI, and the recording knows it without its address.
    assert {row["exact"] for row in read} == {"false"}
    said = json.loads(report("--format", "json", "--by", "model").stdout)
    assert said["total"]["total"] == "0.0225"
    assert [row["calls"] for row in said["rows"]] == [3]
    assert "3 calls: about $0.0225" in report().stdout
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"mirascope_recording":1,')
    done = CliRunner().invoke(app, ["prices", "report", str(tmp_path)])
    assert done.exit_code == 1
    assert "3 calls" in done.stdout


def test_a_recording_is_priced_on_the_day_on_which_it_was_made(tmp_path: Path) -> None:
    """What was cheap in November is reported as cheap, whenever the report is made."""
    from mirascope.core import stream_from

    event = {
        "modelVersion": "gemini-4-argon",
        "candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}],
        "usageMetadata": {
            "promptTokenCount": 1_000_000,
            "candidatesTokenCount": 1_000_000,
            "totalTokenCount": 2_000_000,
        },
    }
    for day, usd in (("2026-11-30", "12"), ("2026-12-01", "24")):
        header = {
            "mirascope_recording": 1,
            "date": f"{day}T00:00:00+00:00",
            "provider": "google",
            "api": "generate",
            "model": "gemini-4-argon",
        }
        file = tmp_path / f"{day}.jsonl"
        lines = [header, {"t": 0.1, "text": f"data: {json.dumps(event)}\n\n"}]
        lines.append({"t": 0.2, "end": {"state": "completed"}})
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        stream = stream_from(file)
        for _ in stream:
            pass
        assert stream.cost_details == Decimal(usd)
        assert stream.cost_details.exact
