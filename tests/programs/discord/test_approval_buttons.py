"""What else people can say to a call that waits: why not, always, once more, and not to wait for it."""

from collections.abc import Callable
from typing import Any

import pytest

from llmgine.messages.chat_messages import ToolCall
from llmgine.providers.base import ChatReply
from llmgine.providers.scripted import ScriptedProvider, ScriptedReply
from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, Json, Message
from tests.programs.discord.scene import Scene, body_of, card_text, labels

PAY = ToolCall(name="pay", arguments='{"amount": 3}')
Payments = list[int]


@pytest.fixture
def paid() -> Payments:
    return []


def paying(paid: Payments) -> Callable[..., str]:
    """A tool that notes what it did."""

    def pay(amount: int) -> str:
        """Pay.

        Args:
            amount: How much.
        """
        paid.append(amount)
        return f"paid {amount}"

    return pay


def script(*replies: str | ToolCall) -> ScriptedProvider:
    """A model that says these texts and makes these calls, a reply each."""
    made: list[ScriptedReply] = [
        ChatReply(tool_calls=(one.model_copy(update={"id": f"call{number:05}"}),), finish="tool_calls", model="m")
        if isinstance(one, ToolCall)
        else one
        for number, one in enumerate(replies)
    ]
    return ScriptedProvider(made)


async def start(scene: Scene, paid: Payments, provider: ScriptedProvider, **settings: Any) -> Scene:
    """Start with a tool that asks first, and that may be approved for always."""
    asks = {"requires_approval": True, "allows_always": True}
    return await scene.start(provider=provider, tools=(paying(paid),), tool_options=asks, **settings)


async def with_button(scene: Scene, label: str, number: int = 1) -> Message:
    """Wait for so many messages with this button; gives the last of them."""
    found = await scene.until(lambda: ([m for m in scene.shown() if label in labels(m)] + [None] * number)[number - 1])
    assert found is not None
    return found


def value(card: Message) -> str:
    """What the card says of its call."""
    return card_text(card)


async def form(scene: Scene) -> Json:
    """The form that was opened."""
    return (await scene.until(lambda: [told for name, told in scene.told if name == "MODAL_OPEN"]))[0]


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_reason_is_asked_for_and_told(unstarted: Scene, paid: Payments, *, restarted: bool) -> None:
    """Deny with a reason opens a form, also to be sent after a restart; the model and the card have the reason."""
    provider = script(PAY, "I see.")
    scene = await start(unstarted, paid, provider)
    scene.ask("pay")
    card = await with_button(scene, "Deny with a reason")
    scene.click(card, "Deny with a reason")
    opened = await form(scene)
    if restarted:
        await scene.stop()
        await start(scene, paid, provider)

    scene.playground.people.submit_modal(ADA_ID, int(opened["modal_id"]), {"reason": "Too much, `@everyone`"})

    await scene.outcome()
    assert paid == []
    assert "The reason given: Too much" in provider.requests[-1].messages[-1].content
    assert "denied by" in value(card)
    assert "Too much, ˋ@everyoneˋ" in value(card)


async def test_always_needs_no_more_asking(unstarted: Scene, paid: Payments) -> None:
    """Approved for always, the asker's next call runs at once; another person's asks."""
    scene = await start(unstarted, paid, script(PAY, "Paid.", PAY, "Paid again.", PAY, "And again."))
    scene.ask("pay")
    card = await with_button(scene, "Always")

    scene.click(card, "Always")

    await scene.outcome()
    assert "always approved here" in value(card)
    scene.ask("pay again")
    await scene.outcome(2)
    assert paid == [3, 3]
    scene.ask("pay for me", by=GRACE_ID)
    scene.click(await with_button(scene, "Deny"), "Deny", by=GRACE_ID)
    await scene.outcome(3)
    assert paid == [3, 3]


async def test_what_expired_can_be_asked_again(unstarted: Scene, paid: Payments) -> None:
    """An expired call says so and has Ask again: pressed twice, the model is told once to make the call anew."""
    provider = script(PAY, "Nobody came.", PAY, "Paid.")
    scene = await start(unstarted, paid, provider, approval_timeout=1)
    scene.ask("pay")
    await scene.outcome()
    card = await scene.card()
    assert "expired, not run" in value(card)
    await scene.stop()
    await start(scene, paid, provider)

    scene.click(card, "Ask again")
    scene.click(card, "Ask again")

    scene.click(await with_button(scene, "Approve"), "Approve")
    await scene.outcome(2)
    assert paid == [3]
    await scene.until(lambda: any("already asked again" in one.content for one in scene.private(ADA_ID)))


async def test_those_behind_a_waiting_call_are_told(unstarted: Scene, paid: Payments) -> None:
    """One notice per waiting turn, however many wait, over a restart; it goes when the call is decided."""
    provider = script(PAY, "Paid.", "Second.", "Third.")
    scene = await start(unstarted, paid, provider)
    scene.ask("pay")
    card = await with_button(scene, "Approve")
    scene.ask("second", by=GRACE_ID)
    notice = await with_button(scene, "Skip")
    assert f"Waiting for <@{ADA_ID}> or a moderator to approve `pay`" in notice.content
    scene.ask("third", by=GRACE_ID)
    await scene.stop()
    await start(scene, paid, provider)
    await scene.until(lambda: scene.playground.state.bot_online)

    scene.click(card, "Approve")

    await scene.outcome(3)
    assert paid == [3]
    assert [m for m in scene.shown() if "Waiting for" in m.content] == []
    assert len([one for one in scene.history if one.content.startswith("-# ✋")]) >= 1
    assert len({one.id for one in scene.history if one.content.startswith("-# ✋")}) == 1


async def test_skip_ends_the_wait(unstarted: Scene, paid: Payments) -> None:
    """The asker or a moderator skips the waiting turn, nobody else; the next question is answered."""
    scene = await start(unstarted, paid, script(PAY, "Second."))
    scene.no_moderators()
    scene.ask("pay")
    await with_button(scene, "Approve")
    scene.ask("second", by=GRACE_ID)
    notice = await with_button(scene, "Skip")

    scene.click(notice, "Skip", by=GRACE_ID)
    await scene.until(lambda: scene.private(GRACE_ID))
    assert [one.content for one in scene.private(GRACE_ID)] == ["Only Ada or a moderator can do this."]
    scene.click(notice, "Skip")

    assert body_of((await scene.outcome(2)).content) == "Second."
    assert paid == []
    assert body_of(notice.content) == "⏹️ Stopped."  # what was waited for has ended, where it said so


async def test_an_old_card_decides_nothing_new(unstarted: Scene, paid: Payments) -> None:
    """A button of an earlier attempt's card does not approve the call of the present one."""
    scene = await start(unstarted, paid, script(PAY, "Denied.", ToolCall(name="pay", arguments='{"amount": 900}'), "."))
    scene.ask("pay")
    card = await with_button(scene, "Approve")
    old = [dict(row) for row in card.components]
    approve = old[0]["components"][0]["custom_id"]
    scene.click(card, "Deny")
    scene.click(await scene.outcome(), "Regenerate")
    await scene.until(lambda: card.embeds and "900" in value(card))
    card.components = old

    scene.playground.people.click(GENERAL_ID, ADA_ID, card.id, approve)

    await scene.until(lambda: scene.private(ADA_ID))
    assert "already done" in scene.private(ADA_ID)[0].content
    assert paid == []
