"""The text of a reply as it grows, told while it does."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from llmgine.context import may_be_envelope
from llmgine.engine.turn_context import TurnContext
from llmgine.messages.events import AnswerProgressEvent
from llmgine.observability.redaction import Redactor

_PROGRESS_INTERVAL = 0.1  # seconds; events are coalesced to ten a second


class Ticks:
    """Ends the pauses of all replies in one moment: a timer for each of them would cost more than what is told."""

    def __init__(self) -> None:
        self._next: asyncio.Event | None = None

    async def next(self) -> None:
        """Wait for the next moment, at most a tenth of a second."""
        if self._next is None:
            self._next = asyncio.Event()
            asyncio.get_running_loop().call_later(_PROGRESS_INTERVAL, self._tick, self._next)
        await self._next.wait()

    def _tick(self, event: asyncio.Event) -> None:
        self._next = None
        event.set()


class Progress:
    """The text of a reply as it grows; told while it does, without secrets."""

    def __init__(self, context: TurnContext, round_: int, redact: Redactor) -> None:
        self._context = context
        self._redact = redact
        self.round = round_
        self.since = time.monotonic()  # when the round began
        self._grew = asyncio.Event()
        self._pieces: list[str] = []
        self.hides_envelopes = False  # whether the model may copy the form of people's messages
        self.bounded = False  # whether the reply was ended because it was too long
        self.first_at: float | None = None

    @property
    def text(self) -> str:
        """The text so far, as the model wrote it."""
        if len(self._pieces) > 1:  # joined as seldom as it is read: adding to a long text copies all of it
            self._pieces[:] = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def begin(self) -> None:
        """Forget the text of a try that failed, or that turned out to be thinking."""
        if self._pieces:
            self._pieces.clear()
            self._grew.set()

    def add(self, piece: str) -> None:
        """Take the next piece."""
        if self.first_at is None:
            self.first_at = time.monotonic()
        self._pieces.append(piece)
        self._grew.set()

    @contextlib.asynccontextmanager
    async def told(self, ticks: Ticks) -> AsyncIterator[None]:
        """Publish the text inside this block: as soon as it begins, and at each tick if it grew."""
        teller = asyncio.create_task(self._tell(ticks))
        try:
            yield
        finally:
            teller.cancel()
            await asyncio.gather(teller, return_exceptions=True)

    async def _tell(self, ticks: Ticks) -> None:
        while True:
            await self._grew.wait()
            self._grew.clear()
            if not (self.hides_envelopes and may_be_envelope(self.text)):
                await self._context.tell(AnswerProgressEvent, round=self.round, text=self._redact.growing(self.text))
            await ticks.next()
