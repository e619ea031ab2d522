"""What people write for a setting: as it is stored, as it is shown, and what is suggested while they type."""

import asyncio
import contextlib
import re
from collections.abc import Iterable

import discord

from llmgine.engine import ToolChatEngine
from llmgine.errors import UserError
from llmgine.messages.text import shorten
from llmgine.messages.translatable import Text, tr
from programs.discord.replies import quoted
from programs.discord.setting_specs import EVERYONE, INHERIT, SettingSpec

_AUTOCOMPLETE_SECONDS = 2.0  # Discord waits for 3
_SHOWN = 300  # characters of a value in /settings
_ROLE = re.compile(r"(?:<@&)?(\d{15,20})>?")
_MOST_ROLES = 20
_NUMBER = re.compile(r"[1-9][0-9]{0,11}")
_GROUPED = re.compile(r"[0-9]{1,3}([\s,._\u00a0\u202f\u2019'][0-9]{3})+")  # thousands, as people write them
_BUDGETS = ("50000", "200000", "1000000")


class Values:
    """The values of settings that are chosen from no fixed list."""

    def __init__(self, engine: ToolChatEngine) -> None:
        self._engine = engine

    async def stored(self, spec: SettingSpec, text: str, guild: discord.Guild | None) -> str:
        """The value of a text.

        Raises:
            UserError: It can be none; the text says what can.
        """
        if spec.name == "tools":
            return self._tools(text)
        if spec.name == "roles":
            return _roles(text, guild)
        if spec.name == "daily_tokens":
            return _tokens(text)
        if spec.name == "model":
            names = await self._engine.model.names()
            if names and text not in names:
                raise UserError(
                    tr("The service has no model {name}. Pick one from the list.", name=repr(shorten(text, 100)))
                )
        return text

    def _tools(self, text: str) -> str:
        if text.lower() in ("all", "none"):
            return text.lower().replace("none", "")
        there = self._engine.tools.names
        names = _listed(text)
        unknown = [name for name in names if name not in there]
        if unknown:
            raise UserError(
                tr(
                    "There is no tool {name}. The tools are: {tools}.",
                    name=repr(shorten(unknown[0], 64)),
                    tools=", ".join(there),
                )
            )
        return ",".join(names)

    async def suggest(self, spec: SettingSpec, typed: str, guild: discord.Guild | None) -> list[str]:
        """What the text typed so far may become."""
        if spec.name == "tools":
            return _completed(typed, self._engine.tools.names, "all", "none", INHERIT)
        if spec.name == "roles":
            return _completed(typed, [role.name for role in _named(guild)], EVERYONE, INHERIT)
        if spec.name == "daily_tokens":
            return [text for text in (*_BUDGETS, INHERIT) if typed in text]
        name = self._engine.model.name
        listed: tuple[str, ...] = (name,) if name else ()  # where the service does not tell
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_AUTOCOMPLETE_SECONDS):
                listed = await self._engine.model.names() or listed
        return [name for name in (*listed, INHERIT) if typed.lower() in name.lower()]


def shown(spec: SettingSpec, value: Text | str) -> Text | str:
    """A value in a message: as code, or, where it has lines, as a quote; one that is said in words, in those."""
    if isinstance(value, Text):
        return value
    if spec.name == "roles" and value not in ("", EVERYONE):
        return " ".join(f"<@&{role}>" for role in value.split(","))
    if spec.name == "daily_tokens" and value.isdecimal():
        return tr("`{tokens}`", tokens=int(value))
    if "\n" in value:
        return quoted(value, _SHOWN)
    empty = EVERYONE if spec.name == "roles" else "none"  # as people type it
    return f"`{shorten(value or empty, _SHOWN).replace('`', 'ˋ')}`"


def _completed(typed: str, names: Iterable[str], *words: str) -> list[str]:
    """What a list of names that ends in the middle of one may become; the words stand for themselves."""
    begun, comma, last = typed.rpartition(",")
    left = [f"{begun}{comma} {name}".strip() for name in names if name not in _listed(begun)]
    wanted = last.strip().lower()
    return [text for text in (*left, *(() if comma else words)) if wanted in text.rpartition(",")[2].lower()]


def _listed(text: str) -> list[str]:
    """The names in a text, each once."""
    return list(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))


def _named(guild: discord.Guild | None) -> list[discord.Role]:
    """The roles that people can be given, the highest first."""
    return [role for role in reversed(guild.roles) if not role.is_default()] if guild else []


def _roles(text: str, guild: discord.Guild | None) -> str:
    """The ids of roles, given by mention, id or name."""
    if text.lower().lstrip("@") == EVERYONE:
        return ""
    if guild is None:
        raise UserError(tr("There are no roles in a DM."))
    names = _listed(re.sub(r">\s*<", ">,<", text))
    if not 0 < len(names) <= _MOST_ROLES:
        raise UserError(tr("Mention up to {count} roles, such as @Helpers, or type everyone.", count=_MOST_ROLES))
    found = [_role(name, guild) for name in names]
    unknown = [name for name, role in zip(names, found, strict=True) if role is None]
    if unknown:
        raise UserError(
            tr(
                "There is no role {name} here. Mention the roles, such as @Helpers.",
                name=repr(shorten(unknown[0], 100)),
            )
        )
    if guild.default_role in found:
        return ""
    return ",".join(dict.fromkeys(str(role.id) for role in found if role is not None))


def _role(name: str, guild: discord.Guild) -> discord.Role | None:
    mentioned = _ROLE.fullmatch(name)
    if mentioned is not None:
        return guild.get_role(int(mentioned[1]))
    return discord.utils.find(lambda role: role.name.lower() == name.lower().lstrip("@"), _named(guild))


def _tokens(text: str) -> str:
    digits = re.sub(r"[\s,._\u00a0\u202f\u2019']", "", text) if _GROUPED.fullmatch(text) else text
    if not _NUMBER.fullmatch(digits):
        raise UserError(tr("Give a number of tokens above 0, such as 200000, or inherit to remove the limit."))
    return digits
