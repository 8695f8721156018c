"""Types in, what their partials show out: one case for each kind of type."""

# ruff: noqa: UP007, UP045 - both ways to write a union are among the types

from __future__ import annotations

import collections
import dataclasses
import enum
import itertools
import json
import warnings
from collections.abc import Hashable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    Union,
)
from uuid import UUID

import pytest
from mirascope.core._structured._annotations import shape_of
from mirascope.core._structured._json_reader import JSONReader
from mirascope.core._structured._partial_class import partial_class
from mirascope.core._structured._shapes import MISSING
from pydantic import (
    AliasChoices,
    AliasPath,
    Base64Encoder,
    Base64Str,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    EncodedStr,
    Field,
    Json,
    JsonValue,
    PrivateAttr,
    RootModel,
    StrictInt,
    Tag,
    TypeAdapter,
    computed_field,
    field_validator,
    with_config,
)
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypeAliasType, TypedDict, TypeVar

T = TypeVar("T")
Shout = NewType("Shout", str)
Tree = TypeAliasType("Tree", "dict[str, Tree] | list[Tree] | str | int")
Pair = TypeAliasType("Pair", tuple[T, T], type_params=(T,))


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Odd(enum.Enum):
    """One whose values JSON has no keys for."""

    LIST = [1]  # noqa: RUF012 - a value, not a default
    NUMBER = 1


class Lenient(enum.Enum):
    A = "a"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        raise AssertionError("the user's own code")


class OwnEncoder(Base64Encoder):
    """A way of the user's own to read a string."""


class Cat(BaseModel):
    kind: Literal["cat"]
    name: str
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog", "wolf"]
    name: str
    barks: float


class Box(BaseModel, Generic[T]):
    item: T
    more: list[T] = []


@dataclasses.dataclass
class Crate(Generic[T]):
    item: T
    label: str = "none"
    size: int = dataclasses.field(default=3, init=False)


@pydantic_dataclass(frozen=True)
class Tagged:
    full_name: str = Field(alias="fullName")


class Point(NamedTuple):
    x: int
    name: str = "?"


class Movie(TypedDict):
    title: str
    year: NotRequired[int]
    by: Annotated[str, Field(alias="director")]


class Own:
    """A class that only its own validator can make."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return handler(str)


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Pack(RootModel[list[Pet]]):
    pass


class AnyPet(RootModel[Pet]):
    pass


class Title(RootModel[str]):
    pass


def model(annotation: Any, **config: Any) -> type[BaseModel]:
    """Return a model with one field `v` of a type."""
    namespace = {
        "__annotations__": {"v": annotation},
        "model_config": ConfigDict(**config),
        "__module__": __name__,
    }
    return type("M", (BaseModel,), namespace)


def partials(annotation: Any, text: str) -> list[Any]:
    """Return the partials of a text that arrives character by character."""
    reader = JSONReader(shape_of(annotation))
    found: list[Any] = []
    for char in text:
        if reader.feed(char) and (partial := reader.partial()) is not MISSING:
            found.append(partial)  # noqa: PERF401 - one by one, as a stream does
    if reader.close():
        found.append(reader.partial())
    return found


def values(annotation: Any, text: str, **config: Any) -> list[Any]:
    """Return what the field of a model shows, in its partials but the first."""
    return [partial.v for partial in partials(model(annotation, **config), f'{{"v":{text}}}')][1:]


@pytest.mark.parametrize(
    ("annotation", "text", "shown"),
    [
        (str, '"ab"', ["", "a", "ab"]),
        (Shout, '"a"', ["", "a"]),
        (Optional[str], '"a"', ["", "a"]),
        (Annotated[str, Field(min_length=9)], '"a"', ["", "a"]),
        (Annotated[str, BeforeValidator(lambda v: 1 / 0)], '"a"', ["", "a"]),
        (int, "12", [12]),
        (int, '"12"', [12]),
        (int, "1.5", []),
        (float, "1", [1.0]),
        (bool, "true", [True]),
        (bool, '"yes"', [True]),
        (Any, '{"a":[1]}', [{}, {"a": []}, {"a": [1]}]),
        (object, '"a"', ["", "a"]),
        (JsonValue, '["a"]', [[], [""], ["a"]]),
        (Tree, '{"a":["b"]}', [{}, {"a": []}, {"a": [""]}, {"a": ["b"]}]),
        (Pair[int], "[1,2]", [(), (1,), (1, 2)]),
        (Literal["a", 1], '"a"', ["a"]),
        (Literal["a", 1], "1", [1]),
        (Literal["a", 1], "true", [1]),
        (Literal["a", True], "1", [True]),
        (Literal["a"], "1", []),
        (Color, '"red"', [Color.RED]),
        (Color, '"green"', []),
        (Level, "2", [Level.HIGH]),
        (Level, '"2"', [Level.HIGH]),
        (Level, "2.0", [Level.HIGH]),
        (Level, "true", [Level.LOW]),
        (Odd, "[1]", []),
        (Odd, "1", [Odd.NUMBER]),
        (Lenient, '"b"', []),
        (Lenient, '"a"', [Lenient.A]),
        (date, '"2024-05-01"', [date(2024, 5, 1)]),
        (Decimal, '"1.50"', [Decimal("1.50")]),
        (Decimal, "1.5", [Decimal("1.5")]),
        (bytes, '"ab"', [b"ab"]),
        (UUID, '"nothing"', []),
        (list[int], "[1,2]", [[], [1], [1, 2]]),
        (list[int], '[1,"x",2]', [[], [1], [1, 2]]),
        (list[str], '["ab","c"]', [[], [""], ["a"], ["ab"], ["ab", ""], ["ab", "c"]]),
        (Sequence[int], "[1]", [[], [1]]),
        (set[str], '["ab","ab","c"]', [set(), {"ab"}, {"ab", "c"}]),
        (frozenset[tuple[int, int]], "[[1,2],[1,2]]", [frozenset(), frozenset({(1, 2)})]),
        (collections.deque[int], "[1]", [collections.deque(), collections.deque([1])]),
        (tuple[int, ...], "[1]", [(), (1,)]),
        (tuple[int, str], '["x","y"]', [(), (None, ""), (None, "y")]),
        (Point, '[1,"a"]', [Point(None, None), Point(1, None), Point(1, ""), Point(1, "a")]),  # type: ignore[arg-type]
        (dict[str, int], '{"a":1,"b":2}', [{}, {"a": 1}, {"a": 1, "b": 2}]),
        (dict[int, str], '{"1":"a","x":"b"}', [{}, {1: ""}, {1: "a"}]),
        (Mapping[Color, int], '{"red":1}', [{}, {Color.RED: 1}]),
        (dict[str, list[str]], '{"a":["b"]}', [{}, {"a": []}, {"a": [""]}, {"a": ["b"]}]),
        (Movie, '{"director":"b"}', [{}, {"by": ""}, {"by": "b"}]),
        (Own, '"a"', []),
        (list[Own], '["a"]', [[]]),
        (Json[Any], '"{}"', []),
        (Base64Str, '"YQ=="', ["a"]),
        (Base64Str, '"a"', []),
        (Annotated[str, EncodedStr(encoder=OwnEncoder)], '"a"', []),
        (Union[str, int], '"ab"', ["", "a", "ab"]),
        (Union[int, str], "12", [12]),
        (Union[str, Literal[1]], '"ab"', ["", "a", "ab"]),
        (Union[Literal["x"], str], '"x"', ["x"]),
        (Union[int, float], "1.5", [1.5]),
        (Union[date, int], '"2024-05-01"', [date(2024, 5, 1)]),
        (Union[str, list[str]], '["a"]', [[], [""], ["a"]]),
        (Union[list[int], list[str]], "[1]", []),
        (Union[int, None], "null", []),
        (Annotated[Union[int, str], Field(union_mode="left_to_right")], '"12"', [12]),
        (Annotated[Union[int, str], Field(union_mode="left_to_right")], '"x"', ["x"]),
        (Annotated[int, Field(strict=True)], '"12"', []),
        (StrictInt, "12", [12]),
        (list[StrictInt], '["12",3]', [[], [3]]),
        (Annotated[str, Field(coerce_numbers_to_str=True)], "1.0", ["1"]),
        (Hashable, '"a"', ["", "a"]),
    ],
)
def test_what_is_shown_of_a_type(annotation: Any, text: str, shown: list[Any]) -> None:
    found = values(annotation, text)
    assert found == shown
    assert list(map(type, found)) == list(map(type, shown))


@pytest.mark.parametrize(
    ("annotation", "text", "config", "shown"),
    [
        (int, '"12"', {"strict": True}, []),
        (date, '"2024-05-01"', {"strict": True}, [date(2024, 5, 1)]),
        (str, "12", {}, []),
        (str, "12", {"coerce_numbers_to_str": True}, ["12"]),
        (Color, '"red"', {"use_enum_values": True}, ["red"]),
    ],
)
def test_a_models_configuration_counts(
    annotation: Any, text: str, config: dict[str, Any], shown: list[Any]
) -> None:
    found = values(annotation, text, **config)
    assert found == shown
    assert list(map(type, found)) == list(map(type, shown))


def last(annotation: Any, text: str) -> Any:
    return partials(annotation, text)[-1]


def test_instances_are_of_the_users_classes() -> None:
    shown = last(Box[Cat], '{"item":{"kind":"cat"},"more":[{"name":"To')
    assert isinstance(shown, Box)
    assert isinstance(shown.item, Cat)
    assert (shown.item.kind, shown.item.name, shown.item.lives) == ("cat", None, None)
    assert shown.more[0].name == "To"
    assert type(shown).__name__ == "PartialBox[Cat]"
    assert type(shown) is partial_class(Box[Cat])


def test_dataclasses_have_every_field() -> None:
    shown = last(Crate[list[int]], '{"item":[1')
    assert type(shown) is Crate
    assert (shown.item, shown.label, shown.size) == ([], None, None)
    assert last(Tagged, '{"fullName":"A"') == last(Tagged, '{"fullName":"A","x":1}')
    assert last(Tagged, '{"fullName":"A"').full_name == "A"


def test_root_models_are_around_what_their_root_shows() -> None:
    pack = last(Pack, '[{"kind":"cat","name":"To')
    assert isinstance(pack, Pack)
    assert isinstance(pack.root[0], Cat)
    assert pack.root[0].name == "To"
    assert isinstance(last(AnyPet, '{"name":"Rex","kind":"dog","barks":1.5}').root, Dog)
    titles = values(Title, '"ab"')
    assert [title.root for title in titles] == ["", "a", "ab"]
    assert isinstance(titles[0], Title)


@pytest.mark.parametrize(
    ("annotation", "text", "decided"),
    [
        (Pet, '{"name":"a","kind":"wolf"', Dog),
        (Pet, '{"name":"a","barks":1', None),
        (Cat | Dog, '{"name":"a","barks"', Dog),
        (Cat | Dog, '{"name":"a","kind":"cat"', Cat),
        (Optional[Pet], '{"kind":"cat"', Cat),
        (Union[Pet, dict[str, int]], '{"what"', dict),
        (
            Annotated[
                Annotated[Cat, Tag("c")] | Annotated[Dog, Tag("d")],
                Discriminator(lambda value: 1 / 0),
            ],
            '{"lives"',
            Cat,
        ),
    ],
)
def test_a_union_of_objects_shows_once_it_is_decided(
    annotation: Any, text: str, decided: Any
) -> None:
    found = values(annotation, text + ":" if not text.endswith(('"', "1")) else text + ",")
    if decided is None:
        assert found == []
    else:
        assert isinstance(found[-1], decided)
        if decided is not dict and "name" in text:
            assert found[-1].name == "a", "what came before shows too"


def test_what_came_before_a_union_was_decided_keeps_its_depth() -> None:
    class A(BaseModel):
        a: dict[str, dict[str, list[int]]]
        kind: Literal["a"]

    class B(BaseModel):
        a: dict[str, dict[str, list[int]]]
        kind: Literal["b"]

    found = values(A | B, '{"a":{"x":{"y":[1,2]}},"kind":"b"')
    assert isinstance(found[0], B)
    assert found[0].a == {"x": {"y": [1, 2]}}


def test_names_are_matched_as_validation_matches_them() -> None:
    class Named(BaseModel):
        model_config = ConfigDict(alias_generator=to_camel)

        first_name: str = ""
        year: int = Field(0, validation_alias=AliasChoices("made", "yr", AliasPath("a", "b")))
        path: int = Field(0, validation_alias=AliasPath("a", "b"))

    assert last(Named, '{"first_name":"a","x":1').first_name is None
    assert last(Named, '{"firstName":"a","x":1').first_name == "a"
    for text in ('{"yr":1,"made":2,"a":{"b":3}}', '{"made":2,"yr":1,"a":{"b":3}}'):
        whole = Named.model_validate_json(text)
        assert last(Named, text).year == whole.year == 2
        assert (last(Named, text).path, whole.path) == (None, 3)


def test_a_repeated_key_counts_as_validation_counts_it() -> None:
    for text in ('["a"],"v":["b"]', '["a"],"v":1', '["a"],"v":["a"]'):
        found = values(list[str], text)
        assert all(json.dumps(a) != json.dumps(b) for a, b in itertools.pairwise(found))
        expected = json.loads(f'{{"v":{text}}}')["v"]
        assert found[-1] == (expected if isinstance(expected, list) else None)


def test_members_that_no_field_has_show_where_they_are_kept() -> None:
    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")
        __pydantic_extra__: dict[str, int] = Field(init=False)

        title: str = Field("", alias="t")

    shown = last(Open, '{"t":"A","n":1,"m":"x","title":5}')
    assert (shown.title, shown.model_extra) == ("A", {"n": 1})

    @with_config(ConfigDict(extra="allow"))
    class OpenDict(TypedDict):
        title: str

    class Numbered(TypedDict, extra_items=int):  # type: ignore[call-arg]
        title: str

    text = '{"title":"A","n":1,"m":"x"}'
    assert last(OpenDict, text) == {"title": "A", "n": 1, "m": "x"}
    assert last(Numbered, text) == {"title": "A", "n": 1}
    assert last(Movie, text) == {"title": "A"}


def test_nothing_of_the_users_runs_on_a_partial() -> None:
    ran: list[str] = []

    class Meta(type(BaseModel)):  # type: ignore[misc]
        def __new__(cls, name: str, *args: Any, **kwargs: Any) -> Any:
            ran.append(name)
            return super().__new__(cls, name, *args, **kwargs)

    class Base(BaseModel, metaclass=Meta):
        @classmethod
        def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
            ran.append(cls.__name__)

        def __init_subclass__(cls, **kwargs: Any) -> None:
            ran.append(cls.__name__)

    class Book(Base):
        title: str = Field(default_factory=lambda: ran.append("factory") or "", min_length=5)
        stars: int = 3
        _notes: list[str] = PrivateAttr(["plain"])
        _made: int = PrivateAttr(default_factory=lambda: ran.append("private") or 1)

        def __init__(self, **data: Any) -> None:
            ran.append("init")
            super().__init__(**data)

        def model_post_init(self, context: Any) -> None:
            ran.append("post")

        @field_validator("title")
        @classmethod
        def _check(cls, value: str) -> str:
            ran.append("validator")
            return value

    ran.clear()
    shown = partials(Book, '{"title":"Emm"}')
    assert ran == []
    assert (shown[-1].title, shown[-1].stars) == ("Emm", None)
    shown[-1]._notes.append("mine")
    assert shown[0]._notes == ["plain"]


def test_a_partial_can_be_printed_dumped_and_compared() -> None:
    class Inner(BaseModel):
        first: str
        last: str

        @computed_field  # type: ignore[prop-decorator]
        @property
        def full(self) -> str:
            return self.first + " " + self.last

        @computed_field  # type: ignore[prop-decorator]
        @cached_property
        def initials(self) -> str:
            return self.first[0] + self.last[0]

    class Outer(BaseModel):
        model_config = ConfigDict(frozen=True)

        inner: Inner
        n: int

    one, two = partials(Outer, '{"inner":{"first":"A')[-2:]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert repr(two) == (
            "PartialOuter(inner=PartialInner(first='A', last=None, full=None, initials=None), "
            "n=None)"
        )
        assert two.model_dump(exclude_unset=True) == {
            "inner": {"first": "A", "full": None, "initials": None}
        }
        assert json.loads(two.model_dump_json())["n"] is None
    assert one != two
    assert two == last(Outer, '{"inner":{"first":"A')
    whole = last(Outer, '{"inner":{"first":"A","last":"B"},"n":1}')
    assert whole.inner.full == "A B"
    assert whole.model_fields_set == {"inner", "n"}
    assert whole.model_copy(update={"n": 2}).n == 2


def test_a_generic_model_may_recur() -> None:
    class Chain(BaseModel, Generic[T]):
        item: T
        rest: Chain[T] | None = None
        others: list[Chain[T]] = []

    class Left(BaseModel, Generic[T]):
        item: T
        right: Right[T] | None = None

    class Right(BaseModel, Generic[T]):
        item: T
        left: Left[T] | None = None

    Chain.model_rebuild()
    Left.model_rebuild()
    Right.model_rebuild()
    shown = last(Chain[int], '{"item":1,"rest":{"item":2,"others":[{"item":3}]}}')
    assert isinstance(shown.rest.others[0], Chain)
    assert shown.rest.others[0].item == 3
    found = last(Right[str], '{"item":"a","left":{"item":"b","right":{"item":"c').left.right
    assert isinstance(found, Right)
    assert found.item == "c"


def test_a_model_may_recur_in_any_way() -> None:
    class Node(BaseModel):
        name: str
        left: Node | None = None
        children: list[Node | str] = []

    Node.model_rebuild()
    shown = last(Node, '{"name":"a","left":{"name":"b"},"children":["c",{"name":"d')
    assert shown.left.name == "b"
    assert shown.children[0] == "c"
    assert shown.children[1].name == "d"


@pytest.mark.parametrize("annotation", [Cat, Movie, Crate[int], dict[str, int], Box[Pet]])
def test_what_is_shown_last_is_what_validation_makes(annotation: Any) -> None:
    texts = {
        Cat: '{"kind":"cat","name":"a","lives":3}',
        Movie: '{"title":"a","director":"b","year":1}',
        Crate[int]: '{"item":1,"label":"x"}',
        dict[str, int]: '{"a":1}',
        Box[Pet]: '{"item":{"kind":"cat","name":"a","lives":1},"more":[]}',
    }
    text = texts[annotation]
    whole = TypeAdapter(annotation).validate_json(text)
    shown = last(annotation, text)
    dump = TypeAdapter(annotation).dump_python
    if annotation == Crate[int]:
        shown.size = 3
    assert dump(shown) == dump(whole)
