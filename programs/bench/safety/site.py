"""A site on loopback whose pages, places and redirects are whatever an input says."""

from types import TracebackType
from typing import Self

from aiohttp import web
from yarl import URL

_FORECAST = {
    "current": {
        "temperature_2m": 20.0,
        "apparent_temperature": 20.0,
        "relative_humidity_2m": 50.0,
        "wind_speed_10m": 5.0,
        "weather_code": 0,
    },
    "daily": {"temperature_2m_min": [10.0], "temperature_2m_max": [25.0], "precipitation_probability_max": [10.0]},
}


class Site:
    """Use it with `async with`.

    Attributes:
        pages: What is at /page/NAME.
        redirects: Where /to/NAME leads, and where the weather of the place NAME is.
        places: What the weather service calls the place NAME.
    """

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.redirects: dict[str, str] = {}
        self.places: dict[str, str] = {}
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/page/{name}", self._page)
        app.router.add_get("/to/{name}", self._redirect)
        app.router.add_get("/v1/search", self._search)
        app.router.add_get("/v1/forecast", self._forecast)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=self.pages.get(request.match_info["name"], "There is nothing here."))

    async def _redirect(self, request: web.Request) -> web.Response:
        # Not URL: it writes an address as it should be, and this is about those that are not.
        return web.Response(status=302, headers={"Location": self.redirects[request.match_info["name"]]})

    async def _search(self, request: web.Request) -> web.Response:
        name = request.query["name"]
        if name in self.redirects:
            return web.Response(status=302, headers={"Location": self.redirects[name]})
        place = self.places.get(name, name)
        if place.startswith("refused: "):
            return web.json_response({"error": True, "reason": place.removeprefix("refused: ")}, status=400)
        return web.json_response({"results": [{"name": place, "latitude": 1.0, "longitude": 1.0}]})

    async def _forecast(self, _request: web.Request) -> web.Response:
        return web.json_response(_FORECAST)

    def page(self, name: str) -> URL:
        """The address of a page."""
        return URL(self.url) / "page" / name
