"""The library's messages for people at a shell, who have options where a program has arguments."""

from __future__ import annotations

import re
from typing import Final

_REWRITTEN: Final = (
    # A client is an object of Python's, which no option can be.
    (r",? or give client=\w+\(api_key=…\)", ""),
    (r", give api_key=…,? or give client=[\w.]+\([^)]*\)", " or give -p api_key=…"),
    (r"\bwith client=([\w.]+)\([^)]*\)", r"with the client \1 in a program"),
    (r", which the decorator does already: write '([^']*)'", r" twice: write it once, before '\1'"),
    (r"\b(?:pass|give|with) base_url=(?:…|'…')?", "give --base-url"),
    (r"\bbase_url=(?:…|'…')?", "--base-url"),
    (r"\bapi_key=(?:…|'…')? and -", "-p api_key=… and -"),
    (r"(?<!-p )\bapi_key=…?", "-p api_key=…"),
    (r"\(provider=\)", "(--provider)"),
    (r"\btimeout=", "--timeout "),
    (r"\bresponse_model=(?=[A-Z\w])", "--schema "),
    (r"; leave response_mode='native' out", "; leave --schema-mode native out"),
    (r"\bresponse_mode='(\w+)'", r"--schema-mode \1"),
    (r"\bresponse_mode '(\w+)'", r"--schema-mode \1"),
    (r"\bthis response_model\b", "this type"),
    (r"\ba response_model\b", "a --schema"),
    (r"\bapi='(\w+)'", r"--api \1"),
    (r"\bmodel='(/[^']*)'", r"--model local/\1"),
    (r"\bmax_bytes=…?", "-p max_bytes=…"),
    (r"\bcall_params can't contain\b", "-p can't give"),
)


def at_a_shell(message: str) -> str:
    """Return a message with the options of the command line in the place of arguments."""
    for pattern, words in _REWRITTEN:
        message = re.sub(pattern, words, message)
    return message
