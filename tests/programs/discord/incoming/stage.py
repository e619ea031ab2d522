"""A playground, a bot that comes and goes, and what people wrote: the stage on which the machine of the feed acts."""

import asyncio
import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest

from programs.discord.bot import discord_at
from programs.discord.delivery import poster
from programs.discord.delivery.notices import MISSED
from programs.discord.incoming import feed, feeds, history
from programs.discord.incoming.feed import Feed
from programs.discord.incoming.feed_state import FeedState
from programs.discord.incoming.feeds import Feeds
from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GRACE_ID, GUILD_ID, RANDOM_ID, Message
from programs.playground.server import Playground
from tests.chat_completions import ChatCompletionsServer
from tests.programs.discord.incoming.believed import Believed, Database, Entry, Wanted
from tests.programs.discord.incoming.lives import Lives
from tests.programs.discord.incoming.trouble import Bugs, ReadTrouble, StoreTrouble
from tests.programs.discord.scene import MENTION, ROOMY, Scene

PAGE = 3  # messages of one answer to a read
TURNS = 4  # missed messages that are answered
ITEMS = 6  # of a queue
_LONGEST = 20.0  # seconds until a bot that does not come to rest is given up
_LOOK, _QUIET = 0.01, 30  # seconds between two looks, and how many at a bot that is at rest are enough
_AT_REST = (FeedState.LIVE, FeedState.GONE, FeedState.UNKNOWN)


class Stage:
    """Everything of one run. A small page, few turns and a short queue let a few messages reach all bounds."""

    def __init__(self) -> None:
        self.believed = Believed(TURNS)
        self.bugs = Bugs()
        self.in_outage = False
        self.is_calm = False  # whether the bot hears all that is written
        self.is_loose = False  # whether a history may have been refused since the bot was at rest
        self.places: list[int] = []
        self._number = 0

    async def open(self) -> None:
        """Start a playground and a bot, to which something was said in a channel, a thread and a DM."""
        self.stack = AsyncExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self._patch(self.stack.enter_context(pytest.MonkeyPatch.context()))
        logging.getLogger().addHandler(self.bugs)
        self.stack.callback(logging.getLogger().removeHandler, self.bugs)
        self.playground = await self.stack.enter_async_context(Playground(rules=ROOMY))
        model = await self.stack.enter_async_context(ChatCompletionsServer())
        self.scene = Scene(self.playground, model, folder)
        self.stack.enter_context(discord_at(self.scene.settings))
        self.database = Database(folder / "llmgine.db")
        self.store, self.reads = StoreTrouble(), ReadTrouble(self.playground)
        self.lives = Lives(self.scene)
        self.stack.push_async_callback(self.end)
        await self.start()
        people = self.playground.people
        thread, dm = people.create_thread(GENERAL_ID, ADA_ID, "Ours"), people.open_dm(ADA_ID)
        self.places = [GENERAL_ID, RANDOM_ID, thread.id, dm.id]
        self.dm = dm.id
        for place in self.places:
            self.write(place, ADA_ID)
        await self.rest()

    @staticmethod
    def _patch(patch: pytest.MonkeyPatch) -> None:
        for module in (history, poster):
            patch.setattr(module, "PAGE", PAGE)
        bounds = history.Bounds(turns=TURNS)
        patch.setattr(history, "Bounds", lambda: bounds)
        patch.setattr(feed, "MAX_ITEMS", ITEMS)
        patch.setattr(feeds, "_AGAIN_SECONDS", 0.0)

    async def start(self) -> None:
        """A new bot."""
        await self.lives.start(demo=True, bot={"guild_ready_timeout": 0.2, "look_interval": 3600.0})
        self.scene.app.store.observe(self.store.around)

    async def end(self) -> None:
        """End the bot, however it is."""
        self.calm_down()
        if self.lives.is_up:
            await self.lives.stop()

    def calm_down(self) -> None:
        """Nothing goes wrong any more."""
        self.store.failing.clear()
        self.reads.nonsense = 0
        self.reads.release()
        self.playground.faults.clear()
        if self.in_outage:
            self.in_outage = False
            self.playground.gateway.restore()

    # What people do

    def write(self, place: int, by: int, how: str = "ask", *, lost: bool = False) -> Entry:
        """Somebody asks, talks with others, or replies to the bot; perhaps Discord never tells of it."""
        self._number += 1
        words = f"number {self._number}"
        mine = self._newest_of_the_bot(place) if how == "reply" else None
        text = f"{MENTION} {words}" if how != "talk" and mine is None and place != self.dm else words
        if how == "talk" and self._number % 2 and place != self.dm:
            text = f"<@{GRACE_ID}> {words}"
        if lost:
            self.playground.gateway.lose("MESSAGE_CREATE")
        by = ADA_ID if place == self.dm else by
        said = self.playground.people.send(place, by, text, reply_to=mine.id if mine else None, ping=False)
        wanted = Wanted.ALWAYS
        if how == "talk" and place != self.dm:
            in_a_thread = place not in (GENERAL_ID, RANDOM_ID)
            wanted = Wanted.PERHAPS if in_a_thread and "<@" not in text else Wanted.NEVER
        missed = lost or not self.is_calm
        hidden = lost or self.is_loose
        entry = Entry(said.id, place, by, words, wanted, missed, in_order=not hidden, hidden=hidden)
        entry.replies_to = mine.id if mine else None
        self.believed.entries.append(entry)
        return entry

    def _newest_of_the_bot(self, place: int) -> Message | None:
        found = self.playground.state.channels[place].messages.values()
        return next((one for one in reversed(list(found)) if one.author_id == BOT_ID), None)

    def edit(self, entry: Entry, how: str, *, lost: bool) -> None:
        """Somebody changes a message: its words only, or so that it is for the bot, or no longer is."""
        self._number += 1
        words = f"number {self._number}"
        text = f"{MENTION} {words}" if how == "ask" and entry.place != self.dm else words
        stays = entry.place == self.dm or (
            entry.replies_to is None and (how == "ask") and entry.wanted is Wanted.ALWAYS
        )
        if not stays:
            entry.wanted = Wanted.PERHAPS
        if entry.id not in self.database.messages():
            entry.in_order = False  # it is admitted when the edit is heard, if its own event was lost
        if lost:
            self.playground.gateway.lose("MESSAGE_UPDATE")
            entry.hidden = True
        entry.words = words
        self.playground.people.edit(entry.place, entry.id, entry.author, text)

    def delete(self, entry: Entry, *, lost: bool) -> None:
        """Somebody takes a message back."""
        if lost:
            self.playground.gateway.lose("MESSAGE_DELETE")
            entry.hidden = True
        entry.deleted = True
        self.playground.people.delete(entry.place, entry.id, entry.author)

    def new_thread(self) -> None:
        """Somebody opens a thread."""
        thread = self.playground.people.create_thread(RANDOM_ID, ADA_ID, "Another")
        self.places.append(thread.id)

    # What is believed of it

    def disturbed(self) -> None:
        """From here on the bot may not hear what is written, nor process what it heard."""
        self.is_calm = False
        for one in self._not_admitted():
            one.missed = True

    def loosened(self) -> None:
        """A history may be refused, so that live messages no longer wait for what was missed."""
        self.is_loose = True
        for one in self._not_admitted():
            one.in_order, one.hidden = False, True

    def _not_admitted(self) -> list[Entry]:
        stored = self.database.messages()
        return [one for one in self.believed.entries if one.id not in stored]

    def look(self) -> None:
        """Bring what is believed up to what is shown."""
        channels = self.playground.state.channels
        for place in self.places:
            notices = [one for one in channels[place].messages.values() if one.content == str(MISSED) and one.reference]
            self.believed.notices[place] = {one.reference.message_id or 0 for one in notices if one.reference}
        for one in self.believed.entries:
            if one.replies_to is not None and one.replies_to not in channels[one.place].messages:
                one.wanted = Wanted.PERHAPS  # nobody can tell any more whose it was

    def breaches(self, *, hidden: bool) -> list[str]:
        """What is wrong, if the bot is at rest; perhaps without what only a look at each place finds."""
        self.look()
        return list(self.believed.breaches(self.database.messages(), hidden=hidden))

    # Rest

    @property
    def feeds(self) -> Feeds:
        """The bot's feeds."""
        return self.scene.bot._feeds

    async def rest(self) -> None:
        """Let all be well, and check that the bot comes to rest with everything processed.

        Raises:
            AssertionError: It does not.
        """
        self.calm_down()
        if not self.lives.is_up:
            await self.start()
        await self._until(lambda: self._is_connected() and self._at_rest() and not self.breaches(hidden=False))
        wrong = [*self.breaches(hidden=False), *self._restless()]
        _require(wrong, "without a look at each place")
        for _ in range(2 * len(self.feeds._feeds) + 2):
            if not self.breaches(hidden=True):
                break
            self.feeds.look_again()
            await self._until(self._at_rest)
        await self._until(lambda: self._at_rest() and not self.breaches(hidden=True))
        wrong = [*self.breaches(hidden=True), *self._restless(), *self.bugs.found]
        _require(wrong, "after a look at each place")
        self.is_calm, self.is_loose = True, False
        for one in self.believed.entries:
            one.hidden = False

    async def _until(self, state: Callable[[], bool]) -> None:
        """Wait for a state; no longer than the bot has something to do, and a little."""
        quiet = 0
        with suppress(TimeoutError):  # what is wrong is told by who waits
            async with asyncio.timeout(_LONGEST):
                while not state() and quiet < _QUIET:
                    await asyncio.sleep(_LOOK)
                    quiet = quiet + 1 if self._at_rest() else 0

    def _is_connected(self) -> bool:
        bot = self.scene.bot
        guild = bot.get_guild(GUILD_ID)
        return bot.ws is not None and bot.ws.open and bot.is_ready() and guild is not None and not guild.unavailable

    def _at_rest(self) -> bool:
        return not list(self._restless())

    def _restless(self) -> Iterator[str]:
        """What is still to be done."""
        if not self._is_connected():
            yield "the bot is not connected"
        if self.feeds._looking or not self.feeds._shared.idle.is_set() or self.feeds._shared._busy:
            yield "something is busy"
        for one in self.feeds._feeds.values():
            if one.state not in _AT_REST or _has_work(one):
                yield f"the feed of {one.place} is {one.state}"
        if self.lives.work_of_feeds() != ["Feeds._rotate"]:
            yield f"tasks are left: {self.lives.work_of_feeds()}"


def _has_work(one: Feed) -> bool:
    return bool(one._task or one._timer or one._reading or one._items or one._missed)


def _require(nothing: list[str], when: str) -> None:
    if nothing:
        raise AssertionError("\n".join([f"At rest, {when}:", *nothing]))
