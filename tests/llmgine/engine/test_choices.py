"""What people may choose of what costs money: the operator's models, efforts and tools, whichever front end asks."""

import pytest

from llmgine.engine.setting_changes import Choices
from llmgine.errors import UserError
from llmgine.messages.commands import ChangeSettingCommand
from llmgine.sessions.clock import now
from tests.llmgine.engine.chat import Chat, call, roll
from tests.llmgine.engine.conftest import StartChat


async def choose(chat: Chat, name: str, value: str | None, scope: str = "s") -> None:
    """Choose something."""
    (await chat.bus.execute(ChangeSettingCommand(scope=scope, name=name, value=value))).unwrap()


@pytest.mark.parametrize(("models", "allowed"), [((), ["scripted"]), (("good",), ["scripted", "good"])])
async def test_models(start_chat: StartChat, models: tuple[str, ...], allowed: list[str]) -> None:
    """The program's own and those on the list may be chosen; another is refused with the names, and not stored."""
    chat = await start_chat([], choices=Choices(models=models))
    for name in allowed:
        await choose(chat, "model", name)

    with pytest.raises(UserError, match=rf"doesn't allow the model 'dear' here\. Allowed: {', '.join(allowed)}\."):
        await choose(chat, "model", "dear")

    assert (await chat.store.settings.of_session("s")).model == allowed[-1]


async def test_a_model_that_was_chosen_before_stays(start_chat: StartChat) -> None:
    """A session keeps what was chosen when it was allowed, and may return to the default."""
    chat = await start_chat(["one"])
    await chat.store.settings.change("s", "model", "dear", None, now())

    assert (await chat.say()).model == "dear"

    await choose(chat, "model", None)
    assert (await chat.store.settings.of_session("s")).model is None


async def test_efforts(start_chat: StartChat) -> None:
    """No effort above the greatest that is allowed can be chosen; without one, all can."""
    chat = await start_chat([], choices=Choices(max_effort="medium"))
    await choose(chat, "effort", "medium")

    with pytest.raises(UserError, match="efforts up to medium"):
        await choose(chat, "effort", "high")

    assert chat.engine.settings.choices.efforts == ("none", "minimal", "low", "medium")
    assert Choices().efforts[-1] == "xhigh"


async def test_a_tool_that_is_not_allowed_is_not_there(start_chat: StartChat) -> None:
    """It is neither offered nor run, whatever the session's setting says."""
    chat = await start_chat([call("roll"), "done"], allowed_tools=("other",))
    await chat.engine.register_tool(roll)
    await choose(chat, "tools", "roll")

    outcome = await chat.say()

    assert chat.engine.tools.names == ()
    [(ok, told)] = chat.results(outcome.turn_id)
    assert (ok, "There is no tool 'roll'" in told) == (False, True)


async def test_what_is_offered_is_allowed_and_listed(start_chat: StartChat) -> None:
    """Of the names that the service lists those are offered that are allowed; where it lists none, all that are."""
    chat = await start_chat([], choices=Choices(models=("good", "gone")))

    assert chat.engine.settings.models(("dear", "good", "scripted")) == ("scripted", "good")
    assert chat.engine.settings.models(()) == ("scripted", "good", "gone")
