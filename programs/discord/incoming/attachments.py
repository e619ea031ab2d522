"""The files of a message: read from Discord before it is admitted, within limits, and trusted in nothing."""

import asyncio
import functools
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp
import discord
from yarl import URL

from llmgine.engine.transcribing import Transcriber
from llmgine.messages.commands import Attachment
from llmgine.messages.translatable import joined, tr
from programs.discord.incoming.voice import Ear, is_audio, too_many, too_slow, unheard
from programs.files import notices
from programs.files.kinds import HEAD, Family
from programs.files.limits import (
    MAX_BYTES,
    MAX_DOCUMENT,
    MAX_FILES,
    MAX_IMAGES,
    MAX_SHOWN,
    MAX_TEXTS,
    MAX_TOTAL,
)
from programs.files.notices import Notice
from programs.files.reading import Content, FileReader
from programs.files.recordings import MAX_RECORDINGS
from programs.guarded_http import BlockedAddressError, GuardedHttp

_PATIENCE = 30.0  # seconds for all files of a message
_HEARING = 300.0  # seconds for all recordings of a message; what is written after it waits meanwhile
_AT_ONCE = 4  # files that are read side by side, over all channels
_UNCLEAR = frozenset({Family.VIDEO, Family.OTHER})  # what may be audio if Discord says so
_CDN = frozenset({"cdn.discordapp.com", "media.discordapp.net"})

_TOO_MANY = notices.same(tr("skipped: I only read {count} files per message", count=MAX_FILES))
_TOO_MANY_TEXTS = Notice(
    f"left out: {MAX_TEXTS} text files are read of a message",
    tr("skipped: I only read {count} text files per message", count=MAX_TEXTS),
)
_TOO_MANY_IMAGES = Notice(
    f"left out: {MAX_IMAGES} images are shown of a message",
    tr("skipped: the model only gets {count} images per message", count=MAX_IMAGES),
)
_NO_ROOM = notices.same(tr("skipped: the other files of the message have all the text that I read"))

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Files:
    """The files of a message as a prompt carries them; `images` are data URLs."""

    attachments: tuple[Attachment, ...] = ()
    images: tuple[str, ...] = ()


@dataclass
class _Taken:
    """What was taken so far of a message's files, in their order."""

    vision: bool
    attachments: list[Attachment] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    texts: int = 0
    recordings: list[tuple[int, discord.Attachment]] = field(default_factory=list)  # their places among the files
    characters: int = 0

    def leave_out(self, facts: Attachment, *said: Notice) -> None:
        """A file that the model is told of, and shown nothing of."""
        self.attachments.append(_noted(facts, said))

    def take(self, file: discord.Attachment, content: Content | None) -> None:
        """A file that was read, as far as there is room for it; None for one that could not be."""
        facts = _facts(file)
        if content is None:
            self.leave_out(facts, notices.UNREADABLE)
        elif _is_recording(file, content):
            self.recordings.append((len(self.attachments), file))
            self.attachments.append(facts)
        else:
            self._take(facts, content)

    def _take(self, facts: Attachment, content: Content) -> None:
        facts = facts.model_copy(update={"media_type": _media_type(facts.media_type, content)})
        if content.is_left_out:
            self.leave_out(facts, *content.notices)
        elif content.text is not None and self.texts == MAX_TEXTS:
            self.leave_out(facts, _TOO_MANY_TEXTS)
        elif content.text and self.characters == MAX_TOTAL:
            self.leave_out(facts, _NO_ROOM)
        elif content.kind.family is Family.IMAGE:
            self._take_image(facts, content)
        else:
            self._take_text(facts, content)

    def _take_image(self, facts: Attachment, content: Content) -> None:
        if len(self.images) == MAX_IMAGES:
            self.leave_out(facts, _TOO_MANY_IMAGES)
            return
        self.images.extend(content.images)
        self.attachments.append(_noted(facts.model_copy(update={"image": len(self.images) - 1}), content.notices))

    def _take_text(self, facts: Attachment, content: Content) -> None:
        """A text, or a document with its scanned pages: each is one more file, named after it."""
        said = list(content.notices)
        if content.text is not None:
            self.texts += 1
            text = content.text[: MAX_TOTAL - self.characters]
            self.characters += len(text)
            if content.cut or len(text) < len(content.text):
                said.append(notices.cut_after(len(text)))
            facts = facts.model_copy(update={"text": text})
        shown = min(len(content.pages), MAX_IMAGES - len(self.images))
        pages = notices.of_pages(shown, content.scanned, vision=self.vision)
        self.attachments.append(_noted(facts, [*said, *([pages] if pages else [])]))
        for number, image in list(zip(content.pages, content.images, strict=True))[:shown]:
            about = {"name": f"{facts.name[:80]}, page {number}", "media_type": "image/jpeg", "text": None}
            self.attachments.append(facts.model_copy(update={**about, "image": len(self.images)}))
            self.images.append(image)


class AttachmentReader:
    """Reads files from Discord's own hosts.

    Args:
        vision: Whether the model sees images.
        image_bytes: How many bytes the images of a message may have together, as they are sent to the model.
        base: The REST address of another Discord-compatible server, whose files may be read too.
        patience: Seconds for all files of a message, but for what is transcribed.
        transcriber: Makes text of audio; None where nobody does.
    """

    def __init__(
        self,
        *,
        vision: bool,
        image_bytes: int,
        base: str | None = None,
        patience: float = _PATIENCE,
        transcriber: Transcriber | None = None,
    ) -> None:
        self.transcriber = transcriber
        self._vision = vision
        self._reader = FileReader(vision=vision, image_bytes=image_bytes, characters=MAX_SHOWN, document=MAX_DOCUMENT)
        self._base = URL(base).origin() if base else None
        self._http = GuardedHttp(allow=[base] if base else ())
        self._patience = patience
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def read(self, files: Sequence[discord.Attachment], *, ear: Ear | None = None) -> Files:
        """Read the files of a message. Whatever goes wrong with one is its note; none of it keeps a prompt back.

        Args:
            files: The files.
            ear: Who makes text of audio; None where nobody does.

        Raises:
            StoreError: What a transcript costs cannot be counted.
        """
        if not files:
            return Files()
        deadline = asyncio.get_running_loop().time() + self._patience
        taken = _Taken(self._vision)
        reading = [asyncio.create_task(self._content(file, deadline)) for file in files[:MAX_FILES]]
        try:
            for file, task in zip(files, reading, strict=False):
                taken.take(file, await task)
        finally:
            for task in reading:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)
        for file in files[MAX_FILES:]:
            taken.leave_out(_facts(file), _TOO_MANY)
        await self._hear(taken, ear)
        return Files(tuple(taken.attachments), tuple(taken.images))

    async def _hear(self, taken: _Taken, ear: Ear | None) -> None:
        """Make text of the recordings, which takes longer than to read a file and has limits of its own."""
        deadline = asyncio.get_running_loop().time() + _HEARING
        for number, (place, file) in enumerate(taken.recordings):
            facts = taken.attachments[place]
            if ear is None:
                heard = unheard(facts)
            elif number >= MAX_RECORDINGS:
                heard = too_many(facts)
            else:
                try:
                    async with asyncio.timeout_at(deadline):
                        heard = await ear.hear(facts, file.duration, functools.partial(self._download, file.url))
                except TimeoutError:
                    heard = too_slow(facts)
            taken.attachments[place] = heard

    async def _content(self, file: discord.Attachment, deadline: float) -> Content | None:
        """What is in a file; None if it cannot be had."""
        try:
            async with asyncio.timeout_at(deadline), self._slots:
                data, cut = await self._download(file.url)
                return await self._reader.read(data, cut=cut)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            _log.warning("Attachment %s cannot be read: %r", file.id, error)
            return None

    async def _download(self, url: str, most: int | None = None) -> tuple[bytes, bool]:
        """At most so many bytes, or as many as are needed of what the first ones say it is, and if there are more.

        Raises:
            OSError: There is no such file, or its address is none of Discord's.
        """
        where = URL(url)
        ours = self._base is not None and where.origin() == self._base
        if not ours and not (where.scheme == "https" and where.host in _CDN and where.explicit_port in {None, 443}):
            raise BlockedAddressError("it is at no address of Discord's")
        # who calls this has the limit of time
        if most is None:
            wanted = self._reader.bytes_wanted
            fetched = await self._http.fetch(where, most=MAX_BYTES, seconds=None, first=HEAD, wanted=wanted)
        else:
            fetched = await self._http.fetch(where, most=most, seconds=None)
        if fetched.status != 200:
            raise OSError(f"the answer was {fetched.status}")
        return fetched.body, fetched.cut


def _facts(file: discord.Attachment) -> Attachment:
    """What Discord says of a file."""
    return Attachment(
        id=str(file.id),
        name=file.filename,
        media_type=(file.content_type or "unknown type")[:100],
        size=max(0, file.size),
    )


def _is_recording(file: discord.Attachment, content: Content) -> bool:
    """Whether a file is to be heard: its bytes say so, or they say nothing and Discord does."""
    family = content.kind.family
    return file.is_voice_message() or family is Family.AUDIO or (family in _UNCLEAR and is_audio(file))


def _media_type(told: str, content: Content) -> str:
    """What a file is called to be: what its bytes say, and of a text what Discord says if that is a kind of text."""
    if content.kind.family is Family.TEXT and content.text is not None:
        return told if told.startswith(("text/", "application/")) and "octet-stream" not in told else "text/plain"
    return told if content.media_type == "application/octet-stream" else content.media_type


def _noted(facts: Attachment, said: Sequence[Notice]) -> Attachment:
    """The file with what is said of it to the model, and what to people."""
    if not said:
        return facts
    told = "; ".join(one.told for one in said)
    return facts.model_copy(update={"note": told, "note_text": joined("; ", *(one.shown for one in said))})
