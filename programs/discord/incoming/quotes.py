"""What a message replies to, found for the model: Discord sends it along, or is asked for it."""

import re

import discord

from llmgine.messages.commands import Author, Quote
from llmgine.messages.text import shorten
from llmgine.sessions import SessionStore
from programs.discord.delivery.poster import Channel, Poster
from programs.discord.delivery.refusals import DeliveryRefusedError, UnreachableError
from programs.discord.incoming.found import Found
from programs.discord.mentions import quote_of
from programs.discord.message_parts import FilesOf, Room

_SMALL_PRINT = re.compile(r"^-# .*\n?", re.MULTILINE)
_DELETED = "the message it replies to was deleted"
UNREAD = "the message it replies to cannot be read"


class Quotes:
    """Finds what is replied to."""

    def __init__(self, client: discord.Client, store: SessionStore, poster: Poster) -> None:
        self._client = client
        self._store = store
        self._poster = poster

    async def found(self, message: discord.Message, session_id: str, *, patient: bool) -> Found | None:
        """The message that a message replies to; None where it is the last answer, which the model has before it.

        Args:
            message: The message.
            session_id: Its session.
            patient: Whether to raise where Discord cannot be reached.

        Raises:
            StoreError: Which answer was the last cannot be looked up.
            UnreachableError: Discord cannot be reached.
        """
        reference = message.reference
        if reference is None or reference.type is not discord.MessageReferenceType.reply:
            return None
        if reference.message_id is None or reference.channel_id != message.channel.id:
            return None
        found = Found(message=reference.resolved) if isinstance(reference.resolved, discord.Message) else None
        found = found or await self._fetched(message, reference.message_id, patient=patient)
        replied_to = found.message
        if replied_to is not None and replied_to.author == self._client.user:
            is_last = await self._store.deliveries.is_last_answer(session_id, str(replied_to.id))
            return None if is_last or not without_small_print(replied_to) else found
        return found

    async def author_forwarded(self, message: discord.Message) -> Author | None:
        """Who wrote what a message forwards, for erasing it; None where that is not known, and for the bot itself."""
        reference = message.reference
        if not message.message_snapshots or reference is None or reference.message_id is None:
            return None
        original = reference.cached_message
        channel = self._client.get_channel(reference.channel_id)
        if original is None and isinstance(channel, Channel) and self._poster.permissions.may_read_back(channel.id):
            try:
                original = await self._poster.message(channel, reference.message_id)
            except (DeliveryRefusedError, UnreachableError):
                return None
        if original is None or original.author == self._client.user:
            return None
        return Author(id=str(original.author.id), name=original.author.display_name)

    async def _fetched(self, message: discord.Message, message_id: int, *, patient: bool) -> Found:
        if not isinstance(message.channel, Channel):
            return Found(note=UNREAD)
        try:
            replied_to = await self._poster.message(message.channel, message_id)
        except DeliveryRefusedError:
            return Found(note=UNREAD)
        except UnreachableError:
            if patient:
                raise
            return Found(note=UNREAD)
        return Found(message=replied_to, note=_DELETED if replied_to is None else None)


def quote(message: discord.Message, me: discord.ClientUser, longest: int, files: FilesOf, room: Room) -> Quote:
    """A message that is pointed at; of the bot's own answers only the text, without the small print."""
    if message.author == me:
        return Quote(author=None, text=shorten(without_small_print(message), longest))
    return quote_of(message, me, longest, files=files, room=room)


def without_small_print(message: discord.Message) -> str:
    """The text of one of the bot's own messages."""
    return _SMALL_PRINT.sub("", message.content).strip()
