"""How a distribution is released, and that the workflows run what a developer runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from . import release

WORKFLOWS = release.ROOT / ".github" / "workflows"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace in which mirascope-openai 0.1.1 and everything of 0.1.0 is built."""
    (tmp_path / "dist").mkdir()
    for directory, name, version in (
        ("core", "mirascope-core", "0.1.0"),
        ("providers/openai", "mirascope-openai", "0.1.1"),
    ):
        (tmp_path / directory).mkdir(parents=True)
        project = f'[project]\nname = "{name}"\nversion = "{version}"\n'
        (tmp_path / directory / "pyproject.toml").write_text(project)
        (tmp_path / directory / "CHANGELOG.md").write_text(f"# Changelog\n\n## {version}\n\n- x\n")
        for suffix in ("-py3-none-any.whl", ".tar.gz"):
            (tmp_path / "dist" / f"{name.replace('-', '_')}-{version}{suffix}").touch()
    return tmp_path


def test_a_tag_publishes_the_files_of_its_distribution(root: Path) -> None:
    assert [path.name for path in release.to_publish("mirascope-openai-0.1.1", root)] == [
        "mirascope_openai-0.1.1-py3-none-any.whl",
        "mirascope_openai-0.1.1.tar.gz",
    ]
    assert len(release.to_publish("mirascope-core-0.1.0", root)) == 2


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("v0.1.0", r"'v0.1.0' names none of mirascope-core, mirascope-openai"),
        ("mirascope-0.1.0", "names none of"),
        ("mirascope-groq-0.1.0", "names none of"),
        ("mirascope-openai-0.1.2", r"the version in mirascope-openai's pyproject.toml is '0.1.1'"),
    ],
)
def test_a_tag_that_does_not_agree_publishes_nothing(root: Path, tag: str, reason: str) -> None:
    with pytest.raises(release.ReleaseError, match=reason):
        release.to_publish(tag, root)


def test_a_version_without_a_changelog_is_not_published(root: Path) -> None:
    (root / "core" / "CHANGELOG.md").write_text("# Changelog\n\n## 0.0.9\n\n## 0.1.0\n")
    with pytest.raises(release.ReleaseError, match=r"changelog does not begin with '0.1.0'"):
        release.to_publish("mirascope-core-0.1.0", root)


def test_what_was_not_built_is_not_published(root: Path) -> None:
    (root / "dist" / "mirascope_core-0.1.0.tar.gz").unlink()
    with pytest.raises(release.ReleaseError, match=r"not in dist/: mirascope_core-0.1.0.tar.gz;"):
        release.to_publish("mirascope-core-0.1.0", root)


@pytest.fixture(scope="module")
def sessions() -> dict[str, bool]:
    """Every nox session, and whether a bare `nox` runs it."""
    listed = subprocess.run(
        [sys.executable, "-m", "nox", "-l"],
        cwd=release.ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    return {name: mark == "*" for mark, name in re.findall(r"^([*-]) ([^\s(]+)", listed, re.M)}


def test_the_workflows_run_sessions_that_there_are(sessions: dict[str, bool]) -> None:
    for path in WORKFLOWS.glob("*.yml"):
        text = path.read_text("utf-8")
        called = {*re.findall(r"nox -s ([\w.-]+)", text), *re.findall(r"session: ([\w.-]+)", text)}
        assert called <= sessions.keys(), path.name


def test_the_continuous_integration_runs_all_that_a_bare_nox_runs(
    sessions: dict[str, bool],
) -> None:
    text = (WORKFLOWS / "ci.yml").read_text("utf-8")
    called = set(re.findall(r"session: ([\w.-]+)", text))
    assert {name for name, default in sessions.items() if default} <= called
    assert "wheels" in called


def test_what_is_published_was_tried_first() -> None:
    text = (WORKFLOWS / "release.yml").read_text("utf-8")
    steps = ["nox -s wheels", "nox -s release", "upload-artifact", "needs: build", "uv publish"]
    assert [text.index(step) for step in steps] == sorted(text.index(step) for step in steps)


def test_the_contributors_guide_names_every_distribution_and_file() -> None:
    guide = (release.ROOT / "CONTRIBUTING.md").read_text("utf-8")
    table = guide.partition("## Releasing")[2]
    listed = dict(re.findall(r"^\| `([\w-]+)` \| `([\w/]+)/` \| ", table, re.M))
    projects = [release.ROOT / "core", *release.ROOT.glob("providers/*/")]
    assert set(listed.values()) == {str(path.relative_to(release.ROOT)) for path in projects}
    for name, directory in listed.items():
        project = (release.ROOT / directory / "pyproject.toml").read_text("utf-8")
        assert f'name = "{name}"' in project
    for path in re.findall(r"`((?:tests|core|docs)/[\w./]+)`", guide):
        assert (release.ROOT / path).exists(), path


def test_the_contributors_guide_names_sessions_that_there_are(sessions: dict[str, bool]) -> None:
    guide = (release.ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for names in re.findall(r"nox -s \"?([a-z. ]+)", guide):
        assert all(name in {s.partition("-")[0] for s in sessions} for name in names.split()), names
