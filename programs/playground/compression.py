"""The gateway's transport compression: one stream per connection, flushed after each frame."""

import zlib
from collections.abc import Callable

Compress = Callable[[bytes], bytes]

# A Zstandard stream that never ends: the magic number, no options, and a window of 128 KiB, which bounds a block.
_ZSTD_HEADER = b"\x28\xb5\x2f\xfd\x00\x38"
_ZSTD_BLOCK = 128 * 1024


def stream(kind: str) -> Compress | None:
    """What the `compress` of a gateway address asks for; None for plain text."""
    if kind == "zlib-stream":
        return _zlib_stream()
    return _zstd_stream() if kind == "zstd-stream" else None


def _zlib_stream() -> Compress:
    compressor = zlib.compressobj()
    return lambda data: compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)


def _zstd_stream() -> Compress:
    """Stored blocks: any client can read them, and Python before 3.14 has nothing that could make them smaller."""
    header = [_ZSTD_HEADER]

    def compress(data: bytes) -> bytes:
        blocks = [data[at : at + _ZSTD_BLOCK] for at in range(0, len(data), _ZSTD_BLOCK)]
        begin = header.pop() if header else b""
        return begin + b"".join((len(block) << 3).to_bytes(3, "little") + block for block in blocks)

    return compress
