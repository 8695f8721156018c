"""What a provider makes of an answer, or one of our errors where it can't."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .._errors import MirascopeError, StreamDecodeError, describe
from .._provider._faults import is_mistake, raised
from .._provider._provider import Provider

T = TypeVar("T")


def made_of_answer(what: str, provider: Provider, make: Callable[[], T]) -> T:
    """Return what `make` returns; what it raises becomes one of our errors.

    An answer is what a server sent, in whatever shape. A property that hands it to an SDK's models
    must not raise an exception of theirs into code that has no part in it.

    Args:
        what: the property's name.
        provider: whose answer it is.
        make: makes the value.

    Raises:
        PluginError: `make` raised what is a mistake of the plugin's.
        StreamDecodeError: `make` raised something else that is not ours.
    """
    try:
        return make()
    except MirascopeError:
        raise
    except Exception as error:
        if is_mistake(error, provider) or isinstance(error, OSError):
            raise raised(provider, what, error) from error
        raise StreamDecodeError(
            f"{what!r} can't be made of what the server sent ({describe(error)}): read `answer`, "
            "or a chunk's `data`, instead",
            provider=provider.name,
        ) from error
