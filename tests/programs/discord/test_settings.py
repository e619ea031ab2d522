"""Settings from inside Discord: made, inherited, shown, and kept from those who may not."""

import asyncio
from typing import Any

import pytest

from llmgine.messages.events import SettingChangedEvent
from programs.discord.channel_settings import ChannelSettings
from programs.discord.setting_specs import SETTING_SPECS
from programs.playground.entities import (
    ADA_ID,
    BOT_PERMISSIONS,
    BOT_ROLE_ID,
    GENERAL_ID,
    GRACE_ID,
    GUILD_ID,
    MEMBERS_ROLE_ID,
    PERSON_PERMISSIONS,
    RANDOM_ID,
    Permission,
)
from tests.programs.discord.scene import Scene, people_said
from tests.programs.discord.test_slash import modal, said, text_input, told
from tests.waiting import patience


async def set_here(scene: Scene, command: str, value: str, parameter: str = "value", **options: Any) -> None:
    """Make a setting in the channel and wait until it holds."""
    await change(scene, command, {parameter: value}, **options)


async def change(scene: Scene, command: str, given: dict[str, Any], **options: Any) -> None:
    """Use a command, and wait until what it sets holds."""
    changed = asyncio.Event()
    undo = scene.app.bus.register_event_handler(SettingChangedEvent, lambda _: changed.set())
    scene.command(command, given, **options)
    async with patience("the setting to be changed"):
        await changed.wait()
    undo()


def system_text(request: dict[str, Any]) -> str:
    return str(request["messages"][0]["content"])


def offered(request: dict[str, Any]) -> list[str]:
    return [tool["function"]["name"] for tool in request.get("tools", [])]


def test_the_table_tells_the_truth() -> None:
    """A default is the model's or no value, every choice is a value the model takes, and no field is left out."""
    for option in SETTING_SPECS:
        for value in option.choices:
            option.model.model_validate({option.name: value})
        if option.choices:
            default = option.model().model_dump()[option.name]
            assert default == (option.default if option.default in option.choices else None)
    assert set(ChannelSettings.model_fields) <= {"pauses", "limited_roles", *(option.name for option in SETTING_SPECS)}


async def test_the_nearest_setting_holds(scene: Scene) -> None:
    """What is set for the server holds in every channel that has nothing of its own, until it is taken away there."""
    scene.command("system", {"prompt": "Speak like a server.", "where": "server"})
    await said(scene, "system prompt in this server")
    scene.command("system", {"prompt": "Speak like a channel."}, channel=RANDOM_ID)
    await said(scene, "Speak like a channel.", RANDOM_ID)

    scene.ask("hello")
    await scene.outcome()
    scene.ask("hello", channel=RANDOM_ID)
    await scene.outcome(channel=RANDOM_ID)
    scene.command("system", {"prompt": " "}, channel=RANDOM_ID)
    await said(scene, "removed the system prompt", RANDOM_ID)
    scene.ask("again", channel=RANDOM_ID)
    await scene.outcome(2, channel=RANDOM_ID)

    spoken = [system_text(request) for request in scene.model.requests]
    assert ["server" in spoken[0], "channel" in spoken[1], "server" in spoken[2]] == [True, True, True]


async def test_a_style_is_told_to_the_model(scene: Scene) -> None:
    """/style adds a sentence to the system prompt, from the next model call on, also after a restart."""
    await set_here(scene, "style", "brief")
    await scene.restart()

    scene.ask("hello")
    await scene.outcome()

    assert system_text(scene.model.requests[0]).startswith("You are LLMgine")
    assert "one to three sentences" in system_text(scene.model.requests[0])


async def test_the_model_is_chosen_from_what_is_allowed(unstarted: Scene) -> None:
    """/model suggests the allowed models the service lists, refuses others, and the chosen one is asked and shown."""
    unstarted.model.models = ["test-model", "other-model", "another-model"]
    scene = await unstarted.start(allowed_models=("other-model", "gone-model"))

    suggested = await scene.playground.people.autocomplete(
        GENERAL_ID, ADA_ID, "model", [{"name": "name", "value": "OTHER"}], "name"
    )
    scene.command("model", {"name": "no-model"})
    await told(scene, "no model 'no-model'")
    scene.command("model", {"name": "another-model"})
    await told(scene, "doesn't allow the model 'another-model' here. Allowed: test-model, other-model, gone-model.")
    await set_here(scene, "model", "other-model", "name")
    scene.ask("hello")
    outcome = await scene.outcome()

    assert [choice["value"] for choice in suggested] == ["other-model"]
    assert scene.model.requests[0]["model"] == "other-model"
    assert "other-model" in outcome.content


async def test_where_the_service_lists_no_models_any_allowed_name_may_be_set(unstarted: Scene) -> None:
    """A service without a list of models still answers to a model's name; a name of any length is not taken."""
    scene = await unstarted.start(allowed_models=("some-model",))
    suggested = await scene.playground.people.autocomplete(GENERAL_ID, ADA_ID, "model", [], "name")
    scene.command("model", {"name": "x" * 200})
    await told(scene, "isn't a possible value")

    await set_here(scene, "model", "some-model", "name")

    scene.ask("hello")
    await scene.outcome()
    assert [choice["value"] for choice in suggested] == ["test-model", "some-model", "inherit"]
    assert scene.model.requests[0]["model"] == "some-model"


async def test_only_the_tools_of_the_channel_are_offered(scene: Scene) -> None:
    """/tools says what the model is offered there; elsewhere it is offered all."""
    await set_here(scene, "tools", "calculate, get_weather", "names")

    scene.ask("hello")
    await scene.outcome()
    scene.ask("hello", channel=RANDOM_ID)
    await scene.outcome(channel=RANDOM_ID)

    assert sorted(offered(scene.model.requests[0])) == ["calculate", "get_weather"]
    assert "send_email" in offered(scene.model.requests[1])


async def test_a_tool_that_is_not_offered_does_not_run(scene: Scene) -> None:
    """A model that calls a tool all the same gets an error, and the tool has no effect."""
    await set_here(scene, "tools", "none", "names")
    scene.model.reply(tool_calls=[("calculate", '{"expression": "6*7"}')])

    scene.ask("six times seven?")
    await scene.outcome()

    result = scene.model.requests[1]["messages"][-1]
    assert result["role"] == "tool"
    assert "42" not in result["content"]
    assert "No tools are offered" in result["content"]


async def test_tools_are_suggested_one_after_the_other(scene: Scene) -> None:
    """What was typed before the last comma stays, and no tool is suggested twice; an unknown one is refused."""
    typed = [{"name": "names", "value": "calculate, wea"}]

    suggested = await scene.playground.people.autocomplete(GENERAL_ID, ADA_ID, "tools", typed, "names")
    scene.command("tools", {"names": "calculate, rm_rf"})

    assert [choice["value"] for choice in suggested] == ["calculate, get_weather"]
    await told(scene, "no tool 'rm_rf'")


async def test_listening_always_needs_no_mention(scene: Scene) -> None:
    """/listen always answers what is said to nobody; off answers not even a mention, and is told to everybody."""
    await set_here(scene, "listen", "always")
    scene.say("what is this?")
    await scene.outcome()
    await set_here(scene, "listen", "off")

    scene.ask("and now?")
    scene.ask("elsewhere", channel=RANDOM_ID)

    await scene.outcome(channel=RANDOM_ID)
    assert [people_said(request) for request in scene.model.requests] == [["what is this?"], ["elsewhere"]]
    await said(scene, "Ada set /listen here to `off`")


async def test_what_was_said_while_away_is_judged_by_the_setting(scene: Scene) -> None:
    """Catching up answers what listening would have answered."""
    await set_here(scene, "listen", "always")
    await scene.stop()
    scene.say("is anybody there?")

    await scene.start()

    await scene.outcome()
    assert people_said(scene.model.requests[0]) == ["is anybody there?"]


async def test_each_question_gets_a_thread(scene: Scene) -> None:
    """With /threads auto a question opens a thread, is answered there once, and goes on there with its own memory."""
    await set_here(scene, "threads", "auto")

    first, second = scene.ask("the first question?"), scene.ask("the second?")
    await scene.until(lambda: len(scene.playground.state.threads(GENERAL_ID)) == 2)
    await scene.until(lambda: scene.outcomes(first.id) and scene.outcomes(second.id))
    scene.say("and further?", channel=first.id)
    await scene.outcome(2, channel=first.id)

    assert scene.playground.state.channels[first.id].name == "the first question?"
    assert people_said(scene.model.requests[-1]) == ["the first question?", "and further?"]
    assert len(scene.model.requests) == 3
    assert scene.outcomes() == []


async def test_a_question_whose_thread_was_opened_before_the_end_is_answered(scene: Scene) -> None:
    """A bot that died between the thread and the question answers it there after the restart, in that one thread."""
    await set_here(scene, "threads", "auto")
    await scene.stop()
    asked = scene.ask("what was it?")
    scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "what was it?", message_id=asked.id)

    await scene.start()

    await scene.outcome(channel=asked.id)
    assert len(scene.model.requests) == 1


async def test_without_the_permission_the_answer_stands_in_the_channel(scene: Scene) -> None:
    """Where the bot may open no thread, the question is answered as if nothing was set."""
    await set_here(scene, "threads", "auto")
    for role in (GUILD_ID, BOT_ROLE_ID):
        scene.playground.admin.set_role(role, BOT_PERMISSIONS & ~Permission.CREATE_PUBLIC_THREADS)

    scene.ask("here then?")

    await scene.outcome()


@pytest.mark.parametrize(
    ("where", "permission"),
    [
        ("here", Permission.MANAGE_MESSAGES),
        ("category", Permission.MANAGE_CHANNELS),
        ("server", Permission.MANAGE_GUILD),
    ],
)
async def test_each_scope_takes_its_permission(scene: Scene, where: str, permission: Permission) -> None:
    """Who lacks the permission is refused and nothing changes; who has just that one may."""
    every = Permission.MANAGE_MESSAGES | Permission.MANAGE_CHANNELS | Permission.MANAGE_GUILD
    scene.playground.admin.set_role(MEMBERS_ROLE_ID, (PERSON_PERMISSIONS | every) & ~permission)

    scene.command("style", {"value": "brief", "where": where}, by=GRACE_ID)
    await told(scene, "Only people with the permission", GRACE_ID)
    scene.ask("one")
    await scene.outcome()
    scene.playground.admin.set_role(MEMBERS_ROLE_ID, (PERSON_PERMISSIONS & ~every) | permission)
    scene.command("style", {"value": "brief", "where": where}, by=GRACE_ID)
    await told(scene, "set /style", GRACE_ID)
    scene.ask("two")
    await scene.outcome(2)

    assert ["sentences" in system_text(request) for request in scene.model.requests] == [False, True]


async def test_settings_shows_where_each_comes_from(scene: Scene) -> None:
    """/settings lists every setting with its value, who set it and for what, to the person alone."""
    scene.command("system", {"prompt": "Be a pirate.", "where": "server"})
    await said(scene, "pirate")
    await set_here(scene, "style", "detailed")

    scene.command("settings")
    shown = await scene.until(lambda: next((m for m in scene.private(ADA_ID) if m.embeds), None))

    assert shown is not None
    fields = {field["name"].partition(":")[0]: field["value"] for field in shown.embeds[0]["fields"]}
    assert list(fields) == [*(f"/{option.label}" for option in SETTING_SPECS), "/pause"]
    assert "pirate" in fields["/system"]
    assert f"from the server, set by <@{ADA_ID}>" in fields["/system"]
    assert f"from <#{GENERAL_ID}>" in fields["/style"]
    assert "default" in fields["/listen"]
    assert "test-model" in fields["/model"]


async def test_without_a_value_the_present_one_is_shown(scene: Scene) -> None:
    """A command alone shows what holds, where it comes from and what else there is."""
    scene.command("listen")

    shown = await told(scene, "**/listen**: `mention`")

    assert "-# off: No messages" in shown.content


async def test_a_channel_without_a_category_has_none_to_set(scene: Scene) -> None:
    """A setting for the category is refused where the channel is in none."""
    loose = scene.playground.admin.add_channel("loose").id

    scene.command("style", {"value": "brief", "where": "category"}, channel=loose)

    await told(scene, "in no category", channel=loose)


async def test_in_a_dm_there_is_no_server(scene: Scene) -> None:
    """A setting for the server cannot be made from a DM, and the person is told."""
    dm = scene.playground.people.open_dm(GRACE_ID)

    scene.command("style", {"value": "brief", "where": "server"}, by=GRACE_ID, channel=dm.id)

    await told(scene, "in no server", GRACE_ID, dm.id)


async def test_the_form_works_after_a_restart(scene: Scene) -> None:
    """Whoever has the form open when the bot restarts can still send it."""
    scene.command("system")
    opened = await modal(scene)
    await scene.restart()

    scene.playground.people.submit_modal(
        ADA_ID, int(opened["modal_id"]), {text_input(opened)["custom_id"]: "After all."}
    )

    await said(scene, "After all.")


async def test_hostile_words_stay_words(unstarted: Scene) -> None:
    """A model's name and a prompt with pings and back quotes ping nobody, also in /settings."""
    scene = await unstarted.start(allowed_models=("`@everyone` <@&1>",))
    scene.command("model", {"name": "`@everyone` <@&1>"})
    shown = await said(scene, "set /model")
    scene.command("settings")
    await scene.until(lambda: any(m.embeds for m in scene.private(ADA_ID)))

    assert shown.mention_everyone is False
    assert shown.mentions == []
