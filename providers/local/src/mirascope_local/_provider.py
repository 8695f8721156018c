"""Chat completions of a model in this process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar, Final

from mirascope.core import (
    BaseAsyncStream,
    BaseCallResponse,
    BaseStream,
    CallRequest,
    Connection,
    JSONObject,
    PriceTable,
    Request,
    UsageError,
    refuse_parts,
)
from mirascope_compatible import ChatProvider
from typing_extensions import override

from ._call_response import LocalCallResponse
from ._engines import ENGINES
from ._generation import LocalAsyncSource, LocalSource
from ._request import completion, with_answer, with_defaults
from ._stream import LocalAsyncStream, LocalStream

_REFUSED: Final[Mapping[str, str]] = dict.fromkeys(
    ("image", "audio", "document"), "its models read text only"
)
_STREAMED: JSONObject = {"stream": True, "stream_options": {"include_usage": True}}


class LocalProvider(ChatProvider):
    """Models that llama.cpp runs in this process.

    The model is `"smollm2-135m"` or the path of a GGUF file. Its first call loads it.
    """

    name: ClassVar[str] = "local"
    shows_schema: ClassVar[bool] = True
    stream_class: ClassVar[type[BaseStream[Any]]] = LocalStream
    async_stream_class: ClassVar[type[BaseAsyncStream[Any]]] = LocalAsyncStream
    response_class: ClassVar[type[BaseCallResponse[Any]]] = LocalCallResponse

    @override
    def prepare(self, request: CallRequest) -> Request:
        refuse_parts(request.messages, _REFUSED, where="the local provider")
        prepared = super().prepare(request)
        body = prepared.kwargs
        if request.answer is not None:
            body = with_answer(body, request.answer)
        return replace(prepared, kwargs=with_defaults(body))

    @override
    def open(self, request: Request, connection: Connection) -> LocalSource:
        _check(connection)
        return LocalSource(ENGINES.get(request.kwargs["model"]), request.kwargs).open()

    @override
    async def open_async(self, request: Request, connection: Connection) -> LocalAsyncSource:
        _check(connection)
        engine = await ENGINES.get_async(request.kwargs["model"])
        return await LocalAsyncSource(engine, request.kwargs).open()

    # Without a stream, llama.cpp could not be stopped when the caller is cancelled.

    @override
    def fetch(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        source = self.open(_streamed(request), connection)
        try:
            return self._whole([data for _, data in source])
        finally:
            source.close()

    @override
    async def fetch_async(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        source = await self.open_async(_streamed(request), connection)
        try:
            return self._whole([data async for _, data in source])
        finally:
            await source.aclose()

    @cached_property
    @override
    def prices(self) -> PriceTable:
        return PriceTable(provider=self.name, free=True)

    def _whole(self, chunks: list[JSONObject]) -> tuple[Any, JSONObject]:
        whole = completion(chunks, self.decoder(), self.response_object)
        return whole, whole


def _check(connection: Connection) -> None:
    if connection.client is not None:
        raise UsageError("the local provider has no client: leave client= out")


def _streamed(request: Request) -> Request:
    return replace(request, kwargs={**request.kwargs, **_STREAMED})
