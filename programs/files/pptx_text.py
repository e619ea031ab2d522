"""The text of PPTX presentations: slides in their order, with their tables and notes."""

import io
from collections.abc import Iterator
from itertools import islice
from typing import Any

from pptx.opc.package import PartFactory
from pptx.package import Package
from pptx.parts.presentation import PresentationPart

from programs.files.found import collected, table
from programs.files.limits import MAX_PAGES

_MOST_NESTED = 20  # groups inside each other
# Slide shows, templates and those with macros are read as any other; the macros are another part.
for _kind in (
    "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml",
    "application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml",
    "application/vnd.ms-powerpoint.template.macroEnabled.main+xml",
    "application/vnd.openxmlformats-officedocument.presentationml.slideshow.main+xml",
    "application/vnd.openxmlformats-officedocument.presentationml.template.main+xml",
):
    PartFactory.part_type_for[_kind] = PresentationPart


def read(data: bytes, most: int) -> tuple[str, bool]:
    """At most so many characters of the text, and whether there is more."""
    part: Any = Package.open(io.BytesIO(data)).main_document_part
    return collected(_slides(part.presentation), most)


def _slides(presentation: Any) -> Iterator[str]:
    for number, slide in enumerate(islice(presentation.slides, MAX_PAGES), 1):
        title = slide.shapes.title
        words = "" if title is None or not title.has_text_frame else " ".join(title.text_frame.text.split())
        yield f"## Slide {number}{': ' if words else ''}{words}"
        for shape in slide.shapes:
            if title is None or shape.shape_id != title.shape_id:
                yield from _shape(shape)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            notes = slide.notes_slide.notes_text_frame.text.strip()
            if notes:
                yield f"Notes: {notes}"


def _shape(shape: Any, depth: int = 0) -> Iterator[str]:
    if hasattr(shape, "shapes") and depth < _MOST_NESTED:
        for one in shape.shapes:
            yield from _shape(one, depth + 1)
    elif getattr(shape, "has_table", False):
        yield table([cell.text for cell in row.cells] for row in shape.table.rows)
    elif getattr(shape, "has_text_frame", False):
        yield shape.text_frame.text.replace("\v", "\n")
