"""Only this machine's own page and programs may talk to a server of ours."""

from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware


def guard(port: Callable[[], int]) -> Middleware:
    """A middleware that refuses foreign names and foreign pages.

    A page elsewhere may make a browser connect here: by a name of its own that points at 127.0.0.1 (its Host
    betrays it) or directly (its Origin does).
    """

    @web.middleware
    async def guarding(request: web.Request, handler: Handler) -> web.StreamResponse:
        hosts = {f"127.0.0.1:{port()}", f"localhost:{port()}"}
        origin = request.headers.get("Origin")
        if request.headers.get("Host") not in hosts:
            raise web.HTTPForbidden(text="This server goes by 127.0.0.1 and localhost only.")
        if origin is not None and origin not in {f"http://{host}" for host in hosts}:
            raise web.HTTPForbidden(text="Another page may not talk to this server.")
        return await handler(request)

    return guarding
