"""Leave in `dist/` what a tag publishes, once the tag agrees with its distribution.

`python tests/release.py mirascope-openai-0.1.1`: the distribution's version must be the tag's, and
its changelog must begin with it. The distributions are released one by one.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class ReleaseError(Exception):
    """The tag can't be published; the message has the reason."""


def to_publish(tag: str, root: Path = ROOT) -> list[Path]:
    """Return the built files of a tag's distribution: a wheel and a source distribution.

    Raises:
        ReleaseError: the tag does not agree with the sources, or `dist/` does not have the files.
    """
    name, _, version = tag.rpartition("-")
    known = {
        tomllib.loads(path.read_text("utf-8"))["project"]["name"]: path
        for path in [root / "core" / "pyproject.toml", *root.glob("providers/*/pyproject.toml")]
    }
    if name not in known:
        raise ReleaseError(f"tag {tag!r} names none of {', '.join(sorted(known))}")
    declared = tomllib.loads(known[name].read_text("utf-8"))["project"]["version"]
    if declared != version:
        raise ReleaseError(f"tag {tag!r}: the version in {name}'s pyproject.toml is {declared!r}")
    changelog = known[name].with_name("CHANGELOG.md").read_text("utf-8")
    newest = re.search(r"^## (.+)$", changelog, re.M)
    if newest is None or newest[1] != version:
        raise ReleaseError(f"tag {tag!r}: {name}'s changelog does not begin with {version!r}")
    stem = f"{name.replace('-', '_')}-{version}"
    files = [root / "dist" / f"{stem}-py3-none-any.whl", root / "dist" / f"{stem}.tar.gz"]
    missing = [file.name for file in files if not file.exists()]
    if missing:
        raise ReleaseError(f"not in dist/: {', '.join(missing)}; run nox -s wheels first")
    return files


def main() -> None:
    """Remove every other distribution from `dist/`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tag")
    try:
        kept = to_publish(parser.parse_args().tag)
    except ReleaseError as error:
        raise SystemExit(str(error)) from None
    for path in (ROOT / "dist").iterdir():
        if path not in kept:
            path.unlink()
    print("\n".join(path.name for path in kept))


if __name__ == "__main__":
    main()
