"""An answer while it arrives: shown, timed, and summed up when it has ended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from ._json import format_json
from ._output import Display, SurrogateJoiner, note, say, write_line
from ._wording import at_a_shell

if TYPE_CHECKING:
    from mirascope.core import BaseCallResponseChunk, BaseStream, BaseTool, StructuredStream

_SHORTEST: Final = 0.05
"""Seconds; an answer that was read in less came in one piece, which tells nothing of its speed."""


class Answer:
    """Shows a stream and takes its times."""

    def __init__(self, stream: BaseStream[Any], display: Display) -> None:
        self._stream = stream
        self._display = display
        self._first: float | None = None
        self._end = 0.0
        self.interrupted = False

    def show(self) -> str | None:
        """Read the stream to its end; return why it did not complete, if it did not."""
        from mirascope.core import MirascopeError, ProviderError, StreamState, UsageError

        display = self._display
        problem = None
        # Held, so that the iterator outlives an interrupt in the loop's body: dropping it would
        # stop the stream before it can be cancelled.
        items = self._items()
        try:
            for item in items:
                self._take(item)
        except KeyboardInterrupt:
            self._stream.cancel()
            self.interrupted = True
            problem = "stopped before the answer was complete"
        except (ProviderError, UsageError):
            raise
        except MirascopeError as error:
            problem = at_a_shell(str(error))
        finally:
            self._end = time.time()
            self._stream.close()
            display.close(completed=self._stream.state is StreamState.COMPLETED)
        return problem

    def report(self, problem: str | None) -> None:
        """Say on standard error what was called, what went wrong, and what it took."""
        from mirascope.core import StreamState

        stream = self._stream
        for line in self._notes():
            note(line)
        if problem is not None:
            say(problem)
        if self._first is not None or self.interrupted or stream.state is StreamState.COMPLETED:
            note(self._summary())

    def _items(self) -> Iterator[Any]:
        """Return what is read of the stream."""
        return iter(self._stream)

    def _take(self, item: Any) -> None:
        """Show what was read."""
        chunk, tool = item
        if _has_output(chunk, tool):
            self._begin()
        if thinking := chunk.thinking:
            self._display.thinking(thinking)
        if chunk.content:
            self._display.text(chunk.content)
        if tool is not None:
            self._display.tool(tool)

    def _begin(self) -> None:
        """Take note that something has come."""
        if self._first is None:
            self._first = time.time()

    def _notes(self) -> Iterator[str]:
        """Yield what is told of the answer besides its text."""
        yield from calls_made(self._stream)
        if self._stream.refusal:
            yield f"the model declined: {self._stream.refusal}"

    def _hidden_tokens(self, reasoning_tokens: int) -> int:
        """Return how many tokens of reasoning were over before the first piece was shown."""
        return 0 if self._stream.thinking else reasoning_tokens

    def _summary(self) -> str:
        """Return the line with what the answer used, cost and took."""
        from ._summary import summary

        # Of the request, and not of this object: a process first imports its SDK.
        start = self._stream.start_time.timestamp()
        if self._first is None:
            return summary(self._stream, f"no token in {max(0.0, self._end - start):.2f} s")
        timings = [f"first token {max(0.0, self._first - start):.2f} s"]
        usage, seconds = self._stream.common_usage, self._end - self._first
        if usage is not None and seconds >= _SHORTEST:
            # Reasoning that stays hidden is counted, but was over before the first token came.
            hidden = self._hidden_tokens(usage.reasoning_tokens)
            timings.append(f"{(usage.output_tokens - hidden) / seconds:.1f} tokens/s")
        return summary(self._stream, *timings)


class ValueAnswer(Answer):
    """Shows the JSON of a value while it arrives; what is not valid is its problem."""

    def __init__(self, value: StructuredStream[Any], display: Display) -> None:
        super().__init__(value.stream, display)
        self._value = value

    @override
    def _items(self) -> Iterator[Any]:
        return self._value.text()

    @override
    def _take(self, item: Any) -> None:
        self._begin()
        self._display.text(item)

    @override
    def _notes(self) -> Iterator[str]:
        # A refusal is what is wrong with the value already.
        return calls_made(self._stream)

    @override
    def _hidden_tokens(self, reasoning_tokens: int) -> int:
        return reasoning_tokens


def calls_made(stream: BaseStream[Any]) -> Iterator[str]:
    """Yield the calls of a stream, one line each; not the one that its value came in."""
    own = {tool.tool_name() for tool in stream.tool_types}
    for tool in stream.tools:
        if tool.tool_call.name not in own:
            yield f"tool call: {tool.tool_call.name}({tool.tool_call.arguments})"


class LinesDisplay:
    """Writes a line of JSON for each piece of an answer, and one for the whole at its end.

    Args:
        stream: the stream, of which the last line tells.
        pieces: write the lines of the pieces too.
        value: the value that the stream's answer is to be, or None.
    """

    def __init__(
        self,
        stream: BaseStream[Any],
        *,
        pieces: bool,
        value: StructuredStream[Any] | None = None,
    ) -> None:
        self._stream = stream
        self._pieces = pieces
        self._value = value
        self._texts: list[str] = []
        self._joined = {"text": SurrogateJoiner(), "thinking": SurrogateJoiner()}

    def text(self, text: str) -> None:
        """Write more of the answer."""
        if self._value is not None:
            self._texts.append(text)
        self._piece("text", text)

    def thinking(self, text: str) -> None:
        """Write more of the reasoning."""
        self._piece("thinking", text)

    def tool(self, tool: BaseTool) -> None:
        """Write a tool call."""
        if self._pieces:
            call = tool.tool_call
            made = {"id": call.id, "name": call.name, "arguments": call.arguments}
            write_line(format_json({"tool_call": made}))

    def close(self, *, completed: bool) -> None:
        """Write the whole."""
        from ._replay_report import record, value_record

        for kind in self._joined:
            self._piece(kind, "", final=True)
        stream = self._stream
        made = {"provider": stream.provider, **record(stream)}
        if self._value is not None:
            made |= value_record(self._value, "".join(self._texts))
        write_line(format_json(made))

    def _piece(self, kind: str, text: str, *, final: bool = False) -> None:
        if self._pieces and (text := self._joined[kind](text, final=final)):
            write_line(format_json({kind: text}))


def _has_output(chunk: BaseCallResponseChunk[Any], tool: BaseTool | None) -> bool:
    from mirascope.core import ToolCallDelta

    return bool(
        tool is not None
        or chunk.content
        or chunk.thinking
        or chunk.refusal
        or any(type(delta) is ToolCallDelta for delta in chunk.deltas)
    )
