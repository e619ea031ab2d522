"""What the bot sends to register its commands, compared with what Discord says is registered.

Everything that is sent is compared, in one form for both sides. What Discord adds is left out: of a command discord.py
sends every field there is, so only those fields are looked at, and of options and choices all that does not end in
`_localized`. What Discord fills in where nothing was sent counts as nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import discord
from discord import app_commands

from programs.discord.translation import Translations

Payload = dict[str, Any]

_ENTRY_POINT = 4  # the type of the command that Discord itself makes for an app with an Activity
_ADDED = ("id", "application_id", "version", "guild_id")  # by Discord, to every command
# What Discord answers for a field that was not sent, or sent as null. `integration_types` is the application's own.
_FILLED_IN: Mapping[str, Sequence[object]] = {"contexts": ([0, 1, 2],), "integration_types": ([0],)}


async def payloads(tree: app_commands.CommandTree[discord.Client]) -> list[Payload]:
    """What is sent to register the commands of a tree, with all their translations."""
    translations = Translations()
    commands = (one for kind in discord.AppCommandType for one in tree.get_commands(type=kind))
    return [_consistent(await one.get_translated_payload(tree, translations)) for one in commands]


def _consistent(payload: Payload) -> Payload:
    """Discord derives `dm_permission`, the older field, from the contexts; so it is sent as it will be answered."""
    contexts = payload.get("contexts")
    return payload if contexts is None else {**payload, "dm_permission": 1 in contexts}


def kept(registered: Iterable[Any]) -> list[Payload]:
    """The commands that Discord made itself: an overwrite without them is refused, so they are sent as they are."""
    ours = (one for one in registered if isinstance(one, dict) and one.get("type") == _ENTRY_POINT)
    return [
        {name: value for name, value in one.items() if name not in _ADDED and not name.endswith("_localized")}
        for one in ours
    ]


def differing(registered: Sequence[Any], sent: Sequence[Payload], installs: Sequence[int] = ()) -> list[str]:
    """The names of the commands that differ.

    Args:
        registered: What Discord answered: of any form, for it comes from outside.
        sent: What the bot sends.
        installs: How the application can be installed, which holds for commands that do not say it themselves.

    Returns:
        Those that are not registered, those that are registered in another form, and those that are registered and
        no longer the bot's.
    """
    theirs = {_key(one): one for one in registered if not (isinstance(one, dict) and one.get("type") == _ENTRY_POINT)}
    ours = {_key(one): one for one in sent}
    filled_in = {**_FILLED_IN, "integration_types": (*_FILLED_IN["integration_types"], list(installs))}
    changed = [key for key, one in ours.items() if key not in theirs or not _same(theirs[key], one, filled_in)]
    return [name for _, name in (*changed, *(key for key in theirs if key not in ours))]


def ids(registered: Iterable[Any]) -> dict[str, int]:
    """The ids of the registered slash commands, by name."""
    chat = (one for one in registered if isinstance(one, dict) and one.get("type", 1) == 1)
    return {str(one["name"]): int(one["id"]) for one in chat if "name" in one and str(one.get("id", "")).isdecimal()}


def _key(command: Any) -> tuple[str, str]:
    if not isinstance(command, dict):
        return "", str(command)
    return str(command.get("type", 1)), str(command.get("name"))


def _same(theirs: Payload, ours: Payload, filled_in: Mapping[str, Sequence[object]]) -> bool:
    return all(_same_field(name, theirs.get(name), value, filled_in.get(name, ())) for name, value in ours.items())


def _same_field(name: str, theirs: object, ours: object, filled_in: Sequence[object]) -> bool:
    theirs, ours = _field(name, theirs), _field(name, ours)
    if theirs is None or ours is None:  # nothing was sent or answered, so the other may be what Discord fills in
        return theirs == ours or (theirs or ours) in filled_in
    return theirs == ours


def _field(name: str, value: object) -> object:
    """A field of a command in the form that is compared; None for nothing."""
    if name == "dm_permission":
        return value is not False  # the one field whose default is yes
    if name == "default_member_permissions":  # a number is sent and digits are answered; 0 is nobody
        return None if value is None else str(value)
    return _normal(value)


def _normal(value: object) -> object:
    if isinstance(value, dict):
        inside = {name: _normal(one) for name, one in value.items() if not name.endswith("_localized")}
        return {name: one for name, one in inside.items() if one is not None} or None
    if isinstance(value, list):
        items = [_normal(one) for one in value]
        # The order of options and choices is what people see; that of contexts and channel types says nothing.
        return (sorted(items, key=repr) if all(isinstance(one, int) for one in items) else items) or None
    return None if value is False or value == "" else value
