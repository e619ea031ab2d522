"""What it costs to draw a turn whose answer is long, for texts that are hard to cut into messages."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from llmgine.messages.steps import OutcomeStep, PromptStep, ReplyStep, Turn
from llmgine.sessions.records import TurnSteps
from programs.discord.delivery.rendering import Live, render
from programs.discord.ids import SOURCE

_CHARACTERS = 64_000
_TIMES = 20
_UNITS = {"brackets": "[", "prose": "word ", "fences": "```py\nx = 1\n```\n", "emoji": "😀", "lines": "x\n"}


@dataclass(frozen=True)
class Draw:
    """Milliseconds of CPU for one draw of a turn, the longest of some: while the text grows, and once it is whole."""

    name: str
    growing: float
    whole: float


def draws() -> list[Draw]:
    """Draw turns with 64,000 characters of each text."""
    _draw("", "What is drawn first in a process fills its caches.")
    return [_draw(name, (unit * _CHARACTERS)[:_CHARACTERS]) for name, unit in _UNITS.items()]


def _draw(name: str, text: str) -> Draw:
    running = TurnSteps(turn=_turn(), steps=(PromptStep(text="Tell me all."),))
    reply = ReplyStep(round=0, text=text, finish="stop", model="m", usage=None, seconds=1.0)
    ended = running.plus(reply).plus(OutcomeStep(state="done", seconds=1.0))
    return Draw(name, growing=_longest(running, Live(0, text=text)), whole=_longest(ended, None))


def _longest(steps: TurnSteps, live: Live | None) -> float:
    times = []
    for _ in range(_TIMES):
        begun = time.thread_time()
        render(steps, live)
        times.append((time.thread_time() - begun) * 1e3)
    return max(times)


def _turn() -> Turn:
    return Turn(
        id="0123456789abcdef",
        session_id="discord:1",
        seq=1,
        attempt=1,
        claim=1,
        resumes=0,
        state="running",
        owner="",
        source=SOURCE,
        origin={"channel_id": "1"},
        created_at=datetime.now(UTC),
    )
