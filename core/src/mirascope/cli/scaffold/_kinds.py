"""The kinds of providers that can be begun with, and the files of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a new provider begins as."""

    COMPATIBLE = "compatible"
    NATIVE = "native"
    SDK = "sdk"
    COMPANY = "company"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is particular to a kind.

    Attributes:
        about: what it is, in a few words.
        description: the distribution's description.
        dependencies: what it depends on besides core: `mirascope-compatible`, or a requirement.
        sources: the templates of its modules, by the name in the package.
        tests: the templates of its tests, by their names.
        folder: the folder of these templates.
        tasks: what is left to its author.
    """

    about: str
    description: str
    dependencies: tuple[str, ...]
    folder: str
    sources: Mapping[str, str]
    tests: tuple[str, ...] = ("test_conformance.py",)
    tasks: tuple[str, ...]


_HTTPX: Final = "httpx>=0.28,<1"
_PLAIN: Final = {"__init__.py": "__init__.py", "_plugin.py": "_plugin.py"}
_PROTOCOL: Final = {name: name for name in ("_decode.py", "_protocol.py", "_stream.py")}
_TASKS: Final = (
    "`__init__.py`: the server's address.",
    "`prices.toml`: the models, what they cost, and where that is written.",
    "`_plugin.py`: the title, and what the provider can do (`Capability`).",
    "`tests/test_conformance.py`: what your server sends. The kit says what is missing.",
    "`LICENSE`: a licence.",
)
_PROTOCOL_TASKS: Final = (
    "`_decode.py`: what each event of your wire format means.",
    "`_protocol.py`: how a request looks, how an answer goes back, what is counted.",
    "`_provider.py`: the server's address.",
    *_TASKS[1:],
)

PARTS: Final[Mapping[Kind, Parts]] = {
    Kind.COMPATIBLE: Parts(
        about="a server that speaks chat completions",
        description="New Name's chat completions, as a mirascope provider",
        dependencies=("mirascope-compatible",),
        folder="compatible",
        sources=_PLAIN,
        tasks=_TASKS,
    ),
    Kind.NATIVE: Parts(
        about="a wire format of its own over HTTP",
        description="New Name's language models, as a mirascope provider",
        dependencies=(_HTTPX,),
        folder="protocol",
        sources={**_PLAIN, **_PROTOCOL, "_provider.py": "_provider.py"},
        tasks=_PROTOCOL_TASKS,
    ),
    Kind.SDK: Parts(
        about="a provider on an SDK",
        description="New Name's language models through their SDK, as a mirascope provider",
        dependencies=(_HTTPX,),
        folder="protocol",
        sources={
            **_PLAIN,
            **_PROTOCOL,
            "_provider.py": "_provider_on_sdk.py",
            "_sdk.py": "_sdk.py",
        },
        tasks=(
            "`_sdk.py` stands in for your SDK, so that all of this runs as it is. Remove it, and "
            "import the SDK in `_provider.py`.",
            *_PROTOCOL_TASKS,
        ),
    ),
    Kind.COMPANY: Parts(
        about="a company's address, key, headers, prices and audit over chat completions",
        description="The language models that New Name uses, as a mirascope provider",
        dependencies=("mirascope-compatible",),
        folder="company",
        sources=_PLAIN,
        tests=("test_conformance.py", "test_company.py"),
        tasks=(
            "`__init__.py`: the gateway's address, and the headers that it wants.",
            "`prices.toml`: the prices of your contract.",
            "`_plugin.py`: what is logged of each answer, and what the gateway can do.",
            *_TASKS[3:],
        ),
    ),
}
