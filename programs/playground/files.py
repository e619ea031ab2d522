"""Attachments over HTTP: bytes from a stranger, so only pictures are shown and nothing in them runs."""

from aiohttp import web

from programs.playground.posting import IMAGE_TYPES, UNKNOWN_TYPE
from programs.playground.snowflakes import read_id
from programs.playground.state import State


class FileRoutes:
    """Serves the files of messages, as Discord's CDN does."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, app: web.Application) -> None:
        """Add the route to an application."""
        app.router.add_get("/attachments/{channel_id}/{attachment_id}/{filename}", self.get)

    async def get(self, request: web.Request) -> web.Response:
        """A file by the ids in its address; 404 where there is none."""
        attachment = self._state.attachments.get(read_id(request.match_info["attachment_id"]) or 0)
        if attachment is None or str(attachment.channel_id) != request.match_info["channel_id"]:
            raise web.HTTPNotFound
        shown = attachment.content_type in IMAGE_TYPES.values()
        return web.Response(
            body=attachment.content,
            content_type=attachment.content_type or UNKNOWN_TYPE,
            headers={
                "Cache-Control": "private, max-age=3600",
                "Content-Disposition": "inline" if shown else f'attachment; filename="{attachment.filename}"',
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "X-Content-Type-Options": "nosniff",
            },
        )
