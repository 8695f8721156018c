"""JSON Schema: a type that is described by one, and values checked against it.

The keywords are those of the draft 2020-12 (https://json-schema.org/draft/2020-12). A keyword that
limits values and is not known here is refused, so that no value passes unchecked.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

Schema: TypeAlias = "bool | Mapping[str, Any]"
_Check: TypeAlias = Callable[[Any, Any, Mapping[str, Any], str], Iterator[str]]
"""Takes the keyword's own value, the value, the schema and the place; yields what is wrong."""

_UNKNOWN: Final = frozenset(
    {"$dynamicRef", "$recursiveRef", "additionalItems", "dependencies", "dependentSchemas"}
    | {"unevaluatedItems", "unevaluatedProperties"}
)
_SCHEMAS: Final = (
    *("additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then"),
)
_LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPPINGS: Final = ("patternProperties", "properties")
_ANNOTATIONS: Final = frozenset({"title", "description", "default", "examples"})
_SHOWN: Final = 5


def response_type(schema: Any, name: str) -> Any:
    """Return a type for `response_model=` that a JSON schema describes.

    Args:
        schema: the schema.
        name: what it is called where it has no title of its own.

    Raises:
        ValueError: it is not a schema, or has something that is not known here.
    """
    whole = _written_out(schema, schema, "", ())
    if not isinstance(whole, dict):
        raise ValueError("a JSON schema of an answer is a JSON object")
    described = dict(whole)

    def check(value: Any) -> Any:
        found = list(problems(value, described, ""))
        if not found:
            return value
        more = len(found) - _SHOWN
        text = "; ".join(found[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
        raise PydanticCustomError("json_schema", "{problems}", {"problems": text})

    class Described:
        @classmethod
        def __get_pydantic_core_schema__(
            cls, source: Any, handler: GetCoreSchemaHandler
        ) -> CoreSchema:
            return core_schema.no_info_plain_validator_function(check)

        @classmethod
        def __get_pydantic_json_schema__(
            cls, schema: CoreSchema, handler: GetJsonSchemaHandler
        ) -> dict[str, Any]:
            return dict(described)

    title = described.get("title")
    Described.__name__ = title if isinstance(title, str) and title else name
    return Described


def problems(value: Any, schema: Schema, path: str) -> Iterator[str]:
    """Yield what a schema without references finds wrong with a value, with the place of each."""
    if isinstance(schema, bool):
        if not schema:
            yield f"{path or 'the answer'} must not be there"
        return
    for keyword, argument in schema.items():
        check = _CHECKS.get(keyword)
        if check is not None:
            yield from check(argument, value, schema, path)


def _written_out(schema: Any, root: Any, place: str, open_: tuple[str, ...]) -> Schema:
    """Return a schema with what it refers to in the place of the references.

    Raises:
        ValueError: what a reference names is not there, or has that reference in it; or a part is
            not a schema.
    """
    if isinstance(schema, bool):
        return schema
    if not isinstance(schema, dict):
        raise ValueError(f"{place or 'the whole'} is not a JSON schema")
    given = cast("dict[str, Any]", schema)
    if unknown := sorted(given.keys() & _UNKNOWN):
        raise ValueError(f"the keyword {unknown[0]!r} is not supported")
    made = {k: v for k, v in given.items() if k not in ("$ref", "$defs", "definitions", "$schema")}
    for key in (*_SCHEMAS, *_LISTS, *_MAPPINGS):
        if key in made:
            made[key] = _inside(key, made[key], root, f"{place}/{key}", open_)
    _check_argument(made)
    reference = given.get("$ref")
    if reference is None:
        return made
    if reference in open_:
        raise ValueError(
            f"{reference!r} refers to itself, which only a model of a module can: give module:Name"
        )
    found = _written_out(_target(reference, root), root, str(reference), (*open_, reference))
    if not made:
        return found
    if isinstance(found, dict) and made.keys() <= _ANNOTATIONS:
        return {**found, **made}
    return {**made, "allOf": [*made.get("allOf", ()), found]}


def _inside(key: str, inner: Any, root: Any, place: str, open_: tuple[str, ...]) -> Any:
    if key in _SCHEMAS:
        return _written_out(inner, root, place, open_)
    if key in _LISTS and isinstance(inner, list) and inner:
        parts = cast("list[Any]", inner)
        return [_written_out(part, root, f"{place}/{n}", open_) for n, part in enumerate(parts)]
    if key in _MAPPINGS and isinstance(inner, dict):
        named = cast("dict[str, Any]", inner)
        return {k: _written_out(part, root, f"{place}/{k}", open_) for k, part in named.items()}
    raise ValueError(f"{place} is not what this keyword takes")


def _target(reference: Any, root: Any) -> Any:
    """Return what a reference names: `#`, or `#/` and a JSON pointer (RFC 6901)."""
    found = root
    if not isinstance(reference, str) or not re.match(r"#(/|\Z)", reference):
        raise ValueError(f"the reference {reference!r} leads out of the file")
    for part in reference.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        inner = found
        if isinstance(inner, dict) and part in inner:
            found = cast("Any", inner[part])
        elif isinstance(inner, list) and part.isdecimal() and int(part) < len(cast("Any", inner)):
            found = cast("Any", inner[int(part)])
        else:
            raise ValueError(f"the reference {reference!r} leads nowhere")
    return found


def _check_argument(schema: Mapping[str, Any]) -> None:
    """Refuse arguments of keywords that no value could be checked with."""
    kinds = schema.get("type", [])
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        if kind not in _KINDS:
            raise ValueError(f"{kind!r} is not a type of JSON")
    patterns = [schema["pattern"]] if "pattern" in schema else []
    for pattern in [*patterns, *schema.get("patternProperties", ())]:
        try:
            re.compile(pattern)
        except (re.error, TypeError) as error:
            raise ValueError(f"the pattern {pattern!r} is not one of Python's: {error}") from None
    for key in _NUMBERS:
        number = schema.get(key, 1)
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise ValueError(f"{key!r} must be a number, not {number!r}")
    for key in ("required", "enum"):
        if not isinstance(schema.get(key, []), list):
            raise ValueError(f"{key!r} must be an array, not {schema[key]!r}")


_NUMBERS: Final = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength"),
    *("maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains"),
    "maxContains",
)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_KINDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    # 1.0 is an integer in JSON Schema.
    "integer": lambda value: _is_number(value) and math.isfinite(value) and value == int(value),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal, where true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        pairs = cast("list[Any]", one), cast("list[Any]", other)
        return len(pairs[0]) == len(pairs[1]) and all(map(_same, *pairs))
    if isinstance(one, dict) and isinstance(other, dict):
        left, right = cast("dict[str, Any]", one), cast("dict[str, Any]", other)
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    return bool(one == other)


def _type(kinds: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    wanted = [kinds] if isinstance(kinds, str) else list(kinds)
    if not any(_KINDS[kind](value) for kind in wanted):
        yield f"{path or 'the answer'} must be of type {' or '.join(wanted)}"


def _enum(values: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if not any(_same(each, value) for each in values):
        yield f"{path or 'the answer'} must be one of {', '.join(map(repr, values))}"


def _const(wanted: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if not _same(wanted, value):
        yield f"{path or 'the answer'} must be {wanted!r}"


def _limit(
    kind: Callable[[Any], bool],
    measure: Callable[[Any], Any],
    fits: Callable[[Any, Any], bool],
    words: str,
) -> _Check:
    def check(limit: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
        if kind(value) and not fits(measure(value), limit):
            yield f"{path or 'the answer'} must {words.format(limit)}"

    return check


def _is_multiple(value: Any, of: Any) -> bool:
    if isinstance(value, int) and isinstance(of, int):
        return value % of == 0
    parts = value / of
    return math.isfinite(parts) and math.isclose(parts, round(parts), rel_tol=1e-12)


def _pattern(pattern: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, str) and not re.search(pattern, value):
        yield f"{path or 'the answer'} must match {pattern!r}"


def _items(inner: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, list):
        items = cast("list[Any]", value)
        for n in range(len(schema.get("prefixItems", ())), len(items)):
            yield from problems(items[n], inner, _at(path, n))


def _prefix(shapes: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, list):
        for n, (item, inner) in enumerate(zip(cast("list[Any]", value), shapes, strict=False)):
            yield from problems(item, inner, _at(path, n))


def _contains(inner: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, list):
        items = cast("list[Any]", value)
        count = sum(not any(problems(item, inner, "")) for item in items)
        least, most = schema.get("minContains", 1), schema.get("maxContains", math.inf)
        if not least <= count <= most:
            yield f"{path or 'the answer'} has {count} items of the kind that it must contain"


def _unique(wanted: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if wanted is True and isinstance(value, list):
        items = cast("list[Any]", value)
        if any(_same(item, other) for n, item in enumerate(items) for other in items[:n]):
            yield f"{path or 'the answer'} must not have the same item twice"


def _required(names: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{_at(path, name)} is missing" for name in names if name not in value)


def _dependent(needs: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, names in needs.items():
            if name in value:
                yield from _required(names, value, schema, path)


def _properties(known: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        for name, inner in known.items():
            if name in members:
                yield from problems(members[name], inner, _at(path, name))


def _pattern_properties(
    known: Any, value: Any, schema: Mapping[str, Any], path: str
) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in cast("dict[str, Any]", value).items():
            for pattern, inner in known.items():
                if re.search(pattern, name):
                    yield from problems(member, inner, _at(path, name))


def _additional(inner: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, dict):
        known, patterns = schema.get("properties", ()), schema.get("patternProperties", ())
        for name, member in cast("dict[str, Any]", value).items():
            if name not in known and not any(re.search(pattern, name) for pattern in patterns):
                yield from problems(member, inner, _at(path, name))


def _names(inner: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name in cast("dict[str, Any]", value):
            yield from (f"the name {each}" for each in problems(name, inner, repr(name)))


def _all(schemas: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    for inner in schemas:
        yield from problems(value, inner, path)


def _any(schemas: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if all(any(problems(value, inner, path)) for inner in schemas):
        yield f"{path or 'the answer'} fits none of {len(schemas)} schemas"


def _one(schemas: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    count = sum(not any(problems(value, inner, path)) for inner in schemas)
    if count != 1:
        fits = f"{count} of the schemas that exclude each other" if count else "none of them"
        yield f"{path or 'the answer'} must fit one of {len(schemas)} schemas, and fits {fits}"


def _not(inner: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if not any(problems(value, inner, path)):
        yield f"{path or 'the answer'} fits a schema that it must not fit"


def _if(inner: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    branch = "else" if any(problems(value, inner, path)) else "then"
    yield from problems(value, schema.get(branch, True), path)


def _at(path: str, part: object) -> str:
    return f"{path}.{part}" if path else str(part)


_TEXT, _LIST, _OBJECT = _KINDS["string"], _KINDS["array"], _KINDS["object"]
_CHECKS: Final[Mapping[str, _Check]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "minimum": _limit(_is_number, lambda v: v, lambda v, n: v >= n, "be at least {}"),
    "maximum": _limit(_is_number, lambda v: v, lambda v, n: v <= n, "be at most {}"),
    "exclusiveMinimum": _limit(_is_number, lambda v: v, lambda v, n: v > n, "be more than {}"),
    "exclusiveMaximum": _limit(_is_number, lambda v: v, lambda v, n: v < n, "be less than {}"),
    "multipleOf": _limit(_is_number, lambda v: v, _is_multiple, "be a multiple of {}"),
    "minLength": _limit(_TEXT, len, lambda v, n: v >= n, "have {} characters or more"),
    "maxLength": _limit(_TEXT, len, lambda v, n: v <= n, "have {} characters at most"),
    "pattern": _pattern,
    "minItems": _limit(_LIST, len, lambda v, n: v >= n, "have {} items or more"),
    "maxItems": _limit(_LIST, len, lambda v, n: v <= n, "have {} items at most"),
    "uniqueItems": _unique,
    "items": _items,
    "prefixItems": _prefix,
    "contains": _contains,
    "minProperties": _limit(_OBJECT, len, lambda v, n: v >= n, "have {} members or more"),
    "maxProperties": _limit(_OBJECT, len, lambda v, n: v <= n, "have {} members at most"),
    "required": _required,
    "dependentRequired": _dependent,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "allOf": _all,
    "anyOf": _any,
    "oneOf": _one,
    "not": _not,
    "if": _if,
}
