"""Every test of the server with and without TLS."""

from __future__ import annotations

import pytest


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def tls(request: pytest.FixtureRequest) -> bool:
    return request.param
