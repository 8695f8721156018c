"""A sound provider, its conformance, and how a mutant is made of it by changing one thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mirascope.core import Delta, JSONObject, PriceTable, ToolCallEnd
from mirascope.core.plugins import isolated_registry
from mirascope.core.testing import sse
from mirascope.core.testing.conformance import CheckState, ProviderConformance, Wire
from mirascope_compatible import ChatDecoder, CompatibleProvider

PRICES = PriceTable.from_toml(
    'schema = 1\nprovider = "good"\ncurrency = "USD"\n'
    '[models."model-1"]\nprices = [{ input = 1, cache_read = 0.5, output = 2 }]',
    "good",
)


class GoodDecoder(ChatDecoder):
    """Chat completions whose server says of each call when it is complete."""

    def decode(self, data: JSONObject, event: str | None = None) -> Any:
        deltas = super().decode(data, event)
        if "call_done" in data:
            return [*(deltas or ()), ToolCallEnd(data["call_done"])]
        return deltas


class GoodProvider(CompatibleProvider):
    name = "good"
    base_url = "https://good.example/v1"
    base_url_env = "GOOD_BASE_URL"
    api_key_env = "GOOD_API_KEY"
    prices = PRICES

    def decoder(self) -> Any:
        return GoodDecoder()


CHAT = Wire.chat(reasoning_field="reasoning_content", calls_end=True)
# The fourth event has the last of the arguments of the first call.
WIRE = CHAT.replace(tools=(*CHAT.tools[:4], sse({"choices": [], "call_done": 0}), *CHAT.tools[4:]))


class Good(ProviderConformance):
    provider = GoodProvider()
    model = "model-1"
    url_path = "/v1"
    wire = WIRE
    # 20 fresh tokens at 1 dollar a million, 10 cached at 0.5, 20 generated at 2.
    expect: Mapping[str, Any] = {"cost": "0.000065", "model": "model-1"}


def kit(provider: Any = None, /, **changes: Any) -> type[ProviderConformance]:
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


def failing(kit_class: type[ProviderConformance], ids: Any = None) -> list[str]:
    with isolated_registry():
        return [r.id for r in kit_class.run(ids) if r.state is CheckState.FAILED]
