r"""Discord's Markdown in place of CommonMark, for a part of an answer.

Discord renders bold, italics, underline, strike, spoilers, headings up to `###`, quotes, lists, links and code, and of
these some in one form only. Everything else that models write is brought into one of those forms:

| what was written | what is shown |
|---|---|
| a table of at most 42 columns, as a phone shows them | an aligned block of code |
| any other table | a list: `**Name** · value`, or with the head's words before each value |
| `#### Heading`, a heading with a line under it | bold, or a heading |
| `---`, `***`, `___` | a line |
| `$x^2$`, `$$…$$`, `\(…\)`, `\[…\]`, a block of `math` | Unicode, or code where that cannot say it |
| `- [x]`, `+ item`, `1) item` | `- ☑`, `- item`, `1. item` |
| `[^1]`, an image, an entity, HTML | `¹`, a link, a character, what it means in Markdown |
| `~~~`, four backticks, indented code, code in quotes and lists | a block between three backticks that begins a line |
| three backticks within prose | look-alikes |
| `>text`, `>>> text` | `> text` in each line |

Nothing here looks beyond the part. The translation is at most as long as `cost` says; what would be longer, because
no estimate is right for all texts, is left as it was written, but for its code.
"""

import re
from collections.abc import Iterator

from programs.discord.delivery.lengths import units
from programs.markdown.blocks import ITEM, MATH, Block, blocks
from programs.markdown.formulas import readable
from programs.markdown.inline import DISCORD, OPENING_SIGNS, PLAIN_SIGNS, RULE, TAGS, plain, readable_paragraph
from programs.markdown.tables import Table, aligned, read_table

_MOST_LINES = 250  # of the prose of a part; lines of six letters are no lists, and stay as they are
COLUMNS = 42  # of code on a phone, before its lines wrap

_HEADING = re.compile(r"(?P<marks>#{1,6})[ \t]+(?P<words>.*?)(?:[ \t]+#+)?[ \t]*$")
RULE_LINE = re.compile(r"[ \t]{0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
UNDERLINE = re.compile(r"[ \t]{0,3}(?:=+|-+)[ \t]*$")
_QUOTE = re.compile(r"[ \t]{0,3}>(?:[ \t]?>)*[ \t]?")
_BIG_QUOTE = re.compile(r"[ \t]{0,3}>>>(?=[ \t])[ \t]?")
_TAG_LINE = re.compile(r"(?:[ \t]*</?([A-Za-z][A-Za-z0-9]{0,10})(?:\s[^<>]{0,200})?/?>)+[ \t]*$")
_TARGET = re.compile(r"^[ \t]{0,3}\[([^\[\]\n^]{1,60})\]:[ \t]*\S", re.MULTILINE)
_BOLD = re.compile(r"\*\*|__")
_FENCE = "```"
_SIMPLE = re.compile(r"[ \t]*+(?:[-*]|\d{1,9}\.|>)[ \t]++[^#<\s\-*_=:+>\d]")  # an item or a quote that stays as it is
_BEGIN_SPECIAL = frozenset("#>=-*+_<:")
_SPECIAL = re.compile(r"^[ \t]*+(?:[#>=*+_<:\-]|\d{1,9}[.)])", re.MULTILINE)
_PARAGRAPHS = re.compile(r"(\n[ \t>]*(?=\n))")


def discord_markdown(text: str, most: int) -> str:
    """A part of an answer as Discord renders it, of at most `most` UTF-16 units unless it had more before."""
    made = "".join(_Translation(text).pieces())
    if units(made) > max(most, units(text)):
        return "".join(_Translation(text, only_code=True).pieces())
    return made


class _Translation:
    """One part while it is translated.

    Args:
        text: The part.
        only_code: Leave all else as it is.
    """

    def __init__(self, text: str, *, only_code: bool = False) -> None:
        self._text = text
        self._only_code = only_code
        self._references = {found[1].lower() for found in _TARGET.finditer(text)} if "]: " in text else set[str]()
        self._quoted = False  # what is said from here on is a quote
        self._before = ""  # the last line that was made of prose

    def pieces(self) -> Iterator[str]:
        """The translation of each block."""
        for block in blocks(self._text):
            if block.kind == "code":
                yield from self._code(block)
            elif block.kind == "table" and not self._only_code:
                yield self._table(block)
            else:
                yield self._prose(self._text[block.start : block.end])

    def _code(self, block: Block) -> Iterator[str]:
        marks = block.prefix.strip(" \t>")
        if marks:
            yield f"{block.prefix.lstrip('> ').rstrip()}\n"
        elif block.start and self._text[block.start - 1] != "\n":
            yield "\n"
        code = _unprefixed(self._text[block.body : block.body_end], block.prefix)
        if block.first:
            code = f"{block.first}\n{code}"
        if block.language.lower() in MATH and block.closed and not self._only_code:
            said = _formulas(code)
            if said is not None:
                yield f"{said}\n"
                return
        code = code.replace(_FENCE, "ˋˋˋ").strip("\n")
        end = "\n" if block.end < len(self._text) or self._text.endswith("\n") else ""
        yield f"{_FENCE}{block.language}\n{code if code.strip() else ' '}\n{_FENCE}{end}"

    def _table(self, block: Block) -> str:
        table = read_table(self._text, block)
        indent = "- " if block.prefix.strip(" \t>") else ""
        made = as_code(table) or as_list(table)
        end = "\n" if self._text[block.end - 1] == "\n" else ""
        return f"{indent}\n{made}{end}" if indent else f"{made}{end}"

    def _prose(self, text: str) -> str:
        if self._only_code:
            return text.replace(_FENCE, "ˋˋˋ")
        end = "\n" if text.endswith("\n") else ""
        said = text.removesuffix("\n")
        if self._quoted or (said.count("\n") < _MOST_LINES and _SPECIAL.search(said)):
            said = "\n".join(self._lines(said.split("\n")))
        if OPENING_SIGNS.search(said):
            parts = _PARAGRAPHS.split(said)
            said = "".join(readable_paragraph(part, DISCORD, self._references) for part in parts)
        return said + end

    def _lines(self, lines: list[str]) -> Iterator[str]:
        """The lines of prose with the marks that begin them in Discord's form."""
        blank = True
        for number, line in enumerate(lines):
            after = lines[number + 1] if number + 1 < len(lines) else ""
            if _SIMPLE.match(line) and not self._quoted:
                said: str | None = line
            else:
                begin = line.lstrip(" \t")[:1]
                special = self._quoted or begin in _BEGIN_SPECIAL or after.lstrip(" \t")[:1] in ("=", "-", ":")
                said = self._line(line, after, alone=blank) if special or begin.isdigit() else line
            self._before = said or ""
            blank = not line.strip(" \t>")
            if said is not None:
                yield said

    def _line(self, line: str, after: str, *, alone: bool) -> str | None:
        """One line; None where nothing of it is shown."""
        if not self._quoted:
            if line.lstrip(" \t")[:1] != ">":
                return self._inside(line, after, alone=alone)
            big = _BIG_QUOTE.match(line) if ">>>" in line else None
            if big and not self._before.startswith(">"):
                self._quoted = True
                line = line[big.end() :]
                if not line.strip():
                    return None
        quote = _QUOTE.match(line)
        said = self._inside(line[quote.end() if quote else 0 :], _unquoted(after), alone=alone)
        return None if said is None else f"> {said}"

    def _inside(self, line: str, after: str, *, alone: bool) -> str | None:
        if not line or line.isspace():
            return line
        return self._block_line(line, after, alone=alone)

    def _block_line(self, line: str, after: str, *, alone: bool) -> str | None:
        if line[0] in "=- \t" and not alone and self._before.startswith(("# ", "## ", "**")) and UNDERLINE.match(line):
            return None  # the heading above has it
        first = line.lstrip(" \t")[0]
        if first in "-*_" and RULE_LINE.match(line):
            return RULE
        begin = ""
        if (first in "-*+" or first.isdigit()) and (item := ITEM.match(line)) and item["gap"]:
            mark = "-" if first == "+" else item["mark"].replace(")", ".")
            begin, line = f"{item['indent']}{mark} ", line[item.end() :]
            if not line:
                return begin
        if line[0] == "#" and (heading := _HEADING.match(line)):
            return begin + _heading(heading)
        return self._words(begin, line, after, alone=alone)

    def _words(self, begin: str, line: str, after: str, *, alone: bool) -> str | None:
        """The words of a line, which may be a heading because of the line below it."""
        tags = _TAG_LINE.match(line) if "<" in line else None
        if tags and "<br" not in line.lower() and "<hr" not in line.lower() and _all_silent(line):
            return None
        if alone and not begin:
            below = after.strip()
            if len(below) > 1 and below[0] in "=-" and UNDERLINE.match(after):
                return f"{'#' if '=' in after else '##'} {line.strip()}"
            if below.startswith(": "):
                return f"**{_BOLD.sub('', line.strip())}**"
        if not alone and line.lstrip().startswith(": "):
            return f"- {line.lstrip()[2:].lstrip()}"
        return begin + line


def as_code(table: Table) -> str | None:
    """A table as an aligned block of code; None if it is too wide."""
    if sum(len(cell) > 8 * COLUMNS for cell in table.head) or table.columns > COLUMNS // 2:
        return None
    head, *rows = (table.head, *table.rows)
    if PLAIN_SIGNS.search("\n".join(map("\n".join, (head, *rows)))):
        head, *rows = (tuple(plain(cell, DISCORD).replace(_FENCE, "ˋˋˋ") for cell in row) for row in (head, *rows))
    made = aligned(head, table.sides, rows, COLUMNS)
    return None if made is None or not made.strip() else f"{_FENCE}\n{made}\n{_FENCE}"


def as_list(table: Table) -> str:
    """A table as a list: the first cell in bold, then the others, each after its head if there are several."""
    head = [_in_line(cell) for cell in table.head]
    labelled = len(table.head) > 2
    said = {number for row in table.rows for number, cell in enumerate(row) if cell}
    all_said = labelled and all(number in said for number, one in enumerate(head) if number and one)
    title = head[0] if all_said else " · ".join(filter(None, head))
    lines = [f"__{title}__"] if title.strip() and "__" not in title else [title] if title.strip() else []
    for row in table.rows:
        name, *values = (_in_line(cell) for cell in row)
        parts = [f"**{_BOLD.sub('', name)}**"] if name else []
        for number, value in enumerate(values, 1):
            label = f"{head[number]}: " if labelled and number < len(head) and head[number] else ""
            if value:
                parts.append(f"{label}{value}")
        lines.append(f"- {' · '.join(parts)}" if parts else "-")
    return "\n".join(lines)


def _in_line(cell: str) -> str:
    """A cell within a line of prose, in which pipes are no spoiler."""
    said = " / ".join(readable_paragraph(cell, DISCORD).split("\n"))
    return said.replace("||", "\\|\\|") if "||" in said else said


def _heading(heading: re.Match[str]) -> str:
    words = heading["words"].strip()
    if len(heading["marks"]) < 4 or not words:
        return f"{heading['marks']} {words}".rstrip() if len(heading["marks"]) < 4 else ""
    return f"**{_BOLD.sub('', words)}**"


def _unquoted(line: str) -> str:
    quote = _QUOTE.match(line)
    return line[quote.end() :] if quote else line


def _all_silent(line: str) -> bool:
    """Whether a line of tags shows nothing."""
    names = {name.lower() for name in re.findall(r"</?([A-Za-z][A-Za-z0-9]*)", line)}
    return names <= TAGS - {"img", "a", "hr", "br"}


def _unprefixed(code: str, prefix: str) -> str:
    """Code without the marks of the quotes, and the indentation of the items, that it is in."""
    if not prefix:
        return code
    if ">" in prefix:
        code = re.sub(r"^[ \t]*(?:>[ \t]?)+", "", code, flags=re.MULTILINE)
        prefix = prefix[prefix.rfind(">") + 1 :].removeprefix(" ")
    width = len(prefix.expandtabs(4))
    return re.sub(rf"^[ \t]{{1,{width}}}", "", code, flags=re.MULTILINE) if width else code


def _formulas(code: str) -> str | None:
    """Formulas, one in a line, in Unicode; None unless all of them are readable so."""
    said = [readable(line.strip().strip("$")) for line in code.split("\n") if line.strip()]
    if not said or any(one is None for one in said):
        return None
    return "\n".join(f"> {re.sub(r'[*_~`|]', lambda found: chr(92) + found[0], one)}" for one in said if one)
