"""Every press: let through or not at its moment, and answered in time whatever happens."""

import pytest

from llmgine.sessions.clock import now
from programs.discord.components import router
from programs.discord.ids import session_id
from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, NO_PERMISSION, Json, Message, Permission
from tests.programs.discord.gate import Gate
from tests.programs.discord.scene import Scene, body_of, labels
from tests.programs.discord.test_approval_buttons import PAY as CALL
from tests.programs.discord.test_approval_buttons import Payments, paid, script, start, with_button
from tests.programs.discord.test_buttons import DONE, failures, streaming
from tests.programs.discord.test_sessions import opened as opened_session
from tests.programs.discord.test_slash import modal, text_input, told
from tests.waiting import patience

__all__ = ["paid"]

OFF = "I'm switched off here, see /settings."
UNKNOWN = "I don't know this button"


async def switch_off(scene: Scene, channel: int = GENERAL_ID) -> None:
    """Do what `/listen off` does."""
    await scene.app.store.settings.change(session_id(channel), "listen", "off", None, now())


async def answered(scene: Scene, label: str, channel: int = GENERAL_ID) -> Message:
    """An answer with this button."""
    if label == "Retry":
        scene.model.fail(401)
    else:
        scene.model.reply("something", finish="length")
    scene.ask("something", channel=channel)
    return await scene.outcome(channel=channel)


def kept(message: Message) -> list[Json]:
    """The present buttons of a message, to be put back."""
    return [dict(row) for row in message.components]


def forge(message: Message, forged: str) -> None:
    """Have a message carry a button with this custom id, as if another version of the bot had posted it."""
    message.components = [
        {"type": 1, "id": 1, "components": [{"type": 2, "id": 2, "style": 2, "label": "New", "custom_id": forged}]}
    ]


def submit(scene: Scene, form: Json, text: str, by: int = ADA_ID) -> None:
    """Send a form with one input."""
    scene.playground.people.submit_modal(by, int(form["modal_id"]), {text_input(form)["custom_id"]: text})


class TestSwitchedOff:
    """Where the bot is switched off it is not asked by a press either; what asks it nothing stays possible."""

    @pytest.mark.parametrize("label", ["Regenerate", "Retry", "Continue"])
    async def test_a_button_asks_nothing(self, scene: Scene, label: str) -> None:
        """The model is not asked, the person alone is told why, and the button stays for when it is switched on."""
        answer = await answered(scene, label)
        before = labels(answer)
        await switch_off(scene)

        scene.click(answer, label)

        await told(scene, OFF)
        await scene.app.bus.wait_until_idle()
        assert len(scene.model.requests) == 1
        assert labels(answer) == before

    async def test_ask_again_asks_nothing(self, unstarted: Scene, paid: Payments) -> None:
        """A call that nobody decided is not asked for again."""
        provider = script(CALL, "Nobody came.")
        scene = await start(unstarted, paid, provider, approval_timeout=1)
        scene.ask("pay")
        await scene.outcome()
        requests = len(provider.requests)
        await switch_off(scene)

        scene.click(await scene.card(), "Ask again")

        await told(scene, OFF)
        assert len(provider.requests) == requests

    async def test_the_menu_opens_no_form(self, scene: Scene) -> None:
        """The menu entry "Ask about this" says so before anybody writes a question."""
        message = scene.say("something")
        await switch_off(scene)

        scene.playground.people.command(GENERAL_ID, ADA_ID, "Ask about this", target_id=message.id)

        await told(scene, OFF)
        assert "MODAL_OPEN" not in [name for name, _ in scene.told]

    async def test_a_form_that_is_open_asks_nothing(self, scene: Scene) -> None:
        """Switched off while the question was being written, it is refused, and nothing of it is shown to others."""
        message = scene.say("something")
        scene.playground.people.command(GENERAL_ID, ADA_ID, "Ask about this", target_id=message.id)
        form = await modal(scene)
        await switch_off(scene)

        submit(scene, form, "?")

        await told(scene, OFF)
        assert scene.model.requests == []
        assert scene.shown() == []

    @pytest.mark.parametrize("kind", ["dm", "thread"])
    async def test_also_in_dms_and_threads(self, scene: Scene, kind: str) -> None:
        """A DM has a setting of its own; a thread has that of its channel."""
        people = scene.playground.people
        place = people.open_dm(ADA_ID) if kind == "dm" else people.create_thread(GENERAL_ID, ADA_ID, "Mine")
        answer = await answered(scene, "Regenerate", place.id)
        await switch_off(scene, place.id if kind == "dm" else GENERAL_ID)

        scene.click(answer, "Regenerate")

        await told(scene, OFF, channel=place.id)
        assert len(scene.model.requests) == 1

    async def test_undo_stays_possible(self, scene: Scene) -> None:
        """What was said can be taken back."""
        answer = await answered(scene, "Undo")
        await switch_off(scene)

        scene.click(answer, "Details")
        await told(scene, "test-model")
        scene.click(answer, "Undo")

        await scene.until(lambda: not scene.shown())

    async def test_stop_stays_possible(self, scene: Scene) -> None:
        """An answer that is being written can be stopped."""
        live = await streaming(scene)
        await switch_off(scene)

        scene.click(live, "Stop")

        assert "Stopped." in (await scene.outcome()).content

    @pytest.mark.parametrize("label", ["Approve", "Deny"])
    async def test_a_call_is_still_decided(self, unstarted: Scene, paid: Payments, label: str) -> None:
        """The question was asked when that was allowed; it can come to its end."""
        scene = await start(unstarted, paid, script(CALL, "Done."))
        scene.ask("pay")
        card = await with_button(scene, label)
        await switch_off(scene)

        scene.click(card, label)

        assert body_of((await scene.outcome()).content) == "Done."
        assert paid == ([3] if label == "Approve" else [])


class TestRights:
    """What somebody may is looked up when they press, not when the button was made."""

    @pytest.mark.parametrize("label", ["Regenerate", "Undo", "Details"])
    async def test_a_moderator_who_is_none_any_more(self, scene: Scene, label: str) -> None:
        """Another's answer is none of theirs then."""
        answer = await answered(scene, label)
        scene.no_moderators()

        scene.click(answer, label, by=GRACE_ID)

        await told(scene, "Only Ada or a moderator", GRACE_ID)
        assert len(scene.model.requests) == 1
        assert len(scene.outcomes()) == 1

    @pytest.mark.parametrize("label", ["Regenerate", "Continue"])
    async def test_who_may_not_write_any_more(self, scene: Scene, label: str) -> None:
        """The bot writes nothing for somebody who may not write there."""
        scene.model.reply("something", finish="length")
        scene.ask("something", by=GRACE_ID)
        answer = await scene.outcome()
        scene.playground.admin.overwrite(GENERAL_ID, GRACE_ID, deny=Permission.SEND_MESSAGES, allow=NO_PERMISSION)

        scene.click(answer, label, by=GRACE_ID)

        await told(scene, "You don't have permission to write here.", GRACE_ID)
        assert len(scene.model.requests) == 1

    async def test_a_question_to_clear_that_waited(self, scene: Scene) -> None:
        """Who opened it as a moderator and is none any more forgets nothing."""
        await answered(scene, "Undo")
        scene.command("clear", by=GRACE_ID)
        question = await told(scene, "Clear this channel's conversation?", GRACE_ID)
        scene.no_moderators()

        scene.click(question, "Clear it", by=GRACE_ID)

        await told(scene, "Manage Messages", GRACE_ID)
        assert len(await scene.app.store.turns.history(session_id(GENERAL_ID))) == 1

    async def test_a_form_for_a_title_that_waited(self, scene: Scene) -> None:
        """Who may not rename a conversation any more is refused when the form is sent."""
        await answered(scene, "Undo")
        message = await opened_session(scene, session_id(GENERAL_ID), GRACE_ID)
        scene.click(message, "Rename", by=GRACE_ID)
        form = await modal(scene)
        scene.no_moderators()

        submit(scene, form, "Mine", GRACE_ID)

        await told(scene, "Manage Messages there", GRACE_ID)
        assert (await scene.app.store.sessions.get(session_id(GENERAL_ID))).title is None


class TestAnswers:
    """Every press is answered: in time, to the person, and what no longer applies goes away."""

    @pytest.mark.parametrize("forged", ["lg:dance", "lg:dance:0123456789abcdef:1", "lg:undo:soon", "lg:press:new:1"])
    async def test_a_button_of_a_newer_version(self, scene: Scene, forged: str) -> None:
        """Its press is answered, and it stays: the newer version may come back."""
        answer = await answered(scene, "Undo")
        forge(answer, forged)

        scene.click(answer, "New")

        await told(scene, UNKNOWN)
        assert labels(answer) == ["New"]
        assert failures(scene) == []

    @pytest.mark.parametrize("forged", ["lg:form:poem:1", "lg:undo:0123456789abcdef:1"])
    async def test_a_form_of_a_newer_version(self, scene: Scene, monkeypatch: pytest.MonkeyPatch, forged: str) -> None:
        """What was written into it is answered too."""
        scene.command("system")
        form = await modal(scene)
        open_forms = scene.playground.people._interactions.modals
        monkeypatch.setattr(open_forms[int(form["modal_id"])], "custom_id", forged)

        submit(scene, form, "words")

        await told(scene, UNKNOWN)
        assert failures(scene) == []

    async def test_discord_is_answered_before_the_store(self, scene: Scene) -> None:
        """However long the store takes, Discord has its first answer; the press is then done as it was meant."""
        answer = await answered(scene, "Undo")
        store = Gate(scene, "turns.get")
        store.holds = True

        scene.click(answer, "Undo")

        async with patience("the press"):
            await store.reached.wait()
        assert [name for name, _ in scene.told if name == "INTERACTION_DONE"] != []
        store.open.set()
        await scene.until(lambda: not scene.shown())

    async def test_a_form_that_would_come_too_late(
        self, unstarted: Scene, paid: Payments, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Only a form can be the answer; when it cannot come in time the person is told, and can press again."""
        monkeypatch.setattr(router, "_FORM_PATIENCE", 0.2)
        scene = await start(unstarted, paid, script(CALL, "Done."))
        scene.ask("pay")
        card = await with_button(scene, "Deny with a reason")
        store = Gate(scene, "turns.get")
        store.holds = True
        scene.click(card, "Deny with a reason")
        await told(scene, "took too long")
        store.open.set()

        scene.click(card, "Deny with a reason")

        submit(scene, await modal(scene), "No.")
        await scene.outcome()
        assert paid == []
        assert failures(scene) == []

    @pytest.mark.parametrize("label", DONE)
    async def test_a_failing_store_is_explained(self, scene: Scene, label: str) -> None:
        """The person is told, the buttons stay, and the next press works."""
        answer = await answered(scene, label)
        before = labels(answer)
        Gate(scene, "turns.get").failures = 1

        scene.click(answer, label)

        await told(scene, "The session store failed")
        assert labels(answer) == before

    @pytest.mark.parametrize("label", DONE)
    async def test_buttons_of_a_cleared_turn_go(self, scene: Scene, label: str) -> None:
        """Whichever is pressed, the person is told, and all of them go from that message."""
        answer = await answered(scene, label)
        await scene.app.store.sessions.clear(session_id(GENERAL_ID), now())

        scene.click(answer, label)

        await told(scene, "forgotten or cleared")
        await scene.until(lambda: labels(answer) == [])

    async def test_the_form_for_a_reason_of_a_cleared_turn(self, unstarted: Scene, paid: Payments) -> None:
        """It is not opened: the person is told, and the card's buttons go."""
        scene = await start(unstarted, paid, script(CALL, "Done."))
        scene.ask("pay")
        card = await with_button(scene, "Deny with a reason")
        old = kept(card)
        scene.click(card, "Deny")
        await scene.outcome()
        await scene.app.store.sessions.clear(session_id(GENERAL_ID), now())
        card.components = old

        scene.click(card, "Deny with a reason")

        await told(scene, "forgotten or cleared")
        await scene.until(lambda: labels(card) == [])
