"""What holds in a session for the model, while the engine runs its turns."""

import pytest

from llmgine.engine.setting_changes import Choices
from llmgine.errors import UserError
from llmgine.messages.commands import ChangeSettingCommand
from llmgine.messages.events import ModelAskedEvent, SettingChangedEvent
from llmgine.providers.scripted import ScriptedProvider
from tests.llmgine.engine.chat import call
from tests.llmgine.engine.conftest import StartChat


@pytest.mark.parametrize(
    ("name", "value"), [("style", "operatic"), ("model", ""), ("model", "x" * 101), ("system_prompt", "x" * 4_001)]
)
async def test_a_value_that_cannot_be_is_refused(start_chat: StartChat, name: str, value: str) -> None:
    """It is not stored, and nobody is told of it."""
    chat = await start_chat([])

    with pytest.raises(UserError):
        (await chat.bus.execute(ChangeSettingCommand(scope="s", name=name, value=value))).unwrap()

    assert await chat.store.settings.of(["s"]) == []
    assert chat.of(SettingChangedEvent) == []


async def test_the_chosen_model_is_asked_and_told(start_chat: StartChat) -> None:
    """From the next call on; the request names it, and so does what is told."""
    provider = ScriptedProvider(["one", "two"])
    chat = await start_chat(provider, choices=Choices(models=("other",)))
    await chat.say("one")

    (await chat.bus.execute(ChangeSettingCommand(scope="s", name="model", value="other"))).unwrap()
    finished = await chat.say("two")

    assert [request.model for request in provider.requests] == ["scripted", "other"]
    assert [event.model for event in chat.of(ModelAskedEvent)] == ["scripted", "other"]
    assert finished.model == "other"


async def test_a_tool_that_is_not_offered_does_not_run(start_chat: StartChat) -> None:
    """A model that calls it all the same is told that there is none, and the turn goes on."""
    ran = []
    chat = await start_chat([call("look"), "done"])

    def look() -> str:
        """Look."""
        ran.append("look")
        return "seen"

    await chat.engine.register_tool(look)
    command = ChangeSettingCommand(scope="s", name="tools", value="other")
    (await chat.bus.execute(command)).unwrap()

    finished = await chat.say("look")

    assert ran == []
    assert finished.text == "done"
    assert chat.results()[0] == (False, "Error in look: There is no tool 'look'. No tools are offered.")
