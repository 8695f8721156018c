"""Price tables from the newest genai-prices and litellm data and the overrides beside this file.

    uv run nox -s prices              # show what has changed
    uv run nox -s prices -- --write   # and write it into the plugins

genai-prices says the models, history, tiers and fees; litellm adds what it lacks: tiers of Gemini,
the ultrafast tier, twelve-hour caches, regional factors. `overrides.toml` has the last word. Both
are read as data: neither library prices anything here, and litellm is never even imported.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import itertools
import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROVIDERS = ("anthropic", "google", "openai")
OVERRIDES = Path(__file__).with_name("overrides.toml")
UNITS = {
    "input_mtok": "input",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "cache_read_mtok": "cache_read",
    "output_mtok": "output",
    "input_audio_mtok": "input_audio",
    "cache_audio_read_mtok": "cache_read_audio",
    "output_audio_mtok": "output_audio",
    "input_image_mtok": "input_image",
    "cache_image_read_mtok": "cache_read_image",
    "output_image_mtok": "output_image",
    "input_video_mtok": "input_video",
    "output_video_mtok": "output_video",
    "web_searches_kcount": "web_search",
    "storage_searches_kcount": "file_search",
}
LITELLM = {
    "input_cost_per_token": "input",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_12hr": "cache_write_12h",
    "output_cost_per_token": "output",
    "input_cost_per_audio_token": "input_audio",
    "cache_read_input_audio_token_cost": "cache_read_audio",
}
TIERS = ("flex", "priority", "ultrafast")
# litellm's word for a factor, and the modifier of that provider's table.
FACTORS = {
    "anthropic": ("us", "us"),
    "openai": ("regional_processing_uplift_multiplier_eu", "regional"),
    "google": ("regional_endpoint_uplift_multiplier", "vertex_regional"),
}
MILLION = Decimal(1_000_000)

Row = dict[str, Any]
Model = dict[str, Any]


def fresh(provider: str, litellm: Mapping[str, Any]) -> dict[str, Model]:
    """The models of a provider as both sources have them now."""
    from genai_prices import data

    found = next(p for p in data.providers if p.id == provider)
    models: dict[str, Model] = {}
    for model in found.models:
        if provider == "google" and model.id.startswith("claude"):
            # Vertex AI serves them, through Anthropic's API.
            continue
        rows = list(genai_rows(provider, model))
        if not any("input" in row for row in rows):
            continue
        names = sorted({clause for kind, clause in clauses(model.match) if kind == "equals"})
        entry: Model = {
            "aliases": [name for name in names if name != model.id],
            "prefixes": [clause for kind, clause in clauses(model.match) if kind == "starts_with"],
            "prices": rows,
        }
        known = litellm_entry(provider, [model.id, *names], litellm)
        if known is not None:
            add_litellm(provider, entry, known)
        if provider == "google":
            # What Vertex AI charges in a region stands at names of their own.
            add_factor(provider, entry, litellm.get(f"vertex_ai/{model.id}", {}))
        models[model.id] = {key: value for key, value in entry.items() if value}
    if provider == "openai":
        add_tuned(models, litellm)
    return models


def add_tuned(models: dict[str, Model], litellm: Mapping[str, Any]) -> None:
    """Add the fine-tuned models that only litellm has."""
    known = tuple(prefix for entry in models.values() for prefix in entry.get("prefixes", ()))
    for name, entry in litellm.items():
        if name.startswith("ft:") and name not in models and not name.startswith(known):
            rows = list(litellm_rows(entry, "", {}))
            batch = list(litellm_rows(entry, "_batches", {"when": {"processing": "batch"}}))
            if rows:
                models[name] = {"prefixes": [f"{name}:"], "prices": [*rows, *batch]}


def genai_rows(provider: str, model: Any) -> Iterator[Row]:
    """A model's rows: history first, then the tiers and batch, as the format wants them."""
    history = model.prices if isinstance(model.prices, list) else [model.prices]
    starts = [getattr(getattr(one, "constraint", None), "start_date", None) for one in history]
    for index, one in enumerate(history):
        when: Row = {}
        if starts[index] is not None:
            when["from"] = starts[index]
        if index + 1 < len(history) and starts[index + 1] is not None:
            when["until"] = starts[index + 1]
        yield from stepped(when, prices_of(provider, model.id, getattr(one, "prices", one)))
    dated: set[str] = set()
    for variant in sorted(model.price_variants or (), key=start_of):
        facts = dict(variant.when)
        # `fast` is what is asked for; the response says `priority`.
        if facts.get("service_tier") in ("default", "fast") or "search_type" in facts:
            continue
        when = {"when": facts}
        # The first date of a tier is the day it was recorded; a later one is a change of its price.
        if str(facts) in dated:
            when["from"] = start_of(variant)
        dated.add(str(facts))
        yield from stepped(when, prices_of(provider, model.id, variant.prices))


def start_of(variant: Any) -> datetime.date:
    return getattr(variant.constraint, "start_date", None) or datetime.date.min


def prices_of(provider: str, model: str, prices: Any) -> dict[str, Any]:
    found = {
        UNITS[name]: value for name in UNITS if (value := getattr(prices, name, None)) is not None
    }
    if provider == "google" and "web_search" in found:
        per_prompt = model.startswith(("gemini-1", "gemini-2"))
        charged, free = ("grounded_prompt", "web_search")[:: 1 if per_prompt else -1]
        fee = found.pop("web_search")
        found |= {charged: fee, free: Decimal(0)}
    return found


def stepped(when: Row, prices: dict[str, Any]) -> Iterator[Row]:
    """One row for the base prices and one for each threshold above which others hold."""
    base = {unit: getattr(price, "base", price) for unit, price in prices.items()}
    if base:
        yield {**when, **base}
    steps = sorted(
        {tier.start for price in prices.values() for tier in getattr(price, "tiers", ())}
    )
    for start in steps:
        above = {
            unit: tier.price
            for unit, price in prices.items()
            for tier in getattr(price, "tiers", ())
            if tier.start == start
        }
        yield {**when, "above": start, **above}


def clauses(match: Any) -> Iterator[tuple[str, str]]:
    """The names and beginnings of names in a clause; other patterns say nothing to our format."""
    for kind in ("equals", "starts_with"):
        if (value := getattr(match, kind, None)) is not None:
            yield kind, value
    for part in getattr(match, "or_", None) or getattr(match, "and_", None) or ():
        yield from clauses(part)


def litellm_entry(
    provider: str, names: list[str], litellm: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    prefix = {"google": "gemini/"}.get(provider, "")
    return next((litellm[prefix + name] for name in names if prefix + name in litellm), None)


def add_litellm(provider: str, entry: Model, known: Mapping[str, Any]) -> None:
    """Add what only litellm has: tiers without a row, long-lived caches, regional factors."""
    rows: list[Row] = entry["prices"]
    tiers = {row["when"].get("service_tier") for row in rows if "when" in row}
    for tier in TIERS:
        if tier not in tiers:
            rows += litellm_rows(known, f"_{tier}", {"when": {"service_tier": tier}})
    lasting = [
        {key: value for key, value in row.items() if key in ("above", "cache_write_12h")}
        for row in litellm_rows(known, "", {})
    ]
    # First, so that a tier's own price for them comes after it.
    rows[:0] = [row for row in lasting if "cache_write_12h" in row]
    add_factor(provider, entry, known)


def add_factor(provider: str, entry: Model, known: Mapping[str, Any]) -> None:
    name, modifier = FACTORS[provider]
    factor = known.get("provider_specific_entry", {}) if provider == "anthropic" else known
    if factor.get(name):
        entry["modifiers"] = [modifier]


def litellm_rows(known: Mapping[str, Any], suffix: str, when: Row) -> Iterator[Row]:
    base: Row = {}
    above: dict[int, Row] = {}
    for name, unit in LITELLM.items():
        if (price := known.get(name + suffix)) is not None:
            base[unit] = exact(price)
        for size in (128, 200, 272):
            price = known.get(f"{name}_above_{size}k_tokens{suffix}")
            if price is not None:
                above.setdefault(size * 1000, {})[unit] = exact(price)
    if base and not (suffix and "input" not in base):
        yield {**when, **base}
        yield from ({**when, "above": size, **row} for size, row in sorted(above.items()))


def exact(price: float) -> Decimal:
    """Dollars per token, a float, as dollars per million: what its digits say."""
    return (Decimal(repr(price)) * MILLION).normalize()


def read_litellm() -> dict[str, Any]:
    spec = importlib.util.find_spec("litellm")
    if spec is None or spec.origin is None:
        sys.exit("litellm is not installed: run this as `uv run nox -s prices`")
    path = Path(spec.origin).with_name("model_prices_and_context_window_backup.json")
    return json.loads(path.read_text())


def table_path(provider: str) -> Path:
    return ROOT / "providers" / provider / "src" / f"mirascope_{provider}" / "prices.toml"


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


def written(head: str, models: Mapping[str, Model]) -> str:
    parts = [head.rstrip()]
    for name, entry in sorted(models.items()):
        lines = [f'[models."{name}"]']
        lines += [
            f"{key} = {toml(entry[key])}"
            for key in ("aliases", "prefixes", "modifiers")
            if entry.get(key)
        ]
        lines += ["prices = [", *(f"  {toml(row)}," for row in entry["prices"]), "]"]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def differences(before: str, after: str) -> Iterator[str]:
    """What differs in what is charged, whatever the order and the layout of the rows."""
    from mirascope.core import PriceTable

    old, new = PriceTable.from_toml(before, "now"), PriceTable.from_toml(after, "then")
    now = datetime.datetime.now(datetime.UTC).timestamp()
    tables = (*old.models.values(), *new.models.values())
    starts = {row.start for entry in tables for row in entry.rows if row.start > now}
    times = sorted({now, *starts})
    for name in sorted(old.models.keys() | new.models.keys()):
        if name not in new.models or name not in old.models:
            yield f"{'-' if name in old.models else '+'} {name}"
            continue
        entries = old.models[name], new.models[name]
        facts = [{}] + [
            {fact: value}
            for entry in entries
            for fact, values in sorted(entry.conditions.items())
            for value in sorted(values)
        ]
        sizes = {0} | {row.above + 1 for entry in entries for row in entry.rows if row.above >= 0}
        said: set[str] = set()
        was, will = ([modifier.name for modifier in entry.modifiers] for entry in entries)
        if was != will:
            said.add(f"~ {name}: modifiers {was} -> {will}")
        for fact, size, at in itertools.product(facts, sorted(sizes), times):
            was, will = (entry.prices(fact, size, at) for entry in entries)
            for unit in sorted(was.keys() | will.keys()):
                if was.get(unit) != will.get(unit):
                    day = datetime.datetime.fromtimestamp(at, datetime.UTC).date()
                    where = f"{fact or 'standard'} from {size} tokens on at {day}"
                    said.add(f"~ {name} {where}: {unit} {was.get(unit)} -> {will.get(unit)}")
        yield from sorted(said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the tables into the plugins")
    parser.add_argument("--provider", choices=PROVIDERS, action="append")
    options = parser.parse_args()
    litellm = read_litellm()
    overrides = tomllib.loads(OVERRIDES.read_text(), parse_float=Decimal)
    for provider in options.provider or PROVIDERS:
        path = table_path(provider)
        if not path.exists():
            print(f"{provider}: is not here")
            continue
        before = path.read_text()
        models = fresh(provider, litellm)
        for name, entry in overrides.get(provider, {}).items():
            kept = {key: value for key, value in entry.items() if key not in ("source", "reason")}
            if kept.pop("extends", False):
                kept["prices"] = [*models.get(name, {}).get("prices", []), *kept["prices"]]
            models[name] = {**models.get(name, {}), **kept}
        head = before.partition("\n[models.")[0]
        after = written(head, models)
        lines = list(differences(before, after))
        print(f"{provider}: {len(lines)} differences", *lines, sep="\n  ")
        if options.write:
            today = f"updated = {datetime.datetime.now(datetime.UTC).date()}"
            after = "\n".join(
                today if line.startswith("updated = ") else line for line in after.split("\n")
            )
            path.write_text(after)


if __name__ == "__main__":
    main()
