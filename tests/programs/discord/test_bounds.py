"""Who is answered, and how much it may cost: /roles and /budget."""

import re

import pytest

from programs.playground.entities import (
    ADA_ID,
    GENERAL_ID,
    GRACE_ID,
    GUILD_ID,
    MEMBERS_ROLE_ID,
    PERSON_PERMISSIONS,
    RANDOM_ID,
    Permission,
)
from tests.programs.discord.scene import Scene, body_of, labels, people_said
from tests.programs.discord.test_settings import change, set_here
from tests.programs.discord.test_slash import modal, said, text_input, told
from tests.programs.discord.test_why import why, why_menu

MEMBER = "/guilds/{guild_id}/members/{user_id}"
USED_UP = "⚠️ The daily limit of 20 tokens is used up. It resets at midnight UTC: ask again then."


async def helpers(scene: Scene, *people: int) -> str:
    """A role that these people have and that is answered alone in the channel."""
    role = scene.playground.admin.add_role("Helpers")
    for person in people:
        scene.playground.admin.give_roles(person, MEMBERS_ROLE_ID, role)
    await set_here(scene, "roles", "@helpers", "names")
    return f"<@&{role}>"


async def test_only_who_has_the_role_is_answered(scene: Scene) -> None:
    """Elsewhere everybody is; who lacks the role learns from /why which one it takes."""
    role = await helpers(scene, GRACE_ID)
    await said(scene, f"Ada set /roles here to {role}.")

    asked = scene.ask("not me?")
    scene.ask("but me?", by=GRACE_ID)
    scene.ask("and there?", channel=RANDOM_ID)
    await scene.outcome()
    await scene.outcome(channel=RANDOM_ID)

    assert sorted(people_said(request)[-1] for request in scene.model.requests) == ["and there?", "but me?"]
    assert f"only answer people with the role {role}" in await why_menu(scene, asked)


async def test_a_role_that_is_given_or_taken_counts_at_once(scene: Scene) -> None:
    """The roles that people have when they write are what counts."""
    role = int((await helpers(scene, GRACE_ID)).strip("<@&>"))
    scene.playground.admin.give_roles(ADA_ID, MEMBERS_ROLE_ID, role)
    scene.playground.admin.give_roles(GRACE_ID, MEMBERS_ROLE_ID)

    scene.ask("me?", by=GRACE_ID)
    scene.ask("or me?")

    await scene.outcome()
    assert people_said(scene.model.requests[0]) == ["or me?"]


async def test_what_was_written_while_away_takes_the_role_too(scene: Scene) -> None:
    """Messages that are read back do not carry their author's roles; Discord is asked for them."""
    await helpers(scene, GRACE_ID)
    await scene.stop()
    scene.ask("not me?")
    scene.ask("but me?", by=GRACE_ID)

    await scene.start()

    await scene.outcome()
    assert [people_said(request) for request in scene.model.requests] == [["but me?"]]


async def test_a_role_that_cannot_be_looked_up_is_looked_up_again(scene: Scene) -> None:
    """Discord fails just then: nothing of any channel is lost, and each person is asked for once."""
    await helpers(scene, GRACE_ID)
    await scene.stop()
    for number in range(3):
        scene.ask(f"{number}?", by=GRACE_ID)
    scene.ask("there?", channel=RANDOM_ID)
    scene.playground.faults.plan("error", "GET", MEMBER, status=503)
    scene.playground.faults.plan("reset", "GET", MEMBER, nth=2)

    await scene.start()

    await scene.outcome(3)
    await scene.outcome(channel=RANDOM_ID)
    assert len(scene.sends("GET", MEMBER)) == 3


async def test_who_has_left_is_not_answered(scene: Scene) -> None:
    """Somebody who is no member any more has no role; the rest of the channel is answered."""
    await helpers(scene, GRACE_ID)
    await scene.stop()
    scene.ask("me?")
    scene.ask("or me?", by=GRACE_ID)
    scene.playground.faults.plan("error", "GET", MEMBER, status=404)

    await scene.start()

    await scene.outcome()
    assert [people_said(request) for request in scene.model.requests] == [["or me?"]]


@pytest.mark.parametrize("label", ["Regenerate", "Continue", "Ask about this", "its form"])
async def test_buttons_and_menus_take_the_role_too(scene: Scene, label: str) -> None:
    """Whose role is gone gets no answer in a roundabout way either, and is told why."""
    people = scene.playground.people
    scene.model.reply("something", finish="length")
    scene.ask("something")
    answer = await scene.outcome()
    people.command(GENERAL_ID, ADA_ID, "Ask about this", target_id=answer.id)
    opened = await modal(scene)
    await helpers(scene, GRACE_ID)

    if label == "Ask about this":
        people.command(GENERAL_ID, ADA_ID, label, target_id=answer.id)
    elif label == "its form":
        people.submit_modal(ADA_ID, int(opened["modal_id"]), {text_input(opened)["custom_id"]: "?"})
    else:
        scene.click(answer, label)

    await told(scene, "only answer some roles")
    assert len(scene.model.requests) == 1


async def test_everyone_lifts_a_wider_restriction(scene: Scene) -> None:
    """A channel may be open in a server that answers one role."""
    role = scene.playground.admin.add_role("Helpers")
    await change(scene, "roles", {"names": f"<@&{role}>", "where": "server"})
    await set_here(scene, "roles", "everyone", "names")

    scene.ask("not me?", channel=RANDOM_ID)
    scene.ask("me too?")

    await scene.outcome()
    assert [people_said(request) for request in scene.model.requests] == [["me too?"]]


@pytest.mark.parametrize(("command", "parameter", "value"), [("roles", "names", "everyone"), ("budget", "tokens", "9")])
async def test_the_owner_of_a_thread_is_no_judge_of_bounds(
    scene: Scene, command: str, parameter: str, value: str
) -> None:
    """Who opens a thread cannot lift there what keeps them out of the channel."""
    scene.no_moderators()
    await helpers(scene)
    thread = scene.playground.people.create_thread(GENERAL_ID, GRACE_ID, "mine")

    scene.command(command, {parameter: value}, by=GRACE_ID, channel=thread.id)

    await told(scene, "Only people with the permission Manage Messages", GRACE_ID, thread.id)


@pytest.mark.parametrize(
    ("command", "parameter", "value", "words"),
    [
        ("roles", "names", "Nobody", "There is no role 'Nobody' here"),
        ("roles", "names", " , ", "Mention up to 20 roles"),
        ("roles", "names", ",".join(map(str, range(21))), "up to 20"),
        ("budget", "tokens", "1.5", "Give a number of tokens above 0"),
        ("budget", "tokens", "plenty", "Give a number of tokens above 0"),
        ("budget", "tokens", "0", "Give a number of tokens above 0"),
        ("budget", "tokens", "-5", "Give a number of tokens above 0"),
        ("budget", "tokens", "9" * 30, "Give a number of tokens above 0"),
    ],
)
async def test_what_cannot_be_is_refused(scene: Scene, command: str, parameter: str, value: str, words: str) -> None:
    """A value that is none changes nothing, and the person is told what can be given."""
    scene.command(command, {parameter: value})

    await told(scene, words)
    assert await scene.app.store.settings.of([f"discord:{GENERAL_ID}"]) == []


@pytest.mark.parametrize("value", ["200000", "200,000", "200.000", "200 000"])
async def test_thousands_may_be_set_apart(scene: Scene, value: str) -> None:
    """As people write them in their languages."""
    scene.command("budget", {"tokens": value})

    await said(scene, "to `200,000`")


@pytest.mark.parametrize("value", ["everyone", "@everyone", str(GUILD_ID)])
async def test_everyone_has_several_names(scene: Scene, value: str) -> None:
    """Also the role that everybody has."""
    scene.command("roles", {"names": value})

    await said(scene, "to `everyone`")


async def test_roles_are_suggested(scene: Scene) -> None:
    """Names of roles that fit what was typed, one after the other."""
    scene.playground.admin.add_role("Helpers")
    typed = [{"name": "names", "value": "members, help"}]

    suggested = await scene.playground.people.autocomplete(GENERAL_ID, ADA_ID, "roles", typed, "names")

    assert [choice["value"] for choice in suggested] == ["members, Helpers"]


async def test_a_budget_that_is_used_up_is_said(scene: Scene) -> None:
    """The question gets the reason as its outcome, with Retry; /why says it; /settings shows what was used."""
    await set_here(scene, "budget", "20", "tokens")
    await said(scene, "Ada set /budget here to `20`")
    scene.ask("one")
    await scene.outcome()
    scene.ask("two")
    await scene.outcome(2)

    scene.ask("three")
    refused = await scene.outcome(3)

    assert re.fullmatch(re.escape(USED_UP) + r" \(<t:\d+:R>\)", body_of(refused.content))
    assert labels(refused)[0] == "Retry"
    assert "tokens is used up" in await why(scene)
    scene.command("budget")
    shown = await told(scene, "**/budget**")
    assert "so I don't answer" in shown.content
    await set_here(scene, "budget", "1,000,000", "tokens")
    scene.click(refused, "Retry")
    await scene.until(lambda: "You said" in refused.content)


async def test_a_budget_of_the_server_is_for_all_its_channels(scene: Scene) -> None:
    """It takes Manage Server, and a channel's own larger one does not lift it."""
    scene.playground.admin.set_role(MEMBERS_ROLE_ID, PERSON_PERMISSIONS | Permission.MANAGE_MESSAGES)
    scene.command("budget", {"tokens": "1", "where": "server"}, by=GRACE_ID)
    await told(scene, "Only people with the permission Manage Server", GRACE_ID)
    await set_here(scene, "budget", "20", "tokens")
    scene.command("budget", {"tokens": "1", "where": "server"})
    await said(scene, "Ada set /budget in this server")
    scene.ask("one", channel=RANDOM_ID)
    await scene.outcome(channel=RANDOM_ID)

    scene.ask("two")

    assert "daily limit of 1 tokens" in (await scene.outcome()).content
