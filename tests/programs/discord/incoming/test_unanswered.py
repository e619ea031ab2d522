"""What people are told of messages that are not answered, where Discord takes no words."""

import asyncio

import pytest

from programs.discord.delivery.notices import CANNOT_STORE
from programs.playground.entities import BOT_ID, GRACE_ID
from programs.playground.errors import ApiError
from tests.programs.discord.delivery.delivery_scene import refuse_posts
from tests.programs.discord.gate import Gate
from tests.programs.discord.scene import Scene

FORBIDDEN = ApiError(400, 200000, "Message was blocked by automatic moderation")


async def test_what_was_missed_is_told_by_a_sign_where_the_rules_forbid_the_notice(
    settled: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the server's rules do not take the notice on what was missed, its message gets a sign in place of it."""
    scene = settled
    await scene.stop()
    missed = [scene.ask(f"question {number}") for number in range(12)]
    refuse_posts(monkeypatch, lambda form, _files: FORBIDDEN if "offline" in (form.content or "") else None)

    await scene.start()

    await scene.until(lambda: BOT_ID in missed[1].reactions.get("❌", ()))
    scene.playground.violations.clear()  # the refusal is the test's, not Discord's


async def answering(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a question answered, beside which no other one may wait."""
    monkeypatch.setattr("llmgine.sessions.operations.turns.MAX_OPEN", 1)
    scene.model.hold(asyncio.Event())
    scene.ask("hello")
    await scene.until(lambda: bool(scene.model.requests))


async def test_a_message_that_is_refused_gets_a_sign_where_the_rules_forbid_the_reason(
    settled: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the server's rules do not take the reason why a message is not answered, it gets a sign in place of it."""
    scene = settled
    await answering(scene, monkeypatch)
    refuse_posts(monkeypatch, lambda form, _files: FORBIDDEN if "process this" in (form.content or "") else None)

    asked = scene.ask("one too many", by=GRACE_ID)

    await scene.until(lambda: BOT_ID in asked.reactions.get("❌", ()))
    scene.playground.violations.clear()  # the refusal is the test's, not Discord's


async def test_a_refusal_is_told_though_the_store_failed_before(
    settled: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A message that could not be stored, and then is refused, gets both notices."""
    scene = settled
    await answering(scene, monkeypatch)
    gate = Gate(scene, "turns.admit")
    gate.failures = 1

    scene.ask("one too many", by=GRACE_ID)

    await scene.until(lambda: any("process this" in message.content for message in scene.shown()))
    assert str(CANNOT_STORE) in [message.content for message in scene.shown()]
    caplog.clear()  # that nothing could be stored was logged, as it should be
