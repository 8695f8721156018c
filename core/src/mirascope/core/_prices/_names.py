"""How a model's name is found in a price table, and what else a name can say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

UNKNOWN: Final = "?"
"""A fact that changes the price, of which it is not known what it is."""
UNKNOWN_HOST: Final = UNKNOWN
"""The fact `host` of a client that does not say which server it speaks to."""
OTHER_HOST: Final = "other"
"""The fact `host` of a server that is not the provider's own; addresses are nobody's business."""
DATED: Final = re.compile(r"(?:-\d{4}-\d{2}-\d{2}|-\d{8}|@[\w-]+|-00\d)$")
"""The date or version at the end of a name, without which the same model is meant."""

_SNAPSHOT: Final = r"(?:\d{8}|\d{4}-\d{2}-\d{2}|\d{2}-\d{4}|\d{2}-\d{2}|\d{6}|\d{4}|00\d)"
_SUFFIX: Final = re.compile(rf"(?:[-@](?:preview|exp|latest|default|{_SNAPSHOT}))+")
_DIGITS: Final = re.compile(r"[\d-]*\d$")
_WHOLE_SNAPSHOT: Final = re.compile(rf"-?{_SNAPSHOT}")
_OPEN_ENDS: Final = (":", "/", "@")


def host_of(url: object) -> str:
    """Return the host of an address, in lower case, or `UNKNOWN_HOST` for what is not one."""
    text = str(url)
    if text and "//" not in text:
        text = f"//{text}"
    try:
        host = urlsplit(text).hostname
    except ValueError:
        host = None
    return host.rstrip(".") if host else UNKNOWN_HOST


def continues(prefix: str, name: str) -> bool | None:
    """Return whether a name is just the model that a prefix of it is declared for.

    It is where a date or one of the words for a snapshot (`-preview`, `-exp`, `-latest`) follows,
    or anything at all behind a prefix that ends with a colon, a slash or an `@`. None where the
    name merely begins with the same letters: `claude-opus-4-10` is not a `claude-opus-4-1`.

    Args:
        prefix: the declared prefix.
        name: a name that begins with it.
    """
    if ":" in prefix and (own := name.find(":", len(prefix))) > 0:
        # A tuned model, whose name goes on with its owner's own.
        name = name[:own]
    rest = name[len(prefix) :]
    if not rest or prefix.endswith(_OPEN_ENDS) or _SUFFIX.fullmatch(rest):
        return True
    if prefix[-1].isalnum() and not rest[0].isalnum():
        return False
    # The prefix ends within a date, such as `claude-sonnet-4-2025`.
    begun = _DIGITS.search(prefix)
    written = name[begun.start() if begun else len(prefix) :]
    if any(_WHOLE_SNAPSHOT.fullmatch(part) for part in _endings(written)):
        return True
    return None if prefix[-1].isalnum() else False


def _endings(digits: str) -> list[str]:
    """Return the text, and what is left of it behind each hyphen: where a date can begin."""
    return [digits, *(digits[m.end() :] for m in re.finditer("-", digits))]


@dataclass(frozen=True, slots=True)
class Spelling:
    """Another way to write a model's name, as platforms that serve it do.

    Attributes:
        pattern: matches the whole name; its group `model` is the name in the table, and its other
            groups are facts.
        facts: more facts of a response whose model is named so.
    """

    pattern: re.Pattern[str]
    facts: Mapping[str, str] = field(default_factory=dict[str, str])

    def read(self, name: str) -> tuple[str, dict[str, str]] | None:
        """Return the model's name and the facts, or None where a name is not spelled so."""
        found = self.pattern.fullmatch(name)
        if found is None:
            return None
        groups = {fact: value for fact, value in found.groupdict().items() if value}
        return groups.pop("model", name), {**self.facts, **groups}
