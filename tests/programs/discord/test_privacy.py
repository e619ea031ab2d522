"""/privacy, /forget me, /export me, and what becomes of a server that the bot leaves, as people see it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from llmgine.engine.retention import GRACE
from llmgine.messages.erasing_commands import ReportServersCommand
from llmgine.sessions.database import Operation
from programs.demo_model import DemoModel
from programs.discord.ids import SOURCE, server_scope
from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GRACE_ID, GUILD_ID, Message
from tests.programs.discord.scene import INTERVAL, MENTION, Scene
from tests.programs.discord.test_doctor import lines
from tests.programs.discord.test_slash import told
from tests.waiting import patience

WORDS = "engine-of-brass"


def use(scene: Scene, group: str, *, by: int = ADA_ID, channel: int = GENERAL_ID, **options: str) -> None:
    """Use a command of a group, `me`."""
    given = [{"name": name, "value": value} for name, value in options.items()]
    scene.playground.people.command(channel, by, group, [{"name": "me", "type": 1, "options": given}])


async def forget(scene: Scene, *, by: int = ADA_ID, channel: int = GENERAL_ID) -> Message:
    """Be forgotten; gives what the person is told at the end."""
    use(scene, "forget", by=by, channel=channel)
    scene.click(await told(scene, "cannot be undone", by, channel), "Forget me", by=by)
    return await told(scene, "I erased", by, channel)


def fields(message: Message) -> dict[str, str]:
    return {field["name"]: field["value"] for field in message.embeds[0]["fields"]}


async def card(scene: Scene) -> dict[str, str]:
    """What /privacy shows."""
    scene.command("privacy", by=GRACE_ID)
    [shown] = await scene.until(lambda: [one for one in scene.private(GRACE_ID) if one.embeds])
    return fields(shown)


class TestPrivacy:
    """What everybody may know."""

    async def test_a_model_on_this_machine(self, scene: Scene) -> None:
        """Anybody is told what is stored, where and for how long, and that nobody else gets it, to them alone."""
        shown = await card(scene)

        assert list(shown) == ["What", "Where", "How long", "Who else gets it", "Erase and export"]
        assert "in a database file, backups of it, and a log" in shown["Where"]
        assert "kept until they are erased" in shown["How long"]
        assert "30 days" in shown["How long"]
        assert shown["Who else gets it"].startswith("The model that answers runs on my operator's machine.")
        assert str(scene.folder) not in str(shown)

    async def test_services_are_named(self, unstarted: Scene, tmp_path: Path) -> None:
        """Every service that is asked is named by its host, and the operator's own page is linked."""
        (tmp_path / "mcp.json").write_text('{"mcpServers": {}}', encoding="utf-8")
        given: dict[str, Any] = {
            "openai_base_url": "https://models.example/v1",
            "openai_api_key": "key",
            "smtp_host": "mail.example",
            "smtp_from": "bot@mail.example",
            "weather_base_url": "https://weather.example",
            "mcp_config": tmp_path / "mcp.json",
            "web_fetch": True,
            "web_search": "searxng",
            "searxng_url": "https://search.example/searx",
            "privacy_url": "https://operator.example/privacy",
            "retention_days": 90,
            "log_days": 7,
        }
        shown = await card(await unstarted.start(provider=DemoModel(), **given))

        for host in ("models.example", "mail.example", "weather.example", "search.example"):
            assert f"`{host}`" in shown["Who else gets it"]
        assert "Websites are asked for the pages that I read for you" in shown["Who else gets it"]
        assert "The MCP servers that my operator set up" in shown["Who else gets it"]
        assert shown["Privacy notice"] == "<https://operator.example/privacy>"
        assert "`api.anthropic.com`" not in shown["Who else gets it"]
        assert "after 90 days. That begins <t:" in shown["How long"]
        assert "7 days" in shown["How long"]

    @pytest.mark.parametrize("setting", ["allowed_models", "fallback_models"])
    async def test_every_provider_is_named(self, unstarted: Scene, setting: str) -> None:
        """A model of another service may be chosen, or answer in place of one; then it gets people's questions."""
        given: dict[str, Any] = {
            "openai_base_url": "https://models.example/v1",
            setting: ("other", "anthropic:claude-a", "anthropic:claude-b"),
        }
        shown = (await card(await unstarted.start(provider=DemoModel(), **given)))["Who else gets it"]

        assert [shown.count(f"`{host}`") for host in ("models.example", "api.anthropic.com")] == [1, 1]
        assert "my operator's machine" not in shown


class TestForget:
    """A person has themself forgotten."""

    async def test_it_is_done_once_confirmed(self, scene: Scene) -> None:
        """Nothing before the button; then the answers go, nothing of it is stored, and others keep theirs."""
        scene.model.reply(f"You said {WORDS}")
        scene.ask(WORDS)
        await scene.outcome()
        scene.model.reply("Yes")
        scene.ask("hello", by=GRACE_ID)
        await scene.outcome(2)
        use(scene, "forget")
        await told(scene, "cannot be undone")
        assert len(scene.outcomes()) == 2

        done = await forget(scene)

        assert "1 question with its answer, 0 files" in done.content
        assert "within 7 days" in done.content
        await scene.until(lambda: len(scene.shown()) == 1)
        await scene.delivered()
        assert scene.shown()[0].content.startswith("Yes")
        for path in (scene.folder / "llmgine.db", scene.folder / "llmgine.db-wal", scene.folder / "logs/events.jsonl"):
            assert WORDS.encode() not in path.read_bytes()

    async def test_it_can_be_refused(self, scene: Scene) -> None:
        """The other button changes nothing."""
        scene.ask(WORDS)
        await scene.outcome()
        use(scene, "forget")

        scene.click(await told(scene, "cannot be undone"), "Keep everything")

        await told(scene, "Nothing was erased.")
        assert len(await scene.app.store.turns.history(f"discord:{GENERAL_ID}")) == 1

    async def test_quotes_and_mentions_by_others(self, scene: Scene) -> None:
        """Who replied to the person, or mentioned them, keeps their question, without the person in it."""
        said = scene.say(WORDS)
        scene.model.reply("Yes")  # by default it repeats what it is asked
        scene.ask(f"is that so, <@{ADA_ID}>?", by=GRACE_ID, reply_to=said.id)
        await scene.outcome()

        await forget(scene)

        [turn] = await scene.app.store.turns.history(f"discord:{GENERAL_ID}")
        prompt = turn.state.prompt
        assert prompt.quoted is None
        assert (prompt.text, prompt.mentions) == ("is that so, <@0>?", {})
        assert WORDS.encode() not in (scene.folder / "logs/events.jsonl").read_bytes()

    async def test_in_a_dm_and_again_afterwards(self, scene: Scene) -> None:
        """The DM is forgotten with its name, and its person is answered again."""
        dm = scene.playground.people.open_dm(ADA_ID).id
        scene.say(WORDS, channel=dm)
        await scene.outcome(channel=dm)

        await forget(scene, channel=dm)
        await scene.until(lambda: not scene.outcomes(dm))

        session = await scene.app.store.sessions.get(f"discord:{dm}")
        assert (session.name, session.title) == (f"discord:{dm}", None)
        scene.say("hello again", channel=dm)
        await scene.outcome(channel=dm)


class TestExport:
    """A person gets a copy."""

    @pytest.mark.parametrize("form", ["json", "md"])
    async def test_all_that_is_theirs(self, scene: Scene, form: str) -> None:
        """Questions with answers, what others quoted, and settings; nothing that is only others'."""
        said = scene.ask(WORDS)
        await scene.outcome()
        scene.ask("quoting", by=GRACE_ID, reply_to=said.id)
        await scene.outcome(2)
        scene.ask("of-grace-alone", by=GRACE_ID)
        await scene.outcome(3)

        use(scene, "export", format=form)

        shown = await scene.until(lambda: [one for one in scene.private(ADA_ID) if one.attachments])
        text = shown[0].attachments[0].content.decode()
        assert WORDS in text
        assert "of-grace-alone" not in text
        if form == "json":
            kinds = [entry["kind"] for entry in json.loads(text)["entries"]]
            assert {"turn", "quoted"} <= set(kinds)
        await told(scene, "in 1 file.")


class TestLeaving:
    """A server that the bot leaves is erased after a week."""

    async def test_it_is_noted_and_cancelled(self, scene: Scene) -> None:
        """/doctor of another server says when it is erased; coming back cancels it."""
        scene.ask(WORDS)
        await scene.outcome()
        (await scene.app.bus.execute(ReportServersCommand(source=SOURCE, account=BOT_ID, guilds=()))).unwrap()
        assert f"server {GUILD_ID}, which I left <t:" in (await lines(scene))["Erasing"]

        await scene.restart()  # it is in the server all the same

        async with patience("the servers to be reported"):
            while await scene.app.store.purges.left():  # noqa: ASYNC110  another task does it
                await asyncio.sleep(INTERVAL)

    async def test_it_is_erased_in_time(self, scene: Scene) -> None:
        """Not before a week is over, then with its conversations, settings and cursors; a DM stays."""
        dm = scene.playground.people.open_dm(ADA_ID).id
        for channel in (GENERAL_ID, dm):
            scene.say(f"{MENTION} {WORDS}", channel=channel)
            await scene.outcome(channel=channel)
        await scene.app.store.settings.change(server_scope(GUILD_ID), "style", "brief", None, 1)
        (await scene.app.bus.execute(ReportServersCommand(source=SOURCE, account=BOT_ID, guilds=()))).unwrap()
        retention, store = scene.app.erasing.retention, scene.app.store
        for days, left in ((6, True), (8, False)):
            retention.clock = partial(in_days, days)
            await retention.erase_due()
            assert bool(await store.turns.history(f"discord:{GENERAL_ID}")) is left
            assert bool(await store.settings.of([server_scope(GUILD_ID)])) is left
        assert await store.purges.left() == []
        assert await store.turns.history(f"discord:{dm}")
        assert await store.cursors.page(SOURCE, "channel", GUILD_ID, most=10) == []


async def test_retention_says_what_it_will_erase(unstarted: Scene) -> None:
    """While the first week lasts, /doctor warns how many conversations would be erased, and when."""
    scene = await unstarted.start(retention_days=30)
    scene.ask(WORDS)
    await scene.outcome()
    await scene.app.store.run(_long_ago, Operation("test.long_ago"))

    found = (await lines(scene))["Erasing"]

    assert found.startswith("⚠️")
    assert "unused for 30 days are erased, 1 by now" in found
    assert timedelta(days=7) == GRACE


def in_days(days: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def _long_ago() -> Any:
    yield "UPDATE session SET updated_at = 1", ()
