"""What people write for a setting: as it is stored, as it is shown, and what is suggested while they type."""

import asyncio
import contextlib
import re
from collections.abc import Iterable, Mapping

import discord

from llmgine.engine import ToolChatEngine
from llmgine.errors import UserError
from llmgine.messages.text import shorten
from llmgine.messages.translatable import Text, joined, tr
from llmgine.providers.choosing import require_listed
from llmgine.sessions.costs import Unit
from llmgine.sessions.limits import amount, limit_name, said
from llmgine.sessions.records import Setting
from programs.discord.delivery.safe_text import inline_code
from programs.discord.replies import quoted
from programs.discord.setting_specs import EVERYONE, INHERIT, NONE, SettingSpec, Where
from programs.discord.slash import webhook_values

_AUTOCOMPLETE_SECONDS = 2.0  # Discord waits for 3
_SHOWN = 300  # characters of a value in /settings
_ROLE = re.compile(r"(?:<@&)?(\d{15,20})>?")
_MOST_ROLES = 20
_MAX_TOOLS = 1_000  # characters of the names of all tools
_DOLLARS = re.compile(r"\$\s*(\d+(?:[.,]\d{1,4})?)|(\d+(?:[.,]\d{1,4})?)\s*(?:\$|USD|dollars?)", re.IGNORECASE)
_GROUPED = re.compile(r"[0-9]{1,3}([\s,._\u00a0\u202f\u2019'][0-9]{3})+")  # thousands, as people write them


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
        if spec.name == "webhooks":
            return webhook_values.stored(text, guild)
        if spec.name == "model":
            require_listed(await self._engine.model.names(), text)
        return text

    def _tools(self, text: str) -> str:
        if text.lower() in ("all", "none"):
            return text.lower().replace("none", "")
        there = self._tool_names()
        names = _listed(text)
        unknown = [name for name in names if name not in there]
        if unknown:
            raise UserError(
                tr(
                    "There is no tool {name}. The tools are: {tools}.",
                    name=repr(shorten(unknown[0], 64)),
                    tools=shorten(", ".join(there), _MAX_TOOLS),
                )
            )
        return ",".join(names)

    def _tool_names(self) -> list[str]:
        """The names of all tools, and before those of a server the name for all of them."""
        names: dict[str, None] = {}
        for name in self._engine.tools.names:
            server, mark, _ = name.partition("__")
            names |= dict.fromkeys([f"{server}{mark}*", name] if mark else [name])
        return list(names)

    async def suggest(self, spec: SettingSpec, typed: str, interaction: discord.Interaction) -> list[str]:
        """What the text typed so far may become."""
        guild = interaction.guild
        if spec.name == "tools":
            return _completed(typed, self._tool_names(), "all", "none", INHERIT)
        if spec.name == "roles":
            return _completed(typed, [role.name for role in _named(guild)], EVERYONE, INHERIT)
        if spec.name == "webhooks":
            messages = interaction.client.cached_messages
            return _completed(typed, webhook_values.suggested(guild, interaction.channel, messages), NONE, INHERIT)
        listed: tuple[str, ...] = ()  # where the service does not tell
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_AUTOCOMPLETE_SECONDS):
                listed = await self._engine.model.names()
        return [name for name in (*self._engine.settings.models(listed), INHERIT) if typed.lower() in name.lower()]


def shown(spec: SettingSpec, value: Text | str) -> Text | str:
    """A value in a message: as code, or, where it has lines, as a quote; one that is said in words, in those."""
    if isinstance(value, Text):
        return value
    if spec.name == "roles" and value not in ("", EVERYONE):
        return " ".join(f"<@&{role}>" for role in value.split(","))
    if spec.name == "webhooks" and value not in ("", NONE):
        return webhook_values.shown(value)
    if "\n" in value:
        return quoted(value, _SHOWN)
    empty = EVERYONE if spec.name == "roles" else "none"  # as people type it
    return inline_code(value or empty, _SHOWN + 2)


def origin_of(setting: Setting) -> Text:
    """Where a setting comes from, in words."""
    origin, when = _origin(setting.scope), discord.utils.format_dt(setting.changed_at, "R")
    if not setting.changed_by:
        return tr("from {origin}, {when}", origin=origin, when=when)
    return tr("from {origin}, set by {who} {when}", origin=origin, who=f"<@{setting.changed_by}>", when=when)


def _origin(scope: str) -> Text | str:
    """Where a setting was made, in words."""
    _, kind, *_ = scope.split(":")
    return {"category": tr("the category"), "server": tr("the server")}.get(kind, f"<#{kind}>")


PLACES: Mapping[Where, Text] = {
    "here": tr("here"),
    "category": tr("in this category"),
    "server": tr("in this server"),
}


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


def limit_of(text: str) -> tuple[Unit, str]:
    """A limit as people write it, in tokens or dollars, as it is stored.

    Raises:
        UserError: It can be none; the text says what can.
    """
    dollars = _DOLLARS.fullmatch(text)
    value = (dollars[1] or dollars[2]).replace(",", ".") if dollars else text
    if dollars is None and _GROUPED.fullmatch(text):
        value = re.sub(r"[\s,._\u00a0\u202f\u2019']", "", text)
    unit: Unit = "dollars" if dollars else "tokens"
    if amount(limit_name(unit), value) is None:
        raise UserError(
            tr(
                "Give a number of tokens above 0, such as 200000, or dollars, such as $2. To remove the limit, type "
                "inherit."
            )
        )
    return unit, value


def shown_limit(unit: Unit, value: str) -> Text | str:
    """A limit in a message, as code."""
    most = amount(limit_name(unit), value)
    return inline_code(value, _SHOWN) if most is None else limit_words(unit, most)


def limit_words(unit: Unit, most: int) -> Text:
    """An amount of tokens, or of billionths of a dollar, as code."""
    return tr("`{tokens}`", tokens=most) if unit == "tokens" else joined("", "`", said(unit, most), "`")
