"""`--schema`: JSON of a type that is named, as it comes, and validated at its end."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mirascope.core.testing import Server, streamed
from mirascope_tests.chat import DONE, answer, chunk

from .program import DEADLINE, command, environment, lines, mirascope, run
from .terminals import TerminalRun

Serve = Callable[..., Server]

SHOP = '''
from enum import Enum
from pydantic import BaseModel, Field

class Book(BaseModel):
    """A book."""

    title: str
    stars: int = Field(ge=1, le=5)

class Shelf:
    Genre = Enum("Genre", {"FANTASY": "fantasy"})

books = list[Book]
'''
SCHEMA = {
    "title": "Book",
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "stars": {"$ref": "#/$defs/Stars"},
    },
    "required": ["title", "stars"],
    "additionalProperties": False,
    "$defs": {"Stars": {"type": "integer", "minimum": 1, "maximum": 5}},
}
DUNE = '{"title": "Dune",\n "stars": 5}'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "broken.py").write_text("1 / 0")
    (tmp_path / "needy.py").write_text("import not_there_at_all")
    (tmp_path / "book.json").write_text(json.dumps(SCHEMA))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def cut(text: str, size: int = 5) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def called(name: str, *pieces: str) -> list[bytes]:
    first = {"index": 0, "id": "a", "function": {"name": name, "arguments": ""}}
    more = [{"index": 0, "function": {"arguments": piece}} for piece in pieces]
    return [*(chunk(tool_calls=[call]) for call in (first, *more)), chunk(finish="stop"), DONE]


@pytest.mark.parametrize("schema", ["shop:Book", "book.json", "./book.json"])
@pytest.mark.usefixtures("folder")
def test_the_value_is_piped_as_it_is(serve: Serve, schema: str) -> None:
    server = serve(streamed(*answer("Here it is:\n```json\n", *cut(DUNE), "\n```")))
    done = run(server, "Recommend a book.", "--schema", schema)
    assert done.stdout == DUNE.encode() + b"\n"
    assert done.returncode == 0
    (line,) = lines(done.stderr)
    assert line.startswith("compatible/gpt-4o-2024-08-06: 12 tokens in, 102 out, ")
    asked = server.requests[0].json["response_format"]
    assert asked["type"] == "json_schema"
    assert asked["json_schema"]["name"] == "Book"
    assert asked["json_schema"]["strict"] is True
    assert list(asked["json_schema"]["schema"]["properties"]) == ["title", "stars"]


@pytest.mark.usefixtures("folder")
def test_a_list_comes_without_what_it_was_asked_for_in(serve: Serve) -> None:
    told = f'{{"value": [{DUNE}, {DUNE}]}}'
    done = run(serve(streamed(*answer(*cut(told)))), "hi", "--schema", "shop:books")
    assert done.stdout == f"[{DUNE}, {DUNE}]\n".encode()
    assert done.returncode == 0


@pytest.mark.usefixtures("folder")
def test_a_type_within_a_class(serve: Serve) -> None:
    server = serve(streamed(*answer('{"value": "fantasy"}')))
    done = run(server, "hi", "--schema", "shop:Shelf.Genre")
    assert (done.returncode, done.stdout) == (0, b'"fantasy"\n')


@pytest.mark.usefixtures("folder")
def test_in_tool_mode_the_call_is_the_value_and_is_not_told_as_a_call(serve: Serve) -> None:
    server = serve(streamed(*called("Book", *cut(DUNE))))
    done = run(server, "hi", "--schema", "book.json", "--schema-mode", "tool")
    assert done.stdout == DUNE.encode() + b"\n"
    assert len(lines(done.stderr)) == 1
    asked = server.requests[0].json
    assert asked["tool_choice"] == "required"
    assert asked["tools"][0]["function"]["parameters"]["properties"]["stars"]["maximum"] == 5


@pytest.mark.parametrize("schema", ["shop:Book", "book.json"])
@pytest.mark.parametrize(
    ("events", "shown", "said"),
    [
        (answer('{"title": "Dune", "stars": 9}'), '{"title": "Dune", "stars": 9}', "stars"),
        (
            [chunk('{"title": "Du'), chunk(finish="length"), DONE],
            '{"title": "Du',
            "the answer was cut before the Book was whole: raise max_tokens",
        ),
        (answer("I know none."), "", "the answer contains no JSON of a Book"),
        ([chunk(refusal="I won't."), chunk(finish="stop"), DONE], "", "declined: I won't."),
        ([chunk('{"title": "Du')], '{"title": "Du', "the response ended before its protocol"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_an_answer_that_is_no_value(
    serve: Serve, schema: str, events: list[bytes], shown: str, said: str
) -> None:
    done = run(serve(streamed(*events)), "hi", "--schema", schema)
    assert done.returncode == 1
    assert done.stdout.decode().rstrip("\n") == shown
    problem, summary = lines(done.stderr)[:2]
    assert problem.startswith("mirascope: ")
    assert said in problem
    assert summary.startswith("compatible/gpt-4o-2024-08-06: ")


@pytest.mark.usefixtures("folder")
def test_a_call_in_place_of_the_value_is_told(serve: Serve) -> None:
    done = run(serve(streamed(*called("look_up", "{}"))), "hi", "--schema", "shop:Book")
    assert done.returncode == 1
    call, problem, _ = lines(done.stderr)
    assert call == "tool call: look_up({})"
    assert "the model called 'look_up' and gave no Book" in problem


@pytest.mark.usefixtures("folder")
def test_as_one_object_and_as_lines(serve: Serve) -> None:
    done = run(
        serve(streamed(*answer(*cut(DUNE)))), "hi", "--schema", "shop:Book", "--format", "json"
    )
    (whole,) = map(json.loads, lines(done.stdout))
    assert whole["value"] == {"title": "Dune", "stars": 5}
    assert whole["error"] is None
    assert whole["text"] == DUNE
    bad = f"{DUNE[:-2]}7}}"
    done = run(
        serve(streamed(*answer(*cut(bad)))), "hi", "--schema", "shop:Book", "--format", "jsonl"
    )
    *pieces, last = map(json.loads, lines(done.stdout))
    assert done.returncode == 1
    assert "".join(piece["text"] for piece in pieces) == bad
    assert last["value"] is None
    assert last["state"] == "completed"
    assert last["error"]["type"] == "ResponseValidationError"


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("missing.json", "'missing.json': No such file or directory"),
        ("nowhere:Book", "--schema: there is no module 'nowhere'"),
        ("shop.nowhere:Book", "--schema: there is no module 'shop.nowhere'"),
        ("shop:Bok", "--schema: module 'shop' has no 'Bok'"),
        ("shop:Shelf.Bok", "--schema: module 'shop' has no 'Shelf.Bok'"),
        ("broken:Book", "--schema: importing 'broken' failed with ZeroDivisionError: division by"),
        ("needy:Book", "--schema: 'needy' needs 'not_there_at_all': install it"),
        ("shop:Shelf", "--schema Shelf can't be used: PydanticSchemaGenerationError: Unable to"),
        ("shop.py", "--schema 'shop.py' is not valid JSON: "),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_names_no_type_is_told_in_one_line(schema: str, said: str) -> None:
    done = mirascope("run", "-m", "openai/gpt-4o", "--schema", schema, "hi")
    assert done.returncode == 2
    assert done.stdout == b""
    (line,) = lines(done.stderr)
    assert line.startswith(f"mirascope: {said}")


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (5, "the whole is not a JSON schema"),
        (True, "a JSON schema of an answer is a JSON object"),
        ({"type": "strng"}, "'strng' is not a type of JSON"),
        ({"$ref": "#/$defs/no"}, "the reference '#/$defs/no' leads nowhere"),
        ({"$ref": "other.json"}, "the reference 'other.json' leads out of the file"),
        (
            {"type": "object", "properties": {"next": {"$ref": "#"}}},
            "'#' refers to itself, which only a model of a module can: give module:Name",
        ),
        ({"unevaluatedProperties": False}, "the keyword 'unevaluatedProperties' is not supported"),
        ({"pattern": "("}, "the pattern '(' is not one of Python's"),
        ({"minimum": "1"}, "'minimum' must be a number, not '1'"),
        ({"properties": []}, "/properties is not what this keyword takes"),
        ({"enum": "a"}, "'enum' must be an array, not 'a'"),
    ],
)
def test_a_file_that_is_no_schema(folder: Path, schema: Any, said: str) -> None:
    (folder / "odd.json").write_text(json.dumps(schema))
    done = mirascope("run", "-m", "openai/gpt-4o", "--schema", "odd.json", "hi")
    assert done.returncode == 2
    (line,) = lines(done.stderr)
    assert line.startswith(f"mirascope: --schema 'odd.json': {said}")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--schema-mode", "tool"], "--schema-mode tells how --schema is asked for: give --schema"),
        (["-p", "response_model=1"], "--param can't give 'response_model': name the type with"),
        (["-p", "response_mode=tool"], "--param can't give 'response_mode': give --schema-mode"),
        (["--schema", "shop:Book", "-p", "n=2"], "a --schema is one answer: n=2 asks for several"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_wrong_uses(arguments: list[str], said: str) -> None:
    done = mirascope("run", "-m", "openai/gpt-4o", *arguments, "hi")
    assert done.returncode == 2
    (line,) = lines(done.stderr)
    assert line.startswith(f"mirascope: {said}")


@pytest.mark.usefixtures("folder")
def test_a_file_wins_over_a_module_of_the_same_name(serve: Serve) -> None:
    Path("shop:Book").write_text(json.dumps({"type": "object", "title": "Filed"}))
    server = serve(streamed(*answer("{}")))
    assert run(server, "hi", "--schema", "shop:Book").returncode == 0
    assert server.requests[0].json["response_format"]["json_schema"]["name"] == "Filed"


@pytest.mark.usefixtures("folder")
def test_in_a_terminal_it_is_shown_as_code(serve: Serve) -> None:
    session = TerminalRun(serve(streamed(*answer(*cut(DUNE)))), "--schema", "shop:Book")
    assert session.finish() == 0
    shown = [line.strip() for line in session.screen() if line.strip()]
    assert shown[:2] == ['{"title": "Dune",', '"stars": 5}']


@pytest.mark.parametrize("schema", ["shop:Book", "book.json"])
def test_a_recording_is_read_as_a_value(serve: Serve, folder: Path, schema: str) -> None:
    (folder / "good").write_bytes(b"".join(answer("So: ", *cut(DUNE))))
    (folder / "bad").write_bytes(b"".join(answer('{"title": "Dune", "stars": 0}')))
    (folder / "called").write_bytes(b"".join(called("Book", *cut(DUNE))))
    replay = ("replay", "--provider", "compatible", "--schema", schema)
    for name in ("good", "called"):
        done = mirascope(*replay, name)
        assert (done.returncode, done.stdout) == (0, DUNE.encode() + b"\n")
    done = mirascope(*replay, "bad")
    assert (done.returncode, done.stdout) == (1, b'{"title": "Dune", "stars": 0}\n')
    problem, summary = lines(done.stderr)
    assert re.match("mirascope: .*the answer does not fit: .*stars", problem)
    assert summary.startswith("compatible/")
    done = mirascope(*replay, "--many", stdin=b"good\nbad\nmissing\n")
    made = [json.loads(line) for line in lines(done.stdout)]
    assert done.returncode == 1
    assert [each.get("value") for each in made] == [{"title": "Dune", "stars": 5}, None, None]
    assert [each["error"] and each["error"]["type"] for each in made] == [
        None,
        "ResponseValidationError",
        "FileNotFoundError",
    ]
    done = mirascope(*replay, "--format", "json", "good")
    assert json.loads(done.stdout)["value"] == {"title": "Dune", "stars": 5}


@pytest.mark.usefixtures("folder")
def test_the_program_finds_modules_beside_it_as_a_console_script_too(serve: Serve) -> None:
    # `python -P` leaves the working directory out of the path, as a console script does.
    server = serve(streamed(*answer(DUNE)))
    python, *rest = command("run", "-m", "compatible/x", "--base-url", server.url, "hi")
    done = subprocess.run(
        [python, "-P", *rest, "--schema", "shop:Book"],
        capture_output=True,
        env=environment(),
        timeout=DEADLINE,
        stdin=subprocess.DEVNULL,
    )
    assert done.stdout == DUNE.encode() + b"\n"
