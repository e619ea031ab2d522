"""The forms in which models write their thinking into a text: tags, channel markup, and the words they begin with."""

import re
from typing import NamedTuple

BLANKS = " \t\r\n\f\v\u00a0\u200b\u2060\ufeff"
LONGEST_HEADER = 300  # characters of channel markup before a message; a longer one is a text about such markup
LINE_END = re.compile(r"[ \t\r]*(\n|\Z)")

_MAY_BEGIN_A_TAG = re.compile(r"[<\[`]")
_CODE_FENCE = re.compile(r"[\s>]*(`{3,}|~{3,})([^`]*)\Z")


class Tags(NamedTuple):
    """Tags to look for, in any case, also when only the beginning of one has come."""

    pattern: re.Pattern[str]
    beginnings: frozenset[str]
    longest: int

    def unfinished(self, text: str) -> int:
        """Where the end of the text may be the beginning of a tag; the text's length when it is not."""
        for mark in _MAY_BEGIN_A_TAG.finditer(text, max(0, len(text) - self.longest)):
            if text[mark.start() :].lower() in self.beginnings:
                return mark.start()
        return len(text)


def _tags(*tags: str, pattern: str | None = None) -> Tags:
    compiled = re.compile(pattern or "|".join(map(re.escape, tags)), re.IGNORECASE | re.ASCII)
    beginnings = frozenset(tag[:length] for tag in tags for length in range(1, len(tag)))
    return Tags(compiled, beginnings, max(map(len, beginnings)))


def _closing(tag: str) -> Tags:
    """The tag that ends a block of thinking; between backticks the thinking only mentions it."""
    return _tags(tag, f"`{tag}`", pattern=rf"(?<!`){re.escape(tag)}|{re.escape(tag)}(?=[^`])")


_PAIRS = {f"<{name}>": f"</{name}>" for name in ("think", "thinking", "thought", "thoughts", "reasoning")}
_PAIRS["[think]"] = "[/think]"
CLOSINGS = {opening: _closing(closing) for opening, closing in _PAIRS.items()}

# gpt-oss writes messages like <|start|>assistant<|channel|>analysis<|message|>…<|end|>; the answer is the channel
# `final`. The first <|start|>, and perhaps more, is in the prompt.
STARTS = ("<|start|>", "<|channel|>")
MESSAGE = re.compile(r"<\|message\|>", re.IGNORECASE)
MESSAGE_END = _tags("<|end|>", "<|return|>", "<|call|>", *STARTS)
ANSWER_HEADER = re.compile(r"(?:<\|start\|>\s*assistant\s*)?(?:<\|channel\|>\s*final\b.*)?", re.IGNORECASE | re.DOTALL)

OPENINGS = _tags(*_PAIRS, *STARTS)
STRAYS = _tags(*_PAIRS.values(), "<|end|>", "<|return|>", "<|call|>")  # at the beginning of a text they end nothing
UNOPENED = _tags(*_PAIRS.values(), "<|start|>assistant<|channel|>", "<|channel|>final<|message|>")

_BACKTICKS_OR_OPENING = re.compile("`+|" + "|".join(map(re.escape, _PAIRS)), re.IGNORECASE | re.ASCII)

# An answer may begin with these words too. It is then shown at its end, unless the model is trusted.
_BEGINNINGS = (
    *("okay", "ok", "alright", "all right", "hmm", "hm", "let me", "let's", "lets", "first,", "wait", "got it"),
    *("the user", "user", "the question", "they want", "they ask", "they're asking", "someone", "the human"),
    *("we need", "we have to", "we should", "we must", "we are asked", "we're asked", "i need", "i should"),
    *("i have to", "i must", "i'm asked", "i am asked", "i'm being asked", "so the", "so,", "so i", "so we"),
    *("thinking", "to answer", "here's a thinking process", "嗯", "用户"),
)
_ENDS_IN_A_LETTER = re.compile(r"[a-z]\Z")
_LOOKS_LIKE_THINKING = re.compile(
    "|".join(re.escape(words) + (r"(?=\W)" if _ENDS_IN_A_LETTER.search(words) else "") for words in _BEGINNINGS)
)


# No answer begins with these words, also not that of a model which mostly answers at once.
_SURE_BEGINNINGS = tuple(
    lead + words
    for lead in ("", "okay, ", "okay ", "okay, so ", "ok, ", "alright, ", "hmm, ", "hmm. ", "so ", "so, ", "well, ")
    for words in ("the user ", "user is ", "user asks", "user wants", "let me think", "we need to ", "i need to ")
)


def surely_thinking(text: str) -> bool | None:
    """Whether a text that begins like this is thinking; None while more of it must come to say so."""
    words = _plain_words(text)
    if words.startswith(_SURE_BEGINNINGS):
        return True
    return None if any(beginning.startswith(words) for beginning in _SURE_BEGINNINGS) else False


def _plain_words(text: str) -> str:
    return " ".join(text[:LONGEST_HEADER].lower().replace("’", "'").split())


def looks_like_thinking(text: str) -> bool | None:
    """Whether a text that begins like this may be thinking; None while more of it must come to say so."""
    words = _plain_words(text)
    if _LOOKS_LIKE_THINKING.match(words):
        return True
    return None if any(beginning.startswith(words) for beginning in _BEGINNINGS) else False


class MarkdownPosition:
    """Where in a Markdown text its end is: in code or not, and at the beginning of a line or not.

    Attributes:
        fence: The characters of the code fence that is open, or "".
        span: The backticks that opened a code span on this line, or "".
        line_begins: Whether there are only blanks on the line so far.
        mentioned: The closing tags whose opening tags are part of the text.
    """

    def __init__(self) -> None:
        self.fence = self.span = ""
        self.line_begins = True
        self.mentioned: set[str] = set()

    def move(self, text: str) -> None:
        """Move to the end of what follows; it may end anywhere but within backticks and tags."""
        first, *lines = text.split("\n")
        self._move_in_line(first, whole=bool(lines))
        for number, line in enumerate(lines, start=1):
            self.span, self.line_begins = "", True
            self._move_in_line(line, whole=number < len(lines))

    def _move_in_line(self, line: str, *, whole: bool) -> None:
        fence = _CODE_FENCE.match(line) if whole and self.line_begins else None
        if fence and not self.fence:
            self.fence = fence[1]
        elif fence and fence[1].startswith(self.fence) and not fence[2].strip():
            self.fence = ""
        elif not self.fence:
            for mark in _BACKTICKS_OR_OPENING.findall(line):
                self._pass(mark.lower())
        self.line_begins = self.line_begins and not line.strip()

    def _pass(self, mark: str) -> None:
        if mark in _PAIRS:
            if not self.span:
                self.mentioned.add(_PAIRS[mark])
        elif not self.span or mark == self.span:
            self.span = "" if self.span else mark
