"""/audit: who changed, approved, paused, cleared or used what; for moderators of a server, and the operator."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import discord
from discord import app_commands

from llmgine.errors import UserError
from llmgine.messages.translatable import Text, joined, tr
from llmgine.sessions.records import AuditAction, AuditEntry
from programs.application import Application
from programs.discord.delivery.safe_text import inline_code
from programs.discord.ids import SOURCE, Place, channel_of
from programs.discord.permissions.actor import MANAGE_MESSAGES, is_moderator
from programs.discord.permissions.operator import Operators
from programs.discord.replies import show_privately
from programs.discord.translation import described, language_of

TITLE = tr("Audit log")
NOTHING = tr("Nothing is recorded here yet.")
MORE = tr("The newest {count} of {all}; all of them are in the file.")
# What people read of each action.
WORDS: Mapping[AuditAction, Text] = {
    "set": tr("set {what}"),
    "removed": tr("removed the setting {what}"),
    "approved": tr("approved a call of {what}"),
    "approved always": tr("approved all calls of {what}"),
    "denied": tr("denied a call of {what}"),
    "paused": tr("paused {what}"),
    "resumed": tr("resumed {what}"),
    "cleared": tr("cleared the conversation"),
    "forgot": tr("undid an answer ({what})"),
    "used": tr("used {what}"),
}

_SHOWN, _READ = 20, 1_000  # entries in the message, and at most in the file
_WIDER = re.compile(rf"\(for {SOURCE}:(server|category):\d+\)")  # a scope that is wider than the channel
_MAX_ABOUT = 80  # characters: twenty lines fit into a card


class Auditing:
    """What the command does."""

    def __init__(self, app: Application) -> None:
        self._store = app.store
        self._operators = Operators(app.config.settings.operators)

    async def entries(self, interaction: discord.Interaction) -> list[AuditEntry]:
        """The newest entries that a person may see.

        In a server these are the server's, of channels that they can view at this moment. In a DM the operator sees
        all that there are, and anybody else those of the DM.

        Raises:
            UserError: They may see none.
            StoreError: They cannot be read.
        """
        place = Place.of(interaction.channel)
        if place.server_scope is None:
            everything = await self._operators.includes(interaction)
            return await self._store.audit.newest(None if everything else place.session_id(), _READ)
        if not is_moderator(interaction.user) and not await self._operators.includes(interaction):
            what = tr("use /audit")
            raise UserError(
                tr("Only people with the permission {permission} can {what}.", permission=MANAGE_MESSAGES, what=what)
            )
        found = await self._store.audit.newest(place.server_scope, _READ)
        return [one for one in found if _may_view(interaction, one)]


def _may_view(interaction: discord.Interaction, entry: AuditEntry) -> bool:
    """Whether a person can view the channel of an entry now. Of one that is not known only administrators see it."""
    guild, member = interaction.guild, interaction.user
    channel_id = channel_of(entry.place)
    if channel_id == interaction.channel_id:
        return True
    if guild is None or not isinstance(member, discord.Member):
        return False
    channel = None if channel_id is None else guild.get_channel_or_thread(channel_id)
    if channel is None or (isinstance(channel, discord.Thread) and channel.parent is None):
        return member.guild_permissions.administrator
    allowed = channel.permissions_for(member)
    if isinstance(channel, discord.Thread) and channel.is_private() and not allowed.manage_threads:
        return False
    return allowed.view_channel and allowed.read_message_history


def shown(entries: Sequence[AuditEntry]) -> Text | str:
    """The newest entries, a line each."""
    lines = [_line(one) for one in entries[:_SHOWN]]
    if len(entries) > _SHOWN:
        lines.append(MORE.filled(count=_SHOWN, all=len(entries)))
    return joined("\n", *lines) if lines else NOTHING


def _line(entry: AuditEntry) -> Text:
    channel_id = channel_of(entry.place)
    return tr(
        "{when} {who} in {where}: {what}",
        when=discord.utils.format_dt(entry.at, "R"),
        who=f"<@{entry.person}>" if entry.person.isdecimal() else inline_code(entry.person or "?", 40),
        where=inline_code(entry.place, 60) if channel_id is None else f"<#{channel_id}>",
        what=WORDS[entry.action].filled(what=inline_code(_WIDER.sub(r"(\1)", entry.about), _MAX_ABOUT)),
    )


def as_csv(entries: Iterable[AuditEntry]) -> str:
    """The entries as a file, the newest first."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("time", "person", "place", "action", "about"))
    for one in entries:
        writer.writerow((one.at.isoformat(timespec="seconds"), one.person, one.place, one.action, _cell(one.about)))
    return text.getvalue()


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text


def commands(app: Application) -> Iterable[app_commands.Command[Any, ..., Any]]:
    """The family's commands."""
    auditing = Auditing(app)

    @app_commands.command(
        name="audit", description=described(tr("Show who changed settings, approved calls or cleared conversations"))
    )
    async def command(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        entries = await auditing.entries(interaction)
        say = language_of(interaction.locale).say
        card = discord.Embed(title=say(TITLE), description=say(shown(entries)), colour=discord.Colour.blurple())
        await show_privately(interaction, card)
        if len(entries) > _SHOWN:
            file = discord.File(io.BytesIO(as_csv(entries).encode()), filename="audit.csv")
            await interaction.followup.send(file=file, ephemeral=True)

    return (command,)
