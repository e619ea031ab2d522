"""The Discord client: messages in, commands down the bus."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import discord

from llmgine.messages.commands import StopTurnCommand
from llmgine.messages.erasing_commands import ReportServersCommand
from programs.application import Application
from programs.discord.channel_settings import Channels
from programs.discord.chores import Chores
from programs.discord.components.answers import AnswerButtons
from programs.discord.components.approvals import ApprovalButtons
from programs.discord.components.router import ComponentRouter
from programs.discord.connection import Connection
from programs.discord.delivery.channel_deliveries import EDIT_INTERVAL, ChannelDeliveries
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.step_results import Pace
from programs.discord.ids import SOURCE, session_id
from programs.discord.incoming.attachments import AttachmentReader
from programs.discord.incoming.feeds import LOOK_INTERVAL, Feeds
from programs.discord.incoming.intake import Intake
from programs.discord.languages import Languages
from programs.discord.permissions.bot import BotPermissions
from programs.discord.permissions.operator import Operators
from programs.discord.permissions.rates import Rates
from programs.discord.permissions.tools import access_for
from programs.discord.rate_limiter import RATE
from programs.discord.slash.tree import Commands
from programs.discord.status_reactions import INTERVAL as REACTION_INTERVAL
from programs.discord.status_reactions import StatusReactions
from programs.discord.takeover import Takeover
from programs.discord.thread_names import ThreadNames
from programs.discord.welcome import Welcome

_CHECK_INTERVAL = 180.0  # seconds between two checks for what Discord did not send, or did not accept
_FEEDS_PATIENCE = 1.0  # seconds to finish admitting messages at the end
_PAUSE_PATIENCE = 3.0  # seconds to post that the bot restarts
_REACTIONS_PATIENCE = 1.0  # seconds to remove status reactions that would mislead

_log = logging.getLogger(__name__)


class Bot(Connection):
    """The bot of one application.

    Args:
        app: The application; started before the bot and closed after it.
        edit_interval: Seconds between two edits of a message.
        guild_ready_timeout: Seconds discord.py waits for servers at the start.
        heartbeat_timeout: Seconds without a heartbeat after which the connection counts as dead.
        first_wait: Seconds before a request that got no answer is sent again; doubled each time.
        look_interval: Seconds between two checks, one channel at a time, for messages Discord did not send.
        rate: Requests per second in total.
        reaction_interval: Seconds between two requests for status reactions, see `StatusReactions`.
        reaction_delay: Seconds until a running turn gets its status reaction.
        is_busy: Whether status reactions are to wait; by the number of active turns, unless given.
        clock: Seconds since 1970, to know how old messages are; Discord's own, unless given.
        monotonic: Seconds that never go back, to measure how long a refusal lasts.
        sleep: How the end of a long rate limit is waited for.
        api_base: Discord's address, if it is not the one in the settings; files are read from there too.
        burst: Seconds within which a person's messages are merged into one prompt, while it waits.
    """

    def __init__(
        self,
        app: Application,
        *,
        edit_interval: float = EDIT_INTERVAL,
        guild_ready_timeout: float = 2.0,
        heartbeat_timeout: float = 45.0,
        first_wait: float = 1.0,
        look_interval: float = LOOK_INTERVAL,
        rate: float = RATE,
        reaction_interval: float = REACTION_INTERVAL,
        reaction_delay: float = 2.0,
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
        self._permissions = BotPermissions(self, clock=monotonic)
        poster = Poster(self, permissions=self._permissions, limiter=self.limiter, first_wait=first_wait, clock=clock)
        self.access = access_for(self, app, poster.member)
        pace = Pace(edit_interval, first_wait)
        self._deliveries = ChannelDeliveries(self, app.bus, app.store, poster, pace=pace, sleep=sleep)
        self._status_reactions = StatusReactions(
            self,
            poster.permissions,
            is_busy=is_busy or (lambda: self.is_busy),
            interval=reaction_interval,
            delay=reaction_delay,
        )
        self._takeover = Takeover(app, self._deliveries, self._status_reactions)
        self._commands = Commands(self, app)
        self._thread_names = ThreadNames(self, app.bus)
        settings = app.config.settings
        vision = settings.has_model and settings.openai_vision  # the demo model sees nothing
        base = api_base or settings.discord_api_base
        files = AttachmentReader(
            vision=vision, image_bytes=settings.image_bytes, base=base, transcriber=app.transcriber
        )
        operators = Operators(settings.operators)
        rates = Rates(settings.messages_per_minute, lambda: operators.known(self), clock=monotonic)
        intake = Intake(
            self, app.bus, app.store, poster, channels=Channels(app.store), files=files, rates=rates, burst=burst
        )
        self._feeds = Feeds(
            self, app.store, poster, intake, first_wait=first_wait, look_interval=look_interval, clock=clock
        )
        self._languages = Languages(app.store)
        self._welcome = Welcome(self, app.store, poster, mention=self._commands.mention, clock=clock)
        self._chores = Chores()
        self._recovered = asyncio.Event()
        self._is_closing = False  # a login may end later than this begins
        parsers = self._connection.parsers  # the only place from which discord.py takes them
        self._connection.parsers = {name: self._feeds.guarded(name, parse) for name, parse in parsers.items()}
        answers, calls = AnswerButtons(app.bus, app.store).handlers(), ApprovalButtons(app.bus).handlers()
        self._router = ComponentRouter(app.store, {**answers, **calls, **self._commands.handlers()}, rates)
        self.add_dynamic_items(self._router.item())

    async def setup_hook(self) -> None:
        """Once, after login: listen, and begin to register the slash commands; unless the bot is already closing."""
        await super().setup_hook()
        if not self._is_closing:
            self._deliveries.start()
            self._status_reactions.start(self._app.bus)
            self._thread_names.start()
            self._commands.registration.start()

    async def on_connect(self) -> None:
        """A new gateway session begins; it does not repeat the events before it."""
        self._feeds.connected()

    async def on_ready(self) -> None:
        """Finish what an earlier process left, once; then process what comes in."""
        await super().on_ready()
        self._chores.do("start", self._begin)
        self._chores.do("welcome", self._welcome.greet_new)
        self._chores.do("servers", self._report_servers)

    async def _begin(self) -> None:
        """Take over what an earlier process left before anything new, however often the store fails meanwhile."""
        if not self._recovered.is_set():
            continued = await self._takeover.run_once()
            _log.info("Logged in as %s%s", self.user, f"; continuing earlier turns: {continued}" if continued else "")
            self._recovered.set()
            self._chores.do("check now and then", self._check_now_and_then)
            self._chores.do("take over", self._takeover.run)
        self._feeds.ready()
        self._deliveries.look_again()

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """A server is there: at the start, later, or after an outage."""
        self._feeds.available(guild)

    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        """A server is in an outage, or the bot is not in it any more."""
        self._feeds.unavailable(guild)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """The bot is not in a server any more."""
        self._feeds.unavailable(guild)
        self._chores.do("servers", self._report_servers)

    async def _report_servers(self) -> None:
        """Say which servers the bot is in. One in an outage is among them."""
        if self.user is not None:  # it has logged in
            guilds = tuple(guild.id for guild in self.guilds)
            command = ReportServersCommand(source=SOURCE, account=self.user.id, guilds=guilds)
            (await self._app.bus.execute(command)).unwrap()

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Say what the bot can do."""
        self._feeds.available(guild)
        self._chores.do("servers", self._report_servers)
        await self._welcome.greet(guild)

    async def on_resumed(self) -> None:
        """Check for missed messages, and show what could not be shown during the outage."""
        await super().on_resumed()
        await self.check()

    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel | discord.Thread) -> None:
        """There is a new channel or thread, or the bot was added to one."""
        self._feeds.made(channel)

    on_thread_create = on_thread_join = on_guild_channel_create

    async def on_message(self, message: discord.Message) -> None:
        """Somebody wrote."""
        self._feeds.created(message)

    async def create_dm(self, user: discord.abc.Snowflake) -> discord.DMChannel:
        """Open the DM with somebody, who may write there from then on."""
        channel = await super().create_dm(user)
        await self._feeds.opened(channel)
        return channel

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """A message changed."""
        self._feeds.edited(payload.message)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """A message is gone."""
        self._feeds.deleted(payload.channel_id, [payload.message_id])

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Messages are gone."""
        self._feeds.deleted(payload.channel_id, payload.message_ids)

    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        """Nobody can read an answer there any more; the conversation is kept."""
        await self._removed(payload.thread_id)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """As for a thread."""
        await self._removed(channel.id)

    async def _removed(self, channel_id: int) -> None:
        self._feeds.removed(channel_id)
        self._deliveries.removed(channel_id)
        await self._app.bus.execute(StopTurnCommand(session_id=session_id(channel_id)))

    async def on_guild_channel_update(self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel) -> None:
        """The bot may be allowed to read or write where it was not."""
        me = after.guild.me
        if after.permissions_for(me).read_message_history and not before.permissions_for(me).read_message_history:
            self._feeds.shown(after)
        self._deliver_owed()

    async def on_guild_role_update(self, _before: discord.Role, _after: discord.Role) -> None:
        """As for a channel."""
        self._deliver_owed()

    async def on_member_update(self, _before: discord.Member, after: discord.Member) -> None:
        """As for a channel, if it is the bot whose roles change."""
        if after == after.guild.me:
            self._deliver_owed()

    def _deliver_owed(self) -> None:
        """Show what could not be shown because a permission was missing."""
        self._permissions.forget()
        self._deliveries.look_again()

    async def caught_up(self) -> None:
        """Wait until what was missed was read, and all that came in was processed, or is to be tried again later."""
        await self._recovered.wait()
        await self._feeds.caught_up()

    async def all_delivered(self) -> None:
        """Wait until nothing is on its way to people.

        Every event of the bus so far is handled; of each turn that has ended all parts are shown, or left for later
        because they cannot be shown now; of each turn that runs all parts show what they should at present. Status
        reactions do not count, nor does what happens while this waits.
        """
        await self._app.bus.wait_until_idle()
        await self._deliveries.rested()

    async def reactions_settled(self) -> None:
        """Wait until all status reactions are set."""
        await self._status_reactions.settled()

    @property
    def commands(self) -> Commands:
        """The slash commands and context menus."""
        return self._commands

    @property
    def active_turns(self) -> int:
        """How many turns are being shown."""
        return self._deliveries.active

    @property
    def is_busy(self) -> bool:
        """Whether so many turns are active that status reactions wait."""
        return self._deliveries.is_busy

    def is_typing_in(self, channel_id: int) -> bool:
        """Whether people see in a channel that an answer is being written."""
        return self._deliveries.is_typing_in(channel_id)

    async def check(self) -> None:
        """Check for missed messages, and for what Discord did not accept: parts of answers, and slash commands."""
        self._commands.registration.try_again()
        self._feeds.look_again()
        self._deliveries.look_again()

    async def _check_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_CHECK_INTERVAL)
            await self.check()

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """A form was sent, perhaps one that an earlier process opened; all else is dispatched by discord.py."""
        await self._router.dispatch_form(interaction)
        await self._languages.saw(interaction)

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
        return self._feeds.stopped

    async def wind_down(self, grace: float) -> None:
        """Admit no more messages, give running turns `grace` seconds, and post that the rest will continue later."""
        await self._feeds.stop(_FEEDS_PATIENCE)
        await self._app.engine.drain(grace)
        await self._app.bus.wait_until_idle()
        await self._deliveries.pause(_PAUSE_PATIENCE)

    async def close(self) -> None:
        """Leave Discord; what was not shown is shown after the next start."""
        self._is_closing = True
        await self._commands.registration.close()
        await self.finish_start(self._recovered)
        await self._feeds.stop(_FEEDS_PATIENCE)
        self._thread_names.stop()
        await self._chores.close()
        await self._deliveries.close()
        await self._status_reactions.close(_REACTIONS_PATIENCE)
        await self.access.members.close()
        await super().close()
