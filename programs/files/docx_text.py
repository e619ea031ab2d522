"""The text of DOCX documents: paragraphs, lists, headings and tables in their order."""

import io
from collections.abc import Iterator
from typing import Any

from docx.opc.part import PartFactory
from docx.package import Package
from docx.parts.document import DocumentPart

from programs.files.found import collected, table

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_MOST_NESTED = 20  # tables and frames inside each other
# Documents with macros and templates are read as any other; the macros are another part.
for _kind in (
    "application/vnd.ms-word.document.macroEnabled.main+xml",
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
):
    PartFactory.part_type_for[_kind] = DocumentPart
_CHARACTERS = {_W + "tab": "\t", _W + "br": "\n", _W + "cr": "\n", _W + "noBreakHyphen": "-"}


def read(data: bytes, most: int) -> tuple[str, bool]:
    """At most so many characters of the text, and whether there is more."""
    part: Any = Package.open(io.BytesIO(data)).main_document_part
    names = {style.style_id: style.name or "" for style in part.document.styles}
    return collected(_blocks(part.element.body, names), most)


def _blocks(parent: Any, names: dict[str, str], depth: int = 0) -> Iterator[str]:
    """The paragraphs and tables in an element, also of content controls and of changes that were tracked."""
    for child in parent.iterchildren():
        if child.tag == _W + "p":
            yield _paragraph(child, names)
        elif child.tag == _W + "tbl":
            yield table(_cells(row) for row in child.iterchildren(_W + "tr"))
        elif child.tag in {_W + "sdt", _W + "sdtContent", _W + "ins", _W + "customXml"} and depth < _MOST_NESTED:
            yield from _blocks(child, names, depth + 1)


def _cells(row: Any) -> Iterator[str]:
    for cell in row.iter(_W + "tc"):
        if next(cell.iterancestors(_W + "tr")) is row:  # not of a table inside a cell, which is a part of its text
            yield " ".join(_text(paragraph) for paragraph in cell.iter(_W + "p"))


def _paragraph(paragraph: Any, names: dict[str, str]) -> str:
    text = _text(paragraph)
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    name = "" if style is None else names.get(style.get(_W + "val"), "").lower()
    if not text.strip():
        return ""
    if name.startswith("heading ") and name[8:].isdecimal():
        return f"{'#' * min(6, int(name[8:]))} {text}"
    if name == "title":
        return f"# {text}"
    is_listed = name.startswith("list") or paragraph.find(f"{_W}pPr/{_W}numPr") is not None
    return f"- {text}" if is_listed else text


def _text(paragraph: Any) -> str:
    """The text of a paragraph; what was deleted in it has another tag, and is left out."""
    pieces = []
    for one in paragraph.iter(_W + "t", *_CHARACTERS):
        if one.tag != _W + "t" and next(one.iterancestors(_W + "tabs"), None) is not None:
            continue  # where a tab stops, not a tab
        if next(one.iterancestors(_FALLBACK), None) is None:
            pieces.append(_CHARACTERS.get(one.tag) or one.text or "")
    return "".join(pieces)
