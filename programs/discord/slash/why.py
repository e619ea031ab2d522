"""/why, and "Why no answer?" in a message's menu: what became of a message, or why nothing did."""

import contextlib
import logging
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import discord
from discord import app_commands

from llmgine.errors import ForgottenTurnError, StoreError, UserError
from llmgine.messages.steps import OutcomeStep, Turn
from llmgine.messages.translatable import Text, joined, tr
from llmgine.turn_state import TurnState
from programs.application import Application
from programs.discord.channel_settings import Channels
from programs.discord.delivery.refusals import UnreachableError
from programs.discord.ids import SOURCE, Origin, Place
from programs.discord.incoming.decision import Decisions, Verdict, is_too_often
from programs.discord.permissions.actor import require_reading
from programs.discord.permissions.bot import BotPermissions
from programs.discord.permissions.required import missing, vital
from programs.discord.permissions.webhooks import WebhookAuthor
from programs.discord.replies import set_answer
from programs.discord.slash import reasons
from programs.discord.slash.reasons import Showing
from programs.discord.translation import described

_SEEN = 100  # messages looked through for the person's last
_LOOKED_FOR = 5  # messages of an answer that are looked for until one is there
_REFERENCE = re.compile(r"\s*(?:<?https?://\S+/channels/(?:\d+|@me)/(?P<channel>\d+)/)?(?P<message>\d{15,20})>?\s*")

_log = logging.getLogger(__name__)


class Why:
    """Finds out what became of a message, by the same rules by which messages are answered."""

    def __init__(self, app: Application) -> None:
        self._store = app.store
        self._channels = Channels(app.store)

    async def of(self, interaction: discord.Interaction, message: discord.Message) -> Text:
        """Why a message got no answer, or where the answer is, for the one who asks.

        Raises:
            UserError: They may not read the channel.
        """
        require_reading(interaction)
        try:
            turn = (await self._store.turns.known(SOURCE, [str(message.id)])).get(str(message.id))
            reason = await (
                self._of_turn(interaction, message, turn) if turn else self._of_silence(interaction, message)
            )
            if turn and is_too_often(message):
                reason = joined("\n", reasons.EDITED_TOO_OFTEN, reason)
        except StoreError as error:
            _log.warning("What became of message %d cannot be looked up: %s", message.id, error)
            reason = reasons.STORE_FAILS
        except UnreachableError as error:
            _log.warning("Discord does not say what became of message %d: %s", message.id, error)
            reason = reasons.DISCORD_FAILS
        needs = vital(in_a_thread=isinstance(message.channel, discord.Thread))
        lacking = missing(needs, interaction.app_permissions) if interaction.guild_id is not None else []
        if lacking:
            names = joined(", ", *(need.name for need in lacking))
            lack = tr("⚠️ I'm missing permissions here: {permissions}. Ask a moderator.", permissions=names)
            reason = joined("\n", reason, lack)
        return tr("[This message]({link}): {reason}", link=message.jump_url, reason=reason)

    async def last_of(self, interaction: discord.Interaction) -> discord.Message:
        """The last message of the person in the channel.

        Raises:
            UserError: There is none near its end, or they may not read the channel.
        """
        require_reading(interaction)
        async for message in _channel_of(interaction).history(limit=_SEEN):
            if message.author.id == interaction.user.id and message.interaction_metadata is None:
                return message
        raise UserError(
            tr("None of the last {count} messages here is yours. Give me the link of the one you mean.", count=_SEEN)
        )

    async def named(self, interaction: discord.Interaction, reference: str) -> discord.Message:
        """The message of the channel with this link or id.

        Raises:
            UserError: It is none of this channel, or they may not read that.
        """
        require_reading(interaction)
        found = _REFERENCE.fullmatch(reference)
        if found is None:
            raise UserError(tr("That is not a message's link or id. Copy the link from the message's menu."))
        channel = _channel_of(interaction)
        if found["channel"] not in (None, str(interaction.channel_id)):
            raise UserError(tr("That message is in {channel}: ask me there.", channel=f"<#{found['channel']}>"))
        try:
            return await channel.fetch_message(int(found["message"]))
        except discord.NotFound:
            raise UserError(tr("There is no such message in this channel.")) from None

    async def _of_silence(self, interaction: discord.Interaction, message: discord.Message) -> Text:
        """Why it never got a turn."""
        decisions = Decisions(interaction.client, self._store, self._channels)
        verdict = await decisions.verdict(message)
        if verdict is not Verdict.ANSWERED:
            return await self._of_verdict(interaction, message, decisions, verdict)
        if is_too_often(message):
            return reasons.TOO_OFTEN if message.webhook_id is None else reasons.WEBHOOKS_TOO_OFTEN
        joined: datetime | None = getattr(message.guild and message.guild.me, "joined_at", None)
        if joined is not None and message.created_at < joined:
            return reasons.before_it_joined(joined)
        place = str(message.channel.id)
        read_up_to = (await self._store.cursors.at(SOURCE, [place])).get(place)
        if read_up_to is None and Place.of(message.channel).is_dm:
            return reasons.FIRST_IN_A_DM
        return reasons.NOT_READ_YET if message.id > (read_up_to or 0) else reasons.NOT_ANSWERED

    async def _of_verdict(
        self, interaction: discord.Interaction, message: discord.Message, decisions: Decisions, verdict: Verdict
    ) -> Text:
        """Why it is not answered, as was decided."""
        unread = not (message.content or message.attachments or message.stickers)
        hidden = unread and not Place.of(message.channel).is_dm and not _may_read_texts(interaction.client)
        if hidden and verdict is Verdict.NOT_MENTIONED:
            return reasons.NO_TEXT
        if verdict is Verdict.REFUSED:
            settings = await self._channels.settings(message.channel)
            return (await decisions.standing(message, Place.of(message.channel), settings)).sentence
        if verdict is Verdict.FROM_A_WEBHOOK:
            return reasons.of_webhook(WebhookAuthor.of(message))
        return reasons.of_verdict(verdict, (await self._channels.settings(message.channel)).roles)

    async def _of_turn(self, interaction: discord.Interaction, message: discord.Message, turn: Turn) -> Text:
        """What became of its turn."""
        if turn.state == "forgotten":
            return reasons.UNDONE
        try:
            steps = await self._store.turns.get(turn.id)
        except ForgottenTurnError:
            return reasons.CLEARED
        if steps.turn.state == "queued":
            return await self._of_queue(steps.turn)
        if steps.turn.state == "waiting":
            return reasons.of_approval(steps.state)
        if steps.state.outcome is None:
            return reasons.of_running(steps.turn)
        return await self._of_outcome(interaction.client, message, steps.turn, steps.state.outcome)

    async def _of_queue(self, turn: Turn) -> Text:
        """How many are before it, and what the first of them waits for."""
        before = [one for one in await self._store.turns.unfinished(turn.session_id) if one.seq < turn.seq]
        first: TurnState | None = None
        if before:
            with contextlib.suppress(ForgottenTurnError):  # just now
                first = (await self._store.turns.get(before[0].id)).state
        return reasons.of_queued(turn, len(before), first)

    async def _of_outcome(
        self, client: discord.Client, message: discord.Message, turn: Turn, outcome: OutcomeStep
    ) -> Text:
        """How its turn ended, and how far people can see that."""
        parts = [part for part in await self._store.deliveries.of(turn.id) if part.key.kind != "old"]
        posted = [int(part.message_id) for part in parts if part.message_id]
        channel_id = Origin.of(turn).channel_id
        there: int | None = None
        if await _is_gone(client, channel_id):
            showing = Showing.GONE
        elif not all(part.sent for part in parts):
            showing, there = _why_not_all(client, channel_id), next(iter(posted), None)
        else:
            there = await _first_there(client, channel_id, posted[:_LOOKED_FOR])
            none = Showing.DELETED if posted else _why_none(client, channel_id)
            showing = Showing.VISIBLE if there or not parts else none
        server = message.jump_url.rsplit("/", 2)[0]
        link = f"{server}/{channel_id}/{there}" if there else None
        return reasons.of_outcome(outcome, showing, channel_id=channel_id, link=link)


async def _is_gone(client: discord.Client, channel_id: int) -> bool:
    """Whether Discord says that there is no such channel."""
    try:
        if client.get_channel(channel_id) is None:
            await client.fetch_channel(channel_id)
    except discord.NotFound:
        return True
    except (discord.DiscordException, OSError) as error:
        _log.info("Channel %d cannot be looked at: %s", channel_id, error)
    return False


async def _first_there(client: discord.Client, channel_id: int, message_ids: Iterable[int]) -> int | None:
    """The first of these messages of which Discord does not say that it is not there."""
    channel = client.get_partial_messageable(channel_id)
    for message_id in message_ids:
        try:
            await channel.fetch_message(message_id)
        except discord.NotFound:
            continue
        except (discord.DiscordException, OSError) as error:
            _log.info("Message %d cannot be looked at: %s", message_id, error)
        return message_id
    return None


def _why_not_all(client: discord.Client, channel_id: int) -> Showing:
    """Why some of an outcome is not shown yet, as far as it is known which permissions the bot has."""
    if BotPermissions(client).shut_out(channel_id) is not None:
        return Showing.NOT_ALLOWED
    return Showing.LOCKED if _is_locked(client, channel_id) else Showing.OWED


def _why_none(client: discord.Client, channel_id: int) -> Showing:
    """Why an outcome that is not owed any more was never shown."""
    return Showing.LOCKED if _is_locked(client, channel_id) else Showing.NOWHERE


def _is_locked(client: discord.Client, channel_id: int) -> bool:
    channel = client.get_channel(channel_id)
    return isinstance(channel, discord.Thread) and channel.locked


def _may_read_texts(client: discord.Client) -> bool:
    flags = client.application_flags
    return flags.gateway_message_content or flags.gateway_message_content_limited


def _channel_of(interaction: discord.Interaction) -> discord.abc.Messageable:
    if not isinstance(interaction.channel, discord.abc.Messageable):
        raise UserError(tr("This works in a channel, a thread or a DM."))
    return interaction.channel


def commands(app: Application) -> Iterable[app_commands.Command[Any, ..., Any] | app_commands.ContextMenu]:
    """The family's commands."""
    why = Why(app)
    return (_why(why), _why_menu(why))


def _why(why: Why) -> app_commands.Command[Any, ..., Any]:
    @app_commands.command(name="why", description=described(tr("Explain why a message in this channel got no answer")))
    @app_commands.describe(message=described(tr("The message's link or id; leave empty for your last message here")))
    async def command(interaction: discord.Interaction, message: str | None = None) -> None:
        await interaction.response.defer(ephemeral=True)
        meant = await (why.last_of(interaction) if message is None else why.named(interaction, message))
        await set_answer(interaction, await why.of(interaction, meant))

    return command


def _why_menu(why: Why) -> app_commands.ContextMenu:
    @app_commands.context_menu(name=described(tr("Why no answer?")))
    async def menu(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.defer(ephemeral=True)
        await set_answer(interaction, await why.of(interaction, message))

    return menu
