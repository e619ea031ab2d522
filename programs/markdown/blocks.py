"""The blocks of a Markdown text: code, tables, and the prose between them, found line by line in linear time.

It reads as CommonMark does, with what models add to it: a fence may be indented as far as the list that it is in, and
begin behind words that end with a colon.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

_CONTAINERS = r"[ \t>]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++(?:>[ \t]?)*+)*+"  # quotes and items that a line is in
PREFIX = re.compile(_CONTAINERS)
_FENCE = re.compile(
    rf"(?P<prefix>{_CONTAINERS})(?P<fence>`{{3,}}+(?=[^`\n]*+$)|~{{3,}}+)(?P<info>[^\n]*+)", re.MULTILINE
)
_LATE_FENCE = re.compile(r"[^`\n]*\S[ \t]+(?P<fence>```+)(?P<info>[\w+\-.#]{1,20}|(?<=:[ \t]```))[ \t]*$", re.MULTILINE)
_LONGEST_INFO = 24
_LANGUAGE = re.compile(r"[\w+\-.#]{1,20}")
DELIMITER = re.compile(r"[ \t>]*+\|?[ \t]*+:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)*+\|?[ \t]*+")
_INDENTED = re.compile(r"(?: {4}|[ ]{0,3}\t)[ \t]*+\S")
ITEM = re.compile(r"(?P<indent>[ \t]*)(?P<mark>[-*+]|\d{1,9}[.)])(?P<gap>[ \t]+|$)", re.MULTILINE)
_ROW = (  # neither a heading nor an item nor a fence
    r"(?![ \t]*+(?:#{1,6}[ \t]|(?:[-*+]|\d{1,9}[.)])[ \t]))"
    rf"(?!{_CONTAINERS}```++[^`\n]*+$)(?=[ \t>]*+[^\s>])[^\n]++(?:\n|\Z)"
)
# By whether they are in a quote, and begin with a pipe as their head does. What is a row is known from its begin.
_PIPED = r"(?=[ \t>]*+\|)"
_ROWS = {
    (quoted, piped): re.compile(rf"(?:(?{quoted}[ \t]*+>){piped}{_ROW})*+", re.MULTILINE)
    for quoted in ("=", "!")
    for piped in ("", _PIPED)
}

# What makes a line worth a look: a fence in it, the rule of a table below it, indentation.
_FENCES = re.compile(r"```|~~~")
_RULES = re.compile(r"\n[ \t>]*+(?=[|:]|-)\|?[ \t]*+:?-[-:| \t]*+(?=\n|\Z)")
_INDENTATION = re.compile(r"(?:\n|\A)(?: {4}|[ ]{0,3}\t)")

MATH = frozenset({"math", "latex", "tex", "katex"})  # fences whose code is a formula


@dataclass(frozen=True)
class Block:
    """A part of a text.

    Attributes:
        start: Where it begins.
        end: Where it ends, behind its last line feed.
        body: Where its code begins, or the first row of a table; for prose, where it begins.
        body_end: Where its code ends.
        language: Of code; empty for none.
        first: The words of a fence that name no language, which are the first line of the code.
        prefix: What is before a fence or the head of a table in its line: the marks of quotes and lists.
        fence: What began code; empty for code that is indented.
        closed: Whether the end of code was reached.
    """

    kind: Literal["prose", "code", "table"]
    start: int
    end: int
    body: int
    body_end: int
    language: str = ""
    first: str = ""
    prefix: str = ""
    fence: str = ""
    closed: bool = True


@lru_cache(8)
def blocks(text: str) -> tuple[Block, ...]:
    """The blocks of a text, one after another without gaps."""
    found: list[Block] = []
    place = 0
    lists = _Lists(text)
    for start in _candidates(text):
        if start < place:
            continue
        block = _code(text, start) or _table(text, start) or (_indented(text, start) if lists.allow(start) else None)
        if block is None:
            continue
        _add(found, block)
        place = lists.read = block.end
    _add(found, Block("prose", len(text), len(text), len(text), len(text)))
    return tuple(found[:-1])


def _candidates(text: str) -> list[int]:
    """Where the lines begin that may be other than prose."""
    places = {text.rfind("\n", 0, fence.start()) + 1 for fence in _FENCES.finditer(text)}
    if "|" in text:
        places |= {text.rfind("\n", 0, rule.start()) + 1 for rule in _RULES.finditer(text)}
    if "    " in text or "\t" in text:
        places |= {line.start() + text.startswith("\n", line.start()) for line in _INDENTATION.finditer(text)}
    return sorted(places)


def _add(found: list[Block], block: Block) -> None:
    """Add a block with the prose before it."""
    end = found[-1].end if found else 0
    if block.start > end:
        found.append(Block("prose", end, block.start, end, block.start))
    found.append(block)


@dataclass
class _Lists:
    """Says whether indentation is code, which it is not within a list and in a paragraph that goes on."""

    text: str
    read: int = 0
    in_list: bool = False

    def allow(self, place: int) -> bool:
        """Whether code may begin with the line at `place`; places are asked for in ascending order."""
        if _INDENTED.match(self.text, place) is None:
            return False
        while self.read < place:
            end = _line_end(self.text, self.read)
            blank = not self.text[self.read : end].strip(" \t>\n")
            is_item = ITEM.match(self.text, self.read) is not None
            self.in_list = is_item or (self.in_list and (blank or self.text[self.read] in " \t"))
            self.read = end
        before = self.text[self.text.rfind("\n", 0, max(place - 1, 0)) + 1 : place]
        return not self.in_list and not before.strip(" \t>\n")


def _line_end(text: str, place: int) -> int:
    """Where the next line begins, or the text ends."""
    return (text.find("\n", place) + 1) or len(text)


def _code(text: str, place: int) -> Block | None:
    """The code whose fence is in the line that begins at `place`."""
    end = _line_end(text, place)
    if "```" not in (line := text[place:end]) and "~~~" not in line:
        return None
    found = _FENCE.match(text, place) or _LATE_FENCE.match(text, place)
    if found is None:
        return None
    late = found.re is _LATE_FENCE
    prefix = "" if late else found["prefix"]
    language, first = _info(found["info"])
    body_end, after = _code_end(text, end, found["fence"], in_quote=">" in prefix)
    return Block(
        "code",
        found.start("fence") if late else place,
        after or body_end,
        end,
        body_end,
        language,
        first,
        prefix,
        found["fence"],
        closed=after is not None,
    )


def _indented(text: str, place: int) -> Block | None:
    """The code that begins at `place`, each line of it behind four blanks; blank lines may be within it."""
    last = start = place
    while (place < len(text)) and (_INDENTED.match(text, place) or not text[place : _line_end(text, place)].strip()):
        if ITEM.match(text, place):
            break
        end = _line_end(text, place)
        last = end if text[place:end].strip() else last
        place = end
    return Block("code", start, last, start, last, prefix="    ") if last > start else None


def _info(info: str) -> tuple[str, str]:
    """The language that a fence names, and its words if they are none of a fence but code."""
    words = info.split()
    if not words:
        return "", ""
    rest = " ".join(words[1:])
    if not rest and len(info) > _LONGEST_INFO:  # words that a cut parted from the rest of their line
        return "", words[0]
    if rest and not any(sign in rest for sign in "={"):
        return "", info.strip()
    language = words[0].strip("{}").removeprefix(".")
    return (language, "") if _LANGUAGE.fullmatch(language) else ("", "" if rest else words[0])


def _code_end(text: str, place: int, fence: str, *, in_quote: bool) -> tuple[int, int | None]:
    """Where code ends that begins at `place`, and where the line begins behind its closing fence, if it has one."""
    while place < len(text):
        end = _line_end(text, place)
        line = text[place:end]
        if in_quote and not line.lstrip().startswith(">"):
            return place, place
        mark = line.strip(" \t\n>" if in_quote else " \t\n")
        if mark.startswith(fence) and not mark.strip(fence[0]):
            return place, end
        place = end
    return len(text), None


def _table(text: str, place: int) -> Block | None:
    """The table whose head is the line that begins at `place`."""
    end = _line_end(text, place)
    if text.find("|", place, end) < 0 or end == len(text):
        return None
    second = _line_end(text, end)
    rule = text[end:second].rstrip("\n")
    if "|" not in rule:
        return None  # it underlines a heading
    if DELIMITER.fullmatch(rule) is None or DELIMITER.fullmatch(text[place:end].rstrip("\n")):
        return None
    prefix = PREFIX.match(text, place)
    quoted = "=" if prefix is not None and ">" in prefix[0] else "!"
    piped = _PIPED if text.startswith("|", prefix.end() if prefix else place) else ""
    rows = _ROWS[quoted, piped].match(text, second)
    last = rows.end() if rows else second
    return Block("table", place, last, second, last, prefix=prefix[0] if prefix else "")
