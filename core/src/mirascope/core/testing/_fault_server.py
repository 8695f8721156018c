"""A server that answers in the protocol that it is asked in, well or with a fault."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .._recording._format import Recording
from ..json import as_json_text
from ._faults import Fault, good
from ._records import ReceivedRequest
from ._server import Server
from ._spoken import answer_to
from ._steps import Reply, Script

if TYPE_CHECKING:
    from .conformance import Wire


class FaultServer(Server):
    """A server of language models on 127.0.0.1 whose answers are good, or have a fault.

    It speaks chat completions, the Responses API, Messages and Gemini's protocol: the path of a
    request says which. A program reaches it by its address, as `base_url=` or by the variable of
    the environment that its provider reads.

    Args:
        answer: what it says: a text, or its pieces; a recording, whose events it sends; or the
            `Wire` of another protocol.
        *faults: one for each request, in the order of arrival, the last one again and again; None
            is a good answer. Without any, all answers are good.
        calls: tools that the model calls, each a name and its arguments.
        path: what `url` ends with.
        tls: as `Server` has it.

    Attributes:
        requests: the requests that arrived, in their order.

    Example:
        ```python
        with FaultServer("Try Emma.", Fault.status(429, retry_after=0), None) as server:
            assert my_program(server.url) == "Try Emma."
            assert len(server.requests) == 2
        ```
    """

    def __init__(
        self,
        answer: str | Sequence[str] | Recording | Wire = "Hello, world",
        *faults: Fault | None,
        calls: Iterable[tuple[str, Any]] = (),
        path: str = "",
        tls: bool | ssl.SSLContext = False,
    ) -> None:
        called = [
            (f"call_{index}", name, as_json_text(arguments))
            for index, (name, arguments) in enumerate(calls)
        ]

        def script(fault: Fault | None) -> Script:
            def reply(request: ReceivedRequest) -> Reply:
                made = answer_to(request, answer, called)
                return good(made) if fault is None else fault.reply(made)

            return reply

        super().__init__(*map(script, faults or (None,)), path=path, tls=tls)
