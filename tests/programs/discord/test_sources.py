"""The sources of an answer, listed under it: links that show where they lead, without previews."""

import json

import pytest

from llmgine.messages.chat_messages import Source
from llmgine.tools.files import ToolOutput
from programs.discord.delivery.sources import sources
from programs.discord.translation import language_of
from programs.export import as_markdown
from programs.playground.entities import GENERAL_ID
from tests.programs.discord.scene import Scene
from tests.programs.tools.search_servers import SearchServer, search_server

__all__ = ["search_server"]

ENGLISH = language_of("en-US")


async def search() -> ToolOutput:
    """Search."""
    found = [Source(title=f"Page {number}", url=f"https://example.com/{number}") for number in range(8)]
    return ToolOutput("found", sources=found)


async def long_addresses() -> ToolOutput:
    """Find pages with long addresses."""
    found = [Source(title="", url=f"https://example.com/{number}{'a' * 450}") for number in range(8)]
    return ToolOutput("found", sources=found)


async def read() -> ToolOutput:
    """Read the last page that was found."""
    return ToolOutput("read", sources=[Source(title="The last one", url="https://example.com/7")])


async def nothing() -> str:
    """Read nothing."""
    return "nothing"


async def answer(scene: Scene, *tools: str) -> str:
    """The last message of an answer after these tools, in turn."""
    for tool in tools:
        scene.model.reply(tool_calls=[(tool, "{}")])
    scene.model.reply("It is so.")
    scene.ask("is it so?")
    return (await scene.outcome()).content


async def test_they_are_listed_under_the_answer(unstarted: Scene) -> None:
    """What was read comes before what was only found; at most five are named, and previews are off."""
    scene = await unstarted.start(tools=(search, read))

    lines = (await answer(scene, "search", "read")).splitlines()

    assert lines[:7] == [
        "It is so.",
        "-# 🔗 Sources:",
        "-# The last one <https://example.com/7>",
        *(f"-# Page {number} <https://example.com/{number}>" for number in range(4)),
    ]
    assert lines[7] == "-# and 3 more"
    assert lines[8].startswith("-# test-model")


async def test_without_sources_nothing_is_listed(unstarted: Scene) -> None:
    """An answer from other tools is as before."""
    scene = await unstarted.start(tools=(nothing,))

    assert "🔗" not in await answer(scene, "nothing")


async def test_after_a_restart_they_are_there(unstarted: Scene) -> None:
    """They are stored with the result, and exports name them."""
    scene = await unstarted.start(tools=(search,))
    await answer(scene, "search")
    await scene.restart()

    [turn] = await scene.app.store.turns.history(f"discord:{GENERAL_ID}")

    assert [one.url for one in turn.state.sources] == [f"https://example.com/{number}" for number in range(8)]
    assert "  - source: Page 7 <https://example.com/7>" in await as_markdown(scene.app.store, f"discord:{GENERAL_ID}")


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("https://bank.example/login", ""),
        ("[Bank](https://bank.example)", ""),
        ("@everyone **look** `here`", "\\@everyone \\*\\*look\\*\\* ˋhereˋ "),
        ("a\n-# forged\u202e", "a \\-# forged "),
        ("x" * 200, "x" * 79 + "… "),
        ("discord.gg/abc <@1>", "discord\\.gg/abc ‹@1> "),
    ],
)
def test_a_title_is_no_more_than_text(title: str, shown: str) -> None:
    """It is no link, claims to be no other address, pings nobody and forges no small print."""
    lines = sources([Source(title=title, url="https://evil.example/")], ENGLISH).splitlines()

    assert lines[1:] == [f"-# {shown}<https://evil.example/>"]


async def test_below_a_long_answer_they_have_room(unstarted: Scene) -> None:
    """Where they do not fit under the text they are a message of their own, which Discord takes."""
    scene = await unstarted.start(tools=(long_addresses,))
    scene.model.reply(tool_calls=[("long_addresses", "{}")])
    scene.model.reply("word " * 350)
    scene.ask("is it so?")
    await scene.outcome()

    *_, text, listed = [one.content for one in scene.shown() if one.content]
    assert text.startswith("word word")
    assert "🔗" not in text
    assert listed.startswith("-# 🔗 Sources:\n-# <https://example.com/0")
    assert "\n-# and 6 more\n-# test-model" in listed
    assert len(listed) <= 2_000


def test_an_address_ends_no_emphasis() -> None:
    """What Discord could take for the end of one is percent-encoded; other underscores stay as people know them."""
    [_, line] = sources([Source(title="", url="https://example.com/a_b__c_/~ada")], ENGLISH).splitlines()

    assert line == "-# <https://example.com/a_b%5F%5Fc%5F/%7Eada>"


def test_in_the_language_of_the_answer() -> None:
    """The words around the links are translated."""
    found = [Source(title=str(number), url=f"https://example.com/{number}") for number in range(6)]

    lines = sources(found, language_of("de")).splitlines()

    assert (lines[0], lines[-1]) == ("-# 🔗 Quellen:", "-# und 1 weitere")


async def test_a_page_by_settings(unstarted: Scene, search_server: SearchServer) -> None:
    """With one setting the tool is there, and it reads no page of this machine."""
    scene = await unstarted.start(web_fetch=True)
    scene.model.reply(tool_calls=[("fetch_url", json.dumps({"url": search_server.url}))])
    scene.model.reply("I can't read that.")
    scene.ask("what is there?")

    assert "🔗" not in (await scene.outcome()).content
    [turn] = await scene.app.store.turns.history(f"discord:{GENERAL_ID}")
    [call] = turn.state.calls.values()
    assert call.result is not None
    assert "only public addresses" in call.result.content


async def test_a_search_by_settings(unstarted: Scene, search_server: SearchServer) -> None:
    """From two settings to links under an answer: the real tool, a real request, the real bot."""
    scene = await unstarted.start(web_search="searxng", searxng_url=search_server.url)
    scene.model.reply(tool_calls=[("web_search", json.dumps({"query": "frost in may", "count": 1}))])
    scene.model.reply("There was frost.")
    scene.ask("was there frost?")

    content = (await scene.outcome()).content

    assert "-# Frost in May <https://valley.example/frost>" in content.splitlines()
    assert search_server.queries == ["frost in may"]
