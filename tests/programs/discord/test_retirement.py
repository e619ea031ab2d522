"""Which buttons older answers keep when turns are answered again, or out of their order."""

import asyncio

from programs.playground.entities import ADA_ID, GENERAL_ID
from tests.programs.discord.scene import Scene, body_of, labels

ENDED = ["Regenerate", "Undo", "Details"]


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
