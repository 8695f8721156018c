"""Which of its tools a model may call, or has to: `tool_choice=` by one rule for all providers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, TypeGuard, get_args

from .._errors import UsageError
from ._tool_types import to_tool_type

ToolChoiceKind: TypeAlias = Literal["auto", "none", "required", "tool"]
"""`"auto"`: the model decides; `"none"`: it calls none; `"required"`: it calls at least one;
`"tool"`: it calls the one that is named."""

TOOL_CHOICES: Final[frozenset[ToolChoiceKind]] = frozenset(get_args(ToolChoiceKind))
"""Every kind of choice: what a provider declares whose API can be told each of them."""

_WORDS: Final[Mapping[str, ToolChoiceKind]] = {
    "auto": "auto",
    "none": "none",
    "required": "required",
    "any": "required",
}


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """What a call says of its tools.

    Attributes:
        kind: what the model may do.
        name: the tool that it has to call, where the kind is `"tool"`; else None.
    """

    kind: ToolChoiceKind
    name: str | None = None


def is_neutral(given: object) -> TypeGuard[str | Callable[..., Any]]:
    """Whether a `tool_choice` is a word or a tool; anything else is in the API's own form."""
    return isinstance(given, str) or callable(given)


def read_tool_choice(
    given: str | Callable[..., Any],
    *,
    provider: str,
    takes: Collection[ToolChoiceKind],
    names: Collection[str],
    is_open: bool,
) -> ToolChoice | None:
    """Return what `tool_choice=` means; None where there is nothing to choose from.

    Args:
        given: `"auto"`, `"none"`, `"required"` (or `"any"`), a tool, or a tool's name.
        provider: the provider's name, for errors.
        takes: what the provider's API can be told.
        names: the names of the call's tools.
        is_open: whether the call has further tools, in the API's own form.

    Raises:
        UsageError: the API has no such choice, or the call has no such tool.
    """
    kind: ToolChoiceKind = "tool"
    name: str | None = None
    if not isinstance(given, str):
        name = to_tool_type(given).tool_name()
    elif given in _WORDS:
        kind = _WORDS[given]
    else:
        name = given
    if not is_open:
        known = ", ".join(map(repr, names)) or "none"
        if not names and kind in ("auto", "none"):
            return None
        if not names or (name is not None and name not in names):
            raise UsageError(
                f"tool_choice is {name or given!r}, but the tools of the call are: {known}"
                + ("" if name is None else "; or write 'auto', 'none' or 'required'")
            )
    if kind not in takes:
        raise UsageError(
            f"{provider!r} can't be told tool_choice {name or kind!r}: leave it out, or give the "
            "API's own parameter"
        )
    return ToolChoice(kind, name)
