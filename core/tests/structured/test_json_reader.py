"""Text in pieces in, partials out: for any JSON value and any cuts."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mirascope.core._structured._json_reader import MAX_DEPTH, JSONReader
from mirascope.core._structured._shapes import ANY, MISSING, Shape
from pydantic_core import from_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=25,
)
ROOTS = st.dictionaries(st.text(max_size=6), VALUES, max_size=5) | st.lists(VALUES, max_size=5)
CUTS = st.lists(st.integers(0, 10_000), max_size=40)
AROUND = st.sampled_from(
    [
        ("", ""),
        ("Sure: ", " Bye {}."),
        ("```json\n", "\n```"),
        ('<think>maybe {"a": [1]}</think>\n', ""),
        ("  <thinking>[[{</thinking>", " [1]"),
    ]
)


def pieces(text: str, cuts: Sequence[int]) -> list[str]:
    places = sorted({cut % (len(text) + 1) for cut in cuts})
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


def read(reader: JSONReader, parts: Sequence[str]) -> list[Any]:
    seen = [
        partial
        for part in parts
        if reader.feed(part) and (partial := reader.partial()) is not MISSING
    ]
    if reader.close() and (partial := reader.partial()) is not MISSING:
        seen.append(partial)
    return seen


def read_to_the_end(reader: JSONReader, text: str, size: int = 4) -> Any:
    """Read a text in small pieces with a partial at each change, and return the last."""
    last: Any = MISSING
    for at in range(0, len(text), size):
        if reader.feed(text[at : at + size]):
            last = reader.partial()
    return reader.partial() if reader.close() else last


def has_grown(before: Any, after: Any) -> bool:
    """Whether a value is another one with more at its end, and not the same one."""
    return as_text(before) != as_text(after) and is_beginning(before, after)


def is_beginning(before: Any, after: Any) -> bool:
    if isinstance(before, str):
        return isinstance(after, str) and after.startswith(before)
    if isinstance(before, list):
        if not isinstance(after, list) or len(after) < len(before):
            return False
        if not before:
            return True
        closed = [as_text(x) for x in before[:-1]] == [as_text(x) for x in after[: len(before) - 1]]
        return closed and is_beginning(before[-1], after[len(before) - 1])
    if isinstance(before, dict):
        return list(after)[: len(before)] == list(before) and all(
            is_beginning(value, after[key]) for key, value in before.items()
        )
    return as_text(before) == as_text(after)


def as_text(value: Any) -> str:
    return json.dumps(value)


@settings(max_examples=600, deadline=None)
@given(ROOTS, CUTS, st.booleans(), st.sampled_from([None, 1]), AROUND)
def test_partials_only_grow_and_end_in_the_value(
    value: Any, cuts: list[int], is_ascii: bool, indent: int | None, around: tuple[str, str]
) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii, indent=indent)
    reader = JSONReader(ANY)
    before, after = around
    seen: list[Any] = []
    then: list[str] = []
    for part in pieces(before + text + after, cuts):
        if reader.feed(part):
            seen.append(reader.partial())
            then.append(as_text(seen[-1]))
    if reader.close():
        seen.append(reader.partial())
        then.append(as_text(seen[-1]))
    assert reader.done
    assert reader.broken is None
    assert reader.text() == text
    assert as_text(seen[-1]) == as_text(json.loads(text))
    assert [as_text(partial) for partial in seen] == then, "a partial changed after it was yielded"
    for old, new in itertools.pairwise(seen):
        assert has_grown(old, new)


@settings(max_examples=600, deadline=None)
@given(
    st.lists(st.text(alphabet='{}[]",:\\u0123456789eE+-.truefalsn <>/hik\n\ud83d\ude00a')),
    st.booleans(),
)
def test_no_text_raises(parts: list[str], search: bool) -> None:
    for shape in (ANY, Shape()):
        reader = JSONReader(shape, search=search)
        read(reader, parts)
        assert reader.open_path is not None
        if reader.done:
            assert from_json(reader.text().encode("utf-8", "replace")) is not None
        if not reader.has_begun:
            assert reader.text() == "".join(parts)


@settings(max_examples=100, deadline=None)
@given(ROOTS.filter(lambda value: isinstance(value, dict)), CUTS, CUTS)
def test_where_a_text_is_cut_changes_nothing_but_the_number_of_partials(
    value: Any, some: list[int], others: list[int]
) -> None:
    text = json.dumps(value)
    every = [as_text(partial) for partial in read(JSONReader(ANY), list(text))]
    for cuts in (some, others):
        found = [as_text(partial) for partial in read(JSONReader(ANY), pieces(text, cuts))]
        assert set(found) <= set(every)
        assert found[-1] == every[-1]


HOSTILE = {
    "brackets": "[" * 100_000,
    "objects": '{"a":' * 100_000,
    "open braces": "{" * 100_000,
    "a string without an end": '{"a": "' + "x" * 1_000_000,
    "a number with too many digits": '{"a": ' + "9" * 10_000 + "}",
    "a number without an end": '{"a": ' + "9" * 200_000,
    "a word without an end": '{"a": ' + "t" * 200_000,
    "a number too large": '{"a": 1e999}',
    "half a character": '{"a": "\\ud83d"}',
    "thinking without an end": "<think>" + "{" * 200_000,
    "prose": 'a {"b" ' * 50_000,
    "escapes": '{"a": "' + "\\" * 200_000,
    "many keys": '{"a":{' + ",".join(f'"{n}":0' for n in range(30_000)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_end_as_data(name: str) -> None:
    # A reader that read characters twice, or copied all it has at each change, would take minutes.
    reader = JSONReader(ANY)
    read_to_the_end(reader, HOSTILE[name])
    assert reader.broken is None or reader.broken.startswith(("it is nested", "'"))


@pytest.mark.parametrize(("depth", "is_whole"), [(MAX_DEPTH, True), (MAX_DEPTH + 1, False)])
def test_what_is_nested_as_deep_as_pydantic_reads_is_read(depth: int, is_whole: bool) -> None:
    text = '{"a":' * (depth - 1) + "{}" + "}" * (depth - 1)
    reader = JSONReader(ANY)
    read(reader, [text])
    assert reader.done is is_whole
    if is_whole:
        assert from_json(text) == reader.partial()
    else:
        assert reader.broken == f"it is nested deeper than {MAX_DEPTH} levels"
        with pytest.raises(ValueError, match="recursion limit"):
            from_json(text)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ('{"a":[1,{"b":"x', [(), ("a",), ("a", 0), ("a", 1), ("a", 1, "b")]),
        ('{"a":1,"c', [(), ("a",)]),
    ],
)
def test_the_path_of_what_grows(text: str, paths: list[tuple[str | int, ...]]) -> None:
    reader = JSONReader(ANY)
    found: list[tuple[str | int, ...]] = []
    for char in text:
        reader.feed(char)
        if reader.open_path not in found:
            found.append(reader.open_path)
    assert found == paths


def test_items_are_given_with_their_own_texts() -> None:
    text = '{"t": [0], "a": {"t": [ {"x": "]"} , 12 ,"s", null ,[1, 2]] }, "a": {"t": [9]}}'
    for size in (1, 2, 3, 5, len(text)):
        reader = JSONReader(ANY, items=[("a", "t")])
        read(reader, [text[at : at + size] for at in range(0, len(text), size)])
        assert reader.whole_items == ['{"x": "]"}', "12", '"s"', "null", "[1, 2]"]


def test_many_items_of_one_long_piece_cost_what_they_are_long() -> None:
    # Each item's text is cut out of the pieces that it came in, never out of all the text.
    text = '{"a": [' + ", ".join('{"x": 1}' for _ in range(20_000)) + "]}"
    reader = JSONReader(ANY, items=[("a",)])
    read_to_the_end(reader, text, 7)
    assert len(reader.whole_items) == 20_000


def test_large_copies_are_held_back_and_the_last_state_is_shown() -> None:
    reader = JSONReader(ANY)
    text = '{"a":"' + "x" * 300_000
    parts = (text[at : at + 4] for at in range(0, len(text), 4))
    lengths = [len(reader.partial()["a"]) for part in parts if reader.feed(part)]
    assert len([n for n in lengths if n < 65_536]) == 65_536 // 4, "below 64 KiB, every change"
    assert len([n for n in lengths if n >= 65_536]) < 30_000
    assert reader.close() or lengths[-1] == 300_000
    assert reader.partial() == {"a": "x" * 300_000}


def test_without_a_search_the_text_is_the_value() -> None:
    reader = JSONReader(ANY, search=False)
    assert read(reader, ['Sure: {"a": 1}']) == []
    assert reader.broken == "'S' stands where an object belongs"
