"""The text of PDF documents, and their scanned pages as images."""

import io
import time
from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError, PdfReadError

from programs.files.found import CPU_SECONDS, Found, Problem, ProblemError, collected
from programs.files.images import as_url
from programs.files.isolated import Limits
from programs.files.limits import MAX_PAGES, MAX_PIXELS

_LITTLE = 10  # characters of a page with less than which it may be scanned
_SMALLEST_SCAN = 300 * 300  # pixels


def read(data: bytes, limits: Limits) -> Found:
    """A PDF.

    Raises:
        ProblemError: It is protected by a password, damaged, or there is nothing to read.
    """
    reader = _opened(data)
    scans: list[int] = []  # the pages with hardly any text
    total = _total(reader)
    found = Found(total=total)
    found.text, found.cut = collected(_texts(reader, scans), limits.characters)
    found.cut = found.cut or total > MAX_PAGES
    found.scanned = len(scans)
    for number in scans:
        if len(found.images) == limits.images or time.process_time() > CPU_SECONDS:
            break
        url = _scan(reader, number, limits.image_bytes)
        if url is not None:
            found.images.append(url)
            found.pages.append(number + 1)
    found.text = found.text or None
    if found.text is None and not found.images:
        found.problem = Problem.NO_TEXT
    return found


def _opened(data: bytes) -> PdfReader:
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):  # some are open to all, and only may not be changed
            raise ProblemError(Problem.ENCRYPTED)
    except (DependencyError, FileNotDecryptedError) as error:
        raise ProblemError(Problem.ENCRYPTED) from error
    except (PdfReadError, OSError, ValueError) as error:
        raise ProblemError(Problem.BROKEN) from error
    return reader


def _total(reader: PdfReader) -> int:
    try:
        return len(reader.pages)
    except (DependencyError, FileNotDecryptedError) as error:
        raise ProblemError(Problem.ENCRYPTED) from error


def _texts(reader: PdfReader, scans: list[int]) -> Iterator[str]:
    for number in range(min(len(reader.pages), MAX_PAGES)):
        text = _text(reader, number)
        if len(text.strip()) < _LITTLE and _largest(reader, number) is not None:
            scans.append(number)
        if text.strip():
            yield f"[page {number + 1}]\n{text.strip()}"
        elif time.process_time() > CPU_SECONDS:
            return


def _text(reader: PdfReader, number: int) -> str:
    try:
        return reader.pages[number].extract_text()
    except MemoryError:
        raise
    except Exception:  # one damaged page is no reason to leave out the others
        return ""


def _scan(reader: PdfReader, number: int, most: int) -> str | None:
    """The largest image of a page, which is the page where it was scanned; None where it cannot be read."""
    try:
        page = reader.pages[number]
        image = page.images[_largest(reader, number) or ""].image
        turn = int(page.get("/Rotate", 0)) // 90 * 90
        return None if image is None else as_url(image, most, lossy=image.format == "JPEG", turn=turn)
    except MemoryError:
        raise
    except Exception:  # as in `_text`
        return None


def _largest(reader: PdfReader, number: int) -> str | None:
    """The name of the largest image of a page; None where none is as large as a page, or it is larger than is read."""
    try:
        resources: Any = reader.pages[number].get("/Resources", {})
        objects = resources.get_object().get("/XObject", {}).get_object()
        sizes = {name: _pixels(objects[name].get_object()) for name in objects}
    except MemoryError:
        raise
    except Exception:  # as in `_text`
        return None
    fit = {name: size for name, size in sizes.items() if _SMALLEST_SCAN <= size <= MAX_PIXELS}
    return max(fit, key=lambda name: fit[name], default=None)


def _pixels(one: Any) -> int:
    return int(one.get("/Width", 0)) * int(one.get("/Height", 0)) if one.get("/Subtype") == "/Image" else 0
