"""A call that is ready to be sent."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

from .._prices._table import PriceTable
from .._provider._faults import checked_fetched, checked_source, guarded
from .._provider._provider import Provider, Request
from .._recording._recorder import Recorder
from .._recording._source import AsyncRecordingSource, RecordingSource
from .._secrets._hiding import Secrets
from .._tools._toolset import Toolset
from .._transport._connection import Connection
from .._transport._in_thread import load
from .._transport._source import AsyncSource, Source
from .._types import JSONObject
from ._timeouts import Timeouts

_SOURCE: Final = ("__iter__", "close", "abort")
_ASYNC_SOURCE: Final = ("__aiter__", "aclose")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PreparedCall:
    """Everything about one call that is known before it is sent.

    Attributes:
        provider: who will answer.
        model: the model that was asked for.
        request: the call in the provider's terms.
        connection: how the provider is reached.
        toolset: the tools that the model may call.
        call_params: the parameters of the provider's API that were given.
        timeouts: the deadlines.
        fn_args: the arguments of the decorated function, by name.
        prompt_template: the function's template, or None.
        metadata: what the function's dynamic configuration says of the call.
        recorder: what writes the response down, or None.
        prices: the call's own prices, over all others.
        sent_at: when the request was sent, in seconds since 1970, where that was not just now.
        partial_tools: whether a stream yields tools while their arguments arrive.
        key_variables: names the environment variables that hold the provider's credentials.
        is_replay: whether the response is there already, and nothing is sent.
    """

    provider: Provider
    model: str
    request: Request
    connection: Connection
    toolset: Toolset
    call_params: Mapping[str, Any]
    timeouts: Timeouts
    fn_args: Mapping[str, Any]
    prompt_template: str | None
    metadata: Mapping[str, Any]
    recorder: Recorder | None = None
    prices: PriceTable | None = None
    sent_at: float | None = None
    partial_tools: bool = False

    @property
    def facts(self) -> Mapping[str, str]:
        """What only the request knows of how it is served, such as a region (`request_facts`)."""
        provider = self.provider
        return guarded(
            provider, "request_facts", lambda: provider.request_facts(self.connection), self.model
        )

    key_variables: Callable[[], Sequence[str]] = tuple
    is_replay: ClassVar[bool] = False

    def __repr__(self) -> str:
        # Settings, parameters and arguments may hold credentials, and prompts are long.
        return f"<{type(self).__name__} {self.provider.name}/{self.model}>"

    def known_variables(self) -> Sequence[str]:
        """Return the environment variables that hold the provider's credentials."""
        # A plugin that can't be loaded must not hide what went wrong.
        with contextlib.suppress(Exception):
            return self.key_variables()
        return ()

    def secrets(self) -> Secrets:
        """Return the credentials that this call may send, as they are known now."""
        secrets = Secrets.of(
            settings=self.connection.settings,
            client=self.connection.client,
            request=self.request.kwargs,
            variables=self.known_variables(),
        )
        secrets.add(Secrets.named_in(self.fn_args))
        return secrets

    def hide(self, text: str) -> str:
        """Return a text that a server sent without credentials of this call."""
        return self.secrets().hide(text)

    @property
    def user_message_param(self) -> Any:
        """The last message if it is the user's, in the provider's form; else None."""
        last: Any = self.request.messages[-1] if self.request.messages else None
        if not isinstance(last, Mapping):
            return None
        message = cast("Mapping[str, Any]", last)
        return message if self.provider.is_user_message(message) else None

    def send(self) -> Source:
        """Send the request and return the open response.

        Raises:
            UsageError: the response is to be recorded where nothing can be written.
            Exception: the request failed; whatever the SDK raises.
        """
        recorder = self.recorder
        if recorder is None:
            return self._open()
        with self._recording(recorder):
            source = self._open()
        return RecordingSource(source, recorder)

    async def send_async(self) -> AsyncSource:
        """Send the request asynchronously and return the open response; see `send`."""
        await load(self.provider)
        recorder = self.recorder
        if recorder is None:
            return await self._open_async()
        with self._recording(recorder):
            source = await self._open_async()
        return AsyncRecordingSource(source, recorder)

    def fetch(self) -> tuple[Any, JSONObject]:
        """Send a request that is not streamed and return the SDK's object and the JSON object.

        Raises:
            Exception: the request failed; whatever the SDK raises.
        """
        recorder = self.recorder
        if recorder is None:
            return self._fetch()
        with self._recording(recorder, streamed=False):
            obj, data = self._fetch()
        recorder.whole(data)
        return obj, data

    async def fetch_async(self) -> tuple[Any, JSONObject]:
        """The same, asynchronously."""
        recorder = self.recorder
        if recorder is None:
            return await self._fetch_async()
        with self._recording(recorder, streamed=False):
            obj, data = await self._fetch_async()
        recorder.whole(data)
        return obj, data

    def _fetch(self) -> tuple[Any, JSONObject]:
        fetched = self.provider.fetch(self.request, self.connection)
        return checked_fetched(self.provider, "fetch", fetched, self.model)

    async def _fetch_async(self) -> tuple[Any, JSONObject]:
        fetched = await self.provider.fetch_async(self.request, self.connection)
        return checked_fetched(self.provider, "fetch_async", fetched, self.model)

    def _open(self) -> Source:
        source = self.provider.open(self.request, self.connection)
        return checked_source(self.provider, "open", source, _SOURCE, self.model)

    async def _open_async(self) -> AsyncSource:
        source = await self.provider.open_async(self.request, self.connection)
        return checked_source(self.provider, "open_async", source, _ASYNC_SOURCE, self.model)

    @contextlib.contextmanager
    def _recording(self, recorder: Recorder, *, streamed: bool = True) -> Generator[None]:
        """Begin a recording; it is removed again if the request fails."""
        recorder.begin(
            self.provider,
            self.model,
            self.request,
            self.secrets(),
            facts=self.facts,
            metadata=self.metadata,
            streamed=streamed,
        )
        try:
            yield
        except BaseException:
            recorder.discard()
            raise
