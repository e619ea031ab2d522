"""Permissions as Discord computes them: the owner, roles, overwrites of the channel, time-outs."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from programs.playground.entities import NO_PERMISSION, Guild, Member, Overwrite, Permission, Role

EVERYTHING = Permission(sum(Permission))
_WITH_A_MESSAGE = Permission.MENTION_EVERYONE | Permission.EMBED_LINKS | Permission.ATTACH_FILES
_WHILE_TIMED_OUT = Permission.VIEW_CHANNEL | Permission.READ_MESSAGE_HISTORY


def permissions(
    guild: Guild, roles: Mapping[int, Role], member: Member, overwrites: Mapping[int, Overwrite], now: datetime
) -> Permission:
    """What a member may do in a channel; the guild as a whole is a channel without overwrites."""
    if member.id == guild.owner_id:
        return EVERYTHING
    held = [roles[guild.id], *(roles[role] for role in member.roles if role in roles)]
    base = NO_PERMISSION
    for role in held:
        base |= role.permissions
    if base & Permission.ADMINISTRATOR:
        return EVERYTHING
    base = _overwritten(base, overwrites, [guild.id])
    base = _overwritten(base, overwrites, [role for role in member.roles if role in roles])
    base = _overwritten(base, overwrites, [member.id])
    if member.timed_out_until is not None and member.timed_out_until > now:
        base &= _WHILE_TIMED_OUT
    return base if base & Permission.VIEW_CHANNEL else NO_PERMISSION


def implied(allowed: Permission, *, in_thread: bool) -> Permission:
    """What is left in a channel where one may not even write."""
    needed = Permission.SEND_MESSAGES_IN_THREADS if in_thread else Permission.SEND_MESSAGES
    return allowed if allowed & needed else allowed & ~_WITH_A_MESSAGE


def _overwritten(base: Permission, overwrites: Mapping[int, Overwrite], of: Iterable[int]) -> Permission:
    """One level: all its denials first, then all it allows."""
    level = [overwrites[one] for one in of if one in overwrites]
    for overwrite in level:
        base &= ~overwrite.deny
    for overwrite in level:
        base |= overwrite.allow
    return base
