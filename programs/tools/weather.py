"""The weather tool: a place looked up by name, then its weather now and today, from Open-Meteo."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationError
from yarl import URL

from llmgine.errors import ToolError
from llmgine.tools.tool import Tool
from programs.guarded_http import GuardedHttp, UnwantedAnswerError

Unit = Literal["celsius", "fahrenheit"]
Location = Annotated[str, Field(min_length=1, max_length=100)]

PUBLIC_FORECAST = "https://api.open-meteo.com"
PUBLIC_GEOCODING = "https://geocoding-api.open-meteo.com"

_MOST = 2**20  # bytes that are read of an answer
_TYPES = ("application/json",)

# WMO weather codes, table 4677, as far as Open-Meteo uses them.
_SKY = {
    0: "clear sky",
    1: "mainly clear",
    2: "partly cloudy",
    3: "overcast",
    45: "fog",
    48: "freezing fog",
    51: "light drizzle",
    53: "drizzle",
    55: "dense drizzle",
    56: "light freezing drizzle",
    57: "freezing drizzle",
    61: "light rain",
    63: "rain",
    65: "heavy rain",
    66: "light freezing rain",
    67: "heavy freezing rain",
    71: "light snow",
    73: "snow",
    75: "heavy snow",
    77: "snow grains",
    80: "light rain showers",
    81: "rain showers",
    82: "violent rain showers",
    85: "snow showers",
    86: "heavy snow showers",
    95: "thunderstorm",
    96: "thunderstorm with hail",
    99: "thunderstorm with heavy hail",
}


class WeatherConfig(BaseModel):
    """Where the weather comes from.

    Attributes:
        base_url: The forecast service, https://api.open-meteo.com or one of the same interface. None asks nobody
            and answers with sample data, which the answer says.
        geocoding_url: The service that knows places. None takes the one that belongs to `base_url`: Open-Meteo's
            own for its public address, else the same server.
        timeout: Seconds each of the two requests may take.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: HttpUrl | None = None
    geocoding_url: HttpUrl | None = None
    timeout: float = Field(default=10.0, gt=0)


class _Place(BaseModel):
    name: str
    latitude: float
    longitude: float
    country: str = ""
    admin1: str = ""
    admin2: str = ""

    @property
    def full_name(self) -> str:
        return ", ".join(part for part in (self.name, self.admin1, self.country) if part)


class _Places(BaseModel):
    results: list[_Place] = []


class _Now(BaseModel):
    temperature_2m: float
    apparent_temperature: float
    relative_humidity_2m: float
    weather_code: int
    wind_speed_10m: float


class _Today(BaseModel):
    temperature_2m_max: list[float]
    temperature_2m_min: list[float]
    precipitation_probability_max: list[float | None]


class _Forecast(BaseModel):
    current: _Now
    daily: _Today


class _Refusal(BaseModel):
    reason: str


Answer = TypeVar("Answer", bound=BaseModel)


class _Service:
    """Asks weather services."""

    def __init__(self, http: GuardedHttp, timeout: float) -> None:
        self._http = http
        self._timeout = timeout

    async def ask(self, url: URL, query: Mapping[str, str | float], kind: type[Answer]) -> Answer:
        """Make one request.

        Raises:
            ToolError: The service cannot be reached, is slow, refuses, or answers with something else.
        """
        try:
            answer = await self._http.fetch(
                url, most=_MOST, seconds=self._timeout, params=query, types=_TYPES, redirects="same host"
            )
        except TimeoutError as exc:
            raise ToolError(f"the weather service at {url.host} did not answer in time: try again later") from exc
        except UnwantedAnswerError as exc:
            raise ToolError(f"the weather service at {url.host} gave an answer that is not weather data") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise ToolError(f"the weather service at {url.host} cannot be reached: try again later") from exc
        if answer.status != 200:
            raise ToolError(
                f"the weather service at {url.host} refused with status {answer.status}{_reason(answer.body)}"
            )
        if answer.cut:
            raise ToolError(f"the weather service at {url.host} gave an answer that is too long")
        try:
            return kind.model_validate_json(answer.body)
        except ValidationError as exc:
            raise ToolError(f"the weather service at {url.host} gave an answer that is not weather data") from exc


def weather_tool(config: WeatherConfig) -> Tool:
    """The tool `get_weather`, asking the services of `config`."""
    forecasts = URL(str(config.base_url)) if config.base_url else None
    places = URL(str(config.geocoding_url)) if config.geocoding_url else None
    if places is None and forecasts == URL(PUBLIC_FORECAST):
        places = URL(PUBLIC_GEOCODING)

    configured = {url for url in (forecasts, places) if url is not None} - {URL(PUBLIC_FORECAST), URL(PUBLIC_GEOCODING)}
    service = _Service(GuardedHttp(allow=configured), config.timeout)

    async def get_weather(location: Location, unit: Unit = "celsius") -> str:
        """Tell the present weather and today's range of temperatures at a place.

        Args:
            location: A city; where several have its name, with region or country written out, as in
                "Portland, Maine".
            unit: The unit of the temperatures.
        """
        if forecasts is None:
            return _sample(location, unit)
        place = await _find(service, places or forecasts, location)
        return _report(place, await _forecast(service, forecasts, place, unit), unit)

    # Both requests may take their time: then it is their error that tells which service is slow.
    return Tool.from_function(get_weather, idempotent=True, reads_outside=True, timeout=2 * config.timeout + 5)


async def _find(service: _Service, base: URL, location: str) -> _Place:
    """The place meant by "city" or "city, region or country"; of several, the first the service names.

    Raises:
        ToolError: There is no such place.
    """
    city, *hints = [part.strip() for part in location.split(",")]
    query: dict[str, str | float] = {"name": city, "count": 10, "language": "en", "format": "json"}
    places = (await service.ask(base / "v1" / "search", query, _Places)).results
    if not places:
        raise ToolError(f"no place called {city!r} is known: check the spelling, or name the nearest larger town")
    wanted = {hint.casefold() for hint in hints}
    fitting = (p for p in places if wanted & {p.admin1.casefold(), p.admin2.casefold(), p.country.casefold()})
    return next(fitting, places[0])


async def _forecast(service: _Service, base: URL, place: _Place, unit: Unit) -> _Forecast:
    query: dict[str, str | float] = {
        "latitude": place.latitude,
        "longitude": place.longitude,
        "current": ",".join(_Now.model_fields),
        "daily": ",".join(_Today.model_fields),
        "temperature_unit": unit,
        "timezone": "auto",
        "forecast_days": 1,
    }
    return await service.ask(base / "v1" / "forecast", query, _Forecast)


def _reason(body: bytes) -> str:
    """What the service says of its refusal, when it says it in its own form."""
    try:
        return f": {_Refusal.model_validate_json(body).reason[:200]}"
    except ValidationError:
        return ""


def _report(place: _Place, forecast: _Forecast, unit: Unit) -> str:
    now, today, degrees = forecast.current, forecast.daily, "°C" if unit == "celsius" else "°F"
    parts = [
        f"{place.full_name}: {now.temperature_2m:g} {degrees}, {_SKY.get(now.weather_code, 'unknown sky')}",
        f"feels like {now.apparent_temperature:g} {degrees}",
        f"humidity {now.relative_humidity_2m:g} %",
        f"wind {now.wind_speed_10m:g} km/h",
    ]
    if today.temperature_2m_min and today.temperature_2m_max:
        parts.append(f"today {today.temperature_2m_min[0]:g} to {today.temperature_2m_max[0]:g} {degrees}")
    if today.precipitation_probability_max and today.precipitation_probability_max[0] is not None:
        parts.append(f"chance of rain {today.precipitation_probability_max[0]:g} %")
    return ", ".join(parts)


def _sample(location: str, unit: Unit) -> str:
    degrees = "18 °C" if unit == "celsius" else "64 °F"
    place = " ".join(location.split())
    return f"{place}: {degrees}, partly cloudy, wind 12 km/h (sample data, not the real weather)"
