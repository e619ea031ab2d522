"""/sessions: look through conversations, go on with one here, rename it, take it along as a file."""

import io
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

import discord
from discord import app_commands

from llmgine.errors import RefusedError
from llmgine.messages.commands import BranchSessionCommand, RenameSessionCommand
from llmgine.messages.text import shorten
from llmgine.sessions.records import Session
from programs.application import Application
from programs.discord.channels import Channels
from programs.discord.components.ids import Action, ComponentId
from programs.discord.components.press import Handler, Press
from programs.discord.components.views import Field, button, form, rows, select
from programs.discord.ids import Place, channel_name
from programs.discord.replies import add_answer, plain_name
from programs.discord.sight import Sight, title
from programs.export import as_json, as_markdown

_PAGE = 10
_TITLE, _MAX_TITLE = "title", 80


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
        options = [
            discord.SelectOption(
                label=title(one), value=one.id, description=shorten(f"{_where(one)} · {_turns(one)}", 100)
            )
            for one in here
        ]
        pages = [
            button(ComponentId(Action.SESSION_PAGE, str(to)), label, disabled=not 0 <= to * _PAGE < len(found))
            for label, to in (("Newer", page - 1), ("Older", page + 1))
        ]
        chosen = select(Action.SESSION_OPEN, "Open one of them", options)
        view = rows(chosen, *(pages if len(found) > _PAGE else ()))
        await interaction.edit_original_response(content=None, embed=embed, view=view)

    def handlers(self) -> Mapping[Action, Handler]:
        """What the list's and a conversation's buttons do."""
        return {
            Action.SESSION_OPEN: self._open,
            Action.SESSION_PAGE: self._page,
            Action.SESSION_RESUME: self._resume,
            Action.SESSION_MARKDOWN: self._export,
            Action.SESSION_JSON: self._export,
            Action.SESSION_RENAME: self._ask_for_title,
            Action.SESSION_TITLE: self._rename,
        }

    async def _page(self, press: Press) -> None:
        await self.show(press.interaction, int(press.id.about))

    async def _open(self, press: Press) -> None:
        await self._show_one(press.interaction, press.session)

    async def _show_one(self, interaction: discord.Interaction, session: Session) -> None:
        """One conversation, and what can be done with it."""
        embed = discord.Embed(
            title=title(session), description=f"{_where(session)} · {_turns(session)} · {_when(session)}"
        )
        buttons = [
            button(ComponentId(action, session.id), label, style=style)
            for label, action, style in (
                ("Resume here", Action.SESSION_RESUME, "primary"),
                ("Rename", Action.SESSION_RENAME, "secondary"),
                ("Markdown", Action.SESSION_MARKDOWN, "secondary"),
                ("JSON", Action.SESSION_JSON, "secondary"),
            )
        ]
        back = button(ComponentId(Action.SESSION_PAGE, "0"), "Back")
        await interaction.edit_original_response(content=None, embed=embed, view=rows(*buttons, back))

    async def _resume(self, press: Press) -> None:
        """Let this channel go on with a copy of a conversation; what is here now is kept in the list."""
        interaction, session = press.interaction, press.session
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
        told = (
            f"⏯️ {plain_name(interaction)} resumed the conversation **{name}** here ({turns} turns). "
            "What was here before is kept, see /sessions."
        )
        await add_answer(interaction, told, private=False)

    async def _export(self, press: Press) -> None:
        """Send a conversation as a file."""
        session, guild = press.session, press.interaction.guild
        as_file = as_markdown if press.id.action is Action.SESSION_MARKDOWN else as_json
        data = (await as_file(self._app.store, session.id)).encode()
        limit = guild.filesize_limit if guild else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
        if len(data) > limit:
            raise RefusedError(f"The file would have {len(data):,} bytes; Discord takes {limit:,} here.")
        name = "conversation.md" if press.id.action is Action.SESSION_MARKDOWN else "conversation.json"
        await press.tell("", file=discord.File(io.BytesIO(data), filename=name))

    async def _ask_for_title(self, press: Press) -> None:
        session = press.session
        present = shorten(title(session), _MAX_TITLE)
        field = Field(_TITLE, "Title", _MAX_TITLE, default=present, lines=False, required=False)
        custom_id = ComponentId(Action.SESSION_TITLE, session.id)
        await press.interaction.response.send_modal(form(custom_id, "Rename the conversation", field))

    async def _rename(self, press: Press) -> None:
        """Give a conversation the title that was written into the form."""
        session_id = press.session.id
        command = RenameSessionCommand(session_id=session_id, title=press.texts[_TITLE].strip() or None)
        (await self._app.bus.execute(command)).unwrap()
        renamed = await Sight(press.interaction, self._app.store).session(session_id)
        await self._show_one(press.interaction, renamed)


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


def handlers(app: Application) -> Mapping[Action, Handler]:
    """What is done with the list's buttons, and with the form for a title."""
    return SessionList(app).handlers()
