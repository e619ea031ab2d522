"""Real files of each kind, made here: what people attach."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import docx
import openpyxl
import pptx
from PIL import Image, ImageDraw
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject


def image(kind: str = "PNG", size: tuple[int, int] = (32, 24), mode: str = "RGB", **options: Any) -> bytes:
    """An image with a red disc on white."""
    drawn = Image.new("RGBA" if mode == "RGBA" else "RGB", size, "white")
    ImageDraw.Draw(drawn).ellipse((size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2), fill="red")
    written = io.BytesIO()
    drawn.convert(mode).save(written, kind, **options)
    return written.getvalue()


PNG = image()


def several(kind: str) -> bytes:
    """Two images in one file: red and blue."""
    data = io.BytesIO()
    first, second = (Image.new("RGB", (50, 50), colour) for colour in ("red", "blue"))
    first.save(data, kind, save_all=True, append_images=[second])
    return data.getvalue()


def animation(frames: int, kind: str = "GIF") -> bytes:
    """An animation: red at first, then blue."""
    images = [Image.new("RGB", (8, 8), "red" if number == 0 else (number % 250, 0, 255)) for number in range(frames)]
    written = io.BytesIO()
    images[0].save(written, kind, save_all=True, append_images=images[1:])
    return written.getvalue()


def pdf(*pages: str, password: str | None = None) -> bytes:
    """A PDF with a text on each page."""
    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    for text in pages:
        page = writer.add_blank_page(300, 200)
        content = DecodedStreamObject()
        content.set_data(f"BT /F1 12 Tf 20 150 Td ({text}) Tj ET".encode("latin-1"))
        page[NameObject("/Contents")] = writer._add_object(content)
        fonts = DictionaryObject({NameObject("/F1"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    if password is not None:
        writer.encrypt(password, algorithm="RC4-128")
    return _written(writer.write)


def scan(pages: int = 1) -> bytes:
    """A PDF of pages that are only images."""
    drawn = [Image.open(io.BytesIO(image(size=(700, 900)))) for _ in range(pages)]
    written = io.BytesIO()
    drawn[0].save(written, "PDF", save_all=True, append_images=drawn[1:])
    return written.getvalue()


def word() -> bytes:
    """A DOCX with a heading, a table between two paragraphs, and a list."""
    document = docx.Document()
    document.add_heading("Minutes", 1)
    document.add_paragraph("Before the table")
    table = document.add_table(2, 2)
    for row, cells in enumerate((("Who", "What"), ("Ada", "engine"))):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    document.add_paragraph("After the table", style="List Bullet")
    return _written(document.save)


def workbook() -> bytes:
    """An XLSX with two sheets."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Sales"
    sheet.append(["Month", "Sum"])
    sheet.append(["May", 12.5])
    book.create_sheet("Costs").append(["Rent", 7])
    return _written(book.save)


def slides() -> bytes:
    """A PPTX of one slide with notes."""
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    title: Any = slide.shapes.title
    title.text = "Launch"
    body: Any = slide.placeholders[1]
    body.text = "On Thursday"
    notes: Any = slide.notes_slide.notes_text_frame
    notes.text = "Smile"
    return _written(presentation.save)


HTML = b"""<!doctype html>
<html><head><title>Menu</title><style>p { color: red }</style></head>
<body><nav>Home</nav><main><h2>Soups</h2><p>Leek <b>and</b> potato</p><script>alert(1)</script>
<table><tr><th>Soup</th><th>Price</th></tr><tr><td>Leek</td><td>4</td></tr></table></main></body></html>
"""


def changed(archive: bytes, parts: Mapping[str, bytes]) -> bytes:
    """An archive with some of its parts replaced, or added."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, data in parts.items():
            new.writestr(name, data)
    return written.getvalue()


def part(archive: bytes, name: str) -> bytes:
    """One part of an archive."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return opened.read(name)


def with_macros(document: bytes, main: str, macro_type: str) -> bytes:
    """A document as one with macros: with the type of such, and a part that would be the macros."""
    types = part(document, "[Content_Types].xml").replace(main.encode(), macro_type.encode())
    return changed(document, {"[Content_Types].xml": types, "word/vbaProject.bin": b"Sub AutoOpen() evil"})


def _written(save: Any) -> bytes:
    written = io.BytesIO()
    save(written)
    return written.getvalue()
