"""Schemas that every API takes, whatever the types and defaults of a tool are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from mirascope.core._tools._tool_types import to_tool_type
from mirascope.core.testing import Server
from mirascope_tests.turns import WAYS, Way, calling, declared
from pydantic import BaseModel, Field, SecretStr

Serve = Callable[..., Server]


class Place(BaseModel):
    """A place."""

    city: str
    near: Place | None = Field(None, description="Another one.")
    best: Literal["sea", "hills"] = "sea"


def travel(
    to: Place,
    via: Place = Place(city="Oslo"),  # noqa: B008
    budget: float = float("inf"),
    limits: tuple[float, float] = (0.0, float("nan")),
    key: SecretStr = SecretStr("top-secret"),  # noqa: B008
    note: object = None,
) -> str:
    """Travel.

    Args:
        to: Where to.
        via: On the way.
        key: Who pays.
    """
    return f"{to.city} {via.city} {budget} {key.get_secret_value()} {note}"


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from nodes(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from nodes(value)


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_a_schema_arrives_as_json_and_says_no_secret(way: Way, serve: Serve) -> None:
    server = serve(calling(("travel", {"to": {"city": "Rome"}})))
    (tool,) = (await way.read(way.decorate(server, [travel], "Go."))).tools
    # What the model left out is the function's own.
    assert tool.call() == "Rome Oslo inf top-secret None"
    schema = declared(server.requests[0].json)["travel"]["parameters"]
    assert schema == to_tool_type(travel).tool_parameters()
    text = json.dumps(schema, allow_nan=False)
    assert "secret" not in text
    assert "**" not in text
    properties = schema["properties"]
    assert properties["budget"] == {"type": "number"}
    assert properties["note"] == {"default": None}
    assert schema["required"] == ["to"]
    # A reference stands alone: Gemini refuses it with a description beside it.
    assert all(node.keys() == {"$ref"} for node in nodes(schema) if "$ref" in node)
    assert properties["to"] == {"anyOf": [{"$ref": "#/$defs/Place"}], "description": "Where to."}
    assert properties["via"]["default"]["city"] == "Oslo"
    assert schema["$defs"]["Place"]["properties"]["near"]["description"] == "Another one."
