"""Where credentials are: in settings, clients, requests and the environment."""

from __future__ import annotations

import base64
import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, Final, cast
from urllib.parse import parse_qsl, unquote, urlsplit

CREDENTIAL_NAME: Final = re.compile(
    r"""(?ix) (?:^|[-_.])
    (?: (?:api|access|secret|private|subscription)[-_]?key
      | (?:(?:access|ad|auth|authorization|bearer|id|refresh|security|session)[-_]?)? token
      | (?:client[-_]?)? secret | passw(?:or)?d | credentials? | cookie
      | authorization | auth | auth[-_]?header
    ) $ | ^key$"""
)
"""The names of fields that hold credentials: `api_key`, `x-goog-api-key`, `authorization_token`."""
HEADERS: Final = re.compile(r"(?i)(?:^|_)headers$")
_QUERY: Final = re.compile(r"(?i)(?:^|_)(?:query|params|cookies)$")
_BODY: Final = re.compile(r"(?i)^extra_body$")
_VARIABLE: Final = re.compile(r"(?:_KEY|APIKEY|TOKEN|SECRET|PASSWORD|PASSWD)$")
_HARMLESS: Final = re.compile(
    r"""(?ix) ^ (?:
    accept(?:-\w+)? | connection | content-\w+ | date | host | origin | referer | http-referer
    | te | trailer | transfer-encoding | upgrade | user-agent | vary | via
    | x-title | x-request-id | x-client-request-id | x-stainless-[\w-]+ | x-goog-api-client
    | x-goog-user-project | anthropic-(?:version|beta|dangerous-[\w-]+)
    | openai-(?:beta|organization|project|processing-ms|version) | idempotency-key
    | traceparent | tracestate | api-version | alt | stream
    ) $"""
)
"""Headers and query parameters whose values are not secret; those of any other name may be one."""
GENERATED: Final = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w\-+/=.~]{16,}")
_KEY_LIKE: Final = re.compile(r"(?=.*\d)(?=.*[A-Za-z])(?!\w+://)\S{16,}")
_PATH: Final = re.compile(r"[/~.]|[A-Za-z]:[\\/]|.*\.[A-Za-z]\w{0,4}\Z")
"""How the path of a file begins, or ends: a cache of files has a `key` too."""
_DEPTH: Final = 2


def in_variables(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the credentials in the variables of a function that sends requests.

    Any loop has a `key`: what stands under a credential's name has to look like one too, and
    not like a file's path.
    """
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    for text in credentials_in(texts):
        if _KEY_LIKE.fullmatch(text) and not _PATH.match(text):
            yield text
    yield from credentials_in({n: value for n, value in values.items() if HEADERS.search(n)})


def in_environment(variables: frozenset[str]) -> Iterator[str]:
    """Yield the credentials in the environment: these variables, and what is named like one."""
    for name, value in os.environ.items():
        if name in variables or (_VARIABLE.search(name) and not value.startswith(("/", "~", "."))):
            yield value
        elif "://" in value:
            # A proxy's address may hold a password.
            yield from _in_address(value)
        elif HEADERS.search(name):
            for line in value.splitlines():
                yield from _header(*map(str.strip, line.split(":", 1))) if ":" in line else ()


def in_settings(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield the credentials in a provider's connection settings."""
    yield from credentials_in(settings)
    for name, value in settings.items():
        if isinstance(value, str):
            # A stranger's setting may have any name; a key in it shows by how it looks.
            if not name.endswith("url") and GENERATED.fullmatch(value) and "/" not in value:
                yield value
        elif not isinstance(value, (Mapping, list, tuple)) and value is not None:
            yield from credentials_of(value)


def _in_address(url: object) -> Iterator[str]:
    """Yield the name and the password in an address, and what its query has."""
    try:
        parts = urlsplit(str(url or ""))
    except ValueError:
        # `http://host:KEY/v1`: whatever stands there is no port, and shown by who refuses it.
        return
    with contextlib.suppress(ValueError):
        user, password = parts.username, parts.password
        for part in (user, password):
            if part:
                yield part
                yield unquote(part)
        if password:
            # A short one alone may be a word of any answer; behind its name it is not.
            given = parts.netloc.rpartition("@")[0]
            yield f"{given}@"
            yield f"{unquote(given)}@"
        if user and password:
            pair = f"{unquote(user)}:{unquote(password)}".encode()
            yield base64.b64encode(pair).decode()
    port = parts.netloc.rpartition("@")[2].rpartition("]")[2].partition(":")[2]
    if port and not port.isdecimal():
        yield port
    for name, value in parse_qsl(parts.query):
        yield from _header(name, value)


def _header(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if isinstance(value, str) and not _HARMLESS.match(name):
        yield value


def credentials_in(value: Any, depth: int = 8, *, is_custom: bool = False) -> Iterator[str]:
    """Yield the values of fields whose names are those of credentials.

    Args:
        value: settings, or a request's parameters.
        depth: how deep to look.
        is_custom: whether every value counts that may be a key by its looks, whatever its name.
    """
    if depth and isinstance(value, Mapping):
        for key, item in cast("Mapping[Any, Any]", value).items():
            name = str(key)
            if isinstance(item, (str, bytes)):
                text = item.decode("latin-1") if isinstance(item, bytes) else item
                if CREDENTIAL_NAME.search(name) or (is_custom and _KEY_LIKE.fullmatch(text)):
                    yield text
                elif "://" in text and name.endswith("url"):
                    yield from _in_address(text)
            elif isinstance(item, Mapping) and (HEADERS.search(name) or _QUERY.search(name)):
                for header, text in cast("Mapping[Any, Any]", item).items():
                    yield from _header(str(header), text)
            elif callable(reveal := getattr(cast("Any", item), "get_secret_value", None)):
                with contextlib.suppress(Exception):
                    yield str(reveal())
            else:
                yield from credentials_in(
                    item, depth - 1, is_custom=is_custom or _BODY.match(name) is not None
                )
    elif depth and isinstance(value, (list, tuple)):
        for item in cast("list[Any]", value):
            if is_custom and isinstance(item, str) and _KEY_LIKE.fullmatch(item):
                yield item
            yield from credentials_in(item, depth - 1, is_custom=is_custom)


def credentials_of(obj: Any, depth: int = _DEPTH) -> Iterator[str]:
    """Yield what the attributes of a client, and of its parts, hold as credentials.

    `vars` runs no code of the client's, whatever class it is of.
    """
    try:
        attributes = list(cast("Mapping[str, Any]", vars(obj)).items())
    except TypeError:
        return
    for name, value in attributes:
        if isinstance(value, (str, bytes)):
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            if CREDENTIAL_NAME.search(name):
                yield text
            elif name.endswith("url"):
                yield from _in_address(text)
        elif name.endswith("url"):
            with contextlib.suppress(Exception):
                yield from _in_address(value)
        elif isinstance(value, Mapping):
            with contextlib.suppress(Exception):
                yield from credentials_in({name: value})
        elif depth and not isinstance(value, (type, ModuleType)):
            yield from credentials_of(value, depth - 1)


_LEADS_TO_A_REQUEST: Final = (
    *("request", "_request", "response", "_response", "request_info"),
    # Sources, one around another, and what they read.
    *("_source", "_stream", "_tap"),
)


def sent_with(obj: Any, depth: int = 4) -> Iterator[str]:
    """Yield what a request, or what knows one, carried in its headers and its address."""
    with contextlib.suppress(Exception):
        headers = obj.headers
        # Of a request; a response's headers are the server's.
        if isinstance(headers, Mapping) and getattr(obj, "method", None) is not None:
            for name, value in cast("Mapping[Any, Any]", headers).items():
                yield from _header(str(name), value)
            yield from _in_address(obj.url)
    if depth:
        for name in _LEADS_TO_A_REQUEST:
            # httpx raises RuntimeError for an exception that no request was given to.
            with contextlib.suppress(Exception):
                if (found := getattr(obj, name, None)) is not None:
                    yield from sent_with(found, depth - 1)
