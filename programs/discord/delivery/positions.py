"""Where the parts of a turn stand: in memory, in the store, and what a dead process left."""

import asyncio

from llmgine.messages.steps import Turn
from llmgine.sessions import SessionStore
from llmgine.sessions.records import DeliveryKey
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.read_back import Orphans
from programs.discord.ids import Origin


class Positions:
    """The messages of one turn.

    Attributes:
        inherited: The parts that stand where an earlier attempt stood.

    Args:
        posted: Where parts of it were posted before a restart.
        orphans: What else was posted for it, nobody knows as what.
    """

    def __init__(
        self,
        store: SessionStore,
        poster: Poster,
        turn: Turn,
        *,
        posted: dict[DeliveryKey, int],
        orphans: Orphans,
    ) -> None:
        self._store = store
        self._poster = poster
        self._turn = turn
        self._posted = posted
        self._orphans = orphans
        self._adopted: dict[DeliveryKey, int] = {}
        self.inherited: set[DeliveryKey] = set()
        self._tidied: asyncio.Task[None] | None = None

    @property
    def known(self) -> list[DeliveryKey]:
        """The parts that stand somewhere, from above to below."""
        return sorted(self._posted, key=self._posted.__getitem__)

    def of(self, key: DeliveryKey) -> int | None:
        """The message of a part: where it was posted, or one that a dead process posted, taken for it from here on."""
        if key not in self._posted:
            message_id = self._orphans.adopt()
            if message_id is not None:
                self._posted[key] = self._adopted[key] = message_id
        return self._posted.get(key)

    def at(self, key: DeliveryKey) -> int | None:
        """The message that a part has, if it has one."""
        return self._posted.get(key)

    def hand_over(self, old: DeliveryKey, new: DeliveryKey) -> None:
        """What stands for a part that is none any more stands for another one from here on."""
        if old in self._posted:
            self._posted[new] = self._adopted[new] = self._posted.pop(old)
            self._adopted.pop(old, None)
        if old.kind == "old":
            self.inherited.add(new)

    async def move(self, key: DeliveryKey, message_id: int | None) -> None:
        """A part stands in this message, or in none any more."""
        adopted = self._adopted.pop(key, None)
        if adopted is not None and adopted != message_id:  # it is nobody else's from here on
            await self._store.deliveries.posted(self._turn, key, str(adopted))
        if message_id is None:
            self._posted.pop(key, None)
        else:
            self._posted[key] = message_id
        await self._store.deliveries.posted(self._turn, key, str(message_id or ""))

    async def done(self, key: DeliveryKey) -> None:
        """The part is done. It is the last thing written of a turn, so what is to be tidied up must be gone before."""
        await self._settled(key)
        await self._store.deliveries.sent(self._turn, key)

    async def gone(self, key: DeliveryKey) -> None:
        """The part was taken away for good. It may be the last thing written of a turn, too."""
        await self._settled(key)
        self._posted.pop(key, None)
        await self._store.deliveries.gone(self._turn, key)

    async def _settled(self, key: DeliveryKey) -> None:
        if key in self._adopted:
            await self.move(key, self._adopted[key])
        if self._tidied is not None:
            await self._tidied

    def tidy(self) -> None:
        """Take away what a dead process posted and the outcome has no part for."""
        if self._orphans.left():
            self._tidied = asyncio.create_task(self._take_away())

    def close(self) -> None:
        """Stop tidying."""
        if self._tidied is not None:
            self._tidied.cancel()

    async def _take_away(self) -> None:
        for message_id in self._orphans.left():
            await self._poster.delete(Origin.of(self._turn).channel_id, message_id)
