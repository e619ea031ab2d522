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
from llmgine.messages.translatable import Language, Text, joined, tr, tr_many
from llmgine.messages.visible_text import visible_line
from llmgine.sessions.clock import at
from llmgine.sessions.operations.sessions import MAX_COUNTED
from llmgine.sessions.records import Position, Session
from programs.application import Application
from programs.discord.channel_settings import Channels
from programs.discord.components.button_press import ButtonPress, Handler
from programs.discord.components.custom_ids import Action, ComponentId
from programs.discord.components.views import Field, button, form, rows, select
from programs.discord.delivery.safe_text import plain_words
from programs.discord.ids import SOURCE, Place, channel_name
from programs.discord.languages import Languages
from programs.discord.permissions.viewer import Page, Viewer, place_of, title
from programs.discord.replies import add_answer, plain_name, private
from programs.discord.translation import described, language_of, languages
from programs.export import as_json, as_markdown

_PAGE = 10
_MAX_WORDS = 100  # characters of what is searched for
_SEARCH = tr("Search: ")  # before the words, below the list: its buttons find them there
_TITLE, _MAX_TITLE = "title", 80
_PREFIX = f"{SOURCE}:"  # of the ids of all sessions that are listed here
_LATEST = 253_402_300_799_000_000  # microseconds since 1970; the last that Discord and Python have a date for
_NEWEST = ComponentId(Action.SESSION_PAGE, "0")


class SessionList:
    """What the list of conversations does. Every press looks anew at what the person may see."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._channels = Channels(app.store)
        self._languages = Languages(app.store, self._channels)

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
        language = language_of(interaction.locale)
        say = language.say
        lines = [say(_entry(one)) for one in page.sessions]
        rest = map(say, _rest(page, words, newer=newer))
        embed = discord.Embed(title=say(tr("Conversations")), description="\n".join([*lines, *rest]))
        _keep(words, embed, language)
        options = [_option(one, language) for one in page.sessions]
        chosen = [select(Action.SESSION_OPEN, say(tr("Open a conversation")), options)] if page.sessions else []
        view = rows(*chosen, *_turning(page, position, language, newer=newer))
        if not lines and position is None and page.end is None and not words:
            await interaction.edit_original_response(
                content=say(tr("There is no conversation here that you can see yet.")), embed=None, view=None
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
        language = language_of(interaction.locale)
        say = language.say
        embed = discord.Embed(title=plain_words(title(session), 200), description=say(joined(" · ", *_facts(session))))
        _keep(_words(interaction), embed, language)  # for the way back
        buttons = [
            button(ComponentId(action, session.id), say(label), style=style)
            for label, action, style in (
                (tr("Resume here"), Action.SESSION_RESUME, "primary"),
                (tr("Rename"), Action.SESSION_RENAME, "secondary"),
                (tr("Markdown"), Action.SESSION_MARKDOWN, "secondary"),
                (tr("JSON"), Action.SESSION_JSON, "secondary"),
            )
        ]
        view = rows(*buttons, button(_NEWEST, say(tr("Back"))))
        await interaction.edit_original_response(content=None, embed=embed, view=view)

    async def _resume(self, press: ButtonPress) -> None:
        """Let this channel go on with a copy of a conversation; what is here now is kept in the list."""
        interaction, session = press.interaction, press.session
        here = await self._channels.session_of(interaction)
        if session.id == here:
            raise UserError(tr("This conversation is already here."))
        command = BranchSessionCommand(
            session_id=session.id,
            new_session_id=here,
            session_name=channel_name(interaction.channel, interaction.user),
            scopes=Place.of(interaction.channel).scopes,
            keep_as=f"{here}/{secrets.token_hex(4)}",
        )
        turns = (await self._app.bus.execute(command)).unwrap()
        if not turns:
            raise UserError(tr("This conversation is already here."))
        await interaction.edit_original_response(content=private(interaction, tr("Resumed.")), embed=None, view=None)
        told = tr(
            "⏯️ {person} resumed the conversation **{title}** here ({turns}). The previous one is kept, see /sessions.",
            person=plain_name(interaction),
            title=plain_words(title(session), 200),
            turns=_count(turns),
        )
        language = await self._languages.of_reply(interaction)
        await add_answer(interaction, language.say(told), to_all=True)

    async def _export(self, press: ButtonPress) -> None:
        """Send a conversation as a file."""
        session, guild = press.session, press.interaction.guild
        as_file = as_markdown if press.id.action is Action.SESSION_MARKDOWN else as_json
        data = (await as_file(self._app.store, session.id)).encode()
        limit = guild.filesize_limit if guild else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
        if len(data) > limit:
            raise UserError(
                tr("The file would be {size} bytes; Discord takes {limit} here.", size=len(data), limit=limit)
            )
        name = "conversation.md" if press.id.action is Action.SESSION_MARKDOWN else "conversation.json"
        await press.tell("", file=discord.File(io.BytesIO(data), filename=name))

    async def _ask_for_title(self, press: ButtonPress) -> None:
        session = press.session
        present = shorten(title(session), _MAX_TITLE)
        field = Field(_TITLE, tr("Title"), _MAX_TITLE, default=present, lines=False, required=False)
        custom_id = ComponentId(Action.SESSION_TITLE, session.id)
        await press.interaction.response.send_modal(
            form(press.interaction, custom_id, tr("Rename the conversation"), field)
        )

    async def _rename(self, press: ButtonPress) -> None:
        """Give a conversation the title that was written into the form."""
        session_id = press.session.id
        command = RenameSessionCommand(session_id=session_id, title=press.texts[_TITLE].strip() or None)
        (await self._app.bus.execute(command)).unwrap()
        renamed = await Viewer(press.interaction, self._app.store).session(session_id)
        await self._show_one(press.interaction, renamed)


def _entry(session: Session) -> Text:
    """A conversation in the list."""
    return tr("**{title}**\n-# {facts}", title=plain_words(title(session), 200), facts=joined(" · ", *_facts(session)))


def _facts(session: Session, *, when: bool = True) -> list[Text | str]:
    """Where it is, how long it is and, but for a menu, when it was used; a name that is its title is left out."""
    words = plain_words if when else visible_line  # in an option of a menu nothing is formatted
    name = words(session.name, 200) if session.title else ""
    kept = tr("earlier") if "/" in session.id else ""
    used = discord.utils.format_dt(session.updated_at, "R") if when else ""
    return [name, kept, _count(session.turns), used]


def _count(turns: int) -> Text:
    if turns == MAX_COUNTED:
        return tr("{count} turns or more", count=turns)
    return tr_many("{count} turn", "{count} turns", turns)


def _option(session: Session, language: Language) -> discord.SelectOption:
    about = shorten(language.say(joined(" · ", *_facts(session, when=False))), 100)
    return discord.SelectOption(label=title(session), value=session.id, description=about)


def _rest(page: Page, words: str, *, newer: bool) -> Iterable[Text]:
    """What people are told of conversations that are not on the page."""
    further = tr("Newer") if newer else tr("Older")
    if page.end is not None and not page.is_full:
        until = discord.utils.format_dt(at(page.end.updated_at), "f")
        yield tr("-# Searched as far as {when}; **{button}** searches further.", when=until, button=further)
    elif not page.sessions:
        yield tr("No conversation you can see has these words.") if words else tr("There is nothing older.")


def _turning(
    page: Page, position: Position | None, language: Language, *, newer: bool
) -> Iterable[discord.ui.Button[Any]]:
    """The buttons that lead to the pages beside this one; none where it is the only one."""
    if position is None and page.end is None:
        return
    # The end is that of the direction in which it was looked; on the other side is where it began.
    begun = None if position is None else (place_of(page.sessions[-1 if newer else 0]) if page.sessions else position)
    before, after = (page.end, begun) if newer else (begun, page.end)
    to_newer = _NEWEST if before is None or not page.sessions else ComponentId(Action.SESSION_NEWER, _text(before))
    label = tr("Newer") if page.sessions else tr("Newest")
    yield button(to_newer, language.say(label), disabled=before is None)
    to_older = ComponentId(Action.SESSION_OLDER, _text(after or Position(updated_at=0, id="")))
    yield button(to_older, language.say(tr("Older")), disabled=after is None)


def _text(position: Position) -> str:
    """A place in the list, as an id has it."""
    return f"{position.updated_at}.{position.id.removeprefix(_PREFIX)}"


def _position(text: str) -> Position:
    """What `_text` made it of."""
    moment, _, one = text.partition(".")
    return Position(updated_at=min(int(moment), _LATEST), id=f"{_PREFIX}{one}" if one else "")


def _keep(words: str, embed: discord.Embed, language: Language) -> None:
    """Show what is searched for, where the buttons below find it."""
    if words:
        embed.set_footer(text=f"{language.say(_SEARCH)}{words}")


def _words(interaction: discord.Interaction) -> str:
    """What was searched for in the list that is shown."""
    embeds = interaction.message.embeds if interaction.message else []
    footer = (embeds[0].footer.text or "") if embeds else ""
    beginnings = (language.say(_SEARCH) for language in languages().values())
    return next((footer.removeprefix(one) for one in beginnings if footer.startswith(one)), "")


def commands(app: Application) -> Iterable[app_commands.Command[Any, ..., Any]]:
    """The family's commands."""
    listed = SessionList(app)

    @app_commands.command(
        name="sessions", description=described(tr("Browse conversations, and resume, rename or export one"))
    )
    @app_commands.describe(search=described(tr("Words in the title or the channel's name")))
    async def sessions(interaction: discord.Interaction, search: str = "") -> None:
        await interaction.response.defer(ephemeral=True)
        await listed.show(interaction, words=search)

    return (sessions,)


def handlers(app: Application) -> Mapping[Action, Handler]:
    """What is done with the list's buttons, and with the form for a title."""
    return SessionList(app).handlers()
