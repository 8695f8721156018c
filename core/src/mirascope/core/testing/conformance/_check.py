"""One check of the kit: a stable id, what to do when it fails, and how it went."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

CHECKS: Final[dict[str, Check]] = {}
"""Every check by its id, in the order in which they run."""


class CheckState(StrEnum):
    """How a check went."""

    PASSED = "passed"
    """The provider does what the check asks for."""
    FAILED = "failed"
    """It does not."""
    DEVIATES = "deviates"
    """It does not, and the subclass says so on purpose."""
    NOT_APPLICABLE = "not applicable"
    """The provider has nothing that the check is about."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check.

    Attributes:
        id: its name, which stays.
        since: the plugin API with which it came.
        method: the method of `ProviderConformance` that runs it.
        advice: what it is about, and what to do where it fails.
    """

    id: str
    since: int
    method: str
    advice: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check went.

    Attributes:
        id: the check.
        state: how it went.
        reason: why it failed, deviates or does not apply.
    """

    id: str
    state: CheckState
    reason: str = ""


class NotApplicable(Exception):  # noqa: N818 - not an error
    """The provider has nothing that this check is about."""


def check(check_id: str, *, since: int = 1) -> Callable[[Callable[..., None]], Any]:
    """Make a method a check of the kit.

    Its docstring says what the check is about and what to do where it fails.

    Args:
        check_id: the check's id, such as `"stream.text"`.
        since: the plugin API with which it came.
    """

    def decorate(method: Callable[..., None]) -> Any:
        advice = " ".join((method.__doc__ or "").split())
        CHECKS[check_id] = Check(check_id, since, method.__name__, advice)

        @functools.wraps(method)
        def run(self: Any) -> None:
            outcome = result(self, check_id, lambda: method(self))
            if outcome.state is CheckState.FAILED:
                raise AssertionError(outcome.reason)
            if outcome.state is not CheckState.PASSED:
                import pytest

                if outcome.state is CheckState.DEVIATES:
                    pytest.xfail(outcome.reason)
                pytest.skip(outcome.reason)

        vars(run)["checked"] = method
        return run

    return decorate


def result(kit: Any, check_id: str, run: Callable[[], None]) -> CheckResult:
    """Run a check and return how it went, deviations taken into account."""
    deviation = kit.deviations.get(check_id)
    try:
        run()
    except NotApplicable as error:
        if deviation is not None:
            return _failed(check_id, f"the check does not apply ({error}): drop the deviation")
        return CheckResult(check_id, CheckState.NOT_APPLICABLE, str(error))
    except Exception as error:
        if deviation is not None:
            return CheckResult(check_id, CheckState.DEVIATES, deviation)
        text = (
            str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
        )
        return _failed(check_id, text)
    if deviation is not None:
        return _failed(check_id, f"it passes, so the deviation must go ({deviation!r})")
    return CheckResult(check_id, CheckState.PASSED)


def _failed(check_id: str, why: str) -> CheckResult:
    reason = f"{check_id}: {why}\n{CHECKS[check_id].advice}"
    return CheckResult(check_id, CheckState.FAILED, reason)


def same(actual: object, expected: object, what: str) -> None:
    """Raise where two values differ, with what they are."""
    if actual != expected:
        raise AssertionError(f"{what} is {actual!r}, and must be {expected!r}")


def true(condition: object, message: str) -> None:
    """Raise where a condition does not hold."""
    if not condition:
        raise AssertionError(message)
