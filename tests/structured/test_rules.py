"""The rules of partials, one by one: deltas in through the public API, partials and the end out."""

from __future__ import annotations

import dataclasses
import enum
import itertools
import json
from datetime import date
from typing import Any, Literal, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mirascope.core import (
    Recording,
    ResponseMissingError,
    ResponseModelError,
    ResponseRefusedError,
    ResponseTruncatedError,
    ResponseValidationError,
    stream_from,
)
from mirascope_tests.chat import DONE, chunk
from pydantic import BaseModel, Field, StrictInt, field_validator
from typing_extensions import TypedDict

from .models import Book, Genre, Pet


class Pair(NamedTuple):
    left: int
    right: str


class Movie(TypedDict, total=False):
    title: str
    year: int


@dataclasses.dataclass
class Point:
    x: float
    tags: list[str] = dataclasses.field(default_factory=list)


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Everything(BaseModel):
    s: str | None = None
    n: int = 3
    f: float = 0.5
    b: bool | None = None
    g: Genre | None = None
    level: Level | None = None
    kind: Literal["a", "ab"] = "a"
    day: date | None = None
    books: list[Book] = []
    by: dict[str, int] = {}
    by_genre: dict[Genre, list[str]] = {}
    pair: Pair | None = None
    unique: set[str] = set()
    movie: Movie | None = None
    point: Point | None = None
    pet: Pet | None = None
    either: Book | list[Book] | str | None = None
    any: Any = None
    strict: StrictInt = Field(1, ge=5)
    aliased: str = Field("", alias="Aliased")


def read(
    model: Any, deltas: list[str], finish: str = "stop", **last: Any
) -> tuple[list[Any], ResponseModelError | None]:
    body = b"".join([*map(chunk, deltas), chunk(finish=finish, **last), DONE])
    seen: list[Any] = []
    stream = stream_from(Recording.of_body(body), provider="compatible", response_model=model)
    try:
        for value in stream:
            seen.append(value)  # noqa: PERF402 - what came before an error is looked at too
    except ResponseModelError as error:
        return seen, error
    return seen, None


def shown(value: Any) -> Any:
    """What of a value has begun."""
    if isinstance(value, BaseModel):
        return {name: shown(getattr(value, name)) for name in sorted(value.model_fields_set)}
    if isinstance(value, Point):
        return value.tags
    if isinstance(value, dict):
        return {key: shown(member) for key, member in value.items()}
    return [shown(item) for item in value] if isinstance(value, list) else value


BOOK = '{"title":"A","author":"B"}'
IS_BOOK = {"title": "A", "author": "B"}


@pytest.mark.parametrize(
    ("deltas", "expected"),
    [
        (["a {b} {'c': 1} {\"d\" e} ", BOOK], [IS_BOOK]),
        (["See [1] and {}", BOOK], ResponseValidationError),
        (["{{", BOOK, "}}"], [IS_BOOK]),
        (["```\n{", '"title"', ":", '"A","author":"B"}```'], [{}, IS_BOOK]),
        ([" \n<thinking>{", '"title":1}</thinking', ">", BOOK], [IS_BOOK]),
        (["<think>", '{"title":"x"}'], ResponseMissingError),
        (["x <think>", '{"title":"A"', '}</think>{"author":"B"}'], ResponseValidationError),
        ([BOOK, BOOK.replace("A", "C")], [IS_BOOK]),
        (['{"title', '"'], ResponseMissingError),
        (["{", "}"], ResponseValidationError),
        ([""], ResponseMissingError),
        (['[{"title":"A","author":"B"}]'], [IS_BOOK]),
    ],
)
def test_where_the_value_begins(deltas: list[str], expected: Any) -> None:
    seen, error = read(Book, deltas)
    if isinstance(expected, list):
        assert error is None
        assert [shown(value) for value in seen[:-1]] == expected
        assert type(seen[-1]) is Book
    else:
        assert type(error) is expected


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ('"s":"a\\', ["a"]),
        ('"s":"a\\n\\u00', ["a\n"]),
        ('"s":"\\ud83d|\\ude00', ["", "😀"]),
        ('"s":"\\ud83d|x', ["", "\ufffdx"]),
        ('"s":"\\ud83d|\\ud83d|\\ude00"', ["", "\ufffd", "\ufffd😀"]),
        ('"s":null', [None]),
        ('"n":1|2|,', [12]),
        ('"n":"1|2"', [12]),
        ('"n":-|0 ', [0]),
        ('"n":2.|0 ', [2]),
        ('"n":"x"', [None]),
        ('"f":1|e|2| ', [100.0]),
        ('"b":tru|e', [True]),
        ('"b":"n|o"', [False]),
        ('"g":"fantasy|"', [Genre.FANTASY]),
        ('"g":"opera"', [None]),
        ('"level":2| ', [Level.HIGH]),
        ('"level":"2"', [Level.HIGH]),
        ('"kind":"a|b"', ["ab"]),
        ('"day":"2024-05|-01"', [date(2024, 5, 1)]),
        ('"books":|[|{|"title":"A|"', [[], [{}], [{"title": "A"}]]),
        ('"books":[1,"x",null,{"title":"A"', [[{"title": "A"}]]),
        ('"by":{|"a":1|0,"b":"x"|,"c":1}', [{}, {"a": 10}, {"a": 10, "c": 1}]),
        ('"by_genre":{"opera":["x"],"crime":[|"y', [{Genre.CRIME: []}, {Genre.CRIME: ["y"]}]),
        ('"pair":[|1|,"|x"]', [Pair(None, None), Pair(1, ""), Pair(1, "x")]),  # type: ignore[arg-type]
        ('"unique":["a|b"|,"ab","c', [set(), {"ab"}]),
        ('"movie":{|"year":1|,"title":"', [{}, {"year": 1, "title": ""}]),
        ('"point":{"tags":[|"a"],|"x":1}', [[], ["a"], ["a"]]),
        ('"pet":{"kind":"do|g"', [{"kind": "dog"}]),
        ('"pet":{"kind":"fish"', [None]),
        ('"either":"a|b', ["a", "ab"]),
        ('"either":{|"title":"A', [{}, {"title": "A"}]),
        ('"either":[|{"title":"A', [[], [{"title": "A"}]]),
        ('"either":null', [None]),
        ('"any":{"a":[1,"|x"]}', [{"a": [1, ""]}, {"a": [1, "x"]}]),
        ('"strict":1 ', [1]),
        ('"strict":"12"', [None]),
        ('"aliased":"x"', [None]),
        ('"Aliased":"x', ["x"]),
        ('"s":"a","s":|1 ', ["a", None]),
        ('"s":"a","s":|"a"|,"s":"b', ["a", "b"]),
        ('"s":"a","s":|"|a"', ["a", "", "a"]),
        ('"any":[1,"a"],"any":|[1,"a"],"any":|[1.0,"a"]', [[1, "a"], [1.0, "a"]]),
        ('"books":[{"title":"A"}],"books":|[{"title":"A"|,"title":"A"}]', [[{"title": "A"}]]),
        ('"movie":{"year":1},"movie":|{"year":1}|,"n":2 ', [{"year": 1}] * 2),
        ('"n":1,"n":2,"n":|1,"n":3 ', [2, 3]),
        ('"what":{"n":5},|"n":1 ', [None, 1]),
    ],
)
def test_what_a_partial_shows(text: str, steps: list[Any]) -> None:
    name = text[1 : text.index('"', 1)].lower().replace("what", "n")
    pieces = ("{" + text).split("|")
    seen, _ = read(Everything, pieces, finish="length")
    found = [shown(getattr(value, name)) for value in seen]
    assert found[-len(steps) :] == steps
    assert repr(found[-len(steps) :]) == repr(steps)
    assert all(now is None for now in found[: -len(steps)])


@pytest.mark.parametrize(
    ("deltas", "finish", "last", "expected", "text"),
    [
        (['So: {"title":"A'], "length", {}, ResponseTruncatedError, '{"title":"A'),
        (['So: {"ti'], "length", {}, ResponseTruncatedError, 'So: {"ti'),
        ([BOOK, " and"], "length", {}, None, BOOK),
        ([BOOK], "content_filter", {}, None, BOOK),
        (['{"title":"A'], "content_filter", {}, ResponseRefusedError, '{"title":"A'),
        (['{"title":"A'], "stop", {"refusal": "No."}, ResponseRefusedError, '{"title":"A'),
        (["No."], "stop", {}, ResponseMissingError, "No."),
        (['{"title":"A",}'], "stop", {}, ResponseValidationError, '{"title":"A",}'),
        (['{"title":"A"} ', "B"], "stop", {}, ResponseValidationError, '{"title":"A"}'),
        (['{"title":"a\nb","author":"B"}'], "stop", {}, ResponseValidationError, None),
        (['{"title":"\\ud83d","author":"B"}'], "stop", {}, ResponseValidationError, None),
    ],
)
def test_how_it_ends(
    deltas: list[str], finish: str, last: dict[str, Any], expected: Any, text: str | None
) -> None:
    seen, error = read(Book, deltas, finish, **last)
    if expected is None:
        assert error is None
        assert seen[-1] == Book(title="A", author="B")
        return
    assert type(error) is expected
    assert error.text == text or text is None
    assert (seen[-1] if seen else None) is error.partial


@pytest.mark.parametrize(
    ("model", "deltas", "steps"),
    [
        (int, ['{"value":4', "2", "}"], [42, 42]),
        (str, ['{"value":"a', 'b"}'], ["a", "ab", "ab"]),
        (bool | None, ['{"value":null}'], [None, None]),
        (Genre, ['{"value":"crime"', "}"], [Genre.CRIME, Genre.CRIME]),
        (list[str], ["Here:\n[", '"a"', "]"], [["a"], ["a"]]),
        (list[str], ["[", "]"], [[], []]),
        (list[int], ['[{"value":[1', ",2]}"], [[], [1, 2], [1, 2]]),
        (set[int], ['{"value":[1,', "1]}"], [{1}, {1}]),
        (tuple[int, str], ['{"value":[1,"', 'a"]}'], [(1, ""), (1, "a"), (1, "a")]),
        (dict[str, int], ['{"value":1', "}"], [{}, {"value": 1}, {"value": 1}]),
        (date, ['{"value":"2024-05-01"}'], [date(2024, 5, 1)] * 2),
    ],
    ids=str,
)
def test_what_is_no_object_shows_without_its_wrapper(
    model: Any, deltas: list[str], steps: list[Any]
) -> None:
    seen, error = read(model, deltas)
    assert error is None
    assert seen == steps
    assert [type(value) for value in seen] == [type(value) for value in steps]


def test_a_validator_of_the_users_sees_the_whole_alone() -> None:
    class Loud(BaseModel):
        title: str = Field(min_length=4)

        @field_validator("title")
        @classmethod
        def check(cls, value: str) -> str:
            calls.append(value)
            return value.upper()

    calls: list[str] = []
    seen, error = read(Loud, ['{"title":"E', "mm", 'a"', "}"])
    assert error is None
    assert [value.title for value in seen] == ["E", "Emm", "Emma", "EMMA"]
    assert calls == ["Emma"]


class Shelf(BaseModel):
    name: str
    books: list[Book]
    by: dict[str, list[int]]
    pair: tuple[int, str] | None


SHELVES = st.builds(
    Shelf,
    name=st.text(),
    books=st.lists(st.builds(Book, title=st.text(), author=st.text()), max_size=3),
    by=st.dictionaries(st.text(max_size=3), st.lists(st.integers(), max_size=3), max_size=3),
    pair=st.none() | st.tuples(st.integers(), st.text()),
)


@settings(max_examples=100, deadline=None)
@given(SHELVES, st.lists(st.integers(0, 2000), max_size=30), st.booleans())
def test_partials_of_a_model_only_grow_and_end_in_the_value(
    shelf: Shelf, cuts: list[int], is_ascii: bool
) -> None:
    text = json.dumps(shelf.model_dump(), ensure_ascii=is_ascii)
    places = sorted({cut % (len(text) + 1) for cut in cuts})
    deltas = [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]
    seen, error = read(Shelf, deltas)
    assert error is None
    assert seen[-1] == shelf
    # A tuple is shorter than its type says until it is whole, which pydantic warns of.
    dumps = [partial.model_dump(warnings=False) for partial in seen]
    assert dumps[-2:] == [shelf.model_dump()] * 2
    for before, after in itertools.pairwise(dumps[:-1]):
        assert before != after
        assert is_beginning(before, after)


def is_beginning(before: Any, after: Any) -> bool:
    if before is None:
        return True
    if isinstance(before, str):
        return isinstance(after, str) and after.startswith(before)
    if isinstance(before, list | tuple):
        return len(before) <= len(after) and all(map(is_beginning, before, after))
    if isinstance(before, dict):
        return all(is_beginning(member, after[key]) for key, member in before.items())
    return bool(before == after)
