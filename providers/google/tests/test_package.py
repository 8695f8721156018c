"""The package as it is imported."""

from __future__ import annotations

import subprocess
import sys

import mirascope_google as google
import pytest
from mirascope.core import UsageError
from mirascope.core.plugins import load_provider


def test_importing_the_package_loads_no_sdk_and_no_http_client() -> None:
    script = (
        "import sys, mirascope_google;"
        "print([n for n in ('google.genai', 'httpx', 'httpx2', 'aiohttp', 'requests', 'pluggy')"
        " if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (found.stdout.strip(), found.returncode) == ("[]", 0)


def test_the_public_names_are_sorted_and_there() -> None:
    assert sorted(google.__all__) == google.__all__
    assert all(hasattr(google, name) for name in google.__all__)


def test_the_entry_point_gives_the_provider() -> None:
    provider = load_provider("google")
    assert isinstance(provider, google.GoogleProvider)
    assert load_provider("google", "generate") is provider


def test_there_is_one_api() -> None:
    with pytest.raises(UsageError, match="has no API 'chat'; it has: generate"):
        google.call("gemini-2.5-flash", stream=True, api="chat")
