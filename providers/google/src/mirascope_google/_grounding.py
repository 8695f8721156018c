"""What grounding charges: queries of Google Search and Maps, by what a response says of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from mirascope.core.json import as_list, as_mappings

_FIELD: Final = re.compile(
    r"(?:(.*)[.\]])?"
    r"(webSearchQueries|imageSearchQueries|groundingChunks|googleMapsWidgetContextToken)"
)
_METADATA: Final = ("groundingMetadata", "grounding_metadata")


def grounding_facts(groundings: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the billable queries of all candidates, as facts.

    Each distinct query counts once, and empty ones do not. Where the sources are Maps' alone, so
    are the queries; an answer that was grounded with Maps is charged for one query at least.
    https://ai.google.dev/gemini-api/docs/google-search#pricing

    Args:
        groundings: `groundingMetadata` of each candidate, in either spelling.
    """
    web: set[str] = set()
    maps: set[str] = set()
    is_web = is_maps = is_mixed = has_images = False
    for grounding in groundings:
        kinds = {k for c in as_mappings(_of(grounding, "groundingChunks")) for k in c if c[k]}
        queries = {q for q in _list(_of(grounding, "webSearchQueries")) if q and q.strip()}
        by_maps = "maps" in kinds or bool(_of(grounding, "googleMapsWidgetContextToken"))
        if by_maps and "web" not in kinds:
            maps |= queries
        else:
            web |= queries
            is_web = is_web or bool(queries) or "web" in kinds
            is_mixed = is_mixed or by_maps
        is_maps = is_maps or by_maps
        has_images = has_images or bool(_list(_of(grounding, "imageSearchQueries")))
    facts: dict[str, str] = {}
    if is_web:
        facts["web_search_queries"] = str(len(web))
    if is_maps:
        facts["maps_queries"] = str(max(1, len(maps)))
    if is_mixed:
        facts["mixed_grounding"] = "true"
    if has_images:
        facts["image_searches"] = "true"
    return facts


def joined(known: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return what two chunks of a candidate's grounding say together: later ones add to it."""
    result: dict[str, Any] = {**known, **more}
    for name in ("webSearchQueries", "groundingChunks", "imageSearchQueries"):
        found, given = known.get(name), more.get(name)
        if isinstance(found, list) and isinstance(given, list):
            result[name] = [*cast("list[Any]", found), *(i for i in given if i not in found)]
    return result


def context_grounding(context: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the grounding metadata in a description of a response: whole, or field by field."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in context.items():
        name = _camel(key)
        if (match := _FIELD.fullmatch(name)) is not None:
            found.setdefault(match[1] or "", {})[match[2]] = value
        elif name.endswith(_METADATA[0]) and isinstance(value, Mapping):
            found.setdefault(key, {}).update(cast("Mapping[str, Any]", value))
        elif name == "candidates":
            for index, candidate in enumerate(as_mappings(value)):
                metadata = next((candidate[n] for n in _METADATA if candidate.get(n)), None)
                if isinstance(metadata, Mapping):
                    found[f"candidates[{index}]"] = dict(cast("Mapping[str, Any]", metadata))
    return list(found.values())


def _of(grounding: Mapping[str, Any], name: str) -> Any:
    return grounding.get(name, grounding.get(re.sub(r"([A-Z])", r"_\1", name).lower()))


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def _list(value: object) -> list[str]:
    return [item for item in as_list(value) if isinstance(item, str)]
