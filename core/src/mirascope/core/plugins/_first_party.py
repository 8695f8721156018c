"""The providers of this project."""

from __future__ import annotations

from typing import Final

FIRST_PARTY: Final = ("anthropic", "compatible", "google", "local", "openai")
"""Providers that `mirascope-core` has an extra and a shim for."""


def install_provider(name: str) -> str:
    """Return the command that installs a provider of this project."""
    from .._installation import install_command

    return install_command(f"mirascope-core[{name}]")
