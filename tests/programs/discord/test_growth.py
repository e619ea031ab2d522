"""What the bot does costs the same however many conversations are stored: its reads of the store are counted."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llmgine.sessions import open_store
from llmgine.sessions.database import Operation
from programs.application import Application
from programs.bench.stored_sessions import store_old
from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, GUILD_ID, RANDOM_ID, Message
from programs.playground.server import Playground
from tests.chat_completions import ChatCompletionsServer
from tests.programs.discord.scene import ROOMY, Scene
from tests.programs.discord.test_sessions import listed

SIZES = (240, 720)  # conversations, half of them in DMs and half in old threads
KEPT = 20  # places whose feeds are kept


class Counts:
    """The most statements and rows of one run of each operation."""

    def __init__(self) -> None:
        self.most: dict[str, tuple[int, int]] = {}

    @contextlib.asynccontextmanager
    async def around(self, operation: Operation) -> AsyncIterator[None]:
        """See `SessionStore.observe`."""
        yield
        before = self.most.get(operation.name, (0, 0))
        self.most[operation.name] = max(before[0], operation.statements), max(before[1], operation.rows)


async def offering(scene: Scene, label: str, words: str) -> Message:
    """The bot's message with these words and a button of this label, once there is one."""

    def found() -> list[Message]:
        said = [one for one in scene.shown() if words in one.content]
        rows = {one.id: [button for row in one.components for button in row["components"]] for one in said}
        return [one for one in said if label in [button.get("label") for button in rows[one.id]]]

    await scene.until(lambda: bool(found()))
    return found()[0]


async def lived(scene: Scene, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start, turns, an edit, a deletion, presses and commands, each counted from the first statement on."""
    startup = Application.startup

    async def observed(app: Application) -> None:
        await startup(app)
        app.store.observe(counts.around)

    monkeypatch.setattr(Application, "startup", observed)
    await scene.start()
    asked = scene.ask("hello")
    await scene.outcome()
    scene.playground.people.edit(GENERAL_ID, asked.id, ADA_ID, f"{asked.content} again")
    scene.click(await offering(scene, "Regenerate", "again"), "Regenerate")
    await scene.until(lambda: len(scene.model.requests) == 3)
    await scene.outcome()
    scene.playground.people.delete(GENERAL_ID, asked.id, ADA_ID)
    await scene.until(lambda: not scene.shown())
    scene.ask("and here?", channel=RANDOM_ID)
    scene.click(await scene.outcome(1, RANDOM_ID), "Undo")
    await scene.until(lambda: not scene.shown(RANDOM_ID))
    await listed(scene, GRACE_ID)
    await scene.delivered()


async def counted(size: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, int]]:
    """What a bot's operations took where so many conversations are stored."""
    counts = Counts()
    async with ChatCompletionsServer() as model, Playground(rules=ROOMY) as playground:
        scene = Scene(playground, model, folder)
        store = await open_store(scene.settings.database_url)
        await store_old(store, 0, size, GUILD_ID, GENERAL_ID)
        await store.close()
        try:
            with monkeypatch.context() as patch:
                await lived(scene, counts, patch)
            assert len(scene.bot._feeds._feeds) < 2 * KEPT
        finally:
            await scene.stop()
    return counts.most


async def test_nothing_reads_more_where_more_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each operation of the store takes as many statements and rows as before, and no more feeds are kept."""
    monkeypatch.setattr("programs.discord.incoming.unlisted._KEPT", KEPT)

    few, many = [await counted(size, tmp_path / str(size), monkeypatch) for size in SIZES]

    assert few.keys() == many.keys()
    # A row or two more are those of a turn that was under way at that moment.
    more = {name: (few[name], many[name]) for name in few if sum(many[name]) - sum(few[name]) > 2}
    assert more == {}
    assert {"turns.admit", "prompts.edit", "cursors.page", "sessions.page", "deliveries.undelivered"} <= set(few)
