"""A question that is deleted in the moment in which its answer is finished."""

import asyncio

from tests.programs.discord.gate import Gate
from tests.programs.discord.scene import Scene
from tests.waiting import patience


async def test_a_question_deleted_as_its_turn_ends_is_forgotten(scene: Scene) -> None:
    """The turn runs when it is to be forgotten, and has ended when it is to be stopped for that."""
    go_on, gate = asyncio.Event(), Gate(scene, "stops.request")
    scene.model.hold(go_on, before="One ")
    question = scene.ask("one")
    await scene.until(scene.shown)
    gate.holds = True
    scene.playground.people.delete(question.channel_id, question.id, question.author_id)
    async with patience("the turn to be stopped"):
        await gate.reached.wait()
    go_on.set()
    await scene.until(scene.outcomes)

    gate.open.set()

    await scene.until(lambda: not scene.shown())
