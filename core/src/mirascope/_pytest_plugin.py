"""The fixtures of the library for pytest, which finds them by their entry point.

Nothing of the library is imported before a test asks for a fixture.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    import os
    import ssl
    from collections.abc import Iterable

    from .core import Recording
    from .core.testing import Fault, FaultServer, MatchBy, Wire
    from .core.testing import recorded as _recorded


class StartFaultServer(Protocol):
    """What the fixture `fault_server` is."""

    def __call__(
        self,
        answer: str | Sequence[str] | Recording | Wire = "Hello, world",
        *faults: Fault | None,
        calls: Iterable[tuple[str, Any]] = (),
        path: str = "",
        tls: bool | ssl.SSLContext = False,
    ) -> FaultServer:
        """Start a server; the arguments are those of `FaultServer`."""
        ...


class Record(Protocol):
    """What the fixture `recorded` is."""

    def __call__(self, path: str | os.PathLike[str], *, match: MatchBy = "request") -> _recorded:
        """Let recordings stand in for calls; the path is beside the test's file."""
        ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that says when calls are really made."""
    parser.getgroup("mirascope").addoption(
        "--mirascope-record",
        choices=("missing", "never", "always"),
        default="missing",
        help="when the fixture 'recorded' makes calls and writes them down: where the recording is "
        "missing (the default), never, or always",
    )


@pytest.fixture
def fault_server() -> Iterator[StartFaultServer]:
    """Start servers that answer as providers do, well or with a fault, until the test ends."""
    from .core.testing import FaultServer

    with contextlib.ExitStack() as stack:

        def start(*args: Any, **kwargs: Any) -> FaultServer:
            return stack.enter_context(FaultServer(*args, **kwargs))

        yield start


@pytest.fixture
def recorded(request: pytest.FixtureRequest) -> Record:
    """Let recordings stand in for the calls of a test, in a `with` block.

    A path is relative to the directory of the test's file.
    """
    from .core.testing import recorded as record

    when: Any = request.config.getoption("--mirascope-record")

    def beside_the_test(path: str | os.PathLike[str], *, match: MatchBy = "request") -> _recorded:
        return record(Path(request.path).parent / path, when=when, match=match)

    return beside_the_test
