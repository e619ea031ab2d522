"""A model that is down, busy, cut off or talks nonsense: a clear notice each time, and the next message works."""

import asyncio
import json

import pytest

from tests.chat_completions import ChatCompletionsServer, Exchange
from tests.programs.discord.scene import Scene, body_of

TRIES = 4
TRIES_OF_AN_EMPTY_ANSWER = 2


def down(model: ChatCompletionsServer) -> None:
    for _ in range(TRIES):
        model.fail(500)


def busy(model: ChatCompletionsServer) -> None:
    for _ in range(TRIES):
        model.fail(429, {"error": {"message": "slow down"}}, {"Retry-After": "0"})


def no_quota(model: ChatCompletionsServer) -> None:
    model.fail(429, {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}})


def refused(model: ChatCompletionsServer) -> None:
    model.fail(401, {"error": {"message": "Incorrect API key provided"}})


def cut(model: ChatCompletionsServer) -> None:
    model.cut("Half of an ")


def dropped(model: ChatCompletionsServer) -> None:
    model.cut("Half of an ", reset=True)


def html(model: ChatCompletionsServer) -> None:
    for _ in range(TRIES):
        model.html()


def no_choices(model: ChatCompletionsServer) -> None:
    for _ in range(TRIES_OF_AN_EMPTY_ANSWER):
        model.chunks([{"choices": []}])


def broken_json(model: ChatCompletionsServer) -> None:
    for _ in range(TRIES):
        model.chunks(['{"choices": [{"delta": {"content": "x'])


def nothing(model: ChatCompletionsServer) -> None:
    for _ in range(TRIES_OF_AN_EMPTY_ANSWER):
        model.reply("")


def endless_words(model: ChatCompletionsServer) -> None:
    model.fail(400, {"error": {"message": "no @everyone " * 1_000}})


FAULTS = [down, busy, no_quota, refused, cut, dropped, html, no_choices, broken_json, nothing, endless_words]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_a_fault_is_told_and_the_talk_goes_on(scene: Scene, fault: object) -> None:
    """Whatever the model's service does, the person sees one notice that says so, and is answered the next time."""
    assert callable(fault)
    fault(scene.model)
    scene.ask("hello")

    outcome = await scene.outcome()

    assert "⚠️ " in outcome.content
    assert len(body_of(outcome.content)) > 20
    assert outcome.mention_everyone is False
    scene.model.reply("Back again.")
    scene.ask("hello again")
    assert body_of((await scene.outcome(2)).content) == "Back again."


async def test_what_came_before_a_cut_stays(scene: Scene) -> None:
    """The text that came before the reply broke off is kept, and the notice stands below it."""
    scene.model.cut("Half of an ")
    scene.ask("hello")
    await scene.outcome()

    first, second = scene.shown()
    assert first.content == "Half of an"
    assert second.content.startswith("⚠️ ")


async def test_a_retry_is_shown_and_goes_away(scene: Scene) -> None:
    """While the model is waited for the channel sees which try comes next; the answer takes the note's place."""
    go_on = asyncio.Event()
    scene.model.fail(429, {"error": {"message": "slow\ndown"}}, {"Retry-After": "0"})
    scene.model.hold(go_on, silent=True, after="Here I am.")
    scene.ask("hello")

    shown = await scene.until(lambda: next(iter(scene.shown()), None))
    assert shown is not None
    assert shown.content.startswith("-# ⏳ ")
    assert shown.content.endswith("(retrying in 0 s, try 2 of 4)")
    go_on.set()
    outcome = await scene.outcome()
    assert outcome.id == shown.id
    assert body_of(outcome.content) == "Here I am."
    assert len(scene.shown()) == 1


async def test_a_retry_before_a_tool_call_goes_away(scene: Scene) -> None:
    """The note of a retry does not stay above the card of a reply without text, which is the one that replies then."""
    go_on, calculated = asyncio.Event(), asyncio.Event()

    async def call(exchange: Exchange) -> object:
        await exchange.stream()
        await go_on.wait()
        await exchange.call(0, "call_0", "calculate", json.dumps({"expression": "6*7"}))
        await exchange.chunk({}, "tool_calls")
        return await exchange.end()

    scene.model.fail(500)
    scene.model.answer(call)  # type: ignore[arg-type]  # it answers with what `end` gives
    scene.model.hold(calculated, silent=True, after="42")
    asked = scene.ask("hello")
    await scene.until(lambda: any("try 2 of 4" in message.content for message in scene.shown()))
    go_on.set()

    await scene.card()
    await scene.until(lambda: not any("try 2 of 4" in message.content for message in scene.shown()))
    calculated.set()

    await scene.outcome()
    card, answer = scene.shown()
    assert card.reference is not None
    assert card.reference.message_id == asked.id
    assert answer.reference is None


async def test_a_failed_turn_does_not_stop_the_ones_behind(scene: Scene) -> None:
    """Turns that wait behind a failing one are run after it, in order."""
    scene.model.fail(400, {"error": {"message": "no"}})
    for number in range(3):
        scene.ask(f"question {number}")

    await scene.outcome(3)

    first, *others = scene.shown()
    assert first.content.startswith("⚠️ ")
    assert [f"question {number}" in other.content for number, other in enumerate(others, 1)] == [True, True]
