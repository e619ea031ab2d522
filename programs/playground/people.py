"""What a person does in the playground: the page's API and tests both act through this."""

from programs.playground.actions import Actions
from programs.playground.application_commands import Commands
from programs.playground.entities import Channel, Flag, Json, Message, Permission
from programs.playground.errors import ApiError, unknown
from programs.playground.forms import (
    FORWARD,
    MAX_CONTENT,
    MAX_CONTENT_NITRO,
    AllowedMentions,
    MessageForm,
    MessageReference,
    PostForm,
    ThreadChanges,
    ThreadForm,
    read,
)
from programs.playground.interactions import Interactions
from programs.playground.message_extras import vote
from programs.playground.pins import Pins
from programs.playground.posting import Posting, Upload
from programs.playground.reactions import require_emoji, require_reactable
from programs.playground.state import State
from programs.playground.threads import Threads

# People may ping whom they like; only the ping of a reply is theirs to switch off.
_PINGS = ("users", "roles", "everyone")


class People(Actions):
    """Writing and threads here, interactions in `Actions`.

    Every method raises `ApiError`, as Discord answers a client that does the same.
    """

    def __init__(
        self,
        state: State,
        *,
        posting: Posting,
        threads: Threads,
        pins: Pins,
        commands: Commands,
        interactions: Interactions,
    ) -> None:
        super().__init__(state, commands, interactions)
        self._posting = posting
        self._threads = threads
        self._pins = pins

    def send(
        self,
        channel_id: int,
        user_id: int,
        content: str = "",
        *,
        reply_to: int | None = None,
        ping: bool = True,
        nonce: str | None = None,
        nitro: bool = False,
        uploads: tuple[Upload, ...] = (),
        voice: tuple[float, str] | None = None,
        poll: Json | None = None,
        stickers: tuple[int, ...] = (),
        forward: tuple[int, int] | None = None,
    ) -> Message:
        """Send up to 2000 characters (4000 with Nitro), files, a poll, stickers by id, or several of these.

        With `voice`, its length in seconds and its waveform, the one file is a voice message. `poll` is as Discord's
        API takes it; `forward` is the channel and the id of a message that is forwarded.
        """
        form: Json = {
            "content": content,
            "allowed_mentions": AllowedMentions(parse=list(_PINGS), replied_user=ping),
            "enforce_nonce": nonce is not None,
            "poll": poll,
            "sticker_ids": list(stickers),
        }
        if nonce is not None:
            form["nonce"] = nonce
        if voice is not None:
            form["flags"] = int(Flag.IS_VOICE_MESSAGE)
            seconds, waveform = voice
            form["attachments"] = [{"id": one.index, "duration_secs": seconds, "waveform": waveform} for one in uploads]
        if reply_to is not None:
            form["message_reference"] = MessageReference(message_id=reply_to)
        elif forward is not None:
            form["message_reference"] = MessageReference(type=FORWARD, channel_id=forward[0], message_id=forward[1])
        longest = MAX_CONTENT_NITRO if nitro else MAX_CONTENT
        checked: MessageForm = read(MessageForm, form)
        return self._posting.create(
            self._channel(channel_id, user_id), self._state.person(user_id), checked, uploads, max_content=longest
        )

    def edit(self, channel_id: int, message_id: int, user_id: int, content: str) -> Message:
        """Edit a message of the person's own. Raises 50005 for another's, 10008 where there is none."""
        message = self._own(channel_id, message_id, user_id, "Cannot edit a message authored by another user")
        form: MessageForm = read(
            MessageForm, {"content": content, "allowed_mentions": AllowedMentions(parse=list(_PINGS))}
        )
        return self._posting.edit(message, form)

    def delete(self, channel_id: int, message_id: int, user_id: int) -> None:
        """Delete an own message, or dismiss an ephemeral one."""
        channel = self._channel(channel_id, user_id)
        message = self._state.message(channel, message_id, user_id)
        if message.ephemeral_to != user_id:
            message = self._own(channel_id, message_id, user_id, "Cannot delete a message authored by another user")
            self._posting.require_open(channel)
        self._state.delete_message(message)

    def react(self, channel_id: int, message_id: int, user_id: int, emoji: str) -> None:
        """Add a reaction. Raises 50013 where the person may not, 10014 for what is no emoji."""
        message = self._reactable(channel_id, message_id, user_id)
        if emoji not in message.reactions:
            self._state.require(user_id, self._state.channels[channel_id], Permission.ADD_REACTIONS)
        require_reactable(message, require_emoji(emoji))
        self._state.add_reaction(message, emoji, user_id)

    def unreact(self, channel_id: int, message_id: int, user_id: int, emoji: str) -> None:
        """Remove the person's reaction; where there is none nothing happens."""
        self._state.remove_reaction(self._reactable(channel_id, message_id, user_id), emoji, user_id)

    def pins(self, channel_id: int, user_id: int) -> list[Message]:
        """The last pinned first."""
        return self._pins.of(self._channel(channel_id, user_id))

    def pin(self, channel_id: int, message_id: int, user_id: int) -> None:
        """Pin a message. Raises 50013 where the person may not."""
        channel = self._channel(channel_id, user_id)
        self._pins.pin(channel, self._state.message(channel, message_id, user_id), user_id)

    def unpin(self, channel_id: int, message_id: int, user_id: int) -> None:
        """Unpin a message. Raises 50013 where the person may not."""
        channel = self._channel(channel_id, user_id)
        self._pins.unpin(channel, self._state.message(channel, message_id, user_id), user_id)

    def vote(self, channel_id: int, message_id: int, user_id: int, answer: int) -> None:
        """Choose an answer of a poll, counted from 1; where only one may be chosen, in place of another."""
        channel = self._channel(channel_id, user_id)
        vote(self._state, channel, self._state.message(channel, message_id, user_id), user_id, answer)

    def typing(self, channel_id: int, user_id: int) -> None:
        """Show that the person types."""
        self._state.typing(self._channel(channel_id, user_id), self._state.person(user_id))

    def create_thread(
        self, channel_id: int, user_id: int, name: str, *, message_id: int | None = None, private: bool = False
    ) -> Channel:
        """Open a thread, from a message or alone, and return it. Raises 50013 where the person may not."""
        channel = self._channel(channel_id, user_id)
        form: ThreadForm = read(ThreadForm, {"name": name, "type": 12 if private else 11})
        if message_id is None:
            return self._threads.alone(channel, self._state.person(user_id), form)
        message = self._state.message(channel, message_id, user_id)
        return self._threads.from_message(message, self._state.person(user_id), form)

    def create_post(
        self,
        forum_id: int,
        user_id: int,
        name: str,
        content: str = "",
        *,
        uploads: tuple[Upload, ...] = (),
        tags: tuple[int, ...] = (),
    ) -> Channel:
        """A thread in a forum, with its first message: a text, files, or both; `tags` are ids of the forum's."""
        about = {"name": name, "message": MessageForm(content=content), "applied_tags": list(tags)}
        form: PostForm = read(PostForm, about)
        return self._threads.post(self._channel(forum_id, user_id), self._state.person(user_id), form, uploads)

    def change_thread(self, thread_id: int, user_id: int, changes: ThreadChanges) -> Channel:
        """Rename, archive or lock."""
        channel = self._channel(thread_id, user_id)
        self._threads.change(channel, self._state.person(user_id), changes)
        return channel

    def delete_thread(self, thread_id: int, user_id: int) -> None:
        """Delete a thread. Raises 50013 where the person may not, 10003 where it is no thread."""
        channel = self._channel(thread_id, user_id)
        if channel.thread is None:
            raise unknown("Channel")
        self._state.require(user_id, channel, Permission.MANAGE_THREADS)
        self._state.delete_thread(channel)

    def open_dm(self, user_id: int) -> Channel:
        """The person's channel with the bot, made on first use."""
        return self._state.open_dm(self._state.person(user_id))

    def _channel(self, channel_id: int, user_id: int) -> Channel:
        return self._state.channel(channel_id, self._state.person(user_id))

    def _own(self, channel_id: int, message_id: int, user_id: int, refusal: str) -> Message:
        message = self._state.message(self._channel(channel_id, user_id), message_id, user_id)
        if message.author_id != user_id:
            raise ApiError(403, 50005, refusal)
        return message

    def _reactable(self, channel_id: int, message_id: int, user_id: int) -> Message:
        channel = self._channel(channel_id, user_id)
        self._posting.require_open(channel)
        return self._state.message(channel, message_id, user_id)
