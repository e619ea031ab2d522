"""The model is told when each message was written, in the zone of whoever wrote it."""

import json
from typing import Any

import pytest
from discord.utils import snowflake_time

from llmgine.engine.timezones import told_timezone
from llmgine.messages.commands import Author
from llmgine.messages.erasing_commands import ForgetPersonCommand
from llmgine.messages.local_time import in_words
from llmgine.providers.scripted import ScriptedProvider
from programs.discord.ids import SOURCE
from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, Message
from tests.programs.discord.scene import Scene

ADA = Author(id=str(ADA_ID), name="Ada")


async def told(scene: Scene, words: str) -> Message:
    """Wait until only Ada is told this; gives the message."""
    return (await scene.until(lambda: [one for one in scene.private(ADA_ID) if words in one.content]))[0]


async def zone(scene: Scene, name: str) -> None:
    """Let Ada set her zone."""
    before = len(scene.private(ADA_ID))
    scene.command("timezone", {"zone": name})
    await scene.until(lambda: len([one for one in scene.private(ADA_ID) if "Your time" in one.content]) > before)


async def test_the_time_is_that_of_the_message_in_the_zone_of_its_author(unstarted: Scene) -> None:
    """It is in TIMEZONE until the author sets a zone, and in theirs after a restart too."""
    scene = await unstarted.start(timezone="Asia/Tokyo")
    first = scene.ask("one")
    await scene.outcome()
    await zone(scene, "america/new york")
    await scene.restart(timezone="Asia/Tokyo")
    second = scene.ask("two")
    await scene.outcome(2)

    tokyo, york = (
        in_words(snowflake_time(first.id), "Asia/Tokyo"),
        in_words(snowflake_time(second.id), "America/New_York"),
    )
    assert scene.model.times[0] == [f"[Sent {tokyo}]\\n"]
    assert scene.model.times[1] == [f"[Sent {tokyo}]\\n", f"[Sent {york}]\\n"]


async def test_what_was_sent_is_never_changed_by_it(unstarted: Scene) -> None:
    """A request begins with the messages of the one before, whatever time it is by now: services have them cached."""
    provider = ScriptedProvider(["first", "second"])
    scene = await unstarted.start(provider=provider)
    scene.ask("one")
    await scene.outcome()
    await zone(scene, "Asia/Kolkata")
    scene.ask("two")
    await scene.outcome(2)

    first, second = provider.requests
    assert second.messages[: len(first.messages)] == first.messages
    assert "202" not in first.messages[0].content  # no date in the system text


async def test_where_several_speak_each_has_their_own(unstarted: Scene) -> None:
    """It stands beside the text and its author."""
    scene = await unstarted.start()
    await zone(scene, "Europe/Berlin")
    scene.ask("one", by=GRACE_ID)
    await scene.outcome()
    scene.ask("two")
    await scene.outcome(2)

    assert "UTC]" in scene.model.times[1][0]
    assert "Europe/Berlin (UTC+0" in scene.model.times[1][1]
    assert "sent" in scene.model.times[1][1]


async def test_a_zone_that_does_not_exist_is_refused(scene: Scene) -> None:
    """The person is told what a name looks like, and nothing is set."""
    scene.command("timezone", {"zone": "Mars/Base"})
    await told(scene, "There is no time zone 'Mars/Base'. Write one such as Europe/Berlin or UTC.")

    scene.command("timezone")

    await told(scene, "This is the default zone")


async def test_the_default_can_be_restored(scene: Scene) -> None:
    """A `-` takes the own zone away."""
    await zone(scene, "Europe/Berlin")
    await told(scene, "Europe/Berlin")

    scene.command("timezone", {"zone": "-"})

    await told(scene, "This is the default zone")


@pytest.mark.parametrize(("typed", "first"), [("berl", "Europe/Berlin"), ("new y", "America/New_York")])
async def test_names_are_suggested(scene: Scene, typed: str, first: str) -> None:
    """Zones whose place begins with what is typed come first, and no more than Discord takes."""
    given: list[dict[str, Any]] = [{"name": "zone", "type": 3, "value": typed, "focused": True}]

    found = await scene.playground.people.autocomplete(GENERAL_ID, ADA_ID, "timezone", given, "zone")

    assert found[0]["value"] == first
    assert len(found) <= 25


async def test_a_zone_is_erased_with_its_person(scene: Scene) -> None:
    """Who is forgotten has the default zone again, and nothing says what theirs was."""
    await zone(scene, "Europe/Berlin")

    (await scene.app.bus.execute(ForgetPersonCommand(person=ADA.id))).unwrap()

    assert "default" in str(await told_timezone(scene.app.store, SOURCE, ADA))
    assert "Berlin" not in json.dumps(await scene.app.store.people.elsewhere(ADA.id))
