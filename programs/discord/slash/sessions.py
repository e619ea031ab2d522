"""/sessions: look through conversations, go on with one here, rename it, take it along as a file."""

import io
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import discord
from discord import app_commands

from llmgine.errors import RefusedError
from llmgine.messages.commands import BranchSessionCommand, RenameSessionCommand
from llmgine.messages.text import shorten
from llmgine.sessions.records import Session
from programs.application import Application
from programs.discord.channels import Channels
from programs.discord.ids import Place, channel_name
from programs.discord.sight import Sight, title
from programs.discord.slash.forms import Press, Submit, form, press_id, rows
from programs.discord.slash.replies import plain_name, require_moderator
from programs.export import as_json, as_markdown

_PAGE = 10
_MAX_TITLE = 80
_NO_PINGS = discord.AllowedMentions.none()


class SessionList:
    """What the list of conversations does. Every press looks anew at what the person may see."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._channels = Channels(app.store)

    async def show(self, interaction: discord.Interaction, page: int = 0) -> None:
        """The list, in place of what the person sees; the interaction was deferred."""
        found = await Sight(interaction, self._app.store).sessions()
        page = max(0, min(page, (len(found) - 1) // _PAGE))
        here = found[page * _PAGE : (page + 1) * _PAGE]
        if not here:
            await interaction.edit_original_response(content="There is no conversation here that you can see yet.")
            return
        lines = [
            f"**{discord.utils.escape_markdown(title(one))}**\n-# {_where(one)} · {_turns(one)} · {_when(one)}"
            for one in here
        ]
        embed = discord.Embed(title="Conversations", description="\n".join(lines))
        embed.set_footer(text=f"{page + 1} / {(len(found) - 1) // _PAGE + 1}")
        chosen: discord.ui.Select[Any] = discord.ui.Select(
            custom_id=press_id("session", "open"), placeholder="Open one of them"
        )
        for one in here:
            words = shorten(f"{_where(one)} · {_turns(one)}", 100)
            chosen.add_option(label=title(one), value=one.id, description=words)
        pages = [
            discord.ui.Button[Any](
                label=label, custom_id=press_id("session", f"page:{to}"), disabled=not 0 <= to * _PAGE < len(found)
            )
            for label, to in (("Newer", page - 1), ("Older", page + 1))
        ]
        view = rows(chosen, *(pages if len(found) > _PAGE else ()))
        await interaction.edit_original_response(content=None, embed=embed, view=view)

    async def press(self, interaction: discord.Interaction, about: str, values: Sequence[str]) -> None:
        """A button of the list or of one conversation was pressed."""
        action, _, rest = about.partition(":")
        if action == "rename":
            await interaction.response.send_modal(await self._rename_form(interaction, rest))
        elif action in ("markdown", "json"):
            await interaction.response.defer(ephemeral=True, thinking=True)
            await self._export(interaction, rest, action)
        else:
            await interaction.response.defer()
            if action == "page":
                await self.show(interaction, int(rest))
            elif action == "resume":
                await self._resume(interaction, rest)
            else:
                await self._open(interaction, values[0])

    async def _open(self, interaction: discord.Interaction, session_id: str) -> None:
        """One conversation, and what can be done with it."""
        session = await Sight(interaction, self._app.store).session(session_id)
        embed = discord.Embed(
            title=title(session), description=f"{_where(session)} · {_turns(session)} · {_when(session)}"
        )
        buttons = [
            discord.ui.Button[Any](label=label, style=style, custom_id=press_id("session", f"{action}:{session.id}"))
            for label, action, style in (
                ("Resume here", "resume", discord.ButtonStyle.primary),
                ("Rename", "rename", discord.ButtonStyle.secondary),
                ("Markdown", "markdown", discord.ButtonStyle.secondary),
                ("JSON", "json", discord.ButtonStyle.secondary),
            )
        ]
        back: discord.ui.Button[Any] = discord.ui.Button(label="Back", custom_id=press_id("session", "page:0"))
        await interaction.edit_original_response(content=None, embed=embed, view=rows(*buttons, back))

    async def _resume(self, interaction: discord.Interaction, session_id: str) -> None:
        """Let this channel go on with a copy of a conversation; what is here now is kept in the list."""
        require_moderator(interaction, "put another conversation here")
        session = await Sight(interaction, self._app.store).session(session_id)
        here = await self._channels.session_of(interaction)
        if session.id == here:
            raise RefusedError("This is the conversation that is here already.")
        command = BranchSessionCommand(
            session_id=session.id,
            new_session_id=here,
            session_name=channel_name(interaction.channel, interaction.user),
            scopes=Place.of(interaction.channel).scopes,
            keep_as=f"{here}/{secrets.token_hex(4)}",
        )
        turns = (await self._app.bus.execute(command)).unwrap()
        if not turns:
            raise RefusedError("This is the conversation that is here already.")
        await interaction.edit_original_response(content="Resumed.", embed=None, view=None)
        name = discord.utils.escape_markdown(title(session))
        await interaction.followup.send(
            f"⏯️ {plain_name(interaction)} resumed the conversation **{name}** here ({turns} turns). "
            "What was here before is kept, see /sessions.",
            allowed_mentions=_NO_PINGS,
        )

    async def _export(self, interaction: discord.Interaction, session_id: str, kind: str) -> None:
        session = await Sight(interaction, self._app.store).session(session_id)
        text = await (as_markdown if kind == "markdown" else as_json)(self._app.store, session.id)
        data = text.encode()
        limit = interaction.guild.filesize_limit if interaction.guild else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
        if len(data) > limit:
            raise RefusedError(f"The file would have {len(data):,} bytes; Discord takes {limit:,} here.")
        name = "conversation.md" if kind == "markdown" else "conversation.json"
        await interaction.followup.send(file=discord.File(io.BytesIO(data), filename=name), ephemeral=True)

    async def _rename_form(self, interaction: discord.Interaction, session_id: str) -> discord.ui.Modal:
        session = await self._to_rename(interaction, session_id)
        text: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id="title", default=shorten(title(session), _MAX_TITLE), required=False, max_length=_MAX_TITLE
        )
        return form("rename", session.id, "Rename the conversation", discord.ui.Label(text="Title", component=text))

    async def rename(self, interaction: discord.Interaction, session_id: str, values: Mapping[str, str]) -> None:
        """The form with the title was sent."""
        await interaction.response.defer()
        session = await self._to_rename(interaction, session_id)
        command = RenameSessionCommand(session_id=session.id, title=values["title"].strip() or None)
        (await self._app.bus.execute(command)).unwrap()
        await self._open(interaction, session.id)

    async def _to_rename(self, interaction: discord.Interaction, session_id: str) -> Session:
        sight = Sight(interaction, self._app.store)
        session = await sight.session(session_id)
        if not await sight.may_rename(session):
            raise RefusedError("Only people with the permission Manage Messages there can rename this.")
        return session


def _where(session: Session) -> str:
    kept = " (earlier)" if "/" in session.id else ""
    return f"{' '.join(session.name.split())}{kept}"


def _turns(session: Session) -> str:
    return "1 turn" if session.turns == 1 else f"{session.turns} turns"


def _when(session: Session) -> str:
    return discord.utils.format_dt(session.updated_at, "R")


def commands(app: Application) -> Iterable[app_commands.Command[Any, ..., Any]]:
    """The family's commands."""
    listed = SessionList(app)

    @app_commands.command(name="sessions", description="Look through conversations, resume, rename or export one")
    async def sessions(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await listed.show(interaction)

    return (sessions,)


def press(app: Application) -> Press:
    """What is done with the list's buttons."""
    return SessionList(app).press


def rename_form(app: Application) -> Submit:
    """What is done with the form for a title."""
    return SessionList(app).rename
