"""Text and bytes without the credentials of one call, in whatever form they turn up."""

from __future__ import annotations

import base64
import binascii
import contextlib
import html
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast
from urllib.parse import quote, quote_plus

from ._credentials import (
    CREDENTIAL_NAME,
    GENERATED,
    HEADERS,
    credentials_in,
    credentials_of,
    in_environment,
    in_settings,
    in_variables,
    sent_with,
)

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

_SHORTEST: Final = 8
"""Shorter values are placeholders (`EMPTY`, `ollama`), which an answer may well contain."""
_SHORTEST_CUT: Final = 6
"""What of a key at the end of a text that was cut is enough to be hidden."""
_ENCODED_SIZE: Final = 4096
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")
_WITH_SCHEME: Final = re.compile(r"(\w+) +(\S+)")
_PLAIN_WORDS: Final = re.compile(r"""[\s"':]|=[^=]""")
_CUT_END: Final = re.compile(r"""[\s'"…)\]}.\\]*\Z""")
_HIDDEN: Final = "***"


def redact(text: str) -> str:
    """Replace whatever looks like an API key or an authorization value by `***`.

    This is for text whose call is not known; `Secrets` knows the very values.
    """
    return _CREDENTIAL.sub(lambda found: f"{found['keep'] or ''}***", text)


class Secrets:
    """The credentials of one call, to be replaced wherever they turn up.

    Each is found as it is, escaped as in JSON, in a Python literal, in an address or in HTML, and
    inside of Base64. Of a value that looks generated, half is found as well.

    Args:
        values: the credentials.
    """

    def __init__(self, values: Iterable[str]) -> None:
        self._values: set[str] = set()
        self._texts: list[str] = []
        self._bytes: list[bytes] = []
        self._generated: list[str] = []
        self._held = b""
        self.add(values)

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

        They come from the call's own settings, its client, the headers, the query and the body
        among its parameters, and the environment.

        Args:
            settings: the provider's connection settings (`base_url`, `api_key`, …).
            client: the user's own client, or None.
            request: the keyword arguments of the SDK's function.
            variables: the environment variables that hold the provider's credentials.
        """
        values = set(in_environment(frozenset(variables)))
        values.update(in_settings(settings))
        values.update(credentials_in(request))
        if client is not None:
            values.update(credentials_of(client))
        return cls(values)

    @staticmethod
    def named_in(values: Mapping[str, Any]) -> list[str]:
        """Return what stands under a credential's name in any other values of a call."""
        return list(credentials_in(values))

    @staticmethod
    def of_variables(values: Mapping[str, Any]) -> list[str]:
        """Return the credentials in the variables of a function that sends requests."""
        return list(in_variables(values))

    def add(self, values: Iterable[str]) -> None:
        """Hide these values too."""
        new = {part for value in values for part in _parts(value)} - self._values
        if not new:
            return
        self._values |= new
        # The longest first: one may be a part of another, as a key is of its header.
        self._texts = sorted(
            {*self._texts, *(form for value in new for form in _forms(value))},
            key=len,
            reverse=True,
        )
        self._bytes = [text.encode("utf-8", "surrogatepass") for text in self._texts]
        self._generated += [value for value in new if GENERATED.fullmatch(value)]

    def add_sent(self, obj: object) -> None:
        """Hide the credentials that a request, or what knows one, carried.

        These are the headers and the address of an HTTP request as it was sent: whatever a
        provider reads its key from, it ends there.

        Args:
            obj: an exception, a response or a source, of any library; it may know no request.
        """
        self.add(sent_with(obj))

    def knows(self, value: str) -> bool:
        """Whether a value, or what stands in it, is one of these."""
        return any(part in self._values for part in _parts(value))

    def hide(self, text: str) -> str:
        """Return text with every credential replaced by `***`."""
        for value in self._texts:
            if value in text:
                text = text.replace(value, _HIDDEN)
        for value in self._generated:
            text = _without_parts(text, value)
        return text

    def hide_bytes(self, data: bytes) -> bytes:
        """Return bytes with every credential replaced by `***`."""
        # Latin-1 keeps every byte; what is not ASCII is looked for in UTF-8 before.
        for value in self._bytes:
            if value in data:
                data = data.replace(value, b"***")
        text = data.decode("latin-1")
        hidden = self.hide(text)
        return data if hidden == text else hidden.encode("latin-1")

    def feed(self, piece: bytes) -> tuple[bytes, bool]:
        """Return the next bytes of a body without credentials, and whether there was one.

        Where a piece ends like the beginning of a credential, that end comes with the next one.
        """
        if not self._bytes:
            return piece, False
        whole = data = self._held + piece
        for value in self._bytes:
            if value in data:
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
        if HEADERS.search(name) or (isinstance(value, str) and CREDENTIAL_NAME.search(name)):
            return _HIDDEN
        return self._clean(value)


# What of a value is looked for


def _parts(value: str) -> Iterator[str]:
    """Yield a value and what in it is a credential by itself."""
    found = {value, value.strip()}
    # A key with a line break in it, as from a file: messages show it with blanks, or a half of it.
    found.update(_CONTROL.split(value))
    if (match := _WITH_SCHEME.fullmatch(value.strip())) is not None:
        # The value of an authorization header is a scheme and the credential itself.
        scheme, credential = match.groups()
        found.add(credential)
        if scheme.lower() == "basic":
            with contextlib.suppress(binascii.Error, UnicodeDecodeError):
                pair = base64.b64decode(credential, validate=True).decode()
                found |= {pair, pair.partition(":")[2]}
    if ";" in value or "," in value:
        # Cookies, and lists of keys.
        found.update(part.partition("=")[2].strip() for part in re.split("[;,]", value))
    yield from (part for part in found if len(part) >= _SHORTEST)


def _forms(value: str) -> Iterator[str]:
    """Yield the texts that a credential may turn up as."""
    ascii_json, plain_json = (json.dumps(value, ensure_ascii=only)[1:-1] for only in (True, False))
    quoted = {quote(value, safe=""), quote(value), quote_plus(value)}
    yield from {
        value,
        ascii_json,
        plain_json,
        json.dumps(ascii_json)[1:-1],
        ascii_json.replace("/", "\\/"),
        repr(value)[1:-1],
        html.escape(value),
        " ".join(value.split()),
        *quoted,
        *(re.sub("%..", lambda found: found[0].lower(), text) for text in quoted),
    }
    data = value.encode("utf-8", "surrogatepass")
    for skipped in range(3):
        # Base64 cuts into groups of three bytes; what stands before the value moves the cuts.
        groups = data[skipped:][: (len(data) - skipped) // 3 * 3]
        encoded = base64.b64encode(groups).decode()
        if len(encoded) >= _SHORTEST:
            yield from {encoded, encoded.replace("+", "-").replace("/", "_")}


def _without_parts(text: str, value: str) -> str:
    """Replace what is half of a value or more, and a beginning of it where a text was cut."""
    least = max(_SHORTEST, len(value) // 2)
    # Every part of that length contains one of these whole.
    block = (least + 1) // 2
    at = 0
    while at + block <= len(value):
        found = text.find(value[at : at + block])
        while found >= 0:
            start, end = found, found + block
            left, right = at, at + block
            while start and left and text[start - 1] == value[left - 1]:
                start, left = start - 1, left - 1
            while end < len(text) and right < len(value) and text[end] == value[right]:
                end, right = end + 1, right + 1
            if end - start >= least:
                text = text[:start] + _HIDDEN + text[end:]
                end = start + len(_HIDDEN)
            found = text.find(value[at : at + block], max(end, found + 1))
        at += block
    cut = _CUT_END.search(text)
    shown = text[: cut.start()] if cut is not None else text
    for length in range(min(len(value), len(shown)), _SHORTEST_CUT - 1, -1):
        if shown.endswith(value[:length]):
            return shown[:-length] + _HIDDEN + text[len(shown) :]
    return text


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
