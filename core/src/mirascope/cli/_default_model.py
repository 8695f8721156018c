"""Which model is asked where none is named."""

from __future__ import annotations

import os
from typing import Final

MODEL_VARIABLE: Final = "MIRASCOPE_MODEL"
EMBEDDED: Final = "local/smollm2-135m"
"""The embedded model, which needs neither a key nor a network."""


def default_model() -> str:
    """Return the model that is asked where none is named.

    It is `MIRASCOPE_MODEL`; else that of the first provider, by name, whose key is in the
    environment; else the embedded one.

    Raises:
        UsageError: nothing of that is there.
    """
    if model := os.environ.get(MODEL_VARIABLE):
        return model
    from mirascope.core import UsageError
    from mirascope.core.plugins import PluginState, statuses

    specs = [found.spec for found in statuses() if found.state is PluginState.OK and found.spec]
    for spec in specs:
        if spec.default_model and any(os.environ.get(name) for name in spec.api_key_env):
            return f"{spec.name}/{spec.default_model}"
    if any(spec.name == "local" for spec in specs):
        return EMBEDDED
    keys = [spec.api_key_env[0] for spec in specs if spec.default_model and spec.api_key_env]
    variables = " or ".join([MODEL_VARIABLE, *keys])
    raise UsageError(f"no model is named: give --model PROVIDER/MODEL, or set {variables}")
