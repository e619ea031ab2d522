"""Conversations: looked through, gone on with elsewhere, renamed, taken along, and shown only to those who may."""

import json

import pytest

from programs.discord.components.custom_ids import Action, ComponentId
from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    BOT_PERMISSIONS,
    BOT_ROLE_ID,
    GENERAL_ID,
    GRACE_ID,
    GUILD_ID,
    RANDOM_ID,
    Channel,
    ChannelType,
    Json,
    Message,
    Permission,
    Reference,
)
from programs.playground.forms import ThreadChanges
from tests.llmgine.sessions.examples import begun, finish
from tests.programs.discord.scene import Scene, body_of, people_said
from tests.programs.discord.test_slash import modal, said, text_input, told


async def listed(scene: Scene, person: int = ADA_ID, channel: int = GENERAL_ID) -> Message:
    """The list as a person sees it who uses /sessions."""
    before = len(scene.private(person, channel))
    scene.command("sessions", by=person, channel=channel)
    found = await scene.until(
        lambda: next((m for m in scene.private(person, channel)[before:] if m.embeds or m.content), None)
    )
    assert found is not None
    return found


def offered(message: Message) -> list[str]:
    """The ids of the sessions a list offers."""
    selects = [one for row in message.components for one in row["components"] if one["type"] == 3]
    return [option["value"] for select in selects for option in select["options"]]


async def opened(scene: Scene, session_id: str, person: int = ADA_ID, channel: int = GENERAL_ID) -> Message:
    """One conversation, chosen in the list."""
    message = await listed(scene, person, channel)
    scene.playground.people.click(channel, person, message.id, str(ComponentId(Action.SESSION_OPEN)), [session_id])
    await scene.until(lambda: "Resume here" in json.dumps(message.components))
    return message


async def talk(scene: Scene, *texts: str, channel: int = GENERAL_ID) -> None:
    for text in texts:
        number = len(scene.outcomes(channel)) + 1
        scene.ask(text, channel=channel)
        await scene.outcome(number, channel)


def the_thread(scene: Scene) -> Channel | None:
    return next(iter(scene.playground.state.threads(GENERAL_ID)), None)


async def test_a_list_says_what_there_is(scene: Scene) -> None:
    """/sessions lists the conversations by last use, with where they are and how long, to the person alone."""
    await talk(scene, "one", "two")
    await talk(scene, "three", channel=RANDOM_ID)

    message = await listed(scene)

    assert offered(message) == [f"discord:{RANDOM_ID}", f"discord:{GENERAL_ID}"]
    assert "2 turns" in message.embeds[0]["description"]
    assert message.embeds[0]["description"].count("#general") == 1  # a name that is the title is not said twice


async def test_resumed_it_goes_on_here(scene: Scene) -> None:
    """The channel goes on with a copy of the other conversation; what it held is listed as an earlier one."""
    await talk(scene, "the other one", channel=RANDOM_ID)
    await talk(scene, "what was here")
    message = await opened(scene, f"discord:{RANDOM_ID}")

    scene.click(message, "Resume here")
    await said(scene, "Ada resumed the conversation")
    await talk(scene, "and now?")
    await talk(scene, "still there", channel=RANDOM_ID)

    assert people_said(scene.model.requests[2]) == ["the other one", "and now?"]
    assert people_said(scene.model.requests[3]) == ["the other one", "still there"]
    ids = offered(await listed(scene))
    assert len(ids) == 3
    assert [one for one in ids if one.startswith(f"discord:{GENERAL_ID}/")] != []


async def test_pressed_after_a_restart_it_works(scene: Scene) -> None:
    """The list's buttons do not depend on the process that sent them."""
    await talk(scene, "the other one", channel=RANDOM_ID)
    message = await opened(scene, f"discord:{RANDOM_ID}")
    await scene.restart()

    scene.click(message, "Resume here")

    await said(scene, "Ada resumed the conversation")


async def test_pressed_twice_it_is_resumed_once(scene: Scene) -> None:
    """The second press is told that it is here already."""
    await talk(scene, "the other one", channel=RANDOM_ID)
    message = await opened(scene, f"discord:{RANDOM_ID}")

    scene.click(message, "Resume here")
    scene.click(message, "Resume here")

    await told(scene, "already here")
    await said(scene, "resumed the conversation")
    assert len([m for m in scene.shown() if "resumed" in m.content]) == 1
    assert len(await scene.app.store.turns.history(f"discord:{GENERAL_ID}")) == 1


async def test_only_a_moderator_puts_another_conversation_here(scene: Scene) -> None:
    """What everybody in the channel talks to is not changed by anybody."""
    await talk(scene, "the other one", channel=RANDOM_ID)
    scene.no_moderators()
    message = await opened(scene, f"discord:{RANDOM_ID}", GRACE_ID)

    scene.click(message, "Resume here", by=GRACE_ID)

    await told(scene, "Manage Messages", GRACE_ID)
    assert await scene.app.store.turns.history(f"discord:{GENERAL_ID}") == []


async def test_another_persons_dm_is_never_seen(scene: Scene) -> None:
    """Neither in the list, nor by its id in a forged press; one's own is."""
    dm = scene.playground.people.open_dm(ADA_ID)
    scene.say("a secret", channel=dm.id)
    await scene.outcome(channel=dm.id)
    await talk(scene, "in public")

    mine, theirs = await listed(scene), await listed(scene, GRACE_ID)

    assert f"discord:{dm.id}" in offered(mine)
    assert offered(theirs) == [f"discord:{GENERAL_ID}"]
    for row in theirs.components:  # as if her client sent what it was never offered
        for one in row["components"]:
            if one["type"] == 3:
                one["options"][0]["value"] = f"discord:{dm.id}"
    press = str(ComponentId(Action.SESSION_OPEN))
    scene.playground.people.click(GENERAL_ID, GRACE_ID, theirs.id, press, [f"discord:{dm.id}"])
    await told(scene, "gone, or you can't see it", GRACE_ID)


@pytest.mark.parametrize("action", ["resume", "rename", "markdown", "json"])
async def test_every_button_looks_anew(scene: Scene, action: str) -> None:
    """Who may no longer read a channel can do nothing with its conversation, though the buttons are still there."""
    await talk(scene, "for those who may", channel=RANDOM_ID)
    message = await opened(scene, f"discord:{RANDOM_ID}", GRACE_ID)
    scene.playground.admin.overwrite(RANDOM_ID, GRACE_ID, deny=Permission.VIEW_CHANNEL, allow=Permission(0))

    label = {"resume": "Resume here", "rename": "Rename", "markdown": "Markdown", "json": "JSON"}[action]
    scene.click(message, label, by=GRACE_ID)

    await told(scene, "gone, or you can't see it", GRACE_ID)
    assert offered(await listed(scene, GRACE_ID)) == []


async def test_a_hidden_channel_is_not_listed(scene: Scene) -> None:
    """A conversation of a channel that a person cannot read is not in their list."""
    await talk(scene, "for those who may", channel=RANDOM_ID)
    await talk(scene, "for all")
    scene.playground.admin.overwrite(RANDOM_ID, GRACE_ID, deny=Permission.VIEW_CHANNEL, allow=Permission(0))

    assert offered(await listed(scene, GRACE_ID)) == [f"discord:{GENERAL_ID}"]


async def test_a_persons_own_conversation_is_theirs(scene: Scene) -> None:
    """Where each person has a conversation of their own, others do not see it, also not in that channel."""
    scene.command("people", {"value": "each"})
    await said(scene, "set /people")
    await talk(scene, "mine")

    assert offered(await listed(scene)) == [f"discord:{GENERAL_ID}:{ADA_ID}"]
    assert offered(await listed(scene, GRACE_ID)) == []


async def test_many_have_pages(scene: Scene) -> None:
    """More than fit on a page are reached by its buttons."""
    for number in range(12):
        channel = scene.playground.admin.add_channel(f"c{number}", ChannelType.TEXT)
        await talk(scene, "hello", channel=channel.id)
    message = await listed(scene)
    first = offered(message)

    scene.click(message, "Older")
    await scene.until(lambda: offered(message) != first)

    assert (len(first), len(offered(message))) == (10, 2)
    assert not {*first} & {*offered(message)}


async def stored(scene: Scene, *sessions: tuple[str, int, tuple[str, ...], str]) -> None:
    """Store conversations with an answered question each: their ids, when they were used, scopes and titles."""
    for session_id, moment, scopes, title in sessions:
        turn = await begun(scene.app.store, session_id, session_id=session_id)
        await finish(scene.app.store, turn)
        await scene.app.store.sessions.ensure(session_id, moment, "a place", scopes)
        await scene.app.store.sessions.rename(session_id, title, moment)


def in_general(number: int, title: str = "") -> tuple[str, int, tuple[str, ...], str]:
    """One of many conversations that were kept of #general; the one with the highest number was used last."""
    scopes = (f"discord:{GENERAL_ID}", f"discord:server:{GUILD_ID}")
    return f"discord:{GENERAL_ID}/{number:08}", 1_000_000 * (number // 2), scopes, title or f"Number {number}"


async def turned(scene: Scene, message: Message, label: str, *, by: int = ADA_ID) -> list[str]:
    """Another page of a list, by its button."""
    before = (offered(message), message.embeds)
    scene.click(message, label, by=by)
    await scene.until(lambda: (offered(message), message.embeds) != before)
    return offered(message)


async def test_pages_are_turned_both_ways_and_do_not_shift(scene: Scene) -> None:
    """Each conversation is on one page, whatever is said meanwhile; back at the first page the newest are there."""
    await stored(scene, *(in_general(number) for number in range(25)))
    ids = [in_general(number)[0] for number in reversed(range(25))]
    message = await listed(scene)
    first = offered(message)
    await talk(scene, "meanwhile")
    pages = [first, *[await turned(scene, message, "Older") for _ in range(2)]]

    assert [one for page in pages for one in page] == ids
    assert await turned(scene, message, "Newer") == pages[1]
    assert await turned(scene, message, "Newer") == first
    newest = await turned(scene, message, "Newer")
    assert newest == [f"discord:{GENERAL_ID}", *ids[:9]]


async def test_two_people_turn_pages_at_once(scene: Scene) -> None:
    """Each list has its own place, which its buttons name."""
    await stored(scene, *(in_general(number) for number in range(25)))
    adas, graces = await listed(scene), await listed(scene, GRACE_ID)

    second = await turned(scene, adas, "Older")
    third = await turned(scene, adas, "Older")

    assert await turned(scene, graces, "Older", by=GRACE_ID) == second
    assert not {*second} & {*third}


async def test_a_page_of_what_is_gone(scene: Scene) -> None:
    """When all older conversations were cleared, the page says that there is none, and leads back."""
    await stored(scene, *(in_general(number) for number in range(14)))
    message = await listed(scene)
    first = offered(message)
    for number in range(4):
        await scene.app.store.sessions.clear(in_general(number)[0], 1)

    assert await turned(scene, message, "Older") == []
    assert "nothing older" in message.embeds[0]["description"]
    assert await turned(scene, message, "Newest") == first


async def test_a_button_of_before_shows_the_first_page(scene: Scene) -> None:
    """Lists that an older version sent name pages by numbers."""
    await stored(scene, *(in_general(number) for number in range(12)))
    message = await listed(scene)
    first = offered(message)
    await turned(scene, message, "Older")
    button = next(one for row in message.components for one in row["components"] if one.get("label") == "Newer")
    button["custom_id"] = str(ComponentId(Action.SESSION_PAGE, "1"))

    assert await turned(scene, message, "Newer") == first


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("number 7", 2),
        ("NUMBER 17", 1),
        ("nowhere", 0),
        ("%", 0),
        ("x" * 4_000, 0),
        ("place", 10),
        (" \u200b*_`<@1>", 0),
    ],
)
async def test_conversations_are_searched(scene: Scene, words: str, count: int) -> None:
    """By words of their titles and places, whatever these words are; the buttons go on with the same search."""
    await stored(scene, *(in_general(number) for number in range(20)))
    scene.command("sessions", {"search": words})
    message = await scene.until(lambda: next(iter(m for m in scene.private(ADA_ID) if m.embeds), None))
    assert message is not None

    assert len(offered(message)) == count
    if count == 0:
        assert "has these words" in message.embeds[0]["description"]
    if count == 10:
        assert len(await turned(scene, message, "Older")) == 10
        assert message.embeds[0]["footer"]["text"] == "Search: place"


async def test_a_search_says_how_far_it_looked(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it did not look at is not said to be without the words, and is looked at by the next page."""
    monkeypatch.setattr("llmgine.sessions.operations.sessions.SEARCHED", 2)
    await stored(scene, *(in_general(number, "The needle" if number == 0 else "Hay") for number in range(20)))
    scene.command("sessions", {"search": "needle"})
    message = await scene.until(lambda: next(iter(m for m in scene.private(ADA_ID) if m.embeds), None))
    assert message is not None
    assert offered(message) == []
    assert "Searched as far as" in message.embeds[0]["description"]

    found = await turned(scene, message, "Older")

    assert found == [in_general(0)[0]]


async def test_a_list_asks_discord_ten_times_at_most(scene: Scene) -> None:
    """However many conversations of archived threads there are; what could not be looked up is on the next page."""
    threads = [scene.playground.people.create_thread(GENERAL_ID, ADA_ID, f"t{number}") for number in range(24)]
    scopes = (f"discord:{GENERAL_ID}", f"discord:server:{GUILD_ID}")
    for number, thread in enumerate(threads):
        own = f"discord:{thread.id}"
        await stored(scene, (own, 1_000_000 * number, (own, *scopes), "In a thread"))
        assert thread.thread is not None
        thread.thread.archived = True
        scene.playground.state.update_thread(thread)
    await scene.restart()
    scene.no_moderators()
    await scene.bot.caught_up()
    before = len(scene.playground.requests)
    message = await listed(scene, GRACE_ID)

    seen = offered(message)
    asked = [len(scene.playground.requests) - before]
    while not button(message, "Older")["disabled"]:
        before = len(scene.playground.requests)
        seen += await turned(scene, message, "Older", by=GRACE_ID)
        asked.append(len(scene.playground.requests) - before)

    assert seen == [f"discord:{thread.id}" for thread in reversed(threads)]
    assert max(asked) <= 10, asked


async def test_of_what_is_hidden_not_even_the_id_is_told(scene: Scene) -> None:
    """A list that ended among conversations of a hidden channel names none of them in its buttons."""
    await stored(scene, *(in_general(number) for number in range(230)))
    scene.playground.admin.overwrite(GENERAL_ID, GRACE_ID, deny=Permission.VIEW_CHANNEL, allow=Permission(0))
    own = (f"discord:{RANDOM_ID}", f"discord:server:{GUILD_ID}")
    await stored(scene, (f"discord:{RANDOM_ID}", 0, own, "The oldest"))

    message = await listed(scene, GRACE_ID, RANDOM_ID)

    assert str(GENERAL_ID) not in json.dumps(message.components)
    assert offered(message) == []
    assert await turned(scene, message, "Older", by=GRACE_ID) == [f"discord:{RANDOM_ID}"]


def button(message: Message, label: str) -> Json:
    """A button of a message."""
    found: Json = next(one for row in message.components for one in row["components"] if one.get("label") == label)
    return found


async def test_it_can_be_renamed(scene: Scene) -> None:
    """The title is asked for in a form, bounded, and shown as it is, in the list too."""
    await talk(scene, "hello")
    message = await opened(scene, f"discord:{GENERAL_ID}")

    scene.click(message, "Rename")
    form = await modal(scene)
    scene.playground.people.submit_modal(ADA_ID, int(form["modal_id"]), {"title": "Plans **@everyone**"})

    await scene.until(lambda: message.embeds[0].get("title") == r"Plans \*\*\@everyone\*\*")
    assert text_input(form)["max_length"] == 80
    assert (await scene.app.store.sessions.get(f"discord:{GENERAL_ID}")).title == "Plans **@everyone**"


async def test_it_can_be_taken_along(scene: Scene) -> None:
    """The whole conversation as Markdown for people and as JSON for programs, to the person alone."""
    scene.model.reply(tool_calls=[("calculate", '{"expression": "6*7"}')])
    scene.model.reply("It is 42.")
    await talk(scene, "six times seven?")
    message = await opened(scene, f"discord:{GENERAL_ID}")

    scene.click(message, "Markdown")
    scene.click(message, "JSON")
    await scene.until(lambda: len([m for m in scene.private(ADA_ID) if m.attachments]) == 2)

    files = {a.filename: a.content for m in scene.private(ADA_ID) for a in m.attachments}
    text = files["conversation.md"].decode()
    for words in ("## Ada", "six times seven?", "`calculate(", "42", "It is 42."):
        assert words in text
    assert json.loads(files["conversation.json"])["turns"][0]["steps"][0]["text"] == "six times seven?"


async def test_a_branch_goes_its_own_way(scene: Scene) -> None:
    """/branch opens a thread that knows what was said; neither hears of the other from there."""
    await talk(scene, "before")
    scene.command("branch")
    await told(scene, "Continued in <#")
    thread = the_thread(scene)
    assert thread is not None

    scene.say("in the branch", channel=thread.id)
    await scene.outcome(channel=thread.id)
    await talk(scene, "in the channel")

    assert people_said(scene.model.requests[1]) == ["before", "in the branch"]
    assert people_said(scene.model.requests[2]) == ["before", "in the channel"]
    assert scene.shown(thread.id)[0].mentions == []


async def test_a_branch_into_the_dm(scene: Scene) -> None:
    """It goes on privately, and what the DM held before is kept."""
    dm = scene.playground.people.open_dm(GRACE_ID)
    scene.say("what was here", by=GRACE_ID, channel=dm.id)
    await scene.outcome(channel=dm.id)
    await talk(scene, "in public")

    scene.command("branch", {"where": "dm"}, by=GRACE_ID)
    await told(scene, "in your DM", GRACE_ID)
    scene.say("in private", by=GRACE_ID, channel=dm.id)
    await scene.outcome(2, channel=dm.id)

    assert people_said(scene.model.requests[-1]) == ["in public", "in private"]
    kept = [s for s in (await scene.app.store.sessions.page(most=100)).sessions if s.id.startswith(f"discord:{dm.id}/")]
    assert [s.turns for s in kept] == [1]


async def test_a_dm_that_is_closed_is_said(scene: Scene) -> None:
    """Who takes no DMs is told; nothing is copied."""
    await talk(scene, "in public")
    scene.playground.admin.close_dms(GRACE_ID, closed=True)

    scene.command("branch", {"where": "dm"}, by=GRACE_ID)

    await scene.until(lambda: [m for m in scene.private(GRACE_ID) if "Discord doesn't let me" in m.content])
    assert len((await scene.app.store.sessions.page(most=100)).sessions) == 1


async def test_a_private_branch(scene: Scene) -> None:
    """A private thread is for the asker; without the permission to open one that is said."""
    await talk(scene, "in public")
    for role in (GUILD_ID, BOT_ROLE_ID):
        scene.playground.admin.set_role(role, BOT_PERMISSIONS & ~Permission.CREATE_PRIVATE_THREADS)
    scene.command("branch", {"where": "private"})
    await scene.until(lambda: [m for m in scene.private(ADA_ID) if "Discord doesn't let me" in m.content])
    scene.playground.admin.set_role(BOT_ROLE_ID, BOT_PERMISSIONS | Permission.CREATE_PRIVATE_THREADS)

    scene.command("branch", {"where": "private"})
    await told(scene, "Continued in <#")

    thread = the_thread(scene)
    assert thread is not None
    assert thread.type is ChannelType.PRIVATE_THREAD
    assert thread.thread is not None
    assert ADA_ID in thread.thread.members


async def test_nothing_to_branch_leaves_nothing(scene: Scene) -> None:
    """Without a conversation no thread stays behind, and the person is told."""
    scene.command("branch")

    await told(scene, "gone, or you can't see it")
    assert the_thread(scene) is None


@pytest.mark.parametrize("by_answer", [True, False])
async def test_branch_from_here_begins_with_what_was_before(scene: Scene, *, by_answer: bool) -> None:
    """From a question or from its answer, the thread stands at that message and knows nothing of what came after."""
    await talk(scene, "one", "two")
    asked = next(m for m in scene.messages() if m.author_id == ADA_ID)
    message = scene.outcomes()[0] if by_answer else asked

    scene.playground.people.command(GENERAL_ID, ADA_ID, "Branch from here", target_id=message.id)
    await told(scene, f"Continued in <#{message.id}>")
    scene.say("three", channel=message.id)
    await scene.outcome(channel=message.id)

    assert people_said(scene.model.requests[-1]) == ["one", "three"]


async def test_branch_from_a_message_that_is_none_of_ours(scene: Scene) -> None:
    """What was never said to the bot has no conversation."""
    message = scene.say("among ourselves")

    scene.playground.people.command(GENERAL_ID, ADA_ID, "Branch from here", target_id=message.id)

    await told(scene, "isn't part of a conversation")


async def test_ask_about_this_shows_the_message_to_the_model(scene: Scene) -> None:
    """A form asks for the question, everybody sees it, and the model is told whose words it is about."""
    message = scene.say("The moon is made of cheese. @everyone", by=GRACE_ID)
    scene.playground.people.command(GENERAL_ID, ADA_ID, "Ask about this", target_id=message.id)
    form = await modal(scene)
    await scene.restart()

    scene.playground.people.submit_modal(ADA_ID, int(form["modal_id"]), {"question": "Is that so?"})

    asked = await said(scene, "Ada asks about")
    outcome = await scene.outcome()
    assert "> Is that so?" in asked.content
    assert outcome.reference == Reference(GENERAL_ID, asked.id)
    content = json.loads(scene.model.requests[0]["messages"][-1]["content"])
    assert content["text"] == "Is that so?"
    assert content["reply_to"] == {
        "from": {"id": str(GRACE_ID), "name": "Grace"},
        "text": "The moon is made of cheese. @everyone",
    }


async def test_a_question_about_a_message_outlives_a_restart(scene: Scene) -> None:
    """The look at what was taken back meanwhile finds the question where it stands."""
    message = scene.say("Two and two are five.", by=GRACE_ID)
    scene.playground.people.command(GENERAL_ID, ADA_ID, "Ask about this", target_id=message.id)
    form = await modal(scene)
    scene.playground.people.submit_modal(ADA_ID, int(form["modal_id"]), {"question": "Is that so?"})
    await scene.outcome()
    await scene.restart()

    await talk(scene, "and three?")

    assert people_said(scene.model.requests[-1]) == ["Is that so?", "and three?"]


async def test_ask_about_a_message_that_is_gone(scene: Scene) -> None:
    """A message that was deleted meanwhile cannot be asked about; the person is told, and nothing is asked."""
    message = scene.say("soon gone", by=GRACE_ID)
    scene.playground.people.command(GENERAL_ID, ADA_ID, "Ask about this", target_id=message.id)
    form = await modal(scene)
    scene.playground.people.delete(GENERAL_ID, message.id, GRACE_ID)

    scene.playground.people.submit_modal(ADA_ID, int(form["modal_id"]), {"question": "What was it?"})

    await told(scene, "The message is gone")
    assert scene.model.requests == []


async def test_a_thread_is_called_what_its_conversation_is(unstarted: Scene) -> None:
    """The model's title becomes the name of the thread the bot opened; one that a person named keeps its name."""
    scene = await unstarted.start(titles=True)
    scene.model.reply("Paris.")
    scene.model.reply("The capital of France")
    scene.command("thread")
    await told(scene, "Opened <#")
    thread = the_thread(scene)
    assert thread is not None

    scene.say("What is the capital of France?", channel=thread.id)

    await scene.until(lambda: thread.name == "The capital of France")
    await scene.outcome(channel=thread.id)
    scene.command("thread", {"name": "Mine"})
    await scene.until(lambda: len(scene.playground.state.threads(GENERAL_ID)) == 2)
    mine = next(t for t in scene.playground.state.threads(GENERAL_ID) if t.name == "Mine")
    await scene.until(lambda: scene.shown(mine.id))
    scene.say("hello", channel=mine.id)
    await scene.outcome(channel=mine.id)
    assert mine.name == "Mine"
    assert len(scene.model.requests) == 3


async def test_an_archived_thread_wakes_with_its_memory(scene: Scene) -> None:
    """A thread that went to sleep, also over a restart, is answered when somebody writes in it, and knows what was."""
    scene.command("thread")
    await told(scene, "Opened <#")
    thread = the_thread(scene)
    assert thread is not None
    scene.say("remember me", channel=thread.id)
    await scene.outcome(channel=thread.id)
    scene.playground.people.change_thread(thread.id, ADA_ID, ThreadChanges(archived=True))
    await scene.restart()

    scene.say("who was I?", channel=thread.id)

    await scene.outcome(2, channel=thread.id)
    assert people_said(scene.model.requests[-1]) == ["remember me", "who was I?"]


async def test_a_forum_post_is_a_thread(scene: Scene) -> None:
    """A post that mentions the bot is answered in the post, which then needs no mention; each has its own memory."""
    forum = scene.playground.admin.add_channel("questions", ChannelType.FORUM)
    post = scene.playground.people.create_post(forum.id, ADA_ID, "How?", f"<@{BOT_ID}> how is it done?")
    other = scene.playground.people.create_post(forum.id, GRACE_ID, "Why?", f"<@{BOT_ID}> why is it done?")

    await scene.until(lambda: scene.outcomes(post.id) and scene.outcomes(other.id))
    answered = scene.outcomes(post.id)[0]
    scene.say(f"<@{BOT_ID}> and then?", channel=post.id)
    await scene.outcome(2, channel=post.id)

    assert "how is it done?" in body_of(answered.content)
    assert people_said(scene.model.requests[-1]) == ["how is it done?", "and then?"]
