"""/audit: moderators see what was changed in channels of their server they can view; the operator sees all, in a DM."""

import pytest

from programs.playground.entities import (
    ADA_ID,
    GENERAL_ID,
    GRACE_ID,
    MEMBERS_ROLE_ID,
    PERSON_PERMISSIONS,
    RANDOM_ID,
    Message,
    Permission,
)
from tests.programs.discord.scene import Scene
from tests.programs.discord.test_approvals import asked
from tests.programs.discord.test_settings import change, set_here
from tests.programs.discord.test_slash import said, told


async def audit(scene: Scene, *, by: int = ADA_ID, channel: int = GENERAL_ID) -> tuple[str, list[Message]]:
    """What /audit shows, and all messages it sent."""
    before = len(scene.private(by, channel))
    scene.command("audit", by=by, channel=channel)
    shown = await scene.until(lambda: [one for one in scene.private(by, channel)[before:] if one.embeds or one.content])
    return (shown[0].embeds[0]["description"] if shown[0].embeds else shown[0].content), shown


async def test_what_was_done_is_listed(unstarted: Scene) -> None:
    """The newest first, with when, who, where and what: settings, approvals, pauses, /clear and /doctor."""
    scene = await unstarted.start(demo=True)
    await set_here(scene, "style", "brief", by=GRACE_ID)
    await change(scene, "language", {"value": "en", "where": "server"})
    scene.click(await asked(scene, by=GRACE_ID), "Approve")
    await scene.outcome()
    scene.command("pause", {"what": "tools"})
    await said(scene, "paused: **")
    scene.command("doctor", by=GRACE_ID, channel=RANDOM_ID)
    await scene.until(lambda: [one for one in scene.private(GRACE_ID, RANDOM_ID) if one.embeds])

    text, _ = await audit(scene)

    here = f"in <#{GENERAL_ID}>"
    assert [line.split("> ", 1)[1] for line in text.splitlines()] == [
        f"<@{GRACE_ID}> in <#{RANDOM_ID}>: used `/doctor`",
        f"<@{ADA_ID}> {here}: paused `tools (server)`",
        f"<@{ADA_ID}> {here}: approved a call of `send_email`",
        f"<@{ADA_ID}> {here}: set `language: en (server)`",
        f"<@{GRACE_ID}> {here}: set `style: brief`",
    ]
    assert "test@example.com" not in text


async def test_a_channel_that_somebody_cannot_view_is_not_listed(scene: Scene) -> None:
    """Rights count at that moment; the name, the setting and the person are hidden, also in the file."""
    await set_here(scene, "style", "brief", channel=RANDOM_ID)
    text, _ = await audit(scene, by=GRACE_ID)
    assert f"<#{RANDOM_ID}>" in text
    scene.playground.admin.overwrite(RANDOM_ID, GRACE_ID, deny=Permission.VIEW_CHANNEL)

    text, _ = await audit(scene, by=GRACE_ID)

    assert text == "Nothing is recorded here yet."


async def test_it_is_for_moderators(scene: Scene) -> None:
    """Who may not manage messages is refused, and in a DM sees their own DM's entries alone."""
    scene.playground.admin.set_role(MEMBERS_ROLE_ID, PERSON_PERMISSIONS & ~Permission.MANAGE_MESSAGES)
    scene.command("audit", by=GRACE_ID)
    await told(scene, "Only people with the permission Manage Messages can use /audit.", GRACE_ID)
    dm = scene.playground.people.open_dm(GRACE_ID).id
    await set_here(scene, "style", "brief")
    await set_here(scene, "style", "detailed", by=GRACE_ID, channel=dm)

    text, _ = await audit(scene, by=GRACE_ID, channel=dm)

    assert [line.rpartition(": set ")[2] for line in text.splitlines()] == ["`style: detailed`"]


async def test_the_operator_sees_all_in_a_dm(scene: Scene) -> None:
    """Those of every server and every DM."""
    dms = {who: scene.playground.people.open_dm(who).id for who in (ADA_ID, GRACE_ID)}
    await set_here(scene, "style", "brief")
    await set_here(scene, "style", "detailed", by=GRACE_ID, channel=dms[GRACE_ID])

    text, _ = await audit(scene, channel=dms[ADA_ID])

    assert [line.rpartition(": set ")[2] for line in text.splitlines()] == ["`style: detailed`", "`style: brief`"]


@pytest.mark.parametrize("locale", ["en-US", "de"])
async def test_more_than_twenty_come_as_a_file(scene: Scene, locale: str) -> None:
    """The newest twenty are shown in a card, however long they are, and all of them are in a file."""
    scene.playground.state.users[ADA_ID].locale = locale
    for number in range(21):
        await set_here(scene, "system", f"{number}" * 80, "prompt")

    text, shown = await audit(scene)

    await scene.until(lambda: [file for one in scene.private(ADA_ID) for file in one.attachments])
    assert len(text.splitlines()) == 21
    files = [file for one in scene.private(ADA_ID) for file in one.attachments]
    assert [file.filename for file in files] == ["audit.csv"]
    assert shown != []


async def test_limits_are_listed(scene: Scene) -> None:
    """What /budget sets, for all together or for each person, is in the audit log of the server."""
    await change(scene, "budget", {"tokens": "50000", "where": "server"})
    await change(scene, "budget", {"tokens": "$2", "who": "person"})

    text, _ = await audit(scene)

    assert [line.rpartition(": set ")[2] for line in text.splitlines()] == [
        "`daily_dollars:person: 2 (server)`",
        "`daily_tokens: 50000 (server)`",
    ]
