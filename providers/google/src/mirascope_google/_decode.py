"""Gemini's `generateContent`, streamed or whole: wire JSON to deltas.

The reference is https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse; Vertex
AI has the same objects. Every event is a whole response with a piece of the answer in it; there is
no end marker but the finish reason, and parts may come after one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, cast

from mirascope.core import (
    BlockDelta,
    ChoiceDelta,
    Decoder,
    Delta,
    EndDelta,
    ErrorDelta,
    ExtraDelta,
    FinishDelta,
    JSONObject,
    MetaDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallEnd,
    UsageDelta,
    failure_in,
    is_keep_alive,
)
from mirascope.core.json import as_json_text, as_object, as_text
from pydantic_core import to_json
from typing_extensions import override

from ._grounding import Grounding
from ._partial_calls import PartialCall
from ._usage import CONTINUED, HOPS

CANDIDATE: Final = "candidate"
"""The key of the block that holds what a candidate has besides its parts: grounding, citations."""
RESPONSE: Final = "response"
"""The key of the block that holds what the response has besides its candidates."""

_OF_RESPONSE: Final = ("promptFeedback", "modelStatus")
_NOT_OF_CANDIDATE: Final = frozenset({"content", "finishReason", "index", "continuationToken"})
_UNFINISHED: Final = frozenset({"FINISH_REASON_UNSPECIFIED", "", 0, None})
_CUT: Final = frozenset({"MAX_TOKENS", 2})
_READ: Final = frozenset(
    {"candidates", "usageMetadata", "responseId", "modelVersion", "error", "sdkHttpResponse"}
    | {*_OF_RESPONSE, HOPS}
)
"""The fields of a response that are read, and the SDK's own; any other is kept as it came."""
_JOINED: Final = frozenset({"citationMetadata", "logprobsResult"})
"""What of a candidate goes on from chunk to chunk."""
_FREQUENT: Final = frozenset({"candidates", "usageMetadata", "responseId", "modelVersion"})
_FREQUENT_OF_CANDIDATE: Final = frozenset({"content", "finishReason", "index"})
"""The fields of nearly every event, besides which there is mostly nothing to look for."""
_FINISHED_WELL: Final = frozenset({"STOP", 1})


class GoogleDecoder(Decoder):
    """Decodes one response of `generateContent` or `streamGenerateContent`."""

    finish_reason_ends: ClassVar[bool] = True
    text_fields: ClassVar[tuple[str, ...]] = ("text",)
    usage_field: ClassVar[str | None] = "usageMetadata"

    def __init__(self) -> None:
        self._id: str | None = None
        self._model: str | None = None
        self._candidates: dict[int, _Candidate] = {}

    @override
    def decode(self, data: JSONObject, event: str | None = None) -> Sequence[Delta] | None:
        deltas: list[Delta] = []
        if data.get("responseId") != self._id or data.get("modelVersion") != self._model:
            self._meta(data, deltas)
        candidates: list[JSONObject] = data.get("candidates") or []
        for candidate in candidates:
            index: int = candidate.get("index") or 0
            if type(index) is not int:
                raise TypeError(f"the index of a candidate is {index!r}")
            state = self._candidates.get(index)
            if state is None:
                state = self._candidates[index] = _Candidate()
            if index == 0:
                state.take(candidate, deltas)
            else:
                said: list[Delta] = []
                state.take(candidate, said)
                deltas += [ChoiceDelta(index, delta) for delta in said]
            if not candidate.keys() <= _FREQUENT_OF_CANDIDATE:
                if "groundingMetadata" in candidate or "urlContextMetadata" in candidate:
                    deltas.append(MetaDelta(facts=self._grounded()))
                if HOPS not in data and "continuationToken" in candidate:
                    deltas.append(MetaDelta(facts={CONTINUED: "true"}))
        # Most events have nothing else: then one question is asked for all of it.
        is_frequent = bool(candidates) and event != "error" and data.keys() <= _FREQUENT
        if not is_frequent and HOPS in data:
            deltas.append(MetaDelta(facts={HOPS: to_json(data[HOPS], fallback=str).decode()}))
        if usage := as_object(data.get("usageMetadata")):
            deltas.append(UsageDelta(usage, whole=True))
        if is_frequent:
            return deltas
        if "error" in data or not candidates or event == "error":
            failure = _failure(data, event)
            deltas += failure
            if not (failure or deltas) and (
                is_keep_alive(event) or is_keep_alive(data.get("type"))
            ):
                return None
        if not data.keys() <= _READ:
            deltas.append(ExtraDelta({n: v for n, v in data.items() if n not in _READ}, RESPONSE))
        if not data.keys().isdisjoint(_OF_RESPONSE):
            self._response(data, deltas)
        return deltas

    @override
    def decode_stray(self, data: JSONObject) -> Sequence[Delta] | None:
        if error := _failure(data):
            return error
        if "candidates" in data or "promptFeedback" in data:
            # The server ignored the wish for a stream and sent the whole response.
            return self.decode_response(data)
        return None

    @override
    def decode_response(self, data: JSONObject) -> Sequence[Delta]:
        return self.decode(data) or ()

    def _meta(self, data: JSONObject, deltas: list[Delta]) -> None:
        """Take the first id and model; the first events of some servers have none."""
        new_id = as_text(data.get("responseId")) if self._id is None else None
        new_model = as_text(data.get("modelVersion")) if self._model is None else None
        if new_id or new_model:
            self._id = self._id or new_id
            self._model = self._model or new_model
            deltas.append(MetaDelta(id=new_id, model=new_model))

    def _grounded(self) -> dict[str, str]:
        """Return what is charged of the grounding of all candidates."""
        states = self._candidates.values()
        facts = Grounding.facts(state.grounding for state in states)
        return {**facts, "url_context": "true"} if any(s.has_pages for s in states) else facts

    def _response(self, data: JSONObject, deltas: list[Delta]) -> None:
        deltas.append(
            BlockDelta({name: data[name] for name in _OF_RESPONSE if data.get(name)}, RESPONSE)
        )
        feedback = as_object(data.get("promptFeedback"))
        if reason := feedback.get("blockReason"):
            # The prompt was blocked: no candidate and no finish reason will come.
            deltas += [MetaDelta(facts={"block_reason": str(reason)}), EndDelta()]


class _Candidate:
    """One candidate's answer, as far as where its parts belong is concerned.

    Attributes:
        grounding: what it was grounded with, by all chunks together.
        has_pages: whether pages were read for it.
    """

    __slots__ = (
        *("_blocks", "_calls", "_citations", "_held", "_logprobs", "_open", "_run", "_run_kind"),
        *("grounding", "has_pages"),
    )

    def __init__(self) -> None:
        self.grounding = Grounding()
        self.has_pages = False
        self._blocks = 0
        self._calls = 0
        # The block of text that the next part continues, if it is of the same kind.
        self._run = 0
        self._run_kind: type[TextDelta] | type[ThinkingDelta] | None = None
        self._open: PartialCall | None = None
        # Calls without arguments, which may come in the next event.
        self._held: list[PartialCall] = []
        self._citations: set[bytes] = set()
        self._logprobs: dict[str, list[Any]] = {}

    def take(self, candidate: JSONObject, deltas: list[Delta]) -> None:
        content = candidate.get("content")
        if content:
            parts: list[JSONObject] = content.get("parts") or []
            held = len(self._held)
            for part in parts:
                if held and not _continues(part):
                    # They came in an earlier event, and what follows is none of their arguments.
                    deltas += [delta for call in self._held[:held] for delta in call.end()]
                    del self._held[:held]
                    held = 0
                if len(part) == 1 and "text" in part:
                    self._text(part["text"], TextDelta, deltas)
                else:
                    self._part(part, deltas)
        reason: Any = candidate.get("finishReason")
        if error := candidate.get("error"):
            deltas += _failure({"error": error})
        if reason not in _UNFINISHED:
            self._end_held(deltas)
            if self._open is not None:
                ended = reason in _FINISHED_WELL
                deltas += self._open.end() if ended else self._open.cut()
                self._open = None
            deltas.append(FinishDelta(reason, cut=reason in _CUT))
            if str(reason).lower() == "error":
                # A gateway's word for an answer that broke off: Gemini has none.
                deltas.append(ErrorDelta("the server broke off: finish reason 'ERROR'"))
        if not candidate.keys() <= _NOT_OF_CANDIDATE:
            self._metadata(candidate, deltas)

    def _text(
        self, text: object, kind: type[TextDelta] | type[ThinkingDelta], deltas: list[Delta]
    ) -> None:
        if text and isinstance(text, str):
            if self._run_kind is not kind:
                self._run_kind = kind
                self._run = self._new_block()
            deltas.append(kind(text, self._run))

    def _part(self, part: JSONObject, deltas: list[Delta]) -> None:
        if isinstance(part.get("functionCall"), dict):
            self._run_kind = None
            self._function_call(part, deltas)
        elif isinstance(text := part.get("text"), str):
            kind = ThinkingDelta if part.get("thought") else TextDelta
            rest = {name: part[name] for name in part if name not in ("text", "thought")}
            if not rest:
                self._text(text, kind, deltas)
                return
            # A signature belongs to just this part, an empty one too: it is never merged.
            # https://ai.google.dev/gemini-api/docs/thought-signatures
            self._run_kind = None
            block = self._new_block()
            deltas += [kind(text, block), BlockDelta(rest, block)]
        elif part:
            self._run_kind = None
            deltas.append(BlockDelta(part, self._new_block()))

    def _function_call(self, part: JSONObject, deltas: list[Delta]) -> None:
        call: JSONObject = part["functionCall"]
        call_id, name = _id(call), as_text(call.get("name"))
        is_partial = bool(call.get("willContinue"))
        begun = self._open
        if begun is not None and name and (call_id is None or call_id != begun.id):
            deltas += begun.end()
            begun = self._open = None
        if begun is None:
            if not call or self._is_rest(call_id, name, call, deltas):
                return
            key = self._calls
            self._calls += 1
            if not is_partial and "partialArgs" not in call:
                if name and not call.get("args"):
                    # Seen with parallel calls: the name first, the arguments in the next event.
                    self._held.append(PartialCall(key, part))
                    deltas.append(ToolCallDelta(key, call_id, name))
                    return
                # Those that were held had none: results must come in the order of the calls.
                self._end_held(deltas)
                arguments = as_json_text(call.get("args"))
                deltas += [
                    ToolCallDelta(key, call_id, name, arguments),
                    BlockDelta(part, ("call", key)),
                    ToolCallEnd(key),
                ]
                return
            self._end_held(deltas)
            begun = self._open = PartialCall(key, part)
            deltas.append(ToolCallDelta(key, call_id, name))
        begun.add(call)
        if not is_partial:
            deltas += begun.end()
            self._open = None

    def _end_held(self, deltas: list[Delta]) -> None:
        deltas += [delta for call in self._held for delta in call.end()]
        self._held.clear()

    def _is_rest(
        self, call_id: str | None, name: str | None, call: JSONObject, deltas: list[Delta]
    ) -> bool:
        """Whether these are the arguments of a call that came without; then it is complete."""
        if name is not None or not call.get("args"):
            return False
        for at, held in enumerate(self._held):
            if call_id is None or held.id is None or call_id == held.id:
                held.add(call)
                deltas += held.end()
                del self._held[at]
                return True
        return False

    def _metadata(self, candidate: JSONObject, deltas: list[Delta]) -> None:
        fields = {n: v for n, v in candidate.items() if n not in _NOT_OF_CANDIDATE and v}
        if not fields:
            return
        if isinstance(citations := fields.get("citationMetadata"), dict):
            fields["citationMetadata"] = self._new_citations(cast("JSONObject", citations))
        if isinstance(probabilities := fields.get("logprobsResult"), dict):
            fields["logprobsResult"] = self._new_logprobs(cast("JSONObject", probabilities))
        if isinstance(found := fields.get("groundingMetadata"), dict):
            self.grounding.add(cast("JSONObject", found))
        self.has_pages = self.has_pages or bool(fields.get("urlContextMetadata"))
        deltas.append(BlockDelta(fields, CANDIDATE, _JOINED))

    def _new_citations(self, metadata: JSONObject) -> JSONObject:
        """Leave the citations that are new: each chunk brings those of its text, some all again."""
        fresh = dict(metadata)
        for name, found in metadata.items():
            if isinstance(found, list):
                keyed = [
                    (to_json([name, item], fallback=str), item) for item in cast("list[Any]", found)
                ]
                fresh[name] = [item for key, item in keyed if key not in self._citations]
                self._citations.update(key for key, _ in keyed)
        return fresh

    def _new_logprobs(self, result: JSONObject) -> JSONObject:
        """Leave the log probabilities that are new: a chunk has those of its tokens, or of all."""
        fresh = dict(result)
        for name, found in result.items():
            if isinstance(found, list):
                tokens = cast("list[Any]", found)
                known = self._logprobs.setdefault(name, [])
                is_all = len(tokens) > len(known) and tokens[: len(known)] == known
                fresh[name] = tokens[len(known) :] if is_all else tokens
                known += fresh[name]
        return fresh

    def _new_block(self) -> int:
        self._blocks += 1
        return self._blocks


def _continues(part: JSONObject) -> bool:
    """Whether a part is a function call without a name."""
    call = as_object(part.get("functionCall"))
    return bool(call) and not call.get("name")


def _id(call: JSONObject) -> str | None:
    """Return the id of a call, which some servers send as a number."""
    sent = call.get("id")
    return str(sent) if isinstance(sent, int) and not isinstance(sent, bool) else as_text(sent)


def _failure(data: JSONObject, event: str | None = None) -> list[Delta]:
    """Read a failure: google.rpc.Status, or what servers in between send; empty without one."""
    if error := data.get("error"):
        name = as_text(as_object(error).get("status"))
        return [ErrorDelta.from_object(error, type=name, code=name)]
    if failure := failure_in(data):
        return [failure]
    return [ErrorDelta.from_object(data)] if event == "error" else []
