"""What people write to name webhooks: as it is stored, as it is shown, and what is suggested while they type."""

import re
from collections.abc import Iterable

import discord

from llmgine.errors import UserError
from llmgine.messages.text import shorten
from llmgine.messages.translatable import tr
from llmgine.messages.visible_text import visible_line
from programs.discord.permissions.webhooks import WebhookAuthor
from programs.discord.setting_specs import NONE

_MOST = 20
_LONGEST_NAME = 40  # characters of the name that a webhook used
# A mention of a bot or of its role, an id, perhaps with the name that was suggested beside it, or a webhook's address.
_NAMED = re.compile(r"<@!?(\d{15,20})>|(\d{15,20})(?:\s*\([^)]*\))?|https://\S+/webhooks/(\d{15,20})/\S+")
_ROLE = re.compile(r"<@&(\d{15,20})>")


def stored(text: str, guild: discord.Guild | None) -> str:
    """The ids of webhooks, or of the bots that they belong to.

    Raises:
        UserError: The text names none; the error says what does.
    """
    if text.lower() == NONE:
        return ""
    if guild is None:
        raise UserError(tr("There are no webhooks in a DM."))
    parts = re.sub(r">\s*<", ">,<", text).split(",")
    names = list(dict.fromkeys(name for part in parts if (name := part.strip())))
    if not 0 < len(names) <= _MOST:
        raise UserError(tr("Name up to {count} webhooks or bots, such as @PluralKit, or type none.", count=_MOST))
    return ",".join(dict.fromkeys(str(_id(name, guild)) for name in names))


def suggested(guild: discord.Guild | None, channel: object, messages: Iterable[discord.Message]) -> list[str]:
    """The bots of a server, and the webhooks that wrote some of these messages in a channel."""
    found = [role.name for role, _ in _bots(guild)]
    for message in messages:
        webhook = WebhookAuthor.of(message)
        if webhook is not None and webhook.application_id is None and message.channel == channel:
            name = re.sub(r"[,()]", " ", visible_line(message.author.name, _LONGEST_NAME))
            found.append(f"{webhook.webhook_id} ({name})")
    return list(dict.fromkeys(found))


def shown(value: str) -> str:
    """The ids in a message: of a bot Discord shows the name."""
    return " ".join(f"<@{one}> (`{one}`)" for one in value.split(","))


def _id(name: str, guild: discord.Guild) -> int:
    found = _found(name, guild)
    if found is None:
        raise UserError(
            tr(
                "There is no bot or webhook {name} here. Mention the bot that the webhooks belong to, such as "
                "@PluralKit, or give a webhook's id, which /why shows for its messages.",
                name=repr(shorten(name, 100)),
            )
        )
    if found == guild.me.id:
        raise UserError(tr("I don't answer myself."))
    member = guild.get_member(found)
    if member is not None and not member.bot:
        raise UserError(tr("{who} is a person, not a bot.", who=member.mention))
    return found


def _found(name: str, guild: discord.Guild) -> int | None:
    named, role = _NAMED.fullmatch(name), _ROLE.fullmatch(name)
    if named is not None:
        return int(named[1] or named[2] or named[3])
    wanted = name.lower().lstrip("@")
    for one, bot_id in _bots(guild):
        if (one.id == int(role[1])) if role is not None else (one.name.lower() == wanted):
            return bot_id
    return None


def _bots(guild: discord.Guild | None) -> list[tuple[discord.Role, int]]:
    """The other bots of a server, as far as their own roles tell of them, each with its id."""
    roles = () if guild is None else guild.roles
    bots = [(role, role.tags.bot_id) for role in roles if role.tags is not None]
    return [(role, bot) for role, bot in bots if bot is not None and guild is not None and bot != guild.me.id]
