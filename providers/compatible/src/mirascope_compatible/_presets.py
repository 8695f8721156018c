"""The hosts of `hosts.toml`: what their entry points lead to."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from ._host import Host


@functools.cache
def presets() -> Mapping[str, Host]:
    """Return the hosts that this package brings, by name; the file is read on first use."""
    import tomllib
    from importlib.resources import files

    text = (files(__package__) / "hosts.toml").read_text("utf-8")
    return {name: _host(name, entry) for name, entry in tomllib.loads(text).items()}


def _host(name: str, entry: dict[str, Any]) -> Host:
    variables = tuple(entry.pop("api_key_env", ()))
    if modes := entry.pop("response_modes", None):
        entry["response_modes"] = tuple(modes)
    if entry.pop("prices", False):
        entry |= {"prices_package": __package__, "prices_file": f"prices/{name}.toml"}
    return Host(name=name, api_key_env=variables, **entry)


def __getattr__(name: str) -> Host:
    try:
        return presets()[name]
    except KeyError:
        raise AttributeError(f"hosts.toml has no {name!r}") from None
