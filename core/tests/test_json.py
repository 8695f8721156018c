"""The readers of JSON that nobody promised, and the error objects read with them."""

from __future__ import annotations

import json
from collections import UserDict
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirascope.core import ErrorDelta
from mirascope.core import json as readers
from mirascope.core.json import (
    as_json_text,
    as_list,
    as_mapping,
    as_mappings,
    as_object,
    as_objects,
    as_text,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(JSON)
def test_each_reader_returns_its_type_whatever_it_is_given(value: Any) -> None:
    assert as_text(value) == (value if isinstance(value, str) and value else None)
    assert as_object(value) == (value if isinstance(value, dict) else {})
    assert as_list(value) is value or (as_list(value) == [] and not isinstance(value, list))
    assert as_objects(value) == [item for item in as_list(value) if isinstance(item, dict)]
    assert as_mapping(value) == as_object(value)
    assert as_mappings(value) == as_objects(value)
    text = as_json_text(value)
    text.encode()
    if value is not None and not isinstance(value, str):
        assert repr(json.loads(text)) == repr(value)


def test_what_a_user_built_may_be_any_mapping_in_any_sequence() -> None:
    mapping = MappingProxyType({"a": 1})
    assert as_mapping(mapping) is mapping
    assert as_object(mapping) == {}
    assert as_mappings((mapping, UserDict(b=2), "c", None)) == [{"a": 1}, {"b": 2}]
    assert as_mappings("text") == as_mappings(b"bytes") == as_mappings(mapping) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ('{"a": 1}', '{"a": 1}'),
        ("", ""),
        ({"city": "Zürich"}, '{"city": "Zürich"}'),
        ({"half": "\ud83d"}, '{"half": "\\ud83d"}'),
        ({}, "{}"),
        ({"when": ValueError("x")}, '{"when": "x"}'),
    ],
)
def test_json_text(value: Any, text: str) -> None:
    assert as_json_text(value) == text


def test_all_readers_are_exported() -> None:
    assert readers.__all__ == sorted(name for name in vars(readers) if name.startswith("as_"))


@pytest.mark.parametrize(
    ("error", "delta"),
    [
        ("busy", ErrorDelta("busy")),
        ({"message": "busy"}, ErrorDelta("busy")),
        ({"message": ""}, ErrorDelta('{"message": ""}')),
        ({"message": {"a": 1}}, ErrorDelta('{"message": {"a": 1}}')),
        ({"message": "m", "type": "t", "code": "c"}, ErrorDelta("m", "t", "c")),
        ({"message": "m", "code": 429}, ErrorDelta("m", None, "429", 429)),
        ({"message": "m", "code": 200}, ErrorDelta("m", None, "200")),
        ({"message": "m", "code": True}, ErrorDelta("m", None, "True")),
        ({"message": "m", "code": 600}, ErrorDelta("m", None, "600")),
        ({"message": "m", "code": "x", "status_code": 413}, ErrorDelta("m", None, "x", 413)),
        ({"message": "m", "status": 503, "code": 7}, ErrorDelta("m", None, "7", 503)),
        ({"message": "m", "status": "UNAVAILABLE", "code": 503}, ErrorDelta("m", None, "503", 503)),
        (["a", {"b": 1}], ErrorDelta('["a", {"b": 1}]')),
        (MappingProxyType({"message": "m"}), ErrorDelta("m")),
    ],
)
def test_error_objects(error: Any, delta: ErrorDelta) -> None:
    assert ErrorDelta.from_object(error) == delta


@given(JSON)
def test_no_error_object_can_not_be_read(error: Any) -> None:
    delta = ErrorDelta.from_object(error)
    assert isinstance(delta.message, str)
    assert delta.status is None or 400 <= delta.status < 600


def test_what_an_api_says_elsewhere_comes_first() -> None:
    sent = {"message": "m", "type": "t", "code": 500}
    said = ErrorDelta.from_object(sent, type="T", code="C", status=529)
    assert said == ErrorDelta("m", "T", "C", 529)
    assert ErrorDelta.from_object("m", type="T", status=529) == ErrorDelta("m", "T", None, 529)
