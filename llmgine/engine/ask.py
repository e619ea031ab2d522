"""Waiting for an answer: the one helper for whoever wants a turn's outcome rather than its events."""

import asyncio

from llmgine.bus import MessageBus
from llmgine.errors import UserError
from llmgine.messages.commands import PromptCommand
from llmgine.messages.events import TurnFinishedEvent


async def ask(bus: MessageBus, prompt: PromptCommand) -> TurnFinishedEvent:
    """Execute the prompt and wait for its turn's outcome.

    Raises:
        UserError: The prompt was answered before: its turn has ended and will not end again.
        Exception: What kept the prompt from being admitted.
    """
    finished: dict[str, TurnFinishedEvent] = {}
    heard = asyncio.Event()

    def listen(event: TurnFinishedEvent) -> None:
        if event.session_id == prompt.session_id:
            finished[event.turn_id] = event
            heard.set()

    remove = bus.register_event_handler(TurnFinishedEvent, listen)
    try:
        admitted = (await bus.execute(prompt)).unwrap()
        if admitted.duplicate:
            raise UserError(f"The message {prompt.source_id} of {prompt.source} was admitted before")
        while admitted.turn_id not in finished:
            heard.clear()
            await heard.wait()
        return finished[admitted.turn_id]
    finally:
        remove()
