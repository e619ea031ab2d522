"""A conversation that outgrows the model: what is left out, and where it is cut."""

import random

from llmgine.context import estimated_tokens, tokens_of_tools
from llmgine.errors import ProviderRefusedError, ProviderUnavailableError
from llmgine.messages.chat_messages import Usage
from llmgine.messages.commands import RegenerateTurnCommand, StopTurnCommand
from llmgine.messages.events import ToolCallWaitingEvent, TurnFinishedEvent
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.scripted import ScriptedProvider
from tests.llmgine.engine.chat import OnText, call, roll
from tests.llmgine.engine.conftest import StartChat

BUDGET = 2_000


class Counting:
    """A model whose service counts tokens in its own way, and answers, calls a tool, or fails, by the prompt."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  # a test's dice
        self.requests: list[ChatRequest] = []

    async def __call__(self, request: ChatRequest, on_text: OnText) -> ChatReply:
        self.requests.append(request)
        said = next(one.content for one in reversed(request.messages) if one.role == "user")
        if "fails" in said:
            raise ProviderUnavailableError("down")
        if "refused" in said:
            raise ProviderRefusedError("refused", may_be_prompt=True)
        usage = Usage(input_tokens=int(size(request) * self._random.uniform(0.5, 1.6)), output_tokens=20)
        if "tool" in said and request.messages[-1].role == "user":
            return call("roll").model_copy(update={"usage": usage})
        text = "a" * self._random.randrange(1, 600)
        return ChatReply(text=text, model="scripted", usage=usage)


def size(request: ChatRequest) -> int:
    return estimated_tokens(request.messages) + tokens_of_tools(request.tools)


def first_kept(request: ChatRequest) -> int:
    """The number of the oldest turn in a request."""
    return int(next(one.content for one in request.messages if one.role == "user").split()[0])


async def test_500_mixed_turns_are_cut_steadily(start_chat: StartChat) -> None:
    """Whatever the service reports: the cut never moves back, the prefix stays, and nothing is over the window."""
    dice, model = random.Random(5), Counting(7)  # noqa: S311  # a test's dice
    chat = await start_chat(model, window=BUDGET, tries=1)
    await chat.engine.register_tool(roll)
    cut, moves = 0, 0
    before: ChatRequest | None = None
    for number in range(500):
        kind = dice.choice(["plain", "plain", "long", "tool", "fails", "refused"])
        text = f"{number} {kind} {'é' * dice.randrange(500) if kind == 'long' else ''}"
        begun = len(model.requests)
        await chat.say(text, author=None)
        for request in model.requests[begun:]:
            assert size(request) <= BUDGET
            assert first_kept(request) >= cut
            moves += first_kept(request) > cut
            if before is not None and first_kept(request) == cut and kind != "refused":
                shared = min(len(before.messages), len(request.messages))
                said = before.messages[:shared]
                if "refused" not in before.messages[-1].content:
                    assert request.messages[:shared] == said
            cut, before = first_kept(request), request

    assert 0 < moves < 100


async def test_the_cut_is_the_same_after_a_restart_and_for_another_try(start_chat: StartChat) -> None:
    """Where the history begins is stored, not worked out from what was asked since."""
    model = Counting(3)
    chat = await start_chat(model, window=BUDGET)
    for number in range(30):
        last = await chat.say(f"{number} {'x' * 300}")
    sent = model.requests[-1]

    await chat.bus.execute(RegenerateTurnCommand(session_id="s", turn_id=last.turn_id))
    await chat.told(TurnFinishedEvent, last.turn_id, times=2)
    assert model.requests[-1].messages == sent.messages
    await chat.close()
    again = await start_chat(model, window=BUDGET)
    await again.bus.execute(RegenerateTurnCommand(session_id="s", turn_id=last.turn_id))
    await again.told(TurnFinishedEvent, last.turn_id)

    assert model.requests[-1].messages == sent.messages


async def test_a_turn_without_an_answer_is_followed_by_a_line(start_chat: StartChat) -> None:
    """Roles alternate whatever became of the turns before, and nothing follows a tool message but the assistant."""
    provider = ScriptedProvider([ProviderUnavailableError("down"), call("roll"), "never", "ok"])

    def stop() -> str:
        """Roll."""
        return "4"

    chat = await start_chat(provider, tries=1)
    await chat.engine.register_tool(stop, name="roll", requires_approval=True)
    await chat.say("one")
    admitted = await chat.admit("two")
    await chat.told(ToolCallWaitingEvent)
    await chat.bus.execute(StopTurnCommand(session_id="s", turn_id=admitted.turn_id))
    await chat.outcome(admitted.turn_id)
    await chat.say("three")

    roles = [message.role for message in provider.requests[-1].messages]
    assert roles == ["system", "user", "assistant", "user", "assistant", "tool", "assistant", "user"]
