"""The files of a page, under a policy that lets nothing foreign in."""

import re
from pathlib import Path

from aiohttp import web

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
        "connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_SHARED = Path(__file__).parent / "page"  # what all pages are built with, under the same names
_NAME = re.compile(r"\w[\w.-]*")  # no slash and no leading dot: nothing outside the folder has such a name


def add_page(app: web.Application, folder: Path) -> None:
    """Serve a page: its `index.html` at /, and its files and the shared ones at /page/."""

    async def index(_: web.Request) -> web.FileResponse:
        return _send("index.html", folder)

    async def file(request: web.Request) -> web.FileResponse:
        return _send(request.match_info["name"], folder, _SHARED)

    app.router.add_get("/", index)
    app.router.add_get("/page/{name}", file)


def _send(name: str, *folders: Path) -> web.FileResponse:
    for folder in folders if _NAME.fullmatch(name) else ():
        if (folder / name).is_file():
            return web.FileResponse(folder / name, headers=HEADERS)
    raise web.HTTPNotFound(headers=HEADERS)
