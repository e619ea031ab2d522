"""What a message points at, gathered for the model: what it forwards and replies to, its thread's start, all files."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple

import discord

from llmgine.messages.commands import Attachment, Material, Quote, ThreadStart
from llmgine.messages.steps import PromptStep
from llmgine.sessions import SessionStore
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.refusals import UnreachableError
from programs.discord.ids import SOURCE, Place
from programs.discord.incoming.attachments import AttachmentReader
from programs.discord.incoming.found import Found
from programs.discord.incoming.quotes import UNREAD, Quotes, quote
from programs.discord.incoming.thread_starts import Start, ThreadStarts
from programs.discord.incoming.voice import Ear
from programs.discord.message_parts import Room, files_in, material_of
from programs.discord.permissions.authorize import Access
from programs.discord.permissions.reader import author_reads

_MOST_REPLIED_TO = 1_000  # characters of a text
_MOST_OF_START = 4_000

# Gives who makes text of the recordings of a message.
Hear = Callable[[], Awaitable[Ear | None]]


class PointedAt(NamedTuple):
    """What a prompt carries beside its text; see `PromptCommand`."""

    quoted: Quote | None
    thread: ThreadStart | None
    material: tuple[Material, ...]
    attachments: tuple[Attachment, ...]
    images: tuple[str, ...]


class Pointing:
    """Gathers what messages point at."""

    def __init__(
        self, client: discord.Client, store: SessionStore, poster: Poster, files: AttachmentReader, access: Access
    ) -> None:
        self._client = client
        self._store = store
        self._files = files
        self._access = access
        self._quotes = Quotes(client, store, poster)
        self._starts = ThreadStarts(client, store, poster)

    async def of(
        self,
        message: discord.Message,
        me: discord.ClientUser,
        place: Place,
        session_id: str,
        *,
        hear: Hear,
        patient: bool,
    ) -> PointedAt:
        """All that a message points at and its author may read.

        Args:
            message: The message.
            me: The bot.
            place: Where it was written.
            session_id: The session it is for.
            hear: Gives who makes text of recordings, if anybody does; asked only where there are files.
            patient: Whether to raise where Discord cannot be reached. Else that is noted for the model.

        Raises:
            StoreError: It cannot be looked up.
            UnreachableError: Discord cannot be reached.
        """
        replied, start = await self._others(message, place, session_id, patient=patient)
        first = None if start is None else start.first
        others = [one.message for one in (replied, first) if one is not None and one.message is not None]
        unstored, stored = await self._unstored(others, me) if others else ([], [])
        wanted = [*files_in(message), *unstored]
        ear = await hear() if wanted else None
        read = await self._files.read(list({file.id: file for file in wanted}.values()), ear=ear)
        files, room = _Read([*read.attachments, *stored]), Room()
        own = files.of(message.attachments)
        author = await self._quotes.author_forwarded(message) if message.message_snapshots else None
        material = list(material_of(message, files.of, room, author=author, is_prompt=True))
        quoted = None
        if replied is not None and replied.message is not None:
            quoted = quote(replied.message, me, _MOST_REPLIED_TO, files.of, room)
        elif replied is not None and replied.note is not None:
            material.append(Material(kind="note", text=replied.note))
        thread = None if start is None else _thread(start, me, files, room)
        return PointedAt(quoted, thread, tuple(material), own, read.images)

    async def _others(
        self, message: discord.Message, place: Place, session_id: str, *, patient: bool
    ) -> tuple[Found | None, Start | None]:
        """What is replied to and what the thread began with, as far as the author may read there."""
        start = await self._starts.found(message, place, session_id, patient=patient)
        replied = await self._quotes.found(message, session_id, patient=patient)
        try:
            if (replied or start) and not await author_reads(message, place, self._access.members):
                return None, None
        except UnreachableError:
            if patient:
                raise
            return (Found(note=UNREAD) if replied else None), None
        return replied, start

    async def _unstored(
        self, messages: Iterable[discord.Message], me: discord.ClientUser
    ) -> tuple[list[discord.Attachment], list[Attachment]]:
        """The files of messages of others that have to be read, and those whose text is stored already.

        Images that are stored are in neither: they are shown again from there.
        """
        files = [file for one in messages if one.author != me for file in files_in(one)]
        with_files = [str(one.id) for one in messages if one.attachments]
        turns = await self._store.turns.known(SOURCE, with_files)
        steps = await self._store.turns.many([turn.id for turn in turns.values()])
        found = [(prompt, file) for turn in steps for prompt in turn.state.prompts for file in prompt.attachments]
        stored = {file.id: _as_file(prompt, file) for prompt, file in found if _has_text(file)}
        known = {*stored, *(file.id for _, file in found if file.image is not None)}
        ids = {str(file.id) for file in files}
        return (
            [file for file in files if str(file.id) not in known],
            [file for id_, file in stored.items() if id_ in ids],
        )


def _has_text(file: Attachment) -> bool:
    return file.text is not None or file.transcript == "prompt"


def _as_file(prompt: PromptStep, file: Attachment) -> Attachment:
    """A file of an earlier prompt as one that is pointed at, with what was said in it where that was the prompt."""
    if file.transcript != "prompt":
        return file
    return file.model_copy(update={"text": prompt.text, "transcript": "file"})


class _Read:
    """The files that were read, each to be given to the first message it came with."""

    def __init__(self, files: Iterable[Attachment]) -> None:
        self._files = list(files)

    def of(self, files: Sequence[discord.Attachment]) -> tuple[Attachment, ...]:
        """Those of a message."""
        ids = {str(file.id) for file in files}
        found = [file for file in self._files if file.id in ids]
        self._files = [file for file in self._files if file.id not in ids]
        return tuple(found)


def _thread(start: Start, me: discord.ClientUser, files: _Read, room: Room) -> ThreadStart:
    first = start.first
    message = None if first is None else first.message
    return ThreadStart(
        title=start.title,
        tags=start.tags,
        first=None if message is None else quote(message, me, _MOST_OF_START, files.of, room),
        note=None if first is None else first.note,
    )
