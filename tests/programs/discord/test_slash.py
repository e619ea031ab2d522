"""The slash commands."""

import asyncio

import pytest

from llmgine.messages.events import TurnFinishedEvent
from llmgine.sessions.clock import now
from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    GENERAL_ID,
    GRACE_ID,
    RANDOM_ID,
    Flag,
    Json,
    Message,
)
from tests.programs.discord.scene import Scene, body_of, is_outcome, people_said
from tests.waiting import patience

EDIT = ("PATCH", "/channels/{channel_id}/messages/{message_id}")


async def said(scene: Scene, words: str, channel: int = GENERAL_ID) -> Message:
    """A message of the bot with these words, to everybody."""
    found = await scene.until(lambda: next((m for m in scene.shown(channel) if words in m.content), None))
    assert found is not None
    return found


async def told(scene: Scene, words: str, person: int = ADA_ID, channel: int = GENERAL_ID) -> Message:
    """A message of the bot with these words, to one person."""
    found = await scene.until(lambda: next((m for m in scene.private(person, channel) if words in m.content), None))
    assert found is not None
    return found


async def modal(scene: Scene, number: int = 1) -> Json:
    """The so-manieth modal that was opened."""

    def find() -> list[Json]:
        found = [payload for name, payload in scene.told if name == "MODAL_OPEN"]
        return found if len(found) >= number else []

    return (await scene.until(find))[number - 1]


def text_input(opened: Json) -> Json:
    found: Json = opened["components"][0]["component"]
    return found


async def system(scene: Scene, channel: int = GENERAL_ID) -> str | None:
    return (await scene.app.store.settings.of_session(f"discord:{channel}")).system_prompt


async def test_system_sets_the_prompt(scene: Scene) -> None:
    """/system with text sets what the model is told first, in this channel alone, and says so to everybody."""
    scene.command("system", {"prompt": "Speak like @everyone's pirate."})

    shown = await said(scene, "Ada set the system prompt")
    assert shown.content.endswith("> Speak like @everyone's pirate.")
    assert shown.mention_everyone is False
    scene.ask("hello")
    await scene.outcome()
    scene.ask("hello", channel=RANDOM_ID)
    await scene.outcome(channel=RANDOM_ID)
    first, second = (request["messages"][0]["content"] for request in scene.model.requests)
    assert first.startswith("Speak like @everyone's pirate.")
    assert "pirate" not in second


async def test_system_without_text_shows_the_present_one(scene: Scene) -> None:
    """/system alone opens a modal with the present prompt, which can be changed there."""
    scene.command("system", {"prompt": "The first."})
    await said(scene, "The first.")
    scene.command("system")
    opened = await modal(scene)
    assert text_input(opened)["value"] == "The first."
    assert text_input(opened)["max_length"] == 4_000

    scene.playground.people.submit_modal(
        ADA_ID, int(opened["modal_id"]), {text_input(opened)["custom_id"]: "The second."}
    )

    await said(scene, "The second.")
    assert await system(scene) == "The second."


async def test_stop_ends_the_answer(scene: Scene) -> None:
    """/stop keeps what was written, says that it was stopped, and the next message is answered."""
    scene.model.hold(asyncio.Event(), before="I was about to ")
    scene.ask("tell me")
    await scene.until(scene.shown)

    scene.command("stop")

    await told(scene, "Stopped.")
    stopped = await scene.outcome()
    assert "I was about to" in scene.shown()[0].content
    assert "Stopped" in stopped.content
    scene.model.reply("Of course.")
    scene.ask("and now?")
    assert "Of course." in (await scene.outcome(2)).content


async def test_stop_is_for_the_one_who_asked(scene: Scene) -> None:
    """Somebody else without Manage Messages is refused, and the answer goes on; with nothing to stop, that is said."""
    go = asyncio.Event()
    scene.no_moderators()
    scene.command("stop", by=GRACE_ID)
    await told(scene, "No answer is being written", GRACE_ID)
    scene.model.hold(go, before="I was about to ", after="finish.")
    scene.ask("tell me")
    await scene.until(scene.shown)

    scene.command("stop", by=GRACE_ID)

    await told(scene, "Only the person who asked", GRACE_ID)
    go.set()
    assert "I was about to finish." in (await scene.outcome()).content


async def test_the_default_is_shown_and_stays_the_default(scene: Scene) -> None:
    """Where nobody set a prompt, the modal shows the default one; sent back as it is, it sets nothing."""
    scene.command("system")
    opened = await modal(scene)
    assert text_input(opened)["value"].startswith("You are LLMgine")

    scene.playground.people.submit_modal(
        ADA_ID, int(opened["modal_id"]), {text_input(opened)["custom_id"]: text_input(opened)["value"]}
    )

    await said(scene, "removed the system prompt")
    assert await system(scene) is None


async def test_a_blank_prompt_is_the_default(scene: Scene) -> None:
    """Emptied in the modal, the prompt goes back to the default of the settings."""
    scene.command("system", {"prompt": "Mine."})
    await said(scene, "Mine.")
    scene.command("system")
    opened = await modal(scene)

    scene.playground.people.submit_modal(ADA_ID, int(opened["modal_id"]), {text_input(opened)["custom_id"]: "  \n "})

    await said(scene, "removed the system prompt")
    assert await system(scene) is None


async def test_two_people_may_have_the_modal_open(scene: Scene) -> None:
    """Each submits their own form, in any order, and each text is told under its writer's name."""
    scene.command("system", by=ADA_ID)
    ada = await modal(scene, 1)
    scene.command("system", by=GRACE_ID)
    grace = await modal(scene, 2)

    people = scene.playground.people
    people.submit_modal(ADA_ID, int(ada["modal_id"]), {text_input(ada)["custom_id"]: "Ada's words"})
    people.submit_modal(GRACE_ID, int(grace["modal_id"]), {text_input(grace)["custom_id"]: "Grace's words"})

    assert "Ada's words" in (await said(scene, "Ada set")).content
    assert "Grace's words" in (await said(scene, "Grace set")).content


async def test_a_prompt_too_long_is_refused(scene: Scene) -> None:
    """Past 4,000 characters the person alone is told, and nothing changes."""
    scene.command("system", {"prompt": "x" * 4_001})

    await told(scene, "at most 4,000 characters")

    assert await scene.until(lambda: not scene.shown())


async def test_the_longest_prompt_is_shown_cut(scene: Scene) -> None:
    """A prompt of 4,000 characters and as many lines is set; the note of it fits into a message."""
    scene.command("system", {"prompt": "a\n" * 2_000})

    shown = await said(scene, "set the system prompt")

    assert len(shown.content) <= 2_000
    assert await system(scene) is not None


@pytest.mark.parametrize("command", ["system", "clear"])
async def test_in_a_server_only_moderators_change_it(scene: Scene, command: str) -> None:
    """What concerns everybody in a channel needs the permission Manage Messages; the person alone is told."""
    scene.no_moderators()
    options = {"prompt": "Mine."} if command == "system" else {}
    scene.command(command, options, by=GRACE_ID)

    await told(scene, "Manage Messages", GRACE_ID)

    assert scene.shown() == []


async def test_the_modal_is_checked_too(scene: Scene) -> None:
    """Whoever may not set the prompt may read it in the modal, and is refused when they submit."""
    scene.no_moderators()
    scene.command("system", by=GRACE_ID)
    opened = await modal(scene)

    scene.playground.people.submit_modal(GRACE_ID, int(opened["modal_id"]), {text_input(opened)["custom_id"]: "Mine."})

    await told(scene, "Manage Messages", GRACE_ID)


async def test_in_a_dm_and_an_own_thread_everybody_may(scene: Scene) -> None:
    """A DM and a thread of one's own are one's own to set up."""
    scene.no_moderators()
    dm = scene.playground.people.open_dm(GRACE_ID)
    thread = scene.playground.people.create_thread(GENERAL_ID, GRACE_ID, "Mine")

    scene.command("system", {"prompt": "Mine alone."}, channel=dm.id, by=GRACE_ID)
    scene.command("system", {"prompt": "Mine alone."}, channel=thread.id, by=GRACE_ID)

    await said(scene, "Mine alone.", dm.id)
    await said(scene, "Mine alone.", thread.id)


async def test_clear_asks_first_and_forgets(scene: Scene) -> None:
    """/clear asks the person alone; after "Clear it" the model is told nothing of before."""
    scene.ask("remember this")
    await scene.outcome()
    scene.command("clear")
    question = await told(scene, "Clear this channel's conversation?")

    scene.click(question, "Clear it")

    await said(scene, "Ada cleared the conversation")
    await scene.until(lambda: question.content == "Done." and not question.components)
    scene.ask("what now?")
    await scene.outcome(2)
    assert people_said(scene.model.requests[-1]) == ["what now?"]


async def test_clear_pressed_twice_is_told_once(scene: Scene) -> None:
    """Who presses "Clear it" twice at once does not tell the channel twice."""
    scene.command("clear")
    question = await told(scene, "Clear this channel's conversation?")

    for _ in range(2):
        scene.click(question, "Clear it")

    await scene.until(lambda: sum("cleared" in str(body) for body in scene.sends()) == 2)
    assert [message.content for message in scene.shown()] == [
        "🧹 Ada cleared the conversation. I've forgotten everything before this."
    ]


async def test_clear_can_be_taken_back(scene: Scene) -> None:
    """After "Keep it" nothing was forgotten."""
    scene.ask("remember this")
    await scene.outcome()
    scene.command("clear")
    question = await told(scene, "Clear this channel's conversation?")

    scene.click(question, "Keep it")

    await scene.until(lambda: question.content == "Nothing was cleared.")
    scene.ask("what now?")
    await scene.outcome(2)
    assert people_said(scene.model.requests[-1]) == ["remember this", "what now?"]


async def test_the_question_can_be_answered_after_a_restart(scene: Scene) -> None:
    """The buttons of /clear do not depend on the process that sent them."""
    scene.ask("remember this")
    await scene.outcome()
    scene.command("clear")
    question = await told(scene, "Clear this channel's conversation?")
    await scene.restart()

    scene.click(question, "Clear it")

    await said(scene, "Ada cleared the conversation")


async def test_clear_ends_what_is_being_answered(scene: Scene) -> None:
    """An answer on its way is stopped and says so; it leaves no half message, also not after a restart."""
    never = asyncio.Event()
    scene.model.hold(never, before="I will talk for ")
    scene.ask("talk")
    await said(scene, "I will talk for")
    scene.command("clear")
    question = await told(scene, "Clear this channel's conversation?")

    scene.click(question, "Clear it")

    await said(scene, "Ada cleared the conversation")
    stopped = await said(scene, "Stopped.")
    assert is_outcome(stopped.content)
    await scene.delivered()
    never.set()
    await scene.restart()
    scene.ask("hello")
    assert body_of((await scene.outcome(2)).content) == "You said: hello"


async def test_outcomes_of_a_cleared_conversation_do_not_block_the_start(scene: Scene) -> None:
    """An outcome that was committed, cleared and never shown is shown after the restart from its stored parts."""
    go_on = asyncio.Event()
    scene.model.hold(go_on, before="Half ", after="and whole.")
    scene.ask("talk")
    await said(scene, "Half")
    failing = scene.playground.faults.plan("error", *EDIT, status=503, times=1_000)
    ended = asyncio.Event()
    scene.app.bus.register_event_handler(TurnFinishedEvent, lambda _: ended.set())
    go_on.set()
    async with patience("the end of the turn"):
        await ended.wait()
    await failing.reached()
    await scene.app.store.sessions.clear(f"discord:{GENERAL_ID}", now())
    await scene.restart()
    scene.playground.faults.clear()

    outcome = await scene.outcome()

    assert body_of(outcome.content) == "Half and whole."
    assert len(scene.shown()) == 1


async def test_thread_only_opens_in_a_channel(scene: Scene) -> None:
    """Where no thread can be opened the person is told."""
    dm = scene.playground.people.open_dm(ADA_ID)
    scene.command("thread", channel=dm.id)

    await told(scene, "text channel", channel=dm.id)


async def test_thread_tells_and_adds_the_person(scene: Scene) -> None:
    """/thread opens a public thread of the given name with the person in it, and pings nobody."""
    scene.command("thread", {"name": "Plans"})
    await told(scene, "Opened <#")

    [thread] = scene.playground.state.threads(GENERAL_ID)
    assert thread.owner_id == BOT_ID
    assert thread.thread is not None
    assert ADA_ID in thread.thread.members
    [greeting] = scene.shown(thread.id)
    assert greeting.mentions == []


async def test_commands_are_registered_only_when_they_differ(scene: Scene) -> None:
    """Discord counts registrations: the second start only looks."""
    route = "/applications/{application_id}/commands"
    puts = [r for r in scene.playground.requests if r.method == "PUT" and r.route == route]
    assert len(puts) == 1
    await scene.restart()

    await scene.restart()

    assert len([r for r in scene.playground.requests if r.method == "PUT" and r.route == route]) == 1
    assert {c["name"] for c in scene.playground.state.commands.values()} >= {"stop", "system", "clear", "thread"}


async def test_changed_commands_are_registered_again(scene: Scene) -> None:
    """A command that differs from ours, or is not ours, is put right at the next start."""
    for command in scene.playground.state.commands.values():
        command["description"] = "something older"

    await scene.restart()

    descriptions = {c["description"] for c in scene.playground.state.commands.values()}
    assert "something older" not in descriptions


async def test_what_only_one_person_sees_is_ephemeral(scene: Scene) -> None:
    """The question of /clear is for the person who used it."""
    scene.command("clear")

    question = await told(scene, "Clear this channel's conversation?")

    assert question.flags & Flag.EPHEMERAL
    assert scene.private(GRACE_ID) == []
