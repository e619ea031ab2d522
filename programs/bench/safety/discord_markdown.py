"""What a reader of Discord's Markdown would find in a message that is more than text, by two readings.

One follows the rules of Discord's client, rule by rule at each place; the other takes all code and `<links>` out
first. Neither is Discord's own code: what is safe has to be so by both.
"""

import re
from collections.abc import Iterator

_QUOTE = re.compile(r" *>>> ?(?P<all>[\s\S]*)|(?: *> [^\n]*(?:\n|\Z))+")
_LIST = re.compile(r"(?P<indent> *)(?:[*-]|\d+\.) [\s\S]+?(?:\n+(?! )(?!(?P=indent)(?:[*-]|\d+\.) )\n*|\s*\Z)")
_BULLET = re.compile(r"^ *(?:[*-]|\d+\.) ", re.MULTILINE)
_HEADING = re.compile(r" *#{1,3}\s+(?P<inside>[^\n]+)(?:\n|\Z)")
_SMALL = re.compile(r" *-# +(?P<inside>[^\n]+)(?:\n|\Z)")
_INLINE = (  # in the order in which they are tried
    ("block", re.compile(r"```(?:[a-z0-9_+\-.#]+?\n)?\n*[^\n][\s\S]*?\n*```", re.IGNORECASE)),
    ("escape", re.compile(r"\\[^0-9A-Za-z\s]")),
    ("autolink", re.compile(r"<[^: >]+:/[^ >]+>")),
    ("bare link", re.compile(r"(?:https?|steam|discord)://[^\s<]+[^<.,:;\"'\]\s]", re.IGNORECASE)),
    ("command", re.compile(r"</[-\w ]{1,100}:\d+>")),
    ("special", re.compile(r"<(?:id|sound):[^<>\s]+>")),
    (
        "masked link",
        re.compile(
            r"\[(?:\[[^\]]*\]|[^\[\]]|\](?=[^\[]*\]))*\]\(\s*<?(?:\([^)]*\)|[^\s\\]|\\.)*?>?(?:\s+['\"].*?['\"])?\s*\)"
        ),
    ),
    (
        "nested",
        re.compile(
            r"\*\*(?P<a>[^\n]+?)\*\*(?!\*)|\*(?=\S)(?P<b>(?:\*\*|\s+(?:[^*\s]|\*\*)|[^\s*])+?)\*(?!\*)|\b_(?P<c>(?:__|\\[\s\S]|[^\\_])+?)_\b|~~(?P<d>[\s\S]+?)~~|\|\|(?P<e>[\s\S]+?)\|\|"
        ),
    ),
    ("code", re.compile(r"(?P<ticks>`+)[\s\S]*?[^`](?P=ticks)(?!`)")),
)
_FINDINGS = {"bare link", "command", "special", "masked link"}
_APART = re.compile(r"```[\s\S]+?```|``[^`]+``|`[^`\n]+`|<(?:https?|steam|discord)://[^\s<>`]+>", re.IGNORECASE)
_IN_TEXT = re.compile(
    r"(?P<masked_link>\]\()|(?P<bare_link>(?<!<)https?://\S)|(?P<command></[^<>\n]+:\d+>)|(?P<small>^[\s>]*-#)"
    r"|(?P<invite>(?<![\w/])discord\.gg/\w)",
    re.MULTILINE | re.IGNORECASE,
)
_DEEPEST = 8


def findings(text: str) -> list[str]:
    """What is more than text in a message, with its kind before it; small print too."""
    found = list(_blocks(text))
    found += [f"{one.lastgroup}: {one[0]}" for one in _IN_TEXT.finditer(_APART.sub("·", text))]
    return found


def _blocks(text: str, depth: int = 0) -> Iterator[str]:
    """By the rules of the client: blocks at the begin of a line, and lines between them."""
    place, rest = 0, ""
    while place < len(text):
        at_line = place == 0 or text[place - 1] == "\n"
        quote = _QUOTE.match(text, place) if at_line and depth < _DEEPEST else None
        listed = _LIST.match(text, place) if at_line and depth < _DEEPEST else None
        line = (_HEADING.match(text, place) or _SMALL.match(text, place)) if at_line else None
        found = quote or line or listed
        if found is None or found.end() == place:
            token = _token(text, place)
            rest += token
            place += len(token)
            continue
        yield from _inline(rest, depth)
        rest, place = "", found.end()
        if line is not None:
            if line.re is _SMALL:
                yield f"small: {line[0]}"
            yield from _inline(line["inside"], depth + 1)
        else:
            inside = found["all"] if quote and quote["all"] else re.sub(r"(?m)^ *> ", "", found[0])
            yield from _blocks(_BULLET.sub("", inside) if listed and not quote else inside, depth + 1)
    yield from _inline(rest, depth)


def _token(text: str, place: int) -> str:
    """A block of code, which hides the begins of lines in it, or one character."""
    block = _INLINE[0][1].match(text, place)
    return block[0] if block else text[place]


def _inline(text: str, depth: int) -> Iterator[str]:
    place = 0
    while place < len(text):
        for kind, pattern in _INLINE:
            found = pattern.match(text[place:])  # as the client does it: `\b` sees nothing before
            if found is None:
                continue
            if kind in _FINDINGS:
                yield f"{kind}: {found[0]}"
            if kind == "nested" and depth < _DEEPEST:
                yield from _inline(next(inside for inside in found.groupdict().values() if inside), depth + 1)
            place += found.end()
            break
        else:
            place += 1


_CODE = re.compile(r"```[\s\S]+?```|``[^`]+``|`[^`\n]+`|\\[^0-9A-Za-z\s]")
_SPOILER = re.compile(r"\|\|([\s\S]+?)\|\|")


def without_spoilers(text: str) -> str:
    """What of a message is read without a click; code hides nothing, and neither do escaped bars."""
    code: list[str] = []

    def kept(found: re.Match[str]) -> str:
        code.append(found[0])
        return f"\0{len(code) - 1}\0"

    shown = _SPOILER.sub("", _CODE.sub(kept, text))
    return re.sub(r"\0(\d+)\0", lambda found: code[int(found[1])], shown)
