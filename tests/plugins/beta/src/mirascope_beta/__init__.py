"""Beta's language models: chat completions with a region in every chunk."""

from mirascope.core import AsyncCall, Call
from mirascope_compatible import (
    CompatibleAsyncStream,
    CompatibleCallResponse,
    CompatibleCallResponseChunk,
    CompatibleProvider,
    CompatibleStream,
)

__all__ = ["BetaAsyncStream", "BetaChunk", "BetaProvider", "BetaStream", "call", "call_async"]


class BetaChunk(CompatibleCallResponseChunk):
    """A chunk from Beta."""

    __slots__ = ()

    @property
    def region(self) -> str | None:
        """Where the model ran."""
        region = self.data.get("x_region")
        return region if isinstance(region, str) else None


class BetaStream(CompatibleStream[BetaChunk]):
    """A stream from Beta."""


class BetaAsyncStream(CompatibleAsyncStream[BetaChunk]):
    """An asynchronous stream from Beta."""


class BetaProvider(CompatibleProvider):
    """Beta: its address, its key, its prices; the protocol is inherited."""

    name = "beta"
    base_url = "https://api.beta.example/v1"
    base_url_env = "BETA_BASE_URL"
    api_key_env = "BETA_API_KEY"
    stream_class = BetaStream
    async_stream_class = BetaAsyncStream
    prices_package = "mirascope_beta"


PROVIDER = BetaProvider()
call = Call[CompatibleCallResponse, BetaStream, BetaAsyncStream](PROVIDER)
call_async = AsyncCall[CompatibleCallResponse, BetaAsyncStream](PROVIDER)
