"""/sessions: look through and search conversations, go on with one here, rename it, take it along as a file."""

import io
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

import discord
from discord import app_commands

from llmgine.errors import UserError
from llmgine.messages.commands import BranchSessionCommand, RenameSessionCommand
from llmgine.messages.text import shorten
from llmgine.sessions.clock import at
from llmgine.sessions.operations.sessions import MAX_COUNTED
from llmgine.sessions.records import Position, Session
from programs.application import Application
from programs.discord.channel_settings import Channels
from programs.discord.components.button_press import ButtonPress, Handler
from programs.discord.components.custom_ids import Action, ComponentId
from programs.discord.components.views import Field, button, form, rows, select
from programs.discord.ids import SOURCE, Place, channel_name
from programs.discord.permissions.viewer import Page, Viewer, place_of, title
from programs.discord.replies import add_answer, plain_name
from programs.export import as_json, as_markdown

_PAGE = 10
_MAX_WORDS = 100  # characters of what is searched for
_SEARCH = "Search: "  # before the words, below the list: its buttons find them there
_TITLE, _MAX_TITLE = "title", 80
_PREFIX = f"{SOURCE}:"  # of the ids of all sessions that are listed here
_LATEST = 253_402_300_799_000_000  # microseconds since 1970; the last that Discord and Python have a date for
_NEWEST = ComponentId(Action.SESSION_PAGE, "0")


class SessionList:
    """What the list of conversations does. Every press looks anew at what the person may see."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._channels = Channels(app.store)

    async def show(
        self,
        interaction: discord.Interaction,
        position: Position | None = None,
        *,
        words: str = "",
        newer: bool = False,
    ) -> None:
        """A page of the list, in place of what the person sees; the interaction was deferred.

        Args:
            interaction: The command or the press.
            position: After which place in the list the page begins; the first page (None).
            words: What has to be in the conversations' titles or names.
            newer: Whether the page is the one before that place.
        """
        words = shorten(" ".join(words.split()), _MAX_WORDS)
        viewer = Viewer(interaction, self._app.store)
        page = await viewer.page(position, most=_PAGE, words=words, newer=newer)
        if newer and page.end is None:  # the first page, of which this may be a part only
            position, newer = None, False
            page = await viewer.page(most=_PAGE, words=words)
        lines = [
            f"**{discord.utils.escape_markdown(title(one))}**\n-# {_where(one)} · {_turns(one)} · {_when(one)}"
            for one in page.sessions
        ]
        embed = discord.Embed(title="Conversations", description="\n".join([*lines, *_rest(page, words, newer=newer)]))
        _keep(words, embed)
        chosen = [select(Action.SESSION_OPEN, "Open one of them", map(_option, page.sessions))] if page.sessions else []
        view = rows(*chosen, *_turning(page, position, newer=newer))
        if not lines and position is None and page.end is None and not words:
            await interaction.edit_original_response(
                content="There is no conversation here that you can see yet.", embed=None, view=None
            )
            return
        await interaction.edit_original_response(content=None, embed=embed, view=view)

    def handlers(self) -> Mapping[Action, Handler]:
        """What the list's and a conversation's buttons do."""
        return {
            Action.SESSION_OPEN: self._open,
            Action.SESSION_PAGE: self._turn,
            Action.SESSION_OLDER: self._turn,
            Action.SESSION_NEWER: self._turn,
            Action.SESSION_RESUME: self._resume,
            Action.SESSION_MARKDOWN: self._export,
            Action.SESSION_JSON: self._export,
            Action.SESSION_RENAME: self._ask_for_title,
            Action.SESSION_TITLE: self._rename,
        }

    async def _turn(self, press: ButtonPress) -> None:
        """Show the page that a button leads to."""
        first = press.id.action is Action.SESSION_PAGE
        position = None if first else _position(press.id.about)
        newer = press.id.action is Action.SESSION_NEWER
        await self.show(press.interaction, position, words=_words(press.interaction), newer=newer)

    async def _open(self, press: ButtonPress) -> None:
        await self._show_one(press.interaction, press.session)

    async def _show_one(self, interaction: discord.Interaction, session: Session) -> None:
        """One conversation, and what can be done with it."""
        embed = discord.Embed(
            title=title(session), description=f"{_where(session)} · {_turns(session)} · {_when(session)}"
        )
        _keep(_words(interaction), embed)  # for the way back
        buttons = [
            button(ComponentId(action, session.id), label, style=style)
            for label, action, style in (
                ("Resume here", Action.SESSION_RESUME, "primary"),
                ("Rename", Action.SESSION_RENAME, "secondary"),
                ("Markdown", Action.SESSION_MARKDOWN, "secondary"),
                ("JSON", Action.SESSION_JSON, "secondary"),
            )
        ]
        view = rows(*buttons, button(_NEWEST, "Back"))
        await interaction.edit_original_response(content=None, embed=embed, view=view)

    async def _resume(self, press: ButtonPress) -> None:
        """Let this channel go on with a copy of a conversation; what is here now is kept in the list."""
        interaction, session = press.interaction, press.session
        here = await self._channels.session_of(interaction)
        if session.id == here:
            raise UserError("This is the conversation that is here already.")
        command = BranchSessionCommand(
            session_id=session.id,
            new_session_id=here,
            session_name=channel_name(interaction.channel, interaction.user),
            scopes=Place.of(interaction.channel).scopes,
            keep_as=f"{here}/{secrets.token_hex(4)}",
        )
        turns = (await self._app.bus.execute(command)).unwrap()
        if not turns:
            raise UserError("This is the conversation that is here already.")
        await interaction.edit_original_response(content="Resumed.", embed=None, view=None)
        name = discord.utils.escape_markdown(title(session))
        told = (
            f"⏯️ {plain_name(interaction)} resumed the conversation **{name}** here ({turns} turns). "
            "What was here before is kept, see /sessions."
        )
        await add_answer(interaction, told, private=False)

    async def _export(self, press: ButtonPress) -> None:
        """Send a conversation as a file."""
        session, guild = press.session, press.interaction.guild
        as_file = as_markdown if press.id.action is Action.SESSION_MARKDOWN else as_json
        data = (await as_file(self._app.store, session.id)).encode()
        limit = guild.filesize_limit if guild else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
        if len(data) > limit:
            raise UserError(f"The file would have {len(data):,} bytes; Discord takes {limit:,} here.")
        name = "conversation.md" if press.id.action is Action.SESSION_MARKDOWN else "conversation.json"
        await press.tell("", file=discord.File(io.BytesIO(data), filename=name))

    async def _ask_for_title(self, press: ButtonPress) -> None:
        session = press.session
        present = shorten(title(session), _MAX_TITLE)
        field = Field(_TITLE, "Title", _MAX_TITLE, default=present, lines=False, required=False)
        custom_id = ComponentId(Action.SESSION_TITLE, session.id)
        await press.interaction.response.send_modal(form(custom_id, "Rename the conversation", field))

    async def _rename(self, press: ButtonPress) -> None:
        """Give a conversation the title that was written into the form."""
        session_id = press.session.id
        command = RenameSessionCommand(session_id=session_id, title=press.texts[_TITLE].strip() or None)
        (await self._app.bus.execute(command)).unwrap()
        renamed = await Viewer(press.interaction, self._app.store).session(session_id)
        await self._show_one(press.interaction, renamed)


def _where(session: Session) -> str:
    kept = " (earlier)" if "/" in session.id else ""
    return f"{' '.join(session.name.split())}{kept}"


def _turns(session: Session) -> str:
    if session.turns == MAX_COUNTED:
        return f"{session.turns:,} turns or more"
    return "1 turn" if session.turns == 1 else f"{session.turns} turns"


def _when(session: Session) -> str:
    return discord.utils.format_dt(session.updated_at, "R")


def _option(session: Session) -> discord.SelectOption:
    about = shorten(f"{_where(session)} · {_turns(session)}", 100)
    return discord.SelectOption(label=title(session), value=session.id, description=about)


def _rest(page: Page, words: str, *, newer: bool) -> Iterable[str]:
    """What people are told of conversations that are not on the page."""
    further = "Newer" if newer else "Older"
    if page.end is not None and not page.is_full:
        until = discord.utils.format_dt(at(page.end.updated_at), "f")
        yield f"-# I have looked as far as {until}; **{further}** looks further."
    elif not page.sessions:
        yield "No conversation that you can see has these words." if words else "There is nothing older."


def _turning(page: Page, position: Position | None, *, newer: bool) -> Iterable[discord.ui.Button[Any]]:
    """The buttons that lead to the pages beside this one; none where it is the only one."""
    if position is None and page.end is None:
        return
    # The end is that of the direction in which it was looked; on the other side is where it began.
    begun = None if position is None else (place_of(page.sessions[-1 if newer else 0]) if page.sessions else position)
    before, after = (page.end, begun) if newer else (begun, page.end)
    to_newer = _NEWEST if before is None or not page.sessions else ComponentId(Action.SESSION_NEWER, _text(before))
    yield button(to_newer, "Newer" if page.sessions else "Newest", disabled=before is None)
    to_older = ComponentId(Action.SESSION_OLDER, _text(after or Position(updated_at=0, id="")))
    yield button(to_older, "Older", disabled=after is None)


def _text(position: Position) -> str:
    """A place in the list, as an id has it."""
    return f"{position.updated_at}.{position.id.removeprefix(_PREFIX)}"


def _position(text: str) -> Position:
    """What `_text` made it of."""
    moment, _, one = text.partition(".")
    return Position(updated_at=min(int(moment), _LATEST), id=f"{_PREFIX}{one}" if one else "")


def _keep(words: str, embed: discord.Embed) -> None:
    """Show what is searched for, where the buttons below find it."""
    if words:
        embed.set_footer(text=f"{_SEARCH}{words}")


def _words(interaction: discord.Interaction) -> str:
    """What was searched for in the list that is shown."""
    embeds = interaction.message.embeds if interaction.message else []
    footer = (embeds[0].footer.text or "") if embeds else ""
    return footer.removeprefix(_SEARCH) if footer.startswith(_SEARCH) else ""


def commands(app: Application) -> Iterable[app_commands.Command[Any, ..., Any]]:
    """The family's commands."""
    listed = SessionList(app)

    @app_commands.command(name="sessions", description="Look through conversations, resume, rename or export one")
    @app_commands.describe(search="Words that are in the title, or in the name of the channel")
    async def sessions(interaction: discord.Interaction, search: str = "") -> None:
        await interaction.response.defer(ephemeral=True)
        await listed.show(interaction, words=search)

    return (sessions,)


def handlers(app: Application) -> Mapping[Action, Handler]:
    """What is done with the list's buttons, and with the form for a title."""
    return SessionList(app).handlers()
