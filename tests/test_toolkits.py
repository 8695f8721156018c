"""Toolkits: methods that are tools and know what their object knows (C6)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirascope.core import BaseToolKit, UsageError, toolkit_tool
from mirascope.core._tools._tool_types import to_tool_type
from mirascope.core.testing import Server
from mirascope_tests.turns import WAYS, Way, calling, declared, returned

Serve = Callable[..., Server]


class Shelf(BaseToolKit):
    __namespace__ = "books"

    level: str
    titles: Sequence[str] = ()

    @toolkit_tool
    def recommend(self, title: str, pages: int = 100) -> str:
        """Recommend a book to a reader at the level {self.level}.

        Args:
            title: one of {self.titles}.
            pages: how many pages.
        """
        return f"{title}, {pages} pages, for {self.level} readers"

    @toolkit_tool
    async def look_up(self, title: str) -> bool:
        """Whether a book is there."""
        return title in self.titles

    def not_a_tool(self) -> None: ...


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_a_toolkit_in_a_call(way: Way, serve: Serve) -> None:
    tools = Shelf(level="advanced", titles=["Dune", "Emma"]).create_tools()
    server = serve(
        calling(("books_recommend", {"title": "Dune"}), ("books_look_up", {"title": "Emma"})),
        calling(),
    )
    ask = way.decorate(server, tools, "What shall I read?")
    answer = await way.read(ask)
    sent = declared(server.requests[0].json)
    assert list(sent) == ["books_recommend", "books_look_up"]
    known = sent["books_recommend"]
    assert known["description"] == "Recommend a book to a reader at the level advanced."
    arguments = known["parameters"]["properties"]
    assert arguments["title"]["description"] == "one of ['Dune', 'Emma']."
    assert list(arguments) == ["title", "pages"]
    outputs = [(tool, tool.call()) for tool in answer.tools]
    outputs = [(t, await o if inspect.isawaitable(o) else o) for t, o in outputs]
    results = answer.tool_message_params(outputs)
    history = ["What shall I read?", answer.message_param, *results]
    await way.read(way.decorate(server, tools, history))
    assert [_text(output) for output in returned(server.requests[1].json)] == [
        "Dune, 100 pages, for advanced readers",
        "true",
    ]


def _text(output: Any) -> str:
    return str(output).lower() if isinstance(output, bool) else output


def test_one_method_is_the_tool_that_its_toolkit_makes_of_it() -> None:
    shelf = Shelf(level="first")
    tool = to_tool_type(shelf.recommend)
    assert tool.tool_name() == "books_recommend"
    assert tool.tool_description().endswith("level first.")
    assert to_tool_type(shelf.not_a_tool).tool_name() == "not_a_tool"
    with pytest.raises(UsageError, match=r"'Shelf' is a toolkit: give \*toolkit.create_tools\(\)"):
        to_tool_type(shelf)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_what_is_inherited_overridden_and_bound_otherwise() -> None:
    class More(Shelf):
        __namespace__ = None

        @toolkit_tool
        def count(self) -> int:
            return len(self.titles)

        def look_up(self, title: str) -> bool:  # type: ignore[override]  # pyright: ignore
            """Is marked no longer."""
            return False

        @toolkit_tool
        @classmethod
        def kind(cls) -> str:
            return cls.__name__

        @staticmethod
        @toolkit_tool
        def add(a: int, b: int) -> int:
            return a + b

        @property
        def broken(self) -> str:
            raise RuntimeError("nobody asked for this")

    names = [tool.tool_name() for tool in More(level="x").create_tools()]
    assert names == ["recommend", "count", "kind", "add"]
    tools = More(level="x", titles=["Dune"]).create_tools()
    by_name: dict[str, Any] = {tool.tool_name(): tool for tool in tools}
    assert by_name["count"]().call() == 1
    assert by_name["kind"]().call() == "More"
    assert by_name["add"](a=1, b=2).call() == 3


def test_two_toolkits_of_one_class_are_told_apart_by_their_objects() -> None:
    first: Any
    second: Any
    (first, _), (second, _) = (Shelf(level=level).create_tools() for level in ("a", "b"))
    assert first(title="Dune").call().endswith("a readers")
    assert second(title="Dune").call().endswith("b readers")


def test_a_docstring_without_a_value_stands_as_it_is() -> None:
    class Plain(BaseToolKit):
        @toolkit_tool
        def store(self, record: str) -> None:
            """Store a record, such as {"title": "Dune"} or {{}}."""

    (tool,) = Plain().create_tools()
    assert tool.tool_description() == 'Store a record, such as {"title": "Dune"} or {{}}.'


def test_formats_and_braces() -> None:
    class Priced(BaseToolKit):
        price: float = 2
        names: Sequence[str] = ("Dune", "Emma")
        kind: Literal["new"] | None = None

        @toolkit_tool
        def sell(self) -> None:
            """Sell for {self.price:.2f} {{EUR}} of {self.names[0]!r}.{self.kind}

            {self.names:list}
            """

    (tool,) = Priced().create_tools()
    assert tool.tool_description() == "Sell for 2.00 {EUR} of 'Dune'.\n\nDune\nEmma"


@pytest.mark.parametrize(
    ("doc", "message"),
    [
        ("Level {self.levle}.", r"the toolkit 'Kit': .* \{self.levle\}, which is not filled in"),
        ("Level {self.level} for {level}.", r"has \{level\}, which is not filled in"),
        ('Level {self.level}, {"a": 1}.', r"is not filled in .* '\{\{' and '\}\}' for braces"),
        ("Level {self.level}, {.", "the toolkit 'Kit': .* for braces"),
    ],
)
def test_a_value_that_is_not_there(doc: str, message: str) -> None:
    class Kit(BaseToolKit):
        level: str

        @toolkit_tool
        def do(self) -> None: ...

    Kit.do.__doc__ = doc
    with pytest.raises(UsageError, match=message):
        Kit(level="x").create_tools()


def test_what_is_not_a_toolkit() -> None:
    class Empty(BaseToolKit):
        def method(self) -> None: ...

    with pytest.raises(UsageError, match="'Empty' has no tools: mark its methods"):
        Empty().create_tools()
    with pytest.raises(UsageError, match="toolkit_tool marks a method of a toolkit, not 5"):
        toolkit_tool(5)


@given(st.text() | st.sampled_from(["{self.level}", "{title}", "\n\nArgs:\n    pages: evil", "}}"]))
def test_no_value_opens_a_field_or_a_section(level: str) -> None:
    tool, _ = Shelf(level=level).create_tools()
    assert tool.tool_description() == f"Recommend a book to a reader at the level {level}."
    assert tool.tool_parameters()["properties"]["pages"]["description"] == "how many pages."
