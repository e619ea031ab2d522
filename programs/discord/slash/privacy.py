"""/privacy, /forget me and /export me: what is stored of people, and how they have it erased or get a copy of it."""

import io
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Literal

import discord
from discord import app_commands

from llmgine.engine.erasing import TAKEN_AWAY
from llmgine.errors import LLMgineError
from llmgine.messages.erasing_commands import ForgetPersonCommand, ForgottenPerson
from llmgine.messages.translatable import Text, joined, tr, tr_many, words_of
from programs import person_export
from programs.application import Application
from programs.discord.components.button_press import ButtonPress, Handler
from programs.discord.components.custom_ids import Action, ComponentId
from programs.discord.components.views import button, rows
from programs.discord.replies import private, set_answer, show_privately
from programs.discord.slash.privacy_facts import BACKUPS, card
from programs.discord.translation import described, language_of

_MOST_FILES = 10  # of an export
_ROOM = 10_000  # bytes of an upload that the file cannot have

_ASK = tr(
    "Forget you? I erase, everywhere I talk with you: what you asked me and the files with it, my answers to you, what "
    "others quoted of you, your name and your settings. I delete my latest {count} answers to you. "
    "**This cannot be undone.**"
)
_STAYS = tr(
    "What stays: your own messages in Discord, which only you or a moderator can delete; my answers to other people, "
    "which may repeat what you said; settings you made for a channel or server, without your name; e-mails that were "
    "sent; and your user id with today's date, so that a backup that is restored is erased too. To get a copy first, "
    "use `/export me`."
)


class Privacy:
    """What the commands and buttons do."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def show(self, interaction: discord.Interaction) -> None:
        """Say what is stored."""
        await interaction.response.defer(ephemeral=True)
        language = language_of(interaction.locale)
        facts = card(self._app.config.settings, (await self._app.erasing.retention.outlook()).begins)
        shown = discord.Embed(title=language.say(tr("What I store, and how to erase it")))
        for name, value in facts:
            shown.add_field(name=language.say(name), value=language.say(value), inline=False)
        await show_privately(interaction, shown)

    async def ask_to_forget(self, interaction: discord.Interaction) -> None:
        """Ask before a person is forgotten."""
        say = language_of(interaction.locale).say
        yes, no = ComponentId(Action.FORGET_ME), ComponentId(Action.FORGET_NOT)
        await interaction.response.defer(ephemeral=True)
        await set_answer(
            interaction,
            joined("\n", _ASK.filled(count=TAKEN_AWAY), _STAYS, *self._backups()),
            view=rows(button(yes, say(tr("Forget me")), style="danger"), button(no, say(tr("Keep everything")))),
        )

    async def forget(self, press: ButtonPress) -> None:
        """Forget whoever presses, and say what was erased."""
        interaction = press.interaction
        await interaction.edit_original_response(content=private(interaction, tr("Forgetting you …")), view=None)
        try:
            command = ForgetPersonCommand(person=str(interaction.user.id))
            found: ForgottenPerson = (await self._app.bus.execute(command)).unwrap()
        except LLMgineError as error:
            late = tr("I've noted it and will finish it as soon as I can.")
            await set_answer(interaction, joined("\n", words_of(error), late))
            return
        await set_answer(interaction, joined("\n", _erased(found), *self._backups()))

    async def keep(self, press: ButtonPress) -> None:
        """Change nothing."""
        interaction = press.interaction
        await interaction.edit_original_response(content=private(interaction, tr("Nothing was erased.")), view=None)

    async def export(self, interaction: discord.Interaction, form: person_export.Format) -> None:
        """Send all that is stored of the person, to them alone."""
        await interaction.response.defer(ephemeral=True)
        guild = interaction.guild
        limit = guild.filesize_limit if guild else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
        parts = person_export.parts(self._app.store, str(interaction.user.id), form, limit - _ROOM)
        sent, left_out, is_whole = await _send(interaction, parts, form, limit)
        said = [
            tr_many(
                "This is what I store about you, in {count} file.",
                "This is what I store about you, in {count} files.",
                sent,
            )
        ]
        if left_out:
            said.append(tr_many("{count} file is too large for Discord.", "{count} files are too large.", left_out))
        if not is_whole:
            said.append(tr("There is more: I send at most {count} files.", count=_MOST_FILES))
        said.append(tr("My log has the same words; see `/privacy`."))
        await set_answer(interaction, joined(" ", *said))

    def _backups(self) -> Iterable[Text]:
        return [BACKUPS] if self._app.integrity is not None else []


async def _send(
    interaction: discord.Interaction, parts: AsyncIterator[bytes], form: person_export.Format, limit: int
) -> tuple[int, int, bool]:
    """Send files one by one; how many were sent, how many are too large, and whether there are no more."""
    sent = left_out = 0
    async for data in parts:
        if sent == _MOST_FILES:
            return sent, left_out, False
        if len(data) > limit:
            left_out += 1
            continue
        sent += 1
        file = discord.File(io.BytesIO(data), filename=f"about-you-{sent}.{form}")
        await interaction.followup.send(file=file, ephemeral=True)
    return sent, left_out, True


def _erased(found: ForgottenPerson) -> Text:
    """What was erased, in words."""
    counts = [
        tr_many("{count} question with its answer", "{count} questions with their answers", found.turns),
        tr_many("{count} file", "{count} files", found.files),
        tr_many("your traces in {count} other question", "your traces in {count} other questions", found.mentions),
    ]
    said = tr("Done. I erased {what}, and your lines in my log.", what=joined(", ", *counts))
    if not found.left:
        return said
    left = tr_many(
        "{count} older answer of mine stays in its channel; a moderator can delete it.",
        "{count} older answers of mine stay in their channels; a moderator can delete them.",
        found.left,
    )
    return joined(" ", said, left)


def handlers(app: Application) -> Mapping[Action, Handler]:
    """What is done with the answer to the question of /forget me."""
    privacy = Privacy(app)
    return {Action.FORGET_ME: privacy.forget, Action.FORGET_NOT: privacy.keep}


def commands(app: Application) -> Iterable[app_commands.Command[Any, ..., Any] | app_commands.Group]:
    """The family's commands."""
    privacy = Privacy(app)
    forget = app_commands.Group(name="forget", description=described(tr("Have me forget something for good")))
    export = app_commands.Group(name="export", description=described(tr("Get a copy of what I store")))

    @app_commands.command(
        name="privacy", description=described(tr("What I store about you, for how long, and how to erase it"))
    )
    async def show(interaction: discord.Interaction) -> None:
        await privacy.show(interaction)

    @forget.command(name="me", description=described(tr("Erase everything I store about you, after asking you")))
    async def forget_me(interaction: discord.Interaction) -> None:
        await privacy.ask_to_forget(interaction)

    @export.command(name="me", description=described(tr("Get everything I store about you, as files")))
    @app_commands.describe(format=described(tr("JSON for programs, or Markdown to read")))
    @app_commands.choices(
        format=[app_commands.Choice(name="JSON", value="json"), app_commands.Choice(name="Markdown", value="md")]
    )
    async def export_me(interaction: discord.Interaction, format: Literal["json", "md"] = "json") -> None:  # noqa: A002  its name in Discord
        await privacy.export(interaction, format)

    return show, forget, export
