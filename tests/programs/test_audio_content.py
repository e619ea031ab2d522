"""Audio told by its bytes: the format, and how long it plays, whatever its sender says."""

import random
import struct
import time

import pytest

from programs.audio_content import MAX_AUDIO, AudioFormat, audio_format, audio_seconds
from tests.cpu import moment, moments
from tests.recordings import MAKERS, flac, mp3, ogg, webm


@pytest.mark.parametrize("kind", sorted(MAKERS))
@pytest.mark.parametrize("seconds", [0.5, 4.0, 61.0])
def test_a_format_and_its_length(kind: str, seconds: float) -> None:
    """Each is told by what it begins with, and says itself how long it plays."""
    data = MAKERS[kind](seconds)
    found = audio_format(data)

    assert found is not None
    assert found.suffix == f".{kind}"
    assert audio_seconds(data, found, claimed=1e9) == pytest.approx(seconds, rel=0.06)


def test_a_tag_is_no_sound() -> None:
    """What MP3 players show of a title is not counted."""
    data = mp3(10, tagged=True)
    found = audio_format(data)

    assert found is not None
    assert audio_seconds(data, found) == pytest.approx(10, rel=0.01)


def test_frames_that_are_counted() -> None:
    """A variable bit rate is told by the number of frames."""
    data = b"\xff\xfb\x90\x00" + bytes(32) + b"Xing\x00\x00\x00\x01" + struct.pack(">I", 1_000) + bytes(100_000)
    found = audio_format(data)

    assert found is not None
    assert audio_seconds(data, found) == pytest.approx(1_000 * 1_152 / 44_100)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"O", b"OggX" + bytes(90), b"RIFF\0\0\0\0WEBP" + bytes(90), b"\x89PNG\r\n\x1a\n", b"%PDF-1.7"),
        *(b"PK\x03\x04", b"\x1f\x8b\x08" + bytes(90), b"MZ" + bytes(90), b"<html>", b"hello", bytes(100)),
        *(b"\xff" * 100, b"\xff\xfe" * 9),
    ],
)
def test_what_is_none(data: bytes) -> None:
    """Other files are no audio, whatever they are called."""
    assert audio_format(data) is None


def test_a_lie_is_not_believed() -> None:
    """25 MB are not "one second", and a few bytes are not a day."""
    large, small = bytes(MAX_AUDIO), ogg(86_400, size=100)
    kind = audio_format(small)
    assert kind is not None

    assert audio_seconds(b"OggS" + large, kind, claimed=1.0) > 400
    assert audio_seconds(small, kind) == 1.0


def test_anything_has_a_length() -> None:
    """Whatever follows a signature, a finite length above zero comes out, and fast."""
    chance = random.Random(19)  # noqa: S311  it only makes files
    heads = [maker(0.2)[:64] for maker in MAKERS.values()] + [flac(1)[:20], webm(1)[:20]]
    nan = b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm" + bytes(20) + b"\x44\x89\x88" + struct.pack(">d", float("nan"))
    begun = time.thread_time()
    for data in [nan, *(chance.choice(heads)[: chance.randint(4, 64)] + chance.randbytes(200) for _ in range(3_000))]:
        found: AudioFormat | None = audio_format(data)
        if found is not None:
            assert 0 < audio_seconds(data, found) <= 10, data

    assert time.thread_time() - begun < 150 * moment()


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_a_large_one_blocks_nobody(kind: str) -> None:
    """25 MB are looked at within five moments of CPU, a tenth of a second."""
    data = MAKERS[kind]() + bytes(MAX_AUDIO)
    found = audio_format(data)
    assert found is not None

    assert moments(lambda: audio_seconds(data, found), 5) <= 5
