"""Nothing that people do in Discord reaches the bot past `authorize`: each way in is listed here, and is tried."""

import ast
import re
from collections.abc import Iterator
from typing import Any

import discord
import pytest
from discord import app_commands

from programs.discord.client import Bot
from programs.discord.components.custom_ids import About, Action, ComponentId
from programs.discord.components.registry import FOR_EVERYBODY, REGISTRY, Kind
from programs.discord.permissions.authorize import Standing
from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, GUILD_ID, MEMBERS_ROLE_ID, RANDOM_ID, Json
from tests.programs.discord.scene import Scene
from tests.programs.discord.test_presses import forge, submit
from tests.programs.discord.test_privacy import forget, use
from tests.programs.discord.test_slash import modal, told
from tests.test_architecture import MODULES

# Each event that the bot handles: where it is decided whether the person may, or why nobody has to.
MESSAGES, PRESSES = "incoming.decision.Decisions", "slash.tree.Commands, components.gates.Gates"
NOBODY = "it is of no person"
EVENTS = {
    "on_message": MESSAGES,
    "on_raw_message_edit": MESSAGES,
    "on_raw_message_delete": "it only takes away what its author said",
    "on_raw_bulk_message_delete": "it only takes away what its author said",
    "on_interaction": PRESSES,
    "on_connect": NOBODY,
    "on_ready": NOBODY,
    "on_resumed": NOBODY,
    "on_error": NOBODY,
    "on_disconnect": NOBODY,
    "on_shard_connect": NOBODY,
    "on_guild_available": NOBODY,
    "on_guild_unavailable": NOBODY,
    "on_guild_remove": NOBODY,
    "on_guild_join": NOBODY,
    "on_guild_channel_create": NOBODY,
    "on_guild_channel_update": NOBODY,
    "on_guild_channel_delete": NOBODY,
    "on_guild_role_update": NOBODY,
    "on_thread_create": NOBODY,
    "on_thread_join": NOBODY,
    "on_raw_thread_delete": NOBODY,
    "on_member_update": NOBODY,
    "on_socket_event_type": NOBODY,
}
# Who makes commands that ask the model, each after the check that is named.
ASKING = {
    "programs.discord.incoming.content": MESSAGES,
    "programs.discord.slash.ask_about": "components.gates.Gates",
    "programs.discord.components.answers": "components.gates.Gates",
}
LISTENING = {"add_listener", "add_view", "add_dynamic_items", "listen", "event"}
SENTENCE = str(Standing.PERSON_BLOCKED.sentence)
REQUIRED = {"string": "x", 3: "x", 4: 1, 5: True}
ABOUT = {
    About.NOTHING: "",
    About.TURN: f"{'0' * 16}:1:0.0",
    About.MESSAGE: "1",
    About.SESSION: "discord:1",
    About.PAGE: "0",
    About.POSITION: "1.x",
    About.SCOPE: "here",
}


def test_every_event_is_listed() -> None:
    """A new event that the bot listens to is a new way in until somebody says why it is none."""
    handled = {name for one in Bot.__mro__ for name in vars(one) if name.startswith("on_")}
    ours = {name for name in handled if getattr(Bot, name) is not getattr(discord.Client, name, None)}

    assert sorted(ours - EVENTS.keys()) == []


def trees(prefix: str = "programs.discord.") -> Iterator[tuple[str, ast.AST]]:
    """The modules of the bot."""
    for name, path in MODULES.items():
        if name.startswith(prefix):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def names_called(tree: ast.AST) -> set[str]:
    called = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "") for one in called}


def test_the_model_is_asked_from_few_places() -> None:
    """Whoever makes a command that asks the model is listed with the check that stands before it."""
    asking = {"PromptCommand", "EditPromptCommand"}

    assert {name for name, tree in trees() if names_called(tree) & asking} == set(ASKING)


def test_no_component_and_no_command_has_a_way_of_its_own() -> None:
    """Callbacks of components are the router's alone, commands are in the one tree, and nobody adds listeners."""
    callbacks, checks, listeners = set[str](), set[str](), set[str]()
    for name, tree in trees():
        functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        callbacks |= {name} if functions & {"callback", "on_submit"} else set()
        checks |= {name} if "interaction_check" in functions else set()
        listeners |= {name for one in names_called(tree) if one in LISTENING}

    assert callbacks == {"programs.discord.components.router"}
    assert checks == {"programs.discord.slash.tree"}
    assert listeners == {"programs.discord.client"}  # which adds the router's item


def given(command: app_commands.Command[Any, ..., Any]) -> list[Json]:
    """An option for each that a command needs."""
    return [{"name": one.display_name, "value": REQUIRED[one.type.value]} for one in command.parameters if one.required]


async def test_every_command_asks(unstarted: Scene) -> None:
    """Somebody who is blocked can use no command and no menu, and is told why each time."""
    scene = await unstarted.start(blocked_people=(GRACE_ID,))
    people, message = scene.playground.people, scene.say("something")
    every = [
        one
        for one in scene.bot.commands.walk_commands()
        if isinstance(one, app_commands.Command) and (one.root_parent or one).name not in FOR_EVERYBODY
    ]
    menus = scene.bot.commands.get_commands(type=discord.AppCommandType.message)
    assert len(every) > 15

    everything: list[Any] = [*every, *menus]
    for number, command in enumerate(everything, 1):
        if isinstance(command, app_commands.Command):
            top, *path = command.qualified_name.split(" ")
            options = given(command)
            for name in reversed(path):
                options = [{"name": name, "type": 1, "options": options}]
            people.command(GENERAL_ID, GRACE_ID, top, options)
        else:
            people.command(GENERAL_ID, GRACE_ID, command.name, target_id=message.id)
        told = await scene.until(lambda number=number: scene.private(GRACE_ID)[number - 1 :])  # type: ignore[misc]
        assert [one.content for one in told] == [SENTENCE], command.qualified_name
    assert scene.shown() == []


async def test_suggestions_ask(unstarted: Scene) -> None:
    """Nothing is suggested to somebody who is blocked."""
    scene = await unstarted.start(blocked_people=(GRACE_ID,))

    found = await scene.playground.people.autocomplete(
        GENERAL_ID, GRACE_ID, "model", [{"name": "name", "value": ""}], "name"
    )

    assert found == []


@pytest.mark.parametrize(
    "action", [one for one in Action if REGISTRY[one].kind is Kind.BUTTON and one not in FOR_EVERYBODY]
)
async def test_every_button_asks(unstarted: Scene, action: Action) -> None:
    """Somebody who is blocked can press nothing, also what somebody else's message has."""
    scene = await unstarted.start(blocked_people=(GRACE_ID,))
    scene.ask("hello")
    answer = await scene.outcome()
    forge(answer, str(ComponentId(action, ABOUT[action.about])))

    scene.click(answer, "New", by=GRACE_ID)

    told = await scene.until(lambda: scene.private(GRACE_ID))
    assert [one.content for one in told] == [SENTENCE]


def test_what_is_for_everybody() -> None:
    """What nobody is refused is what is stored of them, and nothing else."""
    assert sorted(FOR_EVERYBODY) == ["export", "forget", "press:forget:me", "press:forget:no", "privacy"]


@pytest.mark.parametrize(
    "lists",
    [
        {"blocked_people": (GRACE_ID,)},
        {"blocked_roles": (MEMBERS_ROLE_ID,)},
        {"blocked_servers": (GUILD_ID,)},
        {"allowed_channels": (RANDOM_ID,)},
        {"allowed_people": (ADA_ID,)},
    ],
)
async def test_nobody_is_refused_what_is_stored_of_them(unstarted: Scene, lists: dict[str, Any]) -> None:
    """Whoever or wherever is on a list can see, get and erase what is stored of them."""
    scene = await unstarted.start(**lists)

    await sees_gets_and_erases(scene, GENERAL_ID)


@pytest.mark.parametrize("setting", ["off", "members"])
async def test_who_has_left_has_it_erased_in_a_dm(unstarted: Scene, setting: str) -> None:
    """Who is in no server any more has no other place than a DM, though nothing else is answered there."""
    dm = unstarted.playground.people.open_dm(GRACE_ID).id
    scene = await unstarted.start(direct_messages=setting)
    scene.playground.admin.leave(GRACE_ID)

    await sees_gets_and_erases(scene, dm)


async def sees_gets_and_erases(scene: Scene, channel: int) -> None:
    """Grace uses /privacy, /export me and /forget me with its button."""
    scene.command("privacy", by=GRACE_ID, channel=channel)
    await scene.until(lambda: [one for one in scene.private(GRACE_ID, channel) if one.embeds])
    use(scene, "export", by=GRACE_ID, channel=channel)
    await told(scene, "what I store about you", GRACE_ID, channel)
    await forget(scene, by=GRACE_ID, channel=channel)


async def test_a_form_asks(unstarted: Scene) -> None:
    """A form that somebody opened before they were blocked is refused when it is sent."""
    scene = await unstarted.start()
    message = scene.say("something")
    scene.playground.people.command(GENERAL_ID, GRACE_ID, "Ask about this", target_id=message.id)
    opened = await modal(scene)
    await scene.restart(blocked_people=(GRACE_ID,))

    submit(scene, opened, "?", by=GRACE_ID)

    told = await scene.until(lambda: scene.private(GRACE_ID))
    assert [one.content for one in told] == [SENTENCE]
    assert scene.model.requests == []


def test_every_standing_has_its_sentence() -> None:
    """Each is one sentence or two, and no two are alike."""
    said = [str(one.sentence) for one in Standing]

    assert len(set(said)) == len(said)
    assert all(re.fullmatch(r"[A-Z].*\.", one) for one in said)
