"""What is read of documents and images, whatever they are called."""

import base64
import io
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from programs.files import limits
from programs.files.found import Found
from programs.files.limits import MAX_DOCUMENT, MAX_SIDE
from programs.files.notices import INSTALL
from tests.programs.files import examples
from tests.programs.files.conftest import Read, reader


def opened(url: str) -> Image.Image:
    """The image that a model would see."""
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))


def colour(image: Image.Image, x: int, y: int) -> bytes:
    """Red, green and blue of a pixel."""
    return image.convert("RGB").crop((x, y, x + 1, y + 1)).tobytes()


async def test_a_pdf_is_text_by_page(read: Read) -> None:
    """Each page says which it is."""
    content = await read(examples.pdf("first words", "more words"))

    assert content.text == "[page 1]\nfirst words\n\n[page 2]\nmore words"
    assert (content.media_type, content.images, content.notices) == ("application/pdf", (), ())


async def test_a_docx_is_text_in_its_order(read: Read) -> None:
    """A table is where it was, between its paragraphs; headings and lists are marked."""
    content = await read(examples.word())

    table = "| Who | What |\n| --- | --- |\n| Ada | engine |"
    assert content.text == f"# Minutes\n\nBefore the table\n\n{table}\n\n- After the table"
    assert content.media_type.endswith("wordprocessingml.document")


async def test_changes_that_were_tracked_and_controls_are_read(read: Read) -> None:
    """What was inserted is there, what was deleted is not, and a form's fields are text."""
    document = examples.word()
    body = (
        b"<w:p><w:ins w:id='1' w:author='a'><w:r><w:t>inserted</w:t></w:r></w:ins>"
        b"<w:del w:id='2' w:author='a'><w:r><w:delText>deleted</w:delText></w:r></w:del></w:p>"
        b"<w:sdt><w:sdtContent><w:p><w:r><w:t>field</w:t></w:r></w:p></w:sdtContent></w:sdt><w:p>"
    )
    xml = examples.part(document, "word/document.xml").replace(b"<w:p>", body, 1)

    content = await read(examples.changed(document, {"word/document.xml": xml}))

    assert content.text is not None
    assert content.text.startswith("inserted\n\nfield\n\n# Minutes")


async def test_an_xlsx_is_tables(read: Read) -> None:
    """One for each sheet, with its name."""
    content = await read(examples.workbook())

    assert content.text == (
        "## Sales\n| Month | Sum |\n| --- | --- |\n| May | 12.5 |\n## Costs\n| Rent | 7 |\n| --- | --- |"
    )


async def test_a_pptx_is_slides_with_notes(read: Read) -> None:
    """In their order."""
    content = await read(examples.slides())

    assert content.text == "## Slide 1: Launch\n\nOn Thursday\n\nNotes: Smile"


async def test_a_page_is_markdown(read: Read) -> None:
    """Its title and main part, with its tables; no script and no style."""
    content = await read(examples.HTML)

    table = "| Soup | Price |\n| --- | --- |\n| Leek | 4 |"
    assert content.text == f"# Menu\n\n## Soups\n\nLeek **and** potato\n\n{table}"


@pytest.mark.parametrize(
    ("document", "main", "macro_type"),
    [
        (
            examples.word,
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
            "application/vnd.ms-word.document.macroEnabled.main+xml",
        ),
        (
            examples.workbook,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
            "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
        ),
        (
            examples.slides,
            "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
            "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml",
        ),
    ],
)
async def test_macros_are_never_read(read: Read, document: object, main: str, macro_type: str) -> None:
    """The text of the document is, and it is said that the macros are not."""
    assert callable(document)
    plain = document()

    content = await read(examples.with_macros(plain, main, macro_type))

    assert content.text == (await read(plain)).text
    assert "evil" not in str(content)
    assert [one.told for one in content.notices] == ["its macros are not read"]


async def test_long_documents_are_cut(read: Read) -> None:
    """After so many characters, and nothing is read beyond."""
    content = await read(examples.pdf(*["word " * 600] * 40))

    assert content.text is not None
    assert (len(content.text), content.cut) == (MAX_DOCUMENT, True)


async def test_scanned_pages_are_images(read: Read) -> None:
    """As many as a message may have, with their numbers; a model that sees none is told why."""
    content = await read(examples.scan(6))
    blind = await reader(vision=False).read(examples.scan(2), cut=False)

    assert (content.text, content.pages, content.scanned) == (None, (1, 2, 3, 4), 6)
    assert [opened(url).size for url in content.images] == [(700, 900)] * 4
    assert [one.told for one in blind.notices] == ["left out: its pages are scanned, and this model can't read images"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (examples.pdf("secret", password="x"), "left out: it is protected by a password"),
        (examples.pdf("text")[:300], "left out: the file is damaged"),
        (examples.word()[:2000], "left out: the file is damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "WordDocument".encode("utf-16-le"), "old Office"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        (examples.changed(examples.word(), {"mimetype": b"x"}).replace(b"[Content", b"[Konfent"), "an archive"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "left out: HEIC images are not read; attach it as PNG or JPEG"),
        (b"{\\rtf1 hello}", "left out: RTF files are not read; save it as DOCX or PDF"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\3", "left out: an archive; attach the files in it"),
        (b"\0\0\0\x1cftypisom\0\0\0\0", "left out: I can't watch videos"),
        (b"OggS\0\2" + bytes(20), "left out: I can't listen to audio"),
        (b"<html></html>", "left out: there is no text in it"),
        (examples.PNG[:30], "left out: the image is damaged"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "left out: the image is damaged"),
    ],
)
async def test_what_is_not_read_is_named(read: Read, data: bytes, told: str) -> None:
    """One sentence says why."""
    content = await read(data)

    assert content.is_left_out
    assert told in "; ".join(one.told for one in content.notices)
    assert len(content.notices) == 1


@pytest.mark.parametrize("name", ["epub+zip", "vnd.oasis.opendocument.text"])
async def test_other_documents_are_named(read: Read, name: str) -> None:
    """They say in themselves what they are."""
    content = await read(examples.changed(_EMPTY_ZIP, {"mimetype": f"application/{name}".encode()}))

    assert "files are not read; save it as DOCX or PDF" in content.notices[0].told


_EMPTY_ZIP = b"PK\5\6" + bytes(18)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "ICO", "AVIF"])
async def test_images_are_what_models_take(read: Read, kind: str) -> None:
    """A PNG or a JPEG, not too large, with the same picture on it."""
    size = (128, 96) if kind == "ICO" else (2600, 1950)

    content = await read(examples.image(kind, size, "P" if kind == "GIF" else "RGB"))

    [url] = content.images
    image = opened(url)
    assert image.format in {"PNG", "JPEG"}
    assert max(image.size) <= MAX_SIDE
    red, green, blue = colour(image, int(image.width * 0.375), int(image.height * 0.375))
    assert (red > 200, green < 60, blue < 60) == (True, True, True)


async def test_a_photo_is_upright_and_says_nothing_else(read: Read) -> None:
    """It is turned as the camera says; where and with what it was taken is not sent."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turned
    exif[0x010F] = "Camera of Ada"
    exif.get_ifd(0x8825)[1] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    content = await read(examples.image("JPEG", (200, 100), exif=exif, comment=b"secret comment", icc_profile=profile))

    image = opened(content.images[0])
    assert image.size == (100, 200)
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert b"Ada" not in base64.b64decode(content.images[0].partition(",")[2])


async def test_what_is_transparent_stays_so(read: Read) -> None:
    """A PNG stays one."""
    content = await read(examples.image("PNG", (40, 40), "RGBA"))

    assert opened(content.images[0]).size == (40, 40)


async def test_a_photo_with_a_second_picture_inside_is_a_photo(read: Read) -> None:
    """Phones put a depth map or a thumbnail behind a JPEG, which makes no animation of it."""
    content = await read(examples.several("MPO"))

    assert content.images[0].startswith("data:image/jpeg")
    assert content.notices == ()


async def test_further_pages_of_a_tiff_are_said_to_be_left_out(read: Read) -> None:
    """A fax has many; the model is shown the first one."""
    content = await read(examples.several("TIFF"))

    assert len(content.images) == 1
    assert [one.told for one in content.notices] == [
        "an image of several pages: only its first one is shown to the model"
    ]


async def test_an_animation_is_its_first_frame(read: Read) -> None:
    """And it is said that it is no more."""
    for kind in ("GIF", "WEBP", "PNG"):
        content = await read(examples.animation(3, kind))

        red, _, blue = colour(opened(content.images[0]), 4, 4)
        assert (red > 200, blue < 60) == (True, True)
        assert [one.told for one in content.notices] == ["an animation: only its first frame is shown to the model"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
async def test_an_image_is_made_to_fit(kind: str) -> None:
    """Smaller, rather than left out, where a message may have few bytes."""
    noise = io.BytesIO()
    Image.effect_noise((1500, 1500), 100).convert("RGB").save(noise, kind)

    content = await reader(image_bytes=400_000).read(noise.getvalue(), cut=False)

    assert 20_000 < len(content.images[0]) <= 100_000


async def test_without_readers_the_notice_names_the_command(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Documents are left out; an image that models take as it is goes on as it is."""
    for name in ("PIL", "pypdf", "docx", "openpyxl", "pptx", "bs4", "lxml", "markdownify"):
        (tmp_path / f"{name}.py").write_text("raise ModuleNotFoundError(__name__)")
    monkeypatch.syspath_prepend(tmp_path)

    for data in (examples.pdf("x"), examples.word(), examples.workbook(), examples.slides(), examples.HTML):
        content = await read(data)
        assert content.is_left_out
        assert INSTALL in content.notices[0].told
    assert INSTALL in (await read(examples.image("TIFF"))).notices[0].told
    assert [opened(url).size for url in (await read(examples.PNG)).images] == [(32, 24)]


def test_what_crosses_is_checked() -> None:
    """The other process may be in the hands of a file."""
    assert Found.from_json(Found(text="a", pages=[1]).as_json()) == Found(text="a", pages=[1])
    for told in ("", "[]", '{"evil": 1}', '{"problem": "evil"}'):
        with pytest.raises(ValueError):  # noqa: PT011  whatever it says
            Found.from_json(told)


def test_the_limits_are_those_that_people_are_told() -> None:
    """In the table of docs/using.md and below it."""
    page = " ".join((Path(__file__).parents[3] / "docs" / "using.md").read_text(encoding="utf-8").split())

    for told in (
        f"| {limits.MAX_SHOWN:,} characters |",
        f"{limits.MAX_DOCUMENT:,} characters, {limits.MAX_BYTES // 2**20} MiB |",
        f"at most {limits.MAX_SIDE:,} pixels long",
        f"{limits.MAX_BYTES // 2**20} MiB and {limits.MAX_PIXELS // 10**6} million pixels each",
        f"{limits.MAX_FILES} files are looked at, {limits.MAX_TEXTS} of them texts or documents",
        f"at most {limits.MAX_TOTAL:,} characters together",
        f"have {limits.MAX_TEXT // 2**10} KiB, and of a document {limits.MAX_TEXT:,} characters are read",
    ):
        assert told in page
