"""What is said of a file that is not read as it is: to the model, and to people."""

from dataclasses import dataclass

from llmgine.messages.translatable import Text, tr
from programs.files.found import Found, Problem
from programs.files.kinds import Family, Kind
from programs.files.limits import MAX_BYTES

INSTALL = "uv sync --group files"  # what installs the readers


@dataclass(frozen=True)
class Notice:
    """One thing that is said of a file.

    Attributes:
        told: What the model is told.
        shown: What people are shown.
    """

    told: str
    shown: Text


def same(shown: Text) -> Notice:
    """What both are told in the same words."""
    return Notice(str(shown).replace("skipped:", "left out:", 1), shown)


NEITHER = Notice("left out: neither text nor an image", tr("skipped: neither text nor an image"))
UNREADABLE = Notice("could not be read", tr("could not be read"))
BLIND = Notice("left out: the model does not see images", tr("skipped: this model can't read images"))
LATIN = same(tr("not UTF-8: read as Latin-1, so letters may be wrong"))
LARGE = same(tr("skipped: larger than {size} MiB", size=MAX_BYTES // 2**20))
COSTLY = same(tr("skipped: reading it takes too much time or memory"))
_DAMAGED_IMAGE = same(tr("skipped: the image is damaged"))
_DAMAGED = same(tr("skipped: the file is damaged"))
_SVG = same(tr("an SVG image: only its source text is read"))
_PROBLEMS = {
    Problem.ENCRYPTED: same(tr("skipped: it is protected by a password")),
    Problem.PIXELS: same(tr("skipped: the image has too many pixels")),
    Problem.UNPACKED: same(tr("skipped: it unpacks to more than I read")),
    Problem.ARCHIVE: same(tr("skipped: an archive; attach the files in it")),
    Problem.NO_TEXT: same(tr("skipped: there is no text in it")),
}


def cut_after(characters: int) -> Notice:
    """There is more text than the model is shown."""
    return same(tr("cut after its first {characters} characters", characters=characters))


def of_kind(kind: Kind) -> Notice:
    """A file of a kind that is not read."""
    if kind.family is Family.AUDIO:
        return same(tr("skipped: I can't listen to audio"))
    if kind.family is Family.VIDEO:
        return same(tr("skipped: I can't watch videos"))
    if kind.media_type.startswith("image/"):
        return same(tr("skipped: {name} images are not read; attach it as PNG or JPEG", name=kind.name))
    if kind.media_type == "application/x-archive" or kind.name == "tar":
        return _PROBLEMS[Problem.ARCHIVE]
    if kind.name == "RTF":
        return _other_document(kind.name)
    return NEITHER


def of_text(kind: Kind) -> tuple[Notice, ...]:
    """What is said of a text because of its kind."""
    return (_SVG,) if kind.name == "SVG" else ()


def of_found(found: Found, kind: Kind, *, vision: bool) -> tuple[Notice, ...]:
    """What is said of a file that was read, or that could not be."""
    if found.problem is not None:
        return (_of_problem(found.problem, found, kind, vision=vision),)
    notices = []
    if found.first_page:
        notices.append(same(tr("an image of several pages: only its first one is shown to the model")))
    if found.first_frame:
        notices.append(same(tr("an animation: only its first frame is shown to the model")))
    if found.part:
        notices.append(same(tr("the image is damaged: only a part of it is shown to the model")))
    if found.macros:
        notices.append(same(tr("its macros are not read")))
    return tuple(notices)


def of_pages(shown: int, scanned: int, *, vision: bool) -> Notice | None:
    """Pages that were scanned and are not all shown; None where they are."""
    if shown >= scanned:
        return None
    if shown:
        text = tr(
            "only {shown} of its {scanned} pages without text are shown to the model as images",
            shown=shown,
            scanned=scanned,
        )
        return same(text)
    if not vision:
        return same(tr("its {scanned} pages without text are left out: this model can't read images", scanned=scanned))
    return same(tr("its {scanned} pages without text are left out", scanned=scanned))


def _of_problem(problem: Problem, found: Found, kind: Kind, *, vision: bool) -> Notice:
    name = found.name or kind.name
    if problem is Problem.NO_READERS:
        return same(tr("skipped: the readers of {name} files are not installed: {command}", name=name, command=INSTALL))
    if problem is Problem.OLD_OFFICE:
        text = tr("skipped: it is in a format of the old Office; save it as DOCX, XLSX, PPTX or PDF")
        return same(text)
    if problem is Problem.OTHER_DOCUMENT:
        return _other_document(name)
    if problem is Problem.BROKEN:
        return _DAMAGED_IMAGE if kind.family is Family.IMAGE else _DAMAGED
    if problem is Problem.NO_TEXT and found.scanned and not vision:
        return same(tr("skipped: its pages are scanned, and this model can't read images"))
    return _PROBLEMS[problem]


def _other_document(name: str) -> Notice:
    return same(tr("skipped: {name} files are not read; save it as DOCX or PDF", name=name))
