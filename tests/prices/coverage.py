"""Which models that can be bought our tables know: `uv run nox -s differential` prints it.

Every name of genai-prices and litellm is looked up, four usages are priced, and whatever comes out
differently or is not known is listed with the reason.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import refresh
from mirascope.core import PriceTable
from mirascope.core._prices._sources import _litellm

UNEXPLAINED = "NOT EXPLAINED"
DIFFERENT = {
    "gemini-2.0-flash": "litellm lists Vertex AI's price; ours has both, by where it was served",
    "ft:gpt-4o-2024-11-20": "litellm has the cached price at the key of writes: ours is right",
    "gpt-4o-mini-tts": "litellm prices its audio at the rate of text: ours is right",
}
NOT_TOKENS = {
    r"(?:xai|deepseek-ai)/.*": "another maker's, on Vertex AI, which this plugin does not call",
    r"ft:.*": "a tuned model, by its owner's name only",
    r".*/.*": "an image of a size and a quality",
    r".*(?:imagen|veo|lyria|sora|dall-e|image-generation).*": "charged by the image or the second",
    r".*(?:tts|whisper|transcribe|speech|live|realtime-translate|lyria).*": "charged by the second",
    r".*(?:embedding|multimodal|ranker|moderation).*": "free, or charged by the character",
    r".*(?:exp|experimental|learnlm|gemma).*": "free while it was experimental",
    r"claude.*": "Anthropic's, on Vertex AI: the anthropic plugin has it",
    r"(?:gpt-oss|gpt-5-image|gpt-5\.4-image).*": "not sold by the provider itself",
}


def names(provider: str, litellm: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    source = refresh.SOURCES[provider]
    for model in refresh._genai.models_of(refresh.genai_data(), provider):
        yield "genai-prices", model["id"], model
    for key, entry in litellm.items():
        if entry.get("litellm_provider") in source.providers:
            name = key
            for prefix in source.prefixes:
                name = name.removeprefix(prefix)
            yield "litellm", name, entry


def price_today(table: PriceTable, name: str) -> dict[str, Decimal] | None:
    match = table.match(name)
    return None if match is None else match.entry.prices({}, 0, refresh.NOW)


def main() -> None:
    litellm = refresh.litellm_data()
    failed = False
    for provider in refresh.SOURCES:
        table = PriceTable.from_toml(refresh.table_path(provider).read_text(), provider)
        counts: Counter[str] = Counter()
        lines: list[str] = []
        seen: set[tuple[str, str]] = set()
        for origin, name, entry in names(provider, litellm):
            if (origin, name) in seen:
                continue
            seen.add((origin, name))
            draft = (refresh._genai if origin == "genai-prices" else _litellm).draft_of(entry)
            ours = price_today(table, name)
            if draft is None or ours is None:
                reason = next((w for p, w in NOT_TOKENS.items() if re.fullmatch(p, name)), "")
                if draft is None:
                    counts["not priced by tokens"] += 1
                else:
                    counts["unknown"] += 1
                    lines.append(f"unknown {name} ({origin}): {reason or UNEXPLAINED}")
                continue
            theirs = draft.standard_on(refresh.TODAY).steps[-1]
            differing = {
                unit: f"{ours.get(unit)} and {price} there"
                for unit, price in theirs.items()
                if unit in ("input", "output", "cache_read", "cache_write")
                and ours.get(unit) != price
            }
            counts["different" if differing else "known"] += 1
            if differing:
                why = DIFFERENT.get(name, UNEXPLAINED)
                lines.append(f"different {name} ({origin}): {json.dumps(differing)}: {why}")
        print(f"{provider}: {dict(counts)}", *sorted(lines), sep="\n  ")
        failed = failed or any(UNEXPLAINED in line for line in lines)
    sys.exit(failed)


if __name__ == "__main__":
    main()
