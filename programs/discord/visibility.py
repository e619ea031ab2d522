"""Which channels the bot, or everybody, can see: what is not known is not seen."""

import discord

# Discord tells of a channel that the bot cannot see under this name. discord.py does not keep the flag that says so.
_HIDDEN_NAME = "___hidden___"


def is_hidden(channel: object) -> bool:
    """Whether the bot cannot see a channel of a server, so that Discord may have told neither its name nor its rights.

    Any channel may be called as hidden ones are, so the name alone says nothing. A category that the bot cannot view is
    told whole where it sees a channel in it.
    """
    seen = channel.parent if isinstance(channel, discord.Thread) else channel
    if isinstance(channel, discord.Thread) and seen is None:
        return True
    if not isinstance(seen, discord.abc.GuildChannel):
        return False
    me = seen.guild.me
    if me is None or seen.permissions_for(me).view_channel:  # pyright: ignore[reportUnnecessaryComparison]
        return me is None
    return seen.name == _HIDDEN_NAME or not isinstance(seen, discord.CategoryChannel)


def everyone_reads(channel: object) -> bool:
    """Whether all members of its server, whatever their roles, read a channel or thread."""
    seen = channel.parent if isinstance(channel, discord.Thread) else channel
    if not isinstance(seen, discord.abc.GuildChannel) or is_hidden(seen):
        return False
    if isinstance(channel, discord.Thread) and channel.is_private():
        return False
    allowed = seen.permissions_for(seen.guild.default_role)
    return allowed.view_channel and allowed.read_message_history
