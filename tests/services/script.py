"""The model of the stand-ins: what it does next depends on what was last said to it.

use tools                 calls `roll` and `look` at once, then `roll`, then answers; without tools it answers
hold                      says a few words and waits for the test
use tools, then hold      calls `roll` and `look` at once, then says a few words and waits for the test
fail please               is refused: for its content where the service does that, else once for another reason
trip please               meets a trouble of the service that passes
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

ANSWER = "It is done, says"  # and then its name
HELD = "One two three "


@dataclass(frozen=True)
class Move:
    """One reply of the model.

    Attributes:
        text: What it says.
        calls: The tools it calls, with their arguments.
        held: What it says before it waits for the test.
    """

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    held: str = ""


def next_move(model: str, said: str, rounds: int, offered: Sequence[str]) -> Move:
    """What the model does; no two models say or call quite the same.

    Args:
        model: The model's name.
        said: What was last said to it.
        rounds: How often it has called tools since then.
        offered: The names of the tools it may call.
    """
    sides = 2 + zlib.crc32(model.encode()) % 1_000
    if "use tools" in said and {"roll", "look"} <= set(offered):
        if rounds == 0:
            return Move(calls=(("roll", f'{{"sides": {sides}}}'), ("look", '{"place": "the hall"}')))
        if rounds == 1 and "hold" not in said:
            return Move(calls=(("roll", f'{{"sides": {sides + 1}}}'),))
    if "hold" in said:
        return Move(held=HELD, text="four.")
    return Move(text=f"{ANSWER} {model}.")
