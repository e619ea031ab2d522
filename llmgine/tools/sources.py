"""The pages that a result was taken from, as they are stored: each with a title on one line and a plain address."""

import re
from collections.abc import Callable, Sequence
from urllib.parse import quote, urlsplit

from llmgine.messages.chat_messages import Source
from llmgine.messages.text import clean_text
from llmgine.messages.visible_text import visible_line

MOST_SOURCES = 10  # of one call
_LONGEST_TITLE = 200  # characters
_LONGEST_URL = 500  # characters
_AS_IT_IS = "-._~:/?#@!$&'()+,;=%"  # in an address; what could end a link in a text is percent-encoded
_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+")


def result_sources(sources: Sequence[Source], redact: Callable[[str], str]) -> tuple[Source, ...]:
    """The sources of a call, each page once.

    One whose address has a secret in it, or is none that anybody can open and read, is left out.

    Args:
        sources: As the tool gave them.
        redact: Takes secrets out of a text.
    """
    kept: dict[str, Source] = {}
    for one in sources:
        url = plain_url(one.url)
        if url is not None and redact(url) == url:
            title = visible_line(redact(clean_text(one.title)), _LONGEST_TITLE)
            kept.setdefault(url, Source(title=title, url=url))
    return tuple(kept.values())[:MOST_SOURCES]


def plain_url(url: str) -> str | None:
    """An address of http or https in plain ASCII, without what could end a link in a text.

    None for any other: one with a user name, without a host, whose host is not written in ASCII, or of more than 500
    characters.
    """
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc or not _HOST.fullmatch(host):
        return None
    rest = url.partition("://")[2][len(parts.netloc) :]
    plain = f"{parts.scheme}://{parts.netloc.lower()}{quote(rest, safe=_AS_IT_IS, errors='ignore')}"
    return plain if len(plain) <= _LONGEST_URL else None
