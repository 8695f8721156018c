"""Beta's language models: chat completions with a region in every chunk."""

import mirascope_compatible as compatible
from mirascope.core import AsyncCall, Call

__all__ = ["BetaAsyncStream", "BetaChunk", "BetaProvider", "BetaStream", "call", "call_async"]


class BetaChunk(compatible.CompatibleCallResponseChunk):
    """A chunk from Beta."""

    __slots__ = ()

    @property
    def region(self) -> str | None:
        """Where the model ran."""
        region = self.data.get("x_region")
        return region if isinstance(region, str) else None


class BetaStream(compatible.CompatibleStream[BetaChunk]):
    """A stream from Beta."""


class BetaAsyncStream(compatible.CompatibleAsyncStream[BetaChunk]):
    """An asynchronous stream from Beta."""


class BetaProvider(compatible.CompatibleProvider):
    """Beta: its address, its key, its prices; the protocol is inherited."""

    name = "beta"
    base_url = "https://api.beta.example/v1"
    base_url_env = "BETA_BASE_URL"
    api_key_env = "BETA_API_KEY"
    stream_class = BetaStream
    async_stream_class = BetaAsyncStream
    prices_package = "mirascope_beta"


PROVIDER = BetaProvider()
call = Call[compatible.CompatibleCallResponse, BetaStream, BetaAsyncStream](PROVIDER)
call_async = AsyncCall[compatible.CompatibleCallResponse, BetaAsyncStream](PROVIDER)
