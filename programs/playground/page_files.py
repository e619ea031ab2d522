"""The page itself: static files beside this module, under a policy that lets nothing foreign in."""

import re
from pathlib import Path

from aiohttp import web

PAGE = Path(__file__).parent / "page"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_NAME = re.compile(r"\w[\w.-]*")  # no slash and no leading dot: nothing outside the folder has such a name


def add_page(app: web.Application) -> None:
    app.router.add_get("/", _index)
    app.router.add_get("/page/{name}", _file)


async def _index(_: web.Request) -> web.FileResponse:
    return _send("index.html")


async def _file(request: web.Request) -> web.FileResponse:
    return _send(request.match_info["name"])


def _send(name: str) -> web.FileResponse:
    path = PAGE / name
    if not _NAME.fullmatch(name) or not path.is_file():
        raise web.HTTPNotFound(headers=HEADERS)
    return web.FileResponse(path, headers=HEADERS)
