"""What a file is, by its first bytes. Its name and what somebody says of it do not matter."""

import re
from dataclasses import dataclass
from enum import Enum

from programs.files.texts import decoded, has_controls

HEAD = 8192  # bytes that tell what a file is


class Family(Enum):
    """What is done with a file."""

    TEXT = "text"
    """It is decoded: nothing in its bytes says that it is anything else."""
    IMAGE = "image"
    """It is shown as an image, made smaller where it has to be."""
    DOCUMENT = "document"
    """Its text is read out of it."""
    AUDIO = "audio"
    """It is left out, unless somebody writes down what is said in it."""
    VIDEO = "video"
    """It is left out."""
    OTHER = "other"
    """It is left out; `Kind.name` says what it is, as far as that is known."""


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        family: What is done with it.
        media_type: Its media type.
        name: What people call it, such as "PDF"; "" where that is not known.
    """

    family: Family
    media_type: str
    name: str = ""


TEXT = Kind(Family.TEXT, "text/plain")
HTML = Kind(Family.DOCUMENT, "text/html", "HTML")
SVG = Kind(Family.TEXT, "image/svg+xml", "SVG")
PDF = Kind(Family.DOCUMENT, "application/pdf", "PDF")
ZIP = Kind(Family.DOCUMENT, "application/zip", "zip")  # what is in it says whether it is a document
OLE = Kind(Family.DOCUMENT, "application/x-ole-storage", "old Office")
UNKNOWN = Kind(Family.OTHER, "application/octet-stream")

_AVIF = Kind(Family.IMAGE, "image/avif", "AVIF")
_HEIC = Kind(Family.OTHER, "image/heic", "HEIC")
_MP4_AUDIO = Kind(Family.AUDIO, "audio/mp4", "M4A")
_MP4 = Kind(Family.VIDEO, "video/mp4", "MP4")
_MP3 = Kind(Family.AUDIO, "audio/mpeg", "MP3")
_AAC = Kind(Family.AUDIO, "audio/aac", "AAC")
_WAV = Kind(Family.AUDIO, "audio/wav", "WAV")
_WEBM_AUDIO = Kind(Family.AUDIO, "audio/webm", "WebM")
_WEBM = Kind(Family.VIDEO, "video/webm", "WebM")
_ARCHIVES = {
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "RAR",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
}
_PROGRAMS = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa", b"\xca\xfe\xba\xbe", b"\0asm")
# What files begin with. Those of letters alone may begin a text, too: they count only where what follows is none.
_SIGNATURES: dict[bytes, Kind] = {
    b"\x89PNG": Kind(Family.IMAGE, "image/png", "PNG"),
    b"\xff\xd8\xff": Kind(Family.IMAGE, "image/jpeg", "JPEG"),
    b"GIF87a": Kind(Family.IMAGE, "image/gif", "GIF"),
    b"GIF89a": Kind(Family.IMAGE, "image/gif", "GIF"),
    b"II*\0": Kind(Family.IMAGE, "image/tiff", "TIFF"),
    b"MM\0*": Kind(Family.IMAGE, "image/tiff", "TIFF"),
    b"BM": Kind(Family.IMAGE, "image/bmp", "BMP"),
    b"\0\0\1\0": Kind(Family.IMAGE, "image/x-icon", "ICO"),
    b"8BPS": Kind(Family.OTHER, "image/vnd.adobe.photoshop", "Photoshop"),
    b"\xff\x0a": Kind(Family.OTHER, "image/jxl", "JPEG XL"),
    b"\0\0\0\x0cJXL ": Kind(Family.OTHER, "image/jxl", "JPEG XL"),
    b"\0\0\0\x0cjP  ": Kind(Family.OTHER, "image/jp2", "JPEG 2000"),
    b"PK\3\4": ZIP,
    b"PK\5\6": ZIP,
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": OLE,
    b"OggS": Kind(Family.AUDIO, "audio/ogg", "Ogg"),
    b"ID3": _MP3,
    b"fLaC": Kind(Family.AUDIO, "audio/flac", "FLAC"),
    b"#!AMR": Kind(Family.AUDIO, "audio/amr", "AMR"),
    b"FORM": Kind(Family.AUDIO, "audio/aiff", "AIFF"),
    b"FLV\1": Kind(Family.VIDEO, "video/x-flv", "FLV"),
    b"SQLite format 3\0": Kind(Family.OTHER, "application/vnd.sqlite3", "SQLite"),
    b"wOFF": Kind(Family.OTHER, "font/woff", "font"),
    b"wOF2": Kind(Family.OTHER, "font/woff2", "font"),
    b"OTTO": Kind(Family.OTHER, "font/otf", "font"),
    b"\0\1\0\0\0": Kind(Family.OTHER, "font/ttf", "font"),
    **{begin: Kind(Family.OTHER, "application/x-archive", name) for begin, name in _ARCHIVES.items()},
    **{begin: Kind(Family.OTHER, "application/x-executable", "program") for begin in _PROGRAMS},
}
_RIFF = {
    b"WEBP": Kind(Family.IMAGE, "image/webp", "WebP"),
    b"WAVE": _WAV,
    b"AVI ": Kind(Family.VIDEO, "video/x-msvideo", "AVI"),
}
# The brands of files in boxes, as MP4 has them. All others are videos.
_BRANDS = {
    b"avif": _AVIF,
    b"avis": _AVIF,
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevx", b"mif1", b"msf1"), _HEIC),
    **dict.fromkeys((b"M4A ", b"M4B ", b"F4A "), _MP4_AUDIO),
    b"crx ": Kind(Family.OTHER, "image/x-canon-cr3", "raw photo"),
}
_PLAIN = re.compile(rb"[\x20-\x7e]+")  # a signature of letters alone
_MARKUP = re.compile(
    r"(?:\s+|\ufeff|<\?xml[^>]*>|<!--.*?-->)*+<(!doctype\s+html|html|!doctype\s+svg|svg)\b", re.IGNORECASE | re.DOTALL
)


def kind_of(data: bytes) -> Kind:
    """What a file is.

    Args:
        data: Its first `HEAD` bytes, or more.
    """
    head = data[:HEAD]
    read = decoded(head, cut=True)
    text = None if read is None or has_controls(read[0]) else read[0]
    plain = text is not None and read is not None and read[1]  # certainly a text
    if head.startswith(b"%PDF-") or (text is None and b"%PDF-" in head[:1024]):
        return PDF
    if not plain and (boxed := _in_boxes(head)) is not None:
        return boxed
    for signature, kind in _SIGNATURES.items():
        if head.startswith(signature) and not (plain and _PLAIN.fullmatch(signature)):
            return kind
    return _of_binary(head) if text is None else _of_text(text)


def _of_binary(head: bytes) -> Kind:
    """What is known by weaker signs, which a text may have, too."""
    if head[257:262] == b"ustar":
        return Kind(Family.OTHER, "application/x-tar", "tar")
    if len(head) > 564 and {head[0], head[188], head[376], head[564]} == {0x47}:
        return Kind(Family.VIDEO, "video/mp2t", "MPEG-TS")
    if head[:3] == b"\0\0\1" and head[3:4] in {b"\xba", b"\xb3"}:
        return Kind(Family.VIDEO, "video/mpeg", "MPEG")
    return _MP3 if _is_mp3(head) else _AAC if _is_aac(head) else UNKNOWN


def _in_boxes(head: bytes) -> Kind | None:
    """What a RIFF, MP4 or Matroska file is; None for others."""
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], _MP4)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return _WEBM_AUDIO if b"A_" in head and re.search(rb"V_[A-Z]", head) is None else _WEBM
    return None


def _is_mp3(head: bytes) -> bool:
    """Whether a file begins with a frame of MP3: a layer, a bit rate and a sample rate that there are."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    return head[1] & 0x18 != 0x08 and head[1] & 0x06 != 0 and head[2] & 0xF0 not in {0, 0xF0} and head[2] & 0x0C != 0x0C


def _is_aac(head: bytes) -> bool:
    return len(head) > 6 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0


def _of_text(text: str) -> Kind:
    """Which text: a page, an SVG image, RTF, or any other."""
    if text.startswith("{\\rtf"):
        return Kind(Family.OTHER, "application/rtf", "RTF")
    markup = _MARKUP.match(text)
    if markup is None:
        return TEXT
    return HTML if markup[1].lower().endswith("html") else SVG
