"""What of a response changes its price besides its tokens, and usage with all of it.

Pure functions. The facts are text, as all facts of a response: counts in digits, objects in JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from mirascope.core import (
    OTHER_HOST,
    UNKNOWN_HOST,
    Usage,
    UsagePart,
    host_of,
    token_count,
)
from mirascope.core.json import as_list, as_mapping
from mirascope_compatible import normalize_usage
from pydantic_core import from_json, to_json

_OWN_HOST: Final = re.compile(r"(?:([a-z0-9-]+)\.)?api\.openai\.com")
_AZURE: Final = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
_SEARCH_TOOL: Final = re.compile(r"(web_search(?:_preview)?)(?:_\d{4}_\d{2}_\d{2})?")
_SEARCHES: Final = frozenset({"search", None, ""})
_SESSIONS: Final = (
    "containers of the code interpreter are charged by the session, which usage does not count"
)
_NO_IMAGE_MODEL: Final = "which model made the images is not reported: its tokens are left out"


def normalize(usage: Mapping[str, Any], facts: Mapping[str, str]) -> Usage:
    """Return usage of any of OpenAI's APIs by the rule for all providers, fees included.

    `input_tokens` includes what was read from a cache or written to one, `output_tokens` includes
    reasoning. What the image generation tool used is not in it and is priced at its own model.
    https://platform.openai.com/docs/pricing

    Args:
        usage: `usage` as it was sent.
        facts: what `tool_facts` and `host_facts` found, and `service_tier`.
    """
    result = normalize_usage(usage, facts)
    fees = {
        unit: token_count_of(facts[name])
        for unit, name in (("web_search", "web_searches"), ("file_search", "file_searches"))
        if name in facts
    }
    fees = {unit: count for unit, count in fees.items() if count}
    notes = result.notes
    if "code_interpreter_calls" in facts:
        notes += (_SESSIONS,)
    parts: tuple[UsagePart, ...] = ()
    images = _image_counts(facts.get("image_gen"))
    if images and "image_model" in facts:
        parts = (
            UsagePart(counts=result.counts),
            UsagePart(counts=images, model=facts["image_model"], label="image_gen"),
        )
    elif images:
        notes += (_NO_IMAGE_MODEL,)
    if not (fees or parts or notes):
        return result
    return replace(result, fees=fees, parts=parts, notes=notes)


def tool_facts(response: Mapping[str, Any]) -> dict[str, str]:
    """Return what the response's hosted tools did, as far as it is charged besides tokens.

    Args:
        response: a response object; or, of one that was stored, any of its `tool_usage`, `tools`
            and `output`, or `output_items`: a list of `"type"` and `"type:action"`.
    """
    kinds = list(_item_kinds(response))
    usage = as_mapping(response.get("tool_usage"))
    searches = as_mapping(usage.get("web_search")).get("num_requests")
    if searches is None:
        searches = sum(kind == "web_search_call" and act in _SEARCHES for kind, act in kinds)
    facts: dict[str, str] = {}
    if count := token_count(searches):
        facts["web_searches"] = str(count)
        # The preview tool costs more with some models; the response repeats the tools it was given.
        tools = response.get("tools")
        names = [
            tool if isinstance(tool, str) else str(as_mapping(tool).get("type"))
            for tool in ([tools] if isinstance(tools, str) else as_list(tools))
        ]
        given = {found[1] for name in names if (found := _SEARCH_TOOL.fullmatch(name))}
        if len(given) == 1:
            facts["search_tool"] = given.pop()
    for kind, name in (
        ("file_search_call", "file_searches"),
        ("code_interpreter_call", "code_interpreter_calls"),
    ):
        if count := sum(found == kind for found, _ in kinds):
            facts[name] = str(count)
    images = as_mapping(usage.get("image_gen"))
    if token_count(images.get("input_tokens")) or token_count(images.get("output_tokens")):
        facts["image_gen"] = to_json(images, fallback=str).decode()
        models = [as_mapping(tool).get("model") for tool in as_list(response.get("tools"))]
        models += [images.get("model"), response.get("image_model")]
        if model := next((name for name in models if name and isinstance(name, str)), None):
            facts["image_model"] = model
    return facts


def host_facts(base_url: object) -> dict[str, str]:
    """Return what a server's address means for prices: its region, or that it is not OpenAI's.

    https://platform.openai.com/docs/guides/your-data#data-residency-controls

    Args:
        base_url: the address; None where it is not known which server answers.
    """
    host = UNKNOWN_HOST if base_url is None else host_of(base_url)
    if host == UNKNOWN_HOST:
        return {"host": UNKNOWN_HOST}
    found = _OWN_HOST.fullmatch(host)
    if found is None:
        return {"host": "azure" if host.endswith(_AZURE) else OTHER_HOST}
    return {"region": found[1]} if found[1] else {}


def token_count_of(text: str) -> int:
    """Return a count from a fact; 0 for anything that is not one."""
    return token_count(int(text)) if text.isascii() and text.isdigit() else 0


def _image_counts(text: str | None) -> dict[str, int]:
    """Return the tokens of the image tool, whose details have the names of a usage object."""
    if not text:
        return {}
    try:
        images = as_mapping(from_json(text))
    except ValueError:
        return {}
    details = dict(as_mapping(images.get("input_tokens_details")))
    details["cached_tokens"] = images.get("cached_tokens")
    details["cached_tokens_details"] = images.get("cached_tokens_details")
    counts = normalize_usage({**images, "input_tokens_details": details}, {}).counts
    return {unit: count for unit, count in counts.items() if count}


def _item_kinds(response: Mapping[str, Any]) -> Iterator[tuple[object, object]]:
    for item in (*as_list(response.get("output")), *as_list(response.get("output_items"))):
        if isinstance(item, str):
            kind, _, action = item.partition(":")
            yield kind, action
        else:
            yield (
                as_mapping(item).get("type"),
                as_mapping(as_mapping(item).get("action")).get("type"),
            )
