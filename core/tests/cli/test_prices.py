"""`mirascope prices`, as processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mirascope_openai")

TABLE = """\
schema = 1
provider = "openai"
updated = 2026-11-22
currency = "USD"
source = "https://example.com/prices"

[models."gpt-x"]
prices = [{ input = 1, output = 2 }]
"""


def prices(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mirascope", "prices", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


def one_line(result: subprocess.CompletedProcess[str], status: int) -> str:
    assert result.returncode == status, result
    assert "Traceback" not in result.stderr
    (line,) = result.stderr.splitlines()
    return line


def test_list_names_every_model_of_a_provider() -> None:
    result = prices("list", "openai")
    assert result.returncode == 0
    lines = [line.split("  ") for line in result.stdout.splitlines()]
    (gpt_4o,) = (line for line in lines if line[0] == "openai/gpt-4o")
    assert {"input 2.5", "cache_read 1.25", "output 10"} <= set(gpt_4o)


def test_show_has_every_row_of_a_model() -> None:
    result = prices("show", "openai", "gpt-5.4")
    assert result.returncode == 0
    assert "above 272000" in result.stdout
    assert "service_tier flex" in result.stdout


def test_a_model_without_prices_is_one_line() -> None:
    assert "'gpt-0'" in one_line(prices("show", "openai", "gpt-0"), 1)


def test_lint_says_what_is_wrong_with_file_and_key(tmp_path: Path) -> None:
    table = tmp_path / "prices.toml"
    table.write_text(TABLE)
    assert prices("lint", str(table)).returncode == 0
    table.write_text(TABLE.replace("output = 2", "outptu = 2"))
    result = prices("lint", str(table))
    assert result.returncode == 1
    assert str(table) in result.stderr + result.stdout
    assert "outptu" in result.stderr + result.stdout


HEAD = """schema = 1
provider = "acme"
updated = 2026-11-22
currency = "USD"
source = "https://acme.example/pricing"
"""
STANDARD = "{ input = 3, output = 15 }"
FLEX = '{ when = { service_tier = "flex" }, input = 1, output = 2 }'


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("{ input = 0.000003, output = 15 }", "looks like that of one token"),
        ("{ input = 3, output = 15, web_search = 0.01 }", "looks like dollars for one"),
        ("{ input = 3 }", "it has no price for output"),
        (
            "{ until = 2026-01-01, input = 3, output = 15 }, "
            "{ from = 2026-02-01, input = 3, output = 15 }",
            "input has no price from 2026-01-01 until 2026-02-01",
        ),
        (f"{STANDARD}, {FLEX.replace('service_t', 'servicet')}", "is it 'service_tier'?"),
        (f"{STANDARD}, {FLEX.replace('flex', 'batch')}", 'write processing = "batch"'),
        (f"{STANDARD}, {FLEX.replace('input = 1', 'input = 4')}", "more at service_tier 'flex'"),
        (f"{STANDARD}, {FLEX.replace('flex', 'priority')}", "less at service_tier 'priority'"),
        (
            f"{STANDARD}, {{ above = 200000, input = 6, output = 20 }}, {FLEX}",
            "input has no price at service_tier 'flex' from 200001 tokens on",
        ),
        (
            f"{STANDARD}, {{ from = 2026-12-01, input = 6, output = 30 }}, {FLEX}",
            "input changes on 2026-12-01, and does not at service_tier 'flex'",
        ),
        (
            f"{STANDARD}, {FLEX}, {{ from = 2026-12-01, input = 6, output = 30 }}",
            "input costs the same at service_tier 'flex' as without from 2026-12-01 on",
        ),
        (f"{STANDARD}, {STANDARD}", "row 1 never counts"),
    ],
)
def test_lint_finds_what_looks_wrong(tmp_path: Path, rows: str, said: str) -> None:
    table = tmp_path / "prices.toml"
    table.write_text(f'{HEAD}[models."m"]\nprices = [{rows}]\n')
    result = prices("lint", str(table))
    assert result.returncode == 0, result.stderr
    assert any(
        line.startswith((f"warning: {table}:6: m: ", f"warning: {table}:7: m: "))
        for line in result.stdout.splitlines()
        if said in line
    ), result.stdout
    assert prices("lint", "--strict", str(table)).returncode == 1


def test_lint_checks_every_file_whatever_is_wrong_with_one(tmp_path: Path) -> None:
    good, wide, marked = (tmp_path / name for name in ("good.toml", "wide.toml", "marked.toml"))
    good.write_text(f'{HEAD}[models."m"]\nprices = [{STANDARD}]\n')
    wide.write_text(good.read_text(), encoding="utf-16")
    marked.write_text(good.read_text(), encoding="utf-8-sig")
    missing = tmp_path / "missing.toml"
    late = tmp_path / "late.toml"
    late.write_text(good.read_text().replace("2026-11-22", '"yesterday"'))
    result = prices("lint", *map(str, (missing, wide, tmp_path, good, marked, late)))
    assert result.returncode == 1
    assert result.stdout.splitlines() == [
        f"error: {missing}: No such file or directory",
        f"error: {wide}: the file is UTF-16: save it as UTF-8",
        f"error: {tmp_path}: Is a directory",
        f"error: {late}:3: updated is 'yesterday', and must be a date such as 2026-01-31",
    ]


def test_update_shows_the_changes_and_its_file_counts(tmp_path: Path) -> None:
    new, mine, usage = tmp_path / "new.toml", tmp_path / "mine.toml", tmp_path / "usage.json"
    new.write_text(TABLE)
    usage.write_text('{"prompt_tokens": 1000000, "completion_tokens": 1000000}')
    result = prices("update", "openai", str(new), "--to", str(mine), "--older")
    assert result.returncode == 0
    assert "+ gpt-x  input 1  output 2" in result.stdout.splitlines()
    assert mine.read_text() == TABLE
    explain = ("explain", "openai", "gpt-x", str(usage), "--format", "json")
    assert prices(*explain).returncode == 1
    assert '"total": "3"' in prices(*explain, MIRASCOPE_PRICES=str(mine)).stdout


def test_update_refuses_a_jump_and_a_missing_file(tmp_path: Path) -> None:
    new, mine = tmp_path / "new.toml", tmp_path / "mine.toml"
    new.write_text(TABLE.replace("gpt-x", "gpt-4o").replace("input = 1", "input = 100"))
    refused = prices("update", "openai", str(new), "--to", str(mine), "--older")
    assert refused.returncode == 1
    assert "gpt-4o" in refused.stderr
    assert not mine.exists()
    missing = prices("update", "openai", str(tmp_path / "none.toml"), "--to", str(mine))
    assert "none.toml" in one_line(missing, 2)
