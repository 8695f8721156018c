"""What is ended has its times, whatever came in the middle of its ending."""

from __future__ import annotations

import contextlib

from mirascope.core.testing import Server

from .conftest import Tried
from .interrupting import interrupt
from .protocols import Protocol


def test_an_interrupt_in_the_middle_of_an_ending(protocol: Protocol, tried: Tried) -> None:
    with Server(protocol.reply("a"), path="/v1") as server:
        client = protocol.client(server.url, connections=2)
        for moment in tried.moments():
            stream = protocol.ask("tried", client=client)
            with moment(interrupt), contextlib.suppress(KeyboardInterrupt):
                for _ in stream:
                    pass
            stream.close()
            assert 0 < stream.start_time.timestamp() <= stream.end_time.timestamp(), moment
        client.close()
