"""Distributions as an installer leaves them: modules and metadata in a directory of sys.path."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

from mirascope.core.plugins import isolated_registry

GOOD = """
    from mirascope.core.plugins import ProviderSpec, hookimpl

    @hookimpl
    def mirascope_provider():
        return ProviderSpec(
            name={name!r}, api_version=1, package={module!r}, title="A plugin",
            apis={{"chat": lambda: None}}, capabilities=frozenset(),
        )
"""


class Site:
    """A directory of installed distributions."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.modules: list[str] = []

    def install(
        self,
        dist: str,
        *,
        name: str | None = None,
        code: str = GOOD,
        version: str = "1.0",
        group: str = "mirascope.providers",
        editable: str = "",
    ) -> None:
        """Install a distribution of one module that is the plugin `name`.

        For a host (`group`), the entry point leads to the module's attribute `HOST`. A name given
        as `editable` is where the distribution's source is said to be.
        """
        module = dist.replace("-", "_")
        name = name or module.removeprefix("mirascope_")
        source = dedent(code)
        if code is GOOD:
            source = source.format(name=name, module=module)
        (self.path / f"{module}.py").write_text(source)
        info = self.path / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n")
        value = f"{module}:HOST" if group == "mirascope.hosts" else module
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n")
        if editable:
            direct = {"url": f"file://{editable}", "dir_info": {"editable": True}}
            (info / "direct_url.json").write_text(json.dumps(direct))
        self.modules.append(module)


@contextmanager
def site(path: Path) -> Iterator[Site]:
    """A site on sys.path and a registry that has not seen anything yet."""
    found = Site(path)
    sys.path.insert(0, str(path))
    importlib.invalidate_caches()
    try:
        with isolated_registry():
            yield found
    finally:
        sys.path.remove(str(path))
        for module in found.modules:
            sys.modules.pop(module, None)
