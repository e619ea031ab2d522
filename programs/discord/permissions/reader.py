"""Whether the author of a message may read what it points at: what is not known is not read."""

import discord

from programs.discord.ids import Place
from programs.discord.permissions.members import Members
from programs.discord.visibility import everyone_reads


async def author_reads(message: discord.Message, place: Place, members: Members) -> bool:
    """Whether the author of a message reads the history of its channel, thread or DM.

    Args:
        message: The message.
        place: Where it was written.
        members: Finds the author as a member.

    Raises:
        UnreachableError: Discord cannot be asked for the member.
    """
    if place.is_dm:
        return True
    if message.webhook_id is not None:  # whoever is behind it reads no more than everybody
        return everyone_reads(message.channel)
    guild = message.guild
    around = None if guild is None else guild.get_channel(place.parent_id or place.channel_id)
    if guild is None or around is None:
        return False
    author = message.author if isinstance(message.author, discord.Member) else await members.get(guild, message.author)
    if author is None:
        return False
    allowed = around.permissions_for(author)
    return allowed.view_channel and allowed.read_message_history
