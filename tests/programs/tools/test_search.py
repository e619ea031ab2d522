"""Searching the web: one tool, and a real request to each of three services as they document them."""

import json
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from llmgine.errors import ConfigurationError
from llmgine.messages.chat_messages import Source, ToolCall, ToolResult
from llmgine.tools.tool_manager import ToolManager
from programs.application import Application
from programs.settings import ProgramConfig, ProgramSettings
from programs.tools.search import SearchConfig, search_tool
from tests.programs.tools.search_servers import KEY, SearchServer, search_server
from tests.waiting import patience

__all__ = ["search_server"]

SERVICES = ("searxng", "brave", "tavily")


async def ask(server: SearchServer, service: str, key: str = KEY, **arguments: Any) -> ToolResult:
    config = SearchConfig.model_validate({"service": service, "url": server.url, "key": SecretStr(key)})
    manager = ToolManager([search_tool(config)])
    async with patience("what was found"):
        return await manager.run(ToolCall(name="web_search", arguments=json.dumps({"query": "frost"} | arguments)))


@pytest.mark.parametrize("service", SERVICES)
async def test_what_was_found_is_told_with_its_sources(search_server: SearchServer, service: str) -> None:
    """Numbered, with addresses and excerpts in plain text; only pages of the web; hosts of sources in ASCII."""
    result = await ask(search_server, service)

    assert result.ok
    assert result.outside
    assert result.content == (
        "1. Frost in May\nhttps://valley.example/frost\nThe apple trees were in full bloom.\n\n"
        "2. Tom & Jerry\nhttps://bücher.example/tom\nA cat & a mouse.\n\n"
        "3. Third\nhttps://third.example/\nMore of it."
    )
    assert result.sources == (
        Source(title="Frost in May", url="https://valley.example/frost"),
        Source(title="Tom & Jerry", url="https://xn--bcher-kva.example/tom"),
        Source(title="Third", url="https://third.example/"),
    )
    assert search_server.queries == ["frost"]


@pytest.mark.parametrize("service", SERVICES)
async def test_no_more_are_told_than_asked_for(search_server: SearchServer, service: str) -> None:
    """Also by SearXNG, which cannot be told how many."""
    assert len((await ask(search_server, service, count=2)).sources) == 2


@pytest.mark.parametrize("service", SERVICES)
async def test_nothing_found_is_said(search_server: SearchServer, service: str) -> None:
    """The model can try other words."""
    search_server.pages = []

    result = await ask(search_server, service)

    assert (result.ok, "nothing was found" in result.content) == (False, True)


@pytest.mark.parametrize(
    ("service", "status", "words"),
    [
        ("brave", 401, "does not know the key"),
        ("tavily", 401, "does not know the key"),
        ("brave", 429, "asked too often"),
        ("tavily", 432, "is used up"),
        ("searxng", 429, "asked too often"),
        ("searxng", 500, "try again later"),
    ],
)
async def test_a_refusal_is_told(search_server: SearchServer, service: str, status: int, words: str) -> None:
    """With its status and what it means; never with the key."""
    search_server.failure = status

    result = await ask(search_server, service)

    assert not result.ok
    assert f"status {status}" in result.content
    assert words in result.content
    assert KEY not in result.content


@pytest.mark.parametrize(("service", "status"), [("brave", 422), ("tavily", 401)])
async def test_a_wrong_key_is_told(search_server: SearchServer, service: str, status: int) -> None:
    """As the service itself refuses it."""
    assert f"status {status}" in (await ask(search_server, service, key="another")).content


async def test_a_searxng_without_json_is_told(search_server: SearchServer) -> None:
    """It is so by default; the text names the setting."""
    search_server.formats = {"html"}

    assert "do not list json under search: formats" in (await ask(search_server, "searxng")).content


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "body", ["<html>", "[]", '{"results": 1, "web": 1}', '{"results": [{}], "web": {"results": [{}]}}']
)
async def test_an_answer_of_another_form_is_told(search_server: SearchServer, service: str, body: str) -> None:
    """Whatever a service sends is an error for the model."""
    search_server.body = body

    result = await ask(search_server, service)

    assert (result.ok, "no list of results" in result.content) == (False, True)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("bad", [{"title": None, "url": "https://bad.example/"}, {"title": "No address"}, "no page"])
async def test_a_result_that_cannot_be_read_is_left_out(search_server: SearchServer, service: str, bad: object) -> None:
    """The others are told; it takes no place among as many as were asked for."""
    found = {"results": [bad, {"title": "Good", "url": "https://good.example/"}]}
    search_server.body = json.dumps({**found, "web": found})

    result = await ask(search_server, service, count=1)

    assert [one.title for one in result.sources] == ["Good"]


@pytest.mark.parametrize("service", SERVICES)
async def test_the_key_goes_to_the_service_alone(search_server: SearchServer, service: str) -> None:
    """No redirect is followed."""
    search_server.redirect = "/elsewhere"

    result = await ask(search_server, service)

    assert "status 307" in result.content
    assert search_server.seen_elsewhere == []


@pytest.mark.parametrize("arguments", [{"query": ""}, {"query": "x" * 401}, {"count": 0}, {"count": 11}])
async def test_what_a_service_would_refuse_is_refused_before(
    search_server: SearchServer, arguments: dict[str, Any]
) -> None:
    """An empty or very long query, and more results than a chat needs."""
    assert not (await ask(search_server, "brave", **arguments)).ok
    assert search_server.queries == []


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"web_search": "searxng"}, "SEARXNG_URL"),
        ({"web_search": "searxng", "searxng_url": "search.example"}, "SEARXNG_URL"),
        ({"web_search": "brave", "tavily_api_key": "x"}, "BRAVE_API_KEY"),
        ({"web_search": "tavily", "brave_api_key": "x"}, "TAVILY_API_KEY"),
    ],
)
async def test_what_is_missing_is_named_at_the_start(settings: dict[str, Any], name: str) -> None:
    """One sentence with the name of the setting."""
    program = ProgramSettings(_env_file=None, database_url="sqlite:///:memory:", **settings)

    with pytest.raises(ConfigurationError, match=f"^{name}: "):
        await Application(ProgramConfig(settings=program)).startup()


def test_another_service_is_refused() -> None:
    """There are three."""
    with pytest.raises(ValidationError):
        ProgramSettings(_env_file=None, web_search="bing")
