"""/help: all that there is, made from the code, so that it cannot lie."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import discord
from discord import app_commands

from llmgine.messages.chat_messages import ToolSchema
from llmgine.messages.text import collapse_spaces, shorten
from programs.application import NOT_CHOSEN, Application
from programs.demo_model import MODEL as DEMO_MODEL
from programs.discord.replies import show_privately
from programs.discord.translation import translated

TITLE = "What I can do"
TALK = "How to talk to me"
HOW = (
    "Mention me, {me}, reply to one of my messages, or write to me in a DM; in a thread of mine just write. Each "
    "channel, thread and DM is a conversation of its own, which I remember, also over a restart, until somebody "
    "clears it."
)
COMMANDS = "Commands"
MENUS = "In the menu of a message, under Apps"
TOOLS = "Tools I may use"
PRIVACY = "Privacy"
PRIVATE = (
    "What you say to me is stored where I run, and sent to the model ({model}) to be answered. What is not for me is "
    "neither stored nor sent."
)
DEMO = "offline demo model"
TEXTS = (TITLE, TALK, HOW, COMMANDS, MENUS, TOOLS, PRIVACY, PRIVATE, DEMO, NOT_CHOSEN)

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

    @app_commands.command(name="help", description="Show all that I can do, and how to talk to me")
    async def command(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await show_privately(interaction, overview(tree, app, interaction.locale))

    return command


def overview(tree: Mentioning, app: Application, locale: discord.Locale) -> discord.Embed:
    """The card that /help shows, in the language of a locale."""
    me = f"<@{tree.client.user.id}>" if tree.client.user else "@me"
    model = _model(app.engine.model.name, locale)
    commands = (f"{tree.mention(one.qualified_name)} {translated(one.description, locale)}" for one in _leaves(tree))
    texts = ["", translated(HOW, locale).format(me=me), "", f"**{translated(COMMANDS, locale)}**", *commands]
    card = discord.Embed(
        title=translated(TITLE, locale),
        description=shorten(f"**{translated(TALK, locale)}**" + "\n".join(texts), _MAX_DESCRIPTION),
        colour=discord.Colour.blurple(),
    )
    parts = (
        (MENUS, [f"**{translated(menu.name, locale)}**" for menu in _menus(tree)]),
        (TOOLS, [_tool(schema) for schema in app.engine.tools.schemas()]),
        (PRIVACY, [translated(PRIVATE, locale).format(model=model)]),
    )
    for name, lines in parts:
        card.add_field(name=translated(name, locale), value=shorten("\n".join(lines), _MAX_FIELD), inline=False)
    return card


def _model(name: str, locale: discord.Locale) -> str:
    if name == DEMO_MODEL:
        return translated(DEMO, locale)
    return shorten(name, _MAX_MODEL) or translated(NOT_CHOSEN, locale)


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
    return f"`{schema.name}` {shorten(first, _MAX_TOOL)}"
