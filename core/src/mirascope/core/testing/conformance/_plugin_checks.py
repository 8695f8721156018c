"""Checks of the plugin itself: how it is found, described and imported."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.resources
import inspect
import json
import os
import re
import subprocess
import sys
from typing import Any, Final, cast

from ... import _observers
from ...plugins._discovery import GROUP, discover
from ...plugins._registry import load_provider
from ...plugins._spec import Capability
from ...plugins._status import PluginState, statuses
from ...prices import lint
from ._check import NotApplicable, check, same, true
from ._driver import Driver

_HEAVY: Final = ("httpx", "httpx2", "requests", "aiohttp", "openai", "anthropic", "google.genai")
_PROBE: Final = """
import json, os, sys
before = dict(os.environ)
__import__(sys.argv[1])
print("\\0" + json.dumps([sorted(sys.modules), before == dict(os.environ)]))
"""


class PluginChecks(Driver):
    """The plugin as an installed distribution."""

    def _distribution(self) -> importlib.metadata.Distribution:
        claims = discover(GROUP).get(self.spec.name, ())
        if not claims or claims[0].dist is None:
            raise NotApplicable("no distribution claims the provider's name")
        return claims[0].dist

    @check("plugin.listed")
    def test_plugin_listed(self) -> None:
        """`mirascope providers` lists the provider as `ok`.

        The reason that it gives names what is wrong: run it. A plugin that was changed must be
        installed again, unless it is installed editable.
        """
        found = {each.name: each for each in statuses()}
        status = found.get(self.spec.name)
        true(status is not None, f"no plugin {self.spec.name!r} is listed")
        assert status is not None  # noqa: S101 - narrows the type
        true(status.state is PluginState.OK, status.reason)

    @check("plugin.same_name")
    def test_plugin_same_name(self) -> None:
        """Entry point, `ProviderSpec.name` and `Provider.name` are one name, each API's its key.

        Streams, prices, hooks and recordings find each other by it.
        """
        for api in self.spec.apis:
            loaded = load_provider(self.spec.name, api)
            same((loaded.name, loaded.api), (self.spec.name, api), "the provider's name and API")

    @check("plugin.package")
    def test_plugin_package(self) -> None:
        """`ProviderSpec.package` can be imported, and holds prices that lint clean, if any.

        `prices_package` names the package that has `prices.toml`; its `provider` is this one.
        """
        importlib.import_module(self.spec.package)
        package = self.tested.prices_package
        if package is None:
            return
        path = importlib.resources.files(package) / "prices.toml"
        if not path.is_file():
            # Its table is elsewhere, or made in code.
            same(self.tested.prices.provider or self.name, self.name, "the prices' provider")
            return
        problems = [str(p) for p in lint(path.read_bytes(), "prices.toml") if p.is_error]
        same(problems, [], "what `mirascope prices lint` says")
        same(self.tested.prices.provider, self.name, "the table's provider")

    @check("plugin.metadata")
    def test_plugin_metadata(self) -> None:
        """The distribution has a floor and a cap for core and for its SDK, and `py.typed`.

        A dependency without a cap breaks the plugin on the day of the next major version.
        """
        distribution = self._distribution()
        needed = {"mirascope-core", (self.spec.sdk or "mirascope-core").lower()}
        found: dict[str, str] = {}
        for line in distribution.requires or ():
            requirement = line.partition(";")[0]
            match = re.match(r"[A-Za-z0-9._-]+", requirement)
            if match is not None:
                name = re.sub(r"[-_.]+", "-", match[0]).lower()
                found.setdefault(name, requirement)
        for name in sorted(needed & found.keys()):
            true(
                ">" in found[name] and "<" in found[name],
                f"the dependency {found[name]!r} has no floor, or no cap",
            )
        true(needed & found.keys(), "the distribution depends on neither core nor an SDK")
        root = importlib.resources.files(self.spec.package.partition(".")[0])
        true((root / "py.typed").is_file(), f"there is no py.typed in {self.spec.package!r}")

    @check("plugin.hooks_by_import")
    def test_plugin_hooks_by_import(self) -> None:
        """A call has the same hooks whether the provider was imported or named.

        Core sees to it: the package's own `call` must be of the provider that the plugin describes.
        """
        package = importlib.import_module(self.spec.package)
        own = getattr(package, "call", None)
        if own is None:
            raise NotApplicable(f"{self.spec.package!r} has no 'call'")
        provider, _ = own._resolve(self.model, self.api)
        true(provider is self.tested, "the package's call is of another Provider object")
        events = self.needs("text")
        for _, outcome in self.answers(*events):
            true(outcome.whole.provider in _observers.in_use, "no plugin was asked")

    @check("plugin.decorators")
    def test_plugin_decorators(self) -> None:
        """`call` and `call_async` of the package return the provider's own classes.

        `chunk_class` is the parameter of the stream's class, the same for both ways.
        """
        tested = self.tested
        same(
            tested.stream_class.chunk_class,
            tested.async_stream_class.chunk_class,
            "the chunk class of the asynchronous stream",
        )
        for events in [self.needs("text")]:
            for way, outcome in self.answers(*events):
                expected = tested.async_stream_class if way == "async" else tested.stream_class
                found = cast("Any", type(outcome.whole))
                same(found, expected, f"the {way} stream's class")
                for chunk in outcome.chunks:
                    true(isinstance(chunk, expected.chunk_class), "a chunk is of another class")

    @check("plugin.capabilities")
    def test_plugin_capabilities(self) -> None:
        """`ProviderSpec.capabilities` says what the provider can do, no more and no less.

        Programs choose a provider by them. What the wire shows is claimed; tools and asynchronous
        calls that are claimed are shown.
        """
        claimed, wire = self.spec.capabilities, self.wire
        true(Capability.SYNC not in claimed or False in self.modes, "no call is synchronous")
        same(Capability.ASYNC in claimed, True in self.modes, "whether it says 'async'")
        same(Capability.TOOLS in claimed, bool(wire.tools), "whether it says 'tools'")
        shown = {
            Capability.USAGE_IN_STREAM: wire.usage is not None,
            Capability.THINKING: bool(wire.thinking),
        }
        for capability, is_shown in shown.items():
            true(capability in claimed or not is_shown, f"it does not say {capability.value!r}")

    @check("import.light")
    def test_import_light(self) -> None:
        """Importing the package imports no SDK and no HTTP client.

        Import them where they are used, in `load`, `open` and `fetch`, and for type checkers under
        `TYPE_CHECKING`.
        """
        modules = self._import()[0]
        sdk = (self.spec.sdk or "").replace("-", "_")
        heavy = [name for name in (*_HEAVY, sdk) if name in modules]
        same(heavy, [], "what importing the package imports")

    @check("import.silent")
    def test_import_silent(self) -> None:
        """Importing the package prints nothing, warns of nothing and leaves the environment alone.

        A plugin is imported inside of other people's programs.
        """
        _, is_same, printed = self._import()
        same(printed, ("", ""), "what importing the package prints")
        true(is_same, "importing the package changes the environment")

    def _import(self) -> tuple[list[str], bool, tuple[str, str]]:
        """Import the package in a process of its own.

        Returns:
            The modules that it loads, whether the environment is as it was, and what it printed.
        """
        done = subprocess.run(  # noqa: S603 - this interpreter
            [sys.executable, "-W", "error::UserWarning", "-c", _PROBE, self.spec.package],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        printed, _, found = done.stdout.partition("\0")
        same(done.returncode, 0, f"the exit status of importing it ({done.stderr.strip()[-300:]})")
        modules, is_same = json.loads(found)
        return modules, is_same, (printed, done.stderr)

    @check("stream.signatures")
    def test_stream_signatures(self) -> None:
        """The two stream classes, and the response, have the same public names.

        Put what is yours into a mixin that all three inherit, so that code moves between the two
        ways of calling.
        """
        tested = self.tested
        own = [_own_names(cls) for cls in (tested.stream_class, tested.async_stream_class)]
        same(own[0], own[1], "what the synchronous stream's class adds")


def _own_names(cls: type[Any]) -> set[str]:
    return {
        name
        for base in cls.__mro__
        if not base.__module__.startswith("mirascope.core")
        for name, value in vars(base).items()
        if not name.startswith("_") and (callable(value) or inspect.isdatadescriptor(value))
    } - {"chunk_class"}
