"""`mirascope.core.<provider>`: a provider's own package under a short name."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from ._errors import MissingProviderError
from .plugins._first_party import FIRST_PARTY, install_provider


def alias(shim: str, package: str) -> None:
    """Put a provider's package in the place of its shim, so that both names are one module.

    Raises:
        MissingProviderError: the package is not installed. An import that fails inside the package
            is not hidden behind this.
    """
    name = shim.rpartition(".")[2]
    try:
        module = importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise MissingProviderError(
            f"provider {name!r} is not installed: {install_provider(name)}", provider=name
        ) from None
    sys.modules[shim] = module


def module_getattr(name: str) -> ModuleType:
    """Resolve `mirascope.core.<provider>` for first-party providers and installed plugins.

    Raises:
        AttributeError: no provider has this name.
        ProviderError: the provider is there but can't be loaded.
    """
    if name == "base":
        return importlib.import_module("mirascope.core.base")
    if name in FIRST_PARTY:
        try:
            return importlib.import_module(f"mirascope.core.{name}")
        except MissingProviderError as error:
            # `from mirascope.core import openai` goes on to import the shim, which raises the same.
            raise AttributeError(str(error)) from None
    # doctest and others ask every module for `__wrapped__`: that must not scan for plugins.
    if not name.startswith("_"):
        from .plugins._discovery import installed_names

        if name in installed_names():
            from .plugins._registry import provider_module

            return provider_module(name)
    from .._left_out import attribute_error

    raise attribute_error("mirascope.core", name)
