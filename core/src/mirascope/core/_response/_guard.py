"""What a provider makes of an answer, or one of our errors where it can't."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .._errors import MirascopeError, StreamDecodeError, describe

T = TypeVar("T")


def made_of_answer(what: str, provider: str, make: Callable[[], T]) -> T:
    """Return what `make` returns; what it raises becomes one of our errors.

    An answer is what a server sent, in whatever shape. A property that hands it to an SDK's models
    must not raise an exception of theirs into code that has no part in it.

    Args:
        what: the property's name.
        provider: the provider's name.
        make: makes the value.

    Raises:
        StreamDecodeError: `make` raised something that is not ours.
    """
    try:
        return make()
    except MirascopeError:
        raise
    except Exception as error:
        raise StreamDecodeError(
            f"{what!r} can't be made of what the server sent ({describe(error)}): read `answer`, "
            "or a chunk's `data`, instead",
            provider=provider,
        ) from error
