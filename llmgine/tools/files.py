"""Files that a tool gives to people beside its text: images, tables, whatever they can save or look at.

async def chart(numbers: list[float]) -> ToolOutput:
    return ToolOutput("The chart shows a peak in May.", [File("chart.png", draw(numbers))])
"""

import asyncio
import mimetypes
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from llmgine.messages.chat_messages import ResultFile, Source
from llmgine.messages.text import clean_text
from llmgine.messages.visible_text import visible_line
from llmgine.tools.file_secrets import without_secrets

MOST_FILES = 10  # of one call; Discord takes no more in a message
MOST_BYTES = 25 * 2**20  # of the files of one call together
_MOST_NAME = 80  # characters
_MOST_NAME_BYTES = 200  # of UTF-8: file systems take 255, and a number may be added
_ANY_TYPE = "application/octet-stream"
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,80}")
_NOT_IN_NAMES = re.compile(r"[<>:\"/\\|?*`]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # names that Windows takes as devices


@dataclass(frozen=True)
class File:
    """A file for people.

    Attributes:
        name: What it is called, with its extension. It is shown without a path and without unusual characters.
        data: What is in it.
        media_type: What it is, such as "image/png"; by default that follows from the name.
    """

    name: str
    data: bytes
    media_type: str = ""

    def __post_init__(self) -> None:
        """Check what a tool gave.

        Raises:
            TypeError: The name is no text, or the data are not bytes.
            ValueError: It is empty.
        """
        if not isinstance(self.name, str) or not isinstance(self.media_type, str):
            raise TypeError("the name and the media type of a file are texts")
        if not isinstance(self.data, bytes):
            raise TypeError(f"the data of a file are bytes, not {type(self.data).__name__}")
        if not self.data:
            raise ValueError(f"the file {self.name!r} is empty")


@dataclass(frozen=True)
class ToolOutput:
    """What a tool returns that gives files or names sources beside its text.

    Attributes:
        text: What the model reads: anything that a tool may return otherwise. It is told the names of the files, too.
        files: What people are given: at most 10 files, of 25 MiB together.
        sources: The pages that the text was taken from. At most 10 are kept, and only plain http and https addresses.
    """

    text: object = None
    files: Sequence[File] = ()
    sources: Sequence[Source] = ()

    def __post_init__(self) -> None:
        """Check what a tool gave.

        Raises:
            TypeError: Something in `files` is no `File`, or something in `sources` no `Source`.
            ValueError: There are too many files, or they are too large.
        """
        files = tuple(self.files)
        if not all(isinstance(one, File) for one in files):
            raise TypeError("the files of a ToolOutput are each a File")
        if not all(isinstance(one, Source) for one in self.sources):
            raise TypeError("the sources of a ToolOutput are each a Source")
        if len(files) > MOST_FILES:
            raise ValueError(f"a call gives at most {MOST_FILES} files, not {len(files)}")
        if sum(len(one.data) for one in files) > MOST_BYTES:
            raise ValueError(f"the files of a call have at most {MOST_BYTES // 2**20} MiB together")
        object.__setattr__(self, "files", files)


def as_output(value: object) -> ToolOutput:
    """What a tool returned, as its text and its files: a `File`, or a list of them, has no text beside.

    Raises:
        ValueError: There are too many files, or they are too large.
    """
    if isinstance(value, ToolOutput):
        return value
    values = value if isinstance(value, list | tuple) else [value]
    files = [one for one in values if isinstance(one, File)]
    return ToolOutput(None, files) if files and len(files) == len(values) else ToolOutput(value)


async def result_files(files: Sequence[File], redact: Callable[[str], str]) -> tuple[ResultFile, ...]:
    """The files as they are stored: with safe names, each its own, and texts without secrets."""
    if not files:
        return ()
    names: list[str] = []
    for file in files:
        names.append(_unlike(safe_name(redact(clean_text(file.name)), file.media_type), names))
    stored = [await asyncio.to_thread(_as_stored, file, name, redact) for file, name in zip(files, names, strict=True)]
    return tuple(stored)


def safe_name(name: str, media_type: str = "") -> str:
    """The name without a path, hidden or special characters, and with an extension if known.

    It has at most 80 characters, and about 200 bytes.
    """
    plain = name.replace("\\", "/").rpartition("/")[2]
    line = _NOT_IN_NAMES.sub("_", visible_line(plain, 8 * _MOST_NAME)).strip(" .")
    stem, dot, extension = line.rpartition(".")
    if not dot or not 0 < len(extension) <= 12 or " " in extension:
        stem, extension = line, (mimetypes.guess_extension(media_type) or "").removeprefix(".")
    room = _MOST_NAME_BYTES - len(extension.encode()) - 1
    stem = stem[: _MOST_NAME - len(extension) - 1].encode()[:room].decode(errors="ignore").strip(" .") or "file"
    whole = f"{stem}.{extension}" if extension else stem
    return f"_{whole}" if _RESERVED.match(whole) else whole


def _unlike(name: str, names: Sequence[str]) -> str:
    """The name, with a number where there is one like it already."""
    path, number, found = PurePosixPath(name), 1, name
    while found.casefold() in {one.casefold() for one in names}:
        number += 1
        found = f"{path.stem}-{number}{path.suffix}"
    return found


def _as_stored(file: File, name: str, redact: Callable[[str], str]) -> ResultFile:
    data = without_secrets(file.data, redact)
    given = file.media_type.strip().lower()
    media_type = given if _MEDIA_TYPE.fullmatch(given) else mimetypes.guess_type(name)[0] or _ANY_TYPE
    return ResultFile(name=name, media_type=media_type, size=len(data), data=data)
