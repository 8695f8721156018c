"""A prompt is a function, with or without a call; what values become in a template."""

from __future__ import annotations

import asyncio
import base64
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirascope import core
from mirascope.core import (
    BaseDynamicConfig,
    Messages,
    PromptError,
    PromptTemplate,
    UsageError,
    prompt_template,
)
from mirascope.core.testing import Server, streamed
from mirascope_tests.api import API
from mirascope_tests.chat import answer

Serve = Callable[..., Server]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
URL = "https://example.com/cover.png"


def user(content: Any) -> list[Any]:
    return [{"role": "user", "content": content}]


def filled(template: str, **values: Any) -> Any:
    (message,) = PromptTemplate(template, owner="fn").messages(values)
    return message["content"]


def called(is_async: bool, fn: Callable[..., Any]) -> Any:
    """The function, or its asynchronous twin."""
    if not is_async:
        return fn

    @functools.wraps(fn)
    async def twin(*args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    return twin


def result(value: Any) -> Any:
    return asyncio.run(value) if asyncio.iscoroutine(value) else value


both = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


# Without a call


@both
def test_calling_a_prompt_gives_its_messages(is_async: bool) -> None:
    def book(genre: str, history: list[Any]) -> None:
        """Documentation with {braces}."""

    text = "SYSTEM: Be brief.\nMESSAGES: {history}\nUSER: A {genre} book."
    prompt = prompt_template(text)(called(is_async, book))
    contents = {"role": "model", "parts": [{"text": "Hi"}]}
    item = {"type": "function_call_output", "call_id": "c", "output": "x"}
    assert result(prompt("crime", [contents, item, "Hello"])) == [
        {"role": "system", "content": "Be brief."},
        contents,
        item,
        {"role": "user", "content": "Hello"},
        {"role": "user", "content": "A crime book."},
    ]
    assert (prompt.__name__, prompt.__doc__) == ("book", "Documentation with {braces}.")
    with pytest.raises(PromptError, match="book: the template names"):
        result(prompt_template("{gnre}")(called(is_async, book))("crime", []))


@both
def test_a_prompt_without_a_text_gives_what_it_returns(is_async: bool) -> None:
    def own(genre: str) -> Any:
        """{Documentation."""
        return [Messages.System("Be short."), genre] if genre else None

    prompt = prompt_template()(called(is_async, own))
    assert result(prompt("crime")) == [Messages.System("Be short."), Messages.User("crime")]
    with pytest.raises(PromptError, match="own' has no prompt"):
        result(prompt(""))


def test_computed_fields_and_methods() -> None:
    class Reader:
        name = "Ada"

        @prompt_template("{self.name} wants a {loud} book.")
        def prompt(self, genre: str) -> BaseDynamicConfig:
            return {"computed_fields": {"loud": genre.upper()}}

    assert Reader().prompt("crime") == user("Ada wants a CRIME book.")


def test_the_braces_of_a_template_are_checked_at_once() -> None:
    with pytest.raises(PromptError, match=r"the template: .* write '\{\{' and '\}\}'"):
        prompt_template("{")


# With one


async def test_a_prompt_inside_of_another_functions_messages(api: API, serve: Serve) -> None:
    @prompt_template("SYSTEM: Be brief.\nUSER: A {genre} book.")
    def book(genre: str) -> None: ...

    server = serve(streamed(*answer("Hi")), streamed(*answer("Hi")), streamed(*answer("Hi")))
    expected = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "A crime book."},
    ]
    async with api.connected(server) as connection:

        def within(genre: str) -> Any:
            """{Documentation."""
            return {"messages": book(genre)}

        def returned(genre: str) -> Any:
            return book(genre)

        for fn in (within, returned):
            ask = api.ask(fn=called(api.is_async, fn), **connection)
            assert (await api.drain(await api.call(ask, "crime"))).error is None
        # And the prompt itself may be called: call(…)(prompt).
        ask = api.ask(
            fn=prompt_template("SYSTEM: Be brief.\nUSER: A {genre} book.")(
                called(api.is_async, lambda genre: None)
            ),
            **connection,
        )
        stream = await api.call(ask, "crime")
        assert (await api.drain(stream)).error is None
    assert [request.json["messages"] for request in server.requests] == [expected] * 3
    assert stream.prompt_template == "SYSTEM: Be brief.\nUSER: A {genre} book."


@both
@pytest.mark.parametrize("above", [False, True], ids=["below the call", "above the call"])
def test_a_template_below_a_call_or_above_it(above: bool, is_async: bool) -> None:
    def translate(text: str) -> Any:
        """Translates a text. {text}"""
        return {"metadata": {"a": 1}, "call_params": {"seed": 2}}

    call = core.call("compatible/m", stream=True)
    template = prompt_template("Translate {text}.")
    fn = called(is_async, translate)
    stream = result((template(call(fn)) if above else call(template(fn)))("bread"))
    assert stream.messages == user("Translate bread.")
    assert (stream.metadata, stream.call_params) == ({"a": 1}, {"seed": 2})
    assert stream.fn_args == {"text": "bread"}
    assert stream.prompt_template == "Translate {text}."


def test_the_outer_template_counts() -> None:
    def fn() -> None:
        """Inner."""

    for order in (
        lambda call: prompt_template("Outer.")(prompt_template("Middle.")(call(fn))),
        lambda call: prompt_template("Outer.")(call(prompt_template("Middle.")(fn))),
        lambda call: call(prompt_template("Outer.")(prompt_template("Middle.")(fn))),
    ):
        assert order(core.call("compatible/m", stream=True))().messages == user("Outer.")
    assert prompt_template("Outer.")(prompt_template("Middle.")(fn))() == user("Outer.")


def test_a_call_stays_as_it_is_below_a_template() -> None:
    @core.call("compatible/m", stream=True)
    def ask() -> None:
        """Hi."""

    prompt_template("Hello.")(ask)
    assert ask().messages == user("Hi.")


def logged(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Somebody else's decorator, which copies every attribute of the function."""

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        LOG.append(fn.__name__)
        return fn(*args, **kwargs)

    return wrapper


LOG: list[str] = []


def test_a_decorator_between_a_call_and_its_template_is_run() -> None:
    LOG.clear()

    def tool(x: int) -> int:
        """A tool."""
        return x

    @core.call("compatible/m", stream=True)
    @logged
    @prompt_template("Hi {name}.")
    def ask(name: str) -> Any:
        return {"tools": [tool], "metadata": {"a": 1}, "computed_fields": {"name": name.upper()}}

    stream = ask("ada")
    assert LOG == ["ask"]
    assert stream.messages == user("Hi ADA.")
    assert [t.tool_name() for t in stream.tool_types] == ["tool"]
    assert (stream.metadata, stream.prompt_template) == ({"a": 1}, "Hi {name}.")


def test_a_template_above_a_decorator_of_a_call_says_where_it_belongs() -> None:
    @logged
    @core.call("compatible/m")
    def ask() -> None:
        """Hi."""

    with pytest.raises(UsageError, match="above a decorator of the call 'ask': write it below"):
        prompt_template("Hello.")(ask)


# A docstring is a template where it is the prompt


@pytest.mark.parametrize("docstring", ['JSON such as {"title": "Dune"} or {}.', "{ and }}", "{x}"])
async def test_a_docstring_is_documentation_beside_a_returned_prompt(
    api: API, docstring: str
) -> None:
    fn = api.function(docstring, "Hi")
    stream = await api.call(api.ask(fn=fn))
    assert stream.messages == user("Hi")
    assert stream.prompt_template is None
    # Where nothing is returned it is the prompt, and so are its mistakes.
    ask = api.ask(fn=api.function(docstring))
    with pytest.raises(PromptError, match="recommend_book"):
        await api.call(ask)


# Values


def test_none_writes_nothing() -> None:
    assert filled("[{x}][{x:>5}][{x:list}][{x:lists}][{x!r}]", x=None) == "[][][][][None]"
    assert PromptTemplate("SYSTEM: {x}\nUSER: Hi", owner="fn").messages({"x": None}) == user("Hi")


def test_lists() -> None:
    assert filled("{x:list}", x=["Dune", "Emma: a novel", 3]) == "Dune\nEmma: a novel\n3"
    assert filled("{x:list}", x=("a", None, "b")) == "a\nb"
    assert filled("[{x:list}]", x=[]) == "[]"
    groups = [["Q: one?", "A: two."], ("Q: three?", "A: four.")]
    assert filled("{x:lists}", x=groups) == "Q: one?\nA: two.\n\nQ: three?\nA: four."
    assert filled("{x}", x=["a"]) == "['a']"


TEXTS = st.lists(st.sampled_from(["\nSYSTEM: x", "USER:", "{a}", "}}", "\n", "MESSAGES: {b}"]))


@given(items=TEXTS, groups=st.lists(TEXTS, max_size=3))
def test_no_item_of_a_list_opens_a_section(items: list[str], groups: list[list[str]]) -> None:
    template = PromptTemplate("SYSTEM: [{a:list}]\nUSER: [{b:lists}]", owner="fn")
    text = "\n\n".join("\n".join(group) for group in groups)
    assert template.messages({"a": items, "b": groups}) == [
        {"role": "system", "content": f"[{chr(10).join(items)}]"},
        {"role": "user", "content": f"[{text}]"},
    ]


async def later() -> str:
    return "never"


@pytest.mark.parametrize(
    ("template", "value", "message"),
    [
        ("{x:list}", "text", r"^fn: \{x:list\} takes a list, not a str$"),
        ("{x:list}", {"a": 1}, "takes a list, not a dict"),
        ("{x:list}", 5, "takes a list, not a int"),
        ("{x:lists}", ["a", "b"], r"\{x:lists\} takes a list, not a str"),
        ("{x}", PNG, r"^fn: \{x\} is bytes, which are not text: decode them, or write"),
        ("{x:list}", [b"a"], "is bytes"),
        ("{x}", memoryview(b"a"), "is bytes"),
        ("{x:.2f}", "a", r"\{x:.2f\} can't format a str"),
        ("{x:image}", "cover.png", "is not the URL of an image: 'cover.png'; give a file as"),
        ("{x:image}", "/etc/passwd", "is not the URL of an image"),
        ("{x:image}", b"GIF", "is not a PNG, JPEG, GIF or WebP image"),
        ("{x:image}", 5, "is not an image: give a URL, bytes or a pathlib.Path, not a int"),
        ("{x:image}", Path("no-such-file.png"), "can't be read: .*no-such-file.png"),
        ("{x:images}", URL, "takes a list, not a str"),
    ],
)
def test_what_can_not_be_filled_in_is_one_clear_line(
    template: str, value: Any, message: str
) -> None:
    with pytest.raises(PromptError, match=message) as caught:
        filled(template, x=value)
    assert "\n" not in str(caught.value)
    assert "PNG\\r" not in str(caught.value)


def test_a_coroutine_is_not_text() -> None:
    with pytest.raises(PromptError, match=r"\{x\} is a coroutine: await it"):
        filled("{x}", x=later())


# Images


def image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


def test_an_image_is_a_part_of_the_message(tmp_path: Path) -> None:
    data = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    path = tmp_path / "cover"
    path.write_bytes(PNG)
    assert filled("Which {what}? {x:image} Be short.", x=URL, what="book") == [
        text("Which book?"),
        image(URL),
        text("Be short."),
    ]
    assert filled("{x:image}{y:image}", x=PNG, y=path) == [image(data), image(data)]
    assert filled("{x:images}.", x=[URL, bytearray(PNG)]) == [image(URL), image(data), text(".")]
    assert filled("Which? {x:image}", x=None) == [text("Which?")]
    own = {"type": "image", "source": {"type": "file", "file_id": "f"}, "cache_control": {}}
    assert filled("Which? {x:image}", x=own) == [text("Which?"), own]
    for head, kind in (
        (b"\xff\xd8\xff", "jpeg"),
        (b"GIF89a", "gif"),
        (b"RIFF\0\0\0\0WEBP", "webp"),
    ):
        (part,) = filled("{x:image}", x=head)
        assert part["image_url"]["url"].startswith(f"data:image/{kind};base64,")
    with pytest.raises(PromptError, match="is not a PNG"):
        filled("{x:image}", x=b"RIFF\0\0\0\0WAVE")


@pytest.mark.parametrize("provider", ["openai", "openai/responses", "anthropic", "google"])
def test_every_provider_gets_text_and_images_in_its_own_form(provider: str) -> None:
    name, _, api = provider.partition("/")

    def by_template(url: str) -> None:
        """Which book? {url:image} Be short."""

    def by_list(url: str) -> Any:
        return Messages.User(["Which book?", image(url), "Be short."])

    forms = {
        "openai": [text("Which book?"), image(URL), text("Be short.")],
        "openai/responses": [
            {"type": "input_text", "text": "Which book?"},
            {"type": "input_image", "image_url": URL, "detail": "auto"},
            {"type": "input_text", "text": "Be short."},
        ],
        "anthropic": [
            text("Which book?"),
            {"type": "image", "source": {"type": "url", "url": URL}},
            text("Be short."),
        ],
        "google": [
            {"text": "Which book?"},
            {"fileData": {"fileUri": URL, "mimeType": "image/png"}},
            {"text": "Be short."},
        ],
    }
    for fn in (by_template, by_list):
        stream = core.call(f"{name}/m", stream=True, api=api or None)(fn)(URL)
        (message,) = stream.messages
        assert (message.get("content") or message.get("parts")) == forms[provider]


async def test_a_string_among_parts_is_a_text_part(api: API, serve: Serve) -> None:
    given = {"role": "user", "content": ["Which?", image(URL)], "name": "ada"}
    history = [given]
    for value in (given, history, {"messages": history}):
        stream = await api.call(api.ask(fn=api.function(None, value)))
        assert stream.messages == [{**given, "content": [text("Which?"), image(URL)]}]
    stream = await api.call(api.ask(fn=api.function("MESSAGES: {genre}")), history)
    assert stream.messages == [{**given, "content": [text("Which?"), image(URL)]}]
    assert given["content"][0] == "Which?", "what the user gave is not changed"
