"""Writes what this version leaves behind in the middle of its work; see README.md beside it.

    python -m tests.llmgine.sessions.data.make FOLDER

In FOLDER it writes `schema_<number>.sql`, a dump of the database, and `playground.json`, the playground's state.
"""

import asyncio
import json
import os
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from llmgine.engine.ask import ask
from llmgine.messages.commands import Author, PromptCommand
from programs.discord.ids import SOURCE
from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, RANDOM_ID
from programs.playground.posting import Upload
from programs.playground.server import Playground
from programs.playground.storage import Storage
from tests.chat_completions import ChatCompletionsServer
from tests.programs.discord.scene import INTERVAL, ROOMY, Scene, body_of, is_outcome, labels
from tests.programs.discord.test_settings import change

_FOLDER = Path("data")  # relative, so that no path of the machine is in what is written
_CENTURY = 100 * 365 * 86_400  # seconds: the approval still waits whenever the tests run
_PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
_EMAIL = '{"to": "test@example.com", "subject": "Hello", "body": "%s"}'


async def order_pizza(size: str) -> str:
    """Order a pizza. It never ends, so the dump has a call that was started and has no result.

    Args:
        size: How large it is.
    """
    await asyncio.Event().wait()
    return size


async def _answered_in_general(scene: Scene) -> None:
    """A tool call with its card, an image and a text file, regenerated, and a last answer with its buttons."""
    scene.model.reply(tool_calls=[("calculate", '{"expression": "24*7"}')])
    scene.model.reply("It is 168.")
    scene.ask("What is 24*7?")
    await scene.outcome(1)
    scene.model.reply("A dog.")
    scene.ask("What is this?", uploads=(Upload(0, "cat.png", _PNG), Upload(1, "list.txt", b"milk, bread")))
    dog = await scene.outcome(2)
    scene.model.reply("A cat, and a list.")
    scene.click(dog, "Regenerate")
    await scene.until(lambda: is_outcome(dog.content) and body_of(dog.content) == "A cat, and a list.")
    await scene.delivered()
    scene.model.reply("Hello Grace.")
    scene.ask("And I am Grace.", by=GRACE_ID)
    await scene.outcome(3)


async def _ended_in_random(scene: Scene) -> None:
    """A turn that failed, and one that was stopped in the middle of its text."""
    scene.model.fail(400, {"error": {"message": "this is not allowed"}})
    scene.ask("This fails.", channel=RANDOM_ID)
    await scene.outcome(1, RANDOM_ID)
    scene.model.hold(asyncio.Event(), before="Once upon ")
    scene.ask("Tell me a story.", channel=RANDOM_ID)
    live = await scene.until(lambda: next((m for m in scene.shown(RANDOM_ID) if "Stop" in labels(m)), None))
    assert live is not None
    scene.click(live, "Stop")
    await scene.outcome(2, RANDOM_ID)


async def _answered_elsewhere(scene: Scene) -> None:
    """A DM with an approved call, a branch of general, and a session of the terminal."""
    dm = scene.playground.people.open_dm(ADA_ID).id
    scene.model.reply(tool_calls=[("send_email", _EMAIL % "Approved")])
    scene.model.reply("It is sent.")
    scene.say("Write to them.", channel=dm)
    await _approve(scene, dm)
    await scene.outcome(1, dm)
    scene.command("branch")
    branch = await scene.until(lambda: next(iter(scene.playground.state.threads(GENERAL_ID)), None))
    assert branch is not None
    await scene.until(lambda: scene.shown(branch.id))
    ann = Author(id="ann", name="ann")
    for number in (1, 2):
        scene.model.reply(f"Answer {number}.")
        prompt = PromptCommand(
            session_id="terminal:0a1b2c3d",
            session_name="Terminal",
            text=f"Line {number}",
            source="terminal",
            source_id=f"0a1b2c3d-{number}",
            author=ann,
        )
        await ask(scene.app.bus, prompt)


async def _approve(scene: Scene, channel: int) -> None:
    card = await scene.until(lambda: next((m for m in scene.shown(channel) if "Approve" in labels(m)), None))
    assert card is not None
    scene.click(card, "Approve")


async def _left_open(scene: Scene) -> None:
    """A call that was started, a question behind it, and in a thread a call that waits for approval."""
    scene.model.reply("Let me order.", tool_calls=[("order_pizza", '{"size": "large"}')])
    scene.ask("Order a pizza.", channel=RANDOM_ID)
    await scene.card(1, RANDOM_ID)
    scene.ask("Are you there?", channel=RANDOM_ID, by=GRACE_ID)
    thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "Mail").id
    scene.model.reply(tool_calls=[("send_email", _EMAIL % "Waiting")])
    scene.ask("Write to them too.", channel=thread)
    await scene.until(lambda: any("Approve" in labels(m) for m in scene.shown(thread)))


async def _quiet(scene: Scene) -> None:
    """Wait until the three open turns are stored, and where each of their messages is."""
    while True:
        turns = await scene.app.store.turns.unfinished_of({SOURCE})
        steps = [await scene.app.store.turns.get(turn.id) for turn in turns]
        parts = [part for turn in turns for part in await scene.app.store.deliveries.of(turn.id)]
        cards = [part for part in parts if part.key.kind == "card"]
        if (
            (len(turns), len(cards)) == (3, 2)
            and any(call.started for one in steps for call in one.state.calls.values())
            and all(p.message_id for p in parts)
        ):
            return
        await asyncio.sleep(INTERVAL)


def _write(scene: Scene, folder: Path) -> None:
    """The database and the playground of one moment: nothing else runs meanwhile."""
    with closing(sqlite3.connect(scene.folder / "llmgine.db")) as connection:
        version = connection.execute("SELECT version FROM schema_version").fetchone()[0]
        dump = "\n".join(connection.iterdump())
    (folder / f"schema_{version}.sql").write_text(f"{dump}\n", encoding="utf-8")
    state = json.loads(Storage(scene.playground.state, folder / "playground.json")._snapshot())
    text = json.dumps(state, indent=1, ensure_ascii=False)
    (folder / "playground.json").write_text(f"{text}\n", encoding="utf-8")


async def _make(folder: Path) -> None:
    async with ChatCompletionsServer() as model, Playground(rules=ROOMY) as playground:
        scene = Scene(playground, model, _FOLDER)
        await scene.start(tools=(order_pizza,), approval_timeout=_CENTURY)
        try:
            await change(scene, "system", {"prompt": "Be kind."})
            await change(scene, "style", {"value": "brief", "where": "server"})
            await change(scene, "budget", {"tokens": "200000", "where": "category"})
            for part in (_answered_in_general, _ended_in_random, _answered_elsewhere, _left_open, _quiet):
                await part(scene)
            _write(scene, folder)
        finally:
            await scene.stop()


def main() -> None:
    """The program."""
    folder = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as temporary:
        os.chdir(temporary)
        asyncio.run(asyncio.wait_for(_make(folder), 60))


if __name__ == "__main__":
    main()
