"""Presses obey /listen as messages do: where the bot is switched off it is not asked by a button either."""

import pytest

from llmgine.sessions.clock import now
from programs.playground.entities import ADA_ID, GENERAL_ID
from tests.programs.discord.open_faults.delivery_scene import at_rest, here, soon
from tests.programs.discord.scene import Scene
from tests.programs.discord.test_slash import modal, text_input


async def switch_off(scene: Scene) -> None:
    """Do what `/listen off` does."""
    await scene.app.store.settings.change(here(), "listen", "off", None, now())


def told_why(scene: Scene) -> bool:
    """Whether Ada was told that the bot is switched off here."""
    return any("off" in message.content for message in scene.private(ADA_ID))


@pytest.mark.xfail(
    strict=True, raises=(AssertionError, TimeoutError), reason="Presses are not held against the channel's /listen."
)
@pytest.mark.parametrize("label", ["Regenerate", "Retry", "Continue"])
async def test_a_press_obeys_listen_off(scene: Scene, label: str) -> None:
    """Where the bot is switched off a press asks the model nothing, and the person is told why."""
    if label == "Retry":
        scene.model.fail(401)
    else:
        scene.model.reply("something", finish="length")
    scene.ask("something")
    answer = await scene.outcome()
    await switch_off(scene)

    scene.click(answer, label)

    await soon(scene, lambda: told_why(scene) or len(scene.model.requests) > 1)
    await at_rest(scene)
    assert len(scene.model.requests) == 1
    assert told_why(scene)


async def test_asking_about_a_message_obeys_listen_off(scene: Scene) -> None:
    """Where the bot is switched off "Ask about this" asks the model nothing, and the person is told why."""
    message = scene.say("something")
    scene.playground.people.command(GENERAL_ID, ADA_ID, "Ask about this", target_id=message.id)
    opened = await modal(scene)
    await switch_off(scene)

    scene.playground.people.submit_modal(ADA_ID, int(opened["modal_id"]), {text_input(opened)["custom_id"]: "?"})

    await soon(scene, lambda: told_why(scene) or bool(scene.model.requests))
    assert scene.model.requests == []
    assert told_why(scene)
