"""Tool calls that wait for somebody's approval."""

from functools import partial

import pytest

from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.events import ToolCallWaitingEvent
from llmgine.providers.base import ChatReply
from llmgine.providers.scripted import ScriptedProvider, ScriptedReply
from llmgine.sessions.clock import now
from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, Message, Permission
from tests.programs.discord.scene import Scene, body_of, card_text, labels

ASK = "Send an email to test@example.com with subject 'Hello' and body 'Testing the function calling capability'"


async def asked(scene: Scene, *, by: int = ADA_ID) -> Message:
    """Ask the demo model for an e-mail; the card that waits."""
    scene.ask(ASK, by=by)
    return await waiting(scene)


async def waiting(scene: Scene) -> Message:
    """A card with buttons."""
    found = await scene.until(lambda: next((m for m in scene.shown() if "Approve" in "".join(labels(m))), None))
    assert found is not None
    return found


@pytest.fixture
async def demo(unstarted: Scene) -> Scene:
    return await unstarted.start(demo=True)


def outbox(scene: Scene) -> int:
    return len(list((scene.folder / "outbox").glob("*.eml")))


async def test_a_call_waits_and_runs_when_approved(demo: Scene) -> None:
    """The card shows the whole call, who decides until when, and buttons; nothing runs until somebody approves."""
    card = await asked(demo)
    assert "test@example.com" in card_text(card)
    assert labels(card) == ["Approve", "Deny", "Deny with a reason", "Stop", "Details"]
    assert f"by <@{ADA_ID}> or a moderator · expires <t:" in card_text(card)
    assert outbox(demo) == 0

    demo.click(card, "Approve")

    outcome = await demo.outcome()
    assert outbox(demo) == 1
    assert "E-mail" in outcome.content
    assert labels(card) == []
    assert card_text(card).startswith("⚠️ **send\\_email** ")  # no mail server is configured, so nothing was sent


async def test_a_denied_call_does_not_run(demo: Scene) -> None:
    """Deny ends the call: nothing is sent, the card says who denied it, the model goes on."""
    card = await asked(demo)

    demo.click(card, "Deny")

    await demo.outcome()
    assert outbox(demo) == 0
    assert f"denied by <@{ADA_ID}>" in card_text(card)
    assert labels(card) == []


async def test_nobody_else_may_decide(demo: Scene) -> None:
    """Only who asked, or a moderator, decides; another person is told so, alone, and the call waits on."""
    demo.no_moderators()
    card = await asked(demo, by=ADA_ID)

    demo.click(card, "Approve", by=GRACE_ID)

    [told] = await demo.until(lambda: demo.private(GRACE_ID))
    assert told.content == "Only Ada or a moderator can do this."
    assert outbox(demo) == 0
    demo.click(card, "Approve", by=ADA_ID)
    await demo.outcome()
    assert outbox(demo) == 1


async def test_a_moderator_may_decide(demo: Scene) -> None:
    """Who may manage messages may decide for others."""
    card = await asked(demo, by=ADA_ID)

    demo.click(card, "Deny", by=GRACE_ID)

    await demo.outcome()
    assert f"denied by <@{GRACE_ID}>" in card_text(card)


async def test_what_the_channel_takes_away_counts(demo: Scene) -> None:
    """A moderator of the server who is none in this channel does not decide here."""
    demo.playground.admin.overwrite(GENERAL_ID, GRACE_ID, deny=Permission.MANAGE_MESSAGES)
    card = await asked(demo, by=ADA_ID)

    demo.click(card, "Approve", by=GRACE_ID)

    assert await demo.until(lambda: demo.private(GRACE_ID))
    demo.click(card, "Deny", by=ADA_ID)
    await demo.outcome()


async def test_a_double_click_counts_once(demo: Scene) -> None:
    """The first decision counts; the second person hears that it was decided."""
    card = await asked(demo)

    demo.click(card, "Approve")
    demo.click(card, "Deny", by=GRACE_ID)

    await demo.outcome()
    [told] = await demo.until(lambda: demo.private(GRACE_ID))
    assert "already decided" in told.content
    assert outbox(demo) == 1


async def test_time_runs_out(unstarted: Scene) -> None:
    """A call that nobody decides is denied at its deadline, and the card says so."""
    scene = await unstarted.start(demo=True, approval_timeout=1)
    scene.ask(ASK)

    await scene.outcome()

    card = await scene.card()
    assert "expired, not run" in card_text(card)
    assert labels(card) == ["Ask again"]
    assert outbox(scene) == 0


async def test_no_typing_while_people_are_waited_for(demo: Scene) -> None:
    """The typing indicator stops while a call waits, also when another call of the round ends meanwhile."""
    demo.ask(f"What's the weather like in Rome? And {ASK}")
    card = await waiting(demo)
    await demo.until(lambda: "✅ **get\\_weather** " in card_text(card))

    assert not demo.bot.is_typing_in(GENERAL_ID)

    demo.click(card, "Deny")
    await demo.outcome()


async def test_the_buttons_work_after_a_restart(demo: Scene) -> None:
    """A call that waited when the program ended waits on after the restart, on the same card, and runs once."""
    card = await asked(demo)
    await demo.restart(demo=True)
    await demo.until(lambda: demo.playground.state.bot_online)

    demo.click(card, "Approve")

    await demo.outcome()
    assert outbox(demo) == 1
    assert [message.id for message in demo.shown() if message.embeds] == [card.id]


async def test_a_card_that_was_deleted_is_shown_again(demo: Scene) -> None:
    """A call that waits must be seen to wait: where its card is gone after a restart, a new one has the buttons."""
    card = await asked(demo)
    await demo.stop()
    demo.playground.state.delete_message(card)

    await demo.start(demo=True)
    again = await waiting(demo)
    demo.click(again, "Approve")

    assert again.id != card.id
    await demo.outcome()
    assert outbox(demo) == 1


async def test_a_decision_on_a_forgotten_call_is_told(demo: Scene) -> None:
    """A click that comes after the conversation was cleared is answered, not lost."""
    card = await asked(demo)
    custom_id = card.components[0]["components"][0]["custom_id"]
    old = [dict(row) for row in card.components]
    demo.click(card, "Deny")
    await demo.outcome()
    await demo.app.store.sessions.clear(f"discord:{card.channel_id}", now())
    card.components = old

    demo.playground.people.click(card.channel_id, GRACE_ID, card.id, custom_id)

    [told] = await demo.until(lambda: demo.private(GRACE_ID))
    assert "forgotten or cleared" in told.content


async def test_calls_beyond_the_card_can_be_decided(unstarted: Scene) -> None:
    """Of many calls those that wait are shown and get buttons, two at a time."""

    def quick() -> str:
        """Run at once."""
        return "ok"

    def slow() -> str:
        """Run when approved."""
        return "ok"

    calls = [ToolCall(id=f"quick{n:04}", name="quick") for n in range(27)]
    calls += [ToolCall(id=f"slow{n:05}", name="slow") for n in range(3)]
    script: list[ScriptedReply] = [ChatReply(tool_calls=tuple(calls), finish="tool_calls", model="m"), "Done."]
    scene = await unstarted.start(provider=ScriptedProvider(script), tools=(quick,))
    await scene.app.engine.register_tool(slow, requires_approval=True)
    heard: list[ToolCallWaitingEvent] = []
    scene.app.bus.register_event_handler(ToolCallWaitingEvent, heard.append)
    scene.ask("go")

    for number in (28, 29, 30):
        label = "Approve" if number == 30 else f"Approve slow {number}"
        card = await scene.until(partial(button, scene, label))
        assert card is not None
        scene.click(card, label)

    assert body_of((await scene.outcome()).content) == "Done."
    assert len(heard) == 3


def button(scene: Scene, label: str) -> Message | None:
    """The message that has this button."""
    for message in scene.shown():
        for row in message.components:
            if any(one["label"] == label for one in row["components"]):
                return message
    return None
