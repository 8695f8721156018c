"""What may be given as a parameter of the provider's API, and what has another place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from .._errors import UsageError

_OWN: Final = {
    "messages": "write a prompt, or return the messages from the function",
    "model": "pass it to the decorator instead",
    "stream": "pass it to the decorator instead",
}
"""What is never a parameter of an API, and where it belongs."""

_OF_THE_DECORATOR: Final = ("response_model", "response_mode", "json_mode", "output_parser")
"""Arguments of a decorator that decide what its calls return: no single call can change them.

No API has a parameter of these names, and a server that ignores one would answer in free text.
"""

_CLIENT_OPTIONS: Final = frozenset(
    {"max_retries", "http_client", "default_headers", "default_query", "azure_endpoint"}
)
"""Options of the SDKs' clients, which no API has a parameter for."""

_COMMON: Final = (
    *("temperature", "max_tokens", "max_completion_tokens", "max_output_tokens"),
    *("frequency_penalty", "presence_penalty", "response_format", "tool_choice"),
    *("parallel_tool_calls", "reasoning_effort"),
)
"""Parameters of many APIs. Some servers ignore one that is misspelt, silently."""

_ARGUMENTS: Final = (
    "model",
    "stream",
    "api",
    "tools",
    "client",
    "call_params",
    "timeout",
    "max_bytes",
    "sdk_iteration",
    "record",
    "prices",
    *_OF_THE_DECORATOR,
)
"""The decorators' own arguments."""

_LOOK_ALIKES: Final = frozenset({"models", "reasoning_format"})
"""Parameters of APIs that only look misspelt: OpenRouter's fallback models, Groq's format."""


def refuse_own(call_params: Mapping[str, Any]) -> None:
    """Check the names in `call_params`, of a decorator or of a dynamic configuration.

    Raises:
        UsageError: a name is not a parameter of any API.
    """
    for name in sorted(call_params.keys() & _OWN.keys()):
        raise UsageError(f"call_params can't contain {name!r}: {_OWN[name]}")
    for name in sorted(call_params.keys() & {*_OF_THE_DECORATOR}):
        raise UsageError(f"call_params can't contain {name!r}: give it to the decorator itself")


def api_params(params: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """Return the keyword arguments of a decorator that are the API's.

    Args:
        params: what is not an argument of the decorator's own.
        settings: the connection settings that the provider's calls take besides.

    Raises:
        UsageError: a name is not a parameter of any API, or an argument that is misspelt.
    """
    found: dict[str, Any] = {}
    names = [*_ARGUMENTS, *settings, *_COMMON]
    for name, value in params.items():
        if name in _OWN:
            raise UsageError(f"{name!r} is not a parameter of a call: {_OWN[name]}")
        if name in _CLIENT_OPTIONS:
            raise UsageError(
                f"{name!r} is an option of a client and not of a call: make the provider's client "
                "with it and give that as client="
            )
        close = difflib.get_close_matches(name, names, n=1, cutoff=0.85)
        if close and close[0] != name and name not in _LOOK_ALIKES:
            raise UsageError(
                f"unknown argument {name!r}: did you mean {close[0]!r}? A parameter of the API "
                f"with this name is given as call_params={{{name!r}: …}}"
            )
        found[name] = value
    return found
