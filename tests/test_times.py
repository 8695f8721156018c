"""Times begin when the request is sent: what a process imports first is not the provider's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from mirascope_tests.turns import WAYS, Way

SUPPORT = Path(__file__).parent / "support"

PROGRAM = """
import asyncio, importlib.abc, json, sys, time
from pathlib import Path

sys.path.insert(0, sys.argv[1])
SLOW = {"openai", "anthropic", "google.genai", "httpx", "httpx2"}


class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name in SLOW:
            SLOW.clear()
            time.sleep(4)
        return None


from mirascope.core.testing import Server
from mirascope_tests.turns import WAYS, calling

way = WAYS[int(sys.argv[2])]
sys.meta_path.insert(0, Slow())
arrived = []
found = {}


def reply(request):
    arrived.append(time.time())
    return calling()(request)


async def main():
    for kind in ("first", "second", "whole"):
        path = Path(sys.argv[3], f"{kind}.jsonl")
        call = {"stream": False} if kind == "whole" else {"record": path}
        result = await way.read(way.decorate(server, [], "Hi", **call))
        found[kind] = arrived[-1] - result.start_time.timestamp()
        if kind != "whole":
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            found[f"{kind} recording"] = lines[1]["t"]


with Server(reply) as server:
    asyncio.run(main())
print(json.dumps([found, bool(SLOW)]))
"""


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_the_first_call_of_a_process_is_not_late(way: Way, tmp_path: Path) -> None:
    arguments = [str(SUPPORT), str(WAYS.index(way)), str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    late, never_imported = json.loads(done.stdout)
    assert not never_imported
    # Half of what the import alone takes leaves room for a busy machine.
    assert all(-0.1 < seconds < 2 for seconds in late.values()), late
