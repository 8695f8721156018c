"""A file's JSON schema as a response model: which answers fit it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirascope.cli._json_schema import response_type
from mirascope.core import Recording, ResponseValidationError, stream_from
from mirascope_tests.chat import answer

PERSON = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def problem(schema: Any, value: Any) -> str | None:
    """What is wrong with an answer that was to fit a schema; None for nothing."""
    model = response_type({"type": ["array"], "prefixItems": [schema]}, "answer")
    whole = b"".join(answer(json.dumps({"value": [value]})))
    stream = stream_from(Recording.of_body(whole), provider="compatible", response_model=model)
    try:
        assert stream.result() == [value]
    except ResponseValidationError as error:
        (found,) = error.problems
        return found.partition(": ")[2]
    return None


@pytest.mark.parametrize(
    ("schema", "good", "bad", "said"),
    [
        (True, [None, 5], [], ""),
        (False, [], [5], "0 must not be there"),
        ({"type": "integer"}, [1, 1.0, -5, 10**40], [1.5, True, "1"], "0 must be of type integer"),
        ({"type": "number"}, [1, 1.5], [True, "1"], "0 must be of type number"),
        ({"type": ["string", "null"]}, ["", None], [0], "0 must be of type string or null"),
        ({"type": "boolean"}, [True], [1], "0 must be of type boolean"),
        ({"enum": [1, "a", [True]]}, [1, 1.0, "a", [True]], [True, [1]], "0 must be one of"),
        ({"const": {"a": 0}}, [{"a": 0}], [{"a": False}, {}], "0 must be {'a': 0}"),
        ({"minimum": 1, "maximum": 2}, [1, 2, "x"], [0.5], "0 must be at least 1"),
        ({"exclusiveMaximum": 2}, [1.9], [2, 3], "0 must be less than 2"),
        ({"exclusiveMinimum": 2}, [2.1], [2], "0 must be more than 2"),
        ({"multipleOf": 0.1}, [0.3, 7], [0.35], "0 must be a multiple of 0.1"),
        ({"multipleOf": 3}, [9, 9.0, 3 * 10**40], [10, 10**40], "0 must be a multiple of 3"),
        ({"minLength": 2}, ["😀😀", 5], ["a"], "0 must have 2 characters or more"),
        ({"pattern": "^a+$"}, ["aa", 5], ["b"], "0 must match '^a+$'"),
        ({"items": {"type": "string"}}, [[], ["a"], 5], [["a", 5]], "0.1 must be of type string"),
        (
            {"prefixItems": [{"type": "string"}], "items": False},
            [["a"], []],
            [["a", 5]],
            "0.1 must not be there",
        ),
        ({"uniqueItems": True}, [[1, True, 0, False]], [[1, 1.0]], "0 must not have the same"),
        (
            {"contains": {"const": 1}, "maxContains": 2},
            [[1, 2], [1, 1]],
            [[], [1, 1, 1]],
            "0 has",
        ),
        ({"minItems": 1}, [[1]], [[]], "0 must have 1 items or more"),
        ({"maxProperties": 1}, [{"a": 1}], [{"a": 1, "b": 2}], "0 must have 1 members at most"),
        (PERSON, [{"name": "x"}, {"name": "x", "age": 5}], [{}], "0.name is missing"),
        (
            {"properties": {"a": {}}, "patternProperties": {"^x-": {"type": "integer"}}}
            | {"additionalProperties": False},
            [{"a": None, "x-b": 1}],
            [{"b": 1}],
            "0.b must not be there",
        ),
        ({"patternProperties": {"^x": False}}, [{"a": 1}], [{"xy": 1}], "0.xy must not be there"),
        ({"propertyNames": {"maxLength": 1}}, [{"a": 1}], [{"ab": 1}], "the name 'ab' must have"),
        ({"dependentRequired": {"a": ["b"]}}, [{"b": 1}, {}], [{"a": 1}], "0.b is missing"),
        ({"allOf": [PERSON, {"minProperties": 2}]}, [], [{"name": "x"}], "0 must have 2 members"),
        ({"anyOf": [{"type": "string"}, {"minimum": 5}]}, ["a", 5], [4], "0 fits none of 2"),
        (
            {"oneOf": [{"type": "integer"}, {"minimum": 5}]},
            [4, 5.5],
            [5, 4.5],
            "0 must fit one of 2 schemas, and fits",
        ),
        ({"not": {"type": "string"}}, [5], ["a"], "0 fits a schema that it must not fit"),
        (
            {"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 2}},
            ["ab", 2],
            ["a", 1],
            "0 must",
        ),
        ({"if": {"type": "string"}}, ["ab", 2], [], ""),
        ({"format": "email", "title": "t", "x-own": 5}, ["no"], [], ""),
    ],
)
def test_what_fits(schema: Any, good: list[Any], bad: list[Any], said: str) -> None:
    assert [problem(schema, value) for value in good] == [None] * len(good)
    for value in bad:
        assert str(problem(schema, value)).startswith(said)


def test_references_are_written_out() -> None:
    schema = {
        "$defs": {"a~/b": {"$ref": "#/properties/n", "description": "A number."}},
        "type": "object",
        "properties": {"n": {"type": "integer"}, "m": {"$ref": "#/$defs/a~0~1b", "maximum": 5}},
        "additionalProperties": False,
    }
    model = response_type(schema, "answer")
    for text, fits in [('{"n": 1, "m": 5}', True), ('{"m": 6}', False), ('{"m": "a"}', False)]:
        body = b"".join(answer(text))
        stream = stream_from(Recording.of_body(body), provider="compatible", response_model=model)
        if fits:
            assert stream.result() == json.loads(text)
        else:
            with pytest.raises(ResponseValidationError, match="m must be"):
                stream.result()


def test_many_problems_are_told_on_one_line() -> None:
    model = response_type({"type": "object", "required": list("abcdefgh")}, "answer")
    body = b"".join(answer("{}"))
    with pytest.raises(ResponseValidationError, match=r"a is missing; b is missing.*; and 3 more"):
        stream_from(Recording.of_body(body), provider="compatible", response_model=model).result()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def described(value: Any) -> Any:
    """A schema that fits a value and the like."""
    if isinstance(value, list):
        return (
            {"type": "array", "prefixItems": [described(item) for item in value]} if value else {}
        )
    if isinstance(value, dict):
        members = {name: described(member) for name, member in value.items()}
        return {"type": "object", "properties": members, "required": list(value)}
    return {"const": value}


@given(VALUES)
def test_a_value_fits_its_own_description(value: Any) -> None:
    assert problem(described(value), value) is None
    assert problem({"not": described(value)}, value) is not None
