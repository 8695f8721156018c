"""What an exception that ended a call means, and what of it is shown."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Final

from .._causes import chain
from .._errors import (
    AuthenticationError,
    MirascopeError,
    StreamError,
    StreamTimeoutError,
    UsageError,
    describe,
)
from .._interruptions import interruption
from .._provider._accumulate import Accumulator
from .._request._prepared import PreparedCall
from .._scrub import forget, learn, scrub
from .._secrets._hiding import Secrets
from ._picture import StreamPicture


def opening_failure(call: PreparedCall, error: Exception) -> MirascopeError:
    """Return the error for an exception that was raised before the response began."""
    mapped = _of_client(call, error) or call.provider.opening_error(error, call.model)
    if mapped is not error:
        mapped.__cause__ = error
    if isinstance(mapped, AuthenticationError) and _was_withheld(call, error):
        mapped.message += (
            " (base_url= was given without api_key=, and the key in the environment goes to its "
            "own address only: give api_key= as well, or name the address in the environment)"
        )
        mapped.args = (mapped.message,)
    elif (
        isinstance(mapped, AuthenticationError)
        and (variable := _missing_key(call))
        and variable not in mapped.message
    ):
        mapped.message += f" (no key is known: set {variable} or give api_key=)"
        mapped.args = (mapped.message,)
    return shown(call, mapped)


def fetching_failure(call: PreparedCall, error: Exception) -> BaseException:
    """Return the error for an exception that ended a call which was not streamed."""
    if (outside := interruption(error)) is not None:
        # A signal handler raised it while this waited: it passes unchanged.
        forget(error)
        return outside
    failure = opening_failure(call, error)
    if isinstance(failure, StreamError):
        failure.stream = StreamPicture.of_call(call)
    return failure


def shown(call: PreparedCall, error: MirascopeError, *sent: object) -> MirascopeError:
    """Return an error that shows no credential of the call, in whatever it is looked at.

    Args:
        call: the call.
        error: the error, with its causes.
        *sent: what else knows the request that was sent, such as the source.
    """
    if isinstance(error, StreamTimeoutError) and error.__cause__ is None:
        # Nothing in it comes from a server. Which variables hold keys is the plugin's to tell, and
        # finding that out may wait for imports of the thread that this deadline gives up.
        forget(error)
        return error
    secrets = call.secrets()
    for known in sent:
        secrets.add_sent(known)
    scrub(error, secrets)
    return error


def hide_in_answer(call: PreparedCall, answer: Accumulator, *sent: object) -> None:
    """Take credentials out of the provider's own error, which the answer keeps."""
    if answer.error is None:
        return
    secrets = call.secrets()
    for known in sent:
        secrets.add_sent(known)
    error = answer.error
    answer.error = replace(
        error,
        message=secrets.hide(error.message),
        type=error.type and secrets.hide(error.type),
        code=error.code and secrets.hide(error.code),
    )


_VALUES: Final = (str, int, float, list, dict, type(None))
"""What JSON holds."""


def _of_client(call: PreparedCall, error: Exception) -> MirascopeError | None:
    """Return the error for a `client=` that is not what the provider needs."""
    client = call.connection.client
    if client is None or not isinstance(error, AttributeError):
        return None
    asked: object = error.obj
    if error.name is not None and isinstance(asked, _VALUES) and asked is not client:
        # What was sent was not what the client expected, which is not the client's fault.
        return None
    what = f"the class {client.__name__!r}" if isinstance(client, type) else type(client).__name__
    return UsageError(
        f"client= is {what}, which {call.provider.name!r} can't use: give an instance of its own "
        f"client ({describe(error)})"
    )


def _missing_key(call: PreparedCall) -> str | None:
    """Return the variable that a key belongs in, if no key was known at all."""
    connection = call.connection
    if connection.client is not None or {"api_key", "headers"} & connection.settings.keys():
        return None
    variables = call.known_variables()
    return None if any(map(os.environ.get, variables)) else next(iter(variables), None)


def _was_withheld(call: PreparedCall, error: Exception) -> bool:
    """Whether the environment has a key that did not go to the address that was given."""
    settings = call.connection.settings
    if call.connection.client is not None or "api_key" not in call.provider.settings:
        return False
    if not settings.get("base_url") or settings.get("api_key"):
        return False
    keys = list(filter(None, map(os.environ.get, call.known_variables())))
    sent = Secrets(())
    learn(chain(error), sent)
    return bool(keys) and not any(sent.knows(key) for key in keys)
