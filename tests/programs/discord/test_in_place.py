"""An answer that is given anew stays where it stands, whatever the two are made of."""

import asyncio

import pytest

from llmgine.messages.commands import StopTurnCommand
from programs.discord.delivery.rendering import AGAIN
from programs.discord.ids import SOURCE, session_id
from programs.playground.entities import ADA_ID, GENERAL_ID, Message
from tests.durability.waiting import eventually
from tests.programs.discord.scene import MENTION, Scene, body_of

CALL = "calculate", '{"expression": "6 * 7"}'
MESSAGES = {"a text": 1, "a failure": 1, "a card, a text": 2, "a text, a card, a text": 3}


def answer_with(scene: Scene, shape: str, text: str) -> None:
    """Have the model answer so."""
    if shape == "a failure":
        scene.model.fail(400, text)
        return
    if "card" in shape:
        scene.model.reply(text if shape.startswith("a text") else "", tool_calls=[CALL])
    scene.model.reply(text)


async def is_at(scene: Scene, asked: Message, attempt: int, *, ended: bool = False) -> bool:
    """Whether the question's turn is at this attempt, and has ended."""
    turns = await scene.app.store.turns.many([str(await scene.app.store.turns.of_message(SOURCE, str(asked.id)))])
    return any(one.turn.attempt == attempt and (one.state.outcome is not None or not ended) for one in turns)


async def at_rest(scene: Scene, asked: Message, attempt: int) -> None:
    """Wait until this attempt has ended, and all of it is shown."""
    await eventually(lambda: is_at(scene, asked, attempt, ended=True))
    await scene.delivered()


def beginnings(scene: Scene) -> list[tuple[int, int | None]]:
    """The messages that begin an answer, and what they answer, from above to below."""
    return [(message.id, message.reference.message_id) for message in scene.shown() if message.reference]


@pytest.mark.parametrize("restarted", [False, True], ids=["", "restarted"])
@pytest.mark.parametrize("after", MESSAGES)
@pytest.mark.parametrize("before", MESSAGES)
async def test_it_begins_in_its_first_message(scene: Scene, before: str, after: str, *, restarted: bool) -> None:
    """The new answer begins above what was answered since, with the message that replies, also after a restart."""
    answer_with(scene, before, "This.")
    asked = scene.ask("first")
    await at_rest(scene, asked, 1)
    answer_with(scene, "a text", "Something else.")
    await at_rest(scene, scene.ask("second"), 1)
    begun = beginnings(scene)
    first = scene.shown()[0]
    was = first.content, first.embeds

    answer_with(scene, after, "That.")
    scene.playground.people.edit(asked.channel_id, asked.id, asked.author_id, f"{MENTION} once more")
    await scene.until(lambda: (first.content, first.embeds) != was)
    if restarted:
        await scene.restart()
    await at_rest(scene, asked, 2)

    assert [one for one in beginnings(scene) if one[0] <= begun[1][0]] == begun
    assert all(answers == asked.id for message_id, answers in beginnings(scene) if message_id > begun[1][0])
    above = [message for message in scene.shown() if message.id < begun[1][0]]
    assert len(above) == min(MESSAGES[before], MESSAGES[after])
    assert len(scene.shown()) == MESSAGES[after] + 1


async def test_what_went_is_not_missed(scene: Scene) -> None:
    """A long answer, then a short one, then a long one again: what was taken away in between is posted anew."""
    answer_with(scene, "a text, a card, a text", "This.")
    asked = scene.ask("first")
    await at_rest(scene, asked, 1)
    first = scene.shown()[0].id
    for attempt, shape in ((2, "a text"), (3, "a text, a card, a text")):
        answer_with(scene, shape, f"That, {attempt}.")
        scene.playground.people.edit(asked.channel_id, asked.id, asked.author_id, f"{MENTION} once more, {attempt}")
        await at_rest(scene, asked, attempt)
        assert len(scene.shown()) == MESSAGES[shape]

    assert scene.shown()[0].id == first
    assert body_of(scene.shown()[2].content) == "That, 3."


async def test_an_answer_that_somebody_deleted_is_given_anew(scene: Scene) -> None:
    """Who deletes an answer and then changes the question wants another answer."""
    asked = scene.ask("first")
    await at_rest(scene, asked, 1)
    scene.playground.state.delete_message(scene.shown()[0])

    answer_with(scene, "a text", "That.")
    scene.playground.people.edit(asked.channel_id, asked.id, asked.author_id, f"{MENTION} once more")

    await at_rest(scene, asked, 2)
    assert [body_of(message.content) for message in scene.shown()] == ["That."]


async def test_an_edit_while_an_outcome_is_on_its_way(scene: Scene) -> None:
    """What an attempt was about to show as it was given up stays for the next one, though nobody knew yet where."""
    never = asyncio.Event()
    scene.model.hold(never, before="This ")
    post = scene.playground.faults.plan("delay", "POST", "/channels/{channel_id}/messages")
    asked = scene.ask("first")
    await post.reached()
    await scene.app.bus.execute(StopTurnCommand(session_id=session_id(GENERAL_ID)))
    await eventually(lambda: is_at(scene, asked, 1, ended=True))

    answer_with(scene, "a text", "That.")
    scene.playground.people.edit(asked.channel_id, asked.id, asked.author_id, f"{MENTION} once more")
    await eventually(lambda: is_at(scene, asked, 2))
    post.release()

    await at_rest(scene, asked, 2)
    never.set()
    assert [body_of(message.content) for message in scene.shown()] == ["That."]
    assert scene.sends("DELETE", "/channels/{channel_id}/messages/{message_id}") == []


async def test_its_message_is_kept_though_it_was_paused(scene: Scene) -> None:
    """What says that it will go on after a restart becomes the outcome that comes before the end after all."""
    never = asyncio.Event()
    answer_with(scene, "a text, a card, a text", "This.")
    asked = scene.ask("first")
    await at_rest(scene, asked, 1)
    begun, first = beginnings(scene), scene.shown()[0]
    scene.model.hold(never, silent=True)
    scene.playground.people.edit(asked.channel_id, asked.id, asked.author_id, f"{MENTION} once more")
    await scene.until(lambda: first.content == str(AGAIN))

    await scene.bot.wind_down(0.05)
    await scene.until(lambda: "Restarting" in first.content)
    await scene.app.bus.execute(StopTurnCommand(session_id=session_id(GENERAL_ID)))

    await scene.until(lambda: body_of(first.content) == "⏹️ Stopped.")
    never.set()
    await scene.restart()
    await at_rest(scene, asked, 2)
    assert (beginnings(scene), len(scene.shown())) == (begun, 1)


async def test_what_else_the_bot_said_stays(scene: Scene) -> None:
    """What a branch or a command told the channel is no part of an answer that stands above it and is given anew."""
    dm = scene.playground.people.open_dm(ADA_ID)
    scene.ask("in the channel")
    await scene.outcome()
    asked = scene.say("first", channel=dm.id)
    await at_rest(scene, asked, 1)
    scene.command("branch", {"where": "dm"})
    note = await scene.until(lambda: next((m for m in scene.shown(dm.id) if "Continued from" in m.content), None))
    assert note is not None
    said = note.content

    answer_with(scene, "a text, a card, a text", "That.")
    scene.playground.people.edit(dm.id, asked.id, ADA_ID, "first, changed")
    await scene.until(lambda: sum(bool(message.embeds) for message in scene.shown(dm.id)) == 1)
    await scene.delivered()

    assert note in scene.shown(dm.id)
    assert note.content == said
