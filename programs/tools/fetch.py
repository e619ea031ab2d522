"""The tool that reads a page of the web, or a document there: its main text as Markdown."""

import asyncio
import codecs
from typing import Annotated

import aiohttp
from pydantic import Field
from yarl import URL

from llmgine.errors import ToolError
from llmgine.messages.chat_messages import Source
from llmgine.messages.text import shorten
from llmgine.tools.files import ToolOutput
from llmgine.tools.tool import Tool
from programs.files.kinds import HEAD, HTML, TEXT, kind_of
from programs.files.limits import MAX_BYTES, MAX_HTML
from programs.files.reading import Content, FileReader
from programs.files.texts import extends_ascii
from programs.guarded_http import BlockedAddressError, Fetched, GuardedHttp, UnwantedAnswerError
from programs.tools.robots import Robots

_SECONDS = 25.0  # for a page, with its redirects and the robots.txt of each
_READING = 30.0  # seconds in which its text is found
_AT_ONCE = 8  # pages, of up to 25 MiB each until they are read
_PIECE = 2**16  # bytes that are decoded at once
_MOST_READ = 200_000  # characters of a page or document
_MOST_TOLD = 14_000  # bytes of UTF-8 that one call tells

Address = Annotated[str, Field(min_length=1, max_length=2_000)]
Begin = Annotated[int, Field(ge=0, le=_MOST_READ)]


class _NotAllowedError(Exception):
    """The robots.txt of a site forbids it."""


def fetch_tool(http: GuardedHttp, *, name: str = "fetch_url") -> Tool:
    """The tool `fetch_url`.

    Args:
        http: Fetches; it introduces itself as `robots.AGENT`.
        name: Another name for the tool.
    """
    site = _Web(http)

    async def fetch_url(url: Address, begin: Begin = 0) -> ToolOutput:
        """Read a web page, or a PDF or Office document on the web. Give its address where your answer uses it.

        Args:
            url: The whole address, as in https://example.com/page.
            begin: The character to begin at, for more of a long text.
        """
        address, content = await site.read(url)
        told = [f"From {address}:", *(f"[{one.told}]" for one in content.notices), _piece(content, begin)]
        return ToolOutput("\n\n".join(told), sources=[Source(title=_title(content), url=str(address))])

    return Tool.from_function(fetch_url, name=name, idempotent=True, reads_outside=True, timeout=_SECONDS + _READING)


class _Web:
    """Reads what is at an address."""

    def __init__(self, http: GuardedHttp) -> None:
        self._http = http
        self._robots = Robots(http)
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._reader = FileReader(vision=False, image_bytes=0, characters=_MOST_READ, document=_MOST_READ)

    async def read(self, url: str) -> tuple[URL, Content]:
        """What is there, and where that is after redirects.

        Raises:
            ToolError: It may not be fetched, cannot be, or has no text.
        """
        async with self._places:
            return await self._read(url)

    async def _read(self, url: str) -> tuple[URL, Content]:
        fetched = await self._fetched(url)
        if not 200 <= fetched.status < 300:
            raise ToolError(f"{fetched.url.host} answered with status {fetched.status}, so there is nothing to read")
        content = await self._reader.read(await _in_utf8(fetched), cut=fetched.cut, address=str(fetched.url))
        if not (content.text or "").strip():
            why = "; ".join(one.told for one in content.notices) or "there is no text in it"
            raise ToolError(f"what is at {fetched.url} cannot be read: {why}")
        return fetched.url, content

    async def _fetched(self, url: str) -> Fetched:
        try:
            return await self._http.fetch(
                url,
                most=MAX_BYTES,
                seconds=_SECONDS,
                redirects="any",
                first=HEAD,
                wanted=self._reader.bytes_wanted,
                before=self._check,
            )
        except _NotAllowedError as error:
            raise ToolError(f"{error} does not allow programs to read this page (robots.txt)") from error
        except BlockedAddressError as error:  # not what a name stands for: that would tell of networks here
            raise ToolError("only public addresses of http and https are read, on ports 80 and 443") from error
        except TimeoutError as error:
            raise ToolError("the site did not answer in time: try again later") from error
        except UnwantedAnswerError as error:
            raise ToolError(f"the answer cannot be read: {error}") from error
        except ValueError as error:
            raise ToolError(f"{shorten(url, 100)!r} is no address: write it as in https://example.com/page") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ToolError("the site cannot be reached: check the address, or try again later") from error

    async def _check(self, url: URL) -> None:
        """Before each request: whether the site allows it."""
        if not await self._robots.allows(url):
            raise _NotAllowedError(url.host)


async def _in_utf8(fetched: Fetched) -> bytes:
    """A text in UTF-8 where its server names its encoding, which counts more than what a page says of itself.

    Piece by piece, with others' turns in between: to leave out a byte that has no meaning takes very long.
    """
    name = fetched.charset
    if name is None or not extends_ascii(name) or kind_of(fetched.body) not in (TEXT, HTML):
        return fetched.body
    body, text = fetched.body[: MAX_HTML + 1], bytearray()
    decoder = codecs.getincrementaldecoder(name)("ignore")
    for begin in range(0, len(body), _PIECE):
        piece = decoder.decode(body[begin : begin + _PIECE], final=begin + _PIECE >= len(body))
        text += piece.encode(errors="ignore")
        await asyncio.sleep(0)
    return bytes(text)


def _piece(content: Content, begin: int) -> str:
    """As much of a text as one call tells, and where the rest begins."""
    text = content.text or ""
    piece = text[begin : begin + _MOST_TOLD].encode()[:_MOST_TOLD].decode(errors="ignore")
    end = begin + len(piece)
    if not begin and end == len(text) and not content.cut:
        return piece
    more = f"; for more, call again with begin={end}" if end < len(text) else ""
    total = f"{len(text):,}{' that are read' if content.cut else ''}"
    return f"{piece}\n\n[characters {begin:,} to {end:,} of {total}{more}]"


def _title(content: Content) -> str:
    """What a page calls itself; "" for what has no title."""
    first = (content.text or "").partition("\n")[0]
    return first.removeprefix("# ") if content.kind.name == "HTML" and first.startswith("# ") else ""
