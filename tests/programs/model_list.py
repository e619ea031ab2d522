"""A model service that says until when its models are there."""

from datetime import UTC, datetime, timedelta

from aiohttp import web

from tests.chat_completions import ChatCompletionsServer


def in_days(days: int) -> str:
    """The day so many days from now, as services write it."""
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


class ListingServer(ChatCompletionsServer):
    """See `ChatCompletionsServer`.

    Attributes:
        shutdowns: The last days of models, by their names.
        listings: How often it was asked for its list.
    """

    def __init__(self) -> None:
        super().__init__()
        self.shutdowns: dict[str, str] = {}
        self.listings = 0

    async def _list_models(self, request: web.Request) -> web.Response:
        self.listings += 1
        await self._count(active=0)  # it may be waited for
        if self.models is None:
            return await super()._list_models(request)
        data = [{"id": name, "object": "model", "shutdown_date": self.shutdowns.get(name)} for name in self.models]
        return web.json_response({"object": "list", "data": data})
