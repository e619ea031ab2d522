"""What was asked and answered: how tests check that each question is answered once, and in order."""

from programs.playground.entities import GENERAL_ID
from tests.programs.discord.scene import Scene, people_said


def asked(scene: Scene) -> list[str]:
    """What the model was asked, in its order."""
    return [people_said(request)[-1] for request in scene.model.requests]


async def answered(scene: Scene, questions: list[str], *, channel: int = GENERAL_ID) -> None:
    """Wait until these questions of a channel are answered; check that each is once, in this order, and nothing else.

    They are the last that the model was asked.
    """
    await scene.outcome(len(questions), channel=channel)
    assert asked(scene)[-len(questions) :] == questions
    assert len(scene.outcomes(channel)) == len(questions)


async def asked_in_all(scene: Scene, questions: list[str]) -> None:
    """Check that the model was asked these questions and no others, once nothing is under way."""
    await scene.delivered()
    assert asked(scene) == questions
