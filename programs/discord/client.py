"""The Discord client: messages in, commands down the bus."""

import asyncio
import contextlib
import logging
from typing import ClassVar

import discord
from pydantic import ConfigDict

from llmgine.errors import LLMgineError
from llmgine.messages.events import Event
from programs.application import Application
from programs.discord.buttons import Decider, decision_button
from programs.discord.editor import EDIT_INTERVAL
from programs.discord.metrics import rate_limit_trace
from programs.discord.poster import Poster
from programs.discord.rendering import SOURCE
from programs.discord.slash import ClearView, Commands, Sessions
from programs.discord.triggers import is_addressed, is_from_a_person, prompt, session_id
from programs.discord.views import TurnViews

_START_PATIENCE = 3.0  # seconds a start that is under way has when it is to end

_log = logging.getLogger(__name__)


class MessageReceivedEvent(Event):
    """A person wrote something the bot can see. Not logged: most of it is not for the bot."""

    logged: ClassVar[bool] = False
    model_config = ConfigDict(arbitrary_types_allowed=True)

    message: discord.Message


class Bot(discord.Client):
    """The bot of one application.

    Args:
        app: The application; started before the bot and closed after it.
        edit_interval: Seconds between two edits of a message.
        guild_ready_timeout: Seconds discord.py waits for servers at the start.
        first_wait: Seconds before a request that got no answer is sent again; doubled each time.
    """

    def __init__(
        self,
        app: Application,
        *,
        edit_interval: float = EDIT_INTERVAL,
        guild_ready_timeout: float = 2.0,
        first_wait: float = 1.0,
    ) -> None:
        # Voice is not used here, so what it would need is no news.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        super().__init__(
            intents=_intents(),
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=guild_ready_timeout,
            max_messages=1_000,
            http_trace=rate_limit_trace(app.bus),
        )
        self._app = app
        poster = Poster(self, first_wait=first_wait)
        self._views = TurnViews(self, app.bus, app.store, poster, edit_interval=edit_interval)
        sessions = Sessions(app.bus, app.store, app.config.settings.system_prompt)
        self._commands = Commands(self, sessions)
        self._ready_once = False
        self._recovered = asyncio.Event()
        self.add_view(ClearView(sessions))
        self.add_dynamic_items(decision_button(Decider(app.bus, app.store)))

    async def setup_hook(self) -> None:
        """Once, after login: listen, and see that the slash commands are registered."""
        self._views.start()
        self._app.bus.register_event_handler(MessageReceivedEvent, self._admit)
        await self._commands.sync_if_changed()

    async def on_ready(self) -> None:
        """Finish what an earlier process left, once; and show what could not be shown while Discord was away."""
        if self._ready_once:
            await self._views.deliver_what_is_left()
            return
        self._ready_once = True
        _log.info("Logged in as %s", self.user)
        try:
            late = await self._views.deliver_what_is_left()
            resumed = await self._app.engine.recover({SOURCE})
        finally:
            self._recovered.set()
        if late or resumed:
            _log.info("After the restart: %d answers to deliver, %d turns taken up", late, resumed)

    async def on_resumed(self) -> None:
        """Show what could not be shown while Discord was away."""
        await self._views.deliver_what_is_left()

    async def on_message(self, message: discord.Message) -> None:
        """Queue what a person wrote; messages of one channel are looked at in their order."""
        if is_from_a_person(message):
            event = MessageReceivedEvent(session_id=session_id(message.channel.id), message=message)
            await self._app.bus.publish(event)

    async def close(self) -> None:
        """Leave Discord; what was not shown is shown after the next start."""
        await self._finish_start()
        await self._views.close()
        await super().close()

    async def _finish_start(self) -> None:
        """discord.py cannot be closed while it waits for servers: it would go on with a client that is gone."""
        if self.ws is None or not self.ws.open:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_START_PATIENCE):
                await self.wait_until_ready()
                await self._recovered.wait()

    async def _admit(self, event: MessageReceivedEvent) -> None:
        await self._recovered.wait()  # so that turns of before the restart come first
        message = event.message
        me = self.user
        if me is None or not is_addressed(message, me, replies_to_me=await self._replies_to_me(message)):
            return
        result = await self._app.bus.execute(prompt(message, me))
        if not result.success:
            _log.error("Message %s could not be admitted: %s", message.id, result.error)
            await message.reply(f"⚠️ I could not take this up: {_reason(result.exception)}")

    async def _replies_to_me(self, message: discord.Message) -> bool:
        reference = message.reference
        if reference is None or reference.message_id is None:
            return False
        if isinstance(reference.resolved, discord.Message):
            return reference.resolved.author == self.user
        return await self._app.store.is_delivery(str(reference.message_id))


def _reason(error: Exception | None) -> str:
    return str(error) if isinstance(error, LLMgineError) else "something went wrong; the log has the details."


def _intents() -> discord.Intents:
    """What the bot hears of: servers and their messages, DMs, and the text of messages (a privileged intent)."""
    intents = discord.Intents.none()
    intents.guilds = True
    intents.guild_messages = True
    intents.dm_messages = True
    intents.message_content = True
    return intents
