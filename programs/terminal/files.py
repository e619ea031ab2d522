"""Files that go with a message: texts, images and documents, by what is in them."""

import asyncio
import mimetypes
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from llmgine.errors import UserError
from llmgine.messages.commands import Attachment
from programs.audio_content import AUDIO_SUFFIXES, MAX_AUDIO, AudioFormat, audio_format
from programs.files import notices
from programs.files.kinds import HEAD, Family, kind_of
from programs.files.limits import MAX_BYTES, MAX_IMAGES, MAX_TEXT
from programs.files.reading import Content, FileReader
from programs.files.recordings import MAX_RECORDINGS
from programs.terminal.paths import typed_path
from programs.terminal.terminal_text import one_line

MAX_FILES = 20  # of a message
STDIN = "-"  # in place of a file's name

_STDIN_NAME = "standard input"
_UNCLEAR = frozenset({Family.VIDEO, Family.OTHER})  # what may be sound alone
_VIDEO_TRACK = re.compile(rb"V_[A-Z]")  # in WebM


@dataclass(frozen=True)
class Sound:
    """Audio that is made text before the message is sent: its bytes, and which format they are."""

    data: bytes = field(repr=False)
    kind: AudioFormat


@dataclass(frozen=True)
class AttachedFile:
    """A file that was read.

    Attributes:
        attachment: What the model is told of it.
        image: A data URL, where it is an image.
        pages: Scanned pages of a document as data URLs, by their numbers.
        sound: What is in it, where it is audio that has no text yet.
    """

    attachment: Attachment
    image: str | None = None
    pages: dict[int, str] = field(default_factory=dict)
    sound: Sound | None = None

    @property
    def images(self) -> list[str]:
        """All images of it, in their order."""
        return [*([self.image] if self.image is not None else []), *self.pages.values()]

    @property
    def note(self) -> str | None:
        """What of it was cut or left out, as a sentence; None if nothing was."""
        name, note = one_line(self.attachment.name, 100), self.attachment.note
        return None if note is None else f"{name}: {note}."

    @property
    def is_audio(self) -> bool:
        """Whether it is audio, whether or not it has its text already."""
        return self.sound is not None or self.attachment.transcript is not None


def read_file(path: str, *, vision: bool, image_bytes: int, hears: bool = False) -> AttachedFile:
    """Read a file, or the standard input to its end; this blocks, and is not to be called where a loop runs.

    Args:
        path: Where it is; `-` for the standard input.
        vision: Whether the model can read images.
        image_bytes: How many bytes the images of a message may have together, as they are sent.
        hears: Whether audio can be made text.

    Raises:
        UserError: It cannot be read, is too large, or is nothing that a model can read.
    """
    name = _STDIN_NAME if path == STDIN else one_line(Path(path).name, 100)
    try:
        if path == STDIN:
            data = read_stdin(MAX_BYTES + 1)
        else:
            with typed_path(path).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:  # a NUL, a ~name without a user
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{one_line(path, 200)} cannot be read: {reason}.") from error
    if _is_recording(name, data):
        return _as_recording(name, data, hears=hears)
    reader = FileReader(vision=vision, image_bytes=image_bytes, characters=MAX_TEXT, document=MAX_TEXT)
    cut = len(data) > MAX_BYTES
    return _as_attached(name, len(data), asyncio.run(reader.read(data[:MAX_BYTES], cut=cut)))


def read_stdin(most: int) -> bytes:
    """So many bytes of the standard input, or all of them where it has fewer. This blocks.

    Raises:
        OSError: It cannot be read.
    """
    return sys.stdin.buffer.read(most) if sys.stdin else b""


def read_regular(path: str, *, vision: bool, image_bytes: int, hears: bool = False) -> AttachedFile:
    """Read a file as `read_file` does, unless it is a pipe or a device, which may never end.

    Raises:
        UserError: As `read_file`, or it is no regular file.
    """
    try:
        where = typed_path(path)
        special = where.exists() and not where.is_file() and not where.is_dir()
    except (OSError, ValueError, RuntimeError):
        special = False  # reading it says what is wrong
    if special:
        raise UserError(f"{one_line(path, 200)} is not a regular file.")
    return read_file(path, vision=vision, image_bytes=image_bytes, hears=hears)


def require_few(files: Sequence[AttachedFile], image_bytes: int) -> None:
    """Check that files can go with one message, whose images may have so many bytes, as they are sent.

    Raises:
        UserError: They are too many, or too large together.
    """
    if len(files) > MAX_FILES:
        raise UserError(f"A message takes at most {MAX_FILES} files.")
    images = [image for file in files for image in file.images]
    if len(images) > MAX_IMAGES:
        raise UserError(f"A message takes at most {MAX_IMAGES} images. Each scanned page of a document is one.")
    if sum(map(len, images)) > image_bytes:
        raise UserError("The images are too large together. Attach fewer to a message.")
    if sum(file.is_audio for file in files) > MAX_RECORDINGS:
        raise UserError(f"A message takes at most {MAX_RECORDINGS} audio files.")


def prompt_parts(files: Sequence[AttachedFile]) -> tuple[tuple[Attachment, ...], tuple[str, ...]]:
    """The files as a prompt carries them: the attachments, and their images. Each scanned page is one of its own."""
    attachments: list[Attachment] = []
    images: list[str] = []
    for file in files:
        number = None if file.image is None else len(images)
        attachments.append(file.attachment.model_copy(update={"image": number}))
        first = len(images) + (file.image is not None)
        images.extend(file.images)
        attachments.extend(
            Attachment(
                name=f"{file.attachment.name[:80]}, page {page}",
                media_type="image/jpeg",
                size=file.attachment.size,
                image=first + place,
            )
            for place, page in enumerate(file.pages)
        )
    return tuple(attachments), tuple(images)


def no_transcriber(name: str) -> UserError:
    """What is wrong with audio where nothing makes text of it."""
    return UserError(f"{name} is audio, which is only heard where TRANSCRIBE_MODEL is set (see .env.example).")


def _is_recording(name: str, data: bytes) -> bool:
    """Whether a file is to be heard: its bytes say so, or they may be sound or a video and its name says which."""
    family = kind_of(data).family
    if family is Family.AUDIO:
        return True
    if family not in _UNCLEAR or (kind := audio_format(data)) is None:
        return False
    unseen = kind.suffix == ".webm" and _VIDEO_TRACK.search(data, 0, HEAD) is None
    return unseen or name.casefold().endswith(AUDIO_SUFFIXES)


def _as_recording(name: str, data: bytes, *, hears: bool) -> AttachedFile:
    """A file that is to be heard.

    Raises:
        UserError: It cannot be.
    """
    kind = audio_format(data)
    if kind is None:
        raise UserError(f"{name} is audio in no format that is heard: Ogg, MP3, WAV, M4A, WebM or FLAC.")
    if not hears:
        raise no_transcriber(name)
    if len(data) > MAX_AUDIO:
        raise UserError(f"{name} is larger than {MAX_AUDIO // 2**20} MiB.")
    return AttachedFile(Attachment(name=name, media_type=kind.media_type, size=len(data)), sound=Sound(data, kind))


def _as_attached(name: str, size: int, content: Content) -> AttachedFile:
    """What was read, as a file that goes along.

    Raises:
        UserError: Nothing of it can.
    """
    if content.is_left_out:
        raise UserError(_refusal(name, content))
    is_text = content.kind.family is Family.TEXT
    if is_text and content.cut:  # somebody who is at the file can choose the part
        raise UserError(
            f"{name} is larger than {MAX_TEXT // 2**10} KiB, the most that a text file may have. Attach a part of it."
        )
    said = [one.told for one in content.notices]
    if content.cut:
        said.append(notices.cut_after(len(content.text or "")).told)
    pages = notices.of_pages(len(content.pages), content.scanned, vision=True)
    media_type = _media_type(name) if is_text else content.media_type
    facts = Attachment(
        name=name,
        media_type=media_type,
        size=size,
        text=content.text,
        note="; ".join([*said, *([pages.told] if pages else [])]) or None,
    )
    if content.kind.family is Family.IMAGE:
        return AttachedFile(facts, content.images[0])
    return AttachedFile(facts, pages=dict(zip(content.pages, content.images, strict=True)))


def _refusal(name: str, content: Content) -> str:
    """Why nothing of a file can go along."""
    if notices.BLIND in content.notices:
        return f"{name} is an image, and this model can't read images."
    reasons = "; ".join(str(one.shown) for one in content.notices).replace("skipped: ", "")
    if set(content.notices) <= {notices.NEITHER, notices.LARGE}:
        return f"{name} is {reasons}."
    return f"{name} cannot be attached: {reasons}."


def _media_type(name: str) -> str:
    """What a text is by its name."""
    media_type = mimetypes.guess_type(name)[0] or "text/plain"
    return media_type if media_type.startswith(("text/", "application/")) else "text/plain"
