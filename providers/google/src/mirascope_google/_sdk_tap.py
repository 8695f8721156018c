"""A look at what the SDK receives, from inside its own loop.

The SDK has no public way to a streamed response ("Accessing the raw HTTP response is not supported
in streaming methods"), and its loop is worth keeping: it builds the request, retries it, and
continues an answer over several requests. What it lacks needs the response underneath:

- its bytes: the loop takes eight times as long for a chunk as reading them does;
- the moment at which the response begins, which is where errors of the request end;
- closing: its asynchronous generators leave the connection to the garbage collector;
- ending a read that waits, from another thread, without the SDK beginning to read again;
- the JSON as it came, with the fields that the SDK drops;
- comments, which its reader of lines takes for a part of an error;
- bounds: the SDK follows redirects, and reads lines and whole bodies of any size.

So the loop runs with a stand-in for the SDK's API client. That is private: the names used are
`_api_client` of `Models`, `_request` and `_async_request` of the API client, and `response_stream`,
`headers`, `segments` and `async_segments` of the response. They are the same in google-genai 1.60
to 3.6; where one is missing, the loop runs without a tap and `tap` returns None. For the bounds,
`_request_once`, `_async_request_once`, `_httpx_client` and `_async_httpx_client` as well; where one
of these is missing, requests are sent by the SDK's HTTP client as it is.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, cast

from mirascope.core import APIError, AsyncHTTPSource, HTTPSource, JSONObject, bound_body

from ._http_client import bounded_clients
from ._sdk_objects import wire_json
from ._segments import Segments
from ._usage import HOPS


class Aborted(BaseException):
    """The stream was ended while the SDK was about to send another request.

    Not an `Exception`, which the SDK would take for a dropped connection.
    """


class Tap:
    """Stands in for the SDK's API client in one call.

    Args:
        api_client: the SDK's own, which does all the work.
        max_bytes: how large a response may be.
        by_bytes: whether the first response is read as bytes, whose reader counts them.
        announces: whether the loop is told that the first response has begun.

    Attributes:
        max_bytes: how large a response may be.
        response: the HTTP response that is being read, of httpx2, httpx, aiohttp or requests.
        headers: the response's headers, as the SDK has them.
        pieces: the response's body, or None where it can't be read as bytes. An iterator, or an
            asynchronous one; whoever reads it, the SDK's loop or not, goes on where it was left.
        failure: why the response is not read on, where it was one of its bounds.
    """

    # What the SDK's methods set on this object in the client's place goes to the client.
    _OWN: Final = frozenset(
        {
            "_aborted",
            "_announces",
            "_api_client",
            "_async_http",
            "_async_httpx_client",
            "_by_bytes",
            "_hops",
            "_http",
            "_httpx_client",
            "_pairs",
            "_requests",
            "_seen",
            "_unread",
            "failure",
            "headers",
            "max_bytes",
            "pieces",
            "response",
        }
    )

    def __init__(
        self, api_client: Any, max_bytes: int, *, by_bytes: bool = False, announces: bool = True
    ) -> None:
        self._api_client = api_client
        self._announces = announces
        self._by_bytes = by_bytes
        self._requests = 0
        self._seen: list[JSONObject] = []
        self._hops: dict[int, JSONObject] = {}
        self._pairs = True
        self._aborted = False
        self.max_bytes = max_bytes
        self._unread = _Unread()
        self.response: Any = None
        self.headers: Mapping[str, str] = {}
        self.pieces: Any = None
        # Made with the response: it must know when the response lets its connection go.
        self._http: HTTPSource | None = None
        self._async_http: AsyncHTTPSource | None = None
        self.failure: APIError | None = None
        self._httpx_client, self._async_httpx_client = bounded_clients(api_client, max_bytes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api_client, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._OWN:
            object.__setattr__(self, name, value)
        else:
            setattr(self._api_client, name, value)

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Run the SDK's method of this name, for an answer that is not streamed."""
        return cast("Any", type(self._api_client)).request(self, *args, **kwargs)

    def async_request(self, *args: Any, **kwargs: Any) -> Any:
        """The same, asynchronously."""
        return cast("Any", type(self._api_client)).async_request(self, *args, **kwargs)

    def request_streamed(self, *args: Any, **kwargs: Any) -> Any:
        """Run the SDK's method of this name with this object in the client's place."""
        client_class = cast("Any", type(self._api_client))
        return client_class.request_streamed(self, *args, **kwargs)

    def async_request_streamed(self, *args: Any, **kwargs: Any) -> Any:
        """The same, asynchronously."""
        client_class = cast("Any", type(self._api_client))
        return client_class.async_request_streamed(self, *args, **kwargs)

    def see(self, data: JSONObject) -> JSONObject:
        """Take note of the JSON that the SDK is about to read."""
        self._seen.append(data)
        self._count_usage(data)
        return data

    def go_on(self, passed: list[JSONObject], rest: bytes) -> None:
        """Let the SDK's loop read on in a response that was read as bytes so far.

        Args:
            passed: what was handed on already and the loop must know of. It makes objects of it,
                for which nothing is seen.
            rest: what was read of the body and not handed on.
        """
        self._unread = _Unread(passed, rest)

    def take_unread(self) -> _Unread:
        """Return what the SDK's loop begins with, once."""
        unread, self._unread = self._unread, _Unread()
        for data in unread.passed:
            self._count_usage(data)
        return unread

    @property
    def is_used(self) -> bool:
        """Whether the SDK's loop runs with this object, which a patched one may not."""
        return self._requests > 0

    @property
    def has_seen(self) -> bool:
        """Whether anything but the beginning of the response was seen."""
        return bool(self._seen)

    def take(self, obj: Any) -> JSONObject:
        """Return the JSON that an object of the SDK's loop was made of.

        An answer that the SDK continues has one usage and one finish reason: those of the object.
        """
        seen, self._seen = self._seen, []
        # One segment makes one object, unless the loop is wrapped in one that reads ahead.
        self._pairs = self._pairs and len(seen) == 1
        if not self._pairs:
            return wire_json(obj)
        [data] = seen
        candidates: list[JSONObject] = data.get("candidates") or []
        if (candidates and "continuationToken" in candidates[0]) or self._requests > 1:
            # The SDK sums the usage of an answer that it continues, and each request has its own
            # price: a long one costs more by the token.
            hops = [self._hops.get(number) for number in range(1, self._requests + 1)]
            data = {**data, HOPS: hops}
        if self._requests > 1 or (candidates and candidates[0].get("finishReason")):
            return _as_yielded(data, obj)
        return data

    def rejected(self) -> JSONObject | None:
        """Return the error object that made the SDK raise, or None if it was something else.

        The decoder reads it as it reads the one of a recording, also where the SDK can't: it knows
        only error objects with a numeric code.
        """
        return self._seen[-1] if self._seen and "error" in self._seen[-1] else None

    def abort(self) -> None:
        """End a read that waits, and let the SDK send nothing more. For any thread."""
        self._aborted = True
        if self._http is not None:
            self._http.abort()

    def close(self) -> None:
        """Release the connection."""
        self._aborted = True
        if self._http is not None:
            self._http.close()
        elif self.response is not None:
            self.response.close()

    async def aclose(self) -> None:
        """Release the connection of an asynchronous client."""
        self._aborted = True
        if self._async_http is not None:
            await self._async_http.aclose()
        elif self.response is not None:
            # aiohttp's responses close without waiting.
            self.response.close()

    def _request(self, *args: Any, **kwargs: Any) -> Any:
        self._count_request()
        client_class = cast("Any", type(self._api_client))
        return self._tapped(client_class._request(self, *args, **kwargs), asynchronous=False)

    async def _async_request(self, *args: Any, **kwargs: Any) -> Any:
        self._count_request()
        client_class = cast("Any", type(self._api_client))
        response = await client_class._async_request(self, *args, **kwargs)
        return self._tapped(response, asynchronous=True)

    def _request_once(self, *args: Any, **kwargs: Any) -> Any:
        return cast("Any", type(self._api_client))._request_once(self, *args, **kwargs)

    async def _async_request_once(self, *args: Any, **kwargs: Any) -> Any:
        client_class = cast("Any", type(self._api_client))
        return await client_class._async_request_once(self, *args, **kwargs)

    def _count_usage(self, data: JSONObject) -> None:
        if usage := data.get("usageMetadata"):
            self._hops[self._requests] = usage

    def _count_request(self) -> None:
        if self._aborted:
            raise Aborted
        self._requests += 1

    def _tapped(self, response: Any, *, asynchronous: bool) -> _Response:
        stream = response.response_stream
        # A recording of the SDK's own is a list of texts.
        self.response = None if isinstance(response.response_stream, list) else stream
        self.headers = response.headers
        self._http = self._async_http = self.pieces = None
        if not (self._by_bytes and self._requests == 1):
            bound_body(stream, self.max_bytes)
        if hasattr(stream, "iter_bytes"):
            if asynchronous:
                self._async_http = AsyncHTTPSource(stream)
                self.pieces = aiter(self._async_http)
            else:
                self._http = HTTPSource(stream)
                self.pieces = iter(self._http)
        elif hasattr(content := getattr(stream, "content", None), "iter_any"):
            # aiohttp, which the SDK's asynchronous client takes where it is installed.
            self.pieces = aiter(cast("Any", content).iter_any())
        return _Response(self, response, announced=self._announces and self._requests == 1)


class _Unread:
    """What was read of a response before the SDK's loop reads on."""

    __slots__ = ("passed", "rest")

    def __init__(self, passed: Sequence[JSONObject] = (), rest: bytes = b"") -> None:
        self.passed = passed
        self.rest = rest


class _Response:
    """Stands in for the SDK's response: the same segments, seen on their way.

    The first one of a call is an empty object that says that the response has begun; the SDK makes
    an empty chunk of it, which `GenerateSource` keeps to itself.
    """

    def __init__(self, tap: Tap, response: Any, *, announced: bool) -> None:
        self._tap = tap
        self._response = response
        self._announced = announced

    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)

    def segments(self) -> Iterator[JSONObject]:
        tap = self._tap
        if self._announced:
            yield {}
        try:
            if tap.pieces is None:
                for data in self._response.segments():
                    yield tap.see(data)
                return
            unread, segments = tap.take_unread(), Segments()
            yield from unread.passed
            for piece in chain((unread.rest,), tap.pieces):
                for data in segments.feed(piece):
                    yield tap.see(data)
            for data in segments.end():
                yield tap.see(data)
        except APIError as error:
            tap.failure = error
            raise Aborted from error

    async def __aiter__(self) -> AsyncIterator[JSONObject]:
        tap = self._tap
        if self._announced:
            yield {}
        try:
            if tap.pieces is None:
                async for data in self._response.async_segments():
                    yield tap.see(data)
                return
            unread, segments = tap.take_unread(), Segments()
            for data in unread.passed:
                yield data
            for data in segments.feed(unread.rest):
                yield tap.see(data)
            async for piece in tap.pieces:
                for data in segments.feed(piece):
                    yield tap.see(data)
            for data in segments.end():
                yield tap.see(data)
        except APIError as error:
            tap.failure = error
            raise Aborted from error


def tap(
    models: Any, max_bytes: int, *, by_bytes: bool = False, announces: bool = True
) -> tuple[Any, Tap] | None:
    """Return a copy of the SDK's `Models` or `AsyncModels` that runs with a tap, and the tap.

    None where this is not an object of the SDK, or of an SDK that is made in another way.

    Args:
        models: the SDK's object.
        max_bytes: how large a response may be.
        by_bytes: whether the first response is read as bytes, whose reader counts them.
        announces: whether the loop is told that the first response has begun.
    """
    from google.genai.models import AsyncModels, Models

    if not isinstance(models, (Models, AsyncModels)):
        return None
    api_client: Any = getattr(models, "_api_client", None)
    names = ("request_streamed", "async_request_streamed", "_request", "_async_request")
    if not all(callable(getattr(api_client, name, None)) for name in names):
        return None
    tapped: Any = copy.copy(models)
    tapped._api_client = made = Tap(api_client, max_bytes, by_bytes=by_bytes, announces=announces)
    return tapped, made


def _as_yielded(data: JSONObject, obj: Any) -> JSONObject:
    """Return a segment with what the SDK has changed on the object that it made of it."""
    candidates: list[JSONObject] = data.get("candidates") or []
    made: list[Any] = obj.candidates or []
    if candidates and made and made[0].finish_reason is None:
        # There is a next request: this is the end of one hop and not of the answer.
        first = {k: v for k, v in candidates[0].items() if k != "finishReason"}
        data = {**data, "candidates": [first, *candidates[1:]]}
    if data.get("usageMetadata") and obj.usage_metadata is not None:
        data = {**data, "usageMetadata": {**data["usageMetadata"], **wire_json(obj.usage_metadata)}}
    return data
