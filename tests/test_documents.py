"""Every code block of the documents runs, on a real model, through the official SDK."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from mirascope.core import UnknownPriceWarning
from mirascope.core.testing import Server, sse, streamed
from mirascope_tests.documents import SEED, blocks, run
from mirascope_tests.llama import llama_server
from mirascope_tests.shared import needs_shared

ROOT = Path(__file__).parent.parent

MESSAGE = {"id": "msg_1", "role": "assistant", "model": "claude-sonnet-5", "content": []}
CLAUDE = streamed(
    sse({"type": "message_start", "message": {**MESSAGE, "usage": {"input_tokens": 12}}}),
    sse({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
    sse(
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "Certainly!"},
        }
    ),
    sse({"type": "content_block_stop", "index": 0}),
    sse(
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 102},
        }
    ),
    sse({"type": "message_stop"}),
)
CANDIDATE = {
    "content": {"role": "model", "parts": [{"text": "Certainly!"}]},
    "finishReason": "STOP",
}
COUNTS = {"promptTokenCount": 12, "candidatesTokenCount": 102, "totalTokenCount": 114}
GEMINI = streamed(sse({"candidates": [CANDIDATE], "usageMetadata": COUNTS}))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with llama_server("gpt-4o") as url:
        yield url


@pytest.fixture(autouse=True)
def openai_environment(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"{address}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-nobody")


@pytest.fixture(autouse=True)
def other_environments(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that answer as Anthropic and Gemini do, for the documents of these providers."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", serve(CLAUDE).url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key-of-nobody")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", serve(GEMINI).url)
    monkeypatch.setenv("GEMINI_API_KEY", "key-of-nobody")


@needs_shared
class TestSeed:
    """The user's own document, read in place; its four snippets run as written."""

    @pytest.fixture
    def snippets(self) -> list[str]:
        snippets = blocks(SEED, "python")
        assert len(snippets) == 4
        return snippets

    def test_streaming(self, snippets: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        namespace = run(snippets[0])
        printed = capsys.readouterr().out
        assert printed == namespace["stream"].content
        assert len(printed) > 20

    def test_the_class_of_a_stream(
        self, snippets: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        sentence = re.search(
            r"provider-specific subclass of `(\w+)`, which generates the provider-specific "
            r"subclass of `(\w+)`\. In the snippet above, it’s an `(\w+)\[(\w+)\]`",
            SEED.read_text("utf-8"),
        )
        assert sentence is not None
        names: dict[str, Any] = {}
        exec(f"from mirascope.core import {sentence[1]}, {sentence[2]}", names)
        exec(f"from mirascope.core.openai import {sentence[3]}, {sentence[4]}", names)
        base, base_chunk, stream_class, chunk_class = (names[word] for word in sentence.groups())
        namespace = run(snippets[0])
        capsys.readouterr()
        assert isinstance(namespace["stream"], stream_class)
        assert issubclass(stream_class, base)
        assert type(namespace["chunk"]) is chunk_class
        assert issubclass(chunk_class, base_chunk)
        assert get_args(stream_class[chunk_class]) == (chunk_class,)
        assert get_origin(stream_class[chunk_class]) is stream_class

    def test_stream_properties(
        self, snippets: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        code = snippets[1].replace("\t# do stuff with `chunk` \n", "\tpass\n")
        namespace = run(f"from mirascope.core import openai\n{code}")
        usage, cost, message, user_message = capsys.readouterr().out.splitlines()
        assert re.match(
            r"CompletionUsage\(completion_tokens=\d+, prompt_tokens=\d+, total_tokens=\d+", usage
        )
        tokens = namespace["results"].usage
        cached = tokens.prompt_tokens_details.cached_tokens if tokens.prompt_tokens_details else 0
        millionths = (
            (tokens.prompt_tokens - cached) * 2.5 + cached * 1.25 + tokens.completion_tokens * 10
        )
        assert float(cost) == pytest.approx(millionths / 1e6)
        content = namespace["results"].content
        assert eval(message) == {"content": content, "role": "assistant"}
        assert eval(user_message) == {"content": "Recommend a fantasy book.", "role": "user"}

    def test_provider_chunks(self, snippets: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        namespace = run(snippets[0])
        fresh = {"results": namespace["recommend_book"](genre="fantasy")}
        capsys.readouterr()
        run(snippets[2], fresh)
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) > 10
        assert all(line.startswith("ChatCompletionChunk(id='chatcmpl-") for line in lines)

    def test_async(self, snippets: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        run(snippets[3])
        assert len(capsys.readouterr().out) > 20


PAGES = sorted((ROOT / "docs").rglob("*.md"))
READMES = [
    ROOT / "README.md",
    ROOT / "core" / "README.md",
    *sorted(ROOT.glob("providers/*/README.md")),
]
DOCUMENTS = [*READMES, *PAGES]
# The files of the guide are built and run by tests/plugins/test_guide.py.
GUIDE = ROOT / "docs" / "plugins.md"


@pytest.mark.parametrize(
    "path",
    [path for path in PAGES if path != GUIDE] + READMES,
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_python_blocks(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each block runs alone, as a reader would paste it, in one directory for the page.

    What it prints is what its lines `# >` show, where it has any. Those of README go on from the
    ones above them. One that begins with the name of a file is that file for the ones below.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    namespace: dict[str, Any] = {"__name__": "document"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnknownPriceWarning)
        for code in blocks(path, "python"):
            if path != ROOT / "README.md":
                namespace = {"__name__": "document"}
            run(code, namespace)
            if name := re.match(r"# ((\w+)\.py)\n", code):
                (tmp_path / name[1]).write_text(code, "utf-8")
                monkeypatch.delitem(sys.modules, name[2], raising=False)
            printed = capsys.readouterr().out
            if shown := re.findall(r"^ *# >(?: (.*))?$", code, re.MULTILINE):
                assert as_shown(printed, shown), f"{printed!r} is not {shown}"


def test_every_variable_of_the_environment_is_on_its_page() -> None:
    page = (ROOT / "docs" / "environment.md").read_text("utf-8")
    listed = set(re.findall(r"`([A-Z][A-Z_]+)", page))
    sources = [*ROOT.glob("core/src/**/*.py"), *ROOT.glob("providers/*/src/**/*.py")]
    read = {name for path in sources for name in VARIABLE.findall(path.read_text("utf-8"))}
    assert {"MIRASCOPE_PRICES", "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"} <= read
    assert read <= listed


VARIABLE = re.compile(r"""["'`]((?:MIRASCOPE|OPENAI|ANTHROPIC|GEMINI|GOOGLE)_[A-Z_]+)["'`=]""")


def test_every_page_has_its_place() -> None:
    """Nobody would find a page that is not in `nav` of `zensical.toml`."""
    site = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))
    places = list(places_of(site["project"]["nav"]))
    assert sorted(places) == [path.relative_to(ROOT / "docs").as_posix() for path in PAGES]


def places_of(entries: Any) -> Iterator[str]:
    """The pages of a table of contents, from top to bottom."""
    if isinstance(entries, str):
        yield entries
    elif isinstance(entries, dict):
        yield from places_of(list(entries.values()))
    else:
        for entry in entries:
            yield from places_of(entry)


def test_the_files_of_the_page_on_testing(tmp_path: Path) -> None:
    for code in blocks(ROOT / "docs" / "testing.md", "python"):
        if name := re.match(r"# (\w+\.py)\n", code):
            (tmp_path / name[1]).write_text(code, "utf-8")
    plugins = ["-p", "mirascope._pytest_plugin", "-p", "no:cacheprovider"]
    words = [sys.executable, "-m", "pytest", "-q", *plugins, "--rootdir", tmp_path, tmp_path]

    def passed(*options: str, **variables: str) -> None:
        done = subprocess.run(
            [*words, *options],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "7 passed" in done.stdout, done.stdout

    passed()
    assert (tmp_path / "fantasy.jsonl").exists()
    passed("--mirascope-record=never", OPENAI_API_KEY="", OPENAI_BASE_URL="http://127.0.0.1:9")


def as_shown(printed: str, shown: list[str]) -> bool:
    """Whether a block printed these lines, where `…` stands for anything of any length."""
    pattern = r"\n".join(".*".join(map(re.escape, line.rstrip().split("…"))) for line in shown)
    lines = [line.rstrip() for line in printed.rstrip("\n").split("\n")]
    return re.fullmatch(pattern, "\n".join(lines), re.DOTALL) is not None


@pytest.mark.parametrize(
    ("printed", "shown", "same"),
    [
        ("a\nb \n", ["a", "b"], True),
        ("a\nb\n", ["a"], False),
        ("a\n", ["a", "b"], False),
        ("f(1)\nf(2)\n", ["f(…)"], True),
        ("f(1)\ng(2)\n", ["f(…)", "f(…)"], False),
        ("a.b\n", ["a b"], False),
        ("\n", [""], True),
    ],
)
def test_what_is_printed_is_compared(printed: str, shown: list[str], same: bool) -> None:
    assert as_shown(printed, shown) is same


def commands(path: Path) -> list[str]:
    return [
        line
        for block in blocks(path, "console")
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


README_COMMANDS = [
    line.removeprefix("$ ")
    for line in commands(ROOT / "README.md")
    if line.startswith("$ mirascope ")
]


@pytest.mark.parametrize("command", README_COMMANDS)
def test_command(command: str) -> None:
    """`mirascope …` as the README writes it, with this environment's Python."""
    _, *arguments = shlex.split(command)
    result = subprocess.run(
        [sys.executable, "-m", "mirascope", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()


def test_the_readme_names_the_commands_of_the_continuous_integration() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "python3 tests/first_commands.py" in script
    assert "uv run nox" in script
    assert "\n$ uv run nox\n" in readme
    assert shutil.which("bash")


def test_the_glossary_s_words_are_those_of_the_code() -> None:
    rows = re.findall(
        r"^\| ([^|`]+) \| [^|]+\. \| (?:`(\w+)` )?\|$",
        (ROOT / "docs" / "glossary.md").read_text("utf-8"),
        re.MULTILINE,
    )
    assert len(rows) > 30
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "core" / "src").rglob("*.py"))
    for word, name in rows:
        definition = rf"^ *(class|def) {name}\b|^ *{name}(: .*)?( = |$)|^    {name}:"
        assert not name or re.search(definition, sources, re.MULTILINE), word
    words = {part for word, _ in rows for part in word.split(", ")}
    assert {"call", "request", "answer", "delta", "block", "piece", "event", "fact"} <= words
