"""Keep credentials out of everything that is shown or written down."""

from __future__ import annotations

import base64
import contextlib
import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit

_CREDENTIAL: Final = re.compile(
    r"""(?ix)
    (?P<keep>  # the name stays, so that a reader sees what was there
        \bbearer\s+(?!auth|token) | \bbasic\s+(?=[a-z0-9+/]{16})
        | ["']?\b(?:x-)?(?:goog-)?api[-_]?key["']?\s*[:=]\s*["']?
    ) [^\s"',;&]{6,}
    | \bsk[-_][a-z0-9][a-z0-9_\-*]{7,}  # OpenAI, Anthropic, OpenRouter; with * where it was cut
    | \b(?:gsk|xai|pplx|csk|hf)[-_][a-z0-9]{16,}  # Groq, xAI, Perplexity, Cerebras, Hugging Face
    | \bAIza[a-z0-9_\-]{20,}  # Google
    """
)
"""What looks like a credential wherever it stands."""
_CREDENTIAL_NAME: Final = re.compile(
    r"""(?ix) (?:^|[-_.])
    (?: (?:api|access|secret|private)[-_]?key
      | (?:(?:access|ad|auth|authorization|bearer|id|refresh|security|session)[-_]?)? token
      | (?:client[-_]?)? secret | passw(?:or)?d | credentials? | cookie
      | authorization | auth | auth[-_]?header
    ) $ | ^key$"""
)
"""The names of fields that hold credentials: `api_key`, `x-goog-api-key`, `authorization_token`."""
_HEADERS: Final = re.compile(r"(?i)(?:^|_)headers$")
_VARIABLE: Final = re.compile(r"(?:API_KEY|ACCESS_KEY|AUTH_TOKEN)$")

_SHORTEST = 8
"""Shorter values are placeholders (`EMPTY`, `ollama`), which an answer may well contain."""
_ENCODED_SIZE = 4096
_WITH_SCHEME: Final = re.compile(r"\w+ +(\S+)")
_PLAIN_WORDS: Final = re.compile(r"""[\s"':]|=[^=]""")
_HIDDEN: Final = "***"
_DEPTH = 2


def redact(text: str, *secrets: str | None) -> str:
    """Replace `secrets` and whatever looks like an API key or an authorization value by `***`.

    Servers echo a rejected key in the message of a 401, and error messages end up in logs.
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return _CREDENTIAL.sub(lambda found: f"{found['keep'] or ''}***", text)


class Secrets:
    """The credentials of one call, to be replaced wherever they turn up.

    Args:
        values: the credentials.
    """

    def __init__(self, values: Iterable[str]) -> None:
        found = {value for value in values if len(value) >= _SHORTEST}
        # A server that echoes a value in JSON escapes what JSON makes it escape.
        found |= {json.dumps(value)[1:-1] for value in found}
        # The longest first: one may be a part of another, as a key is of its header.
        self._texts = sorted(found, key=len, reverse=True)
        self._bytes = [value.encode("utf-8", "surrogatepass") for value in self._texts]
        self._held = b""

    @classmethod
    def of(
        cls,
        *,
        settings: Mapping[str, Any],
        client: object = None,
        request: Mapping[str, Any],
        variables: Iterable[str] = (),
    ) -> Secrets:
        """Return the credentials that a call may send.

        They come from the call's own settings, its client, headers among its parameters, and the
        environment.

        Args:
            settings: the provider's connection settings (`base_url`, `api_key`, …).
            client: the user's own client, or None.
            request: the keyword arguments of the SDK's function.
            variables: the environment variables that hold the provider's credentials.
        """
        values = {
            value
            for name, value in os.environ.items()
            if name in variables or _VARIABLE.search(name)
        }
        values.update(_user_info(settings.get("base_url")))
        values.update(_credentials_in(settings))
        values.update(_credentials_in(request))
        if client is not None:
            values.update(_credentials_of(client))
        # The value of an authorization header is a scheme and the credential itself.
        found = map(_WITH_SCHEME.fullmatch, values)
        return cls(values | {match[1] for match in found if match is not None})

    def hide(self, text: str) -> str:
        """Return text with every credential replaced by `***`."""
        for value in self._texts:
            text = text.replace(value, _HIDDEN)
        return text

    def feed(self, piece: bytes) -> tuple[bytes, bool]:
        """Return the next bytes of a body without credentials, and whether there was one.

        Where a piece ends like the beginning of a credential, that end comes with the next one.
        """
        if not self._bytes:
            return piece, False
        whole = data = self._held + piece
        for value in self._bytes:
            data = data.replace(value, b"***")
        keep = max(_overlap(data, value) for value in self._bytes)
        self._held = data[len(data) - keep :]
        return data[: len(data) - keep], data != whole

    def take_held(self) -> bytes:
        """Return the end of the last piece that was held back; nothing follows."""
        held, self._held = self._held, b""
        return held

    def clean(self, value: Any) -> Any:
        """Return a request as JSON without credentials: known ones, and what looks like one.

        Objects that JSON can't express are replaced by the name of their class.
        """
        try:
            return self._clean(value)
        except RecursionError:
            return None

    def _clean(self, value: Any) -> Any:
        if value is None or isinstance(value, (bool, int)):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if isinstance(value, str):
            return self.hide(value if _is_encoded(value) else redact(value))
        if isinstance(value, bytes):
            return self.hide(base64.b64encode(value).decode())
        if isinstance(value, Mapping):
            return {
                str(name): self._clean_field(str(name), item)
                for name, item in cast("Mapping[Any, Any]", value).items()
            }
        if isinstance(value, (list, tuple)):
            return [self._clean(item) for item in cast("list[Any]", value)]
        # Objects of an SDK that the user gave as messages or parameters.
        if callable(dump := getattr(value, "model_dump", None)) and not isinstance(value, type):
            with contextlib.suppress(Exception):
                return self._clean(dump(mode="json", exclude_unset=True, warnings=False))
        return f"<{getattr(value, '__qualname__', type(value).__qualname__)}>"

    def _clean_field(self, name: str, value: Any) -> Any:
        if _HEADERS.search(name) or (isinstance(value, str) and _CREDENTIAL_NAME.search(name)):
            return _HIDDEN
        return self._clean(value)


def _is_encoded(text: str) -> bool:
    """Whether a long text is the base64 of a file: what looks like a key in it is chance."""
    if len(text) < _ENCODED_SIZE:
        return False
    data = text.partition(";base64,")[2] if text.startswith("data:") else text
    return _PLAIN_WORDS.search(data) is None


def _overlap(data: bytes, value: bytes) -> int:
    """Return how many bytes at the end of `data` are the beginning of `value`."""
    start = max(0, len(data) - len(value) + 1)
    while (start := data.find(value[:1], start)) >= 0:
        if value.startswith(data[start:]):
            return len(data) - start
        start += 1
    return 0


def _user_info(url: object) -> Iterator[str]:
    """Yield the name and the password that an address holds."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(str(url or ""))
        for part in (parts.username, parts.password):
            if part:
                yield part
                yield unquote(part)


def _credentials_in(value: Any, depth: int = 8) -> Iterator[str]:
    """Yield the values of fields whose names are those of credentials."""
    if depth and isinstance(value, Mapping):
        for name, item in cast("Mapping[Any, Any]", value).items():
            if isinstance(item, str):
                if _CREDENTIAL_NAME.search(str(name)):
                    yield item
            else:
                yield from _credentials_in(item, depth - 1)
    elif depth and isinstance(value, (list, tuple)):
        for item in cast("list[Any]", value):
            yield from _credentials_in(item, depth - 1)


def _credentials_of(obj: Any, depth: int = _DEPTH) -> Iterator[str]:
    """Yield what the attributes of a client, and of its parts, hold as credentials.

    `vars` runs no code of the client's, whatever class it is of.
    """
    try:
        attributes = list(cast("Mapping[str, Any]", vars(obj)).items())
    except TypeError:
        return
    for name, value in attributes:
        if isinstance(value, str):
            if _CREDENTIAL_NAME.search(name):
                yield value
        elif isinstance(value, Mapping):
            with contextlib.suppress(Exception):
                yield from _credentials_in(value)
        elif depth and not isinstance(value, (type, ModuleType)):
            yield from _credentials_of(value, depth - 1)
