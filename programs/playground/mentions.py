"""Whom a text mentions, as far as its sender allows it to ping."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from programs.playground.entities import BOT_ROLE_ID, GUILD_ID
from programs.playground.forms import AllowedMentions

# Discord finds no mentions in code, and none behind a backslash.
_CODE = re.compile(r"\\[^\w\s]|```.+?```|(?<!`)(?P<run>`++).*?(?<!`)(?P=run)(?!`)", re.DOTALL)
_USER = re.compile(r"<@!?(\d{15,20})>")
_ROLE = re.compile(r"<@&(\d{15,20})>")
_EVERYONE = re.compile(r"@(everyone|here)\b")


@dataclass
class Mentions:
    """Whom a message pings."""

    users: list[int] = field(default_factory=list)
    roles: list[int] = field(default_factory=list)
    everyone: bool = False


def find_mentions(
    content: str,
    allowed: AllowedMentions | None,
    *,
    known: set[int],
    roles: Collection[int] = (BOT_ROLE_ID, GUILD_ID),
    may_ping_everyone: bool,
    replied_to: int | None = None,
) -> Mentions:
    """The mentions in `content` that count. No `allowed` at all allows everything, as Discord has it.

    `known` are the users, `roles` the roles that exist here; `replied_to` is the author of the message answered.
    """
    text = _CODE.sub("", content)
    users = dict.fromkeys(int(found) for found in _USER.findall(text))
    found_roles = dict.fromkeys(int(found) for found in _ROLE.findall(text))
    everyone = bool(_EVERYONE.search(text)) and may_ping_everyone
    pings_replied = allowed is None or allowed.replied_user
    if allowed is not None:
        if "users" not in allowed.parse:
            users = {user: None for user in users if user in allowed.users}
        if "roles" not in allowed.parse:
            found_roles = {role: None for role in found_roles if role in allowed.roles}
        everyone = everyone and "everyone" in allowed.parse
    if replied_to is not None and pings_replied:
        users.setdefault(replied_to)
    return Mentions(
        users=[user for user in users if user in known],
        roles=[role for role in found_roles if role in roles],
        everyone=everyone,
    )
