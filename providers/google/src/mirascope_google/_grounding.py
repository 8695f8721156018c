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


class Grounding:
    """What a candidate was grounded with, by all that its chunks say: later ones add to it."""

    __slots__ = ("_has_images", "_has_map", "_kinds", "_queries")

    def __init__(self) -> None:
        self._queries: set[str] = set()
        self._kinds: set[str] = set()
        self._has_map = self._has_images = False

    def add(self, metadata: Mapping[str, Any]) -> Grounding:
        """Take in `groundingMetadata`, in either spelling."""
        self._queries.update(q for q in _list(_of(metadata, "webSearchQueries")) if q.strip())
        for chunk in as_mappings(_of(metadata, "groundingChunks")):
            self._kinds.update(kind for kind in chunk if chunk[kind])
        self._has_map = self._has_map or bool(_of(metadata, "googleMapsWidgetContextToken"))
        images = _list(_of(metadata, "imageSearchQueries"))
        self._has_images = self._has_images or bool(images)
        return self

    @staticmethod
    def facts(groundings: Iterable[Grounding]) -> dict[str, str]:
        """Return the billable queries of all candidates, as facts.

        Each distinct query counts once, and empty ones do not. Where the sources are Maps' alone,
        so are the queries; an answer that was grounded with Maps is charged for one query at least.
        https://ai.google.dev/gemini-api/docs/google-search#pricing
        """
        web: list[set[str]] = []
        maps: list[set[str]] = []
        is_web = is_maps = is_mixed = has_images = False
        for found in groundings:
            by_maps = "maps" in found._kinds or found._has_map
            if by_maps and "web" not in found._kinds:
                maps.append(found._queries)
            else:
                web.append(found._queries)
                is_web = is_web or bool(found._queries) or "web" in found._kinds
                is_mixed = is_mixed or by_maps
            is_maps = is_maps or by_maps
            has_images = has_images or found._has_images
        facts: dict[str, str] = {}
        if is_web:
            facts["web_search_queries"] = str(_distinct(web))
        if is_maps:
            facts["maps_queries"] = str(max(1, _distinct(maps)))
        if is_mixed:
            facts["mixed_grounding"] = "true"
        if has_images:
            facts["image_searches"] = "true"
        return facts


def _distinct(queries: list[set[str]]) -> int:
    # Of one candidate, which nearly every answer is, nothing is copied: this runs for each chunk.
    return len(queries[0]) if len(queries) == 1 else len(set[str]().union(*queries))


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
