"""What the bot may do in each channel, as far as that is known without asking Discord."""

import time
from collections.abc import Callable

import discord

from programs.discord.delivery.refusals import NO_PERMISSION, ShutOutError
from programs.discord.permissions.actor import may_write

_REMEMBERED = 600.0  # seconds for which a refusal holds, whatever discord.py knows
_FILE_SIZE = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES

_InAServer = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


class BotPermissions:
    """Permissions, looked up before a request is made: Discord counts the requests it has to refuse.

    Args:
        client: Whose permissions.
        clock: Seconds that never go back.
    """

    def __init__(self, client: discord.Client, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._shut: dict[int, tuple[int, float]] = {}  # the code of a channel's refusal, and until when it holds
        self._without_files: dict[int, float] = {}

    def may_write(self, channel_id: int) -> bool:
        """Whether messages can be posted there; True where nothing is known."""
        return self.shut_out(channel_id) is None

    def shut_out(self, channel_id: int) -> ShutOutError | None:
        """What Discord would answer to a post there, if it would refuse it."""
        code, until = self._shut.get(channel_id, (0, 0.0))
        if self._clock() < until:
            return ShutOutError(code)
        self._shut.pop(channel_id, None)
        allowed = self._permissions(channel_id)
        if allowed is None:
            return None
        writes = may_write(allowed, self._client.get_channel(channel_id))
        return None if allowed.view_channel and writes else ShutOutError(NO_PERMISSION)

    def may_view(self, channel_id: int) -> bool:
        """Whether the channel can be seen; True where nothing is known."""
        allowed = self._permissions(channel_id)
        return allowed is None or allowed.view_channel

    def may_read_back(self, channel_id: int) -> bool:
        """Whether earlier messages can be read there. Where they cannot, Discord answers as if there were none."""
        allowed = self._permissions(channel_id)
        return allowed is None or (allowed.view_channel and allowed.read_message_history)

    def may_embed(self, channel_id: int) -> bool:
        """Whether embeds are shown there; Discord drops them silently where they are not allowed."""
        allowed = self._permissions(channel_id)
        return allowed is None or allowed.embed_links

    def may_attach(self, channel_id: int, size: int) -> bool:
        """Whether a file of so many bytes can be posted there."""
        if self._clock() < self._without_files.get(channel_id, 0.0):
            return False
        allowed = self._permissions(channel_id)
        channel = self._client.get_channel(channel_id)
        limit = channel.guild.filesize_limit if isinstance(channel, _InAServer) else _FILE_SIZE
        return size <= limit and (allowed is None or allowed.attach_files)

    def may_react(self, channel_id: int) -> bool:
        """Whether a message there can be given a reaction nobody has given it yet."""
        allowed = self._permissions(channel_id)
        return allowed is None or (allowed.view_channel and allowed.read_message_history and allowed.add_reactions)

    def note_shut(self, channel_id: int, error: ShutOutError) -> None:
        """Discord does not let the bot write there, whatever it told before."""
        self._shut[channel_id] = error.code, self._clock() + _REMEMBERED

    def note_without_files(self, channel_id: int) -> None:
        """Discord took no file there."""
        self._without_files[channel_id] = self._clock() + _REMEMBERED

    def forget(self) -> None:
        """Permissions have changed somewhere: what was refused before may be allowed now."""
        self._shut.clear()
        self._without_files.clear()

    def _permissions(self, channel_id: int) -> discord.Permissions | None:
        """What is known of the bot's permissions; None in a DM, and of a channel that discord.py does not know."""
        channel = self._client.get_channel(channel_id)
        if not isinstance(channel, _InAServer):
            return None
        me: discord.Member | None = channel.guild.me
        if me is None:  # discord.py has not been told of it yet
            return None
        try:
            return channel.permissions_for(me)
        except discord.ClientException:  # a thread whose channel is not known
            return None
