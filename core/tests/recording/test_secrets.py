"""What is kept out of recordings, wherever it hides (E4)."""

from __future__ import annotations

import base64
import math
import os
import time
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirascope.core._secrets._hiding import Secrets
from pydantic import BaseModel

KEY = "abcabcab-secret"


def clean(value: Any, *values: str) -> Any:
    return Secrets(values).clean({"value": value})["value"]


@given(st.lists(st.sampled_from(["a", "abc", KEY, KEY[:9], KEY[9:], "x\n"])), st.data())
def test_a_credential_in_any_pieces_of_a_body(parts: list[str], data: st.DataObject) -> None:
    body = "".join(parts).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    secrets = Secrets([KEY])
    fed = [secrets.feed(piece)[0] for piece in pieces]
    assert b"".join([*fed, secrets.take_held()]) == body.replace(KEY.encode(), b"***")
    assert secrets.take_held() == b""


def test_bytes_come_as_they_are_read_where_no_credential_begins() -> None:
    secrets = Secrets([KEY])
    assert secrets.feed(b"data: x\n\n") == (b"data: x\n\n", False)
    assert secrets.feed(f"<{KEY}>".encode()) == (b"<***>", True)
    assert Secrets(()).feed(KEY.encode()) == (KEY.encode(), False)


def test_a_credential_that_json_escapes() -> None:
    secrets = Secrets(['quo"te\\d-key', "schlüssel-1"])
    assert secrets.hide('{"a": "quo\\"te\\\\d-key", "b": "schl\\u00fcssel-1 schlüssel-1"}') == (
        '{"a": "***", "b": "*** ***"}'
    )


def found(
    settings: dict[str, Any] | None = None, request: Any = None, client: Any = None, **env: str
) -> list[str]:
    """Which of some words are credentials of a call."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            patch.delenv(name)
        for name, value in env.items():
            patch.setenv(name, value)
        secrets = Secrets.of(
            settings=settings or {},
            client=client,
            request=request or {},
            variables=["MY_LOGIN"],
        )
    words = ["first-word", "second-word", "third-word", "application/json", "us-central1"]
    return [word for word in words if secrets.hide(word) != word]


class Client:
    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)

    @property
    def secret(self) -> str:
        raise AssertionError("a client's code must not run")


def test_where_credentials_are_found() -> None:
    assert found({"api_key": "first-word", "location": "us-central1"}) == ["first-word"]
    headers = {
        "Authorization": "Bearer first-word",
        "X-Api-Key": "second-word",
        "Accept": "application/json",
        "X-Auth": "Token third-word",
    }
    assert found({"headers": headers}) == ["first-word", "second-word", "third-word"]
    assert found({"base_url": "http://first-word:second%2Dword@[::1]:8000/v1"}) == [
        "first-word",
        "second-word",
    ]
    assert found({"base_url": "http://[broken", "api_key": None}) == []
    servers = [{"authorization_token": "first-word", "name": "second-word"}]
    assert found(request={"extra_body": {"mcp_servers": servers}}) == ["first-word"]
    assert found(ACME_API_KEY="first-word", MY_LOGIN="second-word", HOME="third-word") == [
        "first-word",
        "second-word",
    ]
    part = SimpleNamespace(_api_key="first-word", parent=None, headers={"cookie": "second-word"})
    client = Client(api=part, name="third-word", module=os, kind=Client, number=1)
    part.parent = client
    assert found(client=client) == ["first-word", "second-word"]
    assert found(client=object()) == []


def test_a_short_password_is_hidden_in_its_address() -> None:
    settings = {"base_url": "https://anna:p%40ss@host.test/v1"}
    secrets = Secrets.of(settings=settings, request={})
    for shown in ("https://anna:p%40ss@host.test/v1", "at anna:p@ss@host.test"):
        assert "***host.test" in secrets.hide(shown)
    basic = base64.b64encode(b"anna:p@ss").decode()
    assert secrets.hide(f"Basic {basic}") == "Basic ***"
    assert secrets.hide("p@ss is short") == "p@ss is short"


@pytest.mark.parametrize("value", ["", "EMPTY", "ollama", "none"])
def test_placeholders_are_no_credentials(value: str) -> None:
    assert Secrets([value]).hide(f"a {value} b") == f"a {value} b"


@pytest.mark.parametrize(
    "value", ["/var/models/llama-3.2-1b", "C:\\models\\llama-3.2-1b", "models/llama-3.2-1b.gguf"]
)
def test_the_key_of_a_cache_of_files_is_not_a_credential(value: str) -> None:
    key = "unlike-any-prefix-0123456789"
    assert Secrets.of_variables({"key": value, "token": key}) == [key]


class Part(BaseModel):
    text: str
    api_key: str = "unset"


class Broken:
    def model_dump(self, **_: object) -> None:
        raise RuntimeError


def test_a_request_as_json() -> None:
    assert clean({"a": [1, 2.5, True, None, "x"], 3: (b"\x00\xff",)}) == {
        "a": [1, 2.5, True, None, "x"],
        "3": ["AP8="],
    }
    assert clean([math.nan, math.inf]) == [None, None]
    assert clean(Part(text=f"a {KEY}"), KEY) == {"text": "a ***"}
    assert clean(Part(text="a", api_key="b")) == {"text": "a", "api_key": "***"}
    assert clean([object(), Broken(), Part, print]) == ["<object>", "<Broken>", "<Part>", "<print>"]
    endless: list[Any] = []
    endless.append(endless)
    assert Secrets(()).clean({"value": endless}) is None


def test_what_looks_like_a_credential_in_a_request() -> None:
    assert clean("Authorization: Bearer abcdef012345") == "Authorization: Bearer ***"
    assert clean("my key is sk-proj-abcdef0123456789") == "my key is ***"
    assert clean({"extra_headers": {"A": "b"}, "headers": "x", "max_tokens": 5, "tokens": "x"}) == {
        "extra_headers": "***",
        "headers": "***",
        "max_tokens": 5,
        "tokens": "x",
    }
    # The schema of a tool has names, and no credentials.
    schema = {"properties": {"api_key": {"type": "string"}, "token": {"type": "string"}}}
    assert clean(schema) == schema


def test_a_picture_is_not_searched_for_what_looks_like_a_credential() -> None:
    data = base64.b64encode(os.urandom(3_000_000)).decode() + "+/sk/AIza" + "b" * 30
    start = time.perf_counter()
    assert clean(data) == data
    assert clean(f"data:image/png;base64,{data}") == f"data:image/png;base64,{data}"
    # The search itself takes half a second, which an event loop would have to wait for.
    assert time.perf_counter() - start < 5
    assert clean(f"{data} sk-proj-abcdef0123456789").endswith(" ***")
    assert clean(f"{data[:5000]}{KEY}", KEY) == f"{data[:5000]}***"
