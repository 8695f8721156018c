"""Keep credentials out of everything that is shown."""

from __future__ import annotations

import re
from typing import Final

_CREDENTIAL: Final = re.compile(
    r"""(?ix)
    (?P<keep>
        \bbearer\s+(?!auth|token) | \bbasic\s+(?=[a-z0-9+/]{16})
        | ["']?\b(?:x-)?(?:goog-)?api[-_]?key["']?\s*[:=]\s*["']?
    ) [^\s"',;&]{6,}
    | \bsk[-_][a-z0-9][a-z0-9_\-*]{7,}
    | \b(?:gsk|xai|pplx|csk|hf)[-_][a-z0-9]{16,}
    | \bAIza[a-z0-9_\-]{20,}
    """
)


def redact(text: str, *secrets: str | None) -> str:
    """Replace `secrets` and whatever looks like an API key or an authorization value by `***`.

    Servers echo a rejected key in the message of a 401, and error messages end up in logs.
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return _CREDENTIAL.sub(lambda found: f"{found['keep'] or ''}***", text)
