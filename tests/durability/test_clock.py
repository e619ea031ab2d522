"""This machine's clock is an hour wrong, or jumps by an hour: what is due is done when it is due."""

import sys
import time
from collections.abc import Callable
from datetime import datetime, tzinfo

import pytest

from programs.discord import discord_time
from programs.discord.ids import session_id
from programs.playground.entities import GENERAL_ID
from tests.programs.discord.scene import Scene, labels, people_said
from tests.waiting import patience

Jump = Callable[[float], None]
_WHOSE = ("llmgine.", "programs.discord.")


@pytest.fixture
def jump(monkeypatch: pytest.MonkeyPatch) -> Jump:
    """Sets the clock that the bot and the engine see, by so many seconds; Discord's own goes on."""
    off = [0.0]

    class Jumping(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Jumping":
            return cls.fromtimestamp(time.time() + off[0], tz)

    class JumpingTime:
        monotonic = staticmethod(time.monotonic)

        @staticmethod
        def time() -> float:
            return time.time() + off[0]

    for name, module in list(sys.modules.items()):
        if name.startswith(_WHOSE) and getattr(module, "datetime", None) is datetime:
            monkeypatch.setattr(module, "datetime", Jumping)
    monkeypatch.setattr(discord_time, "time", JumpingTime)
    return lambda seconds: off.__setitem__(0, seconds)


@pytest.mark.parametrize("seconds", [3700.0, -3700.0], ids=["ahead", "behind"])
class TestAnHour:
    """More than an hour, which is the window of catching up and the age of an old message."""

    async def test_what_was_missed_is_answered(self, unstarted: Scene, jump: Jump, seconds: float) -> None:
        """How old a message is, Discord's clock tells: nothing is too old, or still to come."""
        jump(seconds)
        scene = await unstarted.start()
        await _caught_up(scene)
        await scene.stop()
        scene.ask("while you were away")
        await scene.start()

        await scene.outcome()

        assert not any("offline" in message.content for message in scene.shown())

    async def test_messages_are_edited_in_place(self, unstarted: Scene, jump: Jump, seconds: float) -> None:
        """A message that was just posted is not taken for an old one, which would be replaced."""
        jump(seconds)
        scene = await unstarted.start()
        scene.model.reply("word " * 200)
        scene.ask("many words")

        outcome = await scene.outcome()

        assert [message.id for message in scene.shown()] == [outcome.id]
        assert len(scene.sends()) == 1

    async def test_an_approval_is_open_as_long_as_it_said(self, unstarted: Scene, jump: Jump, seconds: float) -> None:
        """While the clock jumps a call waits on, and who approves it in time is heard."""
        paid: list[int] = []

        def pay(amount: int) -> str:
            """Pay.

            Args:
                amount: How much.
            """
            paid.append(amount)
            return "Paid."

        scene = await unstarted.start(tools=(pay,), tool_options={"requires_approval": True})
        scene.model.reply(tool_calls=[("pay", '{"amount": 5}')])
        scene.ask("pay 5")
        card = await scene.until(lambda: next((m for m in scene.shown() if "Approve" in labels(m)), None))
        assert card is not None
        jump(seconds)
        scene.app.engine.changes.notify()
        scene.click(card, "Approve")

        await scene.outcome()

        assert paid == [5]

    async def test_order_and_ids_do_not_follow_the_clock(self, unstarted: Scene, jump: Jump, seconds: float) -> None:
        """Questions before, during and after the jump are answered in their order, and stay so over a restart."""
        scene = await unstarted.start()
        scene.ask("one")
        await scene.outcome()
        jump(seconds)
        scene.ask("two")
        await scene.outcome(2)
        await scene.restart()
        jump(0.0)
        scene.ask("three")
        await scene.outcome(3)

        assert [people_said(request)[-1] for request in scene.model.requests] == ["one", "two", "three"]
        assert people_said(scene.model.requests[-1]) == ["one", "two", "three"]
        turns = [steps.turn for steps in await scene.app.store.turns.history(session_id(GENERAL_ID))]
        assert [turn.seq for turn in turns] == [1, 2, 3]


async def _caught_up(scene: Scene) -> None:
    async with patience("the bot to catch up"):
        await scene.bot.caught_up()
