"""The sources of an answer in the terminal: a line for each, with the whole address."""

import io
import json
import os
from pathlib import Path

from llmgine.messages.chat_messages import Source
from programs.application import Application
from programs.settings import ProgramConfig
from programs.terminal.chat import Chat
from programs.terminal.current_session import CurrentSession
from programs.terminal.lines import PlainLines
from programs.terminal.plain_view import PlainView
from programs.terminal.terminal_text import sources_lines
from tests.chat_completions import ChatCompletionsServer
from tests.programs.terminal.test_chat import config
from tests.programs.tools.search_servers import SearchServer, search_server

__all__ = ["search_server"]


async def test_they_are_named_after_the_answer(
    tmp_path: Path, model: ChatCompletionsServer, search_server: SearchServer
) -> None:
    """On the standard error with the other notes, so that a pipe gets the answer alone."""
    settings = config(tmp_path, model).settings.model_copy(
        update={"web_search": "searxng", "searxng_url": search_server.url}
    )
    model.reply(tool_calls=[("web_search", json.dumps({"query": "frost", "count": 2}))])
    model.reply("There was frost.")
    out, errors, session = io.StringIO(), io.StringIO(), CurrentSession()
    session.begin(None)
    async with Application(ProgramConfig(settings=settings)) as app:
        lines = PlainLines(os.open(os.devnull, os.O_RDONLY), io.StringIO())
        chat = Chat(app, session, view=PlainView(out, errors), lines=lines, interactive=False)
        assert await chat.run("was there frost?") == 0

    assert out.getvalue() == "There was frost.\n"
    assert [line for line in errors.getvalue().splitlines() if line.startswith("note: Source")] == [
        "note: Source: Frost in May https://valley.example/frost",
        "note: Source: Tom & Jerry https://xn--bcher-kva.example/tom",
    ]


def test_no_more_than_five_are_named() -> None:
    """The others are counted. A title is one line without escape sequences, and none that looks like an address."""
    found = [Source(title=f"\x1b[31mPage\n{number}", url=f"https://example.com/{number}") for number in range(7)]
    found[2] = Source(title="https://bank.example/", url="https://example.com/2")

    assert sources_lines(found) == [
        "Source: Page 0 https://example.com/0",
        "Source: Page 1 https://example.com/1",
        "Source: https://example.com/2",
        "Source: Page 3 https://example.com/3",
        "Source: Page 4 https://example.com/4",
        "Sources: 2 more",
    ]
