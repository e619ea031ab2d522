"""Interactions that are answered too late for Discord: the person hears of it all the same, and nothing has crashed."""

import dataclasses
from collections.abc import AsyncIterator

import pytest

from programs.playground.entities import ADA_ID, RANDOM_ID
from programs.playground.server import Playground
from tests.programs.discord.scene import ROOMY, Scene

_ANSWER = ("PATCH", "/webhooks/{webhook_id}/{token}/messages/{message}")
_FOLLOW_UP = ("POST", "/webhooks/{webhook_id}/{token}")


class TestTheFirstAnswer:
    """Discord takes no first answer after three seconds: 10062."""

    @pytest.fixture
    async def playground(self) -> AsyncIterator[Playground]:
        async with Playground(rules=dataclasses.replace(ROOMY, first_answer_seconds=1e-6)) as running:
            yield running

    @pytest.mark.parametrize("name", ["stop", "thread", "settings", "clear"])
    async def test_a_command_that_is_answered_too_late(self, scene: Scene, name: str) -> None:
        """The channel is told that it took too long, once, and nobody is pinged."""
        scene.command(name)

        notice = await scene.until(lambda: next(iter(scene.shown()), None))

        assert notice is not None
        assert "took too long" in notice.content
        assert len(scene.shown()) == 1

    async def test_a_button_that_is_answered_too_late(self, scene: Scene) -> None:
        """As for a command; what the button does is not done."""
        scene.ask("hello")
        outcome = await scene.outcome()
        scene.click(outcome, "Undo")

        await scene.until(lambda: any("took too long" in message.content for message in scene.shown()))

        assert len(scene.outcomes()) == 1


class TestTheToken:
    """An interaction's token is good for fifteen minutes: 50027 after that."""

    @pytest.fixture
    async def playground(self) -> AsyncIterator[Playground]:
        async with Playground(rules=dataclasses.replace(ROOMY, token_seconds=1.0)) as running:
            running.faults.plan("delay", *_ANSWER, seconds=1.2)
            yield running

    async def test_what_was_done_is_told_by_the_channel(self, scene: Scene) -> None:
        """What everybody is to know comes as a message, when the answer itself cannot."""
        scene.command("system", {"prompt": "Be brief."})

        await scene.until(lambda: any("Be brief." in message.content for message in scene.shown()))

        assert not any("took too long" in message.content for message in scene.shown())

    async def test_what_is_for_one_person_is_not_told_to_all(self, scene: Scene) -> None:
        """The channel hears that it took too long, not what was found."""
        scene.command("settings")

        told = await scene.until(lambda: next(iter(scene.shown()), None))

        assert told is not None
        assert "took too long" in told.content
        assert told.embeds == []


async def test_a_cleared_conversation_is_told_by_the_channel(scene: Scene) -> None:
    """What all are to see is no follow-up, which could be doubled: it is a message with a nonce of its own."""
    scene.ask("hello")
    await scene.outcome()
    scene.playground.faults.plan("error", "POST", "/channels/{channel_id}/messages", status=500, committed=True)
    scene.command("clear")
    question = await scene.until(lambda: next(iter(scene.private(ADA_ID)), None))
    assert question is not None
    scene.click(question, "Clear it")

    await scene.until(lambda: any("cleared the conversation" in message.content for message in scene.shown()))
    await scene.until(lambda: any(message.content == "Done." for message in scene.private(ADA_ID)))

    assert sum("cleared the conversation" in message.content for message in scene.shown()) == 1
    assert scene.sends(*_FOLLOW_UP) == []
    assert scene.shown(RANDOM_ID) == []
