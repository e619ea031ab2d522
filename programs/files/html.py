"""The text of web pages, as Markdown: all that a file shows, or the main text of a page of the web."""

import re
from urllib.parse import urljoin

from bs4 import BeautifulSoup, Tag
from markdownify import MarkdownConverter
from readability import Document  # type: ignore[import-untyped]  # it has no types
from readability.readability import Unparseable  # type: ignore[import-untyped]  # as above

from programs.files.found import Found, Problem, ProblemError, collected
from programs.files.isolated import Limits
from programs.files.limits import MAX_HTML
from programs.files.texts import decoded

_UNSEEN = ["script", "style", "noscript", "template", "svg", "iframe", "object", "embed", "head", "canvas"]
_LINES = re.compile(r"\n{3,}")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SHORT = 10  # characters; below that a list or a table of the main text is left out
_LEAST = 200  # characters of a main text; less is a caption or a teaser


def read(data: bytes, limits: Limits) -> Found:
    """A page: its title, and what it shows.

    Raises:
        ProblemError: There is nothing to read.
    """
    text = decoded(data[:MAX_HTML], cut=len(data) > MAX_HTML)
    if text is None:
        raise ProblemError(Problem.BROKEN)
    soup = BeautifulSoup(text[0], "lxml")
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    address = limits.address and _base(soup, limits.address)
    for unseen in soup.find_all(_UNSEEN):
        unseen.decompose()
    if address:
        soup = _main_text(soup, address)
    for image in soup.find_all("img"):
        image.replace_with(str(image.get("alt") or ""))
    pieces = [f"# {title}" if title else "", _LINES.sub("\n\n", _markdown(soup)).strip()]
    found = Found()
    found.text, found.cut = collected(pieces, limits.characters)
    found.cut = found.cut or len(data) > MAX_HTML
    if not found.text:
        raise ProblemError(Problem.NO_TEXT)
    return found


def _base(soup: BeautifulSoup, address: str) -> str:
    """What the links of a page begin at, which it may say itself."""
    base = soup.find("base", href=True)
    return _joined(address, str(base["href"])) if isinstance(base, Tag) else address


def _joined(address: str, link: str) -> str:
    """A link, seen from an address; as it is where it is none."""
    try:
        return urljoin(address, link)
    except ValueError:
        return link


def _main_text(soup: BeautifulSoup, address: str) -> BeautifulSoup:
    """The part of a page that it is there for, or all of it where none stands out; without what nobody is shown."""
    for tag in soup.find_all(_is_hidden):
        tag.decompose()
    for link in soup.find_all("a", href=True):
        link["href"] = _joined(address, str(link["href"]))
    try:
        main = BeautifulSoup(Document(str(soup), min_text_length=_SHORT).summary(html_partial=True), "lxml")
    except Unparseable:
        return soup
    return main if len(main.get_text(" ", strip=True)) >= _LEAST else soup


def _is_hidden(tag: Tag) -> bool:
    return tag.has_attr("hidden") or _HIDDEN.search(str(tag.get("style") or "")) is not None


def _markdown(soup: BeautifulSoup) -> str:
    main = soup.find("main") or soup.find("article") or soup.body or soup
    if not isinstance(main, Tag) or not main.get_text(strip=True):
        main = soup
    try:
        return str(MarkdownConverter(heading_style="ATX", escape_underscores=False).convert_soup(main))
    except RecursionError:  # it is nested deeper than any page that somebody reads
        return main.get_text("\n", strip=True)
