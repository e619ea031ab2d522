"""The Discord client: messages in, commands down the bus."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine

import discord

from llmgine.errors import LLMgineError
from llmgine.messages.commands import StopTurnCommand
from programs.application import Application
from programs.discord.buttons.answers import AnswerButtons
from programs.discord.buttons.approvals import ApprovalButtons
from programs.discord.buttons.pressed import Presses
from programs.discord.channels import Channels
from programs.discord.connection import Connection
from programs.discord.delivery.access import Access
from programs.discord.delivery.budget import RATE
from programs.discord.delivery.editor import EDIT_INTERVAL
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.views import TurnViews
from programs.discord.ids import SOURCE, session_id
from programs.discord.incoming.attachments import AttachmentReader
from programs.discord.incoming.catch_up import CatchUp
from programs.discord.incoming.heard import ChannelEvent, MessageDeletedEvent, MessageHeardEvent
from programs.discord.incoming.intake import Intake
from programs.discord.incoming.second_look import SecondLook
from programs.discord.incoming.triggers import Triggers, is_from_a_person
from programs.discord.signs import INTERVAL as SIGN_INTERVAL
from programs.discord.signs import Signs
from programs.discord.slash.conversation import ClearView, Sessions
from programs.discord.slash.tree import Commands
from programs.discord.thread_names import ThreadNames
from programs.discord.welcome import Welcome

_CHECK_INTERVAL = 180.0  # seconds between two looks for what Discord did not tell, or did not take
_PAUSE_PATIENCE = 3.0  # seconds in which people are told of a restart
_SIGNS_PATIENCE = 1.0  # seconds in which signs that would mislead are taken away
_START_PATIENCE = 3.0  # seconds a start that is under way has when it is to end

_log = logging.getLogger(__name__)


class Bot(Connection):
    """The bot of one application.

    Args:
        app: The application; started before the bot and closed after it.
        edit_interval: Seconds between two edits of a message.
        guild_ready_timeout: Seconds discord.py waits for servers at the start.
        heartbeat_timeout: Seconds without a sign of life after which the connection counts as dead.
        first_wait: Seconds before a request that got no answer is sent again; doubled each time.
        rate: Requests a second over all.
        sign_interval: Seconds between two requests for signs, see `Signs`.
        sign_delay: Seconds until a turn that runs gets its sign.
        is_busy: Whether signs are to give way; by the number of active turns, unless given.
        clock: Seconds since 1970, to tell how old messages are; Discord's own, unless given.
        monotonic: Seconds that never go back, to tell how long a refusal holds.
        sleep: How the end of a long rate limit is waited for.
        api_base: Where Discord is, when it is not the one of the settings: files are read from there too.
        burst: Seconds within which several messages of a person are taken as one prompt, while it waits.
    """

    def __init__(
        self,
        app: Application,
        *,
        edit_interval: float = EDIT_INTERVAL,
        guild_ready_timeout: float = 2.0,
        heartbeat_timeout: float = 45.0,
        first_wait: float = 1.0,
        rate: float = RATE,
        sign_interval: float = SIGN_INTERVAL,
        sign_delay: float = 2.0,
        is_busy: Callable[[], bool] | None = None,
        clock: Callable[[], float] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        burst: float = 3.0,
        api_base: str | None = None,
    ) -> None:
        super().__init__(
            app, guild_ready_timeout=guild_ready_timeout, heartbeat_timeout=heartbeat_timeout, rate=rate, clock=clock
        )
        self._app = app
        clock = self.clock
        self._access = Access(self, clock=monotonic)
        poster = Poster(self, access=self._access, budget=self.budget, first_wait=first_wait, clock=clock, sleep=sleep)
        self._views = TurnViews(self, app.bus, app.store, poster, edit_interval=edit_interval)
        self._signs = Signs(
            self,
            poster.access,
            is_busy=is_busy or (lambda: self.is_busy),
            interval=sign_interval,
            delay=sign_delay,
        )
        self._commands = Commands(self, app)
        self._thread_names = ThreadNames(self, app.bus)
        settings = app.config.settings
        vision = settings.has_model and settings.openai_vision  # the demo model sees nothing
        files = AttachmentReader(vision=vision, base=api_base or settings.discord_api_base)
        channels = Channels(app.store)
        self._triggers = Triggers(self, app.store, poster, channels)
        self._intake = Intake(
            self, app.bus, app.store, poster, channels=channels, triggers=self._triggers, files=files, burst=burst
        )
        self._catch_up = CatchUp(self, app.store, poster, self._intake, clock=clock)
        self._welcome = Welcome(self, app.store, poster, mention=self._commands.mention, clock=clock)
        self._second_look = SecondLook(self, app.store, poster, self._intake, clock=clock)
        self._deaf: Callable[[], None] | None = None  # ends our hearing
        self._closing = False
        self._at_work: dict[str, asyncio.Task[None]] = {}
        self._recovered = asyncio.Event()
        self.add_view(ClearView(Sessions(app)))
        self._presses = Presses(
            {**AnswerButtons(app.bus, app.store).actions(), **ApprovalButtons(app.bus, app.store).actions()}
        )

    async def setup_hook(self) -> None:
        """Once, after login: listen, and see that the slash commands are registered."""
        self._views.start()
        self._signs.start(self._app.bus)
        self._thread_names.start()
        self._deaf = self._app.bus.register_event_handler(ChannelEvent, self._hear, timeout=None)
        await self._commands.sync_if_changed()

    async def on_connect(self) -> None:
        """A session begins: live messages wait until what was missed before it is caught up with."""
        self._catch_up.begin()

    async def on_ready(self) -> None:
        """Finish what an earlier process left, once; then catch up with what was said meanwhile."""
        try:
            late = await self._views.deliver_what_is_left()
            resumed = 0 if self._recovered.is_set() else await self._recover()
            if late or resumed:
                _log.info("Left from before: %d answers to deliver, %d turns taken up", late, resumed)
        finally:
            self._recovered.set()
            self._work("catch up", self._read_what_was_missed())
            self._work("welcome", self._welcome.greet_new())
        if "check" not in self._at_work:
            _log.info("Logged in as %s", self.user)
            self._work("check", self._check_now_and_then())

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Say what the bot can do."""
        await self._welcome.greet(guild)

    async def _recover(self) -> int:
        self._signs.recover(await self._app.store.turns.unfinished_of({SOURCE}))
        return await self._app.engine.recover({SOURCE})

    async def _read_what_was_missed(self) -> None:
        await self._catch_up.run()
        await self._second_look.run()

    async def on_resumed(self) -> None:
        """Show what could not be shown while Discord was away, and hear what was not told."""
        self._work("look again", self._try_to_check())

    def _work(self, name: str, work: Coroutine[None, None, None]) -> None:
        """Do this in a task of ours, in place of what is under way by that name."""
        if self._closing:
            work.close()
            return
        if name in self._at_work:
            self._at_work[name].cancel()
        self._at_work[name] = asyncio.create_task(work)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Queue what a person changed; Discord also tells of previews of links and of pins, which nobody wrote."""
        if payload.message.edited_at is not None and is_from_a_person(payload.message):
            await self._queue(payload.message)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Queue that a message is gone, behind what was said before."""
        event = MessageDeletedEvent(session_id=session_id(payload.channel_id), message_id=payload.message_id)
        await self._app.bus.publish(event)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """As of one message."""
        for message_id in sorted(payload.message_ids):
            event = MessageDeletedEvent(session_id=session_id(payload.channel_id), message_id=message_id)
            await self._app.bus.publish(event)

    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        """Nobody can read an answer there any more; what was said is kept."""
        await self._app.bus.execute(StopTurnCommand(session_id=session_id(payload.thread_id)))

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """As of a thread."""
        await self._app.bus.execute(StopTurnCommand(session_id=session_id(channel.id)))

    async def on_guild_channel_update(
        self, _before: discord.abc.GuildChannel, _after: discord.abc.GuildChannel
    ) -> None:
        """The bot may be allowed to write where it was not."""
        self._pay()

    async def on_guild_role_update(self, _before: discord.Role, _after: discord.Role) -> None:
        """As of a channel."""
        self._pay()

    async def on_member_update(self, _before: discord.Member, after: discord.Member) -> None:
        """As of a channel, where it is the bot itself whose roles change."""
        if after == after.guild.me:
            self._pay()

    def _pay(self) -> None:
        """Show what could not be shown for want of a permission."""
        self._access.forget()
        self._work("pay", self._try_to_check())

    async def caught_up(self) -> None:
        """Wait until everything that was missed before the present connection has been read."""
        await self._catch_up.over.wait()

    async def looked_back(self) -> None:
        """Wait until what was missed has been read, and what was changed or deleted meanwhile looked for."""
        await self.caught_up()
        await asyncio.wait({self._at_work["catch up"]})

    async def all_delivered(self) -> None:
        """Wait until nothing is on its way to people.

        Every event of the bus so far is handled; of each turn that has ended all parts are shown, or left for later
        because they cannot be shown now; of each turn that runs all parts show what they should at present. Status
        reactions do not count, nor does what happens while this waits.
        """
        await self._app.bus.wait_until_idle()
        await self._views.all_delivered()

    async def signs_settled(self) -> None:
        """Wait until there is no sign to be set."""
        await self._signs.settled()

    @property
    def commands(self) -> discord.app_commands.CommandTree[discord.Client]:
        """The slash commands and context menus."""
        return self._commands

    @property
    def active_turns(self) -> int:
        """How many turns are being shown."""
        return self._views.active

    @property
    def is_busy(self) -> bool:
        """Whether so many turns are active that signs give way."""
        return self._views.is_busy

    def is_typing_in(self, channel_id: int) -> bool:
        """Whether people see in a channel that an answer is being written."""
        return self._views.is_typing_in(channel_id)

    async def check(self) -> None:
        """Look for messages that Discord did not tell of, and for parts that it did not take."""
        await self._views.deliver_what_is_left()
        await self._catch_up.check()

    async def _check_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_CHECK_INTERVAL)
            await self._try_to_check()

    async def _try_to_check(self) -> None:
        try:
            await self.check()
        except LLMgineError as error:
            _log.warning("The channels could not be checked: %s", error)
        except Exception:  # a bug of ours must not end the checks that are to come
            _log.exception("The channels could not be checked")

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Buttons and forms are known by their custom ids, so they work after a restart; the rest is discord.py's."""
        await self._commands.react(interaction)
        await self._presses.hear(interaction)

    async def on_message(self, message: discord.Message) -> None:
        """Queue what a person wrote to the bot; messages of one channel are looked at in their order."""
        self._catch_up.notice(message)
        if not is_from_a_person(message):
            return
        self._catch_up.remember(message)
        # Most messages in a server are for other people. What is behind is looked at whenever somebody writes there.
        if not self._triggers.dismisses(message) or self._catch_up.is_behind(message):
            await self._queue(message)

    async def _queue(self, message: discord.Message) -> None:
        await self._app.bus.publish(MessageHeardEvent(session_id=session_id(message.channel.id), message=message))

    @property
    def is_in(self) -> bool:
        """Whether it was ever ready."""
        return self._recovered.is_set()

    async def wait_until_in(self) -> None:
        """Wait until it is ready, and has begun to finish what an earlier process left."""
        await self._recovered.wait()

    @property
    def is_winding_down(self) -> bool:
        """Whether no message is admitted any more."""
        return self._catch_up.stopped

    async def wind_down(self, grace: float) -> None:
        """Take nothing up any more, give what runs `grace` seconds to end, and say of the rest that it will go on."""
        self._catch_up.stop()
        await self._app.engine.drain(grace)
        await self._app.bus.wait_until_idle()
        await self._views.pause(_PAUSE_PATIENCE)

    async def close(self) -> None:
        """Leave Discord; what was not shown is shown after the next start."""
        await self._finish_start()
        if self._deaf is not None:
            self._deaf()
        self._thread_names.stop()
        self._closing = True
        for task in self._at_work.values():
            task.cancel()
        await asyncio.gather(*self._at_work.values(), return_exceptions=True)
        await self._views.close()
        await self._signs.close(_SIGNS_PATIENCE)
        await super().close()

    async def _finish_start(self) -> None:
        """discord.py cannot be closed while it waits for servers: it would go on with a client that is gone."""
        if self.ws is None or not self.ws.open:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_START_PATIENCE):
                await self.wait_until_ready()
                await self._recovered.wait()

    async def _hear(self, event: ChannelEvent) -> None:
        await self._recovered.wait()  # so that turns of before the restart come first
        if isinstance(event, MessageHeardEvent):
            await self._catch_up.hear(event.message)
        elif isinstance(event, MessageDeletedEvent):
            await self._intake.deleted(event.message_id)
