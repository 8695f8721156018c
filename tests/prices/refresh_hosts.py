"""Price tables of the hosts from the newest genai-prices and litellm data.

    uv run nox -s prices              # show what has changed
    uv run nox -s prices -- --write   # and write it into the plugins

A price is certain where both sources list it alike for today. Where they differ, or only one of
them knows the model, the row has a note: a cost with it is not exact. `host_overrides.toml` has the
last word.
"""

from __future__ import annotations

import argparse
import datetime
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from mirascope.core import PriceTable
from mirascope.core._prices._differences import differences
from mirascope.core._prices._sources import _genai, _litellm
from mirascope.core._prices._sources._draft import WHOLE, Draft, Period
from mirascope.core._prices._sources._merging import dated, rules_of
from mirascope.core._prices._sources._public import FEES
from mirascope.core._prices._sources._writing import entry_of, table_text

from .refresh import ROOT, TODAY, genai_data, litellm_data

OVERRIDES = Path(__file__).with_name("host_overrides.toml")
TABLES = ROOT / "providers/compatible/src/mirascope_compatible/prices"

DIFFERENT = "genai-prices and litellm list different prices"
ONLY_GENAI = "only genai-prices lists this price"
ONLY_LITELLM = "only litellm lists this price"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a host's models stand in the data.

    Attributes:
        page: where the host publishes its prices.
        genai: the provider's name in genai-prices, or None.
        litellm: what stands in front of the models in litellm.
        strip: what the host puts in front of a model's name, and the table does not.
        leave_out: names that are not models, as a regular expression.
    """

    page: str
    genai: str | None
    litellm: str
    strip: str = ""
    leave_out: str = r"$."


SOURCES = {
    "alibaba": Source(
        page="https://www.alibabacloud.com/help/en/model-studio/models",
        genai=None,
        litellm="dashscope/",
    ),
    "cerebras": Source(
        page="https://www.cerebras.ai/pricing", genai="cerebras", litellm="cerebras/"
    ),
    "deepinfra": Source(page="https://deepinfra.com/pricing", genai=None, litellm="deepinfra/"),
    "deepseek": Source(
        page="https://api-docs.deepseek.com/quick_start/pricing",
        genai="deepseek",
        litellm="deepseek/",
    ),
    "fireworks": Source(
        page="https://fireworks.ai/pricing",
        genai="fireworks",
        litellm="fireworks_ai/accounts/fireworks/models/",
        strip="accounts/fireworks/models/",
    ),
    "groq": Source(page="https://groq.com/pricing", genai="groq", litellm="groq/"),
    "hyperbolic": Source(
        page="https://docs.hyperbolic.xyz/docs/hyperbolic-pricing",
        genai=None,
        litellm="hyperbolic/",
    ),
    "mistral": Source(page="https://mistral.ai/pricing/api", genai="mistral", litellm="mistral/"),
    "moonshot": Source(
        page="https://platform.moonshot.ai/docs/pricing/chat",
        genai="moonshotai",
        litellm="moonshot/",
    ),
    "nebius": Source(page="https://nebius.com/token-factory/prices", genai=None, litellm="nebius/"),
    "novita": Source(page="https://novita.ai/pricing", genai="novita", litellm="novita/"),
    "sambanova": Source(
        page="https://cloud.sambanova.ai/plans/pricing", genai=None, litellm="sambanova/"
    ),
    "together": Source(
        page="https://www.together.ai/pricing",
        genai="together",
        litellm="together_ai/",
        leave_out=r"together-ai-.*|together/Tev1.*",
    ),
    "xai": Source(page="https://docs.x.ai/docs/models", genai="x-ai", litellm="xai/"),
    "zai": Source(page="https://docs.z.ai/guides/overview/pricing", genai="zai", litellm="zai/"),
}


def fresh(host: str, litellm: Mapping[str, Any]) -> dict[str, Draft]:
    """The models of a host as both sources have them now."""
    source = SOURCES[host]
    drafts: dict[str, Draft] = {}
    others = dict(litellm_drafts(source, litellm))
    for name, draft in genai_drafts(source):
        if any(n in drafts for n in (name, *draft.aliases)):
            continue
        known = [others.pop(n) for n in (name, *draft.aliases) if n in others]
        if not known:
            drafts[name] = noted(draft, ONLY_GENAI)
        elif all(alike(draft, other) for other in known):
            draft = with_doubts_about_units(known[0], draft)
            drafts[name] = with_doubts_about_tiers(known[0], draft)
        else:
            drafts[name] = noted(draft, DIFFERENT)
    taken = {n for name, draft in drafts.items() for n in (name, *draft.aliases)}
    for name, draft in others.items():
        if name not in taken:
            drafts[name] = noted(draft, ONLY_LITELLM)
    rules = rules_of(drafts.values())
    return {name: dated(draft, rules, TODAY) for name, draft in drafts.items()}


def genai_drafts(source: Source) -> Iterator[tuple[str, Draft]]:
    if source.genai is None:
        return
    names: set[str] = set()
    for model in _genai.models_of(genai_data(), source.genai):
        draft = _genai.draft_of(model)
        name = model["id"].removeprefix(source.strip)
        if draft is None or re.fullmatch(source.leave_out, name):
            continue
        names.add(name)
        aliases = (alias.removeprefix(source.strip) for alias in draft.aliases)
        draft.aliases = sorted({alias for alias in aliases if alias not in names})
        names.update(draft.aliases)
        draft.prefixes = [p.removeprefix(source.strip) for p in draft.prefixes]
        yield name, by_tokens(draft)


def litellm_drafts(source: Source, litellm: Mapping[str, Any]) -> Iterator[tuple[str, Draft]]:
    for key, entry in sorted(litellm.items()):
        name = key.removeprefix(source.litellm)
        if name == key or re.fullmatch(source.leave_out, name):
            continue
        if (entry.get("mode") or "chat") not in ("chat", "responses"):
            continue
        if (draft := _litellm.draft_of(entry)) is not None:
            draft = by_tokens(draft)
            # An entry of zeros says that nobody wrote a price down.
            if any(draft.standard[0].steps[WHOLE].values()):
                draft.source = ""
                yield name, draft


def by_tokens(draft: Draft) -> Draft:
    """Leave out fees, which usage of these servers does not count, and round what floats spoilt."""
    for period in (*draft.standard, *(p for tier in draft.tiers.values() for p in tier)):
        for prices in period.steps.values():
            for unit, price in list(prices.items()):
                prices[unit] = Decimal(f"{price:.10f}").normalize() if price else Decimal(0)
                if unit in FEES or (unit == "cache_write" and not price):
                    del prices[unit]
    draft.standard = [replace(p, steps=kept(p)) for p in draft.standard]
    return draft


def kept(period: Period) -> dict[int, dict[str, Decimal]]:
    return {above: prices for above, prices in period.steps.items() if prices}


def alike(one: Draft, other: Draft) -> bool:
    """Whether two sources list the same for today, whatever the size of the request."""
    if any(period.hours for period in one.standard):
        return False
    now, then = one.standard_on(TODAY), other.standard_on(TODAY)
    for above in {*now.steps, *then.steps}:
        for unit in ("input", "output", "cache_read", "cache_write"):
            prices = {now.price(unit, above), then.price(unit, above)} - {None}
            if len(prices) > 1 or (unit in ("input", "output") and not prices):
                return False
    return True


def with_doubts_about_units(other: Draft, draft: Draft) -> Draft:
    """Say of today's prices which of them only one source has; a cache's is taken from either."""
    now, listed = draft.standard_on(TODAY), other.standard_on(TODAY)
    notes = {
        (above, unit): ONLY_GENAI
        for above, prices in now.steps.items()
        for unit in prices
        if listed.price(unit, above) is None
    }
    for unit in ("cache_read", "cache_write"):
        if unit in listed.steps[WHOLE] and now.price(unit, WHOLE) is None:
            now.steps[WHOLE][unit] = listed.steps[WHOLE][unit]
            notes[WHOLE, unit] = ONLY_LITELLM
    place = draft.standard.index(now)
    draft.standard[place] = replace(now, notes=notes)
    return draft


def with_doubts_about_tiers(other: Draft, draft: Draft) -> Draft:
    """Say of the prices of tiers why they are not certain, where only one source has them."""
    doubted = noted(draft, ONLY_GENAI).tiers
    for tier in draft.tiers:
        if [p.steps for p in draft.tiers[tier]] != [p.steps for p in other.tiers.get(tier, ())]:
            draft.tiers[tier] = doubted[tier]
    return draft


def noted(draft: Draft, note: str) -> Draft:
    """Say of every price why it is not certain."""

    def with_note(period: Period) -> Period:
        notes = {(above, unit): note for above, p in period.steps.items() for unit in p}
        return replace(period, notes=notes)

    return replace(
        draft,
        standard=[with_note(period) for period in draft.standard],
        tiers={tier: [with_note(p) for p in periods] for tier, periods in draft.tiers.items()},
    )


def head(host: str, updated: datetime.date) -> str:
    source = SOURCES[host]
    lines = [
        "schema = 1",
        f'provider = "{host}"',
        f"updated = {updated}",
        'currency = "USD"',
        f'source = "{source.page}"',
    ]
    places = [f'litellm = ["{source.litellm}"]']
    if source.genai is not None:
        places.insert(0, f'genai-prices = ["{source.genai}"]')
    lines.append(f"sources = {{ {', '.join(places)} }}")
    if source.strip:
        lines.append(f'strip_prefixes = ["{source.strip}"]')
    return "\n".join(lines)


def overridden(host: str, models: dict[str, Any]) -> dict[str, Any]:
    """The entries with those of `host_overrides.toml` over them."""
    document = tomllib.loads(OVERRIDES.read_text("utf-8"), parse_float=Decimal)
    for name, entry in document.get(host, {}).items():
        given = {key: value for key, value in entry.items() if key not in ("source", "reason")}
        if given.pop("remove", False):
            models.pop(name)
        else:
            models[name] = {**models.get(name, {}), **given}
    return models


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the tables into the plugin")
    options = parser.parse_args()
    litellm = litellm_data()
    for host in SOURCES:
        path = TABLES / f"{host}.toml"
        before = path.read_text("utf-8") if path.exists() else head(host, TODAY)
        drafts = fresh(host, litellm)
        models = overridden(host, {name: entry_of(draft) for name, draft in drafts.items()})
        after = table_text(head(host, TODAY), models)
        found = list(
            differences(PriceTable.from_toml(before, "now"), PriceTable.from_toml(after, "then"))
        )
        print(
            f"{host}: {len(models)} models, {len(found)} differences",
            *map(str, found[:20]),
            sep="\n  ",
        )
        if options.write:
            path.parent.mkdir(exist_ok=True)
            path.write_text(after, "utf-8")


if __name__ == "__main__":
    main()
