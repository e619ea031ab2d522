"""/help: all that there is, made from the code, so that it cannot lie."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import discord
from discord import app_commands

from llmgine.messages.chat_messages import ToolSchema
from llmgine.messages.text import collapse_spaces, shorten
from llmgine.messages.translatable import Text, tr
from programs.application import NOT_CHOSEN, Application
from programs.demo_model import MODEL as DEMO_MODEL
from programs.discord.delivery.safe_text import plain_words
from programs.discord.replies import show_privately
from programs.discord.translation import described, language_of

TITLE = tr("What I can do")
TALK = tr("How to talk to me")
HOW = tr(
    "Mention me, {me}, reply to one of my messages, or send me a DM; in my threads just write. Each channel, thread "
    "and DM is a separate conversation. I remember it, even after a restart, until someone clears it."
)
COMMANDS = tr("Commands")
MENUS = tr("In a message's menu, under Apps")
TOOLS = tr("Tools I can use")
PRIVACY = tr("Privacy")
PRIVATE = tr(
    "What you write to me is stored where I run and sent to the model ({model}) to be answered. Messages that aren't "
    "for me are neither stored nor sent."
)
DEMO = tr("offline demo model")

_MAX_DESCRIPTION, _MAX_FIELD = 2_800, 1_024  # characters; a card holds 6,000, a field 1,024
_MAX_TOOL, _MAX_MODEL = 100, 60


class Mentioning(Protocol):
    """A tree of commands that can be clicked on once they are registered."""

    @property
    def client(self) -> discord.Client:
        """Whose commands they are."""

    def mention(self, name: str) -> str:
        """The full name of a command as what people can click."""

    def walk_commands(self) -> Iterator[Any]:
        """The slash commands and the groups they stand in."""

    def get_commands(self, *, type: discord.AppCommandType) -> Iterable[Any]:  # noqa: A002  discord.py's name
        """The commands of a type."""


def help_command(tree: Mentioning, app: Application) -> app_commands.Command[Any, ..., Any]:
    """The command, which shows the tree it stands in."""

    @app_commands.command(name="help", description=described(tr("Show what I can do and how to talk to me")))
    async def command(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await show_privately(interaction, overview(tree, app, interaction.locale))

    return command


def overview(tree: Mentioning, app: Application, locale: discord.Locale) -> discord.Embed:
    """The card that /help shows, in the language of a locale."""
    me = f"<@{tree.client.user.id}>" if tree.client.user else "@me"
    say = language_of(locale).say
    model = _model(app.engine.model.name)
    commands = (f"{tree.mention(one.qualified_name)} {say(Text(id=one.description))}" for one in _leaves(tree))
    texts = ["", say(HOW.filled(me=me)), "", f"**{say(COMMANDS)}**", *commands]
    card = discord.Embed(
        title=say(TITLE),
        description=shorten(f"**{say(TALK)}**" + "\n".join(texts), _MAX_DESCRIPTION),
        colour=discord.Colour.blurple(),
    )
    parts = (
        (MENUS, [f"**{say(Text(id=menu.name))}**" for menu in _menus(tree)]),
        (TOOLS, [_tool(schema) for schema in app.engine.tools.schemas()]),
        (PRIVACY, [say(PRIVATE.filled(model=model))]),
    )
    for name, lines in parts:
        card.add_field(name=say(name), value=shorten("\n".join(lines), _MAX_FIELD), inline=False)
    return card


def _model(name: str) -> Text | str:
    return DEMO if name == DEMO_MODEL else shorten(name, _MAX_MODEL) or Text(id=NOT_CHOSEN)


def _leaves(tree: Mentioning) -> Iterator[app_commands.Command[Any, ..., Any]]:
    """The commands that people use: not the groups they stand in."""
    for command in tree.walk_commands():
        if isinstance(command, app_commands.Command):
            yield command


def _menus(tree: Mentioning) -> Iterable[app_commands.ContextMenu]:
    for kind in (discord.AppCommandType.message, discord.AppCommandType.user):
        yield from tree.get_commands(type=kind)


def _tool(schema: ToolSchema) -> str:
    """A tool's name, and the first sentence of what the model is told of it."""
    first = collapse_spaces(schema.description).partition(". ")[0].removesuffix(".")
    return f"`{schema.name}` {plain_words(first, _MAX_TOOL)}"
