"""JSON schemas as APIs take them: what each can say, and how it is said there."""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from .._types import JSONObject

_SHAPES: Final = frozenset(
    {"type", "properties", "required", "items", "prefixItems", "anyOf", "allOf", "enum", "const"}
    | {"additionalProperties", "description", "$ref", "$defs"}
)
"""The keywords that tell what a value looks like: none of them can be left out."""
_NAMED: Final = ("properties", "$defs")
_VALUES: Final = ("enum", "const", "default", "examples", "required")
_LOOKAROUND: Final = ("(?=", "(?!", "(?<")


def tidy_schema(schema: JSONObject) -> JSONObject:
    """Return a schema of pydantic's without what only repeats names, in the form that most take.

    Titles and discriminators go; `oneOf` is `anyOf`; a reference with something beside it becomes
    an `anyOf` of one; a root that is a reference to its own definition is written out.
    """
    root: JSONObject = copy.deepcopy(schema)
    reference: str | None = root.get("$ref")
    if reference is not None and "$defs" in root:
        definitions: JSONObject = root.pop("$defs")
        root = {**copy.deepcopy(definitions[reference.rpartition("/")[2]]), "$defs": definitions}
    for node in _nodes(root):
        if isinstance(node.get("title"), str):
            del node["title"]
        node.pop("discriminator", None)
        if "oneOf" in node:
            node["anyOf"] = node.pop("oneOf")
        if len(node.get("allOf", ())) == 1:
            node.update(node.pop("allOf")[0])
        if "$ref" in node and len(node) > 1:
            node["anyOf"] = [{"$ref": node.pop("$ref")}]
    return root


def without_members(schema: JSONObject, names: Collection[str]) -> JSONObject:
    """Return an object's schema without some of its members, and what only they refer to."""
    rest: JSONObject = {**schema, "properties": {**schema.get("properties", {})}}
    for name in names:
        rest["properties"].pop(name, None)
    rest["required"] = [name for name in schema.get("required", ()) if name not in names]
    definitions: JSONObject = rest.pop("$defs", {})
    kept: JSONObject = {}
    left = _references(rest)
    while left:
        if (name := left.pop()) not in kept:
            kept[name] = definitions[name]
            left += _references(kept[name])
    if kept:
        rest["$defs"] = kept
    if not rest["required"]:
        del rest["required"]
    return rest


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaDialect:
    """What JSON schemas can say in the native mode of an API.

    What is only a constraint, and can't be said, goes into the description, where the model may
    follow it. What is a shape, and can't be said, is a reason to ask in another way.

    Attributes:
        keywords: the keywords that the API takes besides those which tell a value's shape.
        formats: the values of `format` that it takes; None for any.
        closed: objects must not take other members than they declare.
        all_required: every member of an object must be required.
        free_keys: an object may have keys that are not declared, as a dict has.
        tuples: arrays may have a shape for each place.
        anything: a value may be of any kind.
        recursion: where a definition may refer to itself.
        constants: whether `const` is known; else it is an `enum` of one.
        lookaround: whether a pattern may look ahead and back.
        ordered: the API wants to be told the order of members (`propertyOrdering`).
    """

    keywords: frozenset[str] = frozenset()
    formats: frozenset[str] | None = None
    closed: bool = False
    all_required: bool = False
    free_keys: bool = True
    tuples: bool = True
    anything: bool = True
    recursion: Literal["anywhere", "optional", "nowhere"] = "anywhere"
    constants: bool = True
    lookaround: bool = False
    ordered: bool = False

    def unsayable(self, schema: JSONObject) -> tuple[str, ...]:
        """Return the places of a tidy schema that the API has no form for, and why."""
        return tuple(dict.fromkeys(_Examination(self, schema).problems(schema, "", (), True)))

    def written(self, schema: JSONObject) -> JSONObject:
        """Return a tidy schema as the API takes it."""
        root: JSONObject = copy.deepcopy(schema)
        for node in _nodes(root):
            self._write(node)
        return root

    def _write(self, node: JSONObject) -> None:
        told = {key: node.pop(key) for key in list(node) if key not in _SHAPES | self.keywords}
        if self.formats is not None and node.get("format", "") not in {"", *self.formats}:
            told["format"] = node.pop("format")
        if not self.lookaround and any(mark in node.get("pattern", "") for mark in _LOOKAROUND):
            del node["pattern"]
        if told.get("default", ...) is None:
            # That a field may be left out is what null says already.
            del told["default"]
        told.pop("examples", None)
        if not self.constants and "const" in node:
            node["enum"] = [node.pop("const")]
        if node.get("type") == "object":
            properties: JSONObject = node.get("properties", {})
            if self.closed:
                node["additionalProperties"] = False
            if self.all_required:
                node["properties"] = properties
                node["required"] = list(properties)
            if self.ordered and properties:
                node["propertyOrdering"] = list(properties)
        if told:
            text = ", ".join(f"{k}: {json.dumps(v, ensure_ascii=False)}" for k, v in told.items())
            known = node.get("description")
            node["description"] = f"{known} ({text})" if known else f"({text})"
        if "$ref" in node and len(node) > 1:
            node["anyOf"] = [{"$ref": node.pop("$ref")}]


class _Examination:
    """Looks for what a dialect can't say."""

    def __init__(self, dialect: SchemaDialect, schema: JSONObject) -> None:
        self._dialect = dialect
        self._definitions: JSONObject = schema.get("$defs", {})

    def problems(
        self, node: Any, path: str, open_: tuple[str, ...], required: bool
    ) -> Iterator[str]:
        """Yield what can't be said of a schema.

        Args:
            node: the schema.
            path: where it stands.
            open_: the definitions that it stands in.
            required: whether nothing on the way to it may be left out.
        """
        if not isinstance(node, dict):
            return
        known = cast("JSONObject", node)
        dialect, where = self._dialect, path or "the answer"
        reference: str | None = known.get("$ref")
        if reference is not None:
            name = reference.rpartition("/")[2]
            if name not in open_:
                inner = self._definitions.get(name)
                yield from self.problems(inner, path, (*open_, name), required)
            elif dialect.recursion == "nowhere":
                yield f"{where} refers to itself"
            elif dialect.recursion == "optional" and required:
                yield f"{where} refers to itself in a required field"
            return
        properties: JSONObject = known.get("properties", {})
        is_dict = not properties and known.get("additionalProperties") not in (None, False)
        if not dialect.free_keys and known.get("type") == "object" and is_dict:
            yield f"{where} is a dict, whose keys are free"
        if not dialect.tuples and "prefixItems" in known:
            yield f"{where} is a tuple"
        if not dialect.anything and not known.keys() & {"type", "anyOf", "enum", "const", "allOf"}:
            yield f"{where} may be anything"
        needed = known.get("required", ())
        for name, inner in properties.items():
            at = f"{path}.{name}" if path else name
            yield from self.problems(inner, at, open_, required and name in needed)
        yield from self.problems(known.get("items"), f"{path}[]", open_, required)
        if not properties:
            inner = known.get("additionalProperties")
            yield from self.problems(inner, f"{path}[]", open_, required)
        for key in ("anyOf", "allOf", "prefixItems"):
            for inner in known.get(key, ()):
                yield from self.problems(inner, path, open_, required and key != "anyOf")


def _references(schema: Any) -> list[str]:
    """Return the names of the definitions that a schema refers to."""
    found = (node.get("$ref") for node in _nodes(schema))
    return [reference.rpartition("/")[2] for reference in found if isinstance(reference, str)]


def _nodes(schema: Any, *, named: bool = False) -> Iterator[JSONObject]:
    """Yield a schema and the schemas in it, the inner ones first.

    Args:
        schema: the schema, or a list of them.
        named: whether it is a mapping of names to schemas.
    """
    if isinstance(schema, list):
        for inner in cast("list[Any]", schema):
            yield from _nodes(inner)
    elif isinstance(schema, dict):
        node = cast("JSONObject", schema)
        for key, inner in list(node.items()):
            if named or key not in _VALUES:
                yield from _nodes(inner, named=not named and key in _NAMED)
        if not named:
            yield node
