"""Processes that fork, pool and end: each has its own connections, and nobody waits for another."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from mirascope.core.testing import Hold, ReceivedRequest, Server
from mirascope.core.testing._certificates import authority
from mirascope_tests.programs import running

from .conftest import LONG, Tried
from .protocols import PROTOCOLS, Protocol, name_of

ROOT = Path(__file__).parents[2]
EACH = 20 if LONG else 5


def run(program: str, protocol: Protocol, url: str, **variables: str) -> str:
    """Run a program in a process of its own, with these variables, and return what it printed.

    It has `ask(name)` and `asked(name)`, a stream and its text by a default client.
    """
    head = f"""
        import asyncio, os, sys, threading, time
        from tests.trials.protocols import PROTOCOLS
        protocol = PROTOCOLS[{_number(protocol)}]
        settings = protocol.settings({url!r})
        def ask(name, **options): return protocol.ask(str(name), **settings, **options)
        def asked(name): return ask(name).collect().content
        def right(name): return asked(name) == f"<{{name}}>" * 3
    """
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-W",
            "ignore:This process:DeprecationWarning",
            "-c",
            textwrap.dedent(head) + textwrap.dedent(program),
        ],
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == "", done.stderr
    assert done.returncode == 0
    return done.stdout.strip()


def _number(protocol: Protocol) -> int:
    return PROTOCOLS.index(protocol)


def reply_of(protocol: Protocol) -> Callable[[ReceivedRequest], Any]:
    def reply(request: ReceivedRequest) -> Any:
        name = name_of(request.body)
        before = (Hold(),) if name.startswith("stalled") else ()
        return protocol.reply(*[f"<{name}>"] * 3, before_end=before)

    return reply


@pytest.fixture
def url(protocol: Protocol, serve: Callable[..., Server]) -> str:
    return serve(reply_of(protocol), path="/v1").url


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_forks_with_warm_clients(
    protocol: Protocol, serve: Callable[..., Server], tls: bool, tmp_path: Path, tried: Tried
) -> None:
    url = serve(reply_of(protocol), path="/v1", tls=tls).url
    trusted = tmp_path / "authority.pem"
    trusted.write_bytes(authority().cert_pem.bytes())
    program = f"""
        assert right("warm")
        children = []
        for number in range(8):
            child = os.fork()
            if not child:
                fine = all(right(f"{{number}}-{{each}}") for each in range({EACH}))
                os._exit(0 if fine else 1)
            children.append(child)
        assert all(right(f"parent-{{each}}") for each in range({EACH}))
        print([os.waitpid(child, 0)[1] for child in children])
    """
    assert run(program, protocol, url, SSL_CERT_FILE=str(trusted)) == str([0] * 8)
    tried(9 * EACH)


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_a_pool_after_a_call(protocol: Protocol, url: str, method: str, tried: Tried) -> None:
    if method == "fork" and not hasattr(os, "fork"):
        pytest.skip("this system does not fork")
    # Children that are spawned import the function by its name.
    program = f"""
        import multiprocessing
        from tests.trials import pooled
        if __name__ == "__main__":
            assert right("warm")
            with multiprocessing.get_context({method!r}).Pool(4) as pool:
                jobs = [({_number(protocol)}, {url!r}, each) for each in range({4 * EACH})]
                print(sum(pool.map(pooled.is_right, jobs)))
    """
    assert run(program, protocol, url) == str(4 * EACH)
    tried(4 * EACH)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_web_server_that_loads_the_application_before_it_forks(
    protocol: Protocol, url: str, tried: Tried
) -> None:
    """Every worker begins with the clients that the application made while it was loaded."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
    given = {"TRIED_PROTOCOL": str(_number(protocol)), "TRIED_URL": url, "PYTHONPATH": path}
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers=4", "--bind=127.0.0.1:0"]
    server = subprocess.Popen(
        [*command, "--graceful-timeout=5", "tests.trials.preloaded:app"],
        cwd=ROOT,
        env={**os.environ, **given},
        stderr=subprocess.PIPE,
        text=True,
    )
    with running(server):
        assert server.stderr is not None
        said: list[str] = []
        for line in server.stderr:
            said.append(line)
            if found := re.search(r"Listening at: (http://127\.0\.0\.1:\d+)", line):
                break
        else:
            pytest.fail("".join(said))

        def is_right(number: int) -> bool:
            with urllib.request.urlopen(f"{found[1]}/call-{number}", timeout=60) as response:
                return bool(response.read().decode() == f"<call-{number}>" * 3)

        with ThreadPoolExecutor(8) as threads:
            assert all(threads.map(is_right, range(8 * EACH)))
        server.terminate()
        said.append(server.communicate(timeout=30)[1])
    assert "Traceback" not in "".join(said), "".join(said)
    tried(8 * EACH)


HALF_READ = "an event loop with a stream that is half read"
EXITS = {
    "a stream that was never opened": "stream = ask('a')",
    "a stream that was opened": "stream = ask('stalled').open()",
    "a stream that is half read": "stream = ask('stalled'); print(next(iter(stream))[0].content)",
    "an iterator that is half read": "it = iter(ask('stalled')); print(next(it)[0].content)",
    "an iterator in a module that is emptied late": """
        threading.it = iter(ask('stalled'))
        print(next(threading.it)[0].content)
    """,
    "an exit inside the loop": "for _ in ask('stalled'): sys.exit()",
    "a daemon thread that reads": """
        stream = ask('stalled')
        threading.Thread(target=list, args=(stream,), daemon=True).start()
        time.sleep(0.3)
    """,
    "a thread that opens": """
        threading.Thread(target=ask('stalled').open).start()
        time.sleep(0.3)
    """,
    "a cycle with a stream in it": """
        class Box: pass
        box = Box(); box.box = box; box.stream = ask('stalled').open()
    """,
    HALF_READ: """
        async def main():
            stream = await protocol.ask('stalled', asynchronous=True, **settings)
            async for _ in stream: break
            main.stream = await protocol.ask('stalled', asynchronous=True, **settings)
            main.it = aiter(main.stream)
            await anext(main.it)
        asyncio.run(main())
    """,
    "an event loop with a task that reads": """
        async def read():
            async for _ in await protocol.ask('stalled', asynchronous=True, **settings): pass
        async def main():
            main.task = asyncio.create_task(read())
            await asyncio.sleep(0.3)
        asyncio.run(main())
    """,
    "three event loops": """
        async def main():
            stream = await protocol.ask('a', asynchronous=True, **settings)
            return (await stream.collect()).content
        assert {asyncio.run(main()) for _ in range(3)} == {'<a><a><a>'}
    """,
}


@pytest.mark.parametrize("name", EXITS)
def test_the_end_of_a_process(protocol: Protocol, url: str, name: str, tried: Tried) -> None:
    """Without noise, and without waiting for a server that sends nothing."""
    if name == HALF_READ and protocol is not PROTOCOLS[0]:
        # A loop that ends closes all asynchronous generators at once, and those of the SDKs' HTTP
        # client run into one another. OpenAI's and Anthropic's own streams say the same without
        # mirascope; Gemini's own does not, because its SDK reads the response in another way.
        pytest.skip("the SDK's HTTP client complains about its own generators")
    program = f"""
assert right("a")
{textwrap.dedent(EXITS[name])}
"""
    # A server that sends nothing would be waited for until the time of the run is over.
    run(program, protocol, url)
    tried(1)
