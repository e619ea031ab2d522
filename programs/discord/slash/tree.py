"""The tree of commands: what there is."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import discord
from discord import app_commands

from programs.application import Application
from programs.discord.slash import asking, branches, conversation, doctor, lessons, sessions, settings, threads, why
from programs.discord.slash.forms import Press, Reactions, Submit
from programs.discord.slash.help import help_command
from programs.discord.slash.registration import Registration
from programs.discord.slash.replies import explain

AnyCommand = app_commands.Command[Any, ..., Any] | app_commands.ContextMenu | app_commands.Group

# Each family is a function that makes its commands and context menus.
FAMILIES: tuple[Callable[[Application], Iterable[AnyCommand]], ...] = (
    conversation.commands,
    sessions.commands,
    branches.commands,
    asking.commands,
    settings.commands,
    threads.commands,
    why.commands,
    doctor.commands,
)
# What is done with each form when it is sent.
FORMS: Mapping[str, Callable[[Application], Submit]] = {
    "system": settings.system_form,
    "rename": sessions.rename_form,
    "ask": asking.ask_form,
}
# What is done with each button and select that is known by its custom id.
PRESSES: Mapping[str, Callable[[Application], Press]] = {"session": sessions.press, "lessons": lessons.press}


class Commands(app_commands.CommandTree[discord.Client]):
    """The tree of slash commands.

    Attributes:
        registration: Sees that Discord knows them.
    """

    def __init__(self, client: discord.Client, app: Application) -> None:
        super().__init__(client)
        for family in FAMILIES:
            for command in family(app):
                self.add_command(command)
        self.add_command(help_command(self, app))
        self.registration = Registration(self)
        self._reactions = Reactions(
            {name: make(app) for name, make in FORMS.items()}, {name: make(app) for name, make in PRESSES.items()}
        )

    async def react(self, interaction: discord.Interaction) -> None:
        """Answer a form that was sent or a button that was pressed, if it is one of ours."""
        await self._reactions.react(interaction)

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError, /) -> None:
        """Tell the person."""
        await explain(interaction, getattr(error, "original", error))

    def mention(self, name: str) -> str:
        """The full name of a command as what people can click, once its id is known."""
        command_id = self.registration.ids.get(name.partition(" ")[0])
        return f"`/{name}`" if command_id is None else f"</{name}:{command_id}>"
