"""What is in an audio file, by its bytes alone: which format it is, and how long it plays."""

import re
import struct
from dataclasses import dataclass

MAX_AUDIO = 25 * 2**20  # bytes; more, no transcription service takes
# Names of files that may be audio, whatever type Discord or a browser gave them.
AUDIO_SUFFIXES = (".ogg", ".oga", ".opus", ".mp3", ".m4a", ".wav", ".weba", ".flac", ".aac", ".amr", ".wma", ".aiff")

_DENSEST = 6_000  # bytes of a second, for what says nothing of its length: 48 kbit/s, as voice messages have
_THINNEST = 500  # bytes of a second that speech has at least
_THICKEST, _THICKEST_LOSSLESS = 64_000, 1_500_000  # and that any sound has at most

_MP3_RATES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)  # kbit/s of MPEG 1, layer III
_MP3_LOW_RATES = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)  # of MPEG 2 and 2.5
_MP3_FRAME = re.compile(rb"\xff[\xe2-\xe3\xf2-\xf3\xfa-\xfb][\x10-\xef]")


@dataclass(frozen=True)
class AudioFormat:
    """A format that transcription services take: its media type, and the suffix by which they know it."""

    media_type: str
    suffix: str


_OGG = AudioFormat("audio/ogg", ".ogg")
_MP3 = AudioFormat("audio/mpeg", ".mp3")
_WAV = AudioFormat("audio/wav", ".wav")
_M4A = AudioFormat("audio/mp4", ".m4a")
_WEBM = AudioFormat("audio/webm", ".webm")
_FLAC = AudioFormat("audio/flac", ".flac")


def audio_format(data: bytes) -> AudioFormat | None:
    """The format of Ogg, MP3, WAV, M4A, WebM or FLAC audio; None for anything else."""
    if data.startswith(b"OggS"):
        return _OGG
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return _WAV
    if data.startswith(b"fLaC"):
        return _FLAC
    if data.startswith(b"\x1a\x45\xdf\xa3") and b"webm" in data[:64]:
        return _WEBM
    if data[4:8] == b"ftyp":
        return _M4A
    return _MP3 if data.startswith(b"ID3") or _MP3_FRAME.match(data) else None


def audio_seconds(data: bytes, kind: AudioFormat, claimed: float | None = None) -> float:
    """How long a file plays, in seconds, as it says itself, or as somebody claims; about, where neither does.

    What is said is only believed as far as so many bytes can play so long: nobody hides an hour behind "one second".
    """
    told = _TOLD[kind](data)
    if told is None or not told > 0:
        told = claimed if claimed is not None and claimed > 0 else len(data) / _DENSEST
    thickest = _THICKEST_LOSSLESS if kind in (_WAV, _FLAC) else _THICKEST
    return min(max(told, len(data) / thickest), max(1.0, len(data) / _THINNEST))


def _of_ogg(data: bytes) -> float | None:
    """The position of the last page, by the rate of the codec."""
    last = data.rfind(b"OggS")
    if len(data) < last + 14:
        return None
    position = int.from_bytes(data[last + 6 : last + 14], "little", signed=True)
    vorbis = data.find(b"\x01vorbis", 0, 200)
    rate = int.from_bytes(data[vorbis + 12 : vorbis + 16], "little") if vorbis >= 0 else 48_000
    return position / rate if rate else None


def _of_wav(data: bytes) -> float | None:
    """The bytes of its samples, by how many a second has."""
    header = data.find(b"fmt ", 12, 4_096)
    if header < 0 or len(data) < header + 20:
        return None
    rate = int.from_bytes(data[header + 16 : header + 20], "little")
    return len(data) / rate if rate else None


def _of_flac(data: bytes) -> float | None:
    """The number of samples in its first block, by their rate."""
    if len(data) < 26:
        return None
    packed = int.from_bytes(data[18:26], "big")
    rate, samples = packed >> 44, packed & (2**36 - 1)
    return samples / rate if rate else None


def _of_mp3(data: bytes) -> float | None:
    """Its bytes by the bit rate of its first frame, or the number of frames where it says that."""
    start = 0
    if data.startswith(b"ID3") and len(data) > 10:
        size = 0
        for byte in data[6:10]:
            size = size << 7 | byte & 0x7F
        start = 10 + size
    frame = _MP3_FRAME.search(data, start, start + 4_096)
    if frame is None:
        return None
    first, second = data[frame.start() + 1], data[frame.start() + 2]
    is_first_version = first & 0x18 == 0x18
    marks = [data.find(mark, frame.start(), frame.start() + 64) for mark in (b"Xing", b"Info")]
    place = max(marks)
    rates = (44_100, 48_000, 32_000, 0) if is_first_version else (22_050, 24_000, 16_000, 0)
    rate = rates[second >> 2 & 3]
    if place >= 0 and rate and len(data) > place + 12 and data[place + 7] & 1:
        frames = int.from_bytes(data[place + 8 : place + 12], "big")
        return frames * (1_152 if is_first_version else 576) / rate
    kilobits = (_MP3_RATES if is_first_version else _MP3_LOW_RATES)[second >> 4]
    return (len(data) - start) / (kilobits * 125) if kilobits else None


def _of_m4a(data: bytes) -> float | None:
    """What the header of the film says, which audio has too."""
    box = data.find(b"mvhd")
    if box < 0 or len(data) < box + 36:
        return None
    if data[box + 4] == 1:
        scale, length = struct.unpack_from(">IQ", data, box + 24)
    else:
        scale, length = struct.unpack_from(">II", data, box + 16)
    return length / scale if scale else None


def _of_webm(data: bytes) -> float | None:
    """The length in its head, in milliseconds unless it says otherwise, which nothing that records speech does."""
    place = data.find(b"\x44\x89", 0, 4_096)
    if place < 0 or len(data) < place + 11:
        return None
    form = {0x84: ">f", 0x88: ">d"}.get(data[place + 2])
    return float(struct.unpack_from(form, data, place + 3)[0]) / 1_000 if form else None


_TOLD = {_OGG: _of_ogg, _WAV: _of_wav, _FLAC: _of_flac, _MP3: _of_mp3, _M4A: _of_m4a, _WEBM: _of_webm}
