"""What each API is asked for a response model: whole request bodies, kept in `requests.json`.

`python -m tests.structured.test_requests` writes the file anew, to be read before it is committed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mirascope.core import Provider
from mirascope.core.plugins import load_provider

from .models import SCHEMAS

GOLDEN = Path(__file__).with_name("requests.json")
APIS = {
    "chat": ("openai", None),
    "responses": ("openai", "responses"),
    "messages": ("anthropic", None),
    "generate": ("google", None),
    "local": ("local", None),
}
REFUSED = {"default", "oneOf", "discriminator", "prefixItems", "allOf", "not", "propertyNames"}
REFUSED |= {"minProperties", "maxProperties", "uniqueItems", "minLength", "maxLength", "title"}


def body(api: str, model: Any) -> Any:
    """The request that a call of this API would send."""
    from mirascope.core import Call

    name, other = APIS[api]
    provider: Provider = load_provider(name, other)
    ask = Call[Any, Any, Any](provider)("smollm2-135m", stream=True, response_model=model)
    return json.loads(json.dumps(ask(lambda: "Hi")().call_kwargs))


def bodies() -> dict[str, Any]:
    return {api: {model.__name__: body(api, model) for model in SCHEMAS} for api in APIS}


@pytest.mark.parametrize("model", SCHEMAS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("api", APIS)
def test_the_request_is_the_one_that_was_read(api: str, model: Any) -> None:
    assert body(api, model) == json.loads(GOLDEN.read_text("utf-8"))[api][model.__name__]


@pytest.mark.parametrize("model", SCHEMAS, ids=lambda model: model.__name__)
def test_no_strict_schema_has_what_openai_refuses(model: Any) -> None:
    sent = body("chat", model)["response_format"]["json_schema"]
    problems = list(found(sent["schema"], "#"))
    assert not sent["strict"] or problems == []
    flat = body("responses", model)["text"]["format"]
    assert (flat["schema"], flat["strict"]) == (sent["schema"], sent["strict"])


def found(schema: Any, path: str) -> Any:
    """What OpenAI's strict mode refuses of a schema."""
    if isinstance(schema, list):
        for n, inner in enumerate(schema):
            yield from found(inner, f"{path}/{n}")
    if not isinstance(schema, dict):
        return
    yield from (f"{path}: {key}" for key in schema.keys() & REFUSED)
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        yield f"{path}: is not closed"
    if set(schema.get("properties", ())) != set(schema.get("required", ())):
        yield f"{path}: not all is required"
    if "$ref" in schema and len(schema) > 1:
        yield f"{path}: a reference with siblings"
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            for name, inner in value.items():
                yield from found(inner, f"{path}/{name}")
        elif key not in ("enum", "required"):
            yield from found(value, f"{path}/{key}")


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(bodies(), indent=1, ensure_ascii=False) + "\n", "utf-8")
