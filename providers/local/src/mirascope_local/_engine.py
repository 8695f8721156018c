"""One loaded model: everything that touches `xllamacpp`, which has no type information.

What is said here of llama.cpp was measured with xllamacpp 2026.10.11549.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import socket
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from mirascope.core import (
    BadRequestError,
    BrokenProviderError,
    JSONObject,
    ProviderServerError,
    StreamInterruptedError,
)

from ._models import ModelFile

SLOTS: Final = 2
"""How many answers a model generates at the same time; further ones wait."""
CONTEXT: Final = 4096
"""Tokens that the prompt and the answer of one call have together."""

_BATCH: Final = 64
"""Tokens of a prompt between two chances to stop. On a processor, larger batches are no faster."""
_SOCKET_PATH: Final = 100
"""Unix sockets have paths of at most 103 bytes (macOS) or 107 (Linux)."""


class Engine:
    """A model in memory, shared by all calls.

    Args:
        model: the model's file.

    Raises:
        BrokenProviderError: `xllamacpp` can't be imported.
        ProviderServerError: the model can't be loaded.
    """

    def __init__(self, model: ModelFile) -> None:
        self._server: Any = _load(model)
        self._closing = False
        self._running = 0
        self._changed = threading.Condition()

    def generate(self, body: JSONObject, take: Callable[[JSONObject], bool]) -> None:
        """Generate one answer in this thread.

        Args:
            body: a request for chat completions.
            take: called with every chunk; True ends the generation. It must not raise: xllamacpp
                swallows exceptions.

        Raises:
            BadRequestError: llama.cpp refuses the request.
            ProviderServerError: llama.cpp failed.
            StreamInterruptedError: the model was closed.
        """
        with self._changed:
            if self._closing:
                raise StreamInterruptedError("the model was closed: call again to load it again")
            self._running += 1
        try:
            self._server.handle_chat_completions(body, partial(self._take, take))
        except (ValueError, TypeError) as error:
            raise BadRequestError(str(error), status=400) from error
        except RuntimeError as error:
            raise ProviderServerError(str(error), status=500) from error
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()
        if self._closing:
            raise StreamInterruptedError("the model was closed while it answered")

    def _take(self, take: Callable[[JSONObject], bool], chunk: JSONObject) -> bool:
        return self._closing or take(chunk)

    def stop(self) -> None:
        """End every generation at its next chance, and begin none."""
        self._closing = True

    def wait(self) -> None:
        """Stop, and wait until nothing is generated any more."""
        self.stop()
        with self._changed:
            self._changed.wait_for(lambda: not self._running)

    def close(self) -> None:
        """Wait until nothing is generated any more and free the memory."""
        # Freed under a running generation, llama.cpp would crash the process.
        self.wait()
        self._server = None

    def abandon(self) -> None:
        """Never free the memory; nothing may be running. See `survive_fork`."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._server))
        self._server = None


def survive_fork() -> None:
    """Let a forked child end well whose parent had llama.cpp loaded.

    At its exit, llama.cpp's static destructors would wait for threads that only the parent has.
    The child ends without them: glibc calls `_exit` with the exit status as soon as Python has been
    finalised. Elsewhere there is no such function, and forking with threads is not supported.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "on_exit"):
        libc.on_exit(libc._exit, None)


def _load(model: ModelFile) -> Any:
    try:
        xllamacpp = import_module("xllamacpp")
    except ImportError as error:
        raise BrokenProviderError(
            f"provider 'local' needs xllamacpp, which can't be imported: {error}", provider="local"
        ) from error
    params: Any = xllamacpp.CommonParams()
    params.model.path = str(model.path)
    params.model_alias = {model.name}
    if model.chat_template is not None:
        params.chat_template = model.chat_template
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * CONTEXT
    params.n_batch = _BATCH
    # With every core taken, the threads of a matrix product wait for each other while the process
    # does anything else: it was up to eight times slower.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = max(1, _cores() - 1)
    # By default, prompts of earlier calls are kept in up to 8 GiB of memory.
    params.cache_ram_mib = 0
    params.fit_params = params.warmup = False
    params.verbosity = 0
    # llama.cpp always opens a listener. This one can be reached by nobody: the directory is private
    # and gone as soon as the model is loaded.
    params.ui = params.endpoint_slots = False
    params.n_threads_http = 1
    params.api_keys = [secrets.token_hex(32)]
    try:
        with tempfile.TemporaryDirectory(prefix="mirascope-", dir=_short_directory()) as directory:
            if hasattr(socket, "AF_UNIX"):
                params.hostnames = [os.path.join(directory, "llama.sock")]
            server: Any = xllamacpp.Server(params)
        # Freed before its loop runs, it waits for ever: an answer of one token shows that it does.
        server.handle_completions({"prompt": "a", "n_predict": 1})
    except (OSError, RuntimeError, ValueError) as error:
        raise ProviderServerError(
            f"llama.cpp can't load {str(model.path)!r}: the file is damaged, its architecture is "
            f"not supported, or memory is short ({error})",
            retryable=False,
        ) from error
    return server


def _cores() -> int:
    """Return how many cores this process may use, which in a container are not all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _short_directory() -> str | None:
    """Return a directory for a socket, or None for the default one."""
    length = len(os.path.join(tempfile.gettempdir(), "mirascope-xxxxxxxx", "llama.sock"))
    return "/tmp" if length > _SOCKET_PATH and Path("/tmp").is_dir() else None  # noqa: S108
