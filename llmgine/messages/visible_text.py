"""Text of which people see every character: without what hides, reorders or stacks up, whoever wrote it.

What is removed are controls, Unicode's default-ignorable characters (zero-width, bidirectional, tags, variation
selectors), and marks stacked beyond what scripts need. What writing needs stays: joiners within emoji and within the
scripts that have them, flags, the selectors of emoji and ideographs.

The result for a text begins with the result for any beginning of it, so text that streams in never changes. It takes
time in proportion to the text: patterns look one character back and ahead, and take long runs as one.
"""

import functools
import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator

from llmgine.messages.text import CleanText, clean_text, collapse_spaces, shorten

_MOST_MARKS = 4  # of a kind that any letter takes, on one letter
_MOST_OF_A_SCRIPT = 8  # with those that only their own script has, as Hebrew's points and Tibetan's stacked letters
_LEAST_READ = 1_000  # characters
_LONGEST_NAME = 100  # characters; Discord takes 32 of a person, and 100 of a role or a channel

# Symbols that emoji are made of, assigned or not yet; digits and a few signs are emoji with a selector behind them.
_EMOJI = "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2934\u2935\u2b00-\u2bff"
_EMOJI += "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_SELECTED = f"#*0-9{_EMOJI}"
_IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_MONGOLIAN = "\u1807\u1820-\u18aa"
# Scripts whose letters join, or form other shapes, as U+200C and U+200D between them say.
_JOINING = (
    "\u0610-\u061a\u0620-\u07fa\u0840-\u08ff\u0900-\u0df4\u1000-\u109f\u1780-\u17d3\u1a20-\u1aad\u1b00-\u1c4f"
    "\ua840-\ua877\ua8e0-\ua8ff\ua930-\ua9df\uaa60-\uaa7f\uabc0-\uabff\ufb50-\ufdff\ufe70-\ufefc"
    f"\U00010a00-\U00010eff\U00011000-\U00011fff\U0001e900-\U0001e94b{_MONGOLIAN}"
)
_VIRAMAS = "".join(
    chr(one) for one in (*range(0x900, 0x1C50), *range(0xA800, 0xAC00)) if unicodedata.combining(chr(one)) == 9
)
_SUBDIVISIONS = ("gbeng", "gbsct", "gbwls")  # the ones whose flags are drawn: England, Scotland, Wales


def _in_tags(code: str) -> str:
    return "".join(chr(0xE0000 + ord(one)) for one in code) + "\U000e007f"


_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029]")
_FLAGS = re.compile(f"(\U0001f3f4(?:{'|'.join(map(_in_tags, _SUBDIVISIONS))}))")
_TAGS = re.compile("[\U000e0000-\U000e00ff]+")
_NEVER = (
    "\0-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\ud800-\udfff"
    "\ufe03-\ufe0d\U000e01f0-\U000e0fff"
)
# The class before the conditions is what makes the search fast: it skips all other text.
_HIDDEN = re.compile(
    f"[{_NEVER}\u180b-\u180f\u200c\u200d\ufe00-\ufe02\ufe0e\ufe0f\U000e0100-\U000e01ef](?:"
    f"(?<=[{_NEVER}])"
    f"|(?<=[\ufe0e\ufe0f])(?<![{_SELECTED}].)"
    f"|(?<=[\ufe00-\ufe02\U000e0100-\U000e01ef])(?<![{_IDEOGRAPHS}].)"
    f"|(?<=[\u180b-\u180f])(?<![{_MONGOLIAN}].)"
    f"|(?<=[\u200c\u200d])(?<![{_VIRAMAS}].)(?!(?<=[{_JOINING}].)[{_JOINING}])"
    f"(?!(?:(?<=[{_EMOJI}]\u200d)|(?<=[{_EMOJI}]\ufe0f\u200d))[{_EMOJI}])"
    ")",
    re.DOTALL,
)
# Python has no pattern for marks alone; the symbols that are much used are left out.
_MAY_BE_MARKS = re.compile(
    rf"[^\w\s\0-\x7f\u2010-\u20cf\u2100-\u2bff\u3001-\u3029\uff00-\uffdf\U0001f000-\U0001faff]{{{_MOST_MARKS + 1},}}"
)
_NOT_COUNTED = frozenset("\u200c\u200d\ufe0e\ufe0f")


# CSI, then the sequences with a string (OSC, DCS, SOS, PM, APC), then all others, also the one that ends a string;
# an unfinished one, too.
_SEQUENCES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\r\n]*[\x07\x9c]?"
    "|\x1b[ -/]*[0-~]?"
)


def visible_text(text: str) -> str:
    """The text without what people do not see and without what changes how the rest reads; each line end a newline."""
    text = _LINE_ENDS.sub("\n", text)
    if not text.isascii():
        # Flags are at the odd places. Cheaper than one pattern that keeps them: what is put in is the same each time.
        pieces = _FLAGS.split(text)
        pieces[::2] = [_TAGS.sub("", piece) for piece in pieces[::2]]
        text = "".join(pieces)
    text = _HIDDEN.sub("", text)
    return text if text.isascii() else _MAY_BE_MARKS.sub(_bounded, text)


def terminal_text(text: str) -> str:
    """The visible text without whole escape sequences, which would otherwise leave their visible part behind.

    A string that a sequence begins, as the address of a link, ends at the latest with its line.
    """
    return visible_text(_SEQUENCES.sub("", text))


def visible_line(text: str, longest: int) -> str:
    """The same on one line of at most `longest` characters; of a very long text only the beginning is looked at."""
    read = max(_LEAST_READ, 8 * longest)
    line = collapse_spaces(visible_text(text[:read]))
    return shorten(f"{line}…" if line and len(text) > read else line, longest)


def _bounded(found: re.Match[str]) -> str:
    """The characters with no more marks on one letter than writing needs."""
    marks = found[0]
    if marks.count(marks[0]) == len(marks) and (of := _kind_of_mark(marks[0]))[0]:  # the same mark again and again
        return marks[0] * of[1]
    kept: list[str] = []
    row = ""  # the kinds of the marks on the present letter
    for one in found[0]:
        kind, most = _kind_of_mark(one)
        if kind:
            if len(row) == _MOST_OF_A_SCRIPT or row.count(kind) == most:
                continue
            row += kind
        elif one not in _NOT_COUNTED:
            row = ""
        kept.append(one)
    return "".join(kept)


@functools.lru_cache(4_096)
def _kind_of_mark(one: str) -> tuple[str, int]:
    """A letter for the kind of a mark, empty for what is none, and how many of the kind a letter takes."""
    if unicodedata.category(one)[0] != "M":
        return "", 0
    if "SUBJOINED" in unicodedata.name(one, ""):
        return "s", _MOST_OF_A_SCRIPT
    own = unicodedata.combining(one)  # from 10 to 199 each is the place of one mark of one script
    return (chr(0x1000 + own), 1) if 10 <= own < 200 else ("g", _MOST_MARKS)


def _name(text: str) -> str:
    return visible_line(clean_text(text), _LONGEST_NAME)


# What people, roles, channels and files are called: one line in which nothing is hidden, of at most 100 characters.
Name = Annotated[CleanText, AfterValidator(_name)]
