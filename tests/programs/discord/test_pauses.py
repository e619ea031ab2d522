"""/pause and /resume: nobody is answered, or no tool with effects runs, where they say, until they say so."""

import asyncio
import signal
from typing import Any

import pytest

from llmgine.messages.commands import EVERYWHERE, Author, DecideToolCallCommand
from llmgine.messages.events import ToolCallWaitingEvent
from llmgine.sessions import open_store
from llmgine.sessions.clock import now
from llmgine.sessions.database import Operation
from programs.discord.ids import server_scope, session_id
from programs.playground import payloads
from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    GENERAL_ID,
    GRACE_ID,
    MEMBERS_ROLE_ID,
    PERSON_PERMISSIONS,
    RANDOM_ID,
    Json,
    Message,
    Permission,
    User,
)
from programs.playground.server import Playground
from tests.chat_completions import ChatCompletionsServer
from tests.programs.discord.process import running
from tests.programs.discord.scene import MENTION, Scene, body_of, card_text, people_said
from tests.programs.discord.test_approval_buttons import PAY, Payments, form, paid, script, start, with_button
from tests.programs.discord.test_approvals import ASK, asked, outbox
from tests.programs.discord.test_buttons import streaming
from tests.programs.discord.test_doctor import lines
from tests.programs.discord.test_presses import answered, submit
from tests.programs.discord.test_slash import modal, said, told
from tests.waiting import computing, patience

__all__ = ["paid"]

BOT = "programs.discord.bot"
ANSWER = "/webhooks/{webhook_id}/{token}/messages/{message}"
NOTICE = "Answers are paused here."
STOPPED = "⏹️ Stopped: answers are paused here. Ask again when they are resumed."
GRACE = Author(id=str(GRACE_ID), name="Grace")
TOOLS = ["tools", "everywhere"]


async def pause(scene: Scene, what: str | None = None, **options: Any) -> Message:
    """Pause something as people do; gives what everybody is told."""
    scene.command("pause", {} if what is None else {"what": what}, **options)
    return await said(scene, "paused: **", options.get("channel", GENERAL_ID))


async def resume(scene: Scene, what: str | None = None, **options: Any) -> Message:
    """Resume it."""
    scene.command("resume", {} if what is None else {"what": what}, **options)
    return await said(scene, "resumed: **", options.get("channel", GENERAL_ID))


async def at_rest(scene: Scene) -> None:
    """Wait until everything that was heard is dealt with."""
    async with patience("the feeds and the bus to be idle"):
        await scene.bot.caught_up()
        await scene.app.bus.wait_until_idle()


async def refused(scene: Scene, message: Message) -> None:
    """Wait until people see on a message that it is not answered."""
    await scene.until(lambda: "⏸️" in message.reactions)


def replied_to(messages: list[Message]) -> list[int | None]:
    """The messages that these reply to."""
    return [one.reference.message_id for one in messages if one.reference]


class TestAnswers:
    """Nobody is answered where answers are paused, and people see why."""

    async def test_in_a_channel(self, scene: Scene) -> None:
        """Questions are marked, the first one in words; other channels go on, and after the end so does this one."""
        assert "Ada paused: **Answers in this channel, thread or DM**." in (await pause(scene)).content
        questions = [scene.ask("one"), scene.ask("two", by=GRACE_ID)]
        for question in questions:
            await refused(scene, question)
        scene.ask("elsewhere", channel=RANDOM_ID)
        await scene.outcome(channel=RANDOM_ID)

        await resume(scene)

        scene.ask("three")
        await scene.outcome()
        assert [people_said(request)[-1] for request in scene.model.requests] == ["elsewhere", "three"]
        assert replied_to([one for one in scene.shown() if NOTICE in one.content]) == [questions[0].id]

    async def test_talk_is_not_marked(self, scene: Scene) -> None:
        """What is not for the bot gets neither a reaction nor a notice."""
        await pause(scene)
        talk, question = scene.say("hello Grace"), scene.ask("hello")

        await refused(scene, question)

        assert talk.reactions == {}

    @pytest.mark.parametrize(("what", "loose"), [("category", True), ("server", False)])
    async def test_in_what_is_wider(self, scene: Scene, what: str, *, loose: bool) -> None:
        """All channels of the category or server and their threads are silent; a channel outside and a DM are not."""
        people = scene.playground.people
        outside = scene.playground.admin.add_channel("loose").id
        dm = people.open_dm(ADA_ID).id
        thread = people.create_thread(RANDOM_ID, ADA_ID, "inside").id
        await pause(scene, what)

        for channel in (RANDOM_ID, thread, *([] if loose else [outside])):
            await refused(scene, scene.ask("hello", channel=channel))

        for channel in (dm, *([outside] if loose else [])):
            scene.ask("hello", channel=channel)
            await scene.outcome(channel=channel)
        assert len(scene.model.requests) == (2 if loose else 1)

    async def test_in_a_dm(self, scene: Scene) -> None:
        """A person pauses their own DM, which has no category or server, and no other channel is concerned."""
        dm = scene.playground.people.open_dm(GRACE_ID).id
        await pause(scene, by=GRACE_ID, channel=dm)

        await refused(scene, scene.say("hello", by=GRACE_ID, channel=dm))

        scene.command("pause", {"what": "server"}, by=GRACE_ID, channel=dm)
        await told(scene, "in no server", GRACE_ID, dm)
        scene.ask("hello")
        await scene.outcome()

    async def test_what_is_under_way_is_stopped(self, scene: Scene) -> None:
        """The answer that is being written and the question behind it end in words; so does one in a thread."""
        live = await streaming(scene)
        scene.ask("second", by=GRACE_ID)
        thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "inside").id
        scene.model.hold(asyncio.Event(), before="In the thread ")
        scene.ask("third", channel=thread)
        await scene.until(lambda: scene.shown(thread))
        while len(await scene.app.store.turns.unfinished(session_id(GENERAL_ID))) < 2:
            await scene.app.bus.wait_until_idle()

        told_all = await pause(scene)

        assert "3 answers were stopped." in told_all.content
        await scene.outcome(2)
        await scene.outcome(channel=thread)
        assert "I was about to" in live.content
        assert [STOPPED in one.content for one in (*scene.outcomes(), *scene.outcomes(thread))] == [True] * 3
        assert len(scene.model.requests) == 2

    async def test_a_call_that_waits_is_stopped(self, unstarted: Scene) -> None:
        """A tool that waits for approval does not run, and its card loses its buttons."""
        scene = await unstarted.start(demo=True)
        card = await asked(scene)

        await pause(scene)

        assert STOPPED in (await scene.outcome()).content
        await scene.until(lambda: card.components == [])
        assert outbox(scene) == 0

    @pytest.mark.parametrize("label", ["Regenerate", "Retry", "Continue"])
    async def test_a_button_asks_nothing(self, scene: Scene, label: str) -> None:
        """A press is answered with the reason."""
        answer = await answered(scene, label)
        await pause(scene)

        scene.click(answer, label)

        await told(scene, "Answers are paused here, see /settings.")
        assert len(scene.model.requests) == 1

    async def test_a_form_that_is_open_asks_nothing(self, scene: Scene) -> None:
        """A question about a message, written while answers were paused, is refused."""
        message = scene.say("something")
        scene.playground.people.command(GENERAL_ID, ADA_ID, "Ask about this", target_id=message.id)
        opened = await modal(scene)
        await pause(scene)

        submit(scene, opened, "?")

        await told(scene, "Answers are paused here, see /settings.")
        assert scene.model.requests == []

    async def test_an_edit_changes_nothing(self, scene: Scene) -> None:
        """The answer stays as it is and the edit is marked; an edit after the pause is answered."""
        question = scene.ask("one")
        outcome = await scene.outcome()
        before = outcome.content
        await pause(scene)
        scene.playground.people.edit(GENERAL_ID, question.id, ADA_ID, f"{MENTION} two")
        await refused(scene, question)
        await resume(scene)
        await scene.restart()
        await at_rest(scene)
        assert outcome.content == before

        scene.playground.people.edit(GENERAL_ID, question.id, ADA_ID, f"{MENTION} three")

        await scene.until(lambda: len(scene.model.requests) == 2)
        assert people_said(scene.model.requests[-1]) == ["three"]
        await scene.outcome()

    async def test_another_servers_pause(self, scene: Scene) -> None:
        """What moderators of another server pause does not concern this one."""
        await scene.app.store.pauses.begin(server_scope(999), "answers", "1", GRACE, now())
        await scene.app.store.pauses.begin(session_id(999), "answers", "1", GRACE, now())

        scene.ask("hello")

        await scene.outcome()


class TestRestarts:
    """A pause lasts until somebody ends it, whatever becomes of the program."""

    async def test_it_survives(self, scene: Scene) -> None:
        """The next process answers nobody, nor what was written while there was none, and says so."""
        await pause(scene)
        first = scene.ask("one")
        await refused(scene, first)
        await scene.stop()
        missed = [scene.ask(f"missed {number}") for number in range(3)]
        await scene.start()
        await at_rest(scene)
        await refused(scene, missed[-1])

        await resume(scene)

        scene.ask("two")
        await scene.outcome()
        assert [people_said(request) for request in scene.model.requests] == [["two"]]
        assert replied_to([one for one in scene.shown() if NOTICE in one.content]) == [first.id, missed[-1].id]

    async def test_nothing_of_it_is_answered_later(self, scene: Scene) -> None:
        """What was refused is not answered by a process that reads it again after the end of the pause."""
        await at_rest(scene)
        cursors = await scene.cursors()
        await pause(scene)
        question = scene.ask("one")
        await refused(scene, question)
        await resume(scene)
        await scene.stop()
        await rewind(scene, cursors[str(GENERAL_ID)])

        await scene.start()

        await at_rest(scene)
        scene.command("why", {"message": str(question.id)})
        await told(scene, "while answers were paused here")
        scene.ask("two")
        await scene.outcome()
        assert [people_said(request) for request in scene.model.requests] == [["two"]]

    async def test_killed_before_it_was_told(
        self, playground: Playground, model: ChatCompletionsServer, tmp_path: Any
    ) -> None:
        """A process that dies right after the pause was stored: the next one keeps to it, and stops what ran."""
        scene = Scene(playground, model, tmp_path)
        model.hold(asyncio.Event(), before="I was about to ")
        settings = {
            "DISCORD_TOKEN": playground.token,
            "DISCORD_API_BASE": playground.api_base,
            "DISCORD_GATEWAY_URL": playground.gateway_url,
            "OPENAI_BASE_URL": model.base_url,
            "OPENAI_MODEL": "test-model",
        }
        async with running(BOT, folder=tmp_path, **settings) as first:
            await scene.until(lambda: playground.state.bot_online and playground.state.commands)
            answer = playground.faults.plan("hang", "PATCH", ANSWER, committed=False)
            scene.ask("tell me")
            await scene.until(scene.shown)
            scene.command("pause")
            async with patience("the pause to be told", computing(first.pid)):
                await answer.reached()
            first.send_signal(signal.SIGKILL)
            await first.wait()
        await scene.until(lambda: not playground.state.bot_online)

        async with running(BOT, folder=tmp_path, **settings):
            await scene.until(lambda: any(STOPPED in one.content for one in scene.outcomes()))
            await refused(scene, scene.ask("and now?"))

        assert len(scene.outcomes()) == 1
        assert len(model.requests) == 1


async def rewind(scene: Scene, cursor: int) -> None:
    """Set the cursor of a channel back, as a process leaves it that dies before it has read the channel again."""
    store = await open_store(scene.settings.database_url)

    def back():  # type: ignore[no-untyped-def]  # a transaction, see llmgine/sessions/database.py
        yield "UPDATE cursor_of_place SET position = $1 WHERE place = $2", (cursor, str(GENERAL_ID))

    await store.run(back, Operation("test"))
    await store.close()


class TestTools:
    """No tool with effects runs where they are paused, and those who approve one hear why."""

    @pytest.mark.parametrize("what", TOOLS)
    async def test_a_call_is_refused(self, unstarted: Scene, what: str) -> None:
        """No e-mail is sent and nobody is asked; what only reads runs."""
        scene = await unstarted.start(demo=True)
        await pause(scene, what)

        scene.ask(f"Can you calculate 24*7 for me? And {ASK}")

        await scene.outcome()
        card = card_text(await scene.card())
        assert "Not run: tools that change or send something are paused." in card
        assert "✅ **calculate**" in card
        assert outbox(scene) == 0

    @pytest.mark.parametrize("what", TOOLS)
    async def test_approve_says_so(self, unstarted: Scene, paid: Payments, what: str) -> None:
        """Approve and Always are refused and the call waits on, over a restart; resumed, it is approved."""
        provider = script(PAY, "Paid.")
        scene = await start(unstarted, paid, provider)
        scene.ask("pay")
        card = await with_button(scene, "Approve")
        await pause(scene, what)
        await scene.stop()
        await start(scene, paid, provider)

        scene.click(card, "Approve")
        scene.click(card, "Always")

        await scene.until(lambda: len(scene.private(ADA_ID)) == 2)
        assert all("are paused, see /settings" in one.content for one in scene.private(ADA_ID))
        await resume(scene, what)
        scene.click(card, "Approve")
        await scene.outcome()
        assert paid == [3]

    async def test_deny_stays_possible(self, unstarted: Scene, paid: Payments) -> None:
        """Nobody has to wait for the end of the pause to say no, also with a reason."""
        scene = await start(unstarted, paid, script(PAY, "I see."))
        scene.ask("pay")
        card = await with_button(scene, "Deny with a reason")
        await pause(scene, "tools")
        scene.click(card, "Deny with a reason")

        scene.playground.people.submit_modal(ADA_ID, int((await form(scene))["modal_id"]), {"reason": "No."})

        assert body_of((await scene.outcome()).content) == "I see."
        assert paid == []

    async def test_approved_by_another_program(self, unstarted: Scene, paid: Payments) -> None:
        """An approval that does not come by a button runs nothing either."""
        scene = await start(unstarted, paid, script(PAY, "I see."))
        heard: list[ToolCallWaitingEvent] = []
        scene.app.bus.register_event_handler(ToolCallWaitingEvent, heard.append)
        scene.ask("pay")
        card = await with_button(scene, "Approve")
        await pause(scene, "everywhere")

        about = {"session_id": heard[0].session_id, "turn_id": heard[0].turn_id, "call_id": heard[0].call.id}
        decision = DecideToolCallCommand.model_validate({**about, "approved": True, "decided_by": GRACE})
        assert (await scene.app.bus.execute(decision)).unwrap()

        await scene.outcome()
        assert "Not run: tools that change or send something are paused." in card_text(card)
        assert paid == []

    async def test_another_process_sees_it(self, unstarted: Scene, paid: Payments) -> None:
        """What another process pauses on the same store holds for the next call here."""
        scene = await start(unstarted, paid, script(PAY, "I see."))
        other = await open_store(scene.app.config.settings.database_url)
        await other.pauses.begin(EVERYWHERE, "tools", "1", GRACE, now())
        await other.close()

        scene.ask("pay")

        await scene.outcome()
        assert paid == []


class TestWho:
    """Who may pause may resume: by permission, or as the operator; who is not known to be either may not."""

    @pytest.mark.parametrize("command", ["pause", "resume"])
    @pytest.mark.parametrize(
        ("what", "needed"),
        [
            ("channel", "Manage Messages"),
            ("category", "Manage Channels"),
            ("server", "Manage Server"),
            ("tools", "Manage Server"),
        ],
    )
    async def test_others_may_not(self, scene: Scene, command: str, what: str, needed: str) -> None:
        """A person without the permission of the scope is told which one it takes."""
        scene.no_moderators()

        scene.command(command, {"what": what}, by=GRACE_ID)

        await told(scene, f"the permission {needed} can pause or resume", GRACE_ID)
        assert await scene.app.store.pauses.of([session_id(GENERAL_ID)]) == []

    async def test_a_moderator_of_the_channel(self, scene: Scene) -> None:
        """Manage Messages is enough for the channel, and not for more."""
        await pause(scene, by=GRACE_ID)

        scene.command("pause", {"what": "server"}, by=GRACE_ID)

        await told(scene, "Manage Server", GRACE_ID)
        scene.playground.admin.set_role(MEMBERS_ROLE_ID, PERSON_PERMISSIONS | Permission.MANAGE_GUILD)
        await pause(scene, "tools", by=GRACE_ID)

    async def test_the_owner_of_a_thread(self, scene: Scene) -> None:
        """Who owns a thread does not lift what a moderator paused there."""
        scene.no_moderators()
        thread = scene.playground.people.create_thread(GENERAL_ID, GRACE_ID, "Mine").id
        await pause(scene, channel=thread)

        scene.command("resume", by=GRACE_ID, channel=thread)

        await told(scene, "Manage Messages", GRACE_ID, thread)

    @pytest.mark.parametrize("command", ["pause", "resume"])
    async def test_everywhere_is_for_the_operator(self, scene: Scene, command: str) -> None:
        """A moderator with every permission in the server is no operator."""
        scene.playground.admin.set_role(MEMBERS_ROLE_ID, PERSON_PERMISSIONS | Permission.ADMINISTRATOR)

        scene.command(command, {"what": "everywhere"}, by=GRACE_ID)

        await told(scene, "Only the operator of this bot can do this.", GRACE_ID)
        assert await scene.app.store.pauses.of([]) == []

    async def test_configured_operators(self, unstarted: Scene) -> None:
        """Those of the setting are operators in place of the application's owner, and need no permission here."""
        scene = await unstarted.start(operators=(GRACE_ID,))
        scene.no_moderators()
        await pause(scene, "server", by=GRACE_ID)
        scene.command("pause", {"what": "everywhere"}, by=GRACE_ID)
        await scene.until(lambda: len([one for one in scene.shown() if "paused: **" in one.content]) == 2)

        scene.command("resume", {"what": "everywhere"})

        await told(scene, "Only the operator")
        await resume(scene, "everywhere", by=GRACE_ID)

    @pytest.mark.parametrize(
        ("member", "may"),
        [
            ({"role": "admin", "membership_state": 2}, True),
            ({"role": "developer", "membership_state": 2}, True),
            ({"role": "read_only", "membership_state": 2}, False),
            ({"role": "admin", "membership_state": 1}, False),
        ],
        ids=["admin", "developer", "read-only", "invited"],
    )
    async def test_a_team(self, scene: Scene, monkeypatch: pytest.MonkeyPatch, member: Json, *, may: bool) -> None:
        """Where the application belongs to a team, its accepted admins and developers are operators."""
        before = payloads.application

        def of_a_team(owner: User) -> Json:
            grace = payloads.user(scene.playground.state.users[GRACE_ID])
            members = [{**member, "team_id": "7", "permissions": ["*"], "user": grace}]
            team = {"id": "7", "icon": None, "name": "T", "owner_user_id": str(ADA_ID), "members": members}
            return {**before(owner), "team": team}

        monkeypatch.setattr(payloads, "application", of_a_team)
        scene.command("pause", {"what": "everywhere"}, by=GRACE_ID)

        await (said(scene, "Grace paused") if may else told(scene, "Only the operator", GRACE_ID))

    async def test_an_owner_who_is_not_known(self, scene: Scene) -> None:
        """Where Discord does not say who owns the application, nobody is its operator."""
        scene.playground.faults.plan("error", "GET", "/oauth2/applications/@me", status=403)

        scene.command("pause", {"what": "everywhere"})

        await told(scene, "Discord doesn't tell me who my operator is")
        assert await scene.app.store.pauses.of([]) == []

    async def test_two_at_once(self, scene: Scene) -> None:
        """Of two moderators one pauses, and the other hears that it is so, by whom, since when, and how to end it."""
        scene.command("pause")
        scene.command("pause", by=GRACE_ID)

        await said(scene, "paused: **")
        await scene.until(lambda: scene.private(ADA_ID) or scene.private(GRACE_ID))
        [late] = [*scene.private(ADA_ID), *scene.private(GRACE_ID)]
        first = GRACE_ID if scene.private(ADA_ID) else ADA_ID
        assert late.content.startswith("This is paused already.")
        assert f"paused by <@{first}> <t:" in late.content
        assert "resume with `/resume`" in late.content
        assert len([one for one in scene.shown() if "paused: **" in one.content]) == 1


class TestWhatIsSaid:
    """What is paused is said wherever people look for it."""

    async def test_resume_tells_what_stays_paused(self, scene: Scene) -> None:
        """Each pause that is left, with who made it, since when, and how to end it."""
        await pause(scene)
        for what in ("server", "everywhere"):
            scene.command("pause", {"what": what})
        await scene.until(lambda: len([one for one in scene.shown() if "paused: **" in one.content]) == 3)

        told_all = (await resume(scene)).content

        assert "Still paused:" in told_all
        assert f"Answers in this server: paused by <@{ADA_ID}> <t:" in told_all
        assert "resume with `/resume what:server`" in told_all
        assert "everywhere: paused by my operator" in told_all

    async def test_resume_without_a_pause(self, scene: Scene) -> None:
        """The person alone is told."""
        scene.command("resume")

        await told(scene, "This is not paused: **Answers in this channel, thread or DM**.")

    async def test_doctor_settings_and_why(self, scene: Scene) -> None:
        """/doctor warns of each pause, /settings lists it, and /why tells it of a message; after the end none does."""
        await pause(scene)
        await pause(scene, "everywhere")
        question = scene.ask("hello")
        await refused(scene, question)

        line = (await lines(scene))["Pauses"]
        assert line.startswith("⚠️")
        assert "Answers in this channel" in line
        assert "everywhere" in line
        scene.command("settings")
        shown = await scene.until(lambda: [m for m in scene.private(ADA_ID) if "/listen" in str(m.embeds)])
        assert f"paused by <@{ADA_ID}>" in shown[0].embeds[0]["fields"][-1]["value"]
        scene.command("why", {"message": str(question.id)})
        await told(scene, "Answers are paused here, see `/settings`")

        await resume(scene)
        scene.command("resume", {"what": "everywhere"})
        await scene.until(lambda: len([one for one in scene.shown() if "resumed: **" in one.content]) == 2)
        assert (await lines(scene))["Pauses"] == "✅ **Pauses**: nothing is paused"

    async def test_a_thread_of_a_paused_channel(self, scene: Scene) -> None:
        """In a thread the pause of its channel is told as that, and is ended there."""
        thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "inside").id
        await pause(scene)

        scene.command("resume", channel=thread)

        await told(scene, f"Answers in <#{GENERAL_ID}>: paused by <@{ADA_ID}>", channel=thread)

    async def test_without_add_reactions(self, scene: Scene) -> None:
        """Where the bot may not react, the first question is told in words all the same."""
        scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.ADD_REACTIONS)
        await pause(scene)

        question = scene.ask("hello")

        notice = await said(scene, NOTICE)
        await at_rest(scene)
        assert replied_to([notice]) == [question.id]
        assert question.reactions == {}
