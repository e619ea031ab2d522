"""Application commands, global and of the guild."""

from typing import Any

from programs.playground.application_commands import CommandChanges, CommandForm, Commands
from programs.playground.entities import BOT_ID, GUILD_ID
from programs.playground.errors import ApiError, missing_access
from programs.playground.wire import NOTHING, Call, Reply, Routes

_GLOBAL = "/applications/{application_id}/commands"
_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"


class CommandRoutes:
    """The routes of application commands."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    def routes(self) -> Routes:
        """Method, path and handler of each."""
        for base in (_GLOBAL, _GUILD):
            yield "GET", base, self.list
            yield "PUT", base, self.overwrite
            yield "POST", base, self.create
            yield "GET", base + "/{command_id}", self.get
            yield "PATCH", base + "/{command_id}", self.change
            yield "DELETE", base + "/{command_id}", self.delete

    def list(self, call: Call) -> Reply:
        """The commands of a scope."""
        commands = self._commands.all(_scope(call))
        return Reply(commands if call.flag("with_localizations") else _without_localizations(commands))

    def overwrite(self, call: Call) -> Reply:
        """Replace all commands of a scope. Raises 50035 for what does not fit."""
        scope = _scope(call)
        return Reply(self._commands.overwrite(scope, call.form(list[CommandForm])))

    def create(self, call: Call) -> Reply:
        """Add a command, or replace the one of its name. Raises 50035 for what does not fit."""
        command, new = self._commands.put(_scope(call), call.form(CommandForm))
        return Reply(command, 201 if new else 200)

    def get(self, call: Call) -> Reply:
        """A command. Raises 10063 where there is none."""
        return Reply(self._commands.get(_scope(call), call.id("command_id")))

    def change(self, call: Call) -> Reply:
        """Change a command. Raises 10063 where there is none."""
        scope = _scope(call)
        return Reply(self._commands.change(scope, call.id("command_id"), call.form(CommandChanges)))

    def delete(self, call: Call) -> Reply:
        """Delete a command. Raises 10063 where there is none."""
        self._commands.delete(_scope(call), call.id("command_id"))
        return NOTHING


def _without_localizations(thing: Any) -> Any:
    """All but the translations, at any depth."""
    if isinstance(thing, list):
        return [_without_localizations(one) for one in thing]
    if isinstance(thing, dict):
        return {k: _without_localizations(v) for k, v in thing.items() if not k.endswith("_localizations")}
    return thing


def _scope(call: Call) -> int | None:
    """The guild of the path, None for global ones. Raises when the application or the guild is not the bot's."""
    if call.id("application_id") != BOT_ID:
        raise ApiError(403, 20012, "You are not authorized to perform this action on this application")
    if "guild_id" not in call.ids:
        return None
    if call.id("guild_id") != GUILD_ID:
        raise missing_access()
    return GUILD_ID
