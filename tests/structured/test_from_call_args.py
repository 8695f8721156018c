"""Fields that the call's own arguments fill: left out of what the model is asked for, and there
when the answer is validated."""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import Callable
from typing import Annotated, Any, NotRequired, Optional

import pytest
from mirascope.core import (
    FromCallArgs,
    ResponseModelError,
    ResponseValidationError,
    UsageError,
    openai,
    stream_from,
)
from mirascope.core.testing import Server
from mirascope_tests.api import Each
from mirascope_tests.turns import WAYS, Way
from pydantic import AliasPath, BaseModel, ConfigDict, Field, RootModel, model_validator
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypedDict

from .answers import answering, called, pieces, schema_in

Serve = Callable[..., Server]

each_way = pytest.mark.parametrize("way", WAYS, ids=str)
TEXTS = ["Dune by Herbert", "Emma by Austen"]
TITLES = '{"titles": ["Dune", "Emma"]}'


class Source(BaseModel):
    """Where texts come from."""

    shelf: str


class Titles(BaseModel):
    texts: Annotated[list[str], FromCallArgs()]
    titles: list[str]
    source: Annotated[Source | None, FromCallArgs()] = Source(shelf="none")

    @model_validator(mode="after")
    def as_many(self) -> Titles:
        assert len(self.texts) == len(self.titles), "one title for each text"
        return self


def extractor(way: Way, server: Server, model: Any = Titles, **options: Any) -> Any:
    module = importlib.import_module(f"mirascope_{way.provider}")
    chat = way.provider in ("compatible", "openai")
    url = server.url if chat else server.url.removesuffix("/v1")
    given = {"base_url": url, "api_key": "key-of-nobody", "response_model": model, **options}
    if way.api is not None:
        given["api"] = way.api

    def extract(texts: Any, source: Source | None = None) -> str:
        return "The title of each."

    async def extract_async(texts: Any, source: Source | None = None) -> str:
        return "The title of each."

    if way.is_async:
        return module.call_async("m", **given)(extract_async)
    return module.call("m", **given)(extract)


async def value(way: Way, made: Any) -> Any:
    return await made if way.is_async else made


def chat(server: Server, model: Any, **options: Any) -> Any:
    return extractor(Way("compatible", None, is_async=False), server, model, **options)


# Asked and filled


@each_way
async def test_a_call_fills_the_field_and_does_not_ask_for_it(serve: Serve, way: Way) -> None:
    server = serve(answering(TITLES))
    shelf = Source(shelf="north")
    extract = extractor(way, server, response_mode="native")
    titles = await value(way, extract(TEXTS, source=shelf))
    assert type(titles) is Titles
    assert (titles.texts, titles.titles) == (TEXTS, ["Dune", "Emma"])
    assert titles.source is shelf
    schema = schema_in(server.requests[0].json)
    assert [*schema["properties"]] == schema["required"] == ["titles"]
    assert "$defs" not in schema
    assert titles._response.fn_args == {"texts": TEXTS, "source": shelf}


@pytest.mark.parametrize("mode", ["native", "tool", "json"])
@each_way
async def test_a_stream_fills_the_field_at_its_end(serve: Serve, way: Way, mode: str) -> None:
    reply = called("Titles", *pieces(TITLES)) if mode == "tool" else answering(*pieces(TITLES))
    server = serve(reply)
    made = extractor(way, server, response_mode=mode, stream=True)(TEXTS)
    stream = await made if way.is_async else made
    shown = [part async for part in (stream if way.is_async else Each(iter(stream)))]
    assert [partial.texts for partial in shown[:-1]] == [None] * (len(shown) - 1)
    assert len(shown) >= 2
    assert shown[-1] == Titles(texts=TEXTS, titles=["Dune", "Emma"], source=None)
    assert stream.partial is shown[-1]
    asked = json.dumps(server.requests[0].json)
    assert "titles" in asked
    assert "texts" not in asked


async def test_the_argument_counts_and_not_what_the_model_writes(serve: Serve) -> None:
    written = '{"texts": ["other"], "titles": ["Dune"], "source": {"shelf": "of the model"}}'
    server = serve(answering(written), answering(*pieces(written)))
    assert chat(server, Titles)(["one"]) == Titles(texts=["one"], titles=["Dune"], source=None)
    partials = list(chat(server, Titles, stream=True)(["one"]))
    assert {str(partial.texts) for partial in partials[:-1]} == {"None"}
    assert partials[-1].texts == ["one"]


@each_way
async def test_validation_has_both(serve: Serve, way: Way) -> None:
    server = serve(answering('{"titles": ["Dune"]}'), answering('{"titles": ["Dune"]}'))
    with pytest.raises(ResponseValidationError, match="one title for each text"):
        await value(way, extractor(way, server, response_mode="native")(TEXTS))
    extract = extractor(way, server, response_mode="native", stream=True)
    stream = await extract(TEXTS) if way.is_async else extract(TEXTS)
    with pytest.raises(ResponseValidationError) as caught:
        await value(way, stream.result())
    assert "one title for each text" in caught.value.problems[0]
    assert caught.value.text == '{"titles": ["Dune"]}'


def test_an_argument_of_the_wrong_type_is_refused_by_validation(serve: Serve) -> None:
    server = serve(answering(TITLES))
    with pytest.raises(ResponseValidationError, match=r"texts: Input should be a valid list"):
        chat(server, Titles)(7)


@pytest.mark.parametrize("text", ['{"titles": [}', '{"titles": ["Dune", "Emma"', "[1]"])
def test_a_broken_answer_is_told_as_without_such_fields(serve: Serve, text: str) -> None:
    server = serve(answering(text), answering(text))

    class Plain(BaseModel):
        titles: list[str]

    def failure(model: Any) -> tuple[type[Exception], str]:
        with pytest.raises(ResponseModelError) as caught:
            chat(server, model)(TEXTS)
        return caught.type, str(caught.value).replace("Plain", "Titles")

    assert failure(Titles) == failure(Plain)


# The kinds of types


class Aliased(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_by_name=True)

    texts: Annotated[list[str], FromCallArgs(), Field(alias="givenTexts", min_length=1)]
    titles: list[str]


@dataclasses.dataclass
class Data:
    texts: Annotated[list[str], FromCallArgs()]
    titles: list[str]


@pydantic_dataclass
class Checked:
    texts: Annotated[list[str], FromCallArgs()]
    titles: list[str]


class Typed(TypedDict):
    texts: NotRequired[Annotated[list[str], FromCallArgs()]]
    titles: list[str]


class Bare(BaseModel):
    # The class itself is what some write.
    texts: Annotated[list[str], FromCallArgs]
    titles: list[str]


class Anything:
    """What JSON has no form for."""


class Holder(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    texts: Annotated[Any, FromCallArgs()]
    titles: list[str]


KINDS = [Aliased, Data, Checked, Typed, Bare, Annotated[Data, "a note"]]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_any_kind_of_object(serve: Serve, kind: Any) -> None:
    server = serve(answering(TITLES), answering(TITLES))
    made = chat(server, kind, response_mode="native")(TEXTS)
    fields = made if isinstance(made, dict) else vars(made)
    assert (fields["texts"], fields["titles"]) == (TEXTS, ["Dune", "Emma"])
    assert [*schema_in(server.requests[0].json)["properties"]] == ["titles"]
    assert chat(server, Holder)(TEXTS).texts is TEXTS


def test_an_argument_may_be_any_object(serve: Serve) -> None:
    given = Anything()
    assert chat(serve(answering(TITLES)), Holder)(given).texts is given


def test_other_definitions_stay_in_the_schema(serve: Serve) -> None:
    class Inner(BaseModel):
        shelf: Source

    class Outer(BaseModel):
        texts: Annotated[Titles2, FromCallArgs()]
        found: list[Inner]

    class Titles2(BaseModel):
        shelf: str

    Outer.model_rebuild(_types_namespace={"Titles2": Titles2, "Inner": Inner})
    server = serve(answering('{"found": [{"shelf": {"shelf": "north"}}]}'))
    texts = Titles2(shelf="x")
    made = chat(server, Outer, response_mode="native")(texts)
    assert made.texts is texts
    assert {*schema_in(server.requests[0].json)["$defs"]} == {"Inner", "Source"}


def test_outside_of_a_call_the_field_is_as_any_other() -> None:
    assert "texts" in Titles.model_json_schema()["required"]
    with pytest.raises(ValueError, match="Field required"):
        Titles.model_validate({"titles": []})
    assert repr(FromCallArgs()) == "FromCallArgs()"


# Refused when decorated


def test_a_name_that_is_no_argument_is_refused() -> None:
    decorate = openai.call("gpt-4o", response_model=Titles)
    told = (
        r"the field 'texts' of the response model is FromCallArgs\(\), and 'extract' has no "
        r"argument of this name, but 'text', 'source'"
    )

    def extract(text: str, source: str) -> str:
        return text

    async def later() -> str:
        return ""

    with pytest.raises(UsageError, match=told):
        decorate(extract)
    with pytest.raises(UsageError, match=r"'later' has no argument of this name$"):
        openai.call_async("gpt-4o", response_model=Titles, stream=True)(later)


class Recursive(BaseModel):
    texts: Annotated[list[str], FromCallArgs()]
    inner: Recursive | None = None


class Shelf(BaseModel):
    titles: list[Titles]


class Half(BaseModel):
    texts: Annotated[list[str], FromCallArgs()] | None


class Whole(Titles):
    more: Optional[Data] = None  # noqa: UP045


class Root(RootModel[Annotated[list[str], FromCallArgs()]]):
    """A list, of which nothing would be left to ask for."""


class Path(BaseModel):
    texts: Annotated[list[str], FromCallArgs(), Field(validation_alias=AliasPath("a", 0))]


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (Shelf, r"stands deeper in response_model=Shelf: move the field up"),
        (list[Titles], r"stands deeper in response_model=list\[Titles\]"),
        (Titles | Data, r"stands deeper in response_model="),
        (Half, r"stands deeper in response_model=Half"),
        (Whole, r"stands deeper in response_model=Whole"),
        (Root, r"stands deeper in response_model=Root"),
        (Annotated[list[str], FromCallArgs()], r"stands deeper in response_model=list\[str\]"),
        (Recursive, r"response_model=Recursive has a field that is FromCallArgs\(\), and refers"),
        (Path, r"the field 'texts' is FromCallArgs\(\) and has a path as its alias"),
    ],
    ids=str,
)
def test_what_no_argument_can_fill_is_refused(model: Any, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        openai.call("gpt-4o", response_model=model)


def test_a_recording_has_no_arguments() -> None:
    with pytest.raises(UsageError, match="a recording has no arguments of a call"):
        stream_from(b"data: [DONE]\n\n", provider="openai", response_model=Titles)
