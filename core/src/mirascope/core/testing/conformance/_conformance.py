"""The class that a plugin's tests inherit, and how its checks are run without pytest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ...plugins._spec import PLUGIN_API
from ._answer_checks import AnswerChecks
from ._check import CHECKS, CheckResult, CheckState, result
from ._http_checks import HTTPChecks
from ._plugin_checks import PluginChecks
from ._stream_checks import StreamChecks


class ProviderConformance(PluginChecks, StreamChecks, HTTPChecks, AnswerChecks):
    """The checks of a provider; a subclass says which one, and what its server sends.

    pytest runs each check as a test of its own, `run()` without it.

    Attributes:
        provider: the provider's name, so that the packaging is tested as well; or the `Provider`.
        api: one of its wire APIs; its default one if None.
        model: a model of its price table.
        wire: what its server sends.
        expect: what no wire tells: `cost` (as text, of the wire's usage), `usage`, `thinking`,
            `model`, `finish_reason`, `params` (parameters that a call may give), `chunk` (the class
            of `chunk.chunk`).
        deviations: checks that fail on purpose, with the reason; one that passes must go.
        modes: whether calls are asynchronous: both kinds by default.
        url_path: what the address ends with that calls are given, such as `"/v1"`.
        address_variable: the environment variable that holds the server's address, if there is one.
        key_required: whether a call without any key must be refused.

    Example:
        ```python
        class TestAcme(ProviderConformance):
            provider = "acme"
            model = "acme-large"
            wire = Wire.chat()
            expect = {"cost": "0.00012"}
            address_variable = "ACME_BASE_URL"
        ```
    """

    __test__: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # pytest collects classes that are named `Test…`; this one has nothing to test.
        cls.__test__ = hasattr(cls, "wire") and hasattr(cls, "provider")
        if unknown := set(cls.deviations) - set(CHECKS):
            what = f"{min(unknown)!r}, which is not a check"
            raise ValueError(f"{cls.__name__}.deviations has {what}")

    @classmethod
    def run(cls, ids: Iterable[str] | None = None) -> list[CheckResult]:
        """Run checks, all by default, and return how each one went.

        Args:
            ids: the checks, by id.
        """
        kit = cls()
        wanted = list(CHECKS) if ids is None else list(ids)
        found: list[CheckResult] = []
        for check_id in wanted:
            known = CHECKS[check_id]
            if known.since > PLUGIN_API:
                continue
            method: Any = getattr(cls, known.method)
            found.append(result(kit, check_id, lambda m=method: m.checked(kit)))  # type: ignore[misc]
        return found

    @classmethod
    def summary(cls, results: Iterable[CheckResult]) -> str:
        """Return the one line that tells how a provider stands, such as `acme: 63 of 65`."""
        found = [r for r in results if r.state is not CheckState.NOT_APPLICABLE]
        passed = sum(r.state is CheckState.PASSED for r in found)
        deviations = sum(r.state is CheckState.DEVIATES for r in found)
        kit = cls()
        line = f"{kit.name}: {passed} of {len(found)}"
        if deviations:
            line += f", {deviations} deviation{'s' if deviations > 1 else ''}"
        return line
