"""Which model answers in a channel, and how much it thinks: /effort, and /model before one was chosen."""

from programs.playground.entities import ADA_ID, GENERAL_ID, RANDOM_ID
from tests.programs.discord.scene import Scene, body_of
from tests.programs.discord.test_settings import change, set_here
from tests.programs.discord.test_slash import told


async def test_the_effort_is_told_to_the_model(scene: Scene) -> None:
    """/effort is sent with each model call where it holds, the nearest one; without it the model's own does."""
    scene.ask("as you like")
    await scene.outcome()
    await change(scene, "effort", {"value": "low", "where": "server"})
    await set_here(scene, "effort", "high", channel=RANDOM_ID)
    await scene.restart()

    scene.ask("a little")
    await scene.outcome(2)
    scene.ask("thoroughly", channel=RANDOM_ID)
    await scene.outcome(channel=RANDOM_ID)
    await set_here(scene, "effort", "inherit", channel=RANDOM_ID)
    scene.ask("a little", channel=RANDOM_ID)
    await scene.outcome(2, channel=RANDOM_ID)

    assert [request.get("reasoning_effort") for request in scene.model.requests] == [None, "low", "high", "low"]


async def test_a_model_without_effort_answers_all_the_same(scene: Scene) -> None:
    """A service that does not know the effort is asked without it."""
    await set_here(scene, "effort", "xhigh")
    scene.model.fail(400, {"error": {"message": "Unrecognized request argument supplied: reasoning_effort"}})

    scene.ask("hello")

    assert body_of((await scene.outcome()).content) == "You said: hello"
    assert "reasoning_effort" not in scene.model.requests[-1]


async def test_a_model_that_is_not_chosen_yet_is_said_to_be(unstarted: Scene) -> None:
    """Where OPENAI_MODEL is not set, /settings says so until the first question, and then names the model."""
    unstarted.model.models = ["some-model"]
    scene = await unstarted.start(openai_model=None)
    scene.command("model")
    await told(scene, "chosen at the first question · default")

    scene.ask("hello")
    await scene.outcome()

    scene.command("model")
    await told(scene, "`some-model` · default")


async def test_without_a_list_no_nameless_model_is_suggested(unstarted: Scene) -> None:
    """Where the service lists no models and none was chosen, only inherit is left to suggest."""
    scene = await unstarted.start(openai_model=None)

    suggested = await scene.playground.people.autocomplete(
        GENERAL_ID, ADA_ID, "model", [{"name": "name", "value": ""}], "name"
    )

    assert [choice["value"] for choice in suggested] == ["inherit"]
