"""Providers over httpx, without a vendor's SDK: the transport is here, and the protocol is yours.

httpx is imported by the first call; a plugin that uses this has `httpx` among its dependencies.
"""

from .._public import publish as _publish
from ._provider import HTTPProvider

__all__ = ["HTTPProvider"]

_publish(globals())
