"""One run: a world with people, Discord, a model and a disk, and the lives of the bot in it, one after the other."""

import asyncio
import functools
import gc
import json
import logging
import math
import random
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from unittest import mock

import aiohttp
import discord

import llmgine.bootstrap
import llmgine.engine.retention
import llmgine.engine.store_changes
from llmgine.errors import LLMgineError, StoreError
from llmgine.sessions.database import Row
from llmgine.sessions.store import SessionStore
from programs.application import Application
from programs.discord.bot import stay
from programs.discord.client import Bot
from programs.discord.delivery.rendering import render_deliveries
from programs.discord.ids import SOURCE
from programs.settings import ProgramConfig, ProgramSettings
from tests.simulation import virtual
from tests.simulation.bodies import is_shown_as
from tests.simulation.disk import Disk, NoBackup, SimulatedDatabase, SimulatedOwners
from tests.simulation.entities import Message
from tests.simulation.faults import Fault, Weather
from tests.simulation.gateway import Gateway, NoKeepAlive
from tests.simulation.life import Life
from tests.simulation.loop import StuckError
from tests.simulation.model import Outside, SimulatedModel
from tests.simulation.network import Network
from tests.simulation.people import People
from tests.simulation.presses import Presses
from tests.simulation.server import Server
from tests.simulation.timeline import Timeline, Trace

_LONGEST = 4 * 3600.0  # virtual seconds until all has to be done
_AT_LEAST = 420.0  # virtual seconds of calm in one life: every place is looked at once in that time
_LOOK = 5.0
_FIRST_CONTACT = (
    10.0  # virtual seconds without faults: nobody can find what was said before a bot ever heard of a place
)
_GRACE = 20.0  # seconds that a bot which is told to end has for its answers
_END_PATIENCE = _GRACE + 5.0  # virtual seconds in which it has ended then
_OF_DONE = """
    SELECT delivery.* FROM inbox
    JOIN turn ON turn.id = inbox.turn_id AND turn.state = 'done'
    JOIN delivery ON delivery.turn_id = turn.id AND delivery.attempt = turn.attempt AND final = 1
    WHERE source_id = ?
"""
_FORESEEN = (
    StoreError,
    aiohttp.ClientError,
    OSError,
    discord.HTTPException,
)  # errors that may be logged with all that is known of them
_CUT_OFF = {"ViewStore.schedule_dynamic_item_call"}  # a press just then: the person is told by Discord that it failed
_MALFORMED = "An event from Discord cannot be read"  # so begins what is logged of an event that a fault has spoilt


@dataclass(frozen=True)
class Order:
    """What a run is made of.

    Attributes:
        seed: The seed of all runs.
        number: Which of them it is.
        turns: How many questions are asked.
        without: Faults that do not happen.
        only: If there are any, no others happen.
        forgetful: Whether nonces are ignored, which breaks a promise of Discord's that the bot relies on.
    """

    seed: int
    number: int
    turns: int
    without: frozenset[Fault] = frozenset()
    only: frozenset[Fault] = frozenset()
    forgetful: bool = False


class World:
    """Everything of one run.

    Args:
        order: What is run.
        tell: Is given each line of the trace.
    """

    def __init__(self, order: Order, tell: Callable[[str], None] | None = None) -> None:
        self.order = order
        self.trace = Trace(tell)
        self.timeline = timeline = Timeline(self.trace)
        self.weather = Weather(self._chance("weather"), without=order.without, only=order.only)
        self.weather.happened = lambda fault: timeline.note(f"! {fault.name}")
        self.server = Server(timeline, self.weather, self._chance("server"))
        self.server.forgetful = order.forgetful
        self.server.reacted = self._reacted
        self.gateway = Gateway(self.server, self.weather, timeline, self._chance("gateway"))
        self.network = Network(self.server, self.gateway, self.weather, timeline, self._chance("network"))
        self.outside = Outside(timeline, self.weather, self._chance("model"))
        presses = Presses(self.server, timeline, self._chance("presses"))
        self.people = People(self.server, timeline, self.weather, self._chance("people"), presses)
        self.disk = Disk.formatted()
        self.errors: list[str] = []
        self.early_signs: list[tuple[Message, Row]] = []  # answers that were said to be done, and what was missing
        self.kills = self.stops = 0
        self.births: list[float] = []  # when each life began,
        self.deaths: list[float] = []  # and when it ended
        self._lives = self._chance("lives")
        self._life: Life | None = None
        self._stop: asyncio.Event | None = None
        self._peace = 0.0
        self._told_at = math.inf  # when the present life was told to end
        self.quiet = False

    def _chance(self, what: str) -> random.Random:
        return random.Random(f"{self.order.seed}/{self.order.number}/{what}")  # noqa: S311  # it has to be repeatable

    def run(self) -> None:
        """Live from the first question until all is done, or should be."""
        virtual.use(self.timeline, self._chance("ids"))
        self.people.found()
        self._peace = self.people.plan(self.order.turns, after=_FIRST_CONTACT) + 1.0
        self.weather.calm()
        self.timeline.at(_FIRST_CONTACT, lambda: self.weather.calm(calm=False))
        self.timeline.at(self._peace, self._calm)
        self.timeline.at(self._peace + _AT_LEAST, self._look)
        self._threaten()
        with _watched(self.errors, lambda: self._life is not None and self._life.alive):
            while not self.quiet:
                self._live()
        self._life = self._stop = None
        self.trace.add(self.timeline.now, repr(self.disk.rows("SELECT * FROM turn ORDER BY id")))
        self.trace.add(self.timeline.now, repr(self.disk.rows("SELECT * FROM delivery ORDER BY turn_id, message_id")))

    def _reacted(self, message: Message, emoji: str) -> None:
        """Note where the sign that an answer is done comes before all of it can be seen."""
        for part in self.disk.rows(_OF_DONE, str(message.id)) if emoji == "✅" else ():
            shown = message.channel.messages.get(int(part["message_id"] or 0))
            body = json.loads(part["body"])
            if shown is None or ("content" in body and not is_shown_as(shown.content, body)):
                self.early_signs.append((message, part))

    def _threaten(self) -> None:
        """Now and then, tell the bot to end."""
        if self.timeline.now > self._peace:
            return
        if self.weather.strikes(Fault.STOP) and self._stop is not None:
            self.stops += 1
            self._end()
        self.timeline.after(10.0, self._threaten)

    def _end(self) -> None:
        life = self._life
        if self._stop is not None and life is not None and life.alive:
            self.timeline.note("told to end")
            self._told_at = min(self._told_at, self.timeline.now)
            self._stop.set()

    def _calm(self) -> None:
        self.timeline.note("calm")
        self.weather.calm()
        self.people.make_peace()
        self.gateway.recover()

    def _look(self) -> None:
        """Whether all is done; else look again later, but not for ever."""
        late = self.timeline.now > self._peace + _LONGEST
        calm_since = max(self._peace, self.births[-1])
        alive = self._life is not None and self._life.alive and self.timeline.now >= calm_since + _AT_LEAST
        if (alive and self._is_settled()) or late:
            self.quiet = True
            self._end()
        else:
            self.timeline.after(_LOOK, self._look)

    def _is_settled(self) -> bool:
        rows = self.disk.rows(
            "SELECT (SELECT COUNT(*) FROM open_turn) + (SELECT COUNT(*) FROM delivery WHERE sent = 0) AS owed"
        )
        return not rows[0]["owed"]

    def _live(self) -> None:
        """One life of the bot, and the time until the next."""
        life = self._life = Life(self.timeline)
        self._told_at = math.inf
        self.births.append(self.timeline.now)
        virtual.begin_life()
        self.timeline.note("born")
        task = life.loop.create_task(self._main(life))
        task.add_done_callback(lambda _: life.loop.stop())
        stand_in = self.network.stand_in(life)
        adapter = discord.webhook.async_.AsyncWebhookAdapter()  # type: ignore[no-untyped-call]  # untyped there
        with (
            mock.patch("discord.http.aiohttp", stand_in),
            mock.patch("discord.webhook.async_.aiohttp", stand_in),
            mock.patch.object(discord.webhook.async_, "async_context", SimpleNamespace(get=lambda: adapter)),
            mock.patch.object(discord.interactions, "async_context", SimpleNamespace(get=lambda: adapter)),
        ):
            try:
                life.loop.run_forever()
            except StuckError:
                self.errors.append("the bot waits for something that will never happen")
                self.quiet = True
        self._stop = None
        self.deaths.append(self.timeline.now)
        if life.died is None:
            self._bury(life, task)
        else:
            self.kills += 1
        life.end()
        del task
        life.loop.abandon()
        self._be_dead()

    def _bury(self, life: Life, task: "asyncio.Task[None]") -> None:
        """A life that ended by itself: what it left."""
        error = task.exception() if task.done() and not task.cancelled() else None
        # Whoever runs a program starts it again when it ends because Discord could not be reached.
        restarts = isinstance(error, LLMgineError) and self.timeline.now < self._peace + _AT_LEAST
        if error is not None and not restarts:
            self.errors.append(f"the bot ended with {error!r}")
            self.quiet = self.quiet or self.timeline.now > self._peace
        left = [one for one in asyncio.all_tasks(life.loop) if one is not task]
        names = sorted({getattr(one.get_coro(), "__qualname__", "?") for one in left} - _CUT_OFF)
        if names and task.done():
            self.errors.append(f"tasks are left after the end: {names}")
        self.errors += life.loop.errors
        seconds = self.timeline.now - self._told_at
        if seconds > _END_PATIENCE and Fault.STORE_SLOW not in self.weather.rates:
            self.errors.append(f"the bot took {seconds:.0f} s to end")

    def _be_dead(self) -> None:
        if self.quiet:
            return
        seconds = self._lives.choice((0.5, 5.0, 30.0))
        if self.weather.strikes(Fault.LONG_DOWN):
            seconds = self._lives.choice((200.0, 700.0, 4_000.0))
        until = self.timeline.now + seconds
        while self.timeline.now < until:
            self.timeline.advance(until)

    async def _main(self, life: Life) -> None:
        """The process."""
        outside = SimulatedModel(self.outside, life)
        database = SimulatedDatabase(self.disk, life, self.weather, self.timeline, self._lives)
        owners = SimulatedOwners(f"life-{self._lives.getrandbits(40):010x}")

        async def open_store(url: str, *, lease_seconds: float) -> SessionStore:
            del url, lease_seconds
            return SessionStore(database, owners)

        settings = _settings()
        config = ProgramConfig(settings=settings, monitor_interval=1e6)
        stop = self._stop = asyncio.Event()
        with mock.patch.object(llmgine.bootstrap, "open_store", open_store):
            app = Application(config, provider=outside, renderers={SOURCE: render_deliveries})
            await app.startup()
        try:
            await app.engine.register_tool(outside.look_up, idempotent=True)
            await app.engine.register_tool(outside.pay)
            await app.engine.register_tool(outside.transfer, requires_approval=True, allows_always=True)
            await stay(lambda: self._bot(app), settings, stop)
        finally:
            await app.shutdown()

    def _bot(self, app: Application) -> Bot:
        return Bot(app, look_interval=10.0, clock=lambda: self.timeline.wall, monotonic=lambda: self.timeline.now)


@functools.cache
def _settings() -> ProgramSettings:
    settings = ProgramSettings(
        _env_file=None,
        discord_token="simulated",
        shutdown_grace=_GRACE,
        approval_timeout=90,
        messages_per_minute=0,  # its people write more than that, and each message is to be answered
    )
    return settings.model_copy(update={"log_dir": None})


@contextmanager
def prepared() -> Iterator[None]:
    """Inside this block worlds can be run."""
    with (
        virtual.installed(),
        mock.patch.object(llmgine.bootstrap, "HourlyBackup", NoBackup),
        mock.patch.object(llmgine.engine.retention.Retention, "erase_due", mock.AsyncMock()),  # it uses real files
        mock.patch.object(llmgine.engine.store_changes, "_POLL", 5.0),  # nobody else writes
        mock.patch.object(discord.gateway, "KeepAliveHandler", NoKeepAlive),
        mock.patch.object(sys, "unraisablehook", _ignore),  # what a killed process leaves
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            yield
        finally:
            gc.collect()
            gc.enable()
            gc.unfreeze()


def _ignore(_: object) -> None:
    """Nobody is to hear of it."""


class _Unforeseen(logging.Handler):
    """Collects what the bot logs of errors that nobody foresaw."""

    def __init__(self, errors: list[str], is_alive: Callable[[], bool]) -> None:
        super().__init__(logging.ERROR)
        self._errors = errors
        self._is_alive = is_alive

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None or not self._is_alive() or isinstance(error, _FORESEEN) or record.name.startswith("discord."):
            return
        told = record.getMessage()
        if not told.startswith(_MALFORMED):
            where = traceback.extract_tb(error.__traceback__)[-1]
            self._errors.append(f"logged: {told}: {error!r} at {where.filename.rpartition('/')[2]}:{where.lineno}")


@contextmanager
def _watched(errors: list[str], is_alive: Callable[[], bool]) -> Iterator[None]:
    root, handler = logging.getLogger(), _Unforeseen(errors, is_alive)
    before, level, disabled = root.handlers[:], root.level, root.manager.disable
    root.handlers[:] = [handler]
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        logging.disable(disabled)
