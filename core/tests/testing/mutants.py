"""Mutants of the sound provider: for each check, one mistake that an author can make."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mirascope.core import (
    Connection,
    Delta,
    EndDelta,
    ErrorDelta,
    FinishDelta,
    JSONObject,
    PriceTable,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    Usage,
    UsageDelta,
    error_from_status,
)
from mirascope.core.testing import ProviderConformance
from mirascope.core.wire import LineFramer, SSEFramer
from mirascope_compatible import (
    CompatibleAsyncStream,
    CompatibleCallResponse,
    CompatibleStream,
)

from .mutant_transports import (
    AsyncLeaky,
    AsyncQuiet,
    Deaf,
    Hoarding,
    Leaky,
    Quiet,
    buffered,
    context_dropped,
    impatient,
    new_client,
    one_client,
    sending,
    sending_async,
    unlimited,
)
from .sound import PRICES, WIRE, GoodDecoder, GoodProvider, decoding, kit, only, provider


class PieceFramer(LineFramer):
    """Takes every read for a whole event."""

    def feed(self, piece: bytes, /) -> Any:
        events = SSEFramer(error_field="error")
        return [*events.feed(piece), *events.end()]

    def end(self) -> Any:
        return []


class NoCRFramer(SSEFramer):
    """Knows one kind of line end."""

    def feed(self, piece: bytes, /) -> Any:
        return super().feed(piece.replace(b"\r", b"x"))


SHARED = GoodDecoder()


def always_bad_request(self: Any, status: int, body: bytes, headers: Any) -> Any:
    return error_from_status(400, "no")


def unguarded(self: Any, status: int, body: bytes, headers: Any) -> Any:
    import json

    return error_from_status(status, json.loads(body)["error"]["message"], headers=headers)


def mutating(self: Any, request: Any) -> Any:
    made = GoodProvider.prepare(self, request)
    for message in request.messages:
        message["seen"] = True
    return made


def streaming(self: Any, request: Any) -> Any:
    made = GoodProvider.prepare(self, request)
    made.kwargs["stream"] = True
    return made


def without_params(self: Any, request: Any) -> Any:
    return GoodProvider.prepare(self, replace(request, call_params={}))


def without_tools(self: Any, request: Any) -> Any:
    return GoodProvider.prepare(self, replace(request, tools=()))


def without_parts(self: Any, request: Any) -> Any:
    kept = [
        {**m, "content": ""} if isinstance(m.get("content"), list) else m for m in request.messages
    ]
    return GoodProvider.prepare(self, replace(request, messages=kept))


def without_history(self: Any, request: Any) -> Any:
    kept = [m for m in request.messages if m.get("role") != "assistant"]
    return GoodProvider.prepare(self, replace(request, messages=kept))


def key_anywhere(self: Any, given_url: str, connection: Connection) -> bool:
    return True


def normalize_raising(self: Any, usage: JSONObject, facts: Any) -> Usage:
    return Usage(
        input_tokens=usage["prompt_tokens"] + 0,
        output_tokens=usage["completion_tokens"],
        cache_read_tokens=usage["prompt_tokens_details"]["cached_tokens"],
    )


def twice(self: Any, usage: JSONObject, facts: Any) -> Usage:
    made = GoodProvider.normalize(self, usage, facts)
    return replace(made, input_tokens=(made.input_tokens or 0) * 2)


def endless_whole(self: Any, data: JSONObject) -> Any:
    return [*GoodDecoder.decode_response(self, data), EndDelta()]


def drop_text(self: Any, data: JSONObject) -> Any:
    return [d for d in GoodDecoder.decode_response(self, data) if type(d) is not TextDelta]


def without_thinking(self: Any, data: JSONObject) -> Any:
    return [d for d in GoodDecoder.decode_response(self, data) if type(d) is not UsageDelta]


class ExtraStream(CompatibleStream):
    @property
    def region(self) -> str:
        """Only here."""
        return "eu"


def decoder_with(**members: Any) -> Any:
    bad = type("BadDecoder", (GoodDecoder,), members)
    return provider(decoder=lambda _: bad())


def results(change: Callable[[list[Any]], list[Any]]) -> Any:
    return provider(
        tool_message_params=lambda self, given: change(
            GoodProvider.tool_message_params(self, given)
        )
    )


def message(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    return provider(
        message_param=lambda self, answer: change(GoodProvider.message_param(self, answer))
    )


def unknown_raises(self: Any, data: JSONObject, event: str | None = None) -> Any:
    return GoodDecoder.decode(self, {"choices": data["choices"], **data}, event)


class AliveFramer(SSEFramer):
    """Takes a comment for an event."""

    def feed(self, piece: bytes, /) -> Any:
        return super().feed(piece.replace(b": keep-alive", b'data: {"keep": "alive"}'))


def finishing_early(self: Any, deltas: list[Delta], data: JSONObject) -> Any:
    """Takes the first text for the end."""
    return [*deltas, FinishDelta("stop")] if any(type(d) is TextDelta for d in deltas) else deltas


def counting_nothing(self: Any, deltas: list[Delta], data: JSONObject) -> Any:
    """Says 0 where nothing was said."""
    ended = any(type(d) is FinishDelta for d in deltas)
    return [*deltas, UsageDelta({"prompt_tokens": 0, "completion_tokens": 0})] if ended else deltas


class Forgiving(GoodDecoder):
    """Passes over what it can't read."""

    def parse(self, data: bytes) -> JSONObject:
        import contextlib

        with contextlib.suppress(ValueError):
            return super().parse(data)
        return {}


CUT = [{"id": "c", "type": "function", "function": {"name": "get_weather", "arguments": ""}}]
DEAR = PriceTable.from_toml(
    'schema = 1\nprovider = "good"\ncurrency = "USD"\n'
    '[models."model-1"]\nprices = [{ input = 9, output = 2 }]',
    "dear",
)
ANYTHING = PriceTable.from_toml(
    'schema = 1\nprovider = "good"\ncurrency = "USD"\n'
    '[models."model-1"]\nprefixes = ["a", "m"]\nprices = [{ input = 1, output = 2 }]',
    "anything",
)


class Loud:
    """Says the model's name in another way than the server."""

    @property
    def model(self) -> Any:
        return super().model.upper()  # type: ignore[misc]


class LoudStream(Loud, CompatibleStream):
    pass


class LoudAsyncStream(Loud, CompatibleAsyncStream):
    pass


class LoudResponse(Loud, CompatibleCallResponse):
    pass


class EagerStream(CompatibleStream):
    """Is opened when it is made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.open()


class AgainStream(CompatibleStream):
    """Lets a second loop in, which gives nothing."""

    def __iter__(self) -> Any:
        return iter(()) if self.state.ended else super().__iter__()


def stray_is_an_end(self: Any, data: JSONObject) -> Any:
    return GoodDecoder.decode_stray(self, data) or [EndDelta()]


def renumbered(message: dict[str, Any]) -> dict[str, Any]:
    calls = [{**c, "id": f"call-{n}"} for n, c in enumerate(message.get("tool_calls", ()))]
    return {**message, "tool_calls": calls} if calls else message


def drifting(message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "at": time.monotonic_ns()}


def logging_the_key(self: Any, key: str) -> Any:
    logging.getLogger("mirascope.good").debug("the key is %s", key)
    return GoodProvider.key_headers(self, key)


def without_choice(self: Any, request: Any) -> Any:
    return GoodProvider.prepare(self, replace(request, tool_choice=None))


def without_answer(self: Any, request: Any) -> Any:
    return GoodProvider.prepare(self, replace(request, answer=None))


def without_images(self: Any, request: Any) -> Any:
    def seen(message: Any) -> Any:
        content = message.get("content")
        if not isinstance(content, list):
            return message
        return {**message, "content": [p for p in content if p.get("type") != "image_url"]}

    return GoodProvider.prepare(self, replace(request, messages=[*map(seen, request.messages)]))


MUTANTS: dict[str, Any] = {
    "stream.text": provider(
        stream_class=LoudStream, async_stream_class=LoudAsyncStream, response_class=LoudResponse
    ),
    "stream.signatures": provider(stream_class=ExtraStream),
    "stream.unbuffered": provider(open=buffered),
    "stream.no_shared_state": provider(decoder=lambda _: SHARED),
    "wire.split": provider(framer=lambda _: PieceFramer()),
    "wire.crlf": provider(framer=lambda _: NoCRFramer(error_field="error")),
    "wire.keep_alive": provider(framer=lambda _: AliveFramer(error_field="error")),
    "wire.unknown_event": decoder_with(decode=unknown_raises),
    "end.truncated": decoding(finishing_early),
    "end.dropped": provider(open=sending(Quiet), open_async=sending_async(AsyncQuiet)),
    "wire.bad_data": provider(decoder=lambda _: Forgiving()),
    "close.break": provider(open=sending(Leaky), open_async=sending_async(AsyncLeaky)),
    "close.cancel": provider(open=sending(Deaf)),
    "message.stopped": message(lambda m: {**m, "tool_calls": CUT}),
    "tool.finish": provider(finish_reason=lambda *_: "other"),
    "usage.absent": decoding(counting_nothing),
    "cost.table": provider(prices=PRICES.merged(DEAR)),
    "cost.unknown": provider(prices=ANYTHING),
    "end.whole": decoder_with(finish_reason_ends=False),
    "end.sentinel": decoder_with(done_sentinel_ends=False),
    "finish.unified": provider(finish_reason=lambda _s, reason: reason),
    "error.event": only(ErrorDelta, lambda d: None),
    "error.http": provider(error=always_bad_request),
    "error.odd_body": provider(error=unguarded),
    "close.source": provider(open=sending(Leaky)),
    "tool.calls": only(ToolCallDelta, lambda d: replace(d, key=0)),
    "tool.results": results(lambda given: given[:1]),
    "tool.schemas": provider(prepare=without_tools),
    "message.whole": message(lambda m: {**m, "content": (m.get("content") or "") * 2}),
    "message.round_trip": provider(prepare=without_history),
    "request.pure": provider(prepare=mutating),
    "request.params": provider(prepare=without_params),
    "request.refused": provider(prepare=without_parts),
    "fetch.whole": decoder_with(decode_response=drop_text),
    "fetch.same_as_stream": decoder_with(decode_response=without_thinking),
    "fetch.odd_body": decoder_with(decode_response=endless_whole),
    "usage.counts": provider(normalize=twice),
    "cost.never_raises": provider(normalize=normalize_raising),
    "client.pool": provider(_send=unlimited),
    "client.reused": provider(_send=new_client),
    "client.loops": provider(_send_async=one_client),
    "chunk.object": provider(chunk_object=lambda *_: None),
    "stream.lazy": provider(stream_class=EagerStream),
    "stream.once": provider(stream_class=AgainStream),
    "wire.not_a_stream": decoder_with(decode_stray=stray_is_an_end),
    "tool.ids": message(renumbered),
    "tool.when_complete": only(ToolCallEnd, lambda d: d if d.key is None else None),
    "tool.choice": provider(prepare=without_choice),
    "request.answer": provider(prepare=without_answer),
    "request.attachments": provider(prepare=without_images),
    "record.replay": message(drifting),
    "secret.echo": provider(key_headers=logging_the_key),
    "close.context": provider(open=context_dropped),
    "timeout.idle": impatient(0.35, always=True),
    "timeout.first": impatient(0.2, always=False),
    "timeout.total": provider(open=sending(Hoarding)),
}

CHANGES: dict[str, dict[str, Any]] = {
    # Behind a ping, such a deadline would begin anew.
    "timeout.idle": {"wire": WIRE.replace(keep_alive=b"")},
}
"""What a mutant's kit says besides."""


def mutant(check: str) -> type[ProviderConformance]:
    """Return the kit of the provider that one check is there for."""
    return kit(MUTANTS[check], **CHANGES.get(check, {}))
