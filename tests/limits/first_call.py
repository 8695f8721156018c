"""A process that makes its first asynchronous call; it reports what the event loop had to do.

Arguments: the wire's name, the server's address, "default" or "own" client, "stream" or "whole".
Prints the outcome, and the most that the loop's own thread worked between two turns, in seconds:
processor time, which other processes of a busy machine do not change.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import time
from typing import Any

name, url, client, kind = sys.argv[1:]
package = importlib.import_module(f"mirascope_{name.partition('-')[0]}")
root = url.removesuffix("/v1")
base_url = root if name in ("anthropic", "google") else url
options: dict[str, Any] = {"api": "responses"} if name == "openai-responses" else {}
if name == "anthropic":
    options["call_params"] = {"max_tokens": 16}
make: Any = None
if client == "default":
    options |= {"base_url": base_url, "api_key": "k"}
elif name == "google":
    from google import genai

    make = lambda: genai.Client(api_key="k", http_options={"base_url": base_url})  # noqa: E731
elif name == "compatible":
    import httpx

    make = lambda: httpx.AsyncClient(base_url=base_url)  # noqa: E731
else:
    sdk = importlib.import_module(name.partition("-")[0])
    owner = sdk.AsyncAnthropic if name == "anthropic" else sdk.AsyncOpenAI
    make = lambda: owner(api_key="k", base_url=base_url)  # noqa: E731

loaded = set(sys.modules)


async def main() -> None:
    own = make() if make else None

    @package.call("model-1", stream=kind == "stream", client=own, **options)
    async def ask() -> str:
        return "Hi"

    async def read() -> str:
        result = await ask()
        if kind == "stream":
            return (await result.collect()).content
        return result.content

    task = asyncio.create_task(read())
    longest, last = 0.0, time.thread_time()
    while not task.done():
        await asyncio.sleep(0.002)
        longest, last = max(longest, time.thread_time() - last), time.thread_time()
    print(repr(task.exception() or task.result()), f"{longest:.3f}")
    if own is not None:
        owner = getattr(own, "aio", own)
        await (owner.aclose() if hasattr(owner, "aclose") else owner.close())


asyncio.run(main())
