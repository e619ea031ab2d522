"""Audio files for tests, made here: silence in the formats that people send."""

import base64
import struct

WAVEFORM = base64.b64encode(bytes(range(0, 256, 8))).decode()


def ogg(seconds: float = 4.0, size: int | None = None) -> bytes:
    """Ogg Opus, as Discord's voice messages are: a head, and a last page at `seconds`."""

    def page(position: int, body: bytes, kind: int = 0) -> bytes:
        head = struct.pack("<4sBBqIIIB", b"OggS", 0, kind, position, 7, 0, 0, 1)
        return head + bytes([min(len(body), 255)]) + body

    head = b"OpusHead\x01\x01" + struct.pack("<HIhB", 312, 48_000, 0, 0)
    filling = bytes(int(seconds * 4_000) if size is None else size)
    return page(0, head, 2) + filling + page(int(seconds * 48_000), b"\xf8\xff\xfe", 4)


def wav(seconds: float = 1.0) -> bytes:
    """PCM at 8,000 samples a second, 16 bits."""
    data = bytes(int(seconds * 16_000))
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8_000, 16_000, 2, 16)
    return b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVE" + head + b"data" + struct.pack("<I", len(data)) + data


def mp3(seconds: float = 1.0, *, tagged: bool = False) -> bytes:
    """MPEG 1, layer III, 128 kbit/s, 44,100 Hz; with an ID3 tag before it."""
    frame = b"\xff\xfb\x90\x00" + bytes(413)
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10) if tagged else b""
    return tag + frame * max(1, round(seconds * 16_000 / len(frame)))


def flac(seconds: float = 1.0) -> bytes:
    """A head that tells of so many samples at 44,100 Hz."""
    packed = 44_100 << 44 | 0 << 41 | 15 << 36 | int(seconds * 44_100)
    return b"fLaC\x80\x00\x00\x22" + bytes(10) + packed.to_bytes(8, "big") + bytes(16 + int(seconds * 8_000))


def m4a(seconds: float = 1.0) -> bytes:
    """A head that tells how long it is, and data."""
    mvhd = b"mvhd" + bytes(12) + struct.pack(">II", 1_000, int(seconds * 1_000)) + bytes(80)
    return b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00" + bytes(8) + mvhd + bytes(int(seconds * 8_000))


def webm(seconds: float = 1.0) -> bytes:
    """A head that tells how long it is, and data."""
    length = b"\x44\x89\x88" + struct.pack(">d", seconds * 1_000)
    return b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm" + bytes(20) + length + bytes(int(seconds * 8_000))


MAKERS = {"ogg": ogg, "wav": wav, "mp3": mp3, "flac": flac, "m4a": m4a, "webm": webm}
