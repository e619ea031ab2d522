"""Which buttons older answers keep when turns are answered again, or out of their order."""

import asyncio
import gc
import logging
from collections.abc import Callable
from typing import Any

import pytest

from llmgine.messages.steps import Turn
from programs.discord.components.retirement import Retirement
from programs.discord.delivery.poster import Poster
from programs.discord.ids import SOURCE
from programs.playground.entities import ADA_ID, GENERAL_ID
from tests.programs.discord.gate import Gate
from tests.programs.discord.scene import Scene, body_of, labels
from tests.waiting import eventually

ENDED = ["Regenerate", "Undo", "Details"]


@pytest.fixture
def unseen() -> list[dict[str, Any]]:
    """What asyncio complains of: errors of tasks that nobody retrieved."""
    return []


@pytest.fixture
async def watched(scene: Scene, unseen: list[dict[str, Any]]) -> Scene:
    """A scene in whose loop such errors are collected."""
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unseen.append(context))
    return scene


async def last_turn(scene: Scene) -> Turn:
    """The second of two turns that have ended."""
    scene.ask("first")
    await scene.outcome()
    asked = scene.ask("second")
    await scene.outcome(2)
    turn_id = await scene.app.store.turns.of_message(SOURCE, str(asked.id))
    return (await scene.app.store.turns.get(str(turn_id))).turn


async def test_an_older_question_that_is_edited_is_not_the_last_answer(scene: Scene) -> None:
    """After an edit of the first of two questions, the third retires the buttons of the second answer."""
    await scene.bot.caught_up()
    first = scene.ask("one")
    await scene.outcome()
    scene.ask("two")
    await scene.outcome(2)
    scene.playground.people.edit(GENERAL_ID, first.id, ADA_ID, f"{first.content}, changed")
    await scene.until(lambda: "changed" in scene.outcomes()[0].content)
    await scene.bot.all_delivered()

    scene.ask("three")
    await scene.outcome(3)

    await scene.until(lambda: [labels(answer) for answer in scene.outcomes()] == [["Details"], ["Details"], ENDED])


async def test_an_answer_that_is_written_again_gets_no_buttons_in_its_middle(scene: Scene) -> None:
    """A question that waits while a long answer is regenerated puts no button under the first part of that answer."""
    await scene.bot.caught_up()
    scene.model.reply("short")
    scene.ask("first")
    answer = await scene.outcome()
    go_on = asyncio.Event()
    scene.model.hold(go_on, before="word " * 700)
    scene.model.reply("second answer")
    scene.click(answer, "Regenerate")
    await scene.until(lambda: len(scene.shown()) > 1)
    scene.ask("second")
    go_on.set()

    await scene.until(lambda: body_of(scene.shown()[-1].content) == "second answer")
    await scene.bot.all_delivered()

    await scene.until(lambda: labels(scene.shown()[-1]) == ENDED)
    assert [labels(part) for part in scene.shown()[:-2]] == [[]] * (len(scene.shown()) - 2)


@pytest.mark.parametrize(
    ("operation", "happens"),
    [
        ("turns.before", lambda retirement, turn: retirement.begun(turn)),
        ("deliveries.of", lambda retirement, turn: retirement.begun(turn)),
        ("turns.last", lambda retirement, turn: retirement.forgotten(turn.session_id)),
    ],
)
async def test_no_task_ends_with_an_error_of_the_store(
    watched: Scene, unseen: list[dict[str, Any]], operation: str, happens: Callable[[Retirement, Turn], None]
) -> None:
    """When the store fails over the buttons of an older answer, no task ends with an error nobody retrieves."""
    turn = await last_turn(watched)
    retirement = Retirement(watched.app.store, Poster(watched.bot))
    gate = Gate(watched, operation)
    gate.failures = 1

    happens(retirement, turn)

    await eventually(lambda: gate.failures == 0 and not retirement._tasks)
    gc.collect()
    assert unseen == []


async def test_a_fault_of_ours_is_logged(
    watched: Scene, unseen: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that nobody foresaw is in the log, with its trace, and nothing else becomes of it."""
    turn = await last_turn(watched)
    retirement = Retirement(watched.app.store, Poster(watched.bot))

    async def broken(*_: object) -> None:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(watched.app.store.turns, "last", broken)
    retirement.forgotten(turn.session_id)

    await eventually(lambda: not retirement._tasks)
    gc.collect()
    assert unseen == []
    [logged] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert logged.exc_info is not None
    caplog.clear()


async def test_an_end_leaves_no_work_behind(watched: Scene, unseen: list[dict[str, Any]]) -> None:
    """What is under way when the bot is closed is given up, also what has not begun."""
    turn = await last_turn(watched)
    retirement = Retirement(watched.app.store, Poster(watched.bot))
    retirement.begun(turn)

    await retirement.close()

    await eventually(lambda: not retirement._tasks)
    gc.collect()
    assert unseen == []
