"""The provider: the protocol, sent by the SDK's clients.

Core reads the bytes of the response, so that deadlines, endings and closing are its own. The SDK is
imported by the first call that needs it.
"""

import importlib
import json
import os
from typing import TYPE_CHECKING, Any

from mirascope import core
from mirascope.core.json import as_object

from ._protocol import NewNameProtocol

if TYPE_CHECKING:
    from . import _sdk

_ADDRESS = "https://api.new-name.example"
_ADDRESS_VARIABLE = "NEW_NAME_BASE_URL"
_KEY_VARIABLE = "NEW_NAME_API_KEY"

_CLIENTS: "core.ClientCache[_sdk.Client, _sdk.AsyncClient]" = core.ClientCache(
    close=lambda client: client.close(),
    aclose=lambda client: client.aclose(),
    environment=("NEW_NAME_",),
    names=("a Client", "an AsyncClient"),
)


class NewNameProvider(NewNameProtocol):
    """Calls take `base_url=` and `api_key=`; `client=` is one of the SDK's."""

    settings = frozenset({"base_url", "api_key"})

    def load(self) -> None:
        """Import the SDK."""
        importlib.import_module("._sdk", __package__)

    def open(self, request: core.Request, connection: core.Connection) -> core.Source:
        """Send a request."""
        return core.HTTPSource(self._client(connection).answer(**request.kwargs))

    async def open_async(
        self, request: core.Request, connection: core.Connection
    ) -> core.AsyncSource:
        """Send a request, asynchronously."""
        client = await self._async_client(connection)
        return core.AsyncHTTPSource(await client.answer(**request.kwargs))

    def fetch(
        self, request: core.Request, connection: core.Connection
    ) -> tuple[Any, core.JSONObject]:
        """Send a request that is not streamed."""
        response = self._client(connection).answer(**request.kwargs)
        core.bound_body(response, connection.max_bytes)
        try:
            return _whole(response.read())
        finally:
            response.close()

    async def fetch_async(
        self, request: core.Request, connection: core.Connection
    ) -> tuple[Any, core.JSONObject]:
        """Send a request that is not streamed, asynchronously."""
        response = await (await self._async_client(connection)).answer(**request.kwargs)
        core.bound_body(response, connection.max_bytes)
        try:
            return _whole(await response.aread())
        finally:
            await response.aclose()

    def chunk_object(self, data: core.JSONObject, raw: bytes | None) -> Any:
        """Return an event in the SDK's own type."""
        from . import _sdk

        return _sdk.Event(str(data.get("type")), data)

    def map_error(self, error: Exception) -> core.APIError | None:
        """Return our error for the SDK's; of any other, core knows what it means."""
        from . import _sdk

        if not isinstance(error, _sdk.StatusError):
            return None
        return core.error_from_status(error.status, _message(error.body), headers=error.headers)

    def _client(self, connection: core.Connection) -> "_sdk.Client":
        def make() -> "_sdk.Client":
            import httpx

            from . import _sdk

            options = core.http_client_options(asynchronous=False)
            http_client = httpx.Client(**options, **_patience())
            return _sdk.Client(**_credentials(connection), http_client=http_client)

        return _CLIENTS.sync(connection, make)

    async def _async_client(self, connection: core.Connection) -> "_sdk.AsyncClient":
        def make() -> "_sdk.AsyncClient":
            import httpx

            from . import _sdk

            options = core.http_client_options(asynchronous=True)
            http_client = httpx.AsyncClient(**options, **_patience())
            return _sdk.AsyncClient(**_credentials(connection), http_client=http_client)

        return await _CLIENTS.asynchronous(connection, make)


def _credentials(connection: core.Connection) -> dict[str, Any]:
    """Return address and key; the environment's key goes to the service's own address alone."""
    named = os.environ.get(_ADDRESS_VARIABLE)
    key = connection.settings.get("api_key")
    if not key and connection.takes_environment_key(_ADDRESS, named):
        key = os.environ.get(_KEY_VARIABLE)
    url = connection.settings.get("base_url") or named or _ADDRESS
    return {"base_url": url, "api_key": key}


def _patience() -> dict[str, Any]:
    """Models think for minutes, and each open stream holds a connection."""
    import httpx

    return {
        "timeout": httpx.Timeout(600.0, connect=5.0),
        "limits": httpx.Limits(max_connections=None),
    }


def _whole(body: bytes) -> tuple[Any, core.JSONObject]:
    data = as_object(json.loads(body))
    return data, data


def _message(body: bytes) -> str:
    """Return what the server says of an error, whose body may be anything."""
    try:
        failure = core.failure_in(as_object(json.loads(body)))
    except ValueError:
        failure = None
    return failure.message if failure is not None else body[:300].decode("utf-8", "replace")
