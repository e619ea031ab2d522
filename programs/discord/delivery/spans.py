"""Bold, italics, strike, underline and spoilers that are open where a text ends, so that a cut can close them."""

import re
from dataclasses import dataclass

from programs.markdown.blocks import Block, blocks

_SIGNS = re.compile(r"[*_~|]")
SPOILER = "||"
_TOKENS = re.compile(
    r"""
      (?P<skip>\\.|(?P<ticks>`++)[^`\n]++(?P=ticks)(?!`)|\]\([^\s()]*+\)|<[^<>\s]{1,300}>|https?://[^\s<>|*]++)
    | (?P<end>\n[ \t>]*+(?=\n|(?:[-*+]|\d{1,9}[.)])[ \t]|\#{1,6}[ ]))
    | (?P<mark>\|{2,}+|\*{1,3}|~~|__?)
    """,
    re.VERBOSE | re.DOTALL,
)


_SPOILERS = re.compile(
    r"(?P<skip>\\.|(?P<ticks>`++)[^`\n]++(?P=ticks)(?!`))|(?P<end>\n[ \t>]*+(?=\n))|(?P<mark>\|{2,}+)", re.DOTALL
)
_MOST_MARKS = 400  # signs of a part; where there are more, nobody can say what they mean, and only spoilers are read


@dataclass(frozen=True)
class Span:
    """Where a span begins, and the mark that begins and ends it.

    Attributes:
        doubtful: It may be no more than its signs, as the bars of an operator between blanks.
    """

    start: int
    mark: str
    doubtful: bool = False

    @property
    def lasting(self) -> bool:
        """Whether a paragraph does not end it."""
        return self.mark == SPOILER


@dataclass
class Spans:
    """The spans of a text from its begin on.

    Args:
        forced: How many characters at the begin of the text open again what a cut has closed; what they open is ended
            with its paragraph if it has no end.

    Attributes:
        open: Those that are open at the end of the text, from the outermost on.
        ends: What has to be written into the text, and where, so that what was opened again ends.
    """

    text: str
    forced: int = 0

    def __post_init__(self) -> None:
        self.open: list[Span] = []
        self.ends: list[tuple[int, str]] = []
        if _SIGNS.search(self.text) is None:
            return
        for block in blocks(self.text):
            if block.kind == "prose":
                self._read(block)
            else:
                self._paragraph_ends(block.start)

    def closing(self) -> str:
        """What closes all that is open."""
        return "".join(span.mark for span in reversed(self.open))

    def opening(self) -> str:
        """What opens it again."""
        return "".join(span.mark for span in self.open)

    def due(self, *, unfinished: bool) -> str:
        """What has to close the last part of a text: what was opened again, and a spoiler, which is never revealed.

        Args:
            unfinished: More of the text is to come, perhaps the end of what may be a spoiler.
        """
        return "".join(span.mark for span in reversed(self.open) if self._is_due(span, unfinished=unfinished))

    def _is_due(self, span: Span, *, unfinished: bool) -> bool:
        if span.start < self.forced:
            return True
        hides = span.mark == SPOILER and self.text[span.start :].strip("| \n") != ""
        return hides and (unfinished or not span.doubtful)

    def _read(self, block: Block) -> None:
        dense = sum(map(self.text.count, "*_~")) > _MOST_MARKS
        for found in (_SPOILERS if dense else _TOKENS).finditer(self.text, block.start, block.end):
            if found["end"] is not None:
                self._paragraph_ends(found.start())
            elif (mark := found["mark"]) is not None:
                mark = SPOILER if mark[0] == "|" else mark
                if mark == SPOILER or not dense:
                    self._mark(mark, found.start(), found.end())

    def _paragraph_ends(self, place: int) -> None:
        ended = [span for span in reversed(self.open) if not span.lasting]
        if not ended:
            return
        self.ends += [(place, span.mark) for span in ended if span.start < self.forced]
        self.open = [span for span in self.open if span.lasting]

    def _mark(self, mark: str, start: int, end: int) -> None:
        before = self.text[start - 1 : start] or "\n"
        after = self.text[end : end + 1]
        place = next((number for number, span in enumerate(self.open) if span.mark == mark), None)
        if place is not None and (mark == SPOILER or not before.isspace() or not after.isalnum()):
            del self.open[place:]
        elif place is not None:
            return  # within itself a mark opens nothing
        elif mark == SPOILER:
            # Two bars between blanks are an operator as likely as a spoiler.
            operator = after == "=" or (after.isspace() and before != "\n")
            self.open.append(Span(start, SPOILER, doubtful=operator))
        elif after and not after.isspace() and (len(mark) > 1 or not before.isalnum()):
            self.open.append(Span(start, mark))
