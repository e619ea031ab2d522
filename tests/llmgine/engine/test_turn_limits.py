"""How much one turn may use: rounds, tool calls, tokens, time and money; what meets a limit ends in good order."""

import asyncio

import pytest

from llmgine.engine.turn_limits import TurnLimits
from llmgine.messages.chat_messages import Usage
from llmgine.messages.events import ToolCallStartedEvent
from llmgine.providers.base import ChatReply
from llmgine.providers.prices import Prices
from llmgine.providers.scripted import ScriptedProvider
from tests.llmgine.engine.chat import Chat, Held, call, roll
from tests.llmgine.engine.conftest import StartChat

ADVICE = "so I stopped. Ask in smaller steps, or ask whoever runs me to raise"
PRICED = "gpt-5-mini"


def calling(*names: str, tokens: int = 50) -> ChatReply:
    """A reply that calls these tools, of a call that used so many tokens."""
    return call(*names).model_copy(update={"usage": Usage(input_tokens=tokens), "text": "Let me see.", "model": PRICED})


async def rolling(start_chat: StartChat, provider: ScriptedProvider, limits: TurnLimits, **options: object) -> Chat:
    """A chat with a die."""
    chat = await start_chat(provider, limits=limits, **options)
    await chat.engine.register_tool(roll)
    return chat


async def test_the_last_round_offers_no_tools(start_chat: StartChat) -> None:
    """The model answers with what it has after as many rounds as it may have."""
    provider = ScriptedProvider([calling("roll"), calling("roll"), "It was 4, twice."])
    chat = await rolling(start_chat, provider, TurnLimits(rounds=3))

    outcome = await chat.say()

    assert (outcome.state, outcome.text) == ("done", "It was 4, twice.")
    assert [bool(request.tools) for request in provider.requests] == [True, True, False]


async def test_calls_beyond_the_limit_do_not_run(start_chat: StartChat) -> None:
    """They are an error for the model, which then answers in a round without tools."""
    provider = ScriptedProvider([calling("roll", "roll"), calling("roll", "roll"), "Three dice."])
    chat = await rolling(start_chat, provider, TurnLimits(calls=3))

    outcome = await chat.say()

    assert (outcome.state, outcome.text) == ("done", "Three dice.")
    assert sorted(ok for ok, _ in chat.results()) == [False, True, True, True]
    assert len(chat.of(ToolCallStartedEvent)) == 3
    assert any("run as many calls as it may" in text for _, text in chat.results())
    assert [bool(request.tools) for request in provider.requests] == [True, True, False]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (TurnLimits(tokens=100), f"This question reached the limit of 100 tokens, {ADVICE} TURN_TOKENS."),
        (TurnLimits(nanodollars=20_000), f"This question reached the limit of $0.000020, {ADVICE} TURN_DOLLARS."),
    ],
)
async def test_what_is_used_up_ends_the_turn(start_chat: StartChat, limits: TurnLimits, words: str) -> None:
    """With what it has, in words that say which limit it was and who can change it; no further call is made."""
    provider = ScriptedProvider([calling("roll"), calling("roll")], model=PRICED)
    chat = await rolling(start_chat, provider, limits, prices=Prices("api.openai.com"))

    outcome = await chat.say()

    assert (outcome.state, outcome.notice, outcome.text) == ("failed", words, "Let me see.")
    assert len(provider.requests) == 2


async def test_a_call_that_takes_too_long_is_ended(start_chat: StartChat) -> None:
    """The time of a turn ends in the middle of a call; what was streamed is shown, and counted."""
    held = Held(partial="The beginning")
    chat = await rolling(start_chat, ScriptedProvider([held]), TurnLimits(seconds=0.05))

    outcome = await chat.say()

    assert (outcome.state, outcome.partial) == ("failed", "The beginning")
    assert outcome.notice == f"This question reached the limit of 0 s, {ADVICE} TURN_SECONDS."


async def test_the_time_of_tools_counts(start_chat: StartChat) -> None:
    """A tool that is slow leaves less time for the model."""

    async def wait() -> str:
        """Wait."""
        await asyncio.sleep(0.2)
        return "waited"

    chat = await start_chat(ScriptedProvider([calling("wait"), "late"]), limits=TurnLimits(seconds=0.15))
    await chat.engine.register_tool(wait)

    outcome = await chat.say()

    assert (outcome.state, chat.results()) == ("failed", [(True, "waited")])


async def test_the_limits_last_over_a_restart(start_chat: StartChat) -> None:
    """What was used before counts: a turn that is resumed does not begin to count anew."""
    reached = asyncio.Event()

    async def hang() -> str:
        """Hang."""
        reached.set()
        await asyncio.Event().wait()
        return ""

    limits = TurnLimits(calls=2)
    chat = await start_chat(ScriptedProvider([calling("roll"), calling("hang")]), limits=limits)
    await chat.engine.register_tool(roll)
    await chat.engine.register_tool(hang)
    admitted = await chat.admit()
    await reached.wait()
    await chat.close()
    provider = ScriptedProvider(["It was 4."])
    heir = await rolling(start_chat, provider, limits)

    assert await heir.engine.recover(["test"]) == 1

    assert (await heir.outcome(admitted.turn_id)).text == "It was 4."
    assert [bool(request.tools) for request in provider.requests] == [False]
