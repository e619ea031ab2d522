"""What goes first when requests have to wait: answers before previews, and both before courtesies."""

import asyncio

import pytest

from llmgine.sessions.clock import now
from programs.discord.delivery import channel_delivery, thinking_line
from programs.discord.delivery.bodies import is_courtesy
from programs.discord.delivery.importance import importance_of
from programs.discord.delivery.next_steps import Edit, Step
from programs.discord.rate_limiter import Importance, RateLimiter, Ticket
from programs.playground.entities import GENERAL_ID, GRACE_ID
from tests.programs.discord.delivery.delivery_scene import before_long, soon, stages
from tests.programs.discord.scene import Scene, body_of
from tests.programs.discord.test_settings import set_here

NEVER = 86_400.0  # seconds


async def started(unstarted: Scene, *, interval: float = 0.05) -> Scene:
    """A scene without signs, whose channel was heard before, so that nothing of it has to be read."""
    scene = await unstarted.start(bot={"reaction_delay": NEVER}, interval=interval)
    await scene.app.store.settings.change(f"discord:{GENERAL_ID}", "context", "off", None, now())
    scene.ask("hello")
    await scene.outcome()
    await scene.delivered()
    return scene


def tickets(scene: Scene) -> list[Ticket]:
    """The tickets that the bot asks its limiter for, from now on."""
    found: list[Ticket] = []
    limiter = scene.bot.limiter
    ticket = limiter.ticket

    def noted(importance: Importance) -> Ticket:
        found.append(ticket(importance))
        return found[-1]

    limiter.ticket = noted  # type: ignore[method-assign]  # it is only looked at
    return found


async def test_a_preview_gives_way_and_an_answer_does_not(unstarted: Scene) -> None:
    """The first text and the final one are asked for as what people wait for, the text in between as a preview."""
    scene = await started(unstarted)
    more, end = stages(scene, "One ", "two ", "three.")
    asked = tickets(scene)
    scene.ask("count")
    message = (await soon(scene, lambda: scene.shown()[1:]))[0]
    assert [one.importance for one in asked if one.importance is not Importance.COURTESY] == [Importance.FIRST]
    asked.clear()

    more.set()
    await soon(scene, lambda: message.content == "One two")
    assert {one.importance for one in asked} - {Importance.COURTESY} == {Importance.PREVIEW}
    asked.clear()
    end.set()
    await scene.outcome(2)

    assert Importance.FIRST in {one.importance for one in asked}
    assert body_of(message.content) == "One two three."


async def test_a_final_text_overtakes_its_preview(unstarted: Scene) -> None:
    """A preview that waits for its turn becomes one of the first requests when the text under it is final."""
    scene = await started(unstarted)
    more, end = stages(scene, "One ", "two ", "three.")
    scene.ask("count")
    await soon(scene, lambda: scene.shown()[1:])
    asked = tickets(scene)
    scene.bot.limiter._saved, scene.bot.limiter._rate = 0.0, 0.001  # nothing may be asked for a while

    more.set()
    await before_long(lambda: any(one.importance is Importance.PREVIEW for one in asked))
    end.set()
    await before_long(lambda: not any(one.importance is Importance.PREVIEW for one in asked))

    scene.bot.limiter._saved, scene.bot.limiter._rate = 0.0, 45.0
    scene.bot.limiter._wake()
    await scene.outcome(2)


async def test_typing_is_a_courtesy(unstarted: Scene) -> None:
    """That the bot is typing is told only when nothing else is to be done."""
    scene = await started(unstarted)
    (end,) = stages(scene, "", "Done.")
    asked = tickets(scene)
    scene.ask("think")

    await soon(scene, lambda: len(scene.sends("POST", "/channels/{channel_id}/typing")) == 2)

    assert {one.importance for one in asked} == {Importance.COURTESY}
    end.set()
    await scene.outcome(2)


async def test_a_final_text_does_not_wait_for_the_interval(unstarted: Scene) -> None:
    """However far apart previews are, the final text is shown at once."""
    scene = await started(unstarted, interval=NEVER)
    (end,) = stages(scene, "One ", "two.")
    scene.ask("count")
    await soon(scene, lambda: scene.shown()[1:])

    end.set()

    assert body_of((await scene.outcome(2)).content) == "One two."


async def test_the_line_of_a_model_that_thinks_is_a_courtesy(unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for like typing is; the words that come meanwhile take its ticket to the front."""
    monkeypatch.setattr(thinking_line, "AFTER", 0.05)
    scene = await started(unstarted)
    (end,) = stages(scene, "", "The answer.")
    limiter, held, asked = scene.bot.limiter, list[Ticket](), list[Importance]()
    ticket = limiter.ticket

    def weighed(step: Step) -> Importance:
        asked.append(importance_of(step))
        return asked[-1]

    monkeypatch.setattr(channel_delivery, "importance_of", weighed)

    def noted(importance: Importance) -> Ticket:
        if importance is not Importance.COURTESY:
            return ticket(importance)
        held.append(Ticket(importance))  # it is never called by itself
        return held[-1]

    limiter.ticket = noted  # type: ignore[method-assign]  # courtesies wait
    scene.ask("think")
    await before_long(lambda: Importance.COURTESY in asked)
    assert len(scene.shown()) == 1
    end.set()

    assert body_of((await scene.outcome(2)).content) == "The answer."
    assert Importance.FIRST in {one.importance for one in held}
    assert not any("Thinking" in shown.content for shown in scene.history)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line of a model that thinks comes soon, and counts fast."""
    monkeypatch.setattr(thinking_line, "AFTER", 0.05)
    monkeypatch.setattr(thinking_line, "EVERY", 0.1)


def without_courtesies(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on there is always something that goes before a courtesy."""
    pick = RateLimiter._next

    def without(limiter: RateLimiter) -> Ticket | None:
        kept = limiter._queues.pop(Importance.COURTESY)
        try:
            return pick(limiter)
        finally:
            limiter._queues[Importance.COURTESY] = kept

    monkeypatch.setattr(RateLimiter, "_next", without)


def weighed_steps(monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    """The steps that requests are asked for, from now on."""
    asked = list[Step]()

    def weighed(step: Step) -> Importance:
        asked.append(step)
        return importance_of(step)

    monkeypatch.setattr(channel_delivery, "importance_of", weighed)
    return asked


@pytest.mark.usefixtures("quick")
async def test_an_answer_does_not_wait_for_the_line_above_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a line is still to be posted, and the answer to somebody else's question comes below it, both come now."""
    await set_here(scene, "people", "each")
    without_courtesies(monkeypatch)
    asked = weighed_steps(monkeypatch)
    end = asyncio.Event()
    scene.model.hold(end, silent=True, after="For Ada.")
    scene.ask("think")
    await before_long(lambda: asked)
    scene.model.reply("For Grace.")
    scene.ask("quick", by=GRACE_ID)

    await soon(scene, lambda: "For Grace." in [body_of(message.content) for message in scene.shown()])

    above = scene.shown()[-2].content
    assert "Thinking" in above
    end.set()
    await scene.outcome(2)


@pytest.mark.usefixtures("quick")
async def test_a_preview_does_not_wait_for_the_seconds_of_another_line(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The edit of a line gives its place to the text of another answer that streams in."""
    await set_here(scene, "people", "each")
    end = asyncio.Event()
    scene.model.hold(end, silent=True, after="For Ada.")
    scene.ask("think")
    await soon(scene, lambda: any("Thinking" in message.content for message in scene.shown()))
    more, last = stages(scene, "One ", "two ", "three.")
    scene.ask("count", by=GRACE_ID)
    await soon(scene, lambda: scene.shown()[-1].content == "One")
    without_courtesies(monkeypatch)
    asked = weighed_steps(monkeypatch)
    await before_long(lambda: any(isinstance(step, Edit) and is_courtesy(step.part.body) for step in asked))
    more.set()

    await soon(scene, lambda: scene.shown()[-1].content == "One two")

    last.set()
    end.set()
    await scene.outcome(2)


@pytest.mark.usefixtures("quick")
async def test_the_note_of_a_bot_that_ends_is_no_courtesy(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown below a line that is one, and at once."""
    scene.model.hold(asyncio.Event(), silent=True)
    scene.ask("think")
    await soon(scene, lambda: any("Thinking" in message.content for message in scene.shown()))
    asked = weighed_steps(monkeypatch)
    await scene.stop()

    notes = [step for step in asked if isinstance(step, Edit) and step.urgent]
    assert {importance_of(step) for step in notes} == {Importance.FIRST}
    assert not any(is_courtesy(step.part.body) for step in notes)
