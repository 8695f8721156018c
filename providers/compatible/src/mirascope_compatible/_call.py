"""The decorators for compatible servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mirascope.core import (
    AsyncCall,
    BaseDynamicConfig,
    BaseTool,
    Call,
    MessageParam,
    Provider,
    UsageError,
)

from ._call_response import CompatibleCallResponse
from ._host import Host
from ._provider import CompatibleProvider
from ._stream import CompatibleAsyncStream, CompatibleStream

PROVIDER = CompatibleProvider()


class HostCall(Call[CompatibleCallResponse, CompatibleStream, CompatibleAsyncStream]):
    """`compatible.call`: the arguments are those of `Call`, and `host=` besides.

    `host` is the name of a known server, or a `Host`. The model's name goes to the server as it is,
    slashes included.
    """

    if not TYPE_CHECKING:  # The overloads of Call stand, whose params take any name.

        def __call__(self, model: str, *, host: str | Host | None = None, **arguments: Any) -> Any:
            if host is None:
                return super().__call__(model, **arguments)
            return Call(_provider_of(host))(model, **arguments)


class AsyncHostCall(AsyncCall[CompatibleCallResponse, CompatibleAsyncStream]):
    """`compatible.call_async`: the same for `async def` functions."""

    if not TYPE_CHECKING:

        def __call__(self, model: str, *, host: str | Host | None = None, **arguments: Any) -> Any:
            if host is None:
                return super().__call__(model, **arguments)
            return AsyncCall(_provider_of(host))(model, **arguments)


def _provider_of(host: object) -> Provider:
    if isinstance(host, Host):
        return host.provider()
    if not isinstance(host, str):
        raise UsageError(f"host must be the name of a known server or a Host, not {host!r}")
    from mirascope.core.plugins import load_host

    return load_host(host)


call = HostCall(PROVIDER)
"""`@compatible.call("model", host="deepseek", stream=True)`, or with `base_url=` and `api_key=`."""
call_async = AsyncHostCall(PROVIDER)
"""The same for `async def` functions."""
CompatibleMessageParam = MessageParam
"""A message of a call."""
CompatibleDynamicConfig = BaseDynamicConfig
"""What a function decorated with `compatible.call` may return."""
CompatibleTool = BaseTool
"""A tool call."""
AsyncCompatibleDynamicConfig = CompatibleDynamicConfig
"""What an `async def` may return: the same, for `client` takes clients of both kinds."""
compatible_call = call
"""`call`, by a name that needs no module before it."""
