"""One message on its way to the body it should show: posted once, then edited, latest body first, never hurriedly."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from llmgine.sessions.records import DeliveryKey
from programs.discord.components.layout import asks
from programs.discord.delivery.bodies import Body
from programs.discord.delivery.budget import Importance, Ticket, paid_by
from programs.discord.delivery.metrics import TurnCounts
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.refusals import MustWaitError, RefusedError, ShutOutError, UnreachableError

EDIT_INTERVAL = 1.2  # seconds between two changes of a message; Discord allows about five in five seconds a channel
# Seconds until a card is posted: a call that begins, asks or ends at once is shown so from the start, without an edit.
_CARD_SETTLES = 0.1

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drawing:
    """What a request is made for.

    Attributes:
        key: The part.
        posted: Whether it has a message, which is edited or replaced.
        final: Whether it is to show its final body.
    """

    key: DeliveryKey
    posted: bool
    final: bool


drawing: ContextVar[Drawing | None] = ContextVar("drawing", default=None)  # of the present request, for who observes it


class Keeper(Protocol):
    """Who writes down what has become of a part, and knows what to do where it cannot be shown."""

    async def posted(self, key: DeliveryKey, message_id: int | None) -> None:
        """The part stands in this message, or in none any more."""

    async def shown(self, key: DeliveryKey) -> None:
        """The final body is shown, or never will be. Raises UnreachableError while that is not the whole truth."""

    async def gone(self, key: DeliveryKey) -> None:
        """The part is no part of the outcome, and its message is taken away."""

    async def shut_out(self, error: ShutOutError) -> None:
        """The bot may not write there at present."""

    async def taken_away(self) -> None:
        """Somebody deleted the message before it was final."""

    async def instead(self, body: Body, error: RefusedError) -> Body | None:
        """What to show in place of a final body that is refused. Raises UnreachableError to have it shown anew."""


class Editor:
    """Shows one part in one message.

    Args:
        poster: Who talks to Discord.
        keeper: Who is told.
        channel_id: Where.
        key: The part.
        nonce: The part's nonce.
        reply_to: The message the part answers, if it does.
        after: The part above; this one is not posted before it.
        message_id: Where it was posted before, if it was.
        inherited: Whether that message shows an earlier attempt; if it is gone, nobody has taken this one away.
        counts: Where posts and edits are counted.
        interval: Seconds between two changes.

    Attributes:
        key: Which part it is; another one may take its message over.
        posted: Set once there is a message, or never will be one.
        settled: Set while the message shows what it was told to show last, or will not show it.
        lost: Whether it ended before the final body was shown; it can be shown another time.
        waited: Whether Discord made it wait for long.
    """

    def __init__(
        self,
        poster: Poster,
        keeper: Keeper,
        *,
        channel_id: int,
        key: DeliveryKey,
        nonce: str,
        reply_to: int | None,
        after: "Editor | None",
        message_id: int | None,
        inherited: bool,
        counts: TurnCounts,
        interval: float = EDIT_INTERVAL,
    ) -> None:
        self.key = key
        self.lost = self.waited = False
        self._poster = poster
        self._keeper = keeper
        self._channel_id = channel_id
        self._nonce = nonce
        self._reply_to = reply_to
        self._after = after
        self._message_id = message_id
        self._inherited = inherited
        self._counts = counts
        self._interval = interval
        self._wanted: Body | None = None
        self._final = False
        self._ticket: Ticket | None = None  # for the change that is to be made next
        self._moved = self._above_moved = False
        self._held_up = False  # whether edits of the message have to wait for long
        self._news = asyncio.Event()
        self._finished = asyncio.Event()
        self.posted = asyncio.Event()
        self.settled = asyncio.Event()
        self.settled.set()
        if message_id is not None and not poster.is_old(message_id):  # an old one may get a new place
            self.posted.set()
        self.task = asyncio.create_task(self._work())

    def show(self, body: Body, *, final: bool = False) -> None:
        """Show this body as soon as may be; a body that was to be shown before and was not is skipped."""
        if not self._final and (body != self._wanted or final):
            self._counts.coalesced += self._news.is_set() and body != self._wanted
            self._wanted = body
            self._final = final
            self._tell()
            if final:
                self._hurry()

    def take_over(self, key: DeliveryKey, nonce: str) -> None:
        """Show another part from here on, in the same message."""
        self.key, self._nonce = key, nonce

    def withdraw(self) -> None:
        """Take the message away: the part it showed is not part of the outcome."""
        if not self._final:
            self._wanted = None
            self._final = True
            self._tell()
            self._hurry()

    def _tell(self) -> None:
        """There is something to show, or to take away."""
        self._news.set()
        if not self.task.done():
            self.settled.clear()

    @property
    def final(self) -> bool:
        """Whether it was told what to show last, or to take its message away."""
        return self._final

    async def pause(self, note: str) -> None:
        """End here, with a note under what is shown, if it is not final: somebody will go on with it."""
        if self._final:
            return
        async with self._poster.turnstile(self._channel_id):  # a post that is under way comes to its end first
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        if self._message_id is None or self._wanted is None:
            return
        body = dict(self._wanted)
        if isinstance(body.get("embed"), dict):
            body["embed"] = {**body["embed"], "footer": {"text": note}}  # type: ignore[dict-item]  # checked above
        else:
            body["content"] = f"{body['content']}\n-# {note}"
        with contextlib.suppress(UnreachableError, RefusedError):
            await self._poster.edit(self._channel_id, self._message_id, body)

    async def _work(self) -> None:
        try:
            await self._wait_for_the_one_above()
            await self._converge()
        except UnreachableError as error:  # it stays undelivered in the store, and is sent another time
            self.lost = True
            _log.warning("Part %s is not shown yet: %s", self.key, error)
            if isinstance(error, ShutOutError):
                await self._keeper.shut_out(error)
        except Exception:  # one message that cannot be shown must not hold up the ones below it
            _log.exception("Part %s could not be shown", self.key)
        finally:
            self.posted.set()
            self.settled.set()
            self._after = None

    async def _wait_for_the_one_above(self) -> None:
        above = self._after
        if above is None:
            return
        await above.posted.wait()
        if above.lost and above._message_id is None and self._message_id is None:  # noqa: SLF001  of the same class
            raise UnreachableError("what stands above it is not there yet")
        # One that has no message yet gets its place below the new one anyway.
        self._above_moved = above._moved and self._message_id is not None  # noqa: SLF001  of the same class

    async def _converge(self) -> None:
        shown: Body | None = None
        refused = False
        if self.key.kind == "card" and self._message_id is None:
            await self._news.wait()
            await self._rest(_CARD_SETTLES)
        while True:
            await self._news.wait()
            # A refused preview need not mean a refused answer. What is shown is decided once the ticket is called.
            ticket = await self._called() if self._wanted != shown and (self._final or not refused) else None
            self._news.clear()
            body, final = self._wanted, self._final
            if body is None:
                if self._message_id is not None:
                    with paid_by(ticket):
                        await self._poster.delete(self._channel_id, self._message_id)
                await self._keeper.gone(self.key)
                return
            if body != shown and (final or not refused):
                try:
                    with paid_by(ticket), self._drawing():
                        refused = not await self._change(body, final=final)
                except MustWaitError as error:
                    await self._wait_out(error.seconds, final=final)
                    self._news.set()
                    continue
                self.posted.set()
            shown = body
            if final:
                await self._keeper.shown(self.key)
                return
            if not self._news.is_set():
                self.settled.set()
            await self._rest(self._interval)

    async def _rest(self, seconds: float) -> None:
        """Let so much time pass, unless the body is final: it does not wait for the next preview's time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._finished.wait()

    async def _wait_out(self, seconds: float, *, final: bool) -> None:
        """Wait for the end of a limit; an edit no longer than until the body is final, which gets a new message."""
        waits: list[asyncio.Future[object]] = [asyncio.ensure_future(self._poster.sleep(seconds))]
        if not final and self._message_id is not None:
            waits.append(asyncio.ensure_future(self._finished.wait()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            self._held_up = not waits[0].done()
            self.waited |= not self._held_up
        finally:
            for wait in waits:
                wait.cancel()

    async def _called(self) -> Ticket:
        """Wait until a change may be made: the first and the last go before previews."""
        first = self._final or self._message_id is None
        self._ticket = self._poster.budget.ticket(Importance.FIRST if first else Importance.PREVIEW)
        await self._ticket.called
        return self._ticket

    def _hurry(self) -> None:
        self._finished.set()
        if self._ticket is not None:
            self._poster.budget.hurry(self._ticket)

    @contextlib.contextmanager
    def _drawing(self) -> Iterator[None]:
        """Have the requests inside this block say what they are made for."""
        token = drawing.set(Drawing(self.key, posted=self._message_id is not None, final=self._final))
        try:
            yield
        finally:
            drawing.reset(token)

    async def _change(self, body: Body, *, final: bool) -> bool:
        """Show it, or what is to be shown in its place; False when Discord takes neither."""
        try:
            await self._put(body, final=final)
        except RefusedError as error:
            _log.warning("Discord refused part %s in channel %d: %s", self.key, self._channel_id, error)
            if not final:
                if error.gone and self._message_id is not None:
                    await self._keeper.taken_away()
                return False
            instead = await self._keeper.instead(body, error)
            if instead is None:
                return False
            with contextlib.suppress(RefusedError):
                await self._put(instead, final=True)
        return True

    async def _put(self, body: Body, *, final: bool) -> None:
        """Edit the message or post it, also in place of one that Discord takes no more edits of."""
        if self._message_id is not None:
            if await self._edit(self._message_id, body, final=final):
                return
            await self._leave(self._message_id)
        async with self._poster.turnstile(self._channel_id):
            self._message_id = await self._poster.post(
                self._channel_id, body, nonce=self._nonce, reply_to=self._reply_to
            )
            self._counts.count_post()
            await self._keeper.posted(self.key, self._message_id)

    async def _edit(self, message_id: int, body: Body, *, final: bool) -> bool:
        """Have the message show it; False when it takes a new message."""
        if self._above_moved or self._held_up:
            return False
        try:
            if self._poster.is_old(message_id):
                return await self._poster.is_shown(self._channel_id, message_id, body)
            self._counts.edits += 1
            await self._poster.edit(self._channel_id, message_id, body)
            self._inherited = False
        except MustWaitError:
            if not final:
                raise
            return False  # discord.py does not say whether the limit is that of old messages
        except RefusedError as error:
            # Somebody has to press the buttons of what asks.
            if error.too_old or (error.gone and (self._inherited or asks(body))):
                return False
            raise
        return True

    async def _leave(self, message_id: int) -> None:
        """Give the message up for a new one. Discord answers the nonce of a deleted message with an error."""
        await self._keeper.posted(self.key, None)
        await self._poster.delete(self._channel_id, message_id)
        self._message_id, self._nonce = None, f"{self._nonce}+"
        self._moved, self._above_moved, self._held_up = True, False, False
