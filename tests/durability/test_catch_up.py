"""What is said while nobody listens is answered later: once, in order, by the same rules, and within bounds."""

import asyncio
from functools import partial

import discord
import pytest

from programs.discord.ids import session_id
from programs.discord.incoming import history
from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, RANDOM_ID
from tests.programs.discord.scene import MENTION, Scene, people_said
from tests.waiting import patience


async def test_what_was_said_while_away_is_answered_in_order(settled: Scene) -> None:
    """Messages of several channels and a DM, written while the bot was stopped, are answered at its next start."""
    scene = settled
    private = scene.playground.people.open_dm(ADA_ID)
    scene.say("hello", channel=private.id)
    await scene.outcome(channel=private.id)
    await scene.stop()
    scene.ask("one")
    scene.ask("two")
    scene.ask("elsewhere", channel=RANDOM_ID)
    scene.say("psst", channel=private.id)

    await scene.start()

    await scene.outcome(2)
    asked = [people_said(request)[-1] for request in scene.model.requests]
    assert [text for text in asked if text in ("one", "two")] == ["one", "two"]
    await scene.outcome(channel=RANDOM_ID)
    await scene.outcome(2, channel=private.id)
    await scene.restart()
    assert len(scene.outcomes()) == 2
    assert len(scene.model.requests) == 5


async def test_only_what_would_have_been_answered_is(settled: Scene) -> None:
    """What names nobody, and what was answered before, is read and left alone."""
    scene = settled
    scene.ask("before")
    await scene.outcome()
    await scene.stop()
    scene.say("just talking")
    scene.ask("to you", by=GRACE_ID)

    await scene.start()

    await scene.outcome(2)
    assert [people_said(request)[-1] for request in scene.model.requests] == ["before", "to you"]


async def test_what_comes_live_waits_for_what_was_missed(settled: Scene) -> None:
    """A message that is written while the bot catches up is answered after those it missed."""
    scene = settled
    await scene.stop()
    scene.ask("first")
    scene.ask("second")
    reading = scene.playground.faults.plan("delay", "GET", "/channels/{channel_id}/messages")
    await scene.start()
    await reading.reached()
    scene.ask("third")
    reading.release()

    await scene.outcome(3)

    assert [people_said(request)[-1] for request in scene.model.requests] == ["first", "second", "third"]


async def test_a_thread_made_while_away_is_read_from_its_beginning(settled: Scene) -> None:
    """What is new since the last look has no cursor; in it everything counts as missed."""
    scene = settled
    scene.ask("before")
    await scene.outcome()
    await scene.stop()
    thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "Made meanwhile")
    scene.ask("in here", channel=thread.id)

    await scene.start()

    await scene.outcome(channel=thread.id)
    assert people_said(scene.model.requests[-1]) == ["in here"]


async def test_first_contact_answers_nothing_old(unstarted: Scene) -> None:
    """A bot that is new to a server does not answer what was said before it came."""
    unstarted.ask("long ago")

    scene = await unstarted.start()
    scene.ask("now")

    await scene.outcome()
    assert [people_said(request)[-1] for request in scene.model.requests] == ["now"]


async def test_an_event_that_never_came_is_found(settled: Scene) -> None:
    """Discord may lose an event; in a channel that is active the message is found at the next look, and once."""
    scene = settled
    scene.ask("heard")
    await scene.outcome()
    scene.playground.gateway.lose("MESSAGE_CREATE")
    scene.ask("never told")

    await scene.bot.check()

    await scene.outcome(2)
    await scene.bot.check()
    assert [people_said(request)[-1] for request in scene.model.requests] == ["heard", "never told"]


async def test_a_session_that_cannot_be_resumed_loses_nothing(settled: Scene) -> None:
    """After op 9 the bot identifies anew and reads what was said in between."""
    scene = settled
    scene.ask("before")
    await scene.outcome()
    scene.playground.gateway.invalidate()
    scene.ask("in between")

    await scene.outcome(2)

    assert [people_said(request)[-1] for request in scene.model.requests] == ["before", "in between"]


async def test_what_is_replayed_and_read_back_is_answered_once_and_in_order(settled: Scene) -> None:
    """After RESUME the events that were missed and a look at the channel bring the same messages: the gate takes one.

    They are more than are caught up with after a restart: what Discord replays was heard, and is not called missed.
    """
    scene, gateway = settled, settled.playground.gateway
    scene.ask("before")
    await scene.outcome()
    identified = gateway.start_limit()["remaining"]
    gateway.drop()
    questions = [f"question {number}" for number in range(history.Bounds.turns + 5)]
    for question in questions:
        scene.ask(question)

    async with patience("the connection to be resumed"):
        await scene.bot.wait_for("resumed")
    await asyncio.gather(*(scene.bot.check() for _ in range(3)))

    await scene.outcome(1 + len(questions))
    assert gateway.start_limit()["remaining"] == identified
    assert [people_said(request)[-1] for request in scene.model.requests] == ["before", *questions]
    assert not any("offline" in message.content for message in scene.shown())


async def test_an_event_told_twice_is_answered_once(settled: Scene) -> None:
    """The gate lets a message through once, however often it is told."""
    scene = settled
    scene.ask("once")
    await scene.outcome()
    scene.playground.gateway.repeat("MESSAGE_CREATE")
    scene.ask("again")

    await scene.outcome(2)

    assert [people_said(request)[-1] for request in scene.model.requests] == ["once", "again"]


async def test_more_than_the_bound_gets_one_notice(settled: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many missed messages the newest are answered; the others get one notice between them, and only once."""
    scene = settled
    await scene.stop()
    for number in range(5):
        scene.ask(f"question {number}")
    monkeypatch.setattr(history, "Bounds", partial(history.Bounds, turns=2))

    await scene.start()

    await scene.outcome(2)
    assert [people_said(request)[-1] for request in scene.model.requests] == ["question 3", "question 4"]
    await scene.until(lambda: any("offline" in message.content for message in scene.shown()))
    await scene.restart()
    assert sum("offline" in message.content for message in scene.shown()) == 1
    assert len(scene.model.requests) == 2


async def test_what_is_too_old_gets_one_notice(settled: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message from before the window is not answered late; its author is told."""
    scene = settled
    await scene.stop()
    asked = scene.ask("long ago")
    monkeypatch.setattr(history, "Bounds", partial(history.Bounds, seconds=-3600.0))

    await scene.start()

    notice = await scene.until(lambda: next(iter(scene.shown()), None))
    assert notice is not None
    assert "offline" in notice.content
    assert notice.reference is not None
    assert notice.reference.message_id == asked.id
    assert scene.model.requests == []


async def test_the_cursor_moves_only_by_reading(settled: Scene) -> None:
    """Live messages leave it where it is; what was before them may not have been heard."""
    scene = settled
    asked = scene.ask("hello")
    await scene.outcome()
    assert (await scene.cursors())[str(GENERAL_ID)] < asked.id

    await scene.bot.check()
    await scene.bot.caught_up()

    assert (await scene.cursors())[str(GENERAL_ID)] > asked.id


async def _until_open(scene: Scene, number: int) -> None:
    """Wait until so many turns of the channel have no outcome."""
    async with patience("so many open turns"):
        while len(await scene.app.store.turns.unfinished(session_id(GENERAL_ID))) != number:  # noqa: ASYNC110  it tells nobody
            await asyncio.sleep(0.01)


async def _until_asked(scene: Scene, text: str) -> None:
    """Wait until a question with this text waits for its turn."""
    async with patience("an edit"):
        while True:
            turns = await scene.app.store.turns.unfinished(session_id(GENERAL_ID))
            steps = await scene.app.store.turns.many([turn.id for turn in turns])
            if any(text in prompt.text for one in steps for prompt in one.state.prompts):
                return
            await asyncio.sleep(0.01)


async def test_a_question_taken_back_in_time_is_not_answered(settled: Scene) -> None:
    """A message deleted while it waits for its turn costs no model call."""
    scene, go_on = settled, asyncio.Event()
    scene.model.hold(go_on, before="One ")
    scene.ask("first")
    second = scene.ask("second")
    scene.ask("third")
    await scene.until(scene.shown)
    await _until_open(scene, 3)
    scene.playground.state.delete_message(second)
    await _until_open(scene, 2)

    go_on.set()

    await scene.outcome(2)
    assert [people_said(request)[-1] for request in scene.model.requests] == ["first", "third"]


async def test_an_edited_question_is_answered_as_it_is_now(settled: Scene) -> None:
    """An edit of a question that waits for its turn changes what the model is asked, and not how often."""
    scene, go_on = settled, asyncio.Event()
    scene.model.hold(go_on, before="One ")
    scene.ask("first")
    second = scene.ask("second")
    await scene.until(scene.shown)
    scene.playground.people.edit(GENERAL_ID, second.id, ADA_ID, f"{MENTION} something else")
    await _until_asked(scene, "something else")
    go_on.set()

    await scene.outcome(2)

    assert [people_said(request)[-1] for request in scene.model.requests] == ["first", "something else"]


async def test_a_thread_in_which_nobody_wrote_does_not_end_the_checks(settled: Scene) -> None:
    """The bot opened it and said something there itself: there is nothing to read, and the other channels are read."""
    said = asyncio.create_task(settled.bot.wait_for("message", check=lambda m: isinstance(m.channel, discord.Thread)))
    settled.command("thread", {"name": "mine"})
    thread = await settled.until(lambda: next(iter(settled.playground.state.threads(GENERAL_ID)), None))
    assert thread is not None
    async with patience("the bot to hear itself"):
        assert (await said).channel.id == thread.id

    await settled.bot.check()
