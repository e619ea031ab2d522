"""What the command line asks for once: a question and its files, read before anything is started."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from llmgine.errors import UserError
from programs.files.limits import MAX_TEXT
from programs.files.texts import decoded
from programs.terminal.command_line import Options, UsageError
from programs.terminal.files import STDIN, AttachedFile, read_file, read_stdin, require_few

_PATIENCE = 3.0  # seconds until a person is told what is waited for


@dataclass(frozen=True)
class Asked:
    """The question, None for a chat, and the files that go with the first message."""

    question: str | None
    files: tuple[AttachedFile, ...]


def read_asked(options: Options, *, vision: bool, image_bytes: int, hears: bool = False) -> Asked:
    """Read the files, and what is piped in beside a question. This blocks, so that Ctrl-C ends it at once.

    Args:
        options: The command line.
        vision: Whether the model can read images.
        image_bytes: How many bytes its images may have together, as they are sent.
        hears: Whether audio can be made text.

    Raises:
        UsageError: A file cannot be used, or there is no question where there should be one.
    """
    question, names = options.question, options.files
    if question not in {None, STDIN} and STDIN not in names and not (sys.stdin and os.isatty(sys.stdin.fileno())):
        names = [*names, STDIN]
    try:
        files = [
            (name, _read(name, vision=vision, image_bytes=image_bytes, hears=hears)) for name in dict.fromkeys(names)
        ]
        if question == STDIN:
            question = _read_question()
        # A program that nobody pipes anything into often has an empty input.
        kept = tuple(file for name, file in files if name != STDIN or file.attachment.size)
        require_few(kept, image_bytes)
    except UserError as error:
        raise UsageError(str(error)) from error
    if question is not None and not question.strip():
        raise UsageError("The question is empty.")
    return Asked(question, kept)


def _read(name: str, *, vision: bool, image_bytes: int, hears: bool) -> AttachedFile:
    with _patience() if name == STDIN else nullcontext():
        return read_file(name, vision=vision, image_bytes=image_bytes, hears=hears)


def _read_question() -> str:
    """A question that is piped in. It is always text, whatever it looks like: HTML is no document then.

    Raises:
        UserError: It is no text, or too long.
    """
    try:
        with _patience():
            data = read_stdin(MAX_TEXT + 1)
    except (OSError, ValueError) as error:
        raise UserError(f"The standard input cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    read = decoded(data[:MAX_TEXT], cut=len(data) > MAX_TEXT)
    if read is None:
        raise UserError("A question is text. Attach other files with --file - beside one.")
    if len(data) > MAX_TEXT:
        raise UserError(f"The question is larger than {MAX_TEXT // 2**10} KiB. Ask a shorter one.")
    return read[0]


@contextmanager
def _patience() -> Iterator[None]:
    """Say what is waited for where it takes long: whoever started this program may never end its input."""
    text = "note: Reading the standard input to its end; add < /dev/null to ask without it.\n"
    timer = threading.Timer(_PATIENCE, sys.stderr.write, [text])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
