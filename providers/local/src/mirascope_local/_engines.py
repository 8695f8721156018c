"""The models that this process has loaded: each once, for all calls, until the process ends."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mirascope.core import StreamInterruptedError

from ._engine import Engine, survive_fork
from ._models import find, identify


@dataclass(frozen=True, slots=True)
class _Load:
    """The loading of a model, begun or done.

    Attributes:
        engine: the engine to come.
        cancelled: set to give up a download.
    """

    engine: Future[Engine] = field(default_factory=Future[Engine])
    cancelled: threading.Event = field(default_factory=threading.Event)


class Engines:
    """Loads models on first use, in threads of their own."""

    def __init__(self) -> None:
        self._loaded = False
        self._inherited = False
        self._ending = False
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._loads: dict[str, _Load] = {}
        self._loading = threading.Lock()
        self._by_path: dict[Path, Engine] = {}

    def get(self, model: str) -> Engine:
        """Return the engine of a model; wait until it is loaded.

        Raises:
            APIError: there is no such model, or it can't be loaded. The next call tries again.
            StreamInterruptedError: the program is ending.
        """
        return self._future(model).result()

    async def get_async(self, model: str) -> Engine:
        """The same, without blocking the event loop."""
        return await asyncio.wrap_future(self._future(model))

    def close(self) -> None:
        """End every generation and free the models; a later call loads its model again."""
        with self._lock:
            loads, self._loads = self._loads, {}
        for load in loads.values():
            load.cancelled.set()
        for load in loads.values():
            with contextlib.suppress(Exception):
                load.engine.result()
        with self._loading:
            engines, self._by_path = self._by_path, {}
        for engine in engines.values():
            engine.stop()
        for engine in engines.values():
            if self._inherited:
                engine.wait()
                engine.abandon()
            else:
                engine.close()

    def end(self) -> None:
        """Close, and load nothing any more.

        A daemon thread goes on while Python is being finalised. Its next attempt to take the GIL
        ends it (before Python 3.14), and where that is below llama.cpp's frames the process aborts
        with "exception not rethrown".
        """
        with self._lock:
            self._ending = True
        self.close()

    def forget(self) -> None:
        """Begin anew in a forked child, which has its parent's memory but none of its threads.

        Nothing of llama.cpp may be freed there: it would wait for threads of the parent.
        """
        if self._loaded:
            self._inherited = True
            survive_fork()
        for engine in self._by_path.values():
            engine.abandon()
        self._reset()

    def _future(self, model: str) -> Future[Engine]:
        key = identify(model)
        with self._lock:
            if self._ending:
                raise StreamInterruptedError("the program is ending: no model is loaded any more")
            load = self._loads.get(key)
            if load is None:
                load = self._loads[key] = _Load()
                # A caller that gives up must not cancel what others wait for.
                load.engine.set_running_or_notify_cancel()
                threading.Thread(
                    target=self._load, args=(key, load), name="mirascope-local-load", daemon=True
                ).start()
        return load.engine

    def _load(self, key: str, load: _Load) -> None:
        try:
            file = find(key, load.cancelled)
            with self._loading:
                engine = self._by_path.get(file.path)
                if engine is None:
                    self._loaded = True
                    engine = self._by_path[file.path] = Engine(file)
        except BaseException as error:
            with self._lock:
                if self._loads.get(key) is load:
                    del self._loads[key]
            load.engine.set_exception(error)
        else:
            load.engine.set_result(engine)


ENGINES: Final = Engines()


def close() -> None:
    """Free every loaded model; answers that are being generated end with an error.

    The end of the process does this by itself. A later call loads its model again.
    """
    ENGINES.close()


atexit.register(ENGINES.end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=ENGINES.forget)
