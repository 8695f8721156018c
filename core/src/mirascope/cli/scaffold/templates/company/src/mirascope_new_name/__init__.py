"""The models that New Name uses: its gateway, its key, its headers and what it has agreed to pay.

The gateway speaks chat completions, so the provider is that of `mirascope_compatible`.
"""

import os
from collections.abc import Mapping

import mirascope_compatible as compatible
from mirascope.core import AsyncCall, Call

__all__ = [
    "NewNameAsyncStream",
    "NewNameProvider",
    "NewNameStream",
    "call",
    "call_async",
]


class NewNameStream(compatible.CompatibleStream):
    """A stream."""


class NewNameAsyncStream(compatible.CompatibleAsyncStream):
    """An asynchronous stream."""


class NewNameProvider(compatible.CompatibleProvider):
    """What calls need not say; `prices.toml` has the contract's prices."""

    name = "new_name"
    base_url = "https://models.new-name.example/v1"
    base_url_env = "NEW_NAME_BASE_URL"
    api_key_env = "NEW_NAME_API_KEY"
    stream_class = NewNameStream
    async_stream_class = NewNameAsyncStream
    prices_package = "mirascope_new_name"

    def key_headers(self, key: str) -> Mapping[str, str]:
        """Return the key, and who pays for the call: the gateway wants both."""
        team = os.environ.get("NEW_NAME_TEAM", "unknown")
        return {**super().key_headers(key), "X-Team": team}


PROVIDER = NewNameProvider()
Response = compatible.CompatibleCallResponse
call = Call[Response, NewNameStream, NewNameAsyncStream](PROVIDER)
call_async = AsyncCall[Response, NewNameAsyncStream](PROVIDER)
