"""What the bot tells of a channel is for those who may read it at that moment: /why, Details, Ask about this."""

import pytest

from programs.playground.entities import GENERAL_ID, GRACE_ID, Permission
from tests.programs.discord.scene import Scene
from tests.programs.discord.test_presses import submit
from tests.programs.discord.test_slash import modal, told

REFUSED = "You don't have permission to read the message history here."


def take_history(scene: Scene) -> None:
    """Take from Grace the permission to read what was said before."""
    scene.playground.admin.overwrite(GENERAL_ID, GRACE_ID, deny=Permission.READ_MESSAGE_HISTORY)


@pytest.mark.parametrize("reference", [None, "id", "menu"])
async def test_why(scene: Scene, reference: str | None) -> None:
    """The bot looks at no message for somebody who may not read it, however they name it."""
    message = scene.ask("hello", by=GRACE_ID)
    await scene.outcome()
    take_history(scene)
    before = len(scene.playground.requests)

    if reference == "menu":
        scene.playground.people.command(GENERAL_ID, GRACE_ID, "Why no answer?", target_id=message.id)
    else:
        scene.command("why", {"message": str(message.id)} if reference else {}, by=GRACE_ID)

    await told(scene, REFUSED, GRACE_ID)
    assert not [
        one for one in list(scene.playground.requests)[before:] if "/messages/" in one.path and one.method == "GET"
    ]


async def test_details(scene: Scene) -> None:
    """Nor does the asker see what is behind an answer that they may not read any more."""
    scene.ask("hello", by=GRACE_ID)
    answer = await scene.outcome()
    take_history(scene)

    scene.click(answer, "Details", by=GRACE_ID)

    await told(scene, REFUSED, GRACE_ID)


async def test_the_menu_of_a_message(scene: Scene) -> None:
    """Ask about this opens no form for them."""
    message = scene.say("something")
    take_history(scene)

    scene.playground.people.command(GENERAL_ID, GRACE_ID, "Ask about this", target_id=message.id)

    await told(scene, REFUSED, GRACE_ID)


async def test_a_form_that_was_opened_before(scene: Scene) -> None:
    """A form that was opened when one might read, and is sent after one may not, is refused."""
    message = scene.say("something")
    scene.playground.people.command(GENERAL_ID, GRACE_ID, "Ask about this", target_id=message.id)
    opened = await modal(scene)
    take_history(scene)

    submit(scene, opened, "?", by=GRACE_ID)

    await told(scene, REFUSED, GRACE_ID)
    assert scene.model.requests == []
