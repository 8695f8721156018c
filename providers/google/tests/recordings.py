"""The recorded Gemini streams, read in place where this checkout has them beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mirascope_tests.shared import CORPUS, each


@dataclass(frozen=True)
class Recording:
    """One recorded body and what it says."""

    name: str
    body: bytes
    expected: dict[str, Any]

    @property
    def is_array(self) -> bool:
        return self.body.lstrip().startswith(b"[")

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The events, read in the plainest way."""
        if self.is_array:
            return json.loads(self.body)
        lines = self.body.decode("utf-8", "replace").splitlines()
        return [json.loads(line[5:]) for line in lines if line.startswith("data:")]

    @property
    def calls(self) -> list[tuple[str | None, str | None, Any]]:
        """Id, name and arguments of the calls; those that came in pieces are put together."""
        calls: list[tuple[str | None, str | None, Any]] = []
        is_open = False
        for data in self.objects:
            for part in [p for c in data.get("candidates", ()) for p in _parts(c)]:
                call = part.get("functionCall")
                if call is None:
                    continue
                if not is_open:
                    calls.append((call.get("id"), call.get("name"), call.get("args")))
                    is_open = bool(call.get("willContinue"))
                    continue
                given, name, args = calls[-1]
                args = dict(args or {})
                for piece in call.get("partialArgs", ()):
                    key = piece["jsonPath"].removeprefix("$.")
                    args[key] = args.get(key, "") + piece["stringValue"]
                calls[-1] = (given, name, args)
                is_open = bool(call.get("willContinue"))
        return calls


def _parts(candidate: dict[str, Any]) -> list[dict[str, Any]]:
    return (candidate.get("content") or {}).get("parts", [])


def _recordings() -> list[Recording]:
    paths = sorted((CORPUS / "expected" / "google-generate").glob("*.json"))
    expected = [json.loads(path.read_text("utf-8")) for path in paths]
    return [
        Recording(Path(each["file"]).stem, (CORPUS / each["file"]).read_bytes(), each)
        for each in expected
    ]


RECORDINGS = _recordings()


def recordings(*found: Recording) -> Any:
    """Run a test for each recording."""
    return pytest.mark.parametrize("recording", each(found or RECORDINGS, lambda r: r.name))


def check(stream: Any, recording: Recording, *, in_framing: bool = False) -> None:
    """Compare what a stream says with what the recording says.

    `in_framing`: an error is an event of its own, not text outside the framing.
    """
    expected, answer = recording.expected, stream._answer
    assert stream.content == expected["text"]
    assert stream.thinking == expected["thinking_text"]
    assert answer.finish_reason == expected["finish_reason"]
    assert stream.finish_reasons == (
        None if expected["finish_reason"] is None else [expected["finish_reason"]]
    )
    assert stream.id == expected["id"]
    assert stream.model == (expected["model"] or stream._call.model)
    assert answer.usage == expected["usage"]
    assert stream.refusal is None
    assert [(b.id, b.name, _json(b.text)) for b in answer.tool_calls] == recording.calls
    if not any(call["partial"] for call in expected["tool_calls"]):
        assert [(b.id, b.name, _json(b.text)) for b in answer.tool_calls] == [
            (call["id"], call["name"], call["arguments"]) for call in expected["tool_calls"]
        ]
    assert len(stream.tools) == len(recording.calls)
    failed = expected["error"] is not None
    assert stream._reader.events == expected["n_events"] + (in_framing and failed)
    assert (stream.state == "failed") == failed


def _json(text: str) -> Any:
    return json.loads(text) if text else None
