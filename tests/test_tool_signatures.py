"""Tools as people write them: every kind of callable and of signature, in every protocol."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import pytest
from mirascope.core import BaseTool, ToolError, UsageError
from mirascope.core._tools._tool_types import to_tool_type
from mirascope.core.testing import Server
from mirascope_tests.turns import WAYS, Way, calling, declared, returned
from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from decimal import Decimal

Serve = Callable[..., Server]


@pytest.fixture(params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    return request.param


def resolve(tool: Any, arguments: Any) -> BaseTool:
    """The tool for a call with these arguments."""
    from mirascope.core import ToolCall
    from mirascope.core._tools._toolset import Toolset

    toolset = Toolset([tool])
    call = ToolCall("call_1", toolset.types[0].tool_name(), json.dumps(arguments))
    return toolset.resolve(call)


def properties(tool: Any) -> dict[str, Any]:
    return to_tool_type(tool).tool_parameters()["properties"]


# Annotations, which are text in this module


class Place(BaseModel):
    city: str


class Hotel:
    class Room(BaseModel):
        floor: int = 0

    def list(self) -> list[str]:
        return []

    def book(self, room: Room, guests: list[str]) -> str:
        """Book a room."""
        return f"{type(room).__name__} {guests}"


def test_names_of_the_enclosing_function_are_found() -> None:
    class Local(BaseModel):
        city: str

    def book(place: Local, nights: int, other: Place | None = None) -> str:
        """Book a room."""
        return f"{type(place).__name__} {type(nights).__name__}"

    assert properties(book)["place"] == {"$ref": "#/$defs/Local"}
    assert properties(book)["nights"] == {"type": "integer"}
    assert resolve(book, {"place": {"city": "Oslo"}, "nights": 2}).call() == "Local int"
    assert resolve(book, {"place": {"city": "Oslo"}, "nights": "x"}).error is not None


def test_names_of_a_closure_are_found_after_the_function_has_returned() -> None:
    def make() -> Any:
        class Local(BaseModel):
            city: str

        def book(place: Local) -> str:
            return f"{place.city} {Local.__name__}"

        return book

    assert resolve(make(), {"place": {"city": "Oslo"}}).call() == "Oslo Local"


def test_names_of_the_class_are_found_and_its_methods_are_no_types() -> None:
    book = Hotel().book
    assert properties(book)["room"] == {"$ref": "#/$defs/Room"}
    assert properties(book)["guests"] == {"type": "array", "items": {"type": "string"}}
    assert resolve(book, {"room": {}, "guests": ["Ann"]}).call() == "Room ['Ann']"


def unresolved(price: Decimal, title: str) -> str:
    """Sell a book."""
    return title


def forgotten() -> Any:
    class Local(BaseModel):
        city: str

    def visit(place: Local, days: int) -> None:
        """Visit."""

    return visit


def test_what_cannot_be_resolved_is_refused_by_name(way: Way, serve: Serve) -> None:
    with pytest.raises(UsageError, match=r"tool 'unresolved': the type of 'price', 'Decimal'"):
        way.decorate(serve(), [unresolved], "Hi")
    with pytest.raises(UsageError, match=r"tool 'visit': the type of 'place', 'Local'"):
        way.decorate(serve(), [forgotten()], "Hi")


def test_a_result_whose_type_cannot_be_resolved_is_nobodys_business() -> None:
    def sell(title: str) -> Decimal:
        raise NotImplementedError

    assert properties(sell) == {"title": {"type": "string"}}


def test_quoted_names_within_a_type() -> None:
    def book(places: list["Place"], more: 'dict[str, "Place"]') -> None:  # noqa: UP037
        """Book."""

    assert properties(book)["places"] == {"type": "array", "items": {"$ref": "#/$defs/Place"}}
    assert properties(book)["more"]["additionalProperties"] == {"$ref": "#/$defs/Place"}


class Session:
    pass


def save(text: str, session: Session) -> str:
    """Save."""
    return text


class Save(BaseTool):
    """Save."""

    text: str
    session: Session


@pytest.mark.parametrize("tool", [save, Save])
def test_a_type_without_a_schema_is_refused_when_decorated(
    tool: Any, way: Way, serve: Serve
) -> None:
    with pytest.raises(UsageError, match=r"tool '[Ss]ave': the type of 'session'") as caught:
        way.decorate(serve(), [tool], "Hi")
    assert "\n" not in str(caught.value)
    # Bound, it is no argument.
    bound = functools.partial(save, session=Session())
    assert list(properties(bound)) == ["text"]


# Defaults

UNSET = object()


def test_a_default_stays_the_functions_own() -> None:
    shared: list[int] = []

    def add(a: Any = UNSET, to: list[int] = shared, dots: Any = ...) -> bool:
        return a is UNSET and to is shared and dots is ...

    schema = to_tool_type(add).tool_parameters()
    assert schema["properties"]["to"]["default"] == []
    assert "required" not in schema
    assert resolve(add, {}).call() is True
    assert resolve(add, {"to": []}).call() is False


def test_a_field_as_default(way: Way, serve: Serve) -> None:
    def wait(
        days: int = Field(5, ge=1, description="How many days."),
        city: str = Field(description="Where."),
        tags: list[str] = Field(default_factory=lambda: ["a"]),  # noqa: B008
    ) -> Any:
        """Wait.

        Args:
            days: Days.
            city: The city.
            tags: Tags of it.
        """
        return days, city, tags

    schema = to_tool_type(wait).tool_parameters()
    assert schema["properties"] == {
        "days": {"type": "integer", "default": 5, "minimum": 1, "description": "How many days."},
        "city": {"type": "string", "description": "Where."},
        "tags": {"type": "array", "items": {"type": "string"}, "description": "Tags of it."},
    }
    assert schema["required"] == ["city"]
    tool = resolve(wait, {"city": "Oslo"})
    assert tool.call() == (5, "Oslo", ["a"])
    assert tool.args == {"days": 5, "city": "Oslo", "tags": ["a"]}
    assert resolve(wait, {"city": "Oslo", "days": 0}).error is not None


def test_a_field_in_an_annotation() -> None:
    def wait(
        days: Annotated[int, Field(5, description="How many days.")],
        json: Annotated[str, Field(alias="format")] = "x",
        city: Annotated[str, Field(alias="cityName")] = "Oslo",
    ) -> Any:
        """Wait.

        Args:
            city: The city.
        """
        return days, json, city

    assert properties(wait) == {
        "days": {"type": "integer", "default": 5, "description": "How many days."},
        "format": {"type": "string", "default": "x"},
        "cityName": {"type": "string", "default": "Oslo", "description": "The city."},
    }
    tool = resolve(wait, {"cityName": "Rome", "format": "y"})
    assert tool.call() == (5, "y", "Rome")
    assert tool.args == {"days": 5, "json": "y", "city": "Rome"}


def test_none_as_the_default_of_any_type() -> None:
    def find(
        days: int = None,  # type: ignore[assignment]  # noqa: RUF013
        shelf: Annotated[int, Field(ge=1, description="The shelf.")] = None,  # type: ignore[assignment]  # noqa: RUF013
        kind: Optional[Literal["a", "b"]] = None,  # noqa: UP045
    ) -> Any:
        return days, shelf, kind

    found = properties(find)
    nullable = [{"type": "integer"}, {"type": "null"}]
    assert found["days"] == {"anyOf": nullable, "default": None}
    assert found["shelf"]["description"] == "The shelf."
    assert {"type": "null"} in found["kind"]["anyOf"]
    tool = resolve(find, {"days": None, "shelf": None, "kind": None})
    assert tool.call() == (None, None, None)
    assert resolve(find, {"shelf": 0}).error is not None


def test_a_default_that_json_cannot_express_is_not_shown() -> None:
    def run(call: Callable[[], int] = math.inf.is_integer, other: Any = Session) -> None:  # type: ignore[assignment]
        """Run."""

    # A function has no schema at all, a default without one is nobody's fault.
    with pytest.raises(UsageError, match="'call'"):
        to_tool_type(run)

    def sort(key: Any = Session()) -> bool:  # noqa: B008
        return isinstance(key, Session)

    assert properties(sort) == {"key": {}}
    assert resolve(sort, {}).call() is True


# Kinds of callables


def lookup(city: str, days: int = 1, *, key: str = "", unit: str = "C") -> str:
    """Look up the weather.

    Args:
        city: The city's name.
        days: How many days.
        key: Who pays.
        unit: The unit.
    """
    return f"{city} {days} {key} {unit}"


def with_update() -> Any:
    return functools.update_wrapper(functools.partial(lookup, key="top-secret"), lookup)


@pytest.mark.parametrize(
    "tool",
    [
        functools.partial(lookup, key="top-secret"),
        functools.partial(functools.partial(lookup, unit="C"), key="top-secret", unit="F"),
        with_update(),
    ],
)
def test_partials(tool: Any) -> None:
    tool_type = to_tool_type(tool)
    assert tool_type.tool_name() == "lookup"
    assert tool_type.tool_description() == "Look up the weather."
    schema = tool_type.tool_parameters()
    assert {"city", "days"} <= schema["properties"].keys() <= {"city", "days", "unit"}
    assert schema["properties"]["city"] == {"type": "string", "description": "The city's name."}
    assert "top-secret" not in json.dumps(schema)
    called = resolve(tool, {"city": "Oslo", "days": 2, "key": "mine"})
    assert called.call().startswith("Oslo 2 top-secret ")
    assert "key" not in called.args


def test_partials_that_bind_by_position() -> None:
    for tool in (
        functools.partial(lookup, "Oslo"),
        functools.update_wrapper(functools.partial(lookup, "Oslo"), lookup),
        functools.partial(functools.partial(lookup, "Oslo"), key="k"),
    ):
        assert "city" not in properties(tool)
        assert resolve(tool, {"days": 3}).call().startswith("Oslo 3 ")


def test_partials_with_names_of_their_own() -> None:
    north, south = functools.partial(lookup, "Oslo"), functools.partial(lookup, "Rome")
    north.__name__, south.__name__ = "north", "south"  # type: ignore[attr-defined]
    south.__doc__ = "Look up the weather of the south."
    types = [to_tool_type(north), to_tool_type(south)]
    assert [t.tool_name() for t in types] == ["north", "south"]
    assert types[0].tool_description() == "Look up the weather."
    assert types[1].tool_description() == "Look up the weather of the south."


class Weather:
    """Weather of a place."""

    def __call__(self, city: str) -> str:
        """Tell the weather.

        Args:
            city: Where.
        """
        return f"sunny in {city}"

    @classmethod
    def north(cls, city: str) -> str:
        """Tell the weather of the north."""
        return f"{cls.__name__} {city}"

    @staticmethod
    def south(city: str) -> str:
        """Tell the weather of the south."""
        return city


class Silent:
    """Tell nothing."""

    def __call__(self, city: str) -> str:
        return city


@dataclasses.dataclass
class Keyed:
    key: str = "top-secret"

    def __call__(self, city: str) -> str:
        return city


def shouting(fn: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> str:
        return fn(*args, **kwargs).upper()

    return wrapper


@shouting
def loud(place: Place) -> str:
    """Say a place."""
    return place.city


@functools.lru_cache
def cached(city: str) -> str:
    """Say a city."""
    return city


@pytest.mark.parametrize(
    ("tool", "name", "description", "result"),
    [
        (Weather(), "Weather", "Tell the weather.", "sunny in Oslo"),
        (Silent(), "Silent", "Tell nothing.", "Oslo"),
        (Keyed(), "Keyed", "", "Oslo"),
        (Weather.north, "north", "Tell the weather of the north.", "Weather Oslo"),
        (Weather().north, "north", "Tell the weather of the north.", "Weather Oslo"),
        (Weather.south, "south", "Tell the weather of the south.", "Oslo"),
        (cached, "cached", "Say a city.", "Oslo"),
        (functools.partial(Weather()), "Weather", "Tell the weather.", "sunny in Oslo"),
    ],
)
def test_what_can_be_called(tool: Any, name: str, description: str, result: str) -> None:
    tool_type = to_tool_type(tool)
    assert (tool_type.tool_name(), tool_type.tool_description()) == (name, description)
    assert properties(tool)["city"]["type"] == "string"
    assert resolve(tool, {"city": "Oslo"}).call() == result


def test_decorated_functions_keep_their_types() -> None:
    assert properties(loud) == {"place": {"$ref": "#/$defs/Place"}}
    assert resolve(loud, {"place": {"city": "Oslo"}}).call() == "OSLO"


def test_arguments_by_position_alone() -> None:
    def add(a: int, b: int = 2, /, c: int = 3, *, d: int = 4) -> list[int]:
        return [a, b, c, d]

    assert list(properties(add)) == ["a", "b", "c", "d"]
    assert resolve(add, {"a": 1, "c": 7}).call() == [1, 2, 7, 4]
    assert resolve(abs, {"x": -3}).call() == 3


@pytest.mark.parametrize(
    ("tool", "message"),
    [
        (Weather.__call__, "'__call__' is a method without its object: give it as object.__call__"),
        (Hotel.book, "'book' is a method without its object: give it as object.book"),
        (print, r"'print': a model gives arguments by name, which '\*args' has not"),
        (functools.partial(print, "x"), r"'print'.*'\*args'"),
        (dict, "'dict' is not a tool"),
        (max, "'max' has no signature"),
    ],
)
def test_what_a_model_cannot_call(tool: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        to_tool_type(tool)


def test_a_model_that_contains_itself() -> None:
    class Folder(BaseTool):
        """Make folders."""

        name: str
        inside: list[Folder] = Field(default_factory=list)

        def call(self) -> int:
            return 1 + sum(folder.call() for folder in self.inside)

    schema = Folder.tool_parameters()
    assert schema["type"] == "object"
    assert list(schema["properties"]) == ["name", "inside"]
    assert schema["properties"]["inside"]["items"] == {"$ref": "#/$defs/Folder"}
    assert resolve(Folder, {"name": "a", "inside": [{"name": "b"}]}).call() == 2


# Docstrings


def bullets(city: str, days: int = 1) -> str:
    """Tell the weather.

    Args:
        - city: The city's name in English.
        * `days` (int): How many days from today.
    """
    return city


def pairs(x: int, y: int) -> None:
    """Go to a point.

    Parameters
    ----------
    x, y : int
        Steps from here.
    """


def unread(city: str, days: int) -> None:
    """Tell the weather.

    Args:
        city the name of the city
        days, from today
    """


def misnamed(city: str) -> None:
    """Tell the weather.

    Args:
        town: The name of the city.
    """


def trailing(city: str) -> str:
    """Tell the weather.

    Args:
        city: The name.

    Returns:
        What it is like.

    Ask for one city at a time.
    """
    return city


def warned(city: str) -> None:
    """Tell the weather.

    :warning: Not for the sea.
    :param city: The name.
    """


@pytest.mark.parametrize(
    ("tool", "told", "described"),
    [
        (
            bullets,
            "Tell the weather.",
            ["The city's name in English.", "How many days from today."],
        ),
        (pairs, "Go to a point.", ["Steps from here.", "Steps from here."]),
        (unread, "city the name of the city", [None, None]),
        (misnamed, "town: The name of the city.", [None]),
        (trailing, "Ask for one city at a time.", ["The name."]),
        (warned, "Not for the sea.", ["The name."]),
    ],
)
def test_nothing_that_a_docstring_tells_is_lost(tool: Any, told: str, described: list[Any]) -> None:
    tool_type = to_tool_type(tool)
    assert told in tool_type.tool_description()
    assert [p.get("description") for p in properties(tool).values()] == described


# Fields


@pytest.mark.parametrize("name", ["error", "args", "call", "tool_call", "_name", "model_dump"])
@pytest.mark.filterwarnings("ignore:.*shadows an attribute")
def test_a_field_that_would_hide_a_member_is_refused(name: str) -> None:
    body = {"__annotations__": {name: str}, "__module__": __name__}
    with pytest.raises(UsageError, match=rf"'Log' can't have a field '{name}'.*alias='{name}'"):
        type("Log", (BaseTool,), body)
    mixin = type("Mixin", (BaseModel,), body) if not name.startswith("model_") else None
    if mixin is not None:
        with pytest.raises(UsageError, match=name):
            type("Log", (mixin, BaseTool), {"__module__": __name__})


async def test_a_field_with_such_an_alias(way: Way, serve: Serve) -> None:
    class Log(BaseTool):
        """Write a line."""

        error_: str = Field(alias="error")

        def call(self) -> str:
            return self.error_

    server = serve(calling(("Log", {"error": "disk full"})))
    stream = await way.read(way.decorate(server, [Log], "Go."))
    schema = declared(server.requests[0].json)["Log"]["parameters"]
    assert (list(schema["properties"]), schema["required"]) == (["error"], ["error"])
    (tool,) = stream.tools
    assert tool.error is None
    assert tool.call() == "disk full"


async def test_a_functions_arguments_are_fields(way: Way, serve: Serve) -> None:
    def log(error: str, title: str, json: bool = False, _level: int = 1) -> str:
        """Write a line."""
        return f"{error} {title} {json} {_level}"

    server = serve(calling(("log", {"error": "disk full", "title": "Dune", "_level": 2})))
    (tool,) = (await way.read(way.decorate(server, [log], "Go."))).tools
    assert tool.title == "Dune"
    assert tool.args == {"error": "disk full", "title": "Dune", "json": False, "_level": 2}
    assert tool.model_dump() == tool.args
    assert tool.error is None
    assert tool.call() == "disk full Dune False 2"
    assert "title='Dune'" in repr(tool)
    assert tool._name() == tool.tool_name() == "log"
    assert type(tool)._name() == "log"


# Asynchronous tools, and calls that can't be run


async def get_time(city: str) -> str:
    """Get the time."""
    await asyncio.sleep(0)
    return f"noon in {city}"


def get_weather(city: str) -> str:
    """Get the weather."""
    return f"rain in {city}"


async def test_a_coroutine_never_reaches_the_model(way: Way, serve: Serve) -> None:
    stream = await way.read(
        way.decorate(serve(calling(("get_time", {"city": "Oslo"}))), [get_time], "Go.")
    )
    (tool,) = stream.tools
    output = tool.call()
    for given in (output, [output], {"time": output}):
        with pytest.raises(UsageError, match=r"'get_time' is not there yet: write 'await tool"):
            stream.tool_message_params([(tool, given)])
    assert stream.tool_message_params([(tool, await output)])


async def test_what_is_no_result_is_refused(way: Way, serve: Serve) -> None:
    stream = await way.read(
        way.decorate(serve(calling(("get_weather", {"city": "Oslo"}))), [get_weather], "Go.")
    )
    (tool,) = stream.tools

    async def lines() -> Any:
        yield "noon"

    for results, message in (
        ([(tool, lines())], "an asynchronous iterator"),
        ([tool], r"a pair \(tool, output\)"),
        ([("get_weather", "rain")], "'get_weather' is not a tool"),
    ):
        with pytest.raises(UsageError, match=message):
            stream.tool_message_params(results)


async def test_a_loop_needs_no_other_path_for_calls_that_cannot_be_run(
    way: Way, serve: Serve
) -> None:
    calls = [
        ("get_weather", {"city": "Oslo"}),
        ("weather", {"city": "Oslo"}),
        ("get_time", {"town": "Oslo"}),
    ]
    server = serve(calling(*calls), calling())
    stream = await way.read(way.decorate(server, [get_weather, get_time], "Go."))
    outputs = []
    for tool in stream.tools:
        output = tool.call()
        outputs.append((tool, await output if tool.tool_call.name == "get_time" else output))
    assert [isinstance(tool.error, ToolError) for tool, _ in outputs] == [False, True, True]
    assert [type(output) for _, output in outputs] == [str, *[type(outputs[1][1])] * 2]
    said = [str(output) for _, output in outputs]
    assert said == ["rain in Oslo", str(outputs[1][0].error), str(outputs[2][0].error)]
    messages = [stream.user_message_param, stream.message_param]
    messages += stream.tool_message_params(outputs)
    await way.read(way.decorate(server, [get_weather], messages))
    assert returned(server.requests[1].json) == said
