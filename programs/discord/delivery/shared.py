"""What the deliveries of all channels have in common."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import discord

from llmgine.bus import MessageBus
from llmgine.observability import MetricEvent
from programs.discord.components.retirement import Ending, ends
from programs.discord.delivery.answer import Answer
from programs.discord.delivery.delivered_event import TurnDeliveredEvent
from programs.discord.delivery.metrics import TurnCounts
from programs.discord.delivery.requests import Requests
from programs.discord.delivery.step_results import Pace


@dataclass(frozen=True)
class Shared:
    """What the deliveries of all channels have in common.

    Attributes:
        client: The client.
        bus: Where it is told what was delivered.
        calls: Who makes the requests.
        pace: How hurried they are.
        sleep: How it is waited until something may be tried again.
        unsettled: The turns that an earlier process may have posted something of that nobody knows of.
    """

    client: discord.Client
    bus: MessageBus
    calls: Requests
    pace: Pace
    sleep: Callable[[float], Awaitable[None]]
    unsettled: set[str]

    async def announce(self, answer: Answer, counts: TurnCounts) -> None:
        """Tell the bus that an answer is delivered, and what that took."""
        turn, part = answer.turn, next((part for part in answer.parts if ends(part.body)), None)
        message_id = None if part is None else answer.message_of(part.key)
        await self.bus.publish(
            TurnDeliveredEvent(
                session_id=turn.session_id,
                turn_id=turn.id,
                source=turn.source,
                origin=turn.origin,
                state=answer.outcome,
                turn=turn,
                ending=None if part is None or message_id is None else Ending(turn, message_id, part.body),
            )
        )
        metrics = counts.metrics(turn.created_at)
        if metrics:
            await self.bus.publish(MetricEvent(session_id=turn.session_id, metrics=metrics))
