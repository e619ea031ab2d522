"""Serving an aiohttp application for as long as a block takes."""

import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

_SHUTDOWN_SECONDS = 2.0  # for requests that are being answered


@contextlib.asynccontextmanager
async def listening(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve `app` inside this block.

    Args:
        app: What is served.
        host: The address to listen on.
        port: The port; 0 takes a free one.

    Yields:
        The port.

    Raises:
        OSError: The port is taken, or the host is no address of this machine.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
