"""Who may still have tools run: a front end's policy is asked at the moment of each call."""

import pytest

from llmgine.errors import UndecidedError
from llmgine.messages.commands import Author
from llmgine.messages.steps import Turn
from llmgine.messages.translatable import Text, tr
from llmgine.providers.base import ChatReply
from llmgine.tools.tool import Tool
from tests.llmgine.engine.chat import ADA, call
from tests.llmgine.engine.conftest import StartChat

GONE = tr("Gone for a test.")


class Policy:
    """A policy that gives or raises this, and notes what it was asked."""

    def __init__(self, answer: Text | Exception | None) -> None:
        self.answer = answer
        self.asked: list[tuple[str | None, bool]] = []

    async def refusal(self, turn: Turn, asker: Author | None, *, has_effects: bool) -> Text | None:
        """See `ToolPolicy`."""
        assert turn.source == "test"
        self.asked.append((asker.id if asker else None, has_effects))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def touch() -> str:
    """Change something."""
    return "ran"


@pytest.mark.parametrize(
    ("answer", "idempotent", "runs"),
    [
        (None, False, True),
        (GONE, False, False),
        (GONE, True, False),
        (UndecidedError("no answer"), False, False),
        (UndecidedError("no answer"), True, True),
        (ValueError("a bug"), True, False),
    ],
)
async def test_a_call_runs_as_the_policy_says(
    start_chat: StartChat, answer: Text | Exception | None, *, idempotent: bool, runs: bool
) -> None:
    """A refusal is the call's result; while nobody can tell, what only reads runs; a bug lets nothing run."""
    chat = await start_chat([call("touch"), ChatReply(text="done", model="m")])
    chat.engine.tools.register(Tool.from_function(touch, idempotent=idempotent))
    policy = Policy(answer)
    chat.engine.register_tool_policy("test", policy)

    outcome = await chat.say("go", author=ADA)

    [state] = (await chat.store.turns.get(outcome.turn_id)).state.calls.values()
    assert state.result is not None
    assert (state.result.content == "ran", state.started) == (runs, runs)
    assert policy.asked == [(ADA.id, not idempotent)]
    if answer is GONE:
        assert "Gone for a test." in state.result.content
        assert state.result.shown == tr("Not run: {reason}", reason=GONE)


async def test_another_front_ends_turns_are_not_asked_about(start_chat: StartChat) -> None:
    """A policy is for the turns of its own source: whoever sits at the terminal may call tools."""
    chat = await start_chat([call("touch"), ChatReply(text="done", model="m")])
    chat.engine.tools.register(Tool.from_function(touch))
    policy = Policy(GONE)
    chat.engine.register_tool_policy("elsewhere", policy)

    outcome = await chat.say("go", author=ADA)

    [state] = (await chat.store.turns.get(outcome.turn_id)).state.calls.values()
    assert state.result is not None
    assert (state.result.content, policy.asked) == ("ran", [])
