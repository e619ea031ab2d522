"""The words of models, tools, services and people, made safe to post: the one way for them into what the bot sends.

Formatting stays, and nothing can be more than text:

| what was written | what is shown |
|---|---|
| a masked link or an image, `[text](https://…)` | its text and its target: `text (<https://…>)` |
| a bare link | the link in `<>`, so that Discord shows no preview |
| an invite without `https://` | the same with a look-alike for its slash, by which Discord does not know it |
| `-# `, the bot's small print | the same with a look-alike for its hyphen, so at the size of text |
| `</name:id>`, `<id:…>`, `<sound:…>` | the same with a look-alike for `<`: nothing to click |
| backticks that begin no code | look-alikes |
| `>>> `, which would quote the bot's footer too | `> ` |

What hides or reorders characters `visible_text` has removed before. A part of an answer is made safe after it was cut
from the text, so that no cut makes anything unsafe, and grows by at most `MOST_ADDED` characters.

Discord's own parser has no grammar that could be followed to the letter, so code is brought into the one form that
every reading takes for code: a span on one line; a block between fences of three backticks, the first of which begins
a line, so that neither a quote nor a list nor a heading ends before it does.
"""

import re

from llmgine.messages.text import collapse_spaces
from llmgine.messages.visible_text import visible_line, visible_text

MOST_ADDED = 100  # characters; 50 links of a part are put into `<>`, and what is beyond them is no link

_LINK = r"(?:https?|steam|discord)://"
_TARGET = r"(?:[^\s<>()`\[\]*|~]|~(?!~))"  # one character; what may end emphasis is none of a link
_LABEL = r"(?:\\.|`[^`\n]++`|[^\[\]\\\n`])*+"
_LINKED = rf"""
    | (?P<masked>!?\[(?P<label>{_LABEL})\]\(\s*+<?(?P<target>{_LINK}{_TARGET}*+(?:\({_TARGET}*+\){_TARGET}*+)*+)>?
        (?:\s++(?:"[^"\n`]*+"|'[^'\n`]*+'))?+\s*+\))
    | (?P<wrapped><{_LINK}(?:{_TARGET}|[()])++>)
    | (?P<link>{_LINK}(?:{_TARGET}|[()])++)
"""
_TOKENS, _UNLINKED_TOKENS = (
    re.compile(
        rf"""
        (?=[\\\]<`!\[hsd-])(?:  # one look at the first character in place of a dozen
        (?P<joint>\\?\]\()
        | (?P<special>\\?<(?=/|id:|sound:))
        | (?P<escape>\\[^0-9A-Za-z\s`])
        | (?P<block>(?P<fence>`{{3,}}+)(?P<code>.*?)(?P<close>(?P=fence)`*+|\Z))
        | (?P<span>`[^`\n]++`(?!`)|``(?!`)(?:[^`\n]|`(?!`))++``(?!`))
        | (?P<ticks>\\?`++)
        {links}
        | (?P<invite>(?:discord\.(?:gg|gift|new)|discord(?:app)?\.com/(?:invite|gifts|template|events))/)
        | (?P<small>-(?=\#))
        )
        | (?P<quote>^[ \t]*+>>>(?=[ \t]))
        """,
        re.VERBOSE | re.DOTALL | re.MULTILINE | re.IGNORECASE,
    )
    for links in (_LINKED, "")  # half of the time goes into looking for links
)
_INSTEAD = {"joint": "]（", "special": "‹", "small": "‐", "quote": ">"}
_INFO = re.compile(r"[\w+\-.#]*\n")  # the language of a block
_AFTER_A_LINK = frozenset(".,:;!?\"')}")
_LINKS = re.compile(rf"{_LINK}\S*", re.IGNORECASE)
_ENDS_EMPHASIS = re.compile(r"_{2,}|_(?!\w)")
# Of text before code, what has no counterpart: to Discord it may reach into the code, and the rest is no code then.
_OPENINGS = re.compile(
    r"\*\*[^*\n]++\*\*(?!\*)|\*[^*\n]++\*(?!\*)|__[^_\n]++__(?!_)|_[^_\n]++_(?!\w)|~~[^~\n]++~~(?!~)|\|\|[^|\n]++\|\|(?!\|)"
    r"|\[[^\[\]\n]*+\]|<(?:@[!&]?|#|t:-?|a?:\w{2,32}:)\d++(?::\w)?>"
    r"|(?P<open>\*\*|__|~~|\|\||[\[<_]|\*(?!\s))"
)
_NO_TEXT = re.compile(  # not safe as text
    r"(?=[\]<:d])(?:\]\(|<(?:/|id:|sound:)|://|discord\.(?:gg|gift|new)/)", re.IGNORECASE
)
# A line of nothing but the marks of a quote, a list or a heading, which may take the next line for their text.
_MARKS_ALONE = re.compile(r"[ \t]*+(?:[>*+\-#]|\d++[.)])[ \t>*+\-#\d.)]*+")
_LOOK_ALIKES = str.maketrans("*_~|[<-+>#.)", "∗ˍ∼∣［‹‐＋›＃․）")
_FORMATS = re.compile(
    r"[\\*_~|\[]|(?<=\])\(|:(?=//)|@(?=everyone|here)|(?<=discord)\.|-(?=#)|^(?:#(?=#{0,2}\s)|[>+-](?=[\s#>]))",
    re.IGNORECASE,
)


def safe_message(text: str) -> str:
    """A text with its formatting, for one message or a part of one."""
    return safe_part(visible_text(text))


def safe_part(text: str) -> str:
    """The same for a text without hidden characters; the result is at most `MOST_ADDED` characters longer."""
    return _Part(text).of(text)


def plain_words(text: str, longest: int) -> str:
    """A name or a title within a sentence, on one line: nothing in it is formatted, links or mentions.

    It has at most `longest` characters with the backslashes that keep it plain.
    """
    words = _escaped(visible_line(text, longest))
    return words if len(words) <= longest else _escaped(visible_line(text, longest // 2))


def small_print(line: str) -> str:
    """A line of the bot's own that begins with `-# `, with whatever others wrote in it made safe."""
    return f"-# {safe_message(collapse_spaces(line.removeprefix('-# ').replace('```', 'ˋˋˋ')))}"


def bare_link(url: str) -> str:
    """An address in plain ASCII as a link without a preview, which ends no emphasis that begins before it."""
    return f"<{_ENDS_EMPHASIS.sub(lambda found: '%5F' * len(found[0]), url.replace('~', '%7E'))}>"


def inline_code(text: str, longest: int) -> str:
    """A text as code on one line, of at most `longest` characters with its backticks; empty for a blank one."""
    line = visible_line(text, max(1, longest - 2))
    return f"`{line.replace('`', 'ˋ')}`" if line else ""


def code_block(text: str, language: str = "") -> str:
    """A text as a block of code that it cannot end."""
    body = visible_text(text).replace("```", "ˋˋˋ")
    return f"```{language}\n{body if body.strip() else ' '}\n```"  # an empty block would have no end in Discord


class _Part:
    """The text of one message while it is made safe."""

    def __init__(self, text: str) -> None:
        self._room = MOST_ADDED
        self._tokens = _TOKENS if "://" in text else _UNLINKED_TOKENS
        self._emphasised = "://" in text and "_" in _LINKS.sub("", text)
        code = ""
        if _NO_TEXT.search(text):
            code = "".join(one[0] for one in self._tokens.finditer(text) if one["block"] or one["span"])
        self._caged = _NO_TEXT.search(code) is not None
        self._unbracketed = "](" in code

    def of(self, text: str) -> str:
        """The safe form of a text of the message."""
        made: list[str] = []
        position = 0
        for found in self._tokens.finditer(text):
            before = text[position : found.start()]
            made.append(self._prose(before))
            made.append(self._block(found, made) if found["block"] else self._token(found, before))
            position = found.end()
        return "".join([*made, self._prose(text[position:])])

    def _prose(self, text: str) -> str:
        if self._caged:
            text = _OPENINGS.sub(self._closed, text)
        return text.replace("[", "［") if self._unbracketed else text

    def _closed(self, found: re.Match[str]) -> str:
        """What has a counterpart, as it is; a sign without, as no more than that."""
        sign = found[0]
        if found["open"] is None:
            return sign
        escaped = "".join(f"\\{one}" for one in sign)
        return escaped if self._add(len(sign)) else sign.translate(_LOOK_ALIKES)

    def _token(self, found: re.Match[str], before: str) -> str:
        kind, text = str(found.lastgroup), found[0]
        if kind == "masked":
            return self._masked(found, before)
        if kind in ("link", "wrapped"):
            return self._link(text.strip("<>"), before)
        if kind == "span":
            ticks = "``" if text.startswith("``") else "`"
            return f"{ticks}{text.strip('`').replace('`', 'ˋ')}{ticks}"
        return {"ticks": "ˋ" * text.count("`"), "invite": text.replace("/", "∕")}.get(kind, _INSTEAD.get(kind, text))

    def _block(self, found: re.Match[str], made: list[str]) -> str:
        """A block of code, which begins a line and is not empty."""
        code = (found["code"] if found["close"] else found["code"].removesuffix("\n```")).replace("```", "ˋˋˋ")
        info = _INFO.match(code)
        filling = "" if code[info.end() if info else 0 :].strip("\n") else " "
        block = f"```{code}{filling}{'' if found['close'] else chr(10)}```"
        made[:] = ["".join(made)]
        above, line = _last_line(made[0])
        if _MARKS_ALONE.fullmatch(line.rstrip()):
            line = line.translate(_LOOK_ALIKES)
        is_inside = bool(line) and not line.endswith("\n")
        if not self._add(is_inside + len(block) - len(found[0])):
            return f"ˋˋˋ{self.of(code)}{'ˋˋˋ' if found['close'] else ''}"
        made[:] = [above, line, "\n" * is_inside]
        return block

    def _masked(self, found: re.Match[str], before: str) -> str:
        """A link under a text, with both of them to be seen."""
        label, target = found["label"], found["target"]
        if label.strip() in ("", target):
            return self._link(target, before)
        url = self._url(target)
        if not self._add(len(f"{label} (<{url}>)") - len(found[0])):
            return f"[{self.of(label)}]（{_unlinked(target)})"
        return f"{self.of(label)} (<{url}>)"

    def _link(self, text: str, before: str) -> str:
        """A bare link, without the punctuation behind it."""
        url = text
        while url[-1] in _AFTER_A_LINK and not (url[-1] == ")" and url.count("(") >= url.count(")")):
            url = url[:-1]
        if url.endswith("/") and url.count("/") == 2:  # there is no more than its scheme
            url = text
        space = " " if before.endswith("\\") else ""  # the backslash would take `<` for a mere sign
        shown = f"{space}<{self._url(url)}>{text[len(url) :]}"
        return shown if self._add(len(shown) - len(text)) else _unlinked(text)

    def _url(self, url: str) -> str:
        """A link that does not end an emphasis which begins before it."""
        return _ENDS_EMPHASIS.sub(lambda found: "%5F" * len(found[0]), url) if self._emphasised else url

    def _add(self, characters: int) -> bool:
        """Whether there is room for so many more characters than were written."""
        if characters > self._room:
            return False
        self._room -= max(0, characters)
        return True


def _last_line(text: str) -> tuple[str, str]:
    """What is above the last line that is not blank, and that line with the line feeds below it."""
    end = len(text.rstrip())
    start = text.rfind("\n", 0, end) + 1
    return text[:start], text[start:end] + "\n" * text.count("\n", end)


def _unlinked(text: str) -> str:
    return text.replace("://", ":∕∕")


def _escaped(line: str) -> str:
    return _FORMATS.sub(r"\\\g<0>", line.replace("`", "ˋ").replace("<", "‹"))
