"""What no cut goes through: links, mentions, emoji, formulas, code on a line, characters of several code points."""

import re
import unicodedata

_LONGEST = 600  # characters of a link
_MOST_BEGINS = 20  # of what may be unfinished at the end of what is known
_MOST_JOINED = 64  # code points of one character

_ATOMS = re.compile(
    r"""
    (?=[\\`!\[<hsd&$|*_~])(?:  # one look at the first character in place of a dozen
      \\\((?:[^\\\n]|\\[^)\n]){1,400}\\\)
    | \\\[(?:[^\\]|\\[^\]]){1,400}\\\]
    | \\.
    | (?P<ticks>`++)[^`\n]{1,400}(?P=ticks)(?!`)
    | !?\[[^\[\]\n]{0,300}\]\([^\s()]{0,600}(?:\([^\s()]{0,100}\)[^\s()]{0,100})?(?:\s"[^"\n]{0,100}")?\)
    | <[^<>\s]{1,300}>
    | (?:https?|steam|discord)://[^\s<>]{1,600}
    | &[\w\#]{1,32};
    | \$\$[^$]{1,400}\$\$
    | \$[^$\s][^$\n]{0,200}\$
    | </?[A-Za-z][^<>]{0,300}>
    | \|\||\*{2,3}|__|~~
    )
    """,
    re.VERBOSE | re.DOTALL,
)
# The begin of one of these at the end of what is known.
_UNFINISHED = re.compile(
    r"""(?:
      !?\[[^\[\]\n]{0,300}(?:\](?:\([^()\s]{0,600}(?:\([^()\s]{0,100}\)?)?)?)?
    | <[^<>\s]{0,300}
    | `{1,2}[^`\n]{1,300}
    | \$\$?[^$\n\s][^$\n]{0,200}
    | \\[(\[][^\n]{0,300}
    | (?:https?|steam|discord)://[^\s<>]{0,600}
    | &[\w\#]{1,32}
    )\Z""",
    re.VERBOSE,
)
_BEGINS = re.compile(r"(?=[!\[<`$\\hsd&])(?:!?\[|<|`|\$|\\[(\[]|(?:https?|steam|discord)://|&)")


def whole(window: str, end: int, earliest: int) -> int:
    """A place to cut at or before `end`, and after `earliest` if there is one, that is within nothing.

    Args:
        window: What is known of the text.
        end: Where a cut is wanted.
        earliest: Where it would leave a stub.
    """
    start = window.rfind("\n\n", 0, end) + 1
    known = earliest + 1
    for found in _ATOMS.finditer(window, max(start, end - 2 * _LONGEST)):
        if found.start() >= end:
            break
        if found.end() > end:
            end = found.start() if found.start() > earliest else end
            break
        known = max(known, found.end())
    end = _before_unfinished(window, end, known)
    return _between_characters(window, end, earliest)


def _before_unfinished(window: str, end: int, known: int) -> int:
    """The same where something begins between `known` and `end` of which the end is not known."""
    begins = list(_BEGINS.finditer(window, max(known, len(window) - _LONGEST), end))
    for found in begins[-_MOST_BEGINS:]:
        if _UNFINISHED.match(window, found.start()):
            return found.start()
    return end


def _between_characters(window: str, end: int, earliest: int) -> int:
    """The nearest place at or before `end` that is not within a character."""
    for place in range(end, max(earliest, end - _MOST_JOINED), -1):
        if not _joined(window, place):
            return place
    return end


def _joined(window: str, place: int) -> bool:
    """Whether the code points around a place make one character."""
    if place <= 0 or place >= len(window):
        return False
    before, after = window[place - 1], window[place]
    if after.isascii():
        return False
    if before == "\u200d" or after in "\u200c\u200d\ufe0e\ufe0f\u20e3" or "\U0001f3fb" <= after <= "\U0001f3ff":
        return True
    if unicodedata.category(after)[0] == "M" or "\U000e0020" <= after <= "\U000e007f":
        return True
    if _is_flag_letter(before) and _is_flag_letter(after):
        letters = 0
        while letters < place and _is_flag_letter(window[place - 1 - letters]):
            letters += 1
        return letters % 2 == 1
    return "\u1160" <= after <= "\u11ff" or unicodedata.combining(before) == 9


def _is_flag_letter(one: str) -> bool:
    return "\U0001f1e6" <= one <= "\U0001f1ff"
