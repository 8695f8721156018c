"""A fragment that only adds arguments is taken the quick way, and says what the long way says."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from mirascope.core import Delta
from mirascope_compatible._tool_calls import ToolCalls

FUNCTIONS = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["f", "g", "", None, 1]),
        "arguments": st.sampled_from(["{", "}", '{"a": 1}', '"a": 1', "", "{}", None, {"a": 1}]),
        "input": st.just("x"),
    },
)
FRAGMENTS = st.fixed_dictionaries(
    {"function": FUNCTIONS},
    optional={
        "index": st.sampled_from([0, 1, "1", None, True, 1.0]),
        "id": st.sampled_from(["", "a", "b", None]),
        "type": st.just("function"),
        "custom": st.just({"name": "h", "input": "y"}),
        "extra_content": st.just({"a": 1}),
    },
)
FRAGMENT_LISTS = st.lists(FRAGMENTS, max_size=2) | FRAGMENTS | st.none()


@given(st.lists(FRAGMENT_LISTS, max_size=8))
def test_the_quick_way_is_the_long_way(events: list[Any]) -> None:
    quick, long = ToolCalls(), ToolCalls()
    for fragments in events:
        said: list[Delta] = []
        expected: list[Delta] = []
        if not quick.goes_on(fragments, said):
            quick.take(fragments, said)
        long.take(fragments, expected)
        assert said == expected


def test_what_is_quick() -> None:
    calls = ToolCalls()
    deltas: list[Delta] = []
    begun = {"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}
    assert not calls.goes_on([begun], deltas)
    calls.take([begun], deltas)
    assert calls.goes_on([{"index": 0, "function": {"arguments": "{}"}}], deltas)
