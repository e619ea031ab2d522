"""Who may still have tools run: asked of the front end that a turn came from, at the moment of each call."""

import logging
from collections.abc import Mapping
from typing import Protocol

from llmgine.engine.turn_context import TurnContext
from llmgine.errors import UndecidedError
from llmgine.messages.commands import Author
from llmgine.messages.steps import Turn
from llmgine.messages.translatable import Text, tr
from llmgine.tools.tool import Tool

# What the model is told of a call that does not run, and what people see.
_UNDECIDED = (
    "This was not run: whether the person who asked may still use tools cannot be found out now.",
    tr("Not run: I can't check right now whether the person who asked may still use me."),
)

_log = logging.getLogger(__name__)


class ToolPolicy(Protocol):
    """A front end's rules of who may use it."""

    async def refusal(self, turn: Turn, asker: Author | None, *, has_effects: bool) -> Text | None:
        """Why no tool runs for the one who asked; None where one may.

        Args:
            turn: The turn.
            asker: Who asked.
            has_effects: Whether the tool may change or send something. Then what is known has to be of this moment.

        Raises:
            UndecidedError: That cannot be found out now. Then a tool that only reads runs.
        """


async def denial(
    policies: Mapping[str, ToolPolicy], context: TurnContext, tool: Tool | None, *, runs_now: bool = True
) -> tuple[str, Text] | None:
    """What the model is told of a call that its asker may not have run any more, and what people see; else None.

    Turns of a front end without a policy may call all tools. While a call does not run yet, it may be looked up less
    strictly.
    """
    policy = policies.get(context.turn.source)
    if policy is None or tool is None:
        return None
    asker, has_effects = context.steps.state.prompt.author, runs_now and tool.has_effects
    try:
        refusal = await policy.refusal(context.turn, asker, has_effects=has_effects)
    except UndecidedError as error:
        _log.warning("Whether %s may run in turn %s is not known: %s", tool.name, context.turn.id, error)
        return _UNDECIDED if has_effects else None
    except Exception:  # a front end's bug lets nothing run
        _log.exception("Whether %s may run in turn %s is not known", tool.name, context.turn.id)
        return _UNDECIDED
    if refusal is None:
        return None
    told = f"The person who asked may not use this any more, so it was not run: {refusal!s} Do not try again."
    return told, tr("Not run: {reason}", reason=refusal)
