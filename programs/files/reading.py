"""Reading one file that somebody attached: texts here, images and documents in a process that can be killed.

    reader = FileReader(vision=True, image_bytes=18_000_000, characters=20_000, document=60_000)
    content = await reader.read(data, cut=False)

What a file says of itself is never believed, and what its bytes do to a reader happens in that process alone.
"""

import asyncio
import logging
from dataclasses import dataclass

from llmgine.errors import ToolError
from llmgine.tools.isolation import BrokenLimitError, Isolation, run_isolated_on
from programs.files import notices
from programs.files.found import Found, Problem
from programs.files.images_as_they_are import as_it_is
from programs.files.isolated import read_file
from programs.files.kinds import HEAD, Family, Kind, kind_of
from programs.files.limits import MAX_BYTES, MAX_IMAGE, MAX_IMAGES, MAX_TEXT
from programs.files.notices import Notice
from programs.files.texts import decoded

_LIMITS = Isolation(memory=900_000_000, cpu=20)
_PATIENCE = 25.0  # seconds for the process
_AT_ONCE = 2  # processes side by side
_LONGEST_TEXT = 6  # bytes that JSON may take for a character
_ROOM = 100_000  # bytes of JSON beside texts and images

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Content:
    """What a model can be shown of a file.

    Attributes:
        kind: What it is.
        media_type: Its media type, by its bytes.
        text: Its text; None where it has none, or none is read.
        images: Data URLs: the image itself, or scanned pages of a document.
        pages: The numbers of these pages; empty where the file is an image.
        scanned: How many pages have no text.
        cut: Whether there is more text.
        notices: What is to be said of it.
    """

    kind: Kind
    media_type: str
    text: str | None = None
    images: tuple[str, ...] = ()
    pages: tuple[int, ...] = ()
    scanned: int = 0
    cut: bool = False
    notices: tuple[Notice, ...] = ()

    @property
    def is_left_out(self) -> bool:
        """Whether the model is shown nothing of it."""
        return self.text is None and not self.images


class FileReader:
    """Reads files.

    Args:
        vision: Whether the model sees images.
        image_bytes: How many bytes the images of a message may have together, as they are sent to the model.
        characters: How many characters of a text are read.
        document: How many characters of a document are read.
    """

    def __init__(self, *, vision: bool, image_bytes: int, characters: int, document: int) -> None:
        self._vision = vision
        self._characters = characters
        self._document = document
        self._image_bytes = min(image_bytes // MAX_IMAGES, MAX_IMAGE)
        self._processes = asyncio.Semaphore(_AT_ONCE)

    def bytes_wanted(self, head: bytes) -> int:
        """How many bytes of a file are needed, by its first `HEAD` bytes."""
        kind = kind_of(head)
        if kind.family is Family.TEXT:
            return MAX_TEXT
        if kind.family is Family.DOCUMENT or (kind.family is Family.IMAGE and self._vision):
            return MAX_BYTES
        return HEAD

    async def read(self, data: bytes, *, cut: bool, address: str = "") -> Content:
        """Read a file. Whatever is wrong with it is one of the notices.

        Args:
            data: Its bytes, at most as many as `bytes_wanted`.
            cut: Whether it has more of them.
            address: Where it is on the web: then only the main text of a page is read, with whole links.
        """
        kind = kind_of(data)
        if kind.family is Family.TEXT:
            return self._text(kind, data, cut=cut)
        if kind.family is Family.IMAGE and not self._vision:
            return Content(kind, kind.media_type, notices=(notices.BLIND,))
        if kind.family not in {Family.IMAGE, Family.DOCUMENT}:
            return Content(kind, kind.media_type, notices=(notices.of_kind(kind),))
        if cut:
            return Content(kind, kind.media_type, notices=(notices.LARGE,))
        try:
            found = await self._found(kind, data, address)
        except BrokenLimitError as error:
            _log.warning("A file of type %s cannot be read: %s", kind.media_type, error)
            return Content(kind, kind.media_type, notices=(notices.COSTLY,))
        return self._content(kind, found)

    def _text(self, kind: Kind, data: bytes, *, cut: bool) -> Content:
        read = decoded(data[:MAX_TEXT], cut=cut or len(data) > MAX_TEXT)
        if read is None:
            return Content(kind, kind.media_type, notices=(notices.NEITHER,))
        text, certain = read
        said = (*notices.of_text(kind), *(() if certain else (notices.LATIN,)))
        cut = cut or len(data) > MAX_TEXT or len(text) > self._characters
        return Content(kind, kind.media_type, text=text[: self._characters], cut=cut, notices=said)

    async def _found(self, kind: Kind, data: bytes, address: str) -> Found:
        """What a process of its own finds in the file.

        Raises:
            BrokenLimitError: It took too long, or too much memory.
        """
        images = MAX_IMAGES if self._vision else 0
        options = {
            "media_type": kind.media_type,
            "characters": self._document,
            "images": images,
            "image_bytes": self._image_bytes,
            "address": address,
        }
        most = self._document * _LONGEST_TEXT + MAX_IMAGES * self._image_bytes + _ROOM
        async with self._processes:
            try:
                async with asyncio.timeout(_PATIENCE):
                    told = await run_isolated_on(read_file, data, options, _LIMITS, most=most)
                found = Found.from_json(told)
            except TimeoutError as error:
                raise BrokenLimitError(f"it took more than {_PATIENCE:.0f} seconds") from error
            except BrokenLimitError:
                raise
            except (ToolError, ValueError) as error:
                _log.warning("A file of type %s cannot be read: %s", kind.media_type, error)
                return Found(problem=Problem.BROKEN)
        if found.problem is Problem.NO_READERS and kind.family is Family.IMAGE:
            return as_it_is(kind.media_type, data, self._image_bytes) or found
        return found

    def _content(self, kind: Kind, found: Found) -> Content:
        return Content(
            kind,
            found.media_type or kind.media_type,
            text=found.text,
            images=tuple(found.images),
            pages=tuple(found.pages),
            scanned=found.scanned,
            cut=found.cut,
            notices=notices.of_found(found, kind, vision=self._vision),
        )
