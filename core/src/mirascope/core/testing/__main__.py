"""`python -m mirascope.core.testing acme`: how a provider stands, in one last line."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from .conformance import CheckState, ProviderConformance


def main(arguments: list[str] | None = None) -> int:
    """Run the conformance kit of a provider's plugin and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m mirascope.core.testing",
        description="Run the conformance kit of a provider: the subclasses of ProviderConformance "
        "in its tests.",
    )
    parser.add_argument("provider", help="the provider's name")
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        default=[Path("tests")],
        help="test files, or directories in which test_conformance*.py are looked for",
    )
    parser.add_argument("--check", action="append", help="run this check only; may be repeated")
    parser.add_argument("-v", "--verbose", action="store_true", help="list every check")
    given = parser.parse_args(arguments)
    kits = [kit for kit in _kits(given.paths) if kit().name == given.provider]
    if not kits:
        where = ", ".join(map(str, given.paths))
        print(
            f"no subclass of ProviderConformance for {given.provider!r} is in {where}",
            file=sys.stderr,
        )
        return 2
    logging.getLogger("mirascope").addHandler(logging.NullHandler())
    failed = False
    for kit in kits:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = kit.run(given.check)
        for each in results:
            failed |= each.state is CheckState.FAILED
            if each.state is CheckState.FAILED:
                print(f"failed: {each.reason}\n")
            elif given.verbose or each.state is CheckState.DEVIATES:
                reason = f" ({each.reason})" if each.reason else ""
                print(f"{each.state}: {each.id}{reason}")
        api = f" ({kit.api})" if kit.api and len(kits) > 1 else ""
        print(kit.summary(results).replace(":", f"{api}:", 1))
    return int(failed)


def _kits(paths: list[Path]) -> Iterator[type[ProviderConformance]]:
    files: list[Path] = []
    for path in paths:
        files += sorted(path.rglob("test_conformance*.py")) if path.is_dir() else [path]
    for number, file in enumerate(files):
        name = f"_conformance_{number}_{file.stem}"
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            continue
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        for found in vars(module).values():
            if (
                isinstance(found, type) and issubclass(found, ProviderConformance)
            ) and found.__test__:
                yield found


if __name__ == "__main__":
    sys.exit(main())
