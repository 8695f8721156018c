"""How this copy was installed, and so by which command something is added to it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any


def install_command(requirement: str) -> str:
    """Return the command that installs a requirement beside this copy of the library.

    What every installer leaves in its environments tells them apart: uv and pipx a receipt, uv a
    line of `pyvenv.cfg` (https://docs.python.org/3/library/site.html), and systems that keep pip
    out of their Python a mark (PEP 668).

    Args:
        requirement: what to install, such as `"mirascope-core[openai]"`.
    """
    try:
        return _command(Path(sys.prefix), requirement)
    except (OSError, ValueError, LookupError, TypeError):
        # A receipt that can't be read must not hide the message that this is a part of.
        return f"pip install {_quoted(requirement)}"


def _command(prefix: Path, requirement: str) -> str:
    quoted = _quoted(requirement)
    if (receipt := prefix / "uv-receipt.toml").exists():
        return _uv_tool(tomllib.loads(receipt.read_text("utf-8")), requirement)
    if (metadata := prefix / "pipx_metadata.json").exists():
        main: Any = json.loads(metadata.read_text("utf-8"))["main_package"]
        return f"pipx runpip {main['package']} install {quoted}"
    is_virtual = sys.prefix != sys.base_prefix
    if not is_virtual and Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").exists():
        return f"python3 -m venv .venv && .venv/bin/pip install {quoted}"
    is_made_by_uv = is_virtual and _is_made_by_uv(prefix)
    if is_made_by_uv and (prefix.parent / "uv.lock").exists():
        is_here = Path.cwd().is_relative_to(prefix.parent)
        project = "" if is_here else f"--project {shlex.quote(str(prefix.parent))} "
        return f"uv add {project}{quoted}"
    if importlib.util.find_spec("pip") is None and (is_made_by_uv or shutil.which("uv")):
        is_active = os.environ.get("VIRTUAL_ENV") == str(prefix)
        python = "" if is_active else f"--python {shlex.quote(sys.executable)} "
        return f"uv pip install {python}{quoted}"
    pip = shutil.which("pip")
    if pip is not None and Path(pip).parent == Path(sys.executable).parent:
        return f"pip install {quoted}"
    return f"{shlex.quote(sys.executable)} -m pip install {quoted}"


def _quoted(requirement: str) -> str:
    """Return a requirement as a shell takes it: to some, brackets are a pattern of files."""
    return requirement if re.fullmatch(r"[\w.-]+", requirement) else f'"{requirement}"'


def _uv_tool(receipt: Any, requirement: str) -> str:
    """Return the command that installs a tool anew, with what it has and one thing more."""
    tool, *others = [_requirement(each) for each in receipt["tool"]["requirements"]]
    added = "".join(f" --with {_quoted(each)}" for each in dict.fromkeys([*others, requirement]))
    return f"uv tool install {_quoted(tool)}{added}"


def _requirement(entry: Any) -> str:
    """Return a requirement of a receipt, from wherever it came."""
    extras = f"[{','.join(entry['extras'])}]" if entry.get("extras") else ""
    place = entry.get("directory") or entry.get("editable") or entry.get("path") or entry.get("url")
    at = f" @ {place}" if place else entry.get("specifier", "")
    return f"{entry['name']}{extras}{at}"


def _is_made_by_uv(prefix: Path) -> bool:
    settings = (prefix / "pyvenv.cfg").read_text("utf-8")
    return re.search("^uv = ", settings, re.MULTILINE) is not None
