"""Who may do what: by id and by Discord's permissions, never by name."""

import discord

from llmgine.messages.commands import Author


def may_decide(user: discord.abc.User, asker: Author | None) -> bool:
    """The one who asked may, and who may manage messages in the channel."""
    if asker is not None and str(user.id) == asker.id:
        return True
    return is_moderator(user)


def is_moderator(user: discord.abc.User) -> bool:
    """Whether the user may manage messages where the interaction was."""
    if not isinstance(user, discord.Member):
        return False
    here = user.resolved_permissions  # without any permission it is falsy, and must not be taken for missing
    return (user.guild_permissions if here is None else here).manage_messages
