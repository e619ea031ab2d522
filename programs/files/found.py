"""What the process that reads a file found in it: what crosses from there to here, as JSON."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum

CPU_SECONDS = 10.0  # after so long what was read until then is all that is read


class Problem(StrEnum):
    """Why nothing was read."""

    NO_READERS = "no readers"
    """The libraries that read it are not installed."""
    BROKEN = "broken"
    """It is damaged, or not what it begins like."""
    ENCRYPTED = "encrypted"
    """It is protected by a password."""
    PIXELS = "pixels"
    """The image has more pixels than are unpacked."""
    UNPACKED = "unpacked"
    """It is packed of more than is unpacked."""
    OLD_OFFICE = "old Office"
    """It is in the formats that Office wrote until 2003."""
    OTHER_DOCUMENT = "other document"
    """It is a document of another program; `Found.name` says of which."""
    ARCHIVE = "archive"
    """It is an archive, which nobody unpacks."""
    NO_TEXT = "no text"
    """There is no text in it, and no scanned page that can be shown."""


@dataclass
class Found:
    """What was found in a file.

    Attributes:
        media_type: What the file is; "" if it is what it began like.
        name: What people call it, or "".
        text: Its text; None where it has none.
        images: Data URLs: the image itself, or scanned pages.
        pages: The number of the page of each image; empty where the file is an image.
        problem: Why nothing was read.
        cut: Whether there is more text.
        first_frame: Whether it is an animation, of which this is the first frame.
        first_page: Whether the image has more pages than this first one.
        part: Whether the image is damaged, and this is what can be seen of it.
        macros: Whether it has macros, which nobody looks at.
        scanned: How many of its pages have no text.
        total: How many pages it has.
    """

    media_type: str = ""
    name: str = ""
    text: str | None = None
    images: list[str] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    problem: Problem | None = None
    cut: bool = False
    first_frame: bool = False
    first_page: bool = False
    part: bool = False
    macros: bool = False
    scanned: int = 0
    total: int = 0

    def as_json(self) -> str:
        """All of it as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, told: str) -> "Found":
        """What `as_json` wrote.

        Raises:
            ValueError: It is something else.
        """
        try:
            found = cls(**json.loads(told))
            found.problem = None if found.problem is None else Problem(found.problem)
        except TypeError as error:
            raise ValueError("this is not what was found in a file") from error
        return found


class ProblemError(Exception):
    """Nothing can be read of the file."""

    def __init__(self, problem: Problem, media_type: str = "", name: str = "") -> None:
        super().__init__(problem)
        self.found = Found(media_type=media_type, name=name, problem=problem)


def collected(pieces: Iterable[str], most: int, *, between: str = "\n\n") -> tuple[str, bool]:
    """Texts that are not empty, at most so many characters, and whether there is more.

    No more is read once there are enough, or the time is used up.
    """
    taken: list[str] = []
    length = 0
    for piece in pieces:
        text = piece.strip("\n")
        if not text.strip():
            continue
        taken.append(text)
        length += len(text) + len(between)
        if length - len(between) > most or time.process_time() > CPU_SECONDS:
            return between.join(taken)[:most], True
    return between.join(taken), False


def table(rows: Iterable[Iterable[str]]) -> str:
    """Rows as a table of Markdown; empty cells at their ends are left out."""
    lines = []
    for row in rows:
        cells = [" ".join(cell.split()).replace("|", "\\|") for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            lines.append(cells)
    if not lines:
        return ""
    width = max(map(len, lines))
    head = lines[0] + [""] * (width - len(lines[0]))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * width, *lines[1:]))
