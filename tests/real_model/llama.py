"""The server of the tests of this folder, as they start it, look at it and kill it."""

import asyncio
import contextlib
import subprocess
import sys
from pathlib import Path
from typing import IO

import aiohttp

from tests.real_model.server import weights

_ROOT = Path(__file__).parent.parent.parent
_ENDS_WITHIN = 20.0  # seconds
_LOOKS_EVERY = 0.01


class LlamaServer:
    """A llama.cpp server in a process of its own.

    Args:
        log: The file that gets what it writes.
        options: See `python -m tests.real_model.server --help`.
    """

    def __init__(self, log: Path, *options: str) -> None:
        self._log = log
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        self.start()

    @property
    def model(self) -> str:
        """The name it lists its model by."""
        file = weights()
        assert file is not None
        return file.name

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.address}/v1"

    def start(self, *options: str, wait: bool = True) -> None:
        """Start it, on the port it had before; with `wait`, return when its model is loaded."""
        chosen = [*self._options, *options, "--port", str(self.port)]
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.real_model.server", *chosen],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=_ROOT,
                text=True,
            )
        if not wait:
            return
        try:
            port = _pipe(self._process.stdout).readline()
            assert port, f"the server did not start: {self.log()[-1000:]}"
            self.port = int(port)
        except BaseException:  # also when the test is given up meanwhile: nobody else would end it
            self.kill()
            raise

    def kill(self) -> None:
        """End it as a crash does."""
        if self._process is not None:
            self._process.kill()
        self.close()

    def close(self) -> None:
        """End it. Calling it twice is harmless."""
        if self._process is None:
            return
        process, self._process = self._process, None
        _pipe(process.stdin).close()
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_ENDS_WITHIN)
        finally:
            process.kill()
            process.wait()
            _pipe(process.stdout).close()

    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    async def until_loading(self) -> None:
        """Wait until it listens and says that its model is not loaded yet."""
        async with aiohttp.ClientSession() as http:
            while True:
                try:
                    async with http.get(f"{self.address}/health") as response:
                        assert response.status == 503
                        assert "Loading model" in await response.text()
                        return
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(_LOOKS_EVERY)

    async def until_busy(self, *, busy: bool = True) -> None:
        """Wait until a slot is at work, or none."""
        async with aiohttp.ClientSession() as http:
            while await self._is_busy(http) is not busy:  # noqa: ASYNC110  it tells nobody
                await asyncio.sleep(_LOOKS_EVERY)

    async def until_idle(self) -> None:
        """Wait until no slot is at work."""
        await self.until_busy(busy=False)

    async def _is_busy(self, http: aiohttp.ClientSession) -> bool:
        async with http.get(f"{self.address}/slots") as response:
            return any(slot["is_processing"] for slot in await response.json())


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
