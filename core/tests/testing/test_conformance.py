"""The conformance kit: a good provider passes it, and each check catches what it is there for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mirascope.core import (
    AsyncHTTPSource,
    BytesSource,
    Connection,
    Delta,
    EndDelta,
    ErrorDelta,
    FinishDelta,
    HTTPSource,
    JSONObject,
    PriceTable,
    Request,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    Usage,
    UsageDelta,
    error_from_status,
)
from mirascope.core.http import HTTPProvider
from mirascope.core.http import _provider as http_module
from mirascope.core.plugins import isolated_registry
from mirascope.core.testing.__main__ import main
from mirascope.core.testing.conformance import (
    CHECKS,
    CheckState,
    ProviderConformance,
    Wire,
)
from mirascope.core.wire import LineFramer, SSEFramer
from mirascope_compatible import (
    ChatDecoder,
    CompatibleProvider,
    CompatibleStream,
)

PRICES = PriceTable.from_toml(
    'schema = 1\nprovider = "good"\ncurrency = "USD"\n'
    '[models."model-1"]\nprices = [{ input = 1, cache_read = 0.5, output = 2 }]',
    "good",
)


class GoodDecoder(ChatDecoder):
    """What every mutant's decoder begins as."""


class GoodProvider(CompatibleProvider):
    name = "good"
    base_url = "https://good.example/v1"
    base_url_env = "GOOD_BASE_URL"
    api_key_env = "GOOD_API_KEY"
    prices = PRICES

    def decoder(self) -> Any:
        return GoodDecoder()


class Good(ProviderConformance):
    provider = GoodProvider()
    model = "model-1"
    url_path = "/v1"
    wire = Wire.chat(reasoning_field="reasoning_content", calls_end=False)
    # 20 fresh tokens at 1 dollar a million, 10 cached at 0.5, 20 generated at 2.
    expect: Mapping[str, Any] = {"cost": "0.000065", "model": "model-1"}


def kit(provider: Any = None, **changes: Any) -> type[ProviderConformance]:
    members = {"provider": provider, **changes} if provider is not None else changes
    return type("Kit", (Good,), members)


def provider(**members: Any) -> Any:
    return type("BadProvider", (GoodProvider,), members)()


def decoding(change: Callable[[ChatDecoder, list[Delta], JSONObject], Any]) -> Any:
    """A provider whose decoder changes what the good one says of an event."""

    def decode(self: Any, data: JSONObject, event: str | None = None) -> Any:
        deltas = GoodDecoder.decode(self, data, event)
        return None if deltas is None else change(self, list(deltas), data)

    bad = type("BadDecoder", (GoodDecoder,), {"decode": decode})
    return provider(decoder=lambda _: bad())


def each(change: Callable[[Delta], Delta | None]) -> Any:
    return decoding(
        lambda _self, deltas, _data: [d for x in deltas if (d := change(x)) is not None]
    )


def only(kind: type, change: Callable[[Any], Delta | None]) -> Any:
    return each(lambda delta: change(delta) if type(delta) is kind else delta)


# Mutants, each with a mistake that an author can make


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


def buffered(self: Any, request: Request, connection: Connection) -> Any:
    response = self._send(request, connection)
    if response.status_code >= 300:
        return GoodProvider.open(self, request, connection)
    body = response.read()
    response.close()
    return BytesSource(body)


class Deaf(HTTPSource):
    """Closes nothing, and does not stop."""

    __slots__ = ()

    def close(self) -> None: ...

    def abort(self) -> None: ...


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


def unlimited(self: Any, request: Request, connection: Connection) -> Any:
    import httpx

    client = http_module._CLIENTS.sync(
        connection, lambda: httpx.Client(timeout=0.5), key="with httpx's limits"
    )
    return client.send(self._build(client, request, connection), stream=True)


def new_client(self: Any, request: Request, connection: Connection) -> Any:
    import httpx

    client = httpx.Client(timeout=60)
    KEPT.append(client)
    return client.send(self._build(client, request, connection), stream=True)


KEPT: list[Any] = []


def finishing_early(self: Any, deltas: list[Delta], data: JSONObject) -> Any:
    """Takes the first text for the end."""
    return [*deltas, FinishDelta("stop")] if any(type(d) is TextDelta for d in deltas) else deltas


def counting_nothing(self: Any, deltas: list[Delta], data: JSONObject) -> Any:
    """Says 0 where nothing was said."""
    ended = any(type(d) is FinishDelta for d in deltas)
    return [*deltas, UsageDelta({"prompt_tokens": 0, "completion_tokens": 0})] if ended else deltas


def quiet(pieces: Any) -> Any:
    """Swallows whatever ends a body."""
    import contextlib

    with contextlib.suppress(Exception):
        yield from pieces


class Quiet(HTTPSource):
    __slots__ = ()

    def __iter__(self) -> Any:
        return quiet(super().__iter__())


class AsyncQuiet(AsyncHTTPSource):
    __slots__ = ()

    async def __aiter__(self) -> Any:
        import contextlib

        with contextlib.suppress(Exception):
            async for piece in super().__aiter__():
                yield piece


def sending(kind: Any) -> Any:
    def open_(self: Any, request: Request, connection: Connection) -> Any:
        response = self._send(request, connection)
        return kind(response)

    return open_


def sending_async(kind: Any) -> Any:
    async def open_async(self: Any, request: Request, connection: Connection) -> Any:
        return kind(await self._send_async(request, connection))

    return open_async


class Forgiving(GoodDecoder):
    """Passes over what it can't read."""

    def parse(self, data: bytes) -> JSONObject:
        import contextlib

        with contextlib.suppress(ValueError):
            return super().parse(data)
        return {}


class Leaky(HTTPSource):
    """Is closed by nobody but the garbage collector."""

    __slots__ = ()

    def __iter__(self) -> Any:
        pieces = super().__iter__()
        # Whoever still refers to the response's iterator keeps its connection.
        KEPT.append(pieces)
        for piece in pieces:  # noqa: UP028 - `yield from` would close it
            yield piece

    def close(self) -> None: ...

    def abort(self) -> None: ...


class AsyncLeaky(AsyncHTTPSource):
    __slots__ = ()

    async def aclose(self) -> None: ...


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


class OneLoop:
    """An asynchronous client for every loop."""

    client: Any = None


async def one_client(self: Any, request: Request, connection: Connection) -> Any:
    import asyncio

    loop = asyncio.get_running_loop()
    if OneLoop.client is None:
        OneLoop.client = loop
    if OneLoop.client is not loop:
        raise RuntimeError("the client is bound to a different event loop")
    return await HTTPProvider._send_async(self, request, connection)


MUTANTS: dict[str, Any] = {
    "stream.text": only(ThinkingDelta, lambda d: TextDelta(d.text)),
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
}


def failing(kit_class: type[ProviderConformance], ids: Any = None) -> list[str]:
    with isolated_registry():
        return [r.id for r in kit_class.run(ids) if r.state is CheckState.FAILED]


@pytest.mark.filterwarnings("ignore")
def test_a_good_provider_passes_every_check() -> None:
    with isolated_registry():
        found = Good.run()
    assert [r for r in found if r.state is CheckState.FAILED] == []
    assert sum(r.state is CheckState.PASSED for r in found) >= 50


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", list(MUTANTS))
def test_each_check_catches_its_mutant(check: str) -> None:
    mutant = kit(MUTANTS[check])
    assert failing(mutant, [check]) == [check]


# What the kit itself does


def test_every_check_says_what_to_do_and_when_it_came() -> None:
    for found in CHECKS.values():
        assert len(found.advice) > 40, found.id
        assert found.since == 1


def test_a_deviation_is_strict() -> None:
    bad = MUTANTS["chunk.object"]
    ids = ["chunk.object", "wire.crlf"]
    results = kit(bad, deviations={"chunk.object": "there is no object"}).run(ids)
    assert [r.state for r in results] == [CheckState.DEVIATES, CheckState.PASSED]
    assert Good.summary(results) == "good: 1 of 2, 1 deviation"
    (result,) = kit(deviations={"wire.crlf": "who sends that?"}).run(["wire.crlf"])
    assert result.state is CheckState.FAILED
    assert "the deviation must go" in result.reason
    with pytest.raises(ValueError, match=r"'wire\.clrf', which is no check"):
        kit(deviations={"wire.clrf": "misspelt"})


def test_the_command_ends_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_conformance.py").write_text(
        "from mirascope.core.testing.conformance import ProviderConformance, Wire\n"
        "class TestCompatible(ProviderConformance):\n"
        "    provider = 'compatible'\n    model = 'm'\n    wire = Wire.chat()\n"
        "    deviations = {'cost.table': 'no table'}\n"
    )
    wanted = ("--check", "wire.crlf", "--check", "plugin.same_name")
    assert main(["compatible", str(tmp_path), *wanted]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "compatible: 2 of 2"
    assert main(["compatible", str(tmp_path), "--check", "cost.table"]) == 1
    assert "failed: cost.table: the check does not apply" in capsys.readouterr().out
    assert main(["other", str(tmp_path)]) == 2


def test_recordings_are_a_wire(tmp_path: Path) -> None:
    wire = Good.wire
    (tmp_path / "text.jsonl").write_bytes(b"".join(wire.text))
    (tmp_path / "whole.json").write_bytes(wire.whole)
    taken = Wire.cassettes(tmp_path, end=wire.end, content=wire.content, thinking=wire.thinking)
    assert taken.text == wire.text
    assert failing(kit(wire=taken), ["stream.text", "end.truncated", "fetch.whole"]) == []
