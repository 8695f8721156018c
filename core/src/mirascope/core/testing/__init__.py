"""Testing programs and plugins on a bad day: recorded bodies, and a server whose faults are data.

`replay` turns bytes into a provider's own stream with no network at all. `Server` is a real server
on 127.0.0.1, for everything that happens on a connection; `FaultServer` is one that answers as the
providers do, with a `Fault`. `recorded` stands in for every call of a test. None of them needs
pytest; the module `fixtures` has fixtures for it. `ProviderConformance` has the checks of a
provider for the tests of its plugin.
"""

from typing import TYPE_CHECKING

from .._public import publish as _publish
from ._fault_server import FaultServer
from ._faults import CutHow, Fault
from ._recorded import MatchBy, RecordWhen, recorded
from ._records import ReceivedRequest, ServedConnection
from ._replay import replay, replay_async
from ._replies import dribble, head, ndjson, redirect, sse, streamed, streaming, whole
from ._server import Server
from ._steps import Hangup, Hold, Pause, Reply, Reset, Script, Step

if TYPE_CHECKING:
    from .conformance import CHECKS, Check, CheckResult, CheckState, ProviderConformance, Wire

__all__ = [
    "CHECKS",
    "Check",
    "CheckResult",
    "CheckState",
    "CutHow",
    "Fault",
    "FaultServer",
    "Hangup",
    "Hold",
    "MatchBy",
    "Pause",
    "ProviderConformance",
    "ReceivedRequest",
    "RecordWhen",
    "Reply",
    "Reset",
    "Script",
    "ServedConnection",
    "Server",
    "Step",
    "Wire",
    "dribble",
    "head",
    "ndjson",
    "recorded",
    "redirect",
    "replay",
    "replay_async",
    "sse",
    "streamed",
    "streaming",
    "whole",
]

_publish(globals())

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load the conformance kit, which brings the registry of plugins, when it is asked for."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from . import conformance

        globals().update({each: getattr(conformance, each) for each in conformance.__all__})
        _publish(globals())
        return globals()[name]
