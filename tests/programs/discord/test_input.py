"""What people can send: nothing, files, far too much, many messages at once; one outcome each, in order."""

import asyncio
import gc

from programs.playground.entities import ADA_ID, GRACE_ID
from programs.playground.posting import Upload
from tests.programs.discord.scene import MENTION, Scene, people_said


async def test_an_empty_mention_is_answered(scene: Scene) -> None:
    """A mention and nothing else is a message without text, and says so to the model."""
    scene.say(MENTION)

    await scene.outcome()

    assert people_said(scene.model.requests[0]) == ["[a message without text]"]


async def test_attachments_are_named_to_the_model(scene: Scene) -> None:
    """What the model cannot see it is told of, also where there is nothing else."""
    dm = scene.playground.people.open_dm(ADA_ID)
    scene.say("", channel=dm.id, uploads=(Upload(0, "notes.txt", b"hello"), Upload(1, "cat.png", b"\x89PNG")))

    await scene.outcome(channel=dm.id)

    [message] = [one for one in scene.model.requests[0]["messages"] if one["role"] == "user"]
    assert '"name": "notes.txt"' in message["content"]
    assert '"name": "cat.png", "type": "image/png", "note": "left out' in message["content"]


async def test_a_message_of_4000_characters_is_taken_whole(scene: Scene) -> None:
    """People with Nitro write up to 4,000 characters; all of them reach the model."""
    text = "word " * 790 + "end"
    scene.ask(text, nitro=True)

    await scene.outcome()

    assert people_said(scene.model.requests[0]) == [text]


async def test_ten_messages_at_once_are_answered_in_order(scene: Scene) -> None:
    """A burst is a queue: ten questions, ten answers, each a reply to its question, in their order."""
    asked = [scene.ask(f"question {number}") for number in range(10)]

    await scene.outcome(10)

    shown = scene.shown()
    assert [message.reference and message.reference.message_id for message in shown] == [one.id for one in asked]
    assert [people_said(request)[-1] for request in scene.model.requests] == [f"question {n}" for n in range(10)]


async def test_two_people_at_once_have_an_answer_each(scene: Scene) -> None:
    """Messages of two people in one channel are two turns of one conversation."""
    ada = scene.ask("I am Ada", by=ADA_ID)
    grace = scene.ask("I am Grace", by=GRACE_ID)

    await scene.outcome(2)

    first, second = scene.shown()
    assert first.reference is not None
    assert second.reference is not None
    assert (first.reference.message_id, second.reference.message_id) == (ada.id, grace.id)
    pings = {shown.id: [int(user["id"]) for user in shown.payload["mentions"]] for shown in reversed(scene.history)}
    assert pings == {first.id: [ADA_ID], second.id: [GRACE_ID]}  # by the message as it was created


async def test_channels_do_not_wait_for_each_other(scene: Scene) -> None:
    """A model that hangs in one conversation holds up no other."""
    go_on = asyncio.Event()
    scene.model.hold(go_on, silent=True)
    scene.ask("slow")
    await scene.model.until(lambda: len(scene.model.requests) == 1)
    dm = scene.playground.people.open_dm(GRACE_ID)
    scene.say("quick", by=GRACE_ID, channel=dm.id)

    await scene.outcome(channel=dm.id)

    assert scene.shown() == []
    go_on.set()
    await scene.outcome()


def _of_turns() -> list[object]:
    """What is in memory for turns that are run or shown."""
    return [one for one in gc.get_objects() if type(one).__name__ in {"TurnView", "Editor", "_Runner"}]


async def test_many_turns_leave_nothing_behind(scene: Scene) -> None:
    """Turns that are over take no memory: no views, editors or waiting tasks, here or in discord.py."""
    gc.collect()
    before = _of_turns()  # of other tests in this process
    for number in range(1, 6):
        for _ in range(5):
            scene.ask("hello")
        scene.command("clear")
        scene.command("system")
        await scene.outcome(number * 5)
    await scene.bot.all_delivered()

    gc.collect()
    assert [one for one in _of_turns() if not any(one is other for other in before)] == []
    store = scene.bot._connection._view_store
    assert store._views == {}
    assert store._synced_message_views == {}
    names = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]  # type: ignore[union-attr]  # coroutines
    assert not [name for name in names if name.startswith(("Editor.", "TurnView", "SessionRunners."))]
