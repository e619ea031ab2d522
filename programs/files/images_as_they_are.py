"""Images as they came, where nothing is installed that makes them smaller."""

import base64

from programs.files.found import Found

_TAKEN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})  # what every service takes


def as_it_is(media_type: str, data: bytes, most: int) -> Found | None:
    """An image that models take without a change; None for any other, and for one of more bytes as it is sent."""
    if media_type not in _TAKEN:
        return None
    url = f"data:{media_type};base64,{base64.b64encode(data).decode()}" if len(data) <= most else ""
    return Found(images=[url]) if url and len(url) <= most else None
