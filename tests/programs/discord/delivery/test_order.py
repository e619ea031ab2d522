"""The parts of an answer keep their order: messages too old, messages deleted, edits that wait."""

import time
from collections.abc import AsyncIterator

import pytest

from programs.discord.delivery.notices import LATE
from programs.playground.server import Playground
from tests.programs.discord.delivery.delivery_scene import (
    EDIT,
    Sleep,
    answered_anew,
    before_long,
    bodies,
    delivered,
    marked,
    refuse_edits,
    reword,
    soon,
    stages,
    too_old,
)
from tests.programs.discord.scene import ROOMY, Scene


async def test_the_order_holds_when_a_message_grows_too_old(unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Discord takes no more edits of a message while its answer streams on below it: the order holds."""
    scene = await unstarted.start()
    go_on, end = stages(scene, marked("one"), "\n\n" + marked("two"), "\n\nthe end")
    scene.ask("tell me")
    (first,) = await soon(scene, scene.shown)
    refuse_edits(monkeypatch, lambda message, _form: too_old() if message is first else None)
    go_on.set()
    await soon(scene, lambda: any("two" in message.content for message in scene.shown()))
    end.set()

    await soon(scene, scene.outcomes)

    await delivered(scene)
    assert bodies(scene) == ["one", "two"]


class TestAnHour:
    """With clocks that the test moves: the playground's, and the bot's."""

    @pytest.fixture
    def now(self) -> list[float]:
        return [time.time()]

    @pytest.fixture
    async def playground(self, now: list[float]) -> AsyncIterator[Playground]:
        async with Playground(rules=ROOMY, clock=lambda: now[0]) as running:
            yield running

    async def test_the_order_holds_when_time_makes_a_message_too_old(self, unstarted: Scene, now: list[float]) -> None:
        """An answer whose model thinks for over an hour between two messages is in order."""
        scene = await unstarted.start(bot={"clock": lambda: now[0]})
        go_on, end = stages(scene, marked("one"), "\n\n" + marked("two"), "\n\nthe end")
        scene.ask("tell me")
        await soon(scene, scene.shown)
        now[0] += 3_700.0
        go_on.set()
        await soon(scene, lambda: any("two" in message.content for message in scene.shown()))
        end.set()

        await soon(scene, scene.outcomes)

        await delivered(scene)
        assert bodies(scene) == ["one", "two"]


@pytest.mark.parametrize("number", [0, 1])
async def test_the_order_holds_when_a_final_edit_is_too_late(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """An answer that is regenerated keeps its order, whichever of its messages is too old for the final edit."""
    scene.model.reply(marked("one", "two"))
    asked = scene.ask("tell me")
    await scene.outcome()
    old = scene.shown()[number]
    refuse_edits(
        monkeypatch, lambda message, form: too_old() if message is old and "new" in (form.content or "") else None
    )
    scene.model.reply(marked("new one", "new two"))

    reword(scene, asked)

    await answered_anew(scene, asked)
    assert bodies(scene) == ["new one", "new two"]


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_the_order_holds_after_a_deletion(scene: Scene, number: int) -> None:
    """Somebody deletes one of several messages, and the question is edited: the new answer is in order."""
    scene.model.reply(marked("one", "two", "three"))
    asked = scene.ask("tell me")
    await scene.outcome()
    scene.playground.state.delete_message(scene.shown()[number])
    scene.model.reply(marked("new one", "new two", "new three"))

    reword(scene, asked)

    await answered_anew(scene, asked)
    assert bodies(scene) == ["new one", "new two", "new three"]


@pytest.mark.parametrize("speed", ["fast", "slow"])
async def test_the_order_holds_while_an_edit_waits(unstarted: Scene, speed: str) -> None:
    """An edit waits 45 s for a 429 while the answer goes on below: the order holds, however fast the model is."""
    scene = await unstarted.start(bot={"sleep": (sleep := Sleep())})
    limited = scene.playground.faults.plan("rate_limit", *EDIT, retry_after=45)
    grow, go_on, end = stages(scene, "one\n", marked("")[1:], "\n\n" + marked("two"), "\n\nthe end")
    scene.ask("tell me")
    await soon(scene, scene.shown)
    grow.set()
    await before_long(lambda: sleep.asked)
    go_on.set()
    await soon(scene, lambda: len(scene.shown()) == 2)
    if speed == "slow":
        sleep.over.set()
    end.set()

    await scene.outcome()
    sleep.over.set()

    assert limited.spent
    assert [first for first in bodies(scene) if first != str(LATE)] == ["one", "two"]
