"""A recorded stream ends as it did when it was recorded (L3)."""

from __future__ import annotations

from typing import Any

import pytest
from mirascope.core import (
    APIError,
    RateLimitError,
    StreamDecodeError,
    StreamInterruptedError,
    StreamProviderError,
    StreamState,
    StreamTimeoutError,
    StreamTruncatedError,
)

from .lines import (
    ANSWER,
    Replay,
    ended,
    event,
    recorded,
    text,
)


@pytest.mark.parametrize(
    ("end", "state", "error", "message"),
    [
        (ended("truncated"), "truncated", StreamTruncatedError, "ended before its protocol"),
        (ended("stopped"), "truncated", StreamTruncatedError, "its stream was stopped by"),
        (ended("cancelled"), "truncated", StreamTruncatedError, "its stream was cancelled by"),
        (ended("of a later version"), "truncated", StreamTruncatedError, "recording ends here"),
        (
            ended("failed", {"class": "StreamInterruptedError", "message": "reset"}),
            "failed",
            StreamInterruptedError,
            "reset",
        ),
        (
            ended("timed_out", {"class": "StreamTimeoutError", "message": "m", "deadline": "idle"}),
            "timed_out",
            StreamTimeoutError,
            "m",
        ),
        (
            ended("failed", {"class": "StreamDecodeError", "message": "the SDK's"}),
            "failed",
            StreamDecodeError,
            "the SDK's",
        ),
        (
            ended("failed", {"class": "RateLimitError", "message": "busy", "retry_after": 3}),
            "failed",
            RateLimitError,
            "busy",
        ),
        # Classes and facts that this version does not know.
        (ended("failed", {"class": "Exception"}), "failed", StreamInterruptedError, ""),
        (ended("failed", {"class": "_Mine", "message": "m"}), "failed", StreamInterruptedError, ""),
        (
            ended("failed", {"class": "StreamDecodeError", "message": "m", "deadline": "idle"}),
            "failed",
            StreamInterruptedError,
            "m",
        ),
    ],
)
def test_a_stream_ends_as_the_recorded_one(
    replayed: Replay, end: Any, state: str, error: type[APIError], message: str
) -> None:
    stream = replayed(recorded(*ANSWER[:3], end=end))
    assert stream.content == "Grüße, Welt"
    assert stream.state == state
    assert type(stream.error) is error
    assert message in stream.error.message
    assert (stream.error.provider, stream.error.model) == ("compatible", "gpt-4o")
    assert stream.error.request_id == "req_1"


def test_what_is_known_of_a_recorded_error(replayed: Replay) -> None:
    facts = {
        "class": "StreamProviderError",
        "message": "busy",
        "type": "overloaded_error",
        "code": "529",
        "status": 529,
        "request_id": "req_2",
        "retryable": True,
    }
    error = replayed(recorded(*ANSWER[:3], end=ended("failed", facts))).error
    assert isinstance(error, StreamProviderError)
    assert (error.type, error.code, error.status) == ("overloaded_error", "529", 529)
    assert (error.request_id, error.retryable) == ("req_2", True)
    timeout = {"class": "StreamTimeoutError", "message": "m", "deadline": "first_chunk"}
    assert replayed(recorded(end=ended("timed_out", timeout))).error.deadline == "first_chunk"


def test_the_end_that_the_provider_sent_counts(replayed: Replay) -> None:
    """Whoever left a stream after its last event had all of it."""
    for state in ("stopped", "cancelled"):
        assert replayed(recorded(*ANSWER, end=ended(state))).state is StreamState.COMPLETED
    reset = {"class": "StreamInterruptedError", "message": "reset"}
    assert replayed(recorded(*ANSWER, end=ended("failed", reset))).state is StreamState.COMPLETED


def test_an_event_that_the_cut_left_open_is_none(replayed: Replay) -> None:
    lines = [*ANSWER[:3], text(0.4, event(finish="stop").strip())]
    # The body ended there, which closes its last event; a body that was cut there may go on.
    assert replayed(recorded(*lines)).state is StreamState.COMPLETED
    assert replayed(recorded(*lines, end=None)).state is StreamState.TRUNCATED
