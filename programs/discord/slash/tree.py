"""The tree of commands: what there is, and its registration with Discord."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import discord
from discord import app_commands

from programs.application import Application
from programs.discord.slash import asking, branches, conversation, doctor, lessons, sessions, settings, threads, why
from programs.discord.slash.forms import Press, Reactions, Submit
from programs.discord.slash.help import help_command
from programs.discord.slash.replies import explain
from programs.discord.translation import Translations

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
    """The tree of slash commands."""

    def __init__(self, client: discord.Client, app: Application) -> None:
        super().__init__(client)
        for family in FAMILIES:
            for command in family(app):
                self.add_command(command)
        self.add_command(help_command(self, app))
        self._ids: dict[str, int] = {}  # of registered commands
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
        """The full name of a command as what people can click, once the commands are registered."""
        command_id = self._ids.get(name.partition(" ")[0])
        return f"`/{name}`" if command_id is None else f"</{name}:{command_id}>"

    async def sync_if_changed(self) -> bool:
        """Register the commands with Discord if what is registered differs; Discord counts registrations."""
        await self.set_translator(Translations())
        registered = await self._registered()
        ours = [await command.get_translated_payload(self, Translations()) for command in self._all()]
        changed = {_key(c): _essence(c) for c in registered} != {_key(c): _essence(c) for c in ours}
        if changed:
            await self.sync()
            registered = await self._registered()
        self._ids = {c["name"]: int(c["id"]) for c in registered if _key(c)[1] is discord.AppCommandType.chat_input}
        return changed

    def _all(self) -> Iterable[AnyCommand]:
        for kind in discord.AppCommandType:
            yield from self.get_commands(type=kind)

    async def _registered(self) -> list[dict[str, Any]]:
        """What Discord knows, with all translations, which discord.py does not ask for."""
        path = "/applications/{application_id}/commands"
        route = discord.http.Route("GET", path, application_id=self.client.application_id)
        found: list[dict[str, Any]] = await self.client.http.request(route, params={"with_localizations": "true"})
        return found


def _key(command: Mapping[str, Any]) -> tuple[str, discord.AppCommandType]:
    return command["name"], discord.AppCommandType(command.get("type", 1))


def _essence(command: Mapping[str, Any]) -> dict[str, Any]:
    """What we say about a command, without what Discord adds and without empty values."""
    inside = {key: [_essence(one) for one in command[key]] for key in ("options", "choices") if command.get(key)}
    kept = (
        *("name", "description", "name_localizations", "description_localizations", "type", "value"),
        *("required", "min_length", "max_length", "autocomplete"),
    )
    who = (
        {"permissions": str(command["default_member_permissions"])} if command.get("default_member_permissions") else {}
    )
    return {key: command[key] for key in kept if command.get(key)} | inside | who
