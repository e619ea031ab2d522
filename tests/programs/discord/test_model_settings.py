"""Which model answers in a channel, and how much it thinks: /effort, and /model before one was chosen."""

from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, RANDOM_ID
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


async def test_without_a_list_only_the_programs_own_model_can_be_chosen(unstarted: Scene) -> None:
    """That holds in a DM and in one's own thread as well, where everybody may change settings."""
    unstarted.model.models = ["test-model", "dear-model"]
    scene = await unstarted.start()
    people = scene.playground.people
    dm, thread = people.open_dm(GRACE_ID).id, people.create_thread(GENERAL_ID, GRACE_ID, "mine").id

    for channel in (dm, thread):
        typed = [{"name": "name", "value": ""}]
        suggested = await people.autocomplete(channel, GRACE_ID, "model", typed, "name")
        assert [choice["value"] for choice in suggested] == ["test-model", "inherit"]
        scene.command("model", {"name": "dear-model"}, by=GRACE_ID, channel=channel)
        await told(scene, "doesn't allow the model 'dear-model' here", GRACE_ID, channel)


async def test_what_was_chosen_before_stays_and_the_doctor_says_so(unstarted: Scene) -> None:
    """A channel that is set to a model that is not allowed any more keeps it; /doctor names it and what to do."""
    scene = await unstarted.start(allowed_models=("dear-model",))
    await set_here(scene, "model", "dear-model", "name")
    await set_here(scene, "effort", "high")
    await scene.restart(max_effort="low")

    scene.ask("hello")
    await scene.outcome()

    assert scene.model.requests[-1]["model"] == "dear-model"
    scene.command("doctor")
    [shown] = await scene.until(lambda: [m for m in scene.private(ADA_ID) if m.embeds])
    words = shown.embeds[0]["description"]
    assert "the model `dear-model` stays in use here" in words
    assert "the effort `high` stays in use here, but is above MAX_EFFORT" in words


async def test_efforts_and_tools_are_offered_as_far_as_they_are_allowed(unstarted: Scene) -> None:
    """/effort has no choices above MAX_EFFORT; /tools knows only ALLOWED_TOOLS, and so does the model."""
    scene = await unstarted.start(max_effort="low", allowed_tools=("calculate",))
    command = next(one for one in scene.playground.state.commands.values() if one["name"] == "effort")
    offered = [choice["value"] for choice in command["options"][0]["choices"]]
    typed = [{"name": "names", "value": ""}]
    suggested = await scene.playground.people.autocomplete(GENERAL_ID, ADA_ID, "tools", typed, "names")

    scene.ask("hello")
    await scene.outcome()

    assert offered == ["none", "minimal", "low", "inherit"]
    assert [choice["value"] for choice in suggested] == ["calculate", "all", "none", "inherit"]
    assert [tool["function"]["name"] for tool in scene.model.requests[0]["tools"]] == ["calculate"]
