"""Settings made for a category: where they hold, what wins over them, who may make them, and what a move changes."""

import pytest

from programs.playground.entities import (
    ADA_ID,
    GENERAL_ID,
    GRACE_ID,
    GUILD_ID,
    RANDOM_ID,
    TEXT_CHANNELS_ID,
    ChannelType,
    Permission,
)
from tests.programs.discord.scene import MENTION, Scene, people_said
from tests.programs.discord.test_settings import change, set_here, system_text
from tests.programs.discord.test_slash import modal, said, text_input, told


async def set_in_category(scene: Scene, style: str, channel: int = GENERAL_ID) -> None:
    """Say how long answers are in the whole category of a channel."""
    await change(scene, "style", {"value": style, "where": "category"}, channel=channel)


async def style(scene: Scene, channel: int = GENERAL_ID) -> str:
    """The style of the next answer in a channel, by what the model is told."""
    number = len(scene.outcomes(channel)) + 1
    scene.ask("hello", channel=channel)
    await scene.outcome(number, channel)
    text = system_text(scene.model.requests[-1])
    return next(
        (name for name, words in {"brief": "one to three", "detailed": "in depth"}.items() if words in text), ""
    )


async def test_it_holds_in_the_channels_and_threads_of_the_category(scene: Scene) -> None:
    """Made in one channel it holds in the others, their threads and forum posts, and nowhere outside the category."""
    world, people = scene.playground.admin, scene.playground.people
    loose = world.add_channel("loose").id
    other = world.add_channel("other", category_id=world.add_category("Other").id).id
    forum = world.add_channel("questions", ChannelType.FORUM, category_id=TEXT_CHANNELS_ID).id
    thread = people.create_thread(RANDOM_ID, ADA_ID, "inside").id
    post = people.create_post(forum, ADA_ID, "Why?", "Does anybody know?").id

    await set_in_category(scene, "brief")

    assert [await style(scene, one) for one in (GENERAL_ID, RANDOM_ID, thread, post)] == ["brief"] * 4
    assert [await style(scene, one) for one in (loose, other)] == ["", ""]


async def test_the_channels_own_wins_and_the_servers_loses(scene: Scene) -> None:
    """Of three scopes the nearest holds; taken away in the category, the server's holds there again."""
    loose = scene.playground.admin.add_channel("loose").id
    await set_in_category(scene, "brief")
    await change(scene, "style", {"value": "detailed", "where": "server"})
    await set_here(scene, "style", "normal", channel=RANDOM_ID)

    assert [await style(scene, one) for one in (GENERAL_ID, RANDOM_ID, loose)] == ["brief", "", "detailed"]
    await set_in_category(scene, "inherit")
    assert await style(scene) == "detailed"


async def test_what_the_bot_does_is_set_for_a_category_too(scene: Scene) -> None:
    """/listen for the category needs no mention in its channels, and everybody is told; elsewhere it still does."""
    loose = scene.playground.admin.add_channel("loose").id
    await change(scene, "listen", {"value": "always", "where": "category"})
    await said(scene, "Ada set /listen in this category to `always`")

    scene.say("outside", channel=loose)
    scene.say("inside", channel=RANDOM_ID)

    await scene.outcome(channel=RANDOM_ID)
    assert [people_said(request) for request in scene.model.requests] == [["inside"]]


async def test_settings_says_that_it_is_from_the_category(scene: Scene) -> None:
    """/settings and the command alone name the category as the origin, in a channel where nobody set anything."""
    await set_in_category(scene, "brief")

    scene.command("settings", channel=RANDOM_ID)
    scene.command("style", channel=RANDOM_ID)

    shown = await scene.until(lambda: next((m for m in scene.private(ADA_ID, RANDOM_ID) if m.embeds), None))
    assert shown is not None
    fields = {field["name"].partition(":")[0]: field["value"] for field in shown.embeds[0]["fields"]}
    assert f"`brief` · from the category, set by <@{ADA_ID}>" in fields["/style"]
    assert "default" in fields["/cards"]
    await told(scene, "**/style**: `brief` · from the category", channel=RANDOM_ID)


async def test_the_form_shows_the_categorys_prompt(scene: Scene) -> None:
    """/system for the category opens with what holds there, not with the channel's own, and changes it there."""
    scene.command("system", {"prompt": "Speak like a category.", "where": "category"})
    await said(scene, "system prompt in this category")
    scene.command("system", {"prompt": "Speak like a channel."})
    await said(scene, "Speak like a channel.")
    scene.command("system", {"where": "category"})
    opened = await modal(scene)
    assert text_input(opened)["value"] == "Speak like a category."

    scene.playground.people.submit_modal(
        ADA_ID, int(opened["modal_id"]), {text_input(opened)["custom_id"]: "Speak like a choir."}
    )

    await said(scene, "Speak like a choir.")
    for channel in (GENERAL_ID, RANDOM_ID):
        scene.ask("hello", channel=channel)
        await scene.outcome(channel=channel)
    own, inherited = (system_text(request) for request in scene.model.requests)
    assert ("a channel" in own, "a choir" in inherited) == (True, True)


async def test_only_who_manages_the_category_may(scene: Scene) -> None:
    """The permission in the channel alone is not enough, and that in the category alone is."""
    world = scene.playground.admin
    world.overwrite(GENERAL_ID, GRACE_ID, allow=Permission.MANAGE_CHANNELS)
    scene.command("style", {"value": "brief", "where": "category"}, by=GRACE_ID)
    await told(scene, "Only people with the permission Manage Channels", GRACE_ID)
    assert await style(scene) == ""
    world.overwrite(GENERAL_ID, GRACE_ID, deny=Permission.MANAGE_CHANNELS)
    world.overwrite(TEXT_CHANNELS_ID, GRACE_ID, allow=Permission.MANAGE_CHANNELS)

    scene.command("style", {"value": "brief", "where": "category"}, by=GRACE_ID)

    await told(scene, "set /style in this category", GRACE_ID)
    assert await style(scene) == "brief"


async def test_it_survives_a_restart(scene: Scene) -> None:
    """What was set for a category holds after the bot was started anew."""
    await set_in_category(scene, "brief")

    await scene.restart()

    assert await style(scene, RANDOM_ID) == "brief"


async def test_a_moved_channel_takes_what_its_new_category_has(scene: Scene) -> None:
    """With the move the next answer follows the new category; in none, the server's setting holds."""
    world = scene.playground.admin
    other = world.add_category("Other").id
    there = world.add_channel("there", category_id=other).id
    await set_in_category(scene, "brief")
    await set_in_category(scene, "detailed", there)
    thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "inside").id
    assert [await style(scene, one) for one in (GENERAL_ID, thread)] == ["brief", "brief"]

    world.move_channel(GENERAL_ID, other)
    assert [await style(scene, one) for one in (GENERAL_ID, thread)] == ["detailed", "detailed"]
    world.move_channel(GENERAL_ID, None)
    assert [await style(scene, one) for one in (GENERAL_ID, thread)] == ["", ""]


@pytest.mark.parametrize("way", ["Regenerate", "edit"])
async def test_an_answer_given_anew_follows_the_move(scene: Scene, way: str) -> None:
    """The model is asked by the settings of where the channel is by now, though nobody wrote there since the move."""
    await set_in_category(scene, "brief")
    question = scene.ask("hello")
    outcome = await scene.outcome()
    scene.playground.admin.move_channel(GENERAL_ID, None)

    if way == "edit":
        scene.playground.people.edit(GENERAL_ID, question.id, ADA_ID, f"{MENTION} good day")
    else:
        scene.click(outcome, way)

    await scene.until(lambda: len(scene.model.requests) == 2)
    await scene.outcome()
    assert ["one to three" in system_text(request) for request in scene.model.requests] == [True, False]


async def test_in_a_thread_of_its_own_an_edited_question_keeps_what_is_set_there(scene: Scene) -> None:
    """A question that was answered in its thread is answered anew by that thread's settings, and the category's."""
    await change(scene, "people", {"value": "each", "where": "category"})
    await change(scene, "threads", {"value": "auto", "where": "category"})
    question = scene.ask("hello")
    await scene.until(lambda: scene.playground.state.threads(GENERAL_ID))
    await scene.outcome(channel=question.id)
    await set_here(scene, "style", "brief", channel=question.id)
    await change(scene, "system", {"prompt": "Speak like a category.", "where": "category"})

    scene.playground.people.edit(GENERAL_ID, question.id, ADA_ID, f"{MENTION} good day")

    await scene.until(lambda: len(scene.model.requests) == 2)
    await scene.outcome(channel=question.id)
    told_first = system_text(scene.model.requests[-1])
    assert ("Speak like a category." in told_first, "one to three" in told_first) == (True, True)


async def test_a_deleted_category_leaves_nothing_behind(scene: Scene) -> None:
    """Its channels are in none, so that what was set for it no longer holds, and the server's does."""
    await set_in_category(scene, "brief")
    await change(scene, "style", {"value": "detailed", "where": "server"})
    assert await style(scene) == "brief"

    scene.playground.admin.delete_channel(TEXT_CHANNELS_ID)

    assert await style(scene) == "detailed"
    scene.command("style", {"value": "brief", "where": "category"})
    await told(scene, "in no category")


async def test_in_a_category_out_of_sight_it_holds_as_well(scene: Scene) -> None:
    """A bot that may not see the category, but a channel in it, follows what is set there."""
    await set_in_category(scene, "brief")
    for channel in (GENERAL_ID, RANDOM_ID):  # no longer in sync with the category
        scene.playground.admin.overwrite(channel, GUILD_ID, allow=Permission.VIEW_CHANNEL)

    scene.playground.admin.overwrite(TEXT_CHANNELS_ID, GUILD_ID, deny=Permission.VIEW_CHANNEL)

    assert await style(scene, RANDOM_ID) == "brief"
