"""An edit is asked again, a deletion is forgotten: by the events of Discord, for messages of any age."""

import asyncio

from programs.discord.delivery.rendering import AGAIN
from programs.discord.ids import SOURCE
from programs.playground.entities import GENERAL_ID, Message
from tests.programs.discord.scene import MENTION, Scene, body_of, people_said
from tests.waiting import patience

LONG = "\n\n".join(f"Paragraph {number}. " + "word " * 60 for number in range(14))


def edit(scene: Scene, message: Message, text: str) -> None:
    """Its author changes a message."""
    scene.playground.people.edit(message.channel_id, message.id, message.author_id, text)


def delete(scene: Scene, message: Message) -> None:
    """Its author deletes a message."""
    scene.playground.people.delete(message.channel_id, message.id, message.author_id)


async def shows(scene: Scene, *texts: str) -> None:
    """Wait until the bot's messages are outcomes with these texts, and the store knows that they are shown."""
    await scene.until(lambda: [body_of(one.content) for one in scene.outcomes()] == [*texts])
    await scene.delivered()
    assert scene.shown() == scene.outcomes()


async def at_rest(scene: Scene) -> None:
    """Wait until everything that was heard is dealt with."""
    async with patience("the feeds and the bus to be idle"):
        await scene.bot.caught_up()
        await scene.app.bus.wait_until_idle()


async def test_an_edit_is_answered_in_place(scene: Scene) -> None:
    """The old answer gives way to the new one in its own messages; one too many goes."""
    scene.model.reply(LONG)
    asked = scene.ask("tell me much")
    await scene.outcome()
    first = scene.shown()[0].id
    assert len(scene.shown()) > 1

    scene.model.reply("Less.")
    edit(scene, asked, f"{MENTION} tell me less")

    await shows(scene, "Less.")
    assert scene.shown()[0].id == first
    assert people_said(scene.model.requests[-1]) == ["tell me less"]


async def test_the_old_answer_is_marked_while_the_new_one_is_made(scene: Scene) -> None:
    """Until the model says its first word, small print says that it is being answered again."""
    go_on = asyncio.Event()
    asked = scene.ask("one")
    await scene.outcome()
    scene.model.hold(go_on, silent=True, after="Two.")

    edit(scene, asked, f"{MENTION} two")

    await scene.until(lambda: scene.shown()[0].content == str(AGAIN))
    go_on.set()
    await shows(scene, "Two.")


async def test_an_edit_of_an_old_question_after_a_restart(scene: Scene) -> None:
    """No memory of discord.py's is needed: the bot that started since answers it, with what was said before it."""
    scene.ask("one")
    await scene.outcome()
    asked = scene.ask("two")
    await scene.outcome(2)
    scene.ask("three")
    await scene.outcome(3)
    await scene.restart()

    edit(scene, asked, f"{MENTION} two, I mean")

    await scene.until(lambda: "two, I mean" in scene.shown()[1].content and len(scene.outcomes()) == 3)
    await scene.delivered()
    assert people_said(scene.model.requests[-1]) == ["one", "two, I mean"]
    assert len(scene.shown()) == 3


async def test_an_edit_while_it_is_answered(scene: Scene) -> None:
    """The answer under way is given up; its message becomes the answer to the new text."""
    never = asyncio.Event()
    scene.model.hold(never, before="I thi")
    asked = scene.ask("one")
    await scene.until(lambda: scene.shown() and scene.shown()[0].content == "I thi")
    scene.model.reply("Better.")

    edit(scene, asked, f"{MENTION} two")

    await shows(scene, "Better.")
    assert len(scene.outcomes()) == 1
    await scene.model.until(lambda: scene.model.aborted == 1)
    never.set()


async def test_an_edit_while_its_first_part_is_on_the_way(scene: Scene) -> None:
    """A message that Discord has and nobody wrote down yet is found and edited, not left over."""
    never = asyncio.Event()
    scene.playground.faults.plan("delay", "POST", "/channels/{channel_id}/messages", seconds=0.3)
    scene.model.hold(never, before="I thi")
    asked = scene.ask("one")
    await scene.until(scene.sends)
    scene.model.reply("Better.")

    edit(scene, asked, f"{MENTION} two")

    await shows(scene, "Better.")
    never.set()


async def test_what_changes_nothing_is_not_answered_again(scene: Scene) -> None:
    """A preview of a link, a pin, the same text again, and taking the mention away leave the answer as it is."""
    asked = scene.ask("one")
    await scene.outcome()

    scene.playground.state.update_message(asked)
    edit(scene, asked, f"{MENTION} one")
    edit(scene, asked, "one, but not for you")
    await at_rest(scene)

    scene.ask("two")
    await scene.outcome(2)
    assert [people_said(request) for request in scene.model.requests] == [["one"], ["one", "two"]]


async def test_an_edit_of_a_reply_to_what_is_gone(scene: Scene) -> None:
    """A question that is one because of what it replies to is answered in its new words when that is gone by then."""
    first = scene.ask("one")
    asked = scene.say("two", reply_to=(await scene.outcome()).id)
    await scene.outcome(2)
    delete(scene, first)
    await shows(scene, "You said: two")

    edit(scene, asked, "two, I mean")

    await scene.until(lambda: "two, I mean" in scene.shown()[0].content)


async def test_the_same_edit_told_twice_runs_once(scene: Scene) -> None:
    """Discord may tell of an edit again after a reconnect."""
    asked = scene.ask("one")
    await scene.outcome()

    edit(scene, asked, f"{MENTION} two")
    scene.playground.gateway.repeat("MESSAGE_UPDATE")

    await scene.until(lambda: scene.shown()[0].content.startswith("You said: two"))
    await at_rest(scene)
    assert len(scene.model.requests) == 2


async def test_an_edit_that_adds_the_mention_is_a_question(scene: Scene) -> None:
    """What was not for the bot is, from then on."""
    said = scene.say("what is it?")
    await at_rest(scene)
    assert scene.model.requests == []

    edit(scene, said, f"{MENTION} what is it?")

    outcome = await scene.outcome()
    assert outcome.reference is not None
    assert outcome.reference.message_id == said.id


async def test_an_edit_while_the_bot_was_away(scene: Scene) -> None:
    """On coming back it sees that a question it had answered was changed, also one that it had read before."""
    await scene.bot.caught_up()
    asked = scene.ask("one")
    await scene.outcome()
    await scene.bot.check()
    await scene.stop()
    edit(scene, asked, f"{MENTION} two")

    await scene.start()

    await scene.until(lambda: scene.outcomes() and "two" in scene.outcomes()[0].content)
    await scene.delivered()
    assert len(scene.shown()) == 1


async def test_a_deletion_while_the_bot_was_away(scene: Scene) -> None:
    """On coming back it forgets what was taken back meanwhile, and nothing else."""
    scene.ask("one")
    await scene.outcome()
    asked = scene.ask("two")
    await scene.outcome(2)
    await scene.stop()
    delete(scene, asked)

    await scene.start()

    await scene.until(lambda: len(scene.shown()) == 1)
    assert "one" in scene.shown()[0].content


async def test_a_deleted_question_is_forgotten(scene: Scene) -> None:
    """Its answer goes, and the model is told nothing of it any more."""
    asked = scene.ask("my secret")
    await scene.outcome()

    delete(scene, asked)

    await scene.until(lambda: not scene.shown())
    scene.ask("hello")
    await scene.outcome()
    assert people_said(scene.model.requests[-1]) == ["hello"]


async def test_a_question_deleted_while_it_is_answered(scene: Scene) -> None:
    """The model is asked no further, and what was shown goes."""
    never = asyncio.Event()
    scene.model.hold(never, before="I thi")
    asked = scene.ask("one")
    await scene.until(scene.shown)

    delete(scene, asked)

    await scene.until(lambda: not scene.shown())
    await scene.model.until(lambda: scene.model.aborted == 1)
    never.set()
    assert await scene.app.store.turns.history(f"{SOURCE}:{GENERAL_ID}") == []


async def test_many_deleted_at_once(scene: Scene) -> None:
    """A moderator's purge is as many deletions, also after a restart."""
    asked = []
    for number in range(3):
        asked.append(scene.ask(f"question {number}"))
        await scene.outcome(number + 1)
    await scene.restart()

    scene.playground.state.delete_messages(asked[:2])

    await scene.until(lambda: len(scene.shown()) == 1)
    await scene.delivered()
    assert "question 2" in scene.shown()[0].content


async def test_a_deletion_and_an_edit_of_what_never_was_a_question(scene: Scene) -> None:
    """People's other messages, and the bot's own, may come and go."""
    said = scene.say("hello all")
    edit(scene, said, "hello everybody")
    delete(scene, said)
    scene.ask("one")
    answer = await scene.outcome()
    scene.playground.state.delete_message(answer)
    await at_rest(scene)

    scene.ask("two")

    await scene.outcome()
    assert [people_said(request) for request in scene.model.requests] == [["one"], ["one", "two"]]
