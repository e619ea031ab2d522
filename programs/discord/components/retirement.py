"""Taking away what no longer applies under an older answer: a courtesy, since a press of it says so too."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TypeVar

from llmgine.errors import StoreError
from llmgine.messages.steps import Turn
from llmgine.sessions import SessionStore
from programs.discord.components.button_layout import buttons_of, lasting
from programs.discord.delivery.bodies import Body
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.refusals import DeliveryRefusedError, UnreachableError
from programs.discord.ids import Origin
from programs.discord.rate_limiter import as_courtesy

_REMEMBERED = 5_000  # sessions and turns

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ending:
    """The message that ends a turn's answer, with the buttons of the whole turn, and what it shows."""

    turn: Turn
    message_id: int
    body: Body


class Retirement:
    """Retires the buttons of an answer when the next turn of its session begins, and gives them back if that is undone.

    Nothing of it is stored, and nothing waits for it.
    """

    def __init__(self, store: SessionStore, poster: Poster) -> None:
        self._store = store
        self._poster = poster
        self._begun: OrderedDict[str, int] = OrderedDict()  # the newest place that was begun, by session
        self._retired: OrderedDict[str, None] = OrderedDict()
        self._last: OrderedDict[str, Ending] = OrderedDict()  # the last one shown, by session
        self._tasks: set[asyncio.Task[None]] = set()

    def begun(self, turn: Turn) -> None:
        """A turn begins: the answer before it is the last one no more."""
        self._begun[turn.session_id] = max(turn.seq, self._begun.get(turn.session_id, 0))
        last = self._last.get(turn.session_id)
        if last is not None and last.turn.id == turn.id:  # it is answered again, in the same messages
            del self._last[turn.session_id]
        self._begun.move_to_end(turn.session_id)
        _bound(self._begun)
        self._work(lambda: self._retire_before(turn))

    def delivered(self, turn: Turn, ending: Ending | None) -> None:
        """An outcome is shown, perhaps after the next turn began."""
        self._retired.pop(turn.id, None)  # it may be another attempt than the one that was retired
        last = self._last.get(turn.session_id)
        if ending is not None and (last is None or last.turn.seq <= turn.seq):
            self._last[turn.session_id] = ending
            self._last.move_to_end(turn.session_id)
            _bound(self._last)
        if self._begun.get(turn.session_id, 0) > turn.seq:
            self._work(lambda: self._change(turn, back=False))

    def forgotten(self, session_id: str) -> None:
        """A turn was forgotten: the one before it may be the last one again."""
        self._begun.pop(session_id, None)
        self._last.pop(session_id, None)
        self._work(lambda: self._give_back(session_id))

    async def close(self) -> None:
        """Leave the rest as it is."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _work(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        task = asyncio.create_task(_done(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _retire_before(self, turn: Turn) -> None:
        ending = self._last.get(turn.session_id)
        if ending is not None and ending.turn.seq < turn.seq:
            await self._change(ending.turn, back=False, ending=ending)
            return
        before = await self._store.turns.before(turn.session_id, turn.seq)
        if before is not None:
            await self._change(before, back=False)

    async def _give_back(self, session_id: str) -> None:
        last = await self._store.turns.last(session_id)
        if last is not None:
            await self._change(last, back=True)

    async def _change(self, turn: Turn, *, back: bool, ending: Ending | None = None) -> None:
        """Retire the buttons of a turn that is shown, or give them back; once."""
        if (turn.id in self._retired) is not back:
            return
        ending = ending or await self._ending(turn)
        if ending is None or self._poster.is_old(ending.message_id):
            return
        if back:
            self._retired.pop(turn.id, None)
        else:
            self._retired[turn.id] = None
            _bound(self._retired)
        buttons = buttons_of(ending.body) if back else lasting(ending.body)
        with as_courtesy():
            await self._poster.set_buttons(Origin.of(turn).channel_id, ending.message_id, buttons)

    async def _ending(self, turn: Turn) -> Ending | None:
        """The end of a turn that is shown, as the store has it."""
        part = next((part for part in await self._store.deliveries.of(turn.id) if ends(part.body)), None)
        if part is None or not part.sent or not part.message_id:
            return None
        return Ending(turn, int(part.message_id), part.body)


async def _done(work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Do this. Nobody waits for it, so whatever it fails by ends here."""
    try:
        await work()
    except (StoreError, UnreachableError, DeliveryRefusedError) as error:
        _log.info("The buttons of an older answer stay as they are: %s", error)
    except Exception:  # a bug of ours, which nobody else would see
        _log.exception("The buttons of an older answer stay as they are")


def ends(body: Body) -> bool:
    """Whether it has the buttons of the whole turn."""
    return lasting(body) != buttons_of(body)


def _bound(seen: OrderedDict[str, T]) -> None:
    while len(seen) > _REMEMBERED:
        seen.popitem(last=False)
