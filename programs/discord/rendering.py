"""How a turn looks in Discord: its parts, drawn from its committed steps and the text that is streaming in.

The same function draws a turn while it runs and once it has ended, so nothing jumps at the end: per round its text,
then its tool card; a notice last.
"""

from dataclasses import dataclass
from typing import Literal

from llmgine.messages.events import ModelRetryEvent
from llmgine.messages.text import collapse_spaces, shorten
from llmgine.sessions.records import Delivery, DeliveryKey, TurnSteps
from programs.demo_model import MODEL as DEMO_MODEL
from programs.discord.bodies import Body, bodies_of, preview_of
from programs.discord.cards import card

SOURCE = "discord"

# A service's words and a model's name may have any length; text and footer must fit into one message.
_MAX_NOTICE = 1_500
_MAX_REASON = 200
_MAX_MODEL = 60

AGAIN = "-# ✏️ Answering again …"


@dataclass(frozen=True)
class Live:
    """What is not committed yet: the text of the round that is being written, or why there is none yet."""

    round: int
    text: str = ""
    status: str = ""


def render(steps: TurnSteps, live: Live | None = None) -> list[tuple[DeliveryKey, Body]]:
    """The parts of a turn, in the order they are shown."""
    parts: list[tuple[DeliveryKey, Body]] = []
    for reply in steps.replies:
        parts += _texts(reply.round, bodies_of(reply.text))
        if reply.tool_calls:
            parts.append((_key("card", reply.round), card(steps, reply)))
    next_round = len(steps.replies)
    if steps.outcome is not None:
        return _with_outcome(steps, parts + _texts(next_round, bodies_of(steps.outcome.partial)), next_round)
    if live is not None and live.round == next_round:
        parts += _texts(live.round, preview_of(live.text or live.status))
    return parts


def render_deliveries(steps: TurnSteps) -> list[Delivery]:
    """The parts of an ended turn as they are stored."""
    return [
        Delivery(turn_id=steps.turn.id, attempt=steps.turn.attempt, key=key, body=body) for key, body in render(steps)
    ]


def _key(kind: Literal["text", "card", "notice"], round_: int, part: int = 0) -> DeliveryKey:
    return DeliveryKey(kind=kind, round=round_, part=part)


def _texts(round_: int, bodies: list[Body]) -> list[tuple[DeliveryKey, Body]]:
    return [(_key("text", round_, part), body) for part, body in enumerate(bodies)]


def _with_outcome(
    steps: TurnSteps,
    parts: list[tuple[DeliveryKey, Body]],
    round_: int,
) -> list[tuple[DeliveryKey, Body]]:
    """The parts with the notice, if there is one, and the footer under the last text."""
    outcome = steps.outcome
    notice = outcome.notice if outcome else None
    if notice is not None:
        sign = "⏹️" if outcome and outcome.state == "stopped" else "⚠️"
        parts = [*parts, (_key("notice", round_), {"content": f"{sign} {shorten(notice, _MAX_NOTICE)}"})]
    if parts and "content" in parts[-1][1]:
        key, body = parts[-1]
        parts = [*parts[:-1], (key, {**body, "content": f"{body['content']}\n{footer(steps)}"})]
    return parts


def footer(steps: TurnSteps) -> str:
    """The line in small print: model, tokens, time."""
    facts = []
    if steps.replies:
        model = steps.replies[-1].model
        facts.append("offline demo model" if model == DEMO_MODEL else shorten(collapse_spaces(model), _MAX_MODEL))
    usage = steps.usage
    if usage.input_tokens or usage.output_tokens:
        facts.append(f"{usage.input_tokens + usage.output_tokens:,} tokens")
    if steps.outcome:
        facts.append(f"{steps.outcome.seconds:.1f} s")
    return f"-# {' · '.join(facts)}"


def retrying(event: ModelRetryEvent) -> Live:
    """What is shown while the model is waited for, in small print."""
    wait = f"waiting {event.wait_seconds:.0f} s, then try {event.next_try} of {event.tries}"
    return Live(event.round, status=f"-# ⏳ {shorten(collapse_spaces(event.reason), _MAX_REASON)} ({wait})")
