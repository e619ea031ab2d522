"""The turns and answers that other processes left unfinished."""

import asyncio
import logging

from llmgine.errors import StoreError
from programs.application import Application
from programs.discord.delivery.channel_deliveries import ChannelDeliveries
from programs.discord.ids import SOURCE
from programs.discord.status_reactions import StatusReactions

_RETRY_INTERVAL = 1.0  # seconds between two tries while the store fails

_log = logging.getLogger(__name__)


class Takeover:
    """Continues what processes that have ended left: when the bot starts, and whenever another one ends.

    Args:
        app: The application, whose engine runs the turns.
        deliveries: What shows their answers.
        status_reactions: What shows their progress.
    """

    def __init__(self, app: Application, deliveries: ChannelDeliveries, status_reactions: StatusReactions) -> None:
        self._app = app
        self._deliveries = deliveries
        self._status_reactions = status_reactions

    async def run_once(self) -> int:
        """Take over everything that is left now, however often the store fails meanwhile.

        Returns:
            How many turns are continued.
        """
        store = self._app.store
        while True:
            try:
                await self._deliveries.recover()
                left = await store.turns.unfinished_of({SOURCE})
                self._status_reactions.recover(turn for turn in left if turn.owner != store.owners.me)
                return await self._app.engine.recover({SOURCE})
            except StoreError as error:
                _log.error("Cannot read what other processes left unfinished: %s", error)
                await asyncio.sleep(_RETRY_INTERVAL)

    async def run(self) -> None:
        """Take over what is left by each process that ends from now on; never returns."""
        while True:
            await self._app.store.owners.death()
            continued = await self.run_once()
            _log.info("Another process has ended%s", f"; continuing its turns: {continued}" if continued else "")
