"""What a file is, by its bytes, and texts in any encoding that these reveal."""

import random

import pytest

from programs.files.kinds import Family, kind_of
from programs.files.texts import decoded
from tests.programs.files import examples


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (examples.PNG, "image/png"),
        (examples.image("JPEG"), "image/jpeg"),
        (examples.image("GIF", mode="P"), "image/gif"),
        (examples.image("WEBP"), "image/webp"),
        (examples.image("BMP"), "image/bmp"),
        (examples.image("TIFF"), "image/tiff"),
        (examples.image("ICO"), "image/x-icon"),
        (examples.image("AVIF"), "image/avif"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "image/heic"),
        (examples.pdf("hello"), "application/pdf"),
        (b"\x01\x02junk\n" + examples.pdf("hello"), "application/pdf"),
        (examples.word(), "application/zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "application/x-ole-storage"),
        (examples.HTML, "text/html"),
        (b"\xef\xbb\xbf  <!-- a page -->\n<HTML>", "text/html"),
        ("<!DOCTYPE html>".encode("utf-16"), "text/html"),
        (b"<?xml version='1.0'?>\n<svg xmlns='a'/>", "image/svg+xml"),
        (b"OggS\0\2" + bytes(30), "audio/ogg"),
        (b"ID3\4\0\0\0\0\0\0", "audio/mpeg"),
        (b"\xff\xfb\x90\x64" + bytes(100), "audio/mpeg"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
        (b"fLaC\0\0\0\x22", "audio/flac"),
        (b"\0\0\0\x1cftypM4A \0\0\0\0", "audio/mp4"),
        (b"\0\0\0\x1cftypisom\0\0\0\0", "video/mp4"),
        (b"\x1a\x45\xdf\xa3\x01\0\0\0A_OPUS\0", "audio/webm"),
        (b"\x1a\x45\xdf\xa3\x01\0\0\0V_VP9\0A_OPUS", "video/webm"),
        (b"".join(b"G" + bytes([n]) + bytes(186) for n in range(5)), "video/mp2t"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "application/x-archive"),
        (b"MZ\x90\0\3\0", "application/x-executable"),
        (b"{\\rtf1\\ansi hello}", "application/rtf"),
        (bytes(range(256)), "application/octet-stream"),
        (bytes(5000), "application/octet-stream"),
    ],
)
def test_a_file_is_what_its_bytes_are(data: bytes, media_type: str) -> None:
    """Whatever it is called."""
    assert kind_of(data).media_type == media_type


@pytest.mark.parametrize(
    "text",
    [
        "export const x = 1",
        "#!/bin/sh\necho hi",
        '{"a": [1]}',
        "BMW, MZ, ID3, GIF89a and RIFF are letters",
        "BMW",
        "ID3 tags",
        "GIF89a is a format",
        "RIFF is another",
        "const page = '<html>'",
        "<!-- no page -->\n<template></template>",
        "",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_text_is_a_text(text: str, encoding: str) -> None:
    """Also one that begins with the letters that other files begin with."""
    data = text.encode(encoding)

    assert kind_of(data).family is Family.TEXT
    assert decoded(data) == (text, True)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", ["hi", "Ωραία μέρα σήμερα", "こんにちは世界、ひらがな 漢字\n", "한국어 문장입니다"])
def test_wide_encodings_need_no_mark(encoding: str, text: str) -> None:
    """Where the zeros are says which it is; a character that is cut off is left out."""
    data = text.encode(encoding)

    assert (kind_of(data).family, decoded(data)) == (Family.TEXT, (text, True))
    assert decoded(data + data[:1], cut=True) == (text, True)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ('<?xml version="1.0" encoding="windows-1251"?><a>Привет</a>'.encode("cp1251"), "Привет"),
        ("# -*- coding: shift_jis -*-\n# 日本".encode("shift_jis"), "日本"),
        ("日本".encode("iso2022_jp"), "日本"),
        ("\ufeff中文".encode("gb18030"), "中文"),
    ],
)
def test_a_declared_encoding_is_used(data: bytes, text: str) -> None:
    """What a text says in ASCII of its own encoding, where it is no UTF-8."""
    read = decoded(data)

    assert read is not None
    assert (text in read[0], read[1]) == (True, True)


@pytest.mark.parametrize("name", ["rot13", "hex", "zip", "utf-16", "idna", "unknown", "unicode_escape", "undefined"])
def test_a_declared_encoding_of_no_text_is_not_used(name: str) -> None:
    """Python has codecs that unpack, and others that read escapes."""
    assert decoded(b"# coding: " + name.encode() + b"\ncaf\xe9 \\x41") == (f"# coding: {name}\ncafé \\x41", False)


def test_binary_files_are_no_texts() -> None:
    """Zeros alone make no text of any length."""
    chance = random.Random(1)  # noqa: S311  the same each time
    for length in range(3, 600):
        data = bytes(chance.choice([0, chance.randrange(256)]) for _ in range(length))
        assert kind_of(data).family is not Family.TEXT, data
