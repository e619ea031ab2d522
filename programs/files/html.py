"""The text of web pages, as Markdown."""

import re

from bs4 import BeautifulSoup, Tag
from markdownify import MarkdownConverter

from programs.files.found import Found, Problem, ProblemError, collected
from programs.files.isolated import Limits
from programs.files.limits import MAX_HTML
from programs.files.texts import decoded

_UNSEEN = ["script", "style", "noscript", "template", "svg", "iframe", "object", "embed", "head", "canvas"]
_LINES = re.compile(r"\n{3,}")


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
    for unseen in soup.find_all(_UNSEEN):
        unseen.decompose()
    for image in soup.find_all("img"):
        image.replace_with(str(image.get("alt") or ""))
    pieces = [f"# {title}" if title else "", _LINES.sub("\n\n", _markdown(soup)).strip()]
    found = Found()
    found.text, found.cut = collected(pieces, limits.characters)
    found.cut = found.cut or len(data) > MAX_HTML
    if not found.text:
        raise ProblemError(Problem.NO_TEXT)
    return found


def _markdown(soup: BeautifulSoup) -> str:
    main = soup.find("main") or soup.find("article") or soup.body or soup
    if not isinstance(main, Tag) or not main.get_text(strip=True):
        main = soup
    try:
        return str(MarkdownConverter(heading_style="ATX", escape_underscores=False).convert_soup(main))
    except RecursionError:  # it is nested deeper than any page that somebody reads
        return main.get_text("\n", strip=True)
