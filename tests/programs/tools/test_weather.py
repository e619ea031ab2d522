"""The weather: from a service of Open-Meteo's interface, or sample data that says so."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import ValidationError

from llmgine.messages.chat_messages import ToolCall, ToolResult
from llmgine.tools.tool_manager import ToolManager
from programs.tools.weather import WeatherConfig, weather_tool
from tests.waiting import patience

PLACES = [
    {
        "id": 1,
        "name": "Portland",
        "latitude": 45.5,
        "longitude": -122.7,
        "admin1": "Oregon",
        "country": "United States",
    },
    {"id": 2, "name": "Portland", "latitude": 43.7, "longitude": -70.3, "admin1": "Maine", "country": "United States"},
    {"id": 3, "name": "Portland", "latitude": -38.3, "longitude": 141.6, "country": "Australia"},
]
FORECAST = {
    "latitude": 45.5,
    "current": {
        "time": "2026-01-01T12:00",
        "temperature_2m": 18.4,
        "apparent_temperature": 17,
        "relative_humidity_2m": 61,
        "weather_code": 2,
        "wind_speed_10m": 12.3,
    },
    "daily": {"temperature_2m_max": [21.5], "temperature_2m_min": [9.0], "precipitation_probability_max": [None]},
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Service:
    """Stands for Open-Meteo: remembers the queries; `handlers` answers a path in place of the usual answer."""

    def __init__(self) -> None:
        self.queries: list[dict[str, str]] = []
        self.handlers: dict[str, Handler] = {}
        self.release = asyncio.Event()
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.queries.append(dict(request.query))
        if handler := self.handlers.get(request.path):
            return await handler(request)
        if request.path == "/v1/search":
            found = [place for place in PLACES if place["name"] == request.query["name"]]
            return web.json_response({"results": found} if found else {"generationtime_ms": 0.5})
        return web.json_response(FORECAST)

    async def hang(self, request: web.Request) -> web.StreamResponse:
        await self.release.wait()
        return web.Response()

    async def ask(self, timeout: float = 5.0, **arguments: str) -> ToolResult:  # noqa: ASYNC109  the tool's own limit
        config = WeatherConfig.model_validate({"base_url": self.url, "timeout": timeout})
        return await ask(config, **arguments)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    app = web.Application()
    app.router.add_get("/{path:.*}", service.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        service.url = str(server.make_url("/"))
        yield service
        service.release.set()


async def ask(config: WeatherConfig, **arguments: str) -> ToolResult:
    manager = ToolManager([weather_tool(config)])
    async with patience("the tool's result"):
        return await manager.run(ToolCall(name="get_weather", arguments=json.dumps(arguments)))


def test_the_schema() -> None:
    """A place and a unit; asking twice does no harm."""
    tool = weather_tool(WeatherConfig())

    assert tool.idempotent
    assert not tool.requires_approval
    assert tool.schema.parameters == {
        "type": "object",
        "additionalProperties": False,
        "required": ["location"],
        "properties": {
            "location": {
                "type": "string",
                "minLength": 1,
                "maxLength": 100,
                "description": "A city; where several have its name, with region or country written out, as in\n"
                '"Portland, Maine".',
            },
            "unit": {
                "type": "string",
                "enum": ["celsius", "fahrenheit"],
                "default": "celsius",
                "description": "The unit of the temperatures.",
            },
        },
    }


async def test_a_place_is_looked_up_and_its_weather_told(service: Service) -> None:
    """The answer names the place that was taken, with units; what is not known is left out."""
    result = await service.ask(location="Portland")

    assert result.ok
    assert result.content == (
        "Portland, Oregon, United States: 18.4 °C, partly cloudy, feels like 17 °C, humidity 61 %, "
        "wind 12.3 km/h, today 9 to 21.5 °C"
    )
    assert service.queries[1]["latitude"] == "45.5"
    assert service.queries[1]["temperature_unit"] == "celsius"


async def test_fahrenheit_is_asked_for_and_said(service: Service) -> None:
    """The service converts; the answer carries the unit."""
    result = await service.ask(location="Portland", unit="fahrenheit")

    assert service.queries[1]["temperature_unit"] == "fahrenheit"
    assert "18.4 °F" in result.content


@pytest.mark.parametrize(
    ("location", "latitude"),
    [("Portland, Maine", "43.7"), ("Portland , australia", "-38.3"), ("Portland, Nowhere", "45.5")],
)
async def test_a_region_or_country_chooses_among_places(service: Service, location: str, latitude: str) -> None:
    """Written out after a comma; one that fits none leaves the first place, which the answer names."""
    assert (await service.ask(location=location)).ok
    assert service.queries[0]["name"] == "Portland"
    assert service.queries[1]["latitude"] == latitude


async def test_an_unknown_place_is_an_error_with_advice(service: Service) -> None:
    """The model can ask again with another name."""
    result = await service.ask(location="Atlantis")

    assert not result.ok
    assert "no place called 'Atlantis' is known: check the spelling" in result.content


@pytest.mark.parametrize("path", ["/v1/search", "/v1/forecast"])
@pytest.mark.parametrize(
    ("response", "told"),
    [
        (lambda: web.Response(status=503, text="<html>down</html>"), "refused with status 503"),
        (lambda: web.json_response({"error": True, "reason": "Too many"}, status=429), "429: Too many"),
        (lambda: web.Response(text="<html>hello</html>", content_type="text/html"), "not weather data"),
        (lambda: web.json_response({"results": [{}], "current": 3}), "not weather data"),
        (lambda: web.Response(body=b"\xff\xfe"), "not weather data"),
    ],
    ids=["503", "429", "html", "other", "binary"],
)
async def test_a_failing_service_is_a_clear_error(
    service: Service, path: str, response: Callable[[], web.Response], told: str
) -> None:
    """Whichever of the two services fails, the model hears how."""

    async def fail(request: web.Request) -> web.StreamResponse:
        return response()

    service.handlers[path] = fail

    result = await service.ask(location="Portland")

    assert not result.ok
    assert told in result.content
    assert "<html>" not in result.content


async def test_a_hanging_service_is_given_up(service: Service) -> None:
    """Its own limit comes before the tool's, so the error says which service was slow."""
    service.handlers["/v1/forecast"] = service.hang

    result = await service.ask(timeout=0.2, location="Portland")

    assert "127.0.0.1 did not answer in time" in result.content


async def test_an_unreachable_service_is_said() -> None:
    """Nothing listens there any more."""
    async with TestServer(web.Application(), host="127.0.0.1") as server:
        gone = WeatherConfig.model_validate({"base_url": str(server.make_url("/"))})

    result = await ask(gone, location="Portland")

    assert "127.0.0.1 cannot be reached: try again later" in result.content


async def test_places_may_come_from_another_service(service: Service) -> None:
    """The two base addresses are independent, and may have a path."""
    config = WeatherConfig.model_validate({"base_url": service.url + "forecasts", "geocoding_url": service.url})

    result = await ask(config, location="Portland")

    assert result.ok, result.content
    assert len(service.queries) == 2


@pytest.mark.parametrize(("unit", "degrees"), [("celsius", "18 °C"), ("fahrenheit", "64 °F")])
async def test_without_a_service_the_answer_is_sample_data_and_says_so(unit: str, degrees: str) -> None:
    """Nobody can take it for the real weather."""
    result = await ask(WeatherConfig(), location="San\nFrancisco", unit=unit)

    assert (
        result.content == f"San Francisco: {degrees}, partly cloudy, wind 12 km/h (sample data, not the real weather)"
    )


@pytest.mark.parametrize("wrong", [{"base_url": "open-meteo"}, {"base_url": "ftp://x"}, {"timeout": 0}, {"url": "x"}])
def test_a_wrong_configuration_is_refused_when_it_is_made(wrong: dict[str, object]) -> None:
    """Not at the first question."""
    with pytest.raises(ValidationError):
        WeatherConfig.model_validate(wrong)


async def test_an_answer_that_is_too_long_is_not_read(service: Service) -> None:
    """One megabyte is read of what never ends."""

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while True:
            await response.write(b" " * 65_536)

    service.handlers["/v1/search"] = endless

    assert "an answer that is too long" in (await service.ask(location="Portland")).content


async def test_only_redirects_to_the_same_server_are_followed(service: Service) -> None:
    """A service that moved a path is followed; one that leads elsewhere is refused, and nobody there is asked."""
    other = Service()
    app = web.Application()
    app.router.add_get("/{path:.*}", other.answer)

    async def move(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/moved" if request.query["name"] == "Portland" else other.url)

    async def moved(request: web.Request) -> web.StreamResponse:
        return web.json_response({"results": PLACES})

    service.handlers |= {"/v1/search": move, "/moved": moved}
    async with TestServer(app, host="127.0.0.1") as server:
        other.url = str(server.make_url("/"))
        here, elsewhere = await service.ask(location="Portland"), await service.ask(location="Rome")

    assert here.ok
    assert "refused with status 302" in elsewhere.content
    assert other.queries == []
