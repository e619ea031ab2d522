"""What outlives the process: history, answers on their way, outcomes not yet shown."""

import asyncio

from llmgine.sessions.database import Operation
from programs.playground.entities import GENERAL_ID
from tests.programs.discord.scene import Scene, body_of, people_said


async def test_the_history_survives(scene: Scene) -> None:
    """After a restart the model is sent what was said before it."""
    scene.ask("My name is Ada.")
    await scene.outcome()
    await scene.restart()

    scene.ask("What did I say first?")

    await scene.outcome(2)
    request = scene.model.requests[-1]
    assert people_said(request) == ["My name is Ada.", "What did I say first?"]
    assert [message["role"] for message in request["messages"]] == ["system", "user", "assistant", "user"]


async def test_the_demo_model_remembers_too(scene: Scene) -> None:
    """The offline demo recalls across a restart what was said first."""
    await scene.restart(demo=True)
    scene.ask("Can you calculate 24*7 for me?")
    await scene.outcome()
    await scene.restart(demo=True)

    scene.ask("What did I say first?")

    assert "Can you calculate 24*7 for me?" in (await scene.outcome(2)).content


async def test_an_answer_on_its_way_is_taken_up_again(scene: Scene) -> None:
    """Ended in the middle of a stream, the bot goes on in the same message after the restart, with one outcome."""
    never = asyncio.Event()
    scene.model.hold(never, before="I was about to ")
    scene.ask("tell me")
    half = await scene.until(lambda: next(iter(scene.shown()), None))
    assert half is not None
    scene.model.reply("I was about to say this.")
    await scene.restart()

    outcome = await scene.outcome()

    never.set()
    assert outcome.id == half.id
    assert body_of(outcome.content) == "I was about to say this."
    assert len(scene.shown()) == 1


async def test_queued_messages_are_answered_after_the_restart_in_order(scene: Scene) -> None:
    """What was admitted and not begun is answered after the restart, before anything newer."""
    never = asyncio.Event()
    scene.model.hold(never, silent=True)
    for number in range(3):
        scene.ask(f"question {number}")
    await scene.model.until(lambda: len(scene.model.requests) == 1)
    while len(await scene.app.store.turns.unfinished(f"discord:{GENERAL_ID}")) < 3:
        await scene.app.bus.wait_until_idle()
    await scene.restart()
    scene.ask("question 3")

    await scene.outcome(4)

    never.set()
    answers = [message.content for message in scene.shown()]
    assert [f"question {number}" in answer for number, answer in enumerate(answers)] == [True] * 4


async def test_an_outcome_that_was_not_shown_is_shown_once(scene: Scene) -> None:
    """Committed and not posted, an outcome is posted after the restart, and not again after the next."""
    asked = scene.ask("tell me")
    await scene.outcome()
    turn_id = await scene.app.store.turns.of_message("discord", str(asked.id))
    assert turn_id is not None
    # As a crash between the commit and the post leaves it.
    await scene.app.store.run(lambda: _forget_posting(turn_id), Operation("test"))
    [shown] = scene.shown()
    scene.playground.state.delete_message(shown)
    scene.playground._posting._nonces.clear()
    await scene.restart()
    await scene.outcome()
    await scene.restart()

    scene.ask("and more")

    await scene.outcome(2)
    assert len(scene.shown()) == 2


async def test_a_post_whose_answer_was_lost_is_not_posted_twice(scene: Scene) -> None:
    """The part carries the same nonce after the restart, so Discord gives back the message it already has."""
    asked = scene.ask("tell me")
    await scene.outcome()
    turn_id = await scene.app.store.turns.of_message("discord", str(asked.id))
    assert turn_id is not None
    await scene.app.store.run(lambda: _forget_posting(turn_id), Operation("test"))
    [before] = scene.shown()

    await scene.restart()

    await scene.delivered()
    assert [message.id for message in scene.shown()] == [before.id]


def _forget_posting(turn_id: str):  # type: ignore[no-untyped-def]  # a transaction, see llmgine/sessions/database.py
    yield "UPDATE delivery SET sent = 0, message_id = NULL WHERE turn_id = $1", (turn_id,)


async def test_a_tool_that_ran_is_not_run_again(scene: Scene) -> None:
    """A result that was committed before the restart is used after it."""
    runs: list[str] = []

    def count() -> str:
        """Count a run."""
        runs.append("ran")
        return "counted"

    await scene.app.engine.register_tool(count)
    never = asyncio.Event()
    scene.model.reply(tool_calls=[("count", "{}")])
    scene.model.hold(never, before="It was ")
    scene.ask("count")
    await scene.until(lambda: any("It was" in message.content for message in scene.shown()))
    scene.model.reply("It was counted.")
    await scene.restart(tools=(count,))

    outcome = await scene.outcome()

    never.set()
    assert runs == ["ran"]
    assert body_of(outcome.content) == "It was counted."
    assert len(scene.shown()) == 2
