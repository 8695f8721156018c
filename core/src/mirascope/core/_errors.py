"""One exception tree for whatever can go wrong, before the response and during it."""

from __future__ import annotations

import contextlib
import math
import pickle
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Self

from ._secrets._hiding import redact

if TYPE_CHECKING:
    from ._response._picture import StreamPicture
    from ._response._stream_base import StreamBase

_LEFT_OUT: Final = object()
"""Stands for an attribute that can't be pickled."""


class MirascopeError(Exception):
    """The root of every error that this library raises on purpose.

    Every error can be pickled and copied, as when it leaves a worker process. A copy keeps the
    message and the facts; in the place of a stream it has a picture of it (`StreamError.stream`).
    An attribute that can't be pickled is left out, and so are the causes.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        facts = {name: _portable(value) for name, value in vars(self).items()}
        kept = {name: value for name, value in facts.items() if value is not _LEFT_OUT}
        return type(self)._restored, (self.args, kept)

    def __copy__(self) -> Self:
        # A shallow copy stays in the process, and shares the stream as it shares everything else.
        return self._restored(self.args, vars(self))

    @classmethod
    def _restored(cls, args: tuple[Any, ...], facts: Mapping[str, Any]) -> Self:
        """Make an error without its own constructor, which takes other arguments than `args`."""
        error = cls.__new__(cls, *args)
        # Some of the standard library's classes keep what they show apart from `args`.
        super(MirascopeError, error).__init__(*args)
        vars(error).update(facts)
        return error


class UsageError(MirascopeError, ValueError):
    """The library was called in a way that can't work; the message has what to change."""


class UnreadableFileError(UsageError, OSError):
    """A file that was named can't be read."""

    def __new__(cls, *args: Any) -> Self:
        # ValueError comes first, whose own makes nothing that is an OSError too.
        return OSError.__new__(cls, *args)


class MissingFileError(UnreadableFileError, FileNotFoundError):
    """A file that was named does not exist."""


class PromptError(UsageError):
    """A prompt template can't be filled in, or a function has no prompt."""


class StreamNotExhaustedError(MirascopeError, RuntimeError):
    """Something was read that is known only once the stream has ended."""


class StreamConsumedError(MirascopeError, RuntimeError):
    """A stream was iterated that has ended or that something else iterates."""


class NotCopyableError(MirascopeError, TypeError):
    """Something was copied or pickled that belongs to one process and one reader."""


class ProviderError(MirascopeError):
    """A provider plugin is missing, broken, incompatible, disabled, or in conflict.

    Attributes:
        provider: the name that was asked for.
    """

    def __init__(self, message: str, *, provider: str) -> None:
        super().__init__(message)
        self.provider = provider


class MissingProviderError(ProviderError, ImportError):
    """The provider's distribution is not installed; the message has the command."""


class UnknownProviderError(ProviderError, LookupError):
    """No installed plugin has this name."""


class DisabledProviderError(ProviderError):
    """`MIRASCOPE_DISABLE_PLUGINS` names this provider."""


class BrokenProviderError(ProviderError):
    """The plugin can't be imported, or does not do what a plugin must; see `__cause__`."""


class IncompatibleProviderError(ProviderError):
    """The plugin was written for a plugin API that this core does not speak."""


class ProviderConflictError(ProviderError):
    """Several distributions claim the same provider name."""


class APIError(MirascopeError):
    """A request failed, or its response did.

    Attributes:
        message: what went wrong, without credentials, at most 4,000 characters.
        provider: the provider's name.
        model: the model that was asked for.
        status: the HTTP status, where there was one.
        code: the provider's own code, such as `"model_not_found"`.
        request_id: the provider's id of the request, for its support.
        retryable: whether the same request may succeed later.

    The SDK's or the transport's exception is the `__cause__`.
    """

    _retryable = False

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        model: str | None = None,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retryable: bool | None = None,
    ) -> None:
        self.message = _cut(redact(message))
        self.provider = provider
        self.model = model
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retryable = self._retryable if retryable is None else retryable
        # Not `super()`: a plugin's mistake is an error of providers as well.
        MirascopeError.__init__(self, self.message)

    def __str__(self) -> str:
        where = "/".join(str(part) for part in (self.provider, self.model) if part)
        status = f" (HTTP {self.status})" if self.status is not None else ""
        return f"{where}: {self.message}{status}" if where else f"{self.message}{status}"


class AuthenticationError(APIError):
    """The credentials are missing or were refused (401)."""


class PermissionDeniedError(APIError):
    """The credentials are good but not for this (403)."""


class NotFoundError(APIError):
    """The model or the address does not exist (404)."""


class BadRequestError(APIError):
    """The provider refuses the request as it is (400, 409, 413, 422, …)."""


class RateLimitError(APIError):
    """Too many requests, or a quota is used up (429).

    Attributes:
        retry_after: seconds to wait, where the provider asks for it.
    """

    _retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.retry_after = retry_after


class ProviderServerError(APIError):
    """The provider failed or is overloaded (5xx)."""

    _retryable = True


class ProviderConnectionError(APIError):
    """No connection to the provider could be had."""

    _retryable = True


class ProviderTimeoutError(APIError):
    """The provider did not answer within the client's own timeout."""

    _retryable = True


class StreamError(APIError):
    """A response began and did not end well.

    Attributes:
        stream: the stream, with all that had arrived: `error.stream.content` and the rest. On a
            copy of the error, and on the error of a call that was not streamed, it is a
            `StreamPicture` of it. None on an error that no call has raised.
    """

    _retryable = True
    stream: StreamBase[Any] | StreamPicture | None = None


class StreamCancelledError(StreamError):
    """`collect()` was to return an answer that `cancel()` or `close()` had ended before its end."""

    _retryable = False


class StreamInterruptedError(StreamError):
    """The connection dropped in the middle of the response."""


class StreamTruncatedError(StreamError):
    """The body ended cleanly, but the protocol's own end had not been seen."""


class StreamDecodeError(StreamError):
    """The response's bytes are not what the protocol allows."""

    _retryable = False


class PluginError(StreamError, BrokenProviderError):  # type: ignore[misc]  # `provider` is a name here
    """A provider's plugin has a mistake that only a call shows; see `__cause__`.

    The message names the plugin's distribution and the method. It is neither the network's fault
    nor the server's: the same call fails again. `stream` is there where an answer had begun.
    """

    _retryable = False

    def __init__(self, message: str, *, provider: str, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.provider = provider


class StreamLimitError(StreamError):
    """The response is larger than `max_bytes`; what came before is kept.

    Attributes:
        limit: the bound, in bytes.
    """

    _retryable = False

    def __init__(self, message: str, *, limit: int, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.limit = limit


class StreamTimeoutError(StreamError):
    """A deadline passed.

    Attributes:
        deadline: which one: `"first_chunk"`, `"idle"`, `"total"`, or `"read"` for the client's own.
    """

    def __init__(self, message: str, *, deadline: str, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.deadline = deadline


class StreamProviderError(StreamError):
    """The provider sent its own error inside the response.

    Attributes:
        type: the provider's class of error, such as `"overloaded_error"`.
    """

    def __init__(self, message: str, *, type: str | None = None, **facts: Any) -> None:  # noqa: A002 - the wire's own word
        if facts.get("retryable") is None:
            facts["retryable"] = is_retryable(facts.get("status"), facts.get("code"), type)
        super().__init__(message, **facts)
        self.type = type


class ToolError(MirascopeError, ValueError):
    """A tool call of the model can't be run; the call itself is in `tool.tool_call`."""


_FINAL: Final = frozenset(
    {
        *("insufficient_quota", "quota_exceeded", "billing_error", "billing_hard_limit_reached"),
        *("billing_not_active", "insufficient_credits", "insufficient_balance"),
        *("payment_required", "account_deactivated", "access_terminated"),
        *("invalid_api_key", "authentication_error", "permission_error", "permission_denied"),
        *("unauthenticated", "invalid_request_error", "invalid_argument", "failed_precondition"),
        *("context_length_exceeded", "content_filter", "content_policy_violation"),
        *("not_found", "not_found_error", "model_not_found", "request_too_large"),
        *("unimplemented", "not_implemented"),
    }
)
"""Codes and types of errors that the same request meets again."""
_TEMPORARY: Final = frozenset(
    {
        *("rate_limit_exceeded", "rate_limit_error", "rate_limited", "too_many_requests"),
        *("resource_exhausted", "overloaded", "overloaded_error", "engine_overloaded"),
        *("server_error", "internal_server_error", "internal_error", "internal", "api_error"),
        *("service_unavailable", "unavailable", "bad_gateway", "gateway_timeout"),
        *("timeout", "timeout_error", "deadline_exceeded", "aborted", "slow_down"),
        *("service_unavailable_error", "server_overloaded", "vector_store_timeout"),
    }
)
"""Codes and types of errors that pass: OpenAI's, Anthropic's, Google's (`google.rpc.Code`)."""

_SHOWN_ADDRESS = 200
_SHOWN_MESSAGE = 4000

_STATUS_ERRORS: dict[int, type[APIError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: ProviderTimeoutError,
    429: RateLimitError,
}


def error_from_status(
    status: int,
    message: str,
    *,
    headers: Mapping[str, str] | None = None,
    **facts: Any,
) -> APIError:
    """Return the error that an HTTP status stands for.

    Args:
        status: the HTTP status of the response.
        message: the provider's own text.
        headers: the response's headers: `retry-after`, `retry-after-ms` and `x-request-id` count,
            and the `location` of a redirect, which takes the message's place.
        **facts: `provider`, `model`, `code` as in `APIError`.
    """
    headers = headers or {}
    facts.setdefault("request_id", request_id(headers))
    if 300 <= status < 400 and (location := headers.get("location")):
        message = _redirected(location)
    facts.setdefault("retryable", is_retryable(status, facts.get("code")))
    error_class = _STATUS_ERRORS.get(
        status, ProviderServerError if status >= 500 else BadRequestError
    )
    if error_class is RateLimitError:
        return RateLimitError(message, status=status, retry_after=retry_after(headers), **facts)
    return error_class(message, status=status, **facts)


def _portable(value: object) -> object:
    """Return an error's attribute as a copy of it keeps it, or `_LEFT_OUT`."""
    picture = getattr(value, "picture", None)
    if callable(picture):
        return picture()
    try:
        pickle.dumps(value)
    except Exception:
        return _LEFT_OUT
    return value


def _cut(message: str) -> str:
    """Shorten a message that is a whole page: it is logged, and shown to people."""
    return message if len(message) <= _SHOWN_MESSAGE else f"{message[:_SHOWN_MESSAGE]}…"


def _redirected(location: str) -> str:
    from urllib.parse import urlsplit, urlunsplit

    try:
        scheme, netloc, path, _, _ = urlsplit(location)
        # Without a user's name and a query, either of which may be a credential.
        address = urlunsplit((scheme, netloc.rpartition("@")[2], path, "", ""))
    except ValueError:
        address = "an address that can't be read"
    return (
        f"the server points to {address[:_SHOWN_ADDRESS]!r}; that was not followed, because it "
        "takes the prompt along: if you trust it, give its address as base_url="
    )


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the provider's id of a request: `x-request-id`, or Anthropic's `request-id`."""
    return headers.get("x-request-id") or headers.get("request-id")


def is_retryable(status: int | None, *words: str | None) -> bool:
    """Whether a request that ended so may succeed later: the one rule for all errors.

    A code or a type decides where it is known, because it is more exact than the status: an
    account without credit answers 429 like a client that is too fast, and a 200 may end in an
    error event that has no status.

    Args:
        status: the HTTP status, or the one that the provider's error stands for.
        *words: the provider's code and its class of error, where it gives them.
    """
    known = {word.lower() for word in words if isinstance(word, str)}
    if known & _FINAL:
        return False
    if known & _TEMPORARY:
        return True
    return status is not None and (status in (408, 429) or (status >= 500 and status != 501))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that `retry-after-ms` or `retry-after` ask for (RFC 9110 §10.2.3).

    They are finite and not negative, fit for `time.sleep`; anything else counts as absent.
    """
    with contextlib.suppress(ValueError):
        return _wait(float(headers.get("retry-after-ms", "")) / 1000)
    wait = headers.get("retry-after", "")
    try:
        return _wait(float(wait))
    except ValueError:
        return _seconds_until(wait)


def _wait(seconds: float) -> float | None:
    return seconds if 0 <= seconds < math.inf else None


def _seconds_until(http_date: str) -> float | None:
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(http_date)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def is_timeout(error: BaseException) -> bool:
    """Whether a transport's exception means that time ran out.

    httpx and httpx2 have distinct classes of the same names and core imports neither, so their
    bases are known by name.
    """
    return isinstance(error, TimeoutError) or any(
        base.__name__ in ("TimeoutException", "APITimeoutError") for base in type(error).__mro__
    )


def is_bad_data(error: BaseException) -> bool:
    """Whether an exception means that the response is not valid UTF-8, JSON or gzip."""
    return isinstance(error, ValueError) or any(
        base.__name__ == "DecodingError" for base in type(error).__mro__
    )


def describe(error: BaseException) -> str:
    """Return `Class: text` of a foreign exception in one line, without credentials."""
    text = " ".join(str(error).split())
    return redact(f"{type(error).__name__}: {text}" if text else type(error).__name__)
