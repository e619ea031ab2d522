"""What a start that fails says of its cause."""

import asyncio
import re

import pytest

from programs.discord.bot import stay
from programs.discord.client import Bot
from programs.playground.entities import Json
from programs.playground.gateway_sessions import Session
from tests.programs.discord.scene import Scene
from tests.programs.discord.served import Joining, served

ME = "/users/@me"
ALWAYS = 100  # times


def staying(scene: Scene) -> Joining:
    """Join as the program does."""

    async def join(bot: Bot, _token: str, stop: asyncio.Event) -> None:
        await stay(lambda: bot, scene.settings, stop)

    return join


async def words_of(scene: Scene) -> str:
    """What the start says, which fails."""
    async with served(scene, by=staying(scene)) as bot:
        return await bot.failed()


@pytest.mark.parametrize("route", [ME, "/oauth2/applications/@me"])
@pytest.mark.parametrize(
    ("status", "words"),
    [(400, "refused"), (401, "DISCORD_TOKEN"), (403, "refused with 403"), (404, "404"), (503, "discordstatus.com")],
)
async def test_a_start_that_discord_refuses_names_its_answer(
    unstarted: Scene, status: int, words: str, route: str
) -> None:
    """When Discord answers the login with an error, that error is named, and not the network."""
    unstarted.playground.faults.plan("error", "GET", route, status=status, times=ALWAYS)

    said = await words_of(unstarted)

    assert words in said
    assert status == 401 or str(status) in said
    assert "network" not in said


async def test_a_page_that_is_not_discords_is_not_shown(unstarted: Scene) -> None:
    """A proxy or a firewall answers with a page; it is named as such."""
    unstarted.playground.faults.plan("html", "GET", ME, status=403, times=ALWAYS)

    said = await words_of(unstarted)

    assert "403" in said
    assert "proxy" in said
    assert "<" not in said


@pytest.mark.parametrize("effect", ["rate_limit", "html"])
async def test_a_limit_at_the_login_says_when_to_start_again(
    unstarted: Scene, effect: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Discord's own limit, and a block by Cloudflare: with the time that was named."""
    options = {"status": 429} if effect == "html" else {}
    unstarted.playground.faults.plan(effect, "GET", ME, retry_after=3600, times=ALWAYS, **options)  # type: ignore[arg-type]

    said = await words_of(unstarted)

    assert "429" in said
    assert "start again in 60 minutes" in said
    assert "network" not in said
    caplog.clear()  # the breaker logs a block as an error


@pytest.mark.parametrize(
    ("gateway", "words"),
    [
        ("ws://127.0.0.1:{port}/nowhere", "gateway answered with 404"),
        ("ws://127.0.0.1:9/", "cannot be reached"),
        ("wss://127.0.0.1:{port}/", "Cannot make a secure connection"),
        ("ws://nowhere.invalid/", "cannot be found"),
        ("nowhere", "is not an address"),
    ],
)
async def test_a_gateway_without_a_connection_is_named(
    unstarted: Scene, gateway: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each way in which there is no connection has its own sentence, also where discord.py fails on another error."""
    url = gateway.format(port=unstarted.playground.port)
    unstarted.settings = unstarted.settings.model_copy(update={"discord_gateway_url": url})

    assert words in await words_of(unstarted)
    caplog.clear()  # discord.py logs that it will try again, and fails then


async def test_a_first_event_that_cannot_be_read_is_named(
    unstarted: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """When discord.py cannot read the first event, that is named, and not the network."""
    tell = Session.dispatch

    def dispatch(session: Session, name: str, data: Json) -> None:
        tell(session, name, {"v": 10} if name == "READY" else data)

    monkeypatch.setattr(Session, "dispatch", dispatch)

    said = await words_of(unstarted)

    assert "an event that cannot be read (KeyError: 'session_id'" in said
    assert "network" not in said
    assert "Traceback" in caplog.text
    caplog.clear()  # it was logged, as it should be


async def test_a_bug_is_named_as_one(
    unstarted: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that nobody foresaw: what it is and where, with its traceback in the log."""

    async def fail(_bot: Bot) -> None:
        raise ZeroDivisionError("in a test")

    monkeypatch.setattr(Bot, "setup_hook", fail)

    said = await words_of(unstarted)

    assert "ZeroDivisionError: in a test" in said
    assert re.search(r"test_start\.py:\d+", said)
    assert "network" not in said
    assert "Traceback" in caplog.text
    caplog.clear()  # it was logged, as it should be


async def test_a_file_that_cannot_be_used_is_named(unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the disk is none of the network."""

    async def fail(_bot: Bot) -> None:
        (unstarted.folder / "missing").read_text()

    monkeypatch.setattr(Bot, "setup_hook", fail)

    said = await words_of(unstarted)

    assert f"{unstarted.folder / 'missing'} cannot be used: No such file" in said
    assert "network" not in said
