"""Files that mean no good: each is bounded and named, nothing blocks the loop, and no process is left."""

import asyncio
import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import pytest

from programs.files import reading
from programs.files.limits import MAX_DOCUMENT, MAX_PARTS, MAX_UNPACKED
from tests.programs.files import examples
from tests.programs.files.conftest import Read, children, reader
from tests.waiting import patience


def told(content: reading.Content) -> str:
    """All that is said of a file."""
    return "; ".join(one.told for one in content.notices)


def bomb(document: bytes, name: str, size: int) -> bytes:
    """A document with a part that unpacks to so many bytes."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.namelist():
            if one != name:
                new.writestr(one, old.read(one))
        with new.open(name, "w", force_zip64=True) as part:
            for _ in range(size // 2**20):
                part.write(b" " * 2**20)
    return written.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def huge_png(side: int, depth: int) -> bytes:
    """A PNG of so many pixels by so many, all black, of 1 or 8 bits of grey or 24 bits of colour."""
    packer = zlib.compressobj(1)
    row = bytes(1 + side * depth // 8)
    colour = 2 if depth == 24 else 0
    data = b"".join(packer.compress(row * 100) for _ in range(side // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, min(8, depth), colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


_FONT = b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"


def raw_pdf(pages: int, *, loop: bool = False, content: bytes = b"", packed: bool = False) -> bytes:
    """A PDF with so many pages, each with this content; with a `loop`, its pages contain themselves."""
    kids = " ".join(f"{number + 4} 0 R" for number in range(pages))
    kids = f"{kids} 2 0 R" if loop else kids
    how = b" /Filter /FlateDecode" if packed else b""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {pages} /Kids [{kids}] >>".encode(),
        b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(content), how, content),
        *[b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 3 0 R /Resources %s >>" % _FONT] * pages,
    ]
    written, places = bytearray(b"%PDF-1.7\n"), []
    for number, one in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    begun = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    written += b"".join(b"%010d 00000 n \n" % place for place in places)
    written += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, begun)
    return bytes(written)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (examples.word, "word/document.xml"),
        (examples.workbook, "xl/worksheets/sheet1.xml"),
        (examples.slides, "ppt/presentation.xml"),
    ],
)
async def test_a_zip_bomb_is_not_unpacked(read: Read, make: Callable[[], bytes], name: str) -> None:
    """What it would unpack to is added up first."""
    data = bomb(make(), name, MAX_UNPACKED + 2**20)
    assert len(data) < 2**20

    assert told(await read(data)) == "left out: it unpacks to more than I read"


async def test_a_zip_bomb_within_the_limit_ends_with_its_process(read: Read) -> None:
    """A part of 150 MB is more than the reader of documents has memory or time for, or it is found to be no XML."""
    content = await read(bomb(examples.word(), "word/document.xml", 150 * 2**20))

    assert content.is_left_out
    assert told(content) in {
        "left out: the file is damaged",
        "left out: reading it takes too much time or memory",
    }


async def test_an_archive_that_lies_about_its_size_is_damaged(read: Read) -> None:
    """No more is unpacked than it says."""
    data = bomb(examples.word(), "word/document.xml", 50 * 2**20)
    data = data.replace(struct.pack("<I", 50 * 2**20), struct.pack("<I", 1000))

    assert (await read(data)).is_left_out


async def test_an_archive_of_many_parts_is_not_read(read: Read) -> None:
    """However small they are."""
    data = examples.changed(examples.word(), {f"{number}": b"" for number in range(MAX_PARTS + 1)})

    assert told(await read(data)) == "left out: it unpacks to more than I read"


async def test_entities_that_grow_are_not_filled_in(read: Read) -> None:
    """Nor are those that name a file."""
    document = examples.word()
    grown = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    xml = examples.part(document, "word/document.xml").decode()
    head, _, body = xml.partition("?>")
    evil = f'{head}?><!DOCTYPE a [<!ENTITY e0 "ha"><!ENTITY f SYSTEM "file:///etc/passwd">{grown}]>{body}'
    evil = evil.replace("Before the table", "&e11;&f;Before")

    content = await read(examples.changed(document, {"word/document.xml": evil.encode()}))

    text = content.text or ""
    assert "root:" not in text
    assert "hahaha" not in text
    assert content.is_left_out or "Before" in text


@pytest.mark.parametrize("depth", [1, 8])
async def test_an_image_of_3_600_million_pixels_is_not_unpacked(read: Read, depth: int) -> None:
    """Its size is in its first bytes."""
    data = (
        huge_png(60_000, depth)
        if depth == 1
        else examples.PNG[:16] + struct.pack(">II", 60_000, 60_000) + (examples.PNG[24:])
    )

    content = await read(data)

    assert content.is_left_out
    assert told(content) in {"left out: the image has too many pixels", "left out: the image is damaged"}
    assert depth != 1 or "pixels" in told(content)


async def test_an_image_just_within_the_limit_is_made_small(read: Read) -> None:
    """64 million pixels are unpacked, in the memory that the process has."""
    for depth in (8, 24):
        content = await read(huge_png(8_000, depth))

        assert len(content.images) == 1, told(content)


async def test_an_animation_of_10_000_frames_is_its_first(read: Read) -> None:
    """The others are not looked at."""
    one = examples.animation(2)
    begins = one.index(b"\x21\xf9", one.index(b"\x2c"))
    data = one[:begins] + one[begins:-1] * 10_000 + b"\x3b"

    content = await read(data)

    assert len(content.images) == 1
    assert told(content) == "an animation: only its first frame is shown to the model"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "AVIF", "TIFF", "BMP", "ICO"])
async def test_images_that_end_early_are_named(read: Read, kind: str) -> None:
    """What can be seen is shown as a part, and where that is nothing it is left out."""
    data = examples.image(kind, (64, 64), "P" if kind == "GIF" else "RGB")

    for end in (len(data) // 2, 40, 12):
        content = await read(data[:end])
        assert "damaged" in told(content) or "neither text" in told(content) or content.text is not None, told(content)


async def test_a_pdf_of_10_000_pages_is_cut(read: Read) -> None:
    """So is one whose pages have nothing on them."""
    content = await read(raw_pdf(10_000, content=b"BT /F1 9 Tf (words) Tj ET"))
    empty = await read(raw_pdf(10_000))

    assert content.cut
    assert 0 < len(content.text or "") <= MAX_DOCUMENT
    assert empty.is_left_out


async def test_a_pdf_whose_pages_contain_themselves_ends(read: Read) -> None:
    """It is read, or found to be damaged."""
    content = await read(raw_pdf(3, loop=True, content=b"BT /F1 9 Tf (words) Tj ET"))

    assert content.text is not None or "damaged" in told(content)


async def test_a_pdf_whose_page_unpacks_without_end_is_bounded(read: Read) -> None:
    """A gigabyte of spaces in a megabyte."""
    packed = zlib.compress(b" " * 2**30, 1)

    content = await read(raw_pdf(1, content=packed, packed=True))

    assert content.is_left_out
    assert told(content) != ""


async def test_pages_nested_without_end_are_read(read: Read) -> None:
    """The words in them are there, or it is said that they are not."""
    content = await read(b"<!doctype html><body>" + b"<div>" * 100_000 + b"words" + b"</div>" * 100_000)

    assert "words" in (content.text or "") or content.is_left_out
    assert content.text is not None or told(content) != ""


async def test_a_table_that_says_it_is_endless_is_read(read: Read) -> None:
    """Its dimension is not believed."""
    book = examples.workbook()
    name = "xl/worksheets/sheet1.xml"
    xml = examples.part(book, name).replace(b'<dimension ref="A1:B2"', b'<dimension ref="A1:XFD1048576"')

    content = await read(examples.changed(book, {name: xml.replace(b'<row r="2"', b'<row r="1048576"')}))

    assert content.text is not None
    assert "| May | 12.5 |" in content.text or content.cut or "B2" in content.text


async def test_a_reading_that_is_given_up_leaves_no_process() -> None:
    """When nobody waits for it any more, it is killed."""
    task = asyncio.create_task(reader().read(examples.scan(), cut=False))
    async with patience("a process to begin"):
        while not children():  # noqa: ASYNC110  the system tells nobody
            await asyncio.sleep(0.01)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert children() == []


async def test_several_at_once_are_bounded(read: Read) -> None:
    """Many bombs side by side are no more processes than one may have, and a good file among them is read."""
    evil = bomb(examples.word(), "word/document.xml", MAX_UNPACKED + 2**20)
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, len(children()))
            await asyncio.sleep(0.05)

    watching = asyncio.create_task(watch())
    *others, good = await asyncio.gather(*(read(data) for data in [evil] * 4), read(examples.pdf("still here")))
    watching.cancel()

    assert {told(one) for one in others} == {"left out: it unpacks to more than I read"}
    assert good.text == "[page 1]\nstill here"
    assert most <= 2


async def test_what_takes_too_long_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """And named."""
    monkeypatch.setattr(reading, "_PATIENCE", 0.01)

    content = await reader().read(examples.pdf("slow"), cut=False)

    assert told(content) == "left out: reading it takes too much time or memory"
    assert children() == []
