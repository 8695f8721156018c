"""Checks of what is made of an answer: tools, messages, whole answers, usage, cost, recordings."""

from __future__ import annotations

import contextlib
import copy
import json
import tempfile
import warnings
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

from pydantic import BaseModel

from ..._errors import APIError, PluginError, UsageError
from ..._provider._deltas import ToolCallEnd
from ..._replay import stream_from
from ...prices import cost as cost_of
from .._records import ReceivedRequest
from .._replay import replay
from ._check import NotApplicable, check, same, true
from ._driver import KEY, TOOLS, Driver

_PIXEL: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)


class Place(BaseModel):
    """Where it is."""

    name_of_the_place: str


class AnswerChecks(Driver):
    """What an answer becomes."""

    def _tool_answers(self, **call: Any) -> Any:
        return self.answers(*self.needs("tools"), tools=list(TOOLS), **call)

    def _expected(self) -> list[tuple[str, Any]]:
        return [(name, dict(arguments)) for name, arguments in self.wire.calls]

    @check("tool.calls")
    def test_tool_calls(self) -> None:
        """Each call is there once, with its name and all its arguments, in its order.

        Pieces of one call have one `key`; calls that are interleaved have keys of their own.
        """
        for way, outcome in self._tool_answers():
            outcome.whole  # noqa: B018 - raises
            found = [(tool.tool_call.name, _arguments(tool)) for tool in outcome.tools]
            order = [name for name, _ in self._expected()]
            found.sort(key=lambda call: order.index(call[0]) if call[0] in order else 99)
            same(found, self._expected(), f"the {way} stream's calls")
            errors = [str(tool.error) for tool in outcome.tools if tool.error is not None]
            same(errors, [], "the errors of the calls")
            true(all(tool.call() for tool in outcome.tools), "a call can't be run")

    @check("tool.when_complete")
    def test_tool_when_complete(self) -> None:
        """A call is yielded as soon as the wire says that it is complete.

        `decode` returns `ToolCallEnd` there.
        """
        if not self.wire.calls_end:
            raise NotApplicable("the protocol does not say when a call is complete")
        for _, outcome in self._tool_answers(read=_until_tool):
            true(outcome.tools, "no call was yielded")
            true(not outcome.stream.answer.ended, "the first call came with the answer's end")
            true(outcome.stream.answer.finish_reason is None, "it came with the finish reason")

    @check("tool.ids")
    def test_tool_ids(self) -> None:
        """Each call has an id, no two have the same, and those of the wire go back.

        Core makes up those that the wire leaves out; do not make them of names or indexes.
        """
        body = b"".join(self.needs("tools")).decode()
        for _, outcome in self._tool_answers():
            ids = [tool.tool_call.id for tool in outcome.tools]
            true(all(ids), "a call has no id")
            same(len(set(ids)), len(self.wire.calls), "the number of ids")
            back = json.dumps(outcome.stream.message_param)
            lost = [each for each in ids if f'"{each}"' in body and f'"{each}"' not in back]
            same(lost, [], "the ids that message_param leaves out")

    @check("tool.finish")
    def test_tool_finish(self) -> None:
        """The unified finish reason of an answer with calls is `tool_calls`.

        `Provider.finish_reason` translates your word; of `stop` core makes `tool_calls` itself.
        """
        for _, outcome in self._tool_answers():
            same(outcome.whole.finish_reason, "tool_calls", "the finish reason")

    @check("tool.results")
    def test_tool_results(self) -> None:
        """Results of calls, and errors of calls that can't be run, go back under their ids.

        `tool_message_params` gives one message or part for each; `tool.result_text(output)` is its
        text.
        """
        for _, outcome in self._tool_answers():
            stream = outcome.whole
            results = stream.tool_message_params([(t, f"out-{t._name()}") for t in outcome.tools])
            text = json.dumps(results)
            for tool in outcome.tools:
                same(text.count(f"out-{tool._name()}"), 1, "how often a result is given back")
                if tool.tool_call.id in json.dumps(stream.message_param):
                    own = json.dumps(stream.tool_message_params([(tool, f"out-{tool._name()}")]))
                    true(tool.tool_call.id in own, f"the id of {tool._name()!r} is missing")
        unknown = self.ask(False, self.reply(*self.needs("tools")))
        tool = unknown.tools[0]
        sent = json.dumps(unknown.whole.tool_message_params([(tool, tool.call())]))
        true("get_weather" in sent or str(tool.call()) in sent, "the error of a call is not sent")

    @check("tool.schemas")
    def test_tool_schemas(self) -> None:
        """The request has each tool with its name, its description and its parameters.

        `tool.tool_name()`, `tool_description()` and `tool_parameters()` are JSON.
        """
        self.needs("tools")
        parts = ("get_weather", "Get the weather of a city", "city", "get_time", "ping")
        for sent in self._requests(tools=list(TOOLS)):
            for part in parts:
                true(part in sent.body.decode(), f"{part!r} is not in the request")
            true(b"string" in sent.body.lower(), "the types of the parameters are not in it")

    def _requests(self, result: Any = None, **call: Any) -> Iterator[ReceivedRequest]:
        """Make a call in each way, and yield what the server received."""
        for is_async in self.modes:
            with self.serve(self.reply(*self.needs("text"))) as server:
                connection = self.connection(server.url, KEY, is_async=is_async)
                made = self.ask(is_async, connection=connection, result=result, **call)
                made.whole  # noqa: B018 - raises
                yield server.requests[0]

    @check("tool.choice")
    def test_tool_choice(self) -> None:
        """Each `tool_choice=` that the provider declares changes the request.

        `Provider.tool_choices` lists what `prepare` says to the API of `CallRequest.tool_choice`.
        """
        choices = self.tested.tool_choices & {"none", "required"}
        if not choices or not self.wire.tools:
            raise NotApplicable("the provider declares no tool_choices")
        plain = [sent.body for sent in self._requests(tools=list(TOOLS))]
        for choice in sorted(choices):
            chosen = [s.body for s in self._requests(tools=list(TOOLS), tool_choice=choice)]
            true(not set(chosen) & set(plain), f"tool_choice={choice!r} changes nothing")

    # What goes back

    @check("message.whole")
    def test_message_whole(self) -> None:
        """`message_param` has the text, each call once, and the reasoning where that goes back.

        It is what the next request sends: plain JSON in the provider's form.
        """
        for _, outcome in self.answers(*self.needs("text")):
            text = json.dumps(outcome.whole.message_param, ensure_ascii=False)
            same(text.count(self.wire.content), 1, "how often the text is in message_param")
            if self.wire.thinking and self.wire.thinking_goes_back:
                true(self.wire.thinking in text, "the reasoning is not in message_param")
        if self.wire.tools:
            for _, outcome in self._tool_answers():
                text = json.dumps(outcome.whole.message_param)
                said = " ".join(str(v) for _, given in self._expected() for v in given.values())
                for name, arguments in self._expected():
                    same(text.count(f'"{name}"'), 1, f"how often {name!r} is in message_param")
                    for value in map(str, arguments.values()):
                        count = said.count(value)
                        same(text.count(value), count, f"how often {value!r} is in message_param")

    @check("message.round_trip")
    def test_message_round_trip(self) -> None:
        """History arrives: the message of an answer, and the results of its calls.

        `prepare` passes messages in your own form unchanged, and changes none of them.
        """
        tools = self.wire.tools or self.needs("text")
        for _, outcome in self.answers(*tools, tools=list(TOOLS)):
            stream = outcome.whole
            results = stream.tool_message_params([(t, f"out-{t._name()}") for t in outcome.tools])
            rules = {"role": "system", "content": "Be brief."}
            history = [rules, stream.user_message_param, stream.message_param, *results]
            before = copy.deepcopy(history)
            for is_async in self.modes:
                with self.serve(self.reply(*self.wire.text)) as server:
                    connection = self.connection(server.url, KEY, is_async=is_async)
                    again = self.ask(is_async, connection=connection, result=history)
                    same(again.whole.content, self.wire.content, "the second answer")
                    body = json.dumps(json.loads(server.requests[0].body))
                same(history, before, "the history after the call")
                same(body.count("Be brief."), 1, "how often the system's message is sent")
                same(body.count("Say hello"), 1, "how often the user's message is sent")
                for tool in outcome.tools:
                    same(body.count(f"out-{tool._name()}"), 1, "how often a tool's result is sent")
                    true(
                        body.find("Say hello") < body.find(f"out-{tool._name()}"),
                        "the messages are in another order",
                    )
                    true(body.count(f'"{tool._name()}"') >= 1, "a call of the answer is not sent")
                if not self.wire.tools:
                    same(body.count(self.wire.content), 1, "how often the answer is sent")

    @check("message.stopped")
    def test_message_stopped(self) -> None:
        """What had come of an answer that was left is JSON that can go back.

        A call that was cut is left out: it has no arguments that the model meant.
        """
        for parts, tools in ((self.needs("text"), []), (self.wire.tools, list(TOOLS))):
            for count in range(1, len(parts)):
                stream = replay(self.tested, b"".join(parts[:count]), tools=tools)
                with contextlib.suppress(APIError):
                    stream.collect()
                json.dumps(stream.message_param)
                text = json.dumps(stream.message_param)
                for name, _ in self.wire.calls:
                    whole = [t for t in stream.tools if t.tool_call.name == name]
                    true(whole or f'"{name}"' not in text, f"the cut call {name!r} goes back")

    @check("request.pure")
    def test_request_pure(self) -> None:
        """A call changes nothing that it was given.

        Copy what you change: `dict(message)`, `[*messages]`.
        """
        messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}]
        messages.append({"role": "user", "content": "Bye"})
        given = copy.deepcopy(messages)
        for is_async in self.modes:
            reply = self.reply(*self.needs("text"))
            self.ask(is_async, reply, result=messages, tools=list(TOOLS)).whole  # noqa: B018
            same(messages, given, "the messages after the call")

    @check("request.params")
    def test_request_params(self) -> None:
        """Parameters of the API that a call gives are in its request, and the settings are not.

        `CallRequest.call_params` has them; address, key and headers are in `Connection.settings`.
        """
        params = dict(self.expect.get("params", {"temperature": 0.25}))
        for sent in self._requests(**params):
            body = sent.body.decode()
            for name, value in params.items():
                true(json.dumps(value) in body, f"the parameter {name!r} did not arrive")
            true(self.model in f"{sent.path} {body}", "the model's name did not arrive")
            true(KEY not in body, "the key is in the request's body")
            if "api_key" in self.connection("", KEY, is_async=False):
                true(KEY in str(sent.headers), "the key did not arrive")

    @check("request.answer")
    def test_request_answer(self) -> None:
        """A `response_model` is in the request, in each mode that the provider declares.

        `prepare` heeds `CallRequest.answer` in the modes of `Provider.response_modes`; without any,
        core refuses a response model before anything is sent.
        """
        for is_async in self.modes:
            with self.serve(self.whole_reply(self.needs("whole"))) as server:
                connection = self.connection(server.url, KEY, is_async=is_async)
                outcome = self.ask(
                    is_async, connection=connection, response_model=Place, stream=False
                )
                sent = [each.body.decode() for each in server.requests]
            if sent:
                true("name_of_the_place" in sent[0], "the response model is not in the request")
            else:
                true(isinstance(outcome.error, UsageError), f"it raised {outcome.error!r}")

    @check("request.attachments")
    def test_request_attachments(self) -> None:
        """An image beside a text arrives, or is refused by a `UsageError` before anything is sent.

        In `prepare`: a part that your API has no form for is never left out silently.
        """
        image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PIXEL}"}}
        content = [{"type": "text", "text": "Which colour?"}, image]
        for is_async in self.modes:
            with self.serve(self.reply(*self.needs("text"))) as server:
                connection = self.connection(server.url, KEY, is_async=is_async)
                messages = [{"role": "user", "content": content}]
                error = self.ask(is_async, connection=connection, result=messages).error
                for sent in server.requests:
                    body = sent.body.decode()
                    true(_PIXEL in body, "an image was left out without a word")
                    true("Which colour?" in body, "the text beside an image was left out")
                if error is not None:
                    true(isinstance(error, UsageError), f"it raised {error!r}")

    # Without streaming

    @check("fetch.whole")
    def test_fetch_whole(self) -> None:
        """A call without streaming has its content, calls and object, and asks for no stream.

        `decode_response` reads the body, and `fetch` sends the request as `prepare` made it.
        """
        body = self.needs("whole")
        for is_async in self.modes:
            with self.serve(self.whole_reply(body), self.reply(*self.wire.text)) as server:
                connection = self.connection(server.url, KEY, is_async=is_async)
                response = self.ask(is_async, connection=connection, stream=False).whole
                connection = self.connection(server.url, KEY, is_async=is_async)
                self.ask(is_async, connection=connection).whole  # noqa: B018 - raises
                sent = json.loads(server.requests[0].body or b"{}")
                both = [(each.path, each.body) for each in server.requests]
            same(response.content, self.wire.content, "the content")
            same(response.thinking, self.expect.get("thinking", self.wire.thinking), "the thinking")
            true(sent.get("stream") in (None, False), "the request asked for a stream")
            true(both[0] != both[1], "the request of a stream does not ask for one")
            true(isinstance(response, self.tested.response_class), "it is of another class")
            true(response.response is not None, "there is no response object")
            if self.wire.whole_tools:
                tools = self.ask(
                    is_async,
                    self.whole_reply(self.wire.whole_tools),
                    stream=False,
                    tools=list(TOOLS),
                ).whole
                found = [(tool.tool_call.name, _arguments(tool)) for tool in tools.tools]
                same(found, self._expected(), "the calls")

    @check("fetch.same_as_stream")
    def test_fetch_same_as_stream(self) -> None:
        """The same answer, streamed and not, has the same content, message, usage and cost.

        `decode_response` and `decode` speak the same vocabulary.
        """
        for way, outcome in self.answers(*self.needs("text")):
            reply = self.whole_reply(self.needs("whole"))
            whole = self.ask(way == "async", reply, stream=False).whole
            stream = outcome.whole
            made = stream.construct_call_response()
            for name in ("content", "thinking", "message_param", "cost", "finish_reason", "model"):
                same(getattr(whole, name), getattr(stream, name), f"the {name} of the whole answer")
            same(_counts(whole), _counts(stream), "its tokens")
            same(made.__class__, whole.__class__, "the class of construct_call_response()")
            same(made.response.__class__, whole.response.__class__, "the class of its response")
            true(
                self.wire.content in repr(made.response),
                "the response of construct_call_response() does not have the text",
            )

    @check("fetch.odd_body")
    def test_fetch_odd_body(self) -> None:
        """A whole answer that is none is an error: nothing, a page, another shape of JSON.

        Core refuses what says nothing and has no end: `decode_response` must not make up either.
        """
        self.needs("whole")
        for body in (b"{}", b"[]", b"null", b"<html>no</html>", b"", b'"x"'):
            for is_async in self.modes:
                error = self.ask(is_async, self.whole_reply(body), stream=False).error
                true(isinstance(error, APIError), f"{body!r} ended with {error!r}")
                true(not isinstance(error, PluginError), f"{body!r}: {error}")

    # Usage and cost

    @check("usage.counts")
    def test_usage_counts(self) -> None:
        """Tokens in, out and cached are those of the wire, also on the chunk that brings them.

        `normalize` counts cached tokens into the input; a `UsageDelta` is a snapshot, not a sum.
        """
        expected = tuple(self.expect.get("usage", self.needs("usage")))
        for _, outcome in self.answers(*self.needs("text")):
            same(_counts(outcome.whole), expected, "the tokens of the stream")
            true(outcome.stream.usage is not None, "stream.usage is None")
            counted = [c for c in outcome.chunks if c.usage is not None]
            true(counted, "no chunk has usage")
            same(counted[-1].output_tokens, expected[1], "the tokens of the last such chunk")

    @check("usage.absent")
    def test_usage_absent(self) -> None:
        """Usage that was not sent is None, and so is the cost: never 0."""
        for _, outcome in self.answers(*self.needs("no_usage")):
            stream = outcome.whole
            same((stream.usage, stream.common_usage, stream.cost), (None, None, None), "usage")

    @check("cost.table")
    def test_cost_table(self) -> None:
        """A model of the provider's own table has its exact price.

        `expect = {"cost": "0.00012"}`: what the text's usage costs.
        """
        if "cost" not in self.expect:
            raise NotApplicable("no cost is expected")
        for _, outcome in self.answers(*self.needs("text")):
            details = outcome.whole.cost_details
            true(details is not None, "the cost is None")
            same(details.total, Decimal(str(self.expect["cost"])), "the cost")

    @check("cost.unknown")
    def test_cost_unknown(self) -> None:
        """A model that the table does not know costs None, never 0 and never another's price.

        No prefix of the table may match whatever comes.
        """
        usage = self._raw_usage()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cost = cost_of(self.tested, "a-model-that-nobody-has", usage)
        table = self.tested.prices
        if getattr(table, "free", False):
            raise NotApplicable("the provider is free")
        true(cost is None, f"an unknown model costs {cost}")

    @check("cost.never_raises")
    def test_cost_never_raises(self) -> None:
        """Usage of any shape can be normalized: texts, negative numbers, lists, nothing.

        Read counters with `token_count`, objects with `as_object`.
        """
        usage = self._raw_usage()
        odd_values: list[Any] = ["many", -5, [1], None, {}, 1.5, True]
        for odd in odd_values:
            for changed in (dict.fromkeys(usage, odd), _nested(usage, odd), {"odd": odd}, {}):
                made = self.tested.normalize(changed, {})
                counts = (made.input_tokens, made.output_tokens)
                true(min(counts) >= 0, f"{changed} counts {counts}")

    def _raw_usage(self) -> dict[str, Any]:
        stream = replay(self.tested, b"".join(self.needs("text")))
        for _ in stream:
            pass
        if stream.answer.usage is None:
            raise NotApplicable("the protocol counts nothing")
        return dict(stream.answer.usage)

    # Objects and recordings

    @check("chunk.object")
    def test_chunk_object(self) -> None:
        """`chunk.chunk` is made once, and of the event.

        `chunk_object` builds the SDK's own type; without an SDK it is the JSON object.
        """
        for _, outcome in self.answers(*self.needs("text")):
            for chunk in outcome.chunks:
                true(chunk.chunk is chunk.chunk, "it is made anew each time")
                true(chunk.chunk is not None, "it is None")
                true(chunk.content in repr(chunk.chunk), "it does not have the chunk's text")
            kinds: set[Any] = {c.chunk.__class__ for c in outcome.chunks}
            expected = self.expect.get("chunk")
            if expected is not None:
                true(all(issubclass(k, expected) for k in kinds), f"the objects are {kinds}")

    @check("record.replay")
    def test_record_replay(self) -> None:
        """A recording replays as the stream was, and holds no key."""
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "answer.jsonl"
            events = self.needs("text")
            outcome = self.ask(False, self.reply(*events), record=path)
            stream = outcome.whole
            true(KEY not in path.read_text("utf-8"), "the key is in the recording")
            again = stream_from(path, provider=self.tested)
            again.collect()
        for name in ("content", "thinking", "message_param", "state", "model", "finish_reason"):
            same(getattr(again, name), getattr(stream, name), f"the {name} of the replay")


def _until_tool(chunk: Any) -> bool:
    return not any(type(delta) is ToolCallEnd for delta in chunk.deltas)


def _arguments(tool: Any) -> Any:
    text = tool.tool_call.arguments
    return json.loads(text) if text else {}


def _counts(result: Any) -> tuple[Any, ...]:
    return result.input_tokens, result.output_tokens, result.cached_tokens


def _nested(usage: dict[str, Any], odd: object) -> dict[str, Any]:
    return {
        name: dict.fromkeys(cast("dict[str, Any]", value), odd)
        if isinstance(value, dict)
        else value
        for name, value in usage.items()
    }
