"""The first two commands in a checkout, with Python and nothing else.

    python3 start.py "Recommend a fantasy book"    asks the embedded model
    python3 start.py test                          runs the tests on this Python

Both set up what they need the first time: uv if it is not there (in .uv/), then an environment in
.venv/ with everything that pyproject.toml names. Nothing outside this folder changes but uv's own
cache.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PRIVATE = ROOT / ".uv"
OLDEST = (3, 11)

# Older Pythons must get as far as being told that they are: this file has no newer syntax.


def main(arguments):
    """Do what was asked and return the exit status."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        return refuse(
            f"Python 3.11 or newer is needed, and this is {found} ({sys.executable}): start it "
            "with a newer one, as in 'python3.12 start.py test'"
        )
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 0 if arguments else 2
    uv = find_uv()
    if uv is None:
        return 1
    if arguments[0] == "test":
        # What follows goes to pytest. `uv run nox` checks all else: other Pythons, types, style.
        command = ["pytest", "-q", "-n", "auto", "--dist", "loadfile", *arguments[1:]]
        return run(uv, *command, cwd=str(ROOT))
    command = ["mirascope", "run", "-m", "local/smollm2-135m", *arguments]
    return run(uv, *command)


def find_uv():
    """Return the command uv: this machine's, or one that is installed into a folder of its own."""
    scripts = PRIVATE / ("Scripts" if os.name == "nt" else "bin")
    found = shutil.which("uv") or shutil.which("uv", path=str(scripts))
    if found:
        return found
    print("Setting up uv in .uv/ (25 MB, once) …", file=sys.stderr, flush=True)
    try:
        import ensurepip  # noqa: F401 - Debian leaves it out
        import venv
    except ImportError:
        version = "{}.{}".format(*sys.version_info)
        refuse(
            f"this Python has no 'venv': 'apt install python{version}-venv' adds it on Debian and "
            "Ubuntu; or install uv (https://docs.astral.sh/uv)"
        )
        return None
    # PEP 668 forbids installing into a managed Python; an environment of its own is nobody's.
    venv.create(PRIVATE, with_pip=True, clear=True)
    python = shutil.which("python", path=str(scripts)) or str(scripts / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"]
    if subprocess.run(pip, check=False).returncode:
        shutil.rmtree(PRIVATE, ignore_errors=True)
        refuse("uv can't be installed: pip has told why above")
        return None
    return shutil.which("uv", path=str(scripts))


def run(uv, *arguments, **options):
    """Run a command in the environment of this checkout and return its exit status."""
    # An environment that is active is not the one of this checkout, and uv would warn of it.
    environment = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    if arguments[0] == "pytest":
        # Else every process of the tests would compile the SDKs again.
        environment["UV_COMPILE_BYTECODE"] = "1"
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
    # Development's own tools are not needed for an answer, and are half of the download.
    only = [] if arguments[0] == "pytest" else ["--no-dev"]
    command = [uv, "run", "--project", str(ROOT), "--python", sys.executable, *only, *arguments]
    try:
        return subprocess.run(command, env=environment, check=False, **options).returncode
    except KeyboardInterrupt:
        return 130


def refuse(reason):
    """Say why it can't be and return the exit status for that."""
    print(f"start.py: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
