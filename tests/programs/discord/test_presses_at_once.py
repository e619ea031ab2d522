"""Presses that meet: by two people, twice by one, and of a message that changes just then."""

import asyncio

import pytest

from llmgine.messages.chat_messages import ToolCall
from llmgine.providers.base import ChatReply
from llmgine.providers.scripted import ScriptedProvider
from llmgine.sessions.clock import now
from programs.discord.ids import session_id
from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID
from tests.programs.discord.gate import Gate
from tests.programs.discord.scene import Scene, body_of, labels
from tests.programs.discord.test_approval_buttons import Payments, paid, paying, value, with_button
from tests.programs.discord.test_buttons import DONE, failures
from tests.programs.discord.test_presses import answered, kept, submit
from tests.programs.discord.test_slash import modal, told
from tests.waiting import patience

__all__ = ["paid"]

TWO = tuple(ToolCall(id=f"call{number:05}", name="pay", arguments=f'{{"amount": {number}}}') for number in (1, 2))


async def two_calls(scene: Scene, paid: Payments) -> Scene:
    """Start with a model that makes two calls at once, which both wait, and then says that it is done."""
    provider = ScriptedProvider([ChatReply(tool_calls=TWO, finish="tool_calls", model="m"), "Done."])
    await scene.start(provider=provider, tools=(paying(paid),), tool_options={"requires_approval": True})
    scene.ask("pay")
    return scene


def answers(scene: Scene) -> int:
    """How many presses Discord has an answer for."""
    return len([name for name, _ in scene.told if name == "INTERACTION_DONE"])


def looked_at(scene: Scene) -> bool:
    """Whether the bot has asked for the present state of a message that was pressed."""
    return any(one.method == "GET" and one.path.endswith("/messages/@original") for one in scene.playground.requests)


@pytest.mark.parametrize("label", ["Regenerate", "Continue", "Undo"])
@pytest.mark.parametrize("other", [ADA_ID, GRACE_ID])
async def test_what_is_pressed_twice_at_once_is_done_once(scene: Scene, label: str, other: int) -> None:
    """By one person or by two, in the same moment: there is one effect, and both presses are answered."""
    answer = await answered(scene, label)
    store = Gate(scene, "turns.get")
    store.holds = True

    scene.click(answer, label)
    async with patience("the first press"):
        await store.reached.wait()
    scene.click(answer, label, by=other)
    store.open.set()

    await scene.until(lambda: answers(scene) == 2)
    if label == "Undo":
        await scene.until(lambda: not scene.shown())
    else:
        await scene.until(lambda: [one for one in scene.outcomes() if "reached its length limit" not in one.content])
        await scene.delivered()
    await scene.app.bus.wait_until_idle()
    assert len(scene.model.requests) == (1 if label == "Undo" else 2)
    assert len(await scene.app.store.turns.history(session_id(GENERAL_ID))) == {"Undo": 0, "Continue": 2}.get(label, 1)
    assert failures(scene) == []
    assert all(labels(one) for one in scene.outcomes())


async def test_an_answer_that_ends_just_then_keeps_its_buttons(scene: Scene) -> None:
    """Stop comes too late: the person is told, and the buttons that the message has by now stay."""
    go_on = asyncio.Event()
    scene.model.hold(go_on, before="Half ", after="and whole.")
    scene.ask("talk")
    live = await with_button(scene, "Stop")
    store = Gate(scene, "turns.get")
    store.holds = True
    scene.click(live, "Stop")
    async with patience("the press"):
        await store.reached.wait()
    go_on.set()
    outcome = await scene.until(lambda: next(iter(scene.outcomes()), None))
    assert outcome is not None
    assert outcome.id == live.id

    store.open.set()

    await told(scene, "This has already ended.")
    await scene.until(lambda: looked_at(scene))  # before it takes a button away
    scene.click(outcome, "Details")
    await told(scene, "test-model")  # so what it took away is gone by now
    assert body_of(outcome.content) == "Half and whole."
    assert labels(outcome) == DONE


async def test_a_decided_call_leaves_the_others_buttons(unstarted: Scene, paid: Payments) -> None:
    """On a card that still has them, those of the decided call go, and those of the call that waits stay and work."""
    scene = await two_calls(unstarted, paid)
    card = await with_button(scene, "Approve pay 2")
    old = kept(card)
    scene.click(card, "Approve pay 1")
    await scene.until(lambda: "✅" in value(card) and "Approve" in labels(card))  # nothing more is drawn then
    card.components = old

    scene.click(card, "Deny pay 1")

    await told(scene, "already decided")
    await scene.until(lambda: "Deny pay 1" not in labels(card))
    assert "Approve pay 2" in labels(card)
    scene.click(card, "Approve pay 2")
    await scene.outcome()
    assert sorted(paid) == [1, 2]


async def test_a_reason_for_a_call_that_was_decided_meanwhile(unstarted: Scene, paid: Payments) -> None:
    """Who was still writing is told; the call has run once, and the card keeps what applies."""
    scene = await two_calls(unstarted, paid)
    card = await with_button(scene, "Approve pay 2")
    old = kept(card)
    scene.click(card, "Deny with a reason")
    form = await modal(scene)
    scene.click(card, "Approve pay 1", by=GRACE_ID)
    await scene.until(lambda: "✅" in value(card) and "Approve" in labels(card))
    card.components = old

    submit(scene, form, "Too much.")

    await told(scene, "already decided")
    await scene.until(lambda: "Deny pay 1" not in labels(card))
    scene.click(card, "Deny pay 2")
    await scene.outcome()
    assert paid == [1]


@pytest.mark.parametrize("failing", ["the store", "the gate"])
async def test_a_public_answer_that_fails_leaves_nothing_public(scene: Scene, failing: str) -> None:
    """Everybody saw that the bot thinks about a question; when it fails only the person reads why."""
    message = scene.say("something", by=GRACE_ID)
    scene.playground.people.command(GENERAL_ID, ADA_ID, "Ask about this", target_id=message.id)
    form = await modal(scene)
    if failing == "the store":
        Gate(scene, "turns.admit").failures = 1
    else:
        await scene.app.store.settings.change(session_id(GENERAL_ID), "listen", "off", None, now())

    submit(scene, form, "Why?")

    await told(scene, "failed" if failing == "the store" else "switched off")
    assert scene.shown() == []
    assert scene.model.requests == []
