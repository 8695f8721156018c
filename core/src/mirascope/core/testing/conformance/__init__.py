"""The conformance kit: what a provider must do, as checks that a plugin's tests inherit."""

from __future__ import annotations

from ._check import CHECKS, Check, CheckResult, CheckState
from ._conformance import ProviderConformance
from ._wire import Wire

__all__ = ["CHECKS", "Check", "CheckResult", "CheckState", "ProviderConformance", "Wire"]
