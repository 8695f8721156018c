"""A provider's name, checked, in all the forms in which a distribution has it."""

from __future__ import annotations

import importlib.util
import keyword
import re
from dataclasses import dataclass
from typing import Final, Self

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_RULE: Final = "lower-case letters, digits and single '-' or '_' between them, a letter first"
_PLACES: Final = re.compile("new_name|new-name|NEW_NAME|NewName|New Name")


@dataclass(frozen=True, slots=True)
class Names:
    """The forms of a provider's name.

    Attributes:
        provider: what calls and the entry point say: `"new_name"`.
    """

    provider: str

    @classmethod
    def checked(cls, given: str) -> Self:
        """Return the forms of a name.

        Args:
            given: the provider's name; `-` stands for `_` in it.

        Raises:
            UsageError: it can't be a provider's name, or somebody has it.
        """
        from mirascope.core import UsageError

        provider = given.replace("-", "_")
        if not _NAME.fullmatch(provider):
            possible = _possible(given)
            hint = f"; {possible!r} would do" if possible else ""
            raise UsageError(f"{given!r} can't be a provider's name: {_RULE}{hint}")
        if provider.startswith("mirascope_"):
            raise UsageError(
                f"{given!r} is the distribution's name: give the provider's, "
                f"{provider.removeprefix('mirascope_')!r}"
            )
        if keyword.iskeyword(provider):
            raise UsageError(
                f"{given!r} is a keyword of Python, which no import can name: choose another name"
            )
        if owner := _owner(provider):
            raise UsageError(f"{given!r} is taken by {owner}: choose another name")
        return cls(provider)

    @property
    def distribution(self) -> str:
        """What is published, as PEP 503 writes it: `"mirascope-new-name"`."""
        return f"mirascope-{self.provider.replace('_', '-')}"

    @property
    def package(self) -> str:
        """What is imported: `"mirascope_new_name"`."""
        return f"mirascope_{self.provider}"

    def put_into(self, text: str) -> str:
        """Return a template with this name in the place of the one that it was written for."""
        words = [part.capitalize() for part in self.provider.split("_")]
        forms = {
            "new_name": self.provider,
            "new-name": self.provider.replace("_", "-"),
            "NEW_NAME": self.provider.upper(),
            "NewName": "".join(words),
            "New Name": " ".join(words),
        }
        return _PLACES.sub(lambda place: forms[place[0]], text)


def _possible(given: str) -> str:
    """Return a name that is like the given one and can be a provider's, or `""`."""
    like = "_".join(re.findall("[a-z0-9]+", given.lower()))
    like = like.removeprefix("mirascope_")
    return like if given.isascii() and _NAME.fullmatch(like) else ""


def _owner(provider: str) -> str:
    """Return who has a name already, or `""`."""
    import mirascope.core
    from mirascope.core.plugins._discovery import GROUP, claims_of, distribution
    from mirascope.core.plugins._first_party import FIRST_PARTY

    if provider in ("core", *FIRST_PARTY):
        return f"'mirascope-{provider}'"
    if claims := claims_of(provider, GROUP):
        return f"{distribution(claims[0])!r}, which is installed"
    # `from mirascope.core import NAME` would never be the plugin.
    if provider in vars(mirascope.core) or importlib.util.find_spec(f"mirascope.core.{provider}"):
        return f"'mirascope.core.{provider}'"
    # In MIRASCOPE_DISABLE_PLUGINS it stands for every plugin.
    return "'MIRASCOPE_DISABLE_PLUGINS=all'" if provider == "all" else ""
