"""One message on its way to the body it should show: posted once, then edited, latest body first, never hurriedly."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from llmgine.sessions.records import DeliveryKey
from programs.discord.metrics import TurnCounts
from programs.discord.poster import Poster, UnreachableError
from programs.discord.rendering import Body

EDIT_INTERVAL = 1.2  # seconds between two changes of a message; Discord allows about five in five seconds a channel

_log = logging.getLogger(__name__)


class Editor:
    """Shows one part in one message.

    Args:
        poster: Who talks to Discord.
        channel_id: Where.
        key: Which part it is.
        nonce: The part's nonce.
        reply_to: The message the part answers, if it does.
        after: The part above; this one is not posted before it.
        message_id: Where it was posted before, if it was.
        on_posted: Called once the message is there, with its id.
        on_final: Called once the final body is shown, or Discord refused it for good.
        counts: Where posts and edits are counted.
        interval: Seconds between two changes.
    """

    def __init__(
        self,
        poster: Poster,
        *,
        channel_id: int,
        key: DeliveryKey,
        nonce: str,
        reply_to: int | None,
        after: "Editor | None",
        message_id: int | None,
        on_posted: Callable[[DeliveryKey, int], Awaitable[None]],
        on_final: Callable[[DeliveryKey], Awaitable[None]],
        counts: TurnCounts,
        interval: Callable[[], float] = lambda: EDIT_INTERVAL,
    ) -> None:
        self.key = key
        self._poster = poster
        self._channel_id = channel_id
        self._nonce = nonce
        self._reply_to = reply_to
        self._after = after
        self._message_id = message_id
        self._on_posted = on_posted
        self._on_final = on_final
        self._counts = counts
        self._interval = interval
        self._wanted: Body | None = None
        self._final = False
        self._news = asyncio.Event()
        self.posted = asyncio.Event()
        if message_id is not None:
            self.posted.set()
        self.task = asyncio.create_task(self._work())

    def show(self, body: Body, *, final: bool = False) -> None:
        """Show this body as soon as may be; a body that was to be shown before and was not is skipped."""
        if not self._final and (body != self._wanted or final):
            self._counts.coalesced += self._news.is_set() and body != self._wanted
            self._wanted = body
            self._final = final
            self._news.set()

    def withdraw(self) -> None:
        """Take the message away: the part it showed is not part of the outcome."""
        if not self._final:
            self._wanted = None
            self._final = True
            self._news.set()

    async def pause(self, note: str) -> None:
        """End here, with a note under what is shown, if it is not final: somebody will go on with it."""
        if self._final:
            return
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        if self._message_id is None or self._wanted is None:
            return
        body = dict(self._wanted)
        if isinstance(body.get("embed"), dict):
            body["embed"] = {**body["embed"], "footer": {"text": note}}  # type: ignore[dict-item]  # checked above
        else:
            body["content"] = f"{body['content']}\n-# {note}"
        with contextlib.suppress(UnreachableError):
            await self._poster.edit(self._channel_id, self._message_id, body)

    async def _work(self) -> None:
        try:
            await self._converge()
            await self._on_final(self.key)
        except UnreachableError as error:  # it stays undelivered in the store, and is sent another time
            _log.warning("Part %s is not shown yet: %s", self.key, error)
        except Exception:  # one message that cannot be shown must not hold up the ones below it
            _log.exception("Part %s could not be shown", self.key)
        finally:
            self.posted.set()
            self._after = None

    async def _converge(self) -> None:
        if self._after is not None:
            await self._after.posted.wait()
        shown: Body | None = None
        refused = False
        while True:
            await self._news.wait()
            self._news.clear()
            body, final = self._wanted, self._final
            if body is None:
                if self._message_id is not None:
                    await self._poster.delete(self._channel_id, self._message_id)
                return
            if body != shown and (final or not refused):  # a refused preview need not mean a refused answer
                refused = not await self._change(body)
                self.posted.set()
            shown = body
            if final:
                return
            await asyncio.sleep(self._interval())

    async def _change(self, body: Body) -> bool:
        """Post or edit; False when the message can no longer be shown."""
        if self._message_id is not None:
            self._counts.edits += 1
            if await self._poster.edit(self._channel_id, self._message_id, body):
                return True
            if "buttons" not in body:
                return False
            # The card is gone, and somebody has to press its buttons. Discord answers the nonce of a deleted message
            # with an error, so it is posted anew with another one.
            self._message_id, self._nonce = None, f"{self._nonce}+"
        async with self._poster.turnstile(self._channel_id):
            message_id = await self._poster.post(self._channel_id, body, nonce=self._nonce, reply_to=self._reply_to)
            if message_id is None:
                return False
            self._message_id = message_id
            self._counts.count_post()
            await self._on_posted(self.key, message_id)
        return True
