"""The SDK's HTTP client in one call: bounded, and without redirects."""

from __future__ import annotations

from typing import Any

from mirascope.core import bound_body, bound_error
from mirascope.core.json import as_object


class BoundedClient:
    """Stands in for the HTTP client of the SDK's API client, and has no state of its own.

    The SDK follows redirects, with the key, and reads bodies to their end, whatever they expand to.

    Args:
        client: the HTTP client, of httpx or httpx2, which does all the work.
        max_bytes: how large a response may be.
        follows: whether the client's own setting for redirects holds, as its user has set it.
    """

    __slots__ = ("_client", "_follows", "_max_bytes")

    def __init__(self, client: Any, max_bytes: int, *, follows: bool) -> None:
        self._client = client
        self._max_bytes = max_bytes
        self._follows = follows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def send(self, request: Any, *, stream: bool = False) -> Any:
        """Send a request; the SDK's synchronous requests come through here."""
        response = self._client.send(request, stream=True, **self._options())
        self._bound(response, stream)
        if not stream:
            try:
                response.read()
            finally:
                response.close()
            _refuse(response)
        return response

    def _options(self) -> dict[str, Any]:
        return {} if self._follows else {"follow_redirects": False}

    def _bound(self, response: Any, stream: bool) -> None:
        bound_error(response)
        if not stream:
            bound_body(response, self._max_bytes)
        elif 200 < response.status_code < 300:
            # The SDK takes no other success for one, and would call an empty answer a bad request.
            response.status_code = 200


class AsyncBoundedClient(BoundedClient):
    """The same for an asynchronous client."""

    __slots__ = ()

    async def send(self, request: Any, *, stream: bool = False) -> Any:
        """Send a request; the SDK's asynchronous streams come through here."""
        response = await self._client.send(request, stream=True, **self._options())
        self._bound(response, stream)
        if not stream:
            try:
                await response.aread()
            finally:
                await response.aclose()
            _refuse(response)
        return response

    async def request(self, method: str, url: str, **parts: Any) -> Any:
        """Build and send a request that is not streamed, as the SDK does in one step."""
        return await self.send(self._client.build_request(method, url, **parts))


def _refuse(response: Any) -> None:
    """Give a failure that came with status 200 the status that it reports.

    Gateways send such ones, and the SDK would make an empty answer of it.
    """
    if response.status_code != 200 or b'"error"' not in response.content:
        return
    try:
        error = as_object(as_object(response.json()).get("error"))
    except ValueError:
        return
    if error:
        code = error.get("code")
        refused = isinstance(code, int) and 400 <= code < 600
        response.status_code = code if refused else 500


def bounded_clients(api_client: Any, max_bytes: int) -> tuple[Any, Any]:
    """Return the synchronous and the asynchronous HTTP client of an API client, bounded.

    What a user has set holds: an HTTP client of their own, or `client_args` that name redirects.
    """
    options: Any = getattr(api_client, "_http_options", None)
    return (
        _bounded(BoundedClient, api_client, "_httpx_client", options, "", max_bytes),
        _bounded(
            AsyncBoundedClient, api_client, "_async_httpx_client", options, "async_", max_bytes
        ),
    )


def _bounded(
    kind: type[BoundedClient], api_client: Any, name: str, options: Any, prefix: str, max_bytes: int
) -> Any:
    client: Any = getattr(api_client, name, None)
    if client is None:
        # The SDK speaks through another library: aiohttp, or requests for some credentials.
        return None
    arguments: Any = getattr(options, f"{prefix}client_args", None) or {}
    own: Any = getattr(options, f"httpx_{prefix}client", None)
    return kind(client, max_bytes, follows=own is not None or "follow_redirects" in arguments)
