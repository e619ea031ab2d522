"""Two bots on one PostgreSQL database: one goes on for the other, and who was taken for dead is silent."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from llmgine.errors import LeaseLostError
from llmgine.sessions import open_store
from programs.playground.server import Playground
from tests.chat_completions import ChatCompletionsServer
from tests.processes import ending
from tests.programs.discord.process import ended, launch, running
from tests.programs.discord.scene import Scene, body_of
from tests.waiting import computing, patience

BOT = "programs.discord.bot"
SECONDS = 3.0  # of the leases: two programs that are just starting have to renew them in time


@pytest.fixture
def outside(playground: Playground, model: ChatCompletionsServer, tmp_path: Path) -> Scene:
    """A scene whose bots are processes of their own."""
    return Scene(playground, model, tmp_path)


def settings(scene: Scene, url: str, name: str) -> dict[str, Any]:
    """What leads a bot to the scene and the database; each is as on a machine of its own, with locks of its own."""
    locks = scene.folder / name
    locks.mkdir()
    return {
        "DISCORD_TOKEN": scene.playground.token,
        "DISCORD_API_BASE": scene.playground.api_base,
        "DISCORD_GATEWAY_URL": scene.playground.gateway_url,
        "OPENAI_BASE_URL": scene.model.base_url,
        "DATABASE_URL": url,
        "LEASE_SECONDS": SECONDS,
        "LOG_DIR": locks,
        "TMPDIR": locks,
    }


async def test_another_bot_goes_on(outside: Scene, postgres_url: str) -> None:
    """The one that answers is killed in the middle: the other ends the answer, in the same message, and once."""
    never = asyncio.Event()
    outside.model.hold(never, before="I was about to ")
    async with running(BOT, folder=outside.folder, **settings(outside, postgres_url, "first")) as first:
        await outside.until(lambda: outside.playground.state.bot_online)
        outside.ask("tell me")
        half = (await outside.until(outside.shown))[0]
        async with running(BOT, folder=outside.folder, **settings(outside, postgres_url, "second")) as second:
            assert second.stderr is not None
            async with patience("the second bot to be in", computing(second.pid)):
                said = b""
                while b"Logged in" not in said:
                    line = await second.stderr.readline()
                    assert line, f"the second bot ended: {said.decode()}"
                    said += line
            outside.model.reply("I was about to say this.")
            first.kill()
            await first.wait()
            never.set()
            [outcome] = await outside.until(outside.outcomes)

    assert outcome.id == half.id
    assert body_of(outcome.content) == "I was about to say this."
    assert len(outside.shown()) == 1


async def test_a_bot_that_was_taken_for_dead(outside: Scene, postgres_url: str) -> None:
    """It makes no request to Discord any more, and ends with a sentence that says why."""
    late = asyncio.Event()
    outside.model.hold(late, before="I was about to ")
    process = await launch(BOT, folder=outside.folder, **settings(outside, postgres_url, "first"))
    async with ending(process):
        await outside.until(lambda: outside.playground.state.bot_online)
        outside.ask("tell me")
        await outside.until(outside.shown)
        other = await open_store(postgres_url, lease_seconds=SECONDS)
        process.send_signal(signal.SIGSTOP)
        await other.owners.death()
        requests = len(outside.playground.requests)
        late.set()
        process.send_signal(signal.SIGCONT)

        end = await ended(process)
        await other.close()

    assert end.code == 1
    assert [line for line in end.err.splitlines() if line.startswith("error: ")] == [f"error: {LeaseLostError()}"]
    assert "Traceback" not in end.err
    assert list(outside.playground.requests)[requests:] == []
    assert outside.outcomes() == []
