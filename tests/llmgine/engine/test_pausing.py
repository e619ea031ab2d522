"""What is paused: nothing is answered in a scope, or no tool with effects runs, in this process and in others."""

import asyncio
from typing import Any

import pytest

from llmgine.messages.commands import EVERYWHERE, Author, Pausable
from llmgine.messages.events import PausedEvent, ResumedEvent, ToolCallStartedEvent, ToolCallWaitingEvent
from llmgine.messages.pausing_commands import PauseCommand, ResumeCommand
from llmgine.providers.base import ChatReply
from llmgine.providers.scripted import ScriptedReply
from llmgine.sessions.clock import now
from llmgine.sessions.records import PauseBegun
from llmgine.tools.tool import Tool
from tests.llmgine.engine.chat import ADA, Chat, Held, call, echo, prompt, roll
from tests.llmgine.engine.conftest import StartChat

EVE = Author(id="2", name="Eve")
PAUSED = "Stopped: answers are paused here. Ask again when they are resumed."
REFUSED = "are paused by whoever runs this"


async def pause(chat: Chat, scope: str = "s", what: Pausable = "answers", by: Author = ADA) -> PauseBegun:
    command = PauseCommand(scope=scope, what=what, mark=f"{now()}", paused_by=by)
    begun: PauseBegun = (await chat.bus.execute(command)).unwrap()
    return begun


async def resume(chat: Chat, scope: str = "s", what: Pausable = "answers") -> bool:
    command = ResumeCommand(scope=scope, what=what, mark=f"{now()}", resumed_by=ADA)
    ended: bool = (await chat.bus.execute(command)).unwrap()
    return ended


def calling(*names: str) -> list[ScriptedReply]:
    """A model that calls these tools in one reply, and is done."""
    return [call(*names), ChatReply(text="done", model="m")]


async def touch() -> str:
    """Change something."""
    return "touched"


class TestAnswers:
    """Nobody is answered where answers are paused, however the question came there."""

    @pytest.mark.parametrize("scope", ["s", "wider", EVERYWHERE])
    async def test_the_model_is_not_asked(self, start_chat: StartChat, scope: str) -> None:
        """A prompt that is admitted ends as stopped, in words; when that is resumed the next one is answered."""
        chat = await start_chat(echo())
        await pause(chat, scope)

        admitted = (await chat.bus.execute(prompt("a").model_copy(update={"scopes": ("wider",)}))).unwrap()

        outcome = await chat.outcome(admitted.turn_id)
        assert (outcome.state, outcome.notice, outcome.text) == ("stopped", PAUSED, "")
        assert await resume(chat, scope)
        assert (await chat.say("b")).text == "You said b"

    async def test_elsewhere_they_go_on(self, start_chat: StartChat) -> None:
        """A session that does not inherit from the scope is answered."""
        chat = await start_chat(echo())
        await pause(chat, "wider")

        assert (await chat.say("a")).text == "You said a"

    async def test_what_is_under_way_is_stopped(self, start_chat: StartChat) -> None:
        """The answer that is being written and those that wait end as stopped, each with the reason."""
        held = Held(partial="I was about to")
        chat = await start_chat(held)
        turns = [(await chat.admit()).turn_id for _ in range(3)]
        await held.reached.wait()

        begun = await pause(chat)

        outcomes = [await chat.outcome(turn_id) for turn_id in turns]
        assert [turn.id for turn in begun.stopped] == turns
        assert [(one.state, one.notice) for one in outcomes] == [("stopped", PAUSED)] * 3
        assert outcomes[0].partial == "I was about to"
        assert (await chat.told(PausedEvent)).stopped == 3

    async def test_another_process_stops_too(self, start_chat: StartChat) -> None:
        """What one process pauses stops what another one is writing."""
        held = Held()
        first, second = await start_chat(held), await start_chat(echo())
        turn_id = (await first.admit()).turn_id
        await held.reached.wait()

        await pause(second)

        assert (await first.outcome(turn_id)).notice == PAUSED

    async def test_a_process_that_dies_meanwhile(self, start_chat: StartChat) -> None:
        """A turn whose process ended before it could stop it is stopped by the next one, which asks no model."""
        held = Held()
        first = await start_chat(held)
        turn_id = (await first.admit()).turn_id
        await held.reached.wait()
        await first.close()
        second = await start_chat(echo())
        await pause(second)

        assert await second.engine.recover(["test"]) == 1

        assert (await second.outcome(turn_id)).notice == PAUSED

    async def test_two_at_once(self, start_chat: StartChat) -> None:
        """Of two people who pause the first counts, and of two who resume; the others hear what was so already."""
        chat = await start_chat(echo())

        begun = await asyncio.gather(pause(chat), pause(chat, by=EVE))
        ended = await asyncio.gather(resume(chat), resume(chat))

        assert [one.is_new for one in begun] == [True, False]
        assert [one.pause.paused_by for one in begun] == [ADA.id, ADA.id]
        assert sorted(ended) == [False, True]
        assert (len(chat.of(PausedEvent)), len(chat.of(ResumedEvent))) == (1, 1)


class TestTools:
    """No tool with effects begins to run where they are paused."""

    @pytest.mark.parametrize("scope", ["s", EVERYWHERE])
    async def test_a_call_is_refused(self, start_chat: StartChat, scope: str) -> None:
        """The model is told so as the call's result, and those that only read run; resumed, the next call runs."""
        chat = await start_chat([*calling("touch", "roll"), *calling("touch")])
        await chat.engine.register_tool(touch)
        await chat.engine.register_tool(roll, idempotent=True)
        await pause(chat, scope, "tools")

        outcome = await chat.say()

        refused, rolled = sorted(chat.results(outcome.turn_id))
        assert rolled == (True, "4")
        assert REFUSED in refused[1]
        assert [one.call.name for one in chat.of(ToolCallStartedEvent)] == ["roll"]
        await resume(chat, scope, "tools")
        assert chat.results((await chat.say()).turn_id) == [(True, "touched")]

    async def test_nobody_is_asked(self, start_chat: StartChat) -> None:
        """A call that needs approval does not ask for what would not run."""
        chat = await start_chat(calling("touch"))
        await chat.engine.register_tool(touch, requires_approval=True, idempotent=True)
        await pause(chat, what="tools")

        await chat.say()

        assert REFUSED in chat.results()[0][1]
        assert chat.of(ToolCallWaitingEvent) == []

    @pytest.mark.parametrize("by_other_process", [False, True])
    async def test_an_approval_runs_nothing(self, start_chat: StartChat, *, by_other_process: bool) -> None:
        """A call that waited and is approved while they are paused does not run."""
        chat = await start_chat(calling("touch"))
        await chat.engine.register_tool(touch, requires_approval=True)
        turn_id = (await chat.admit()).turn_id
        waiting = await chat.told(ToolCallWaitingEvent)
        await pause(await start_chat(echo()) if by_other_process else chat, EVERYWHERE, "tools")

        assert await chat.decide(waiting, approved=True)

        await chat.outcome(turn_id)
        assert REFUSED in chat.results()[0][1]
        assert chat.of(ToolCallStartedEvent) == []

    async def test_a_call_that_is_resumed(self, start_chat: StartChat) -> None:
        """A call of a turn that was interrupted before it ran does not run after the restart either."""
        first = await start_chat(calling("touch"))
        await first.engine.register_tool(touch, requires_approval=True)
        await first.admit()
        waiting = await first.told(ToolCallWaitingEvent)
        await first.close()
        second = await start_chat([ChatReply(text="done", model="m")])
        await second.engine.register_tool(touch, requires_approval=True)
        await pause(second, what="tools")
        await second.engine.recover(["test"])

        assert await second.decide(waiting, approved=True)

        await second.outcome(waiting.turn_id)
        assert REFUSED in second.results()[0][1]

    async def test_a_call_that_runs_comes_to_its_end(self, start_chat: StartChat) -> None:
        """What has begun is not interrupted."""
        reached, goes_on = asyncio.Event(), asyncio.Event()

        async def slow() -> str:
            """Take a while."""
            reached.set()
            await goes_on.wait()
            return "done slowly"

        chat = await start_chat(calling("slow"))
        await chat.engine.register_tool(slow)
        turn_id = (await chat.admit()).turn_id
        await reached.wait()
        await pause(chat, what="tools")
        goes_on.set()

        await chat.outcome(turn_id)

        assert chat.results() == [(True, "done slowly")]


@pytest.mark.parametrize(
    ("options", "has_effects"),
    [({}, True), ({"idempotent": True}, False), ({"idempotent": True, "requires_approval": True}, True)],
)
def test_which_tools_have_effects(options: dict[str, Any], *, has_effects: bool) -> None:
    """All but those that may run twice and ask nobody."""
    assert Tool.from_function(touch, **options).has_effects is has_effects
