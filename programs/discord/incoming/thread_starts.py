"""What a thread began with: its title, a forum's tags, and the message it was opened from, or that opened the post."""

from dataclasses import dataclass

import discord

from llmgine.errors import UnknownSessionError
from llmgine.sessions import SessionStore
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.refusals import DeliveryRefusedError, UnreachableError
from programs.discord.ids import Kind, Place
from programs.discord.incoming.found import Found

_DELETED = Found(note="the message it began with was deleted")
_UNREAD = Found(note="the message it began with cannot be read")


@dataclass(frozen=True)
class Start:
    """What a thread began with.

    Attributes:
        title: Its name.
        tags: The names of its tags, of a forum post.
        first: The message it began with; None where it began without one, or with the very question.
    """

    title: str
    tags: tuple[str, ...]
    first: Found | None


class ThreadStarts:
    """Finds what threads began with, for their sessions' first prompts."""

    def __init__(self, client: discord.Client, store: SessionStore, poster: Poster) -> None:
        self._client = client
        self._store = store
        self._poster = poster

    async def found(self, message: discord.Message, place: Place, session_id: str, *, patient: bool) -> Start | None:
        """What the thread of a message began with; None outside of threads, and where the model was told before.

        Args:
            message: The message.
            place: Where it was written.
            session_id: Its session.
            patient: Whether to raise where Discord cannot be reached.

        Raises:
            StoreError: Whether the session has turns cannot be looked up.
            UnreachableError: Discord cannot be reached.
        """
        if place.kind is not Kind.THREAD or await self._has_turns(session_id):
            return None
        known = message.channel if isinstance(message.channel, discord.Thread) else None
        thread = known or self._client.get_channel(place.channel_id)
        if not isinstance(thread, discord.Thread):
            return None  # it is archived, and nothing is known of it but its id
        tags = tuple(tag.name for tag in thread.applied_tags)
        try:
            first = await self._first(thread, message)
        except DeliveryRefusedError:
            first = _UNREAD
        except UnreachableError:
            if patient:
                raise
            first = _UNREAD
        return Start(thread.name, tags, first)

    async def _has_turns(self, session_id: str) -> bool:
        try:
            return (await self._store.sessions.get(session_id)).turns > 0
        except UnknownSessionError:
            return False

    async def _first(self, thread: discord.Thread, message: discord.Message) -> Found | None:
        """The message a thread began with, which has its id: in a forum it is in the thread, else in the channel."""
        if message.id == thread.id:
            return None
        if isinstance(thread.parent, discord.ForumChannel):
            opened = await self._poster.message(thread, thread.id)
            return _DELETED if opened is None else Found(message=opened)
        # A thread that was opened from a message begins with a note of Discord's, which stays when that is deleted.
        notes = await self._poster.history(thread, after=thread.id - 1, limit=1)
        if notes is None:
            return _UNREAD
        if not notes or notes[0].type is not discord.MessageType.thread_starter_message:
            return None
        resolved = notes[0].reference.resolved if notes[0].reference is not None else None
        return Found(message=resolved) if isinstance(resolved, discord.Message) else _DELETED
