"""How much one turn may use: rounds, tool calls, tokens, time and money."""

from pydantic import BaseModel, ConfigDict

from llmgine.messages.translatable import Text, tr
from llmgine.sessions.costs import NANO, Cost
from llmgine.sessions.limits import said
from llmgine.turn_state import TurnState


class TurnLimits(BaseModel):
    """The limits of a turn; what counts is what its steps say, so a restart does not reset it.

    Attributes:
        rounds: How often the model is asked. In the last round it is offered no tools, so that it answers.
        calls: How many tool calls run. After them the model is offered no tools.
        tokens: How many tokens its calls of the model use. They end once there are as many.
        seconds: How long these calls and the tools take together, without waits for people. A call of the model ends
            then. A tool that runs is not ended, but its time counts, and the model is not asked again.
        nanodollars: What the calls cost, in billionths of a dollar; None for any amount. They end then.
    """

    model_config = ConfigDict(frozen=True)

    rounds: int = 8
    calls: int = 100
    tokens: int = 1_000_000
    seconds: float = 3600.0
    nanodollars: int | None = 5 * NANO

    def is_last(self, round_: int, state: TurnState) -> bool:
        """Whether a round, counted from 0, has to give the answer."""
        before = sum(call.round < round_ for call in state.calls.values())
        return round_ >= self.rounds - 1 or before >= self.calls

    def seconds_left(self, state: TurnState) -> float:
        """How long the next call may take."""
        used = sum(reply.seconds for reply in state.replies) + sum(call.seconds or 0.0 for call in state.calls.values())
        return max(0.0, self.seconds - used)

    def reached(self, state: TurnState, cost: Cost) -> Text | None:
        """What people are told where the model may not be asked again; None where it may.

        Args:
            state: The turn so far.
            cost: What its replies cost.
        """
        if cost.tokens >= self.tokens:
            return _reached(said("tokens", self.tokens), "TURN_TOKENS")
        if self.nanodollars is not None and cost.nanodollars >= self.nanodollars:
            return _reached(said("dollars", self.nanodollars), "TURN_DOLLARS")
        return None if self.seconds_left(state) > 0 else self.out_of_time

    @property
    def out_of_time(self) -> Text:
        """What people are told where a turn takes too long."""
        return _reached(tr("{seconds:,.0f} s", seconds=self.seconds), "TURN_SECONDS")


def _reached(limit: Text, setting: str) -> Text:
    return tr(
        "This question reached the limit of {limit}, so I stopped. Ask in smaller steps, or ask whoever runs me to "
        "raise {setting}.",
        limit=limit,
        setting=setting,
    )
