"""The server of the page: what it tells, and whom it lets in."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from programs.logs.serve import LogPage
from tests.programs.logs.story import Story, Turn
from tests.waiting import patience

HOSTILE = '</script><img src=x onerror="alert(1)">\ud800\x1b[2J'


@pytest.fixture
async def served(story: Story) -> AsyncIterator[LogPage]:
    async with LogPage(story.path).served() as page:
        yield page


@pytest.fixture
async def web() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def told(web: aiohttp.ClientSession, served: LogPage, *, turns: int, done: int = 0) -> dict[str, Any]:
    """What the page is told once so many turns are there, and so many of them done: it may look between two lines."""
    async with patience("so many turns on the page"):
        while True:
            seen = served.log.revision
            async with web.get(f"{served.url}api/turns") as answer:
                data: dict[str, Any] = await answer.json()
            if len(data["turns"]) == turns and [turn["state"] for turn in data["turns"]].count("done") >= done:
                return data
            await served.log.change(seen, 10)


async def told_turn(
    web: aiohttp.ClientSession, served: LogPage, turn_id: str, *, spans: int, ended: int = 0
) -> dict[str, Any]:
    """What the page is told of one turn once it has so many spans, so many ended: it may look between two lines."""
    async with patience("so many spans of the turn"):
        while True:
            seen = served.log.revision
            async with web.get(f"{served.url}api/turns/{turn_id}") as answer:
                if answer.ok:
                    turn: dict[str, Any] = await answer.json()
                    lengths = [span["seconds"] for span in turn["spans"]]
                    if len(lengths) >= spans and len(lengths) - lengths.count(None) >= ended:
                        return turn
            await served.log.change(seen, 10)


async def test_recent_turns_are_told(story: Story, served: LogPage, web: aiohttp.ClientSession) -> None:
    """Newest first, with what the list and the plots show."""
    for number in range(3):
        turn = Turn(story, f"t{number}", f"Question {number}")
        turn.reply()
        turn.finish()

    data = await told(web, served, turns=3, done=3)

    assert data["log"] == str(story.path)
    assert [turn["id"] for turn in data["turns"]] == ["t2", "t1", "t0"]
    first = data["turns"][0]
    assert (first["prompt"], first["state"], first["seconds"]) == ("Question 2", "done", 2.0)
    assert (first["first_token"], first["input_tokens"], first["cached_tokens"]) == (0.25, 100, 40)


async def test_a_turn_is_told_with_its_spans(story: Story, served: LogPage, web: aiohttp.ClientSession) -> None:
    """Seconds count from the beginning of the prompt; what runs has no length yet."""
    Turn(story, "t1").reply(seconds=2.0)

    turn = await told_turn(web, served, "t1", spans=5, ended=2)

    spans = {span["kind"]: span for span in turn["spans"]}
    assert [span["kind"] for span in turn["spans"]] == ["prompt", "event", "turn", "round", "model"]
    assert [span["depth"] for span in turn["spans"]] == [0, 1, 1, 2, 3]
    assert spans["model"]["start"] == pytest.approx(0.004)
    assert spans["model"]["seconds"] == pytest.approx(2.001)
    assert spans["turn"]["seconds"] is None


async def test_an_unknown_turn_is_said(served: LogPage, web: aiohttp.ClientSession) -> None:
    """With where to look for it."""
    async with web.get(f"{served.url}api/turns/nothing") as answer:
        assert answer.status == 404
        assert "See it with `trace` in a terminal" in await answer.text()


async def test_changes_are_told_as_they_come(story: Story, served: LogPage, web: aiohttp.ClientSession) -> None:
    """The stream says where things stand at once, and again when the log grew."""
    async with web.get(f"{served.url}api/changes") as stream, patience("a change to be told"):
        first = await stream.content.readline()
        await stream.content.readline()
        Turn(story, "t1")
        second = await stream.content.readline()

    assert int(second.removeprefix(b"data: ")) > int(first.removeprefix(b"data: "))


async def test_long_texts_are_cut(story: Story, served: LogPage, web: aiohttp.ClientSession) -> None:
    """A turn of megabytes does not become a page of megabytes."""
    turn = Turn(story, "t1", "x" * 1_000_000)
    turn.reply("y" * 1_000_000)
    await told(web, served, turns=1)

    for path in ("api/turns", "api/turns/t1"):
        async with web.get(served.url + path) as answer:
            assert len(await answer.read()) < 30_000


async def test_any_text_is_json(story: Story, served: LogPage, web: aiohttp.ClientSession) -> None:
    """What stands in the log arrives as text, half characters too."""
    with story.path.open("ab") as file:
        for kind in ("TurnStartedEvent", "LLMResponseEvent"):
            text = json.dumps(HOSTILE)
            file.write(f'{{"v":1,"type":"{kind}","turn_id":"t","model":{text},"seconds":NaN}}\n'.encode())

    (turn,) = (await told(web, served, turns=1))["turns"]

    assert turn["model"] == HOSTILE


async def test_a_log_that_cannot_be_read_is_said_once(
    tmp_path: Path, web: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    """The page goes on, and shows the log once it can be read."""
    (tmp_path / "events.jsonl").mkdir()
    async with LogPage(tmp_path / "events.jsonl").served() as served, patience("the log to be shown"):
        while not caplog.records:  # noqa: ASYNC110  a log tells nobody when it grows
            await asyncio.sleep(0.01)
        (tmp_path / "events.jsonl").rmdir()
        story = Story(tmp_path)
        Turn(story, "t1")
        await told(web, served, turns=1)
        story.close()

    assert len(caplog.records) == 1
    assert "cannot be read" in caplog.records[0].getMessage()


PATHS = ["", "page/app.js", "page/style.css", "api/turns", "api/turns/t1", "api/changes", "nothing"]


@pytest.mark.parametrize("path", PATHS)
async def test_only_this_machines_own_page_gets_in(served: LogPage, web: aiohttp.ClientSession, path: str) -> None:
    """A foreign name that leads here, and a foreign page, are refused."""
    own = f"127.0.0.1:{served.port}"
    for headers in ({"Host": f"evil.test:{served.port}"}, {"Host": own, "Origin": "https://evil.test"}):
        async with web.get(served.url + path, headers=headers) as answer:
            assert answer.status == 403


@pytest.mark.parametrize("path", PATHS)
async def test_the_page_runs_nothing_foreign(served: LogPage, web: aiohttp.ClientSession, path: str) -> None:
    """Every answer, refusals too, is served under a strict policy, and never kept."""
    async with web.get(served.url + path) as answer:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("name", ["..%2Fserve.py", "%2e%2e%2fserve.py", ".hidden.js", "nothing.js", "%00"])
async def test_only_the_pages_own_files_are_served(served: LogPage, web: aiohttp.ClientSession, name: str) -> None:
    """No name leads out of the page's folder."""
    async with web.get(f"{served.url}page/{name}") as answer:
        assert answer.status == 404


async def test_it_can_only_be_read(served: LogPage, web: aiohttp.ClientSession) -> None:
    """Nothing can be changed from a page."""
    for path in PATHS[:-1]:
        async with web.post(served.url + path) as answer:
            assert answer.status == 405
