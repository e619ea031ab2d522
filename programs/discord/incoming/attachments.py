"""The files of a message: read from Discord before it is admitted, within limits, and trusted in nothing."""

import asyncio
import base64
import codecs
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp
import discord
from yarl import URL

from llmgine.messages.commands import Attachment
from llmgine.messages.translatable import Text, joined, tr

MAX_IMAGES, MAX_TEXTS = 4, 4  # of a message
MAX_IMAGE = 4 * 2**20  # bytes
MAX_TEXT = 256 * 2**10  # bytes that are read of a text file
MAX_SHOWN = 20_000  # characters of a text file that the model is shown
_PATIENCE = 15.0  # seconds for all files of a message
_AT_ONCE = 4  # files that are read side by side, over all channels
_CDN = frozenset({"cdn.discordapp.com", "media.discordapp.net"})

# What images begin with; what a file is called says nothing.
_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
# UTF-32's little-endian mark begins with UTF-16's, so it is looked for first.
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_NEITHER = ("audio/", "video/", "font/", "application/pdf", "application/zip", "application/gzip", "application/x-")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Files:
    """The files of a message as a prompt carries them; `images` are data URLs."""

    attachments: tuple[Attachment, ...] = ()
    images: tuple[str, ...] = ()


@dataclass
class _Reading:
    """What was read so far of a message's files."""

    attachments: list[Attachment] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    texts: int = 0


class AttachmentReader:
    """Reads files from Discord's own hosts.

    Args:
        vision: Whether the model sees images.
        base: The REST address of another Discord-compatible server, whose files may be read too.
        patience: Seconds for all files of a message.
    """

    def __init__(self, *, vision: bool, base: str | None = None, patience: float = _PATIENCE) -> None:
        self._vision = vision
        self._base = URL(base).origin() if base else None
        self._patience = patience
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def read(self, files: Sequence[discord.Attachment]) -> Files:
        """Read the files of a message. Whatever goes wrong with one is its note; none of it keeps a prompt back."""
        if not files:
            return Files()
        deadline = asyncio.get_running_loop().time() + self._patience
        reading = _Reading()
        timeout = aiohttp.ClientTimeout(total=None)
        headers = {"Accept-Encoding": "identity"}  # so that the bytes that are counted are those of the file
        async with aiohttp.ClientSession(timeout=timeout, headers=headers, auto_decompress=False) as session:
            for file in files:
                facts = Attachment(
                    id=str(file.id),
                    name=file.filename,
                    media_type=(file.content_type or "unknown type")[:100],
                    size=max(0, file.size),
                )
                try:
                    async with self._slots, asyncio.timeout_at(deadline):
                        reading.attachments.append(await self._take(session, file, facts, reading))
                except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                    _log.warning("Attachment %s cannot be read: %r", file.id, error)
                    reading.attachments.append(_noted(facts, "could not be read", tr("could not be read")))
        return Files(tuple(reading.attachments), tuple(reading.images))

    async def _take(
        self, session: aiohttp.ClientSession, file: discord.Attachment, facts: Attachment, reading: _Reading
    ) -> Attachment:
        """Read one file, if the model can make anything of it."""
        if facts.media_type.startswith("image/"):
            return await self._image(session, file.url, facts, reading)
        if facts.media_type.startswith(_NEITHER):
            return _noted(facts, "left out: neither text nor an image", tr("skipped: neither text nor an image"))
        if reading.texts == MAX_TEXTS:
            shown = tr("skipped: I only read {count} text files per message", count=MAX_TEXTS)
            return _noted(facts, f"left out: {MAX_TEXTS} text files are read of a message", shown)
        reading.texts += 1
        data, cut = await self._download(session, file.url, MAX_TEXT)
        return _text(facts, data, cut=cut)

    async def _image(
        self, session: aiohttp.ClientSession, url: str, facts: Attachment, reading: _Reading
    ) -> Attachment:
        if not self._vision:
            return _noted(facts, "left out: the model does not see images", tr("skipped: this model can't read images"))
        number = len(reading.images)
        if number == MAX_IMAGES:
            shown = tr("skipped: the model only gets {count} images per message", count=MAX_IMAGES)
            return _noted(facts, f"left out: {MAX_IMAGES} images are shown of a message", shown)
        data, cut = await self._download(session, url, MAX_IMAGE)
        if cut:
            shown = tr("skipped: larger than {size} MiB", size=MAX_IMAGE // 2**20)
            return _noted(facts, f"left out: larger than {MAX_IMAGE // 2**20} MiB", shown)
        kind = _kind_of(data)
        if kind is None:
            shown = tr("skipped: not a PNG, JPEG, GIF or WebP image")
            return _noted(facts, "left out: no PNG, JPEG, GIF or WebP image", shown)
        reading.images.append(f"data:{kind};base64,{base64.b64encode(data).decode()}")
        return facts.model_copy(update={"image": number})

    async def _download(self, session: aiohttp.ClientSession, url: str, most: int) -> tuple[bytes, bool]:
        """At most so many bytes, counted as they come, and whether there are more.

        Raises:
            ValueError: It is no address of Discord's.
        """
        where = URL(url)
        ours = self._base is not None and where.origin() == self._base
        if not ours and not (where.scheme == "https" and where.host in _CDN and where.explicit_port in {None, 443}):
            raise ValueError("it is at no address of Discord's")
        data = bytearray()
        async with session.get(where, allow_redirects=False) as response:
            if response.status != 200 or "Content-Encoding" in response.headers:
                raise OSError(f"the answer was {response.status}, or not the bare file")
            async for chunk in response.content.iter_chunked(2**16):
                data += chunk
                if len(data) > most:
                    return bytes(data[:most]), True
        return bytes(data), False


def _noted(facts: Attachment, note: str, shown: Text) -> Attachment:
    """The file with what is said of it to the model, and what to people."""
    return facts.model_copy(update={"note": note, "note_text": shown})


def _kind_of(data: bytes) -> str | None:
    """The type of an image, by how it begins."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for signature, kind in _SIGNATURES.items() if data.startswith(signature)), None)


def _text(facts: Attachment, data: bytes, *, cut: bool) -> Attachment:
    """A text file; what is no text is left out, and what is not read as it was written is said."""
    decoded = _decode(data, cut=cut)
    if decoded is None:
        return _noted(facts, "left out: neither text nor an image", tr("skipped: neither text nor an image"))
    text, notes = decoded
    if cut or len(text) > MAX_SHOWN:
        text = text[:MAX_SHOWN]
        notes = [*notes, tr("cut after its first {characters} characters", characters=len(text))]
    if not notes:
        return facts.model_copy(update={"text": text})
    return _noted(facts.model_copy(update={"text": text}), "; ".join(map(str, notes)), joined("; ", *notes))


def _decode(data: bytes, *, cut: bool) -> tuple[str, list[Text]] | None:
    """A text and what is to be said of its encoding; None for what is no text.

    A cut may be in the middle of a character, which is left away.
    """
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in data:
        return None
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data, final=not cut), []
    except UnicodeDecodeError:
        if encoding != "utf-8":
            return None
    # Every byte means something in Latin-1; whether it is what was meant nobody can say.
    return data.decode("latin-1"), [tr("not UTF-8: read as Latin-1, so letters may be wrong")]
