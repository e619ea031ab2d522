"""Health checks and metrics of the bot as a process, and what they say when something does not work."""

import asyncio
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from programs.application import Application
from programs.discord import health_server
from programs.discord.connection_status import ConnectionPhase, ConnectionStatus
from programs.discord.health_server import Health
from programs.exit_codes import ExitCode
from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GUILD_ID
from programs.playground.server import Playground
from programs.settings import ProgramConfig, ProgramSettings
from programs.web.listening import listening
from tests.chat_completions import ChatCompletionsServer
from tests.programs.discord.process import ended, launch, running
from tests.programs.discord.scene import ROOMY, Scene
from tests.programs.discord.test_process import assert_one_sentence, of
from tests.waiting import eventually

BOT = "programs.discord.bot"
HEALTH = "programs.discord.health"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


async def got(port: int, path: str, **headers: str) -> tuple[int, str]:
    """The status and the text of an answer; status 0 while nothing listens."""
    try:
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{port}{path}", headers=headers) as answer,
        ):
            return answer.status, await answer.text()
    except aiohttp.ClientConnectionError:
        return 0, ""


async def until(port: int, path: str, status: int, words: str) -> None:
    """Wait for an answer."""

    async def found() -> bool:
        answer = await got(port, path)
        return answer[0] == status and words in answer[1]

    await eventually(found, f"{status} and {words!r} at {path}")


@pytest.fixture
async def outside(playground: Playground, model: ChatCompletionsServer, tmp_path: Path) -> Scene:
    """A scene whose bot is another process."""
    return Scene(playground, model, tmp_path)


async def test_a_bot_that_works_says_so(outside: Scene) -> None:
    """The command ends with 0 for a bot that works and is connected, and prints its sentences; another one gets 1.

    It asks at this machine where the bot listens at all addresses, and no proxy of the environment.
    """
    port = free_port()
    settings = of(outside.playground, outside.model) | {"HEALTH_PORT": str(port), "HEALTH_HOST": "0.0.0.0"}  # noqa: S104
    async with running(BOT, folder=outside.folder, **settings):
        await until(port, "/readyz", 200, "connected")

        proxy = {"http_proxy": "http://127.0.0.1:9"}
        works = await ended(await launch(HEALTH, "--ready", folder=outside.folder, **settings, **proxy))
        other = await ended(await launch(HEALTH, folder=outside.folder, HEALTH_PORT=free_port()))

    assert (works.code, works.err) == (ExitCode.STOPPED, "")
    assert works.out.splitlines() == ["The process and its database work.", ConnectionPhase.READY.value]
    assert other.code == ExitCode.FAULT
    assert other.out.startswith("No bot answers at 127.0.0.1:")


async def test_a_bot_that_waits_for_discord_is_healthy(tmp_path: Path) -> None:
    """While Discord takes the connection and says nothing, the bot is not ready, and a restart would not help."""
    writers: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
    address = f"127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    port = free_port()
    settings = {
        "DISCORD_TOKEN": "t",
        "DISCORD_API_BASE": f"http://{address}/api/v10",
        "DISCORD_GATEWAY_URL": f"ws://{address}/",
        "HEALTH_PORT": port,
    }
    async with running(BOT, folder=tmp_path, **settings) as process:
        await until(port, "/healthz", 200, "work")

        assert await got(port, "/readyz") == (503, f"{ConnectionPhase.CONNECTING.value}\n")
        process.send_signal(signal.SIGTERM)
        end = await ended(process)
    silent.close()
    for writer in writers:
        writer.close()
    await silent.wait_closed()

    assert end.code == ExitCode.STOPPED


async def test_a_lost_connection_is_not_ready_and_healthy(model: ChatCompletionsServer, tmp_path: Path) -> None:
    """Discord is gone and comes back: not ready meanwhile, ready again after it, healthy all the time."""
    port, playground = free_port(), Playground(rules=ROOMY)
    await playground.start()
    async with running(BOT, folder=tmp_path, HEALTH_PORT=port, **of(playground, model)):
        await until(port, "/readyz", 200, "connected")
        await playground.stop()
        await until(port, "/readyz", 503, "lost")
        assert (await got(port, "/healthz"))[0] == 200

        async with Playground(rules=ROOMY, port=playground.port, token=playground.token):
            await until(port, "/readyz", 200, "connected")


async def test_a_bot_that_shuts_down_is_not_ready(outside: Scene) -> None:
    """While running answers get their time it takes no new ones, so it is not ready; it is healthy until it ends."""
    never = asyncio.Event()
    outside.model.hold(never, before="I was about to ")
    port = free_port()
    settings = of(outside.playground, outside.model) | {"SHUTDOWN_GRACE": "60", "HEALTH_PORT": str(port)}
    async with running(BOT, folder=outside.folder, **settings) as process:
        await until(port, "/readyz", 200, "connected")
        outside.ask("tell me")
        await outside.until(outside.shown)

        process.send_signal(signal.SIGTERM)

        await until(port, "/readyz", 503, "shutting down")
        assert (await got(port, "/healthz"))[0] == 200
        never.set()
        end = await ended(process)
    assert end.code == ExitCode.STOPPED
    assert await got(port, "/healthz") == (0, "")


async def test_metrics_count_and_name_nobody(outside: Scene) -> None:
    """After an answer with a tool: turns, tokens, the tool, the states; and no id, no name and no word of anybody."""
    outside.model.reply(tool_calls=[("calculate", '{"expression": "24*7"}')])
    outside.model.reply("168, dear Ada.")
    port = free_port()
    settings = of(outside.playground, outside.model) | {"OPENAI_MODEL": "test-model", "HEALTH_PORT": str(port)}
    async with running(BOT, folder=outside.folder, **settings):
        await until(port, "/readyz", 200, "connected")
        outside.ask("What is 24*7, my friend?")
        await outside.until(outside.outcomes)
        await until(port, "/metrics", 200, 'llmgine_turns_total{outcome="done"} 1.0')
        await until(port, "/metrics", 200, "llmgine_discord_first_message_seconds_count 1.0")

        _, text = await got(port, "/metrics")

    assert 'llmgine_tool_duration_seconds_count{outcome="done",tool="calculate"} 1.0' in text
    assert 'llmgine_model_call_duration_seconds_count{model="test-model",outcome="done"} 2.0' in text
    assert 'llmgine_tokens_total{model="test-model",type="output"}' in text
    assert 'llmgine_discord_connection{state="ready"} 1.0' in text
    assert 'llmgine_discord_connection{state="lost"} 0.0' in text
    assert 'llmgine_turns_unfinished{state="queued"} 0.0' in text
    assert 'llmgine_build_info{version="' in text
    assert not re.search(rf"{GENERAL_ID}|{ADA_ID}|{BOT_ID}|{GUILD_ID}|Ada|friend|dear|general", text)


async def test_waiting_turns_are_counted(outside: Scene) -> None:
    """The turns without an outcome are counted by state, also those that an earlier process left."""
    never = asyncio.Event()
    outside.model.hold(never, before="I was about to ")
    port = free_port()
    settings = of(outside.playground, outside.model) | {"HEALTH_PORT": str(port)}
    async with running(BOT, folder=outside.folder, **settings) as process:
        await until(port, "/readyz", 200, "connected")
        outside.ask("tell me")
        await outside.until(outside.shown)
        outside.ask("and then?")
        await until(port, "/metrics", 200, 'llmgine_turns_unfinished{state="queued"} 1.0')
        process.kill()
        await process.wait()

    async with running(BOT, folder=outside.folder, **settings):
        await until(port, "/metrics", 200, 'llmgine_turns_unfinished{state="running"} 1.0')
        assert 'llmgine_turns_unfinished{state="queued"} 1.0' in (await got(port, "/metrics"))[1]


@pytest.mark.parametrize(("name", "value"), [("HEALTH_PORT", None), ("HEALTH_HOST", "192.0.2.1")])
async def test_an_address_that_cannot_be_used_is_one_sentence(tmp_path: Path, name: str, value: str | None) -> None:
    """A port that is taken, and an address of another machine, end the bot with a sentence that names the setting."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = {"HEALTH_PORT": taken.getsockname()[1], "HEALTH_HOST": "127.0.0.1", "PLAYGROUND_PORT": 0}
        end = await ended(await launch(BOT, folder=tmp_path, **settings | ({name: value} if value else {})))

    assert end.code == ExitCode.CONFIGURATION
    assert_one_sentence(end.err, name, "cannot listen on")


async def test_nothing_listens_unasked(tmp_path: Path) -> None:
    """Without HEALTH_PORT there is nothing to ask, and the command says which setting is missing."""
    end = await ended(await launch(HEALTH, folder=tmp_path))

    assert end.code == ExitCode.CONFIGURATION
    assert_one_sentence(end.err, "HEALTH_PORT is not set")


@asynccontextmanager
async def probed(folder: Path) -> AsyncIterator[tuple[Application, int]]:
    """An application without Discord, and the port at which its health is asked for."""
    settings = ProgramSettings(_env_file=None, database_url=f"sqlite:///{folder}/x.db", log_dir=folder / "logs")
    async with Application(ProgramConfig(settings=settings)) as app:
        health = Health(app, ConnectionStatus())
        with health.measuring():
            async with listening(health.application(), "127.0.0.1", 0) as port:
                yield app, port


async def test_a_store_that_fails_is_not_healthy(tmp_path: Path) -> None:
    """The answer is 503 with a sentence; the metrics are still there, without the number that the store knows."""
    async with probed(tmp_path) as (app, port):
        assert (await got(port, "/healthz"))[0] == 200
        await app.store.close()

        status, text = await got(port, "/healthz")

        assert (status, "The session store failed" in text) == (503, True)
        assert 'llmgine_turns_unfinished{state="queued"} NaN' in (await got(port, "/metrics"))[1]


async def test_a_store_that_hangs_is_not_healthy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks gets an answer in time, and the next one too."""
    monkeypatch.setattr(health_server, "PATIENCE", 0.05)
    never = asyncio.Event()

    @asynccontextmanager
    async def hanging(_operation: Any) -> AsyncIterator[None]:
        await never.wait()
        yield

    async with probed(tmp_path) as (app, port):
        undo = app.store.observe(hanging)

        for _ in range(2):
            status, text = await got(port, "/healthz")
            assert (status, "has not answered" in text) == (503, True)

        undo()
        assert (await got(port, "/healthz"))[0] == 200


async def test_without_the_extra_only_the_metrics_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer and the log name the command that installs it; health is answered all the same."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "llmgine.observability.prometheus", raising=False)
    caplog.set_level("INFO")
    async with probed(tmp_path) as (_, port):
        status, text = await got(port, "/metrics")

        assert (status, "uv sync --extra metrics" in text) == (501, True)
        assert (await got(port, "/healthz"))[0] == 200
    assert "uv sync --extra metrics" in caplog.text


async def test_openmetrics_is_spoken_to_who_asks_for_it(tmp_path: Path) -> None:
    """Prometheus gets the newer of its formats if it says so."""
    async with probed(tmp_path) as (_, port):
        plain = (await got(port, "/metrics"))[1]
        newer = (await got(port, "/metrics", Accept="application/openmetrics-text; version=1.0.0"))[1]

    assert newer.endswith("# EOF\n")
    assert not plain.endswith("# EOF\n")


def test_shutting_down_is_the_last_phase() -> None:
    """A connection that ends then was not lost, and a bot that never was connected lost none."""
    status = ConnectionStatus()
    seen = []
    for phase in (
        ConnectionPhase.LOST,
        ConnectionPhase.READY,
        ConnectionPhase.LOST,
        ConnectionPhase.READY,
        ConnectionPhase.STOPPING,
        ConnectionPhase.LOST,
        ConnectionPhase.READY,
    ):
        status.change(phase)
        seen.append(status.phase.name)

    assert seen == ["CONNECTING", "READY", "LOST", "READY", "STOPPING", "STOPPING", "STOPPING"]
