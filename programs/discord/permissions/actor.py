"""Who may do what: by id and by Discord's permissions, never by name."""

import discord

from llmgine.errors import UserError
from llmgine.messages.commands import Author
from llmgine.messages.translatable import tr
from programs.discord.channel_settings import ChannelSettings
from programs.discord.setting_specs import MANAGE_MESSAGES, WHERE, SettingSpec, Where

__all__ = ["MANAGE_MESSAGES"]


def may_write(allowed: discord.Permissions, channel: object) -> bool:
    """Whether these permissions are enough for a message there; threads have one of their own."""
    return allowed.send_messages_in_threads if isinstance(channel, discord.Thread) else allowed.send_messages


def require_writing(interaction: discord.Interaction) -> None:
    """The bot says nothing in a channel for somebody who may not write there.

    Raises:
        UserError: The person may not.
    """
    if interaction.guild_id is not None and not may_write(interaction.permissions, interaction.channel):
        raise UserError(tr("You don't have permission to write here."))


def require_reading(interaction: discord.Interaction) -> None:
    """The bot tells nothing of what was said in a channel to somebody who may not read it there at this moment.

    Raises:
        UserError: The person may not.
    """
    allowed = interaction.permissions
    if interaction.guild_id is not None and not (allowed.view_channel and allowed.read_message_history):
        raise UserError(tr("You don't have permission to read the message history here."))


def require_threads(interaction: discord.Interaction, *, private: bool = False) -> None:
    """The bot opens no thread for somebody who may not open one.

    Raises:
        UserError: The person may not.
    """
    allowed = interaction.permissions
    if not (allowed.create_private_threads if private else allowed.create_public_threads):
        if private:
            raise UserError(tr("You don't have permission to create private threads here."))
        raise UserError(tr("You don't have permission to create threads here."))


def has_role(user: discord.abc.User, settings: ChannelSettings) -> bool:
    """Whether the user has a role that is answered where these settings hold."""
    return not settings.roles or (isinstance(user, discord.Member) and any(map(user.get_role, settings.roles)))


def require_role(interaction: discord.Interaction, settings: ChannelSettings) -> None:
    """What is not answered when it is written is not answered when it is asked by a command or a button either.

    Raises:
        UserError: The person has none of the roles that are answered.
    """
    if interaction.guild_id is not None and not has_role(interaction.user, settings):
        raise UserError(tr("I only answer some roles here (see /settings), and you have none of them."))


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


def require_permission(interaction: discord.Interaction, spec: SettingSpec, where: Where) -> None:
    """Check that the person may change a setting there: by permission, never by name or role.

    Raises:
        UserError: They may not.
    """
    if not may_set(interaction, where, bounds=spec.bounds):
        _, needed = WHERE[where]
        raise UserError(
            tr("Only people with the permission {permission} can change this setting there.", permission=needed)
        )


def may_set(interaction: discord.Interaction, where: Where, *, bounds: bool) -> bool:
    """Whether the person may change a setting there; one that `bounds` the bot's use is not for a thread's owner."""
    channel, user = interaction.channel, interaction.user
    if where == "here":
        owns_thread = isinstance(channel, discord.Thread) and channel.owner_id == user.id
        return interaction.guild_id is None or (owns_thread and not bounds) or is_moderator(user)
    if not isinstance(user, discord.Member):
        return False
    if where == "server":
        return user.guild_permissions.manage_guild
    category = getattr(channel, "category", None)
    return isinstance(category, discord.CategoryChannel) and category.permissions_for(user).manage_channels
