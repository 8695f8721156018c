"""In the place of your SDK: clients of the service, as its vendor would publish them.

Import the SDK in `_provider.py` instead, name it in `pyproject.toml` and as the `sdk` in
`_plugin.py`, and remove this file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

_PATH = "/v1/answers"


class StatusError(Exception):
    """The server refused a request.

    Attributes:
        status: the HTTP status.
        body: the body of the response.
        headers: its headers.
    """

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        super().__init__(f"HTTP {status}")
        self.status, self.body, self.headers = status, body, headers


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a streamed answer.

    Attributes:
        type: what kind of event it is.
        fields: the whole of it.
    """

    type: str
    fields: Mapping[str, Any]


class Client:
    """A client.

    Args:
        base_url: the server's address.
        api_key: the key, or None.
        http_client: what sends the requests.
    """

    def __init__(
        self, *, base_url: str, api_key: str | None, http_client: httpx.Client | None = None
    ) -> None:
        self._http = http_client or httpx.Client()
        self._url = base_url.rstrip("/") + _PATH
        self._headers = _headers(api_key)

    def answer(self, **body: Any) -> httpx.Response:
        """Send a request and return the response before its body is read.

        Raises:
            StatusError: the server refused it.
        """
        request = self._http.build_request("POST", self._url, json=body, headers=self._headers)
        response = self._http.send(request, stream=True)
        if response.status_code >= 300:
            try:
                raise StatusError(response.status_code, response.read(), response.headers)
            finally:
                response.close()
        return response

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncClient:
    """An asynchronous client.

    Args:
        base_url: the server's address.
        api_key: the key, or None.
        http_client: what sends the requests.
    """

    def __init__(
        self, *, base_url: str, api_key: str | None, http_client: httpx.AsyncClient | None = None
    ) -> None:
        self._http = http_client or httpx.AsyncClient()
        self._url = base_url.rstrip("/") + _PATH
        self._headers = _headers(api_key)

    async def answer(self, **body: Any) -> httpx.Response:
        """Send a request and return the response before its body is read.

        Raises:
            StatusError: the server refused it.
        """
        request = self._http.build_request("POST", self._url, json=body, headers=self._headers)
        response = await self._http.send(request, stream=True)
        if response.status_code >= 300:
            try:
                raise StatusError(response.status_code, await response.aread(), response.headers)
            finally:
                await response.aclose()
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


def _headers(api_key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}
