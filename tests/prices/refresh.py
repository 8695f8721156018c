"""Price tables from the newest genai-prices and litellm data and the overrides beside this file.

    uv run nox -s prices              # show what has changed
    uv run nox -s prices -- --write   # and write it into the plugins

How the two are merged, and how tiers get their dates, is in `mirascope.core._prices._sources`; here
is what only these three providers have. `overrides.toml` has the last word. Both libraries are read
as data: neither prices anything here, and litellm is never even imported.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from mirascope.core import PriceTable
from mirascope.core._prices._differences import differences
from mirascope.core._prices._names import DATED
from mirascope.core._prices._sources import _genai, _litellm
from mirascope.core._prices._sources._draft import WHOLE, Draft
from mirascope.core._prices._sources._merging import dated, rules_of, supplemented
from mirascope.core._prices._sources._writing import entry_of, table_text

ROOT = Path(__file__).parents[2]
OVERRIDES = Path(__file__).with_name("overrides.toml")
NOW = datetime.datetime.now(datetime.UTC).timestamp()
TODAY = datetime.datetime.now(datetime.UTC).date()
OTHER_PLATFORM = "only another platform of the provider lists this price"
WHICH_SEARCH = "whether it was the preview tool that searched, at a higher fee, is not reported"
FIXED_SEARCH = "a search of this model is charged as 8000 tokens of input besides the fee"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a provider's models stand in litellm's data.

    Attributes:
        providers: litellm's names of the provider.
        prefixes: what stands in front of a model's name, the best first.
        leave_out: names that are not models to be priced by tokens, as a regular expression.
        factors: by modifier, the key of litellm's that has the factor, and in which entries.
        leave_alike: whether modalities that cost what text does are left out, since the table says
            so of all that it does not list.
    """

    providers: frozenset[str]
    prefixes: tuple[str, ...]
    leave_out: str
    factors: Mapping[str, tuple[str, tuple[str, ...]]]
    leave_alike: bool = False


VERTEX = ("vertex_ai-language-models", "vertex_ai-embedding-models")

SOURCES = {
    "anthropic": Source(
        providers=frozenset({"anthropic"}),
        prefixes=("",),
        leave_out=r"$.",
        factors={
            "us": ("provider_specific_entry.us", ("",)),
            "regional": ("regional_endpoint_uplift_multiplier", ("vertex_ai/",)),
        },
    ),
    "google": Source(
        providers=frozenset({"gemini", "vertex_ai", *VERTEX}),
        prefixes=("gemini/", "vertex_ai/", ""),
        # Charged by the image, the second or the character, or free and retired.
        leave_out=r"(?:.*/)?(?:imagen|veo|lyria|multimodal|semantic-ranker|gemini-exp|.*experimental)",
        factors={"vertex_regional": ("regional_endpoint_uplift_multiplier", ("vertex_ai/", ""))},
        leave_alike=True,
    ),
    "openai": Source(
        providers=frozenset({"openai", "text-completion-openai"}),
        prefixes=("", "openai/"),
        leave_out=r".*/.*/|sora|dall-e",
        factors={
            "regional": ("regional_processing_uplift_multiplier_eu", ("",)),
            "gov": ("fedramp_uplift_multiplier", ("",)),
        },
    ),
}


def fresh(provider: str, litellm: Mapping[str, Any]) -> dict[str, Draft]:
    """The models of a provider as both sources have them now."""
    source = SOURCES[provider]
    drafts: dict[str, Draft] = {}
    for model in _genai.models_of(genai_data(), provider):
        if provider == "google" and model["id"].startswith("claude"):
            # Vertex AI serves them, through Anthropic's API.
            continue
        draft = _genai.draft_of(model)
        if draft is None:
            continue
        if provider == "google":
            by_prompt_or_query(model["id"], draft)
        for name in sorted(draft.aliases):
            if is_searcher(name) and not is_searcher(model["id"]):
                # It charges for searching, and the model that it is listed with does not.
                draft.aliases.remove(name)
                undated = DATED.sub("", name)
                if undated != name and undated in drafts:
                    drafts[undated].aliases.append(name)
                else:
                    drafts[name] = replace(draft, aliases=[], prefixes=[])
        names = [model["id"], *draft.aliases, *tuned_names(draft, litellm)]
        for prefix, other in litellm_drafts(names, source, litellm):
            doubt = OTHER_PLATFORM if prefix not in source.prefixes[:1] else ""
            draft = supplemented(draft, other, TODAY, doubt)
        drafts[model["id"]] = draft
    add_others(drafts, source, litellm)
    if provider == "openai":
        for name, draft in drafts.items():
            add_search_fees(name, draft, litellm)
    add_factors(drafts, source, litellm)
    rules = rules_of(drafts.values())
    return {name: dated(draft, rules, TODAY) for name, draft in drafts.items()}


def litellm_drafts(
    names: list[str], source: Source, litellm: Mapping[str, Any]
) -> Iterator[tuple[str, Draft]]:
    """What litellm says of a model under each of the prefixes."""
    for prefix in source.prefixes:
        for name in names:
            entry = litellm.get(prefix + name)
            if entry is not None and entry.get("litellm_provider") in source.providers:
                if (draft := _litellm.draft_of(entry)) is not None:
                    if source.leave_alike:
                        drop_alike(draft)
                    yield prefix, draft
                break


def drop_alike(draft: Draft) -> None:
    """Leave out the prices of modalities that are just those of text."""
    for period in (*draft.standard, *(p for tier in draft.tiers.values() for p in tier)):
        for prices in period.steps.values():
            for whole in ("input", "cache_read"):
                for kind in ("audio", "image", "video"):
                    if prices.get(f"{whole}_{kind}") == prices.get(whole):
                        prices.pop(f"{whole}_{kind}", None)


def tuned_names(draft: Draft, litellm: Mapping[str, Any]) -> list[str]:
    """What litellm calls the tuned models that only a prefix stands for."""
    prefixes = tuple(prefix for prefix in draft.prefixes if prefix.startswith("ft:"))
    return sorted(name for name in litellm if name.startswith(prefixes)) if prefixes else []


def add_others(drafts: dict[str, Draft], source: Source, litellm: Mapping[str, Any]) -> None:
    """Add the models that only litellm has; a dated name of the same price is an alias."""
    table = PriceTable.from_toml(written("schema = 1", drafts), "fresh")
    found: dict[str, Draft] = {}
    for key, entry in sorted(litellm.items(), key=lambda item: (len(item[0]), item[0])):
        if entry.get("litellm_provider") not in source.providers or re.match(source.leave_out, key):
            continue
        name = key
        for prefix in source.prefixes:
            name = name.removeprefix(prefix)
        match = table.match(name)
        if name in found or "/" in name or (match is not None and match.exact):
            continue
        drafts_of_name = list(litellm_drafts([name], source, litellm))
        if not drafts_of_name:
            continue
        (_, draft), *others = drafts_of_name
        for _, other in others:
            draft = supplemented(draft, other, TODAY, OTHER_PLATFORM)
        undated = DATED.sub("", name)
        known = found.get(undated) or drafts.get(undated) if undated != name else None
        if known is not None and same(known, draft):
            known.aliases.append(name)
        else:
            found[name] = draft
    for name, draft in found.items():
        if name.startswith("ft:"):
            draft.prefixes.append(f"{name}:")
    drafts |= found


def same(one: Draft, other: Draft) -> bool:
    """Whether two names stand for the same model: today it costs the same."""
    now = [draft.standard_on(TODAY).steps[WHOLE] for draft in (one, other)]
    return all(now[0].get(unit) == now[1].get(unit) for unit in ("input", "output"))


def by_prompt_or_query(model: str, draft: Draft) -> None:
    """Say how Google charges a search: both ways are counted, and one of them is free."""
    by_prompt = model.startswith(("gemini-1", "gemini-2"))
    for period in draft.standard:
        prices = period.steps[WHOLE]
        if "web_search" in prices:
            charged, free = ("grounded_prompt", "web_search")[:: 1 if by_prompt else -1]
            fee = prices.pop("web_search")
            prices |= {charged: fee, free: Decimal(0)}


def is_searcher(name: str) -> bool:
    return re.search(r"-search-(?:preview|api)", name) is not None


def add_search_fees(name: str, draft: Draft, litellm: Mapping[str, Any]) -> None:
    """Say what OpenAI charges for the searches of a model that always searches: by the response."""
    if is_searcher(name):
        [fee] = {
            fee
            for n in (name, *draft.aliases)
            for fee in _litellm.fees_of(litellm.get(n, {})).values()
        }
        steps = [
            {**p.steps, WHOLE: {u: x for u, x in p.steps[WHOLE].items() if u != "web_search"}}
            for p in draft.standard
        ]
        draft.standard = [replace(p, steps=s) for p, s in zip(draft.standard, steps, strict=True)]
        for period in draft.standard:
            period.steps[WHOLE]["request"] = fee


def preview_searches(name: str, entry: dict[str, Any]) -> None:
    """Add the rows for the preview search of a model that does not reason, which costs more.

    https://platform.openai.com/docs/pricing#built-in-tools
    """
    rows = [row for row in entry["prices"] if "web_search" in row]
    if not rows or not re.match(r"gpt-4(?:o|\.1)(?!.*search)", name):
        return
    fees = {row.pop("web_search") for row in rows}
    [fee] = fees
    # `search_tool` is what the plugin makes of the tools that a response repeats.
    plain: dict[str, Any] = {"when": {"search_tool": "web_search"}, "web_search": fee}
    if re.match(r"gpt-(?:4o|4\.1)-mini", name):
        plain["note"] = FIXED_SEARCH
    entry["prices"] += [
        {"web_search": fee, "note": WHICH_SEARCH},
        plain,
        {"when": {"search_tool": "web_search_preview"}, "web_search": Decimal(25)},
    ]


def add_factors(drafts: dict[str, Draft], source: Source, litellm: Mapping[str, Any]) -> None:
    """Add the factors that can apply; an alias to which others apply becomes an entry itself."""
    for name, draft in list(drafts.items()):
        draft.modifiers = modifiers_of(name, source, litellm) or []
        for alias in list(draft.aliases):
            modifiers = modifiers_of(alias, source, litellm)
            if modifiers is None or modifiers == draft.modifiers:
                continue
            if modifiers_of(name, source, litellm) is None:
                # Only the alias is listed.
                draft.modifiers = modifiers
                continue
            draft.aliases.remove(alias)
            drafts[alias] = replace(draft, aliases=[], prefixes=[], modifiers=modifiers)


def modifiers_of(name: str, source: Source, litellm: Mapping[str, Any]) -> list[str] | None:
    """The factors of a name, or None where it is not listed."""
    listed = False
    modifiers: list[str] = []
    for modifier, (path, prefixes) in source.factors.items():
        for prefix in prefixes:
            entry = litellm.get(prefix + name)
            if entry is not None:
                listed = True
                if _at(entry, path) and modifier not in modifiers:
                    modifiers.append(modifier)
    return modifiers if listed else None


def _at(entry: Mapping[str, Any], path: str) -> Any:
    value: Any = entry
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def genai_data() -> list[dict[str, Any]]:
    """What the installed genai-prices brings, as its public file has it."""
    from genai_prices import data

    return [
        {"id": p.id, "api_pattern": p.api_pattern, "models": [_plain(m) for m in p.models]}
        for p in data.providers
    ]


def _plain(value: Any) -> Any:
    """Return an object of the library as JSON has it."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if hasattr(value, "__dict__"):
        return {
            key.rstrip("_"): _plain(item) for key, item in vars(value).items() if item is not None
        }
    return str(value) if isinstance(value, datetime.date | datetime.time) else value


def litellm_data() -> dict[str, Any]:
    spec = importlib.util.find_spec("litellm")
    if spec is None or spec.origin is None:
        sys.exit("litellm is not installed: run this as `uv run nox -s prices`")
    path = Path(spec.origin).with_name("model_prices_and_context_window_backup.json")
    return json.loads(path.read_text())


def table_path(provider: str) -> Path:
    return ROOT / "providers" / provider / "src" / f"mirascope_{provider}" / "prices.toml"


def written(head: str, drafts: Mapping[str, Draft]) -> str:
    return table_text(head, {name: entry_of(draft) for name, draft in drafts.items()})


def overridden(provider: str, models: dict[str, Any]) -> dict[str, Any]:
    """The entries with those of `overrides.toml` over them."""
    document = tomllib.loads(OVERRIDES.read_text(), parse_float=Decimal)
    for name, entry in document.get(provider, {}).items():
        kept = {key: value for key, value in entry.items() if key not in ("source", "reason")}
        if kept.pop("remove", False):
            del models[name]
            continue
        for unit in kept.pop("certain", ()):
            for row in models[name]["prices"]:
                if unit in row:
                    row.pop("note", None)
        if kept.pop("extends", False):
            kept["prices"] = [*models[name]["prices"], *kept["prices"]]
        models[name] = {**models.get(name, {}), **kept}
    return models


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the tables into the plugins")
    parser.add_argument("--provider", choices=SOURCES, action="append")
    options = parser.parse_args()
    litellm = litellm_data()
    for provider in options.provider or SOURCES:
        path = table_path(provider)
        before = path.read_text()
        drafts = fresh(provider, litellm)
        models = {name: entry_of(draft) for name, draft in drafts.items()}
        if provider == "openai":
            for name, entry in models.items():
                preview_searches(name, entry)
        models = overridden(provider, models)
        after = table_text(before.partition("\n[models.")[0], models)
        found = list(
            differences(PriceTable.from_toml(before, "now"), PriceTable.from_toml(after, "then"))
        )
        print(f"{provider}: {len(found)} differences", *map(str, found), sep="\n  ")
        if options.write:
            path.write_text(re.sub(r"(?m)^updated = .*$", f"updated = {TODAY}", after))


if __name__ == "__main__":
    main()
