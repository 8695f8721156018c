"""What is asked: the prompt, what is piped in, and the files that go with it."""

from __future__ import annotations

import mimetypes
import os
import select
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ._output import say

_ADDRESSES: Final = ("https://", "http://", "data:", "gs://")
_PATIENCE: Final = 2.0
"""Seconds; who forgot that standard input is read is told then what is waited for."""


def user_content(prompt: str | None, attachments: Sequence[str]) -> Any:
    """Return the content of the user's message.

    Args:
        prompt: the argument; `"-"` is standard input alone, and None is the same where something
            is piped in. Else what is piped in follows the prompt.
        attachments: files and addresses of images, audio and documents; `"-"` is standard input.

    Raises:
        UsageError: there is no prompt, or something is not what it should be.
    """
    from mirascope.core import UsageError

    if attachments.count("-") + (prompt == "-") > 1:
        raise UsageError("standard input is read once: give '-' in one place")
    piped = b"" if "-" in attachments else _piped(asked=prompt == "-")
    parts = [] if prompt in (None, "-") else [message_text(prompt or "", "prompt")]
    if piped.strip():
        parts.append(message_text(piped, "text on standard input"))
    if prompt == "-" and len(parts) == 0:
        raise UsageError("the prompt is empty")
    attached = [_attached(name) for name in attachments]
    if not parts and not attached:
        raise UsageError("no PROMPT is given: write one, or pipe it in")
    text = "\n\n".join(parts)
    if not attached:
        return text
    return [*attached, *([{"type": "text", "text": text}] if text else [])]


def message_text(text: str | bytes, what: str) -> str:
    """Return a message's text without the last line's end, which `echo` puts there.

    Raises:
        UsageError: it is empty, or not UTF-8.
    """
    from mirascope.core import UsageError

    try:
        # Bytes of an argument that are not UTF-8 are surrogates in its string.
        text = text.decode() if isinstance(text, bytes) else text.encode().decode()
    except UnicodeError:
        raise UsageError(f"the {what} must be UTF-8 text") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text.strip():
        raise UsageError(f"the {what} is empty")
    return text


def _piped(*, asked: bool) -> bytes:
    """Return what a pipe or a file gives; a terminal and a device are read if that is asked for."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError):
        return b""
    is_pipe = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
    if not asked and not is_pipe and not stat.S_ISREG(mode):
        return b""
    if is_pipe and os.name == "posix" and not select.select([sys.stdin], [], [], _PATIENCE)[0]:
        say("waiting for the end of standard input, which is part of the prompt ('< /dev/null')")
    return sys.stdin.buffer.read()


def _attached(name: str) -> dict[str, Any]:
    """Return the part for an attachment, whose kind is what its name or else its bytes tell."""
    from mirascope.core import AudioPart, DocumentPart, ImagePart, PromptError, UsageError

    kinds = {"image": ImagePart, "audio": AudioPart, "document": DocumentPart}
    is_address = name.startswith(_ADDRESSES)
    given: Any = sys.stdin.buffer.read() if name == "-" else name if is_address else Path(name)
    family = (mimetypes.guess_type(name)[0] or "").partition("/")[0]
    if is_address:
        family = family or "image"
    wanted = [family if family in kinds else "document"] if family else list(kinds)
    reason = ""
    for kind in wanted:
        try:
            return dict(kinds[kind](given))
        except PromptError as error:
            reason = str(error)
    raise UsageError(f"--attachment {name!r}: {reason}")
