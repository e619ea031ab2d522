"""Formulas in Unicode, where it can say them on one line.

pylatexenc knows what LaTeX's commands stand for. Its parser takes half a millisecond for a formula, and an answer may
have hundreds, so only its table is used, and what commands do with their arguments is told here.
"""

import re
import unicodedata
from functools import lru_cache

from pylatexenc.latex2text import get_default_latex_context_db  # type: ignore[import-untyped]  # it has no types

LONGEST = 400  # characters of a formula that is read

_SYMBOLS = {
    spec.macroname: spec.simplify_repl
    for spec in get_default_latex_context_db().iter_macro_specs()
    if isinstance(spec.simplify_repl, str) and "%" not in spec.simplify_repl
}
_SYMBOLS |= {"implies": "⟹", "iff": "⟺", "quad": "  ", "qquad": "  ", "$": "$", "%": "%", "degree": "°", "to": "→"}
_SYMBOLS |= {"displaystyle": "", "limits": "", "nolimits": "", "left": "", "right": "", "!": "", "[": "", "]": ""}
_SYMBOLS |= dict.fromkeys(("big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr"), "")
_SYMBOLS |= dict.fromkeys((",", ";", ":", " "), " ")
_WORDS = frozenset({"text", "mathrm", "operatorname", "mathbf", "mathit", "mathsf", "textbf", "textit", "boldsymbol"})
_WORDS |= {"mbox", "textrm", "bm", "boxed"}
_MARKS = {"hat": "\u0302", "bar": "\u0304", "vec": "\u20d7", "dot": "\u0307", "ddot": "\u0308", "tilde": "\u0303"}
for _name in (*_WORDS, *_MARKS, "frac", "dfrac", "tfrac", "sqrt", "mathbb", "mathcal"):
    _SYMBOLS.pop(_name, None)
_FRACTIONS = frozenset({"frac", "dfrac", "tfrac"})
_RELATIONS = frozenset("≤≥=≠≈∼≡→←⇒⇐⇔⟹⟺∈∉⊂⊆∪∩±×÷")
_HIGH = str.maketrans(
    "0123456789+-−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWαβγδθ",
    "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵅᵝᵞᵟᶿ",
)
_LOW = str.maketrans("0123456789+-−=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ")
_TOKEN = re.compile(r"\\([A-Za-z]+)[ \t]*|\\(.)|([{}^_])|([^\\{}^_]+)", re.DOTALL)
_DEEPEST = 8


class _UnreadableError(Exception):
    """A formula that has no readable form on one line."""


def high(text: str) -> str | None:
    """A text in superscript letters; None if there is none for one of its characters."""
    return _shifted(text, _HIGH)


def low(text: str) -> str | None:
    """A text in subscript letters; None if there is none for one of its characters."""
    return _shifted(text, _LOW)


def _shifted(text: str, letters: dict[int, int]) -> str | None:
    text = text.replace(" ", "")
    return text.translate(letters) if text and all(ord(one) in letters for one in text) else None


@lru_cache(1_000)
def readable(formula: str) -> str | None:
    """A formula in Unicode, no longer than it was written in LaTeX; None where that would not be readable."""
    formula = formula.strip()
    if not formula or len(formula) > LONGEST or "\\begin" in formula or "&" in formula or "\\\\" in formula:
        return None
    try:
        reader = _Reader(formula)
        text = reader.group(0)
    except _UnreadableError:
        return None
    text = " ".join(text.split())
    return text if text and reader.is_at_end and len(text.encode("utf-16-le")) <= 2 * (len(formula) + 2) else None


class _Reader:
    """Reads a formula from its begin to its end."""

    def __init__(self, formula: str) -> None:
        self._tokens = list(_TOKEN.finditer(formula))
        self._place = 0
        self._rest = ""  # of a run of letters of which one was taken

    @property
    def is_at_end(self) -> bool:
        """Whether all was read."""
        return self._place >= len(self._tokens) and not self._rest

    def group(self, depth: int) -> str:
        """What is up to the end of a group, or of the formula."""
        if depth > _DEEPEST:
            raise _UnreadableError
        made = ""
        while not self.is_at_end:
            if not self._rest and self._tokens[self._place][0] == "}":
                break
            made = self._item(depth, made)
        return made

    def _item(self, depth: int, made: str) -> str:
        if self._rest:
            made, self._rest = made + self._rest, ""
            return made
        token = self._tokens[self._place]
        self._place += 1
        if token[4] is not None:
            return made + token[4]
        if token[3] is not None:
            return made + self._sign(token[3], depth)
        return made + self._command(token[1] or token[2], depth, made)

    def _sign(self, sign: str, depth: int) -> str:
        if sign == "{":
            inside = self.group(depth + 1)
            self._close()
            return inside
        inside = self.argument(depth)
        if sign == "^" and inside in ("∘", "°"):
            return "°"
        if inside in ("′", "'", "*", "†"):
            return inside
        shifted = (high if sign == "^" else low)(inside)
        return shifted or (f"{sign}{inside}" if len(inside) == 1 else f"{sign}({inside})")

    def _close(self) -> None:
        if self.is_at_end:
            raise _UnreadableError
        self._place += 1

    def argument(self, depth: int) -> str:
        """What a command or a sign is about: a group, a command, or one character."""
        if not self._rest:
            if self.is_at_end:
                raise _UnreadableError
            token = self._tokens[self._place]
            if token[4] is None:
                if token[0] == "}":
                    raise _UnreadableError
                return self._item(depth + 1, "")
            self._place += 1
            self._rest = token[4].lstrip()
            if not self._rest:
                return self.argument(depth)
        one, self._rest = self._rest[0], self._rest[1:]
        return one

    def _command(self, name: str, depth: int, made: str) -> str:
        if depth > _DEEPEST:
            raise _UnreadableError
        if name not in _SYMBOLS:
            return self._with_argument(name, depth)
        symbol = _SYMBOLS[name]
        is_word = symbol.isalpha() and symbol.isascii()
        if symbol in _RELATIONS or (is_word and made[-1:].isalnum()):
            return f" {symbol} "
        return f"{symbol} " if is_word else symbol

    def _with_argument(self, name: str, depth: int) -> str:
        if name in _FRACTIONS:
            return f"{_whole(self.argument(depth))}/{_whole(self.argument(depth))}"
        if name == "sqrt":
            inside = _whole(self.argument(depth))
            if inside.startswith("["):
                raise _UnreadableError
            return f"√{inside}"
        if name in _WORDS:
            return self.argument(depth)
        if name in ("mathbb", "mathcal"):
            return "".join(_letter(one, name) for one in self.argument(depth))
        if name in _MARKS:
            inside = self.argument(depth)
            if len(inside) != 1:
                raise _UnreadableError
            return unicodedata.normalize("NFC", inside + _MARKS[name])
        raise _UnreadableError


def _whole(text: str) -> str:
    """A text in brackets, unless it is one thing."""
    return text if len(text) == 1 or text.isalnum() else f"({text})"


def _letter(one: str, name: str) -> str:
    style, wide = (
        ("DOUBLE-STRUCK", "MATHEMATICAL DOUBLE-STRUCK") if name == "mathbb" else ("SCRIPT", "MATHEMATICAL SCRIPT")
    )
    for kind in (style, wide):
        try:
            return unicodedata.lookup(f"{kind} CAPITAL {one.upper()}") if one.isascii() and one.isupper() else one
        except KeyError:
            continue
    return one
