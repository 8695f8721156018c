"""The conformance kit: a good provider passes it, and each check catches what it is there for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mirascope.core.plugins import isolated_registry
from mirascope.core.testing.__main__ import main
from mirascope.core.testing.conformance import CHECKS, CheckState, Wire

from .further_mutants import FURTHER
from .mutant_transports import KEPT
from .mutants import MUTANTS, mutant
from .sound import Good, failing, kit


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """What mutants leave open on purpose is closed once the kit has seen it."""
    yield
    while KEPT:
        KEPT.pop().close()


@pytest.mark.filterwarnings("ignore")
def test_a_good_provider_passes_every_check() -> None:
    with isolated_registry():
        found = Good.run()
    assert [r for r in found if r.state is CheckState.FAILED] == []
    assert sum(r.state is CheckState.PASSED for r in found) >= 50


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", MUTANTS)
def test_each_check_catches_its_mutant(check: str) -> None:
    assert failing(mutant(check), [check]) == [check]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mistake", FURTHER)
def test_the_kit_finds_other_mistakes(mistake: str) -> None:
    bad, check = FURTHER[mistake]
    assert failing(kit(bad), [check]) == [check]


# What the kit itself does


def test_every_check_says_what_to_do_and_when_it_came() -> None:
    for found in CHECKS.values():
        assert len(found.advice) > 40, found.id
        assert found.since == 1


def test_a_deviation_is_strict() -> None:
    bad = MUTANTS["chunk.object"]
    ids = ["chunk.object", "wire.crlf"]
    results = kit(bad, deviations={"chunk.object": "there is no object"}).run(ids)
    assert [r.state for r in results] == [CheckState.DEVIATES, CheckState.PASSED]
    assert Good.summary(results) == "good: 1 of 2, 1 deviation"
    (result,) = kit(deviations={"wire.crlf": "who sends that?"}).run(["wire.crlf"])
    assert result.state is CheckState.FAILED
    assert "the deviation must go" in result.reason
    with pytest.raises(ValueError, match=r"'wire\.clrf', which is not a check"):
        kit(deviations={"wire.clrf": "misspelt"})


def test_the_command_ends_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_conformance.py").write_text(
        "from mirascope.core.testing.conformance import ProviderConformance, Wire\n"
        "class TestCompatible(ProviderConformance):\n"
        "    provider = 'compatible'\n    model = 'm'\n    wire = Wire.chat()\n"
        "    deviations = {'cost.table': 'no table'}\n"
    )
    wanted = ("--check", "wire.crlf", "--check", "plugin.same_name")
    assert main(["compatible", str(tmp_path), *wanted]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "compatible: 2 of 2"
    assert main(["compatible", str(tmp_path), "--check", "cost.table"]) == 1
    assert "failed: cost.table: the check does not apply" in capsys.readouterr().out
    assert main(["other", str(tmp_path)]) == 2


def test_recordings_are_a_wire(tmp_path: Path) -> None:
    wire = Good.wire
    (tmp_path / "text.jsonl").write_bytes(b"".join(wire.text))
    (tmp_path / "whole.json").write_bytes(wire.whole)
    taken = Wire.cassettes(tmp_path, end=wire.end, content=wire.content, thinking=wire.thinking)
    assert taken.text == wire.text
    assert failing(kit(wire=taken), ["stream.text", "end.truncated", "fetch.whole"]) == []
