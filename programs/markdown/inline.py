"""What a paragraph has that only a web page renders, in forms that any Markdown has: formulas, HTML, entities."""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from llmgine.messages.visible_text import visible_text
from programs.markdown.formulas import LONGEST, high, low, readable

RULE = "──────────"

OPENINGS = re.compile(
    r"""
    (?=[\\`$hsd!\[<&])(?:  # one look at the first character in place of a dozen
      (?P<escapes>(?:\\[^(\[\n`])++)
    | (?P<escape>\\.)
    | (?P<ticks>`++)
    | (?P<dollar>\$\$?)
    | (?P<url>(?:https?|steam|discord)://[^\s<>`]++)
    | (?P<image>!(?=\[))
    | (?P<note>\[\^[^\]\[\s`]{1,40}\])
    | (?P<task>\[[ xX]\](?=[ ]))
    | (?P<reference>(?<=\])\[[^\]\[\n`]{1,60}\])
    | (?P<mail><(?:mailto:)?[^\s<>@/:]{1,64}@[^\s<>@/]{1,200}>)
    | (?P<comment><!--)
    | (?P<tag></?(?P<name>[A-Za-z][A-Za-z0-9]{0,10})(?P<attributes>(?:\s+(?:[\w:-]{1,30}\s*=\s*
        (?:"[^"<>]{0,500}"|'[^'<>]{0,500}'|[^\s"'=<>`]{1,500})|open|hidden|reversed|controls))*)\s*/?>)
    | (?P<entity>&(?:\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)
    )
    """,
    re.VERBOSE | re.DOTALL,
)
OPENING_SIGNS = re.compile(r"[\\`$<&\[]")  # one of these is in whatever has to be changed
PLAIN_SIGNS = re.compile(r"[\\`$<&\[*_~\t]|  ")  # one of these is in what is not plain as it is
_MARKS = {
    "b": "**", "strong": "**", "i": "*", "em": "*", "cite": "*", "dfn": "*", "var": "*", "u": "__", "ins": "__",
    "s": "~~", "del": "~~", "strike": "~~", "code": "`", "kbd": "`", "samp": "`", "tt": "`", "summary": "**",
    "h1": "**", "h2": "**", "h3": "**", "h4": "**", "h5": "**", "h6": "**", "th": "**", "dt": "**", "caption": "**",
}  # fmt: skip
_NOTHING = frozenset(
    {
        "details",
        "p",
        "div",
        "span",
        "center",
        "font",
        "small",
        "big",
        "mark",
        "abbr",
        "section",
        "article",
        "header",
        "footer",
        "main",
        "figure",
        "figcaption",
        "ul",
        "ol",
        "dl",
        "table",
        "thead",
        "tbody",
        "tfoot",
        "picture",
        "q",
        "blockquote",
        "label",
        "nav",
        "aside",
        "pre",
        "colgroup",
        "time",
        "data",
        "wbr",
        "ruby",
        "rt",
        "rp",
        "bdi",
        "bdo",
    }
)
_LINES = frozenset({"br", "tr"})
_SHOWN = {"br": "\n", "tr": "\n", "li": "- ", "dd": "- ", "hr": f"\n{RULE}\n", "td": " "}
TAGS = frozenset({*_MARKS, *_NOTHING, *_SHOWN, "sub", "sup", "a", "img"})
_ATTRIBUTE = re.compile(r"""\b(href|src|alt)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_MARKUP = frozenset("*_~|`\\[]<>#-+")
_MATH_SIGNS = re.compile(r"[\\^_={}]|^\s*[A-Za-z]\s*$")
_MATH_ONLY = re.compile(
    r"(?!.*[A-Za-z]{4})(?!.*[A-Za-z]{2,}\s+[A-Za-z]{2,})[\w\s+\-*/=<>(),.'|!:\u0370-\u03ff\u2200-\u22ff]+", re.DOTALL
)
_NO_LABEL = str.maketrans("[]`", "()ˋ")
_NAMES = re.compile(r"</?[A-Za-z][A-Za-z0-9]{0,10}(?=[\s/>])")
_ENDS = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}


@dataclass(frozen=True)
class Dialect:
    """What a renderer cannot do by itself.

    Attributes:
        entities: It knows no entities.
        images: It shows no images, so that their words have to link to them.
        underline: It underlines what is between two underscores; elsewhere that is bold.
    """

    entities: bool
    images: bool
    underline: bool


DISCORD = Dialect(entities=False, images=False, underline=True)
TERMINAL = Dialect(entities=True, images=False, underline=False)


def readable_paragraph(text: str, dialect: Dialect, references: Iterable[str] = ()) -> str:
    """A paragraph with nothing that its renderer would show as markup.

    Args:
        text: The paragraph, or a line of it.
        dialect: What its renderer does by itself.
        references: The labels, in lower case, that have a target in the same text.
    """
    if OPENING_SIGNS.search(text) is None:
        return text
    return _Paragraph(text, dialect, frozenset(references)).read()


@dataclass
class _Paragraph:
    """A paragraph while it is read from its begin to its end."""

    text: str
    dialect: Dialect
    references: frozenset[str]
    unpaired: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)  # ends that do not come any more

    def read(self) -> str:
        """What is shown in its place."""
        made: list[str] = []
        place = 0
        if "<" in self.text:
            tags = [found[0].lower() for found in _NAMES.finditer(self.text)]
            self.unpaired = {name for name in _MARKS if tags.count(f"<{name}") != tags.count(f"</{name}")}
        while (found := OPENINGS.search(self.text, place)) is not None:
            made.append(self.text[place : found.start()])
            shown, place = getattr(self, f"_{found.lastgroup}")(found)
            made.append(shown)
        return "".join([*made, self.text[place:]])

    def _find(self, end: str, place: int, most: int = 2_000) -> int:
        """Where a construct ends, -1 for nowhere; what was not found once is not looked for again."""
        if end in self.missing:
            return -1
        found = self.text.find(end, place)
        if found < 0:
            self.missing.add(end)
        return found if found - place <= most else -1

    def _escapes(self, found: re.Match[str]) -> tuple[str, int]:
        return found[0], found.end()

    def _escape(self, found: re.Match[str]) -> tuple[str, int]:
        text, place = found[0], found.end()
        if text == "\\\n":
            return "\n", place
        if text == "\\`" and self.text.startswith("``", place):
            end = len(self.text) - len(self.text[place:].lstrip("`"))
            return "ˋ" * (end - place + 1), end
        if text in _ENDS:
            end = self._find(_ENDS[text], place, LONGEST)
            if end > place:
                return formula(self.text[place:end], self.text[found.start() : end + 2]), end + 2
        return text, place

    def _ticks(self, found: re.Match[str]) -> tuple[str, int]:
        """Code, which is left as it is if it is on one line; backticks that begin none are no more than signs."""
        ticks, place = found[0], found.end()
        end = self._end_of_code(ticks, place)
        if end < 0:
            return ("ˋ" * len(ticks) if len(ticks) > 2 else ticks), place
        code = self.text[place:end]
        after = end + len(ticks)
        if len(ticks) > 2 and "\n" in code:
            words = code.replace("```", "ˋˋˋ").strip("\n")
            return (f"```\n{words}\n```" if words.strip() else "ˋˋˋ"), after
        code = code.replace("\n", " ")
        if len(ticks) < 3:
            return f"{ticks}{code.replace('```', 'ˋˋˋ')}{ticks}", after
        return (f"`{code}`" if "`" not in code else f"`{code.replace('`', 'ˋ')}`"), after

    def _end_of_code(self, ticks: str, place: int) -> int:
        if ticks in self.missing:
            return -1
        found = _closing_ticks(len(ticks)).search(self.text, place)
        if found is None:
            self.missing.add(ticks)
            return -1
        return found.start()

    def _dollar(self, found: re.Match[str]) -> tuple[str, int]:
        """A formula; prices, and what else begins with a dollar, stay as they are."""
        sign, place = found[0], found.end()
        end = self._find(sign, place, LONGEST)
        while sign == "$" and end > place and self.text[end - 1] == "\\":
            end = self.text.find("$", end + 1, place + LONGEST)
        if end <= place:
            return sign, place
        inside = self.text[place:end]
        if sign == "$" and not self._is_formula(inside, end):
            return sign, place
        return formula(inside, self.text[found.start() : end + len(sign)]), end + len(sign)

    def _is_formula(self, inside: str, end: int) -> bool:
        if inside[0].isspace() or inside[-1].isspace() or "`" in inside or "\n\n" in inside:
            return False
        if self.text[end + 1 : end + 2].isalnum():
            return False
        return _MATH_SIGNS.search(inside) is not None or _MATH_ONLY.fullmatch(inside) is not None

    def _url(self, found: re.Match[str]) -> tuple[str, int]:
        url = found[0]
        return (html.unescape(url) if not self.dialect.entities and "&amp;" in url else url), found.end()

    def _image(self, found: re.Match[str]) -> tuple[str, int]:
        return "", found.end()

    def _note(self, found: re.Match[str]) -> tuple[str, int]:
        """A footnote's number, where it is told or where it is told of."""
        name = found[0][2:-1]
        place = found.end()
        if self.text[place : place + 1] == ":" and self.text[found.start() - 1 : found.start()] in ("", "\n"):
            place += 1
        elif self.text[place : place + 1] == "(":  # it is a link
            return found[0], place
        return (high(name) if name.isdigit() else None) or f"[{name}]", place

    def _task(self, found: re.Match[str]) -> tuple[str, int]:
        """A box, where it is the first of an item."""
        line = self.text[self.text.rfind("\n", 0, found.start()) + 1 : found.start()]
        if not re.fullmatch(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]+", line):
            return found[0], found.end()
        return ("☐" if found[0][1] == " " else "☑"), found.end()

    def _reference(self, found: re.Match[str]) -> tuple[str, int]:
        """The label of a link whose target is told elsewhere."""
        label = found[0]
        return (f" {label}" if label[1:-1].lower() in self.references else label), found.end()

    def _mail(self, found: re.Match[str]) -> tuple[str, int]:
        address = found[0][1:-1].removeprefix("mailto:")
        return (found[0] if address.startswith(("@", "#")) else address), found.end()

    def _comment(self, found: re.Match[str]) -> tuple[str, int]:
        end = self._find("-->", found.end())
        return ("", end + 3) if end >= 0 else (found[0], found.end())

    def _tag(self, found: re.Match[str]) -> tuple[str, int]:
        """What an HTML tag means in Markdown; one that HTML does not have, as in `List<int>`, is text."""
        name, place = found["name"].lower(), found.end()
        closing = found[0].startswith("</")
        is_type = name in self.unpaired and self.text[found.start() - 1 : found.start()].isalnum()  # as in `Vec<u>`
        if name not in TAGS or is_type:
            return found[0], place
        if name in ("sub", "sup") and not closing:
            return self._shifted(name, place)
        if name in ("a", "img"):
            return self._link(name, found)
        if name in _MARKS:
            mark = "" if name in self.unpaired else _MARKS[name]
            return ("**" if mark == "__" and not self.dialect.underline else mark), place
        if closing or (name in _LINES and self.text.startswith("\n", place)):
            return "", place
        return _SHOWN.get(name, ""), place

    def _shifted(self, name: str, place: int) -> tuple[str, int]:
        end = self._find(f"</{name}>", place, 60)
        if end < 0:
            return "", place
        inside = self.text[place:end]
        if "`" in inside:
            return "", place
        sign = "^" if name == "sup" else "_"
        return (high if name == "sup" else low)(inside) or f"{sign}({inside})", end + len(name) + 3

    def _link(self, name: str, found: re.Match[str]) -> tuple[str, int]:
        """A link or an image of HTML as one of Markdown."""
        given = {one[1].lower(): one[2] or one[3] or one[4] or "" for one in _ATTRIBUTE.finditer(found["attributes"])}
        place = found.end()
        target = html.unescape(given.get("href" if name == "a" else "src", ""))
        if not re.fullmatch(r"https?://[^\s<>()\[\]`]+", target):
            return (given.get("alt", "").translate(_NO_LABEL) if name == "img" else ""), place
        if name == "img":
            return f"[{given.get('alt', '').translate(_NO_LABEL) or 'image'}]({target})", place
        end = self._find("</a>", place, 300)
        if end < 0:
            return "", place
        words = re.sub(r"<[^<>]*>|[\[\]]", "", self.text[place:end]).strip()
        return f"[{words or target}]({target})", end + 4

    def _entity(self, found: re.Match[str]) -> tuple[str, int]:
        if self.dialect.entities:
            return found[0], found.end()
        said = visible_text(html.unescape(found[0])).replace("\xa0", " ").replace("\n", " ")
        if said == found[0]:
            return said, found.end()
        return "".join(f"\\{one}" if one in _MARKUP else one for one in said), found.end()


@lru_cache(64)
def _closing_ticks(number: int) -> re.Pattern[str]:
    """What ends code that so many backticks begin."""
    return re.compile(rf"(?<!`)`{{{number}}}(?!`)")


def formula(inside: str, written: str) -> str:
    """A formula in Unicode, or as code where that is not readable."""
    said = readable(inside)
    if said is not None:
        return "".join(f"\\{one}" if one in "*_~`|" else one for one in said)
    code = " ".join(inside.replace("`", "ˋ").split())
    return f"`{code}`" if code else written


def plain(text: str, dialect: Dialect) -> str:
    """The words of a paragraph on one line, for where no markup is rendered, as in code."""
    if PLAIN_SIGNS.search(text) is None:
        return " ".join(text.split())
    if "<" in text:
        text = re.sub(r"<br\s*/?>", " / ", text, flags=re.IGNORECASE)
    said = readable_paragraph(text, dialect)
    said = _LINKS.sub(r"\1 (\2)", said) if "](" in said else said
    said = _EMPHASIS.sub(lambda found: found["inside"], said)
    said = re.sub(r"(?<!`)(`{1,2})([^`]+)\1(?!`)", r"\2", said)
    return " ".join(_ESCAPES.sub(r"\1", said).split())


_LINKS = re.compile(r"\[([^\[\]]*)\]\(<?([^\s()<>]+)>?[^()]{0,100}\)")
_EMPHASIS = re.compile(
    r"(?<![\\\w*_~])(?P<mark>\*{1,3}|__?|~~)(?=\S)(?P<inside>[^*_~`\n]{1,200})(?<=\S)(?P=mark)(?![\w*_~])"
)
_ESCAPES = re.compile(r"\\([!-/:-@\[-`{-~])")
