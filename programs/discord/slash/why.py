"""/why, and "Why no answer?" in a message's menu: what became of a message, or why nothing did."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import discord
from discord import app_commands

from llmgine.errors import RefusedError, StoreError
from llmgine.messages.steps import OutcomeStep, Turn
from llmgine.messages.text import collapse_spaces, shorten
from llmgine.sessions.records import TurnSteps
from llmgine.turns import TurnState
from programs.application import Application
from programs.discord.channels import Channels
from programs.discord.delivery.poster import Poster
from programs.discord.ids import SOURCE, Origin, Place
from programs.discord.incoming.decision import Decisions, Verdict
from programs.discord.needs import missing, vital

_SEEN = 100  # messages looked through for the person's last
_MAX_NOTICE = 1_000
_REFERENCE = re.compile(r"\s*(?:<?https?://\S+/channels/(?:\d+|@me)/(?P<channel>\d+)/)?(?P<message>\d{15,20})>?\s*")

_REASONS = {
    Verdict.FROM_A_WEBHOOK: "It was sent by a webhook. I answer people only.",
    Verdict.FROM_A_BOT: "It was written by a bot. I answer people only.",
    Verdict.SYSTEM_MESSAGE: "It is a notice of Discord's own. I answer people only.",
    Verdict.NOT_LISTENING: "I do not listen in this channel: its setting for that is `off`.",
    Verdict.FOR_SOMEBODY_ELSE: "It mentions or replies to somebody else, and not me.",
    Verdict.NOT_MENTIONED: "It does not mention me, and here I answer only those who mention me or reply to me.",
}
_NO_TEXT = (
    "I was not given its text: the Message Content intent of this bot is off. Its owner can switch it on under "
    "Privileged Gateway Intents at https://discord.com/developers/applications. Until then, mention me."
)
_NOT_TAKEN_UP = (
    "I did not take it up when it was written. It came while I was away and was too old or too far back when I "
    "returned, or it was not for me then: it was edited since, or a setting was changed. Say it again if it matters."
)
_FIRST_IN_A_DM = (
    "It is the first thing you wrote to me here, and I did not hear of it: Discord lost it, or I was away. I look for "
    "missed messages only in direct messages I have received something in before. Write again and I will answer both."
)


class Why:
    """Finds a reason, by the same rules by which messages are taken up."""

    def __init__(self, app: Application) -> None:
        self._store = app.store
        self._channels = Channels(app.store)

    async def of(self, interaction: discord.Interaction, message: discord.Message) -> str:
        """Why a message got no answer, or where the answer is, for the one who asks."""
        turn_id = await self._store.turns.of_message(SOURCE, str(message.id))
        reason = await self._of_turn(message, turn_id) if turn_id else await self._of_silence(interaction, message)
        needs = vital(in_a_thread=isinstance(message.channel, discord.Thread))
        lacking = missing(needs, interaction.app_permissions) if interaction.guild_id is not None else []
        if lacking:
            reason += f"\n⚠️ I lack a permission here: {', '.join(need.name for need in lacking)}. Ask a moderator."
        return f"[This message]({message.jump_url}): {reason}"

    async def last_of(self, interaction: discord.Interaction) -> discord.Message:
        """The last message of the person in the channel.

        Raises:
            RefusedError: There is none near its end.
        """
        async for message in _channel_of(interaction).history(limit=_SEEN):
            if message.author.id == interaction.user.id and message.interaction_metadata is None:
                return message
        raise RefusedError(f"None of the last {_SEEN} messages here is yours. Give me the link of the one you mean.")

    async def named(self, interaction: discord.Interaction, reference: str) -> discord.Message:
        """The message of the channel with this link or id.

        Raises:
            RefusedError: It is none of this channel.
        """
        found = _REFERENCE.fullmatch(reference)
        if found is None:
            raise RefusedError("That is neither a message's link nor its id. Copy the link from the message's menu.")
        channel = _channel_of(interaction)
        if found["channel"] not in (None, str(interaction.channel_id)):
            raise RefusedError(f"That message is in <#{found['channel']}>: ask me there.")
        try:
            return await channel.fetch_message(int(found["message"]))
        except discord.NotFound:
            raise RefusedError("There is no such message in this channel.") from None

    async def _of_silence(self, interaction: discord.Interaction, message: discord.Message) -> str:
        """Why it was never taken up."""
        decisions = Decisions(interaction.client, self._store, Poster(interaction.client), self._channels)
        verdict = await decisions.verdict(message)
        if verdict is not Verdict.ANSWERED:
            unread = not (message.content or message.attachments or message.stickers)
            hidden = unread and not Place.of(message.channel).is_dm and not _may_read_texts(interaction.client)
            if verdict is Verdict.ROLE_MISSING:
                settings = await self._channels.settings(message.channel)
                roles = " or ".join(f"<@&{role}>" for role in settings.roles)
                return f"Here I answer only people with the role {roles}, and its author does not have it."
            return _NO_TEXT if hidden and verdict is Verdict.NOT_MENTIONED else _REASONS[verdict]
        joined = getattr(message.guild and message.guild.me, "joined_at", None)
        if joined is not None and message.created_at < joined:
            return f"It was written before I joined this server ({_when(joined)})."
        place = str(message.channel.id)
        read_up_to = (await self._store.cursors.at(SOURCE, [place])).get(place)
        if read_up_to is None and Place.of(message.channel).is_dm:
            return _FIRST_IN_A_DM
        if message.id > (read_up_to or 0):
            return "I have not got to it yet; if no answer comes within minutes, say it again."
        return _NOT_TAKEN_UP

    async def _of_turn(self, message: discord.Message, turn_id: str) -> str:
        """What became of its turn."""
        try:
            steps = await self._store.turns.get(turn_id)
        except StoreError:
            return "Its conversation was cleared since, so I know nothing of it any more."
        if steps.turn.state == "queued":
            return await self._of_queue(steps)
        if steps.turn.state == "waiting":
            return _of_approval(steps.state)
        if steps.state.outcome is None:
            return f"I am answering it, since {_when(steps.turn.created_at)}."
        return await self._of_outcome(message, steps.turn, steps.state.outcome)

    async def _of_outcome(self, message: discord.Message, turn: Turn, outcome: OutcomeStep) -> str:
        """Where the answer is, or how its turn ended without one."""
        notice = f"\n> {shorten(collapse_spaces(outcome.notice), _MAX_NOTICE)}" if outcome.notice else ""
        if outcome.state != "done":
            return f"{'My answer was stopped' if outcome.state == 'stopped' else 'I could not answer it'}.{notice}"
        parts = await self._store.deliveries.of(turn.id)
        posted = next((part.message_id for part in parts if part.message_id), None)
        if posted is None or not all(part.sent for part in parts):
            return f"My answer is ready, but Discord has not taken all of it yet. I try again by myself.{notice}"
        server = message.jump_url.rsplit("/", 2)[0]
        return f"I answered it [here]({server}/{Origin.of(turn).channel_id}/{posted}).{notice}"

    async def _of_queue(self, steps: TurnSteps) -> str:
        """How many are before it, and what the first of them waits for."""
        before = [
            turn for turn in await self._store.turns.unfinished(steps.turn.session_id) if turn.seq < steps.turn.seq
        ]
        place = f"It is queued: {len(before)} before it."
        if before and before[0].state == "waiting":
            return f"{place} The first of them: {_of_approval((await self._store.turns.get(before[0].id)).state)}"
        return place


def _of_approval(state: TurnState) -> str:
    """Who has to decide what, until when."""
    deadlines = [call.waiting.deadline for call in state.waiting if call.waiting]
    if not deadlines:
        return "I am answering it; what was to be approved is decided."
    author = state.prompt.author
    who = f"<@{author.id}> or a moderator" if author else "a moderator"
    calls = ", ".join(f"`{call.call.name}`" for call in state.waiting)
    return f"I wait for {who} to approve {calls}, until {_when(min(deadlines))}."


def _may_read_texts(client: discord.Client) -> bool:
    flags = client.application_flags
    return flags.gateway_message_content or flags.gateway_message_content_limited


def _channel_of(interaction: discord.Interaction) -> discord.abc.Messageable:
    if not isinstance(interaction.channel, discord.abc.Messageable):
        raise RefusedError("This works in a channel, a thread or a DM.")
    return interaction.channel


def _when(moment: datetime) -> str:
    return f"<t:{int(moment.timestamp())}:R>"


def commands(app: Application) -> Iterable[app_commands.Command[Any, ..., Any] | app_commands.ContextMenu]:
    """The family's commands."""
    why = Why(app)
    return (_why(why), _why_menu(why))


def _why(why: Why) -> app_commands.Command[Any, ..., Any]:
    @app_commands.command(name="why", description="Say why a message of this channel got no answer")
    @app_commands.describe(message="The message's link or id; without it, your last message here")
    async def command(interaction: discord.Interaction, message: str | None = None) -> None:
        await interaction.response.defer(ephemeral=True)
        meant = await (why.last_of(interaction) if message is None else why.named(interaction, message))
        await interaction.edit_original_response(content=await why.of(interaction, meant))

    return command


def _why_menu(why: Why) -> app_commands.ContextMenu:
    @app_commands.context_menu(name="Why no answer?")
    async def menu(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.defer(ephemeral=True)
        await interaction.edit_original_response(content=await why.of(interaction, message))

    return menu
