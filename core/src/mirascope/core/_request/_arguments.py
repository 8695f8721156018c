"""What a decorator is given first: a model's name, and what of the rest is more than a value."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, cast

from .._errors import UsageError


def parse_model(model: object) -> str:
    """Return the name of a model.

    Raises:
        UsageError: it is not one.
    """
    if isinstance(model, str):
        if not model.strip():
            raise UsageError(f"the model {model!r} has no name: give one, as in 'gpt-4o'")
        if model != model.strip() or not model.isprintable():
            raise UsageError(
                f"the model {model!r} has blanks or control characters that no name has: write it "
                "without them"
            )
        return model
    if inspect.isfunction(model) or inspect.isclass(model):
        raise UsageError(
            f"the decorator of {model.__name__!r} names no model: write it with parentheses, as in "
            "@call('gpt-4o', stream=True)"
        )
    raise UsageError(
        f"the model must be a string such as 'gpt-4o', not {_shown(model)}: name it first"
    )


def parse_call_params(call_params: object) -> dict[str, Any]:
    """Return the parameters of an API by name.

    Raises:
        UsageError: they are not a mapping whose keys are strings.
    """
    if call_params is None:
        return {}
    if not isinstance(call_params, Mapping):
        # Without the value: a parameter may be a credential.
        raise UsageError(
            "call_params must be a mapping of names to values, as in {'temperature': 0.7}, not "
            f"{type(call_params).__name__!r}"
        )
    given = dict(cast("Mapping[Any, Any]", call_params))
    for name in given:
        if not isinstance(name, str):
            raise UsageError(f"call_params: {name!r} is not the name of a parameter: use a string")
    return given


def _shown(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
