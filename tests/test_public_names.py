"""Every public name stays where it is, and says so: in tracebacks, pickles and annotations."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pickle
import subprocess
import sys
import tomllib
import typing
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest
from mirascope.core import (
    BaseMessageParam,
    BaseTool,
    Cost,
    InvalidTool,
    Messages,
    StreamState,
    Timeouts,
    ToolCall,
    Usage,
    UsageError,
)
from mirascope.core.plugins import publish
from pydantic import BaseModel, TypeAdapter, ValidationError
from typing_extensions import is_typeddict

from .plugins.lab import clean_environment

ROOT = Path(__file__).resolve().parents[1]
LISTED = tomllib.loads(Path(__file__).with_name("public_names.toml").read_text("utf-8"))
PROVIDERS = sorted(path.parent.name for path in ROOT.glob("providers/*/pyproject.toml"))
PACKAGES = [
    "mirascope",
    "mirascope.core",
    "mirascope.core.base",
    "mirascope.core.http",
    "mirascope.core.plugins",
    "mirascope.core.prices",
    "mirascope.core.testing",
    "mirascope.core.testing.fixtures",
    "mirascope.core.wire",
    "mirascope.llm",
    *(f"mirascope_{name}" for name in PROVIDERS),
]


def public(package: str) -> dict[str, Any]:
    """Return what a package exports."""
    module = importlib.import_module(package)
    return {name: getattr(module, name) for name in module.__all__}


EXPORTED = {
    f"{package}.{name}": value
    for package in PACKAGES
    for name, value in public(package).items()
    if isinstance(value, type | FunctionType)
}
CLASSES = {name: value for name, value in EXPORTED.items() if isinstance(value, type)}


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# Names stay


@pytest.mark.parametrize("package", LISTED)
def test_a_name_that_was_public_is_public(package: str) -> None:
    names = LISTED[package].split()
    assert len(names) == len(set(names)) > 0
    for name in names:
        namespace: dict[str, Any] = {}
        exec(f"from {package} import {name}", namespace)
        assert namespace[name] is not None


def test_the_list_names_every_public_module() -> None:
    assert {*PACKAGES, "mirascope.cli"} == set(LISTED)


# Names say where they are


@pytest.mark.parametrize("name", EXPORTED)
def test_an_exported_name_says_its_public_module(name: str) -> None:
    value = EXPORTED[name]
    module = value.__module__
    assert module in PACKAGES
    assert getattr(importlib.import_module(module), value.__qualname__) is value
    assert pickle.loads(pickle.dumps(value)) is value


def test_a_traceback_shows_the_public_name() -> None:
    raised = run(
        "from mirascope.core import StreamTruncatedError\n"
        "raise StreamTruncatedError('the body ended', provider='p')"
    )
    assert (
        raised.stderr.splitlines()[-1] == "mirascope.core.StreamTruncatedError: p: the body ended"
    )


def test_a_class_that_is_loaded_later_is_public_even_if_nobody_asks_for_it() -> None:
    shown = run(
        "from mirascope.core.plugins import statuses\n"
        "status = statuses()[0]\n"
        "print(type(status).__module__, type(status.state).__module__)"
    )
    assert shown.stdout.split() == ["mirascope.core.plugins"] * 2, shown.stderr


def test_a_name_that_is_loaded_later_is_looked_up_once() -> None:
    shown = run(
        "import mirascope.core.plugins as p\n"
        "assert 'provider' not in vars(p)\n"
        "p.provider\n"
        "print('provider' in vars(p), 'statuses' in vars(p))"
    )
    assert shown.stdout.split() == ["True", "False"], shown.stderr


def test_a_pickle_holds_public_paths_alone() -> None:
    values = [
        UsageError("no"),
        StreamState.TIMED_OUT,
        Usage(input_tokens=1, output_tokens=2),
        ToolCall(id="1", name="f", arguments="{}"),
    ]
    pickled = pickle.dumps(values)
    assert b"mirascope.core" in pickled
    assert b"._" not in pickled
    again = pickle.loads(pickled)
    assert [type(value) for value in again] == [type(value) for value in values]
    assert again[1:] == values[1:]
    assert again[0].args == ("no",)


# Annotations are understood from there

# What only type checkers import can't be known at run time: an SDK's classes, and rooms above.
UNKNOWN = {
    "mirascope.core.PluginError",
    "mirascope.core.Provider",
    "mirascope.core.ProviderSpec",
    "mirascope.core.StreamCancelledError",
    "mirascope.core.StreamDecodeError",
    "mirascope.core.StreamError",
    "mirascope.core.StreamInterruptedError",
    "mirascope.core.StreamLimitError",
    "mirascope.core.StreamProviderError",
    "mirascope.core.StreamTimeoutError",
    "mirascope.core.StreamTruncatedError",
    "mirascope.core.http.HTTPProvider",
    "mirascope.core.plugins.ProviderSpec",
    "mirascope_anthropic.AnthropicProvider",
    "mirascope_compatible.ChatProvider",
    "mirascope_compatible.CompatibleProvider",
    "mirascope_google.GoogleProvider",
    "mirascope_local.LocalProvider",
    "mirascope_openai.OpenAIProvider",
    "mirascope_openai.OpenAIResponsesProvider",
}


@pytest.mark.parametrize("name", sorted(CLASSES.keys() - UNKNOWN))
def test_type_hints_of_a_class_are_found(name: str) -> None:
    cls = CLASSES[name]
    hints = typing.get_type_hints(cls, include_extras=True)
    assert not any(isinstance(hint, str | typing.ForwardRef) for hint in hints.values())
    for base in cls.__mro__:
        assert inspect.get_annotations(base).keys() <= hints.keys()


@pytest.mark.parametrize(
    "name", [name for name, value in EXPORTED.items() if isinstance(value, FunctionType)]
)
def test_type_hints_of_a_function_are_found(name: str) -> None:
    function = EXPORTED[name]
    known = typing.get_type_hints(function)
    assert known.keys() == inspect.get_annotations(function).keys()
    assert inspect.signature(function, eval_str=True).parameters is not None


# They hold a `ProviderSpec` and a `threading.Event`, which are not data.
OBJECTS = {"mirascope.core.plugins.PluginStatus", "mirascope.core.testing.Hold"}
RECORDS = [
    name
    for name, cls in CLASSES.items()
    if dataclasses.is_dataclass(cls) and name not in UNKNOWN | OBJECTS
]


@pytest.mark.parametrize("name", RECORDS)
def test_a_dataclass_is_a_field_of_a_model(name: str) -> None:
    assert TypeAdapter(CLASSES[name]).core_schema


TYPED_DICTS = [name for name, cls in CLASSES.items() if is_typeddict(cls)]


@pytest.mark.parametrize("name", TYPED_DICTS)
def test_a_typed_dict_is_a_field_of_a_model(name: str) -> None:
    """On Python 3.11 pydantic takes those of `typing_extensions` alone."""
    assert TypeAdapter(list[CLASSES[name]]).core_schema  # type: ignore[misc, name-defined]


def test_a_history_keeps_the_keys_of_every_provider() -> None:
    class Chat(BaseModel):
        history: list[BaseMessageParam] = []

    result = {"role": "tool", "tool_call_id": "call_1", "content": "noon"}
    thought = {"role": "assistant", "content": [{"type": "thinking", "signature": "s"}], "x": None}
    chat = Chat.model_validate({"history": [Messages.User("Hi"), result, thought]})
    assert chat.history[1:] == [result, thought]
    again = Chat.model_validate_json(chat.model_dump_json())
    assert again == chat
    assert again.history[1]["tool_call_id"] == "call_1"  # type: ignore[typeddict-item]


def test_parameters_of_an_api_keep_the_ones_that_nobody_listed() -> None:
    for name in TYPED_DICTS:
        if name.endswith("CallParams"):
            given = {"temperature": 0.5, "brand_new": {"a": 1}}
            assert TypeAdapter(CLASSES[name]).validate_python(given) == given


@pytest.mark.parametrize("name", [name for name in TYPED_DICTS if "DynamicConfig" in name])
def test_a_configuration_knows_its_keys_in_a_model_too(name: str) -> None:
    adapter = TypeAdapter(CLASSES[name])
    assert adapter.validate_python({"client": 3, "metadata": {"a": 1}})["client"] == 3
    with pytest.raises(ValidationError, match="metadta"):
        adapter.validate_python({"metadta": {}})
    with pytest.raises(ValidationError, match="firstchunk"):
        TypeAdapter(Timeouts).validate_python({"firstchunk": 3})


def test_values_pass_through_a_model_that_holds_them() -> None:
    class Bill(BaseModel):
        usage: Usage
        cost: Cost | None
        tool_call: ToolCall

    bill = Bill.model_validate(
        {
            "usage": {"input_tokens": "3", "output_tokens": 4},
            "cost": None,
            "tool_call": {"id": "1", "name": "f", "arguments": "{}"},
        }
    )
    assert (bill.usage.input_tokens, bill.tool_call.name) == (3, "f")


class Shelf(BaseTool):
    """Put a book on the shelf."""

    book: Book
    spare: Shelf | None = None

    def call(self) -> str:
        return self.book.title


class Book(BaseModel):
    title: str


def test_a_tool_of_the_user_s_finds_its_own_names() -> None:
    Shelf.model_rebuild(force=True)
    assert Shelf(book=Book(title="Emma")).call() == "Emma"
    assert typing.get_type_hints(Shelf)["book"] is Book
    assert "Book" in str(Shelf.tool_parameters())
    BaseTool.model_rebuild(force=True)
    InvalidTool.model_rebuild(force=True)
    assert InvalidTool.__module__ == "mirascope.core"


def test_the_source_of_what_is_exported_is_found() -> None:
    for value in EXPORTED.values():
        if isinstance(value, FunctionType):
            assert inspect.getsource(value).lstrip().startswith(("def ", "async def ", "@"))


# For other packages


def test_a_package_of_somebody_else_publishes_its_names() -> None:
    home = ModuleType("mirascope_acme._stream")
    sys.modules[home.__name__] = home
    exec(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from typing import ClassVar, TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from acme import Client\n"
        "@dataclass\n"
        "class AcmeRegion:\n"
        "    kind: ClassVar[str] = 'x'\n"
        "    size: int | None\n"
        "    client: Client\n"
        "class Private: ...\n"
        "def call(): ...\n"
        "def ask_acme(): ...\n"
        "NUMBER = 3\n",
        home.__dict__,
    )
    try:
        publish(
            {
                "__name__": "mirascope_acme",
                "__all__": ["NUMBER", "AcmeRegion", "AcmePlace", "Usage", "call", "ask", "later"],
                "AcmeRegion": home.AcmeRegion,
                "AcmePlace": home.AcmeRegion,
                "NUMBER": home.NUMBER,
                "Usage": Usage,
                "call": home.call,
                "ask": home.ask_acme,
            }
        )
    finally:
        del sys.modules[home.__name__]
    assert home.AcmeRegion.__module__ == home.call.__module__ == "mirascope_acme"
    assert (home.AcmeRegion.__qualname__, home.ask_acme.__qualname__) == ("AcmeRegion", "ask")
    assert home.Private.__module__ == "mirascope_acme._stream"
    assert Usage.__module__ == "mirascope.core"
    assert inspect.get_annotations(home.AcmeRegion) == {
        "kind": typing.ClassVar[str],
        "size": int | None,
        "client": "Client",
    }
    assert [field.type for field in dataclasses.fields(home.AcmeRegion)] == [int | None, "Client"]


# The document's name for a chunk

ALIASES = {
    "openai": "OpenAI",
    "anthropic": "Anthropic",
    "google": "Google",
    "compatible": "Compatible",
    "local": "Local",
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_chunk_has_the_short_name_of_the_documents(provider: str) -> None:
    module = importlib.import_module(f"mirascope.core.{provider}")
    short, long = (f"{ALIASES[provider]}{word}Chunk" for word in ("Response", "CallResponse"))
    assert {short, long} <= set(module.__all__)
    assert getattr(module, short) is getattr(module, long)
