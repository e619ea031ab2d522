"""Files that tools give: posted once with the answer, or said to be missing, and deleted with it."""

import asyncio
import json
from typing import Any

import discord
import pytest

from llmgine.tools.files import MOST_BYTES, File, ToolOutput
from programs.discord.delivery import message_arguments
from programs.discord.delivery.bodies import Body
from programs.export import as_markdown, turn_as_data
from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, Message, Permission
from programs.playground.errors import missing_permissions
from tests.programs.discord.delivery.delivery_scene import CREATE, Time, refuse_posts, reword, unavailable
from tests.programs.discord.scene import Scene, body_of, is_outcome, labels
from tests.waiting import patience

PNG = b"\x89PNG\r\n\x1a\n" + bytes(2_000)
CSV = b"month,sales\nMay,12\n"


async def chart() -> ToolOutput:
    """Draw a chart."""
    return ToolOutput("It peaks in May.", [File("chart.png", PNG), File("data.csv", CSV)])


async def many() -> ToolOutput:
    """Give many large files."""
    return ToolOutput("Here.", [File(f"part{number}.bin", bytes(5 * 2**20)) for number in range(5)])


async def too_many() -> ToolOutput:
    """Give more than a call may."""
    return ToolOutput("Here.", [File(f"{number}.txt", b"x") for number in range(11)])


async def hostile() -> ToolOutput:
    """Give a file with a bad name."""
    return ToolOutput(
        "Here.",
        [
            File("../../etc/@everyone <b>`x`\u202e.html", b"<script>"),
            File("keys.txt", b"my key is sk-proj-" + b"a1B2" * 12),
        ],
    )


def files(message: Message) -> list[tuple[str, bytes]]:
    return [(one.filename, one.content) for one in message.attachments]


def all_files(scene: Scene) -> list[str]:
    """The names of all files that people see."""
    return [name for message in scene.shown() for name, _data in files(message)]


async def answered(scene: Scene, *tools: str) -> Message:
    """Have the model call tools, and answer."""
    scene.model.reply(tool_calls=[(tool, "{}") for tool in tools])
    scene.model.reply("There you are.")
    scene.ask("draw it")
    return await scene.outcome()


async def stored(scene: Scene) -> int:
    """How many files the store has of all turns."""
    found = 0
    for turn in await scene.app.store.turns.history(f"discord:{GENERAL_ID}"):
        for call in turn.state.calls.values():
            for number in range(len(call.result.files) if call.result else 0):
                read = scene.app.store.result_files.read
                found += (await read(turn.turn.id, turn.turn.attempt, call.call.id, number)) is not None
    return found


async def test_they_are_posted_below_the_card_and_named_to_the_model(unstarted: Scene) -> None:
    """All files of a round are in one message, and the answer comes below it; the model knows what people got."""
    scene = await unstarted.start(tools=(chart,))
    await answered(scene, "chart")

    card, with_files, answer = scene.shown()
    assert card.embeds
    assert "People are given" not in json.dumps(card.embeds)
    assert files(with_files) == [("chart.png", PNG), ("data.csv", CSV)]
    assert with_files.content == "-# 📎 `chart.png` (2 kB) · `data.csv` (19 B)"
    assert body_of(answer.content) == "There you are."
    told = scene.model.requests[-1]["messages"][-1]["content"]
    assert told.startswith("It peaks in May.\n")
    assert "chart.png, data.csv" in told
    (turn,) = await scene.app.store.turns.history(f"discord:{GENERAL_ID}")
    (call,) = turn.state.calls.values()
    assert call.result is not None
    assert call.result.content == "It peaks in May."


async def test_a_call_that_gives_too_many_is_an_error_for_the_model(unstarted: Scene) -> None:
    """More than ten files of a call are none, and the model reads why."""
    scene = await unstarted.start(tools=(too_many,))
    await answered(scene, "too_many")

    assert all_files(scene) == []
    assert "at most 10 files" in scene.model.requests[-1]["messages"][-1]["content"]


async def test_a_turn_has_room_for_so_many(unstarted: Scene) -> None:
    """What is more than a turn may give is left out, and people and model are told of it."""
    scene = await unstarted.start(tools=(many,))
    outcome = await answered(scene, "many", "many", "many")

    assert 2 * MOST_BYTES == 10 * 5 * 2**20
    assert len(all_files(scene)) == 10
    assert "was left out" in outcome.content
    told = [one["content"] for one in scene.model.requests[-1]["messages"] if one["role"] == "tool"]
    assert sum("left out" in one for one in told) == 1


async def test_names_and_texts_are_made_safe(unstarted: Scene) -> None:
    """No path, no hidden character and no mention is in a name, and no secret in a text."""
    scene = await unstarted.start(tools=(hostile,))
    await answered(scene, "hostile")

    names = all_files(scene)
    assert not any(set(name) & set("/\\<>`\u202e") or name.startswith(".") for name in names)
    keys = next(data for message in scene.shown() for name, data in files(message) if name == "keys.txt")
    assert b"sk-proj" not in keys
    assert not any(message.mentions for message in scene.shown()[:-1] if message.attachments)


@pytest.mark.parametrize("why", ["not allowed", "too large", "refused"])
async def test_where_they_cannot_be_attached_people_are_told(
    unstarted: Scene, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """Without the permission, past the limit of uploads, or when Discord does not take them: their names and why."""
    if why == "not allowed":
        unstarted.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.ATTACH_FILES)
    elif why == "too large":
        monkeypatch.setattr(discord.Guild, "filesize_limit", 1_000)
    else:
        refuse_posts(monkeypatch, lambda _form, uploads: missing_permissions() if uploads else None)
    scene = await unstarted.start(tools=(chart,))
    await answered(scene, "chart")

    assert all_files(scene) == []
    told = next(message.content for message in scene.shown() if "chart.png" in message.content)
    assert "Attach Files" in told
    assert is_outcome(scene.shown()[-1].content)


@pytest.mark.parametrize("effect", ["reset", "error"])
@pytest.mark.parametrize("committed", [True, False], ids=["arrived", "not arrived"])
async def test_a_post_that_fails_is_there_once(unstarted: Scene, effect: Any, *, committed: bool) -> None:
    """Whether the request with the files arrived or not, they are shown once."""
    scene = await unstarted.start(tools=(chart,))
    status = 503 if effect == "error" else 500
    planned = scene.playground.faults.plan(effect, *CREATE, nth=2, committed=committed, status=status)
    await answered(scene, "chart")

    assert planned.spent
    assert all_files(scene) == ["chart.png", "data.csv"]


async def test_files_that_keep_failing_do_not_hold_up_the_answer(
    unstarted: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a minute without an answer from Discord they are named without being attached, and the answer comes."""
    now = Time()
    scene = await unstarted.start(tools=(chart,), bot={"clock": now, "sleep": now.sleep, "first_wait": 0.001})
    refuse_posts(monkeypatch, lambda _form, uploads: unavailable() if uploads else None)
    outcome = await answered(scene, "chart")

    assert body_of(outcome.content) == "There you are."
    assert all_files(scene) == []
    assert any("chart.png" in message.content for message in scene.shown())


async def test_an_edit_of_their_message_sends_them_no_more(unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are uploaded once, however often the Stop button moves, and stay in their message."""
    sent: list[str] = []
    attached = message_arguments._attached

    def noted(body: Body, uploads: message_arguments.Files) -> list[discord.File]:
        sent.extend(name for name, _data in uploads)
        return attached(body, uploads)

    monkeypatch.setattr(message_arguments, "_attached", noted)
    scene = await unstarted.start(tools=(chart,))
    more = asyncio.Event()
    scene.model.reply(tool_calls=[("chart", "{}")])
    scene.model.hold(more, silent=True, after="There you are.")
    scene.ask("draw it")
    await scene.until(lambda: any("Stop" in labels(one) for one in scene.shown() if one.attachments))
    more.set()
    await scene.outcome()
    await scene.delivered()

    with_files = next(message for message in scene.shown() if message.attachments)
    assert "Stop" not in labels(with_files)
    assert files(with_files) == [("chart.png", PNG), ("data.csv", CSV)]
    assert sent == ["chart.png", "data.csv"]


async def test_they_are_there_once_after_a_restart(unstarted: Scene) -> None:
    """Ended while they are on their way, and the tool is not run again."""
    runs: list[int] = []

    async def draw() -> ToolOutput:
        """Draw something."""
        runs.append(1)
        return ToolOutput("Drawn.", [File("drawing.png", PNG)])

    scene = await unstarted.start(tools=(draw,))
    held = scene.playground.faults.plan("hang", *CREATE, nth=2)
    scene.model.reply(tool_calls=[("draw", "{}")])
    scene.model.reply("There you are.")
    scene.ask("draw it")
    await held.reached()
    stopping = asyncio.create_task(scene.stop())
    async with patience("the bot to leave", seconds=20.0):
        await scene.playground.wait_for(lambda state: not state.bot_online)
    held.release()
    await stopping
    scene.model.reply("There you are.")

    await scene.start(tools=(draw,))
    await scene.outcome()

    assert all_files(scene) == ["drawing.png"]
    assert runs == [1]


async def test_regenerate_gives_new_ones(unstarted: Scene) -> None:
    """The files of the earlier attempt go, from Discord and from the store."""
    scene = await unstarted.start(tools=(chart,))
    outcome = await answered(scene, "chart")
    assert await stored(scene) == 2
    scene.model.reply("Without a chart.")
    scene.click(outcome, "Regenerate")
    await scene.until(lambda: [body_of(one.content) for one in scene.shown()] == ["Without a chart."])
    await scene.delivered()

    assert all_files(scene) == []
    assert await stored(scene) == 0


@pytest.mark.parametrize("how", ["undo", "edit"])
async def test_they_go_with_their_question(unstarted: Scene, how: str) -> None:
    """Undo and an edit of the question delete them."""
    scene = await unstarted.start(tools=(chart,))
    outcome = await answered(scene, "chart")
    call = await _first_call(scene)
    assert await scene.app.store.result_files.read(*call, 0) == PNG
    if how == "undo":
        scene.click(outcome, "Undo")
        await scene.until(lambda: not scene.shown())
    else:
        asked = next(message for message in scene.messages() if message.author_id == ADA_ID)
        scene.model.reply("Without a chart.")
        reword(scene, asked)
        await scene.until(lambda: [body_of(one.content) for one in scene.shown()] == ["Without a chart."])
    await scene.delivered()

    assert all_files(scene) == []
    assert await scene.app.store.result_files.read(*call, 0) is None


async def _first_call(scene: Scene) -> tuple[str, int, str]:
    (turn,) = await scene.app.store.turns.history(f"discord:{GENERAL_ID}")
    return turn.turn.id, turn.turn.attempt, next(iter(turn.state.calls))


async def test_export_names_them(unstarted: Scene) -> None:
    """The export of a conversation has their names and sizes, and no data."""
    scene = await unstarted.start(tools=(chart,))
    await answered(scene, "chart")

    text = await as_markdown(scene.app.store, f"discord:{GENERAL_ID}")
    assert f"  - file: chart.png ({len(PNG):,} bytes)\n\n  - file: data.csv" in text
    (turn,) = await scene.app.store.turns.history(f"discord:{GENERAL_ID}")
    dumped = json.dumps(turn_as_data(turn))
    assert "chart.png" in dumped
    assert '"data"' not in dumped
