"""An answer that is being generated, and the sources that hand it to a stream."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from queue import SimpleQueue
from typing import Self, TypeAlias

from mirascope.core import ErrorDelta, JSONObject, SDKObject
from mirascope_compatible import status_error
from pydantic_core import to_json

from ._engine import Engine

Item: TypeAlias = JSONObject | BaseException | None
"""A chunk (an empty one when the request is taken up), what went wrong, or None for the end."""


class Generation:
    """One answer, generated in a thread of its own.

    Args:
        engine: the model.
        body: the request.
        deliver: called in that thread with every item; the last one is None or an exception. If it
            raises, nobody is there any more, and the generation ends.

    Attributes:
        stopped: whether `stop()` was called.
    """

    def __init__(self, engine: Engine, body: JSONObject, deliver: Callable[[Item], object]) -> None:
        self._engine = engine
        # Progress on the prompt comes between its batches: it says that the request is taken up,
        # and each report is a chance to stop.
        self._body: JSONObject = {**body, "return_progress": True}
        self._progress_wanted = bool(body.get("return_progress"))
        self._deliver = deliver
        self._taken_up = False
        self._began = False
        self._failure: BaseException | None = None
        self.stopped = False

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="mirascope-local", daemon=True).start()

    def stop(self) -> None:
        """End the generation at its next chance: the next token, or batch of the prompt."""
        self.stopped = True

    def _run(self) -> None:
        try:
            if not self.stopped:
                self._engine.generate(self._body, self._take)
        except BaseException as error:
            self._failure = self._failure or error
        with contextlib.suppress(Exception):
            self._deliver(self._failure)

    def _take(self, chunk: JSONObject) -> bool:
        try:
            if self.stopped:
                return True
            if "prompt_progress" in chunk and not self._progress_wanted:
                if not self._taken_up:
                    self._taken_up = True
                    self._deliver({})
            elif "error" in chunk and not self._began:
                self._failure = _request_error(chunk)
                return True
            else:
                self._began = True
                self._deliver(chunk)
        except BaseException as error:
            self._failure = error
            return True
        return self.stopped


class LocalSource:
    """A generation as a source.

    Args:
        engine: the model.
        body: the request.
    """

    request_id: str | None = None

    def __init__(self, engine: Engine, body: JSONObject) -> None:
        self._items: SimpleQueue[Item] = SimpleQueue()
        self._first: Item = None
        self._generation = Generation(engine, body, self._items.put)

    def __del__(self) -> None:
        self._generation.stop()

    def open(self) -> Self:
        """Begin, wait until the model takes the request up, and return the source.

        Raises:
            APIError: the request was refused.
        """
        try:
            self._generation.start()
            self._first = self._items.get()
            if isinstance(self._first, BaseException):
                raise self._first
        except BaseException:
            self._generation.stop()
            raise
        return self

    def __iter__(self) -> Iterator[SDKObject]:
        item = self._first
        while item is not None and not self._generation.stopped:
            if isinstance(item, BaseException):
                raise item
            if item:
                yield item, item
            item = self._items.get()

    def abort(self) -> None:
        """Stop the generation; a read that waits in another thread returns."""
        self._generation.stop()
        self._items.put(None)

    def close(self) -> None:
        """The same."""
        self.abort()


class LocalAsyncSource:
    """The same for an event loop, which each chunk wakes."""

    request_id: str | None = None

    def __init__(self, engine: Engine, body: JSONObject) -> None:
        loop = asyncio.get_running_loop()
        items = self._items = asyncio.Queue[Item]()

        def deliver(item: Item) -> None:
            loop.call_soon_threadsafe(items.put_nowait, item)

        self._first: Item = None
        self._generation = Generation(engine, body, deliver)

    def __del__(self) -> None:
        self._generation.stop()

    async def open(self) -> Self:
        """Begin, wait until the model takes the request up, and return the source.

        Raises:
            APIError: the request was refused.
        """
        try:
            self._generation.start()
            self._first = await self._items.get()
            if isinstance(self._first, BaseException):
                raise self._first
        except BaseException:
            self._generation.stop()
            raise
        return self

    async def __aiter__(self) -> AsyncIterator[SDKObject]:
        item = self._first
        while item is not None and not self._generation.stopped:
            if isinstance(item, BaseException):
                raise item
            if item:
                yield item, item
            item = await self._items.get()

    async def aclose(self) -> None:
        """Stop the generation; a task that waits for a chunk goes on."""
        self._generation.stop()
        self._items.put_nowait(None)


def _request_error(data: JSONObject) -> Exception:
    """Return the error for an error object that came in place of an answer.

    llama.cpp gives the HTTP status as a numeric `code`.
    """
    status = ErrorDelta.from_object(data["error"]).status
    return status_error(status or 500, to_json(data), {})
