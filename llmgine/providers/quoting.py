"""A service's own words about an error: found in whatever form they came, and fit to be shown to people.

Everything in a body is data to judge. Reading is bounded in depth, length and number, so that no body is slow to read.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from urllib.parse import quote as percent_encoded

from llmgine.messages.text import clean_text, collapse_spaces, shorten
from llmgine.observability.redaction import REDACTED, Redactor

_LONGEST = 20_000  # characters that are read or redacted
_LONGEST_QUOTE = 2_000  # characters; whoever shows them shortens them once they are redacted
_LONGEST_JSON = 50_000  # characters of JSON inside a string that are still parsed
_MOST_VALUES = 500  # values of a body that are looked at
_MOST_ENTRIES = 50  # entries of one object or array
_MOST_PARTS = 100  # parts of a body that are looked at for a quote, and so the deepest nesting, too

# Where services put their reason, the best one first.
_REASONS = (
    *("message", "msg", "error_message", "error_msg", "errormessage", "error_description", "detail", "details"),
    *("error", "errors", "description", "title", "reason", "code"),
)
_SAID = {
    *_REASONS,
    *("", "type", "param", "status", "raw", "innererror", "error_code", "error_type", "errortype", "loc"),
    *("__type", "cause", "hint", "info", "base_resp", "status_msg"),
}
# The names of these matter, too: llama.cpp's window and the request's size, and why a prompt was moderated.
_NAMED = {"n_ctx", "n_prompt_tokens", "reasons"}
# A service repeats in these what it was sent or what the model wrote; nobody's text may be taken for a reason.
_ECHOES = {"input", "flagged_input", "failed_generation", "messages", "prompt", "request", "ctx"}


def said(body: object) -> str:
    """Everything the service said about an error, for matching: reasons, codes, types, parameters, nested JSON.

    Args:
        body: The parsed JSON, or the text the service sent instead.

    Returns:
        One line, at most 20,000 characters; "" for a web page.
    """
    pieces: list[str] = []
    for name, value in fields(body):
        if name in _NAMED:
            pieces.append(f"{name}: {value}")
        elif name in _SAID:
            pieces.append(str(value))
    return collapse_spaces(clean_text(" ".join(pieces)[:_LONGEST]))


def fields(body: object) -> Iterator[tuple[str, str | int | float]]:
    """The named values of a body, in its order: the name in small letters ("" at the top), and a text or number.

    JSON inside a text is opened. Web pages are left out, and so is what the service only repeats.
    """
    waiting: list[tuple[str, object]] = [("", body)]
    for _ in range(_MOST_VALUES):
        if not waiting:
            return
        name, value = waiting.pop()
        value = opened(value)
        if isinstance(value, Mapping):
            entries = ((str(key)[:100].lower(), entry) for key, entry in islice(value.items(), _MOST_ENTRIES))
            waiting += reversed([(key, "" if key in _ECHOES else entry) for key, entry in entries])
        elif isinstance(value, list | tuple):
            waiting += reversed([(name, entry) for entry in value[:_MOST_ENTRIES]])
        elif name == "failed_generation":
            yield "code", name  # that it is there is what matters
        elif isinstance(value, str) and not _is_page(value):
            yield name, value[:_LONGEST]
        elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15:
            yield name, value


def quote(body: object) -> str:
    """The true reason of an error in the service's words, for people.

    Args:
        body: The parsed JSON, or the text the service sent instead.

    Returns:
        One line of what prints, at most 2,000 characters; "" for a web page. It may hold a key: redact it, then
        shorten it.
    """
    return shorten(_Words().of(body), _LONGEST_QUOTE)


class _Words:
    """Reads the reason out of one body, looking at a bounded number of its parts."""

    def __init__(self) -> None:
        self._left = _MOST_PARTS

    def of(self, body: object) -> str:
        self._left -= 1
        if self._left < 0:
            return ""
        body = opened(body)
        if isinstance(body, str):
            return "" if _is_page(body) else _one_line(body)
        if isinstance(body, Mapping):
            return self._of_object(body)
        if isinstance(body, list | tuple):
            words = (self.of(entry) for entry in body[:_MOST_ENTRIES])
            return "; ".join(dict.fromkeys(word for word in words if word))
        return ""

    def _of_object(self, body: Mapping[object, object]) -> str:
        named = {str(key)[:100].lower(): value for key, value in islice(body.items(), _MOST_ENTRIES)}
        metadata = named.get("metadata")
        metadata = metadata if isinstance(metadata, Mapping) else {}
        # A gateway's own message is "Provider returned error"; the reason is what the provider sent to it.
        words = self.of(metadata.get("raw"))
        words = words or next(filter(None, (self.of(named[name]) for name in _REASONS if name in named)), "")
        reasons = self.of(metadata.get("reasons"))
        if reasons and reasons not in words:
            words = f"{words} ({reasons})" if words else reasons
        place = _place(named.get("loc"))
        return f"{place}: {words}" if place and words else words


def _place(loc: object) -> str:
    """Where in a request the fault is, as in `messages.0.content`."""
    if not isinstance(loc, list | tuple):
        return ""
    return _one_line(".".join(str(part)[:100] for part in loc[:10] if isinstance(part, str | int) and part != "body"))


def opened(value: object) -> object:
    """What JSON inside a text holds, or the value itself."""
    if not isinstance(value, str) or len(value) > _LONGEST_JSON or value.lstrip()[:1] not in {"{", "["}:
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _is_page(text: str) -> bool:
    start = text[:2_000].lstrip("\ufeff \t\r\n").lower()
    return re.match(r"<[!?/a-z]", start) is not None or "<!doctype" in start or "<html" in start


def _one_line(text: str) -> str:
    """On one line and without what does not print: it may hide a key from the redaction."""
    line = collapse_spaces(text[:_LONGEST])
    return "".join(c for c in line if c.isprintable())


# What is shown of a key is beside a mask. Each pattern starts where a word starts and is possessive, hence linear.
_MASK = r"[\[(<]?(?:[*•●∗·]+|…|\.{2,}|[xX]{3,})++[\])>]?"
_IN_WORD = r"[^\s\"'`,;()<>\[\]{}*•●∗·…]"
_FRAGMENT = re.compile(rf"(?<!{_IN_WORD})({_IN_WORD}*?)( ?)({_MASK})( ?)({_IN_WORD}*)")
_MASKED = re.compile(r"(?<![\w*•●-])(?=[\w-]*+[*•●]{3})(?=[*•●]*+[\w-])[\w-]*+[*•●]{3,}+[\w*•●-]*+")
_CUT = re.compile(r"(?<![\w-])(?:(?:start|begin|end)(?:s|ing|ning)? (?:with|in|by) [\"'`]?)?([\w-]{3,}+)")
_SK = re.compile(r"(?<![A-Za-z0-9])sk-(?:[\w-]*+(?:\.{2,}|…|[*•]+)[\w*•-]*|(?=[\w-]*\d)[\w-]{3,}|[\w-]{8,})")
_BEARER = re.compile(r"(?<!\w)(bearer[ :]+)([\w.~+/=-]{6,})", re.IGNORECASE)
_AFTER_BEARER = re.compile(
    r"(?:tokens?|auth\w*|scheme|headers?|prefix|format|credentials?|realm|access|missing|required|string|error|"
    r"before|should|cannot|invalid|expired)\W*",
    re.IGNORECASE,
)
_RUN = re.compile(r"[A-Za-z0-9_+/=.:~-]{20,}")
_UUID = re.compile(r"(?<![A-Za-z0-9])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![A-Za-z0-9])")
_RANDOM = 12  # characters that look random make a run a secret; a real key has more of them


def redactor(key: str) -> Callable[[str], str]:
    """A function that takes keys out of what a service said.

    It knows the key in whole, with separators between its characters, encoded (base64, hex, percent) and shortened,
    and other keys by their shape. A text of more than 20,000 characters is cut.

    Args:
        key: The key that is sent to the service; "" for none. Under six characters it is no secret, but a word.

    Returns:
        The function; it puts "[key]" for the key itself and "[redacted]" for all else.
    """
    key = key if len(key) >= 6 else ""
    disguises = _disguises(key) if key else ()
    shapes = Redactor()

    def redact(text: str) -> str:
        text = shorten(text, _LONGEST)
        if key:
            text = text.replace(key, "[key]")
            text = _without_disguises(text, disguises)
            text = _FRAGMENT.sub(lambda found: _without_fragment(found, key.lower()), text)
            text = _CUT.sub(lambda found: _without_cut(found, key.lower()), text)
        text = _SK.sub(REDACTED, _MASKED.sub(REDACTED, text))
        text = _BEARER.sub(_without_bearer, shapes(text))
        return _RUN.sub(_without_random, _UUID.sub(REDACTED, text))

    return redact


def _disguises(key: str) -> tuple[str, ...]:
    """Other forms of the key, as they look without separators and in small letters."""
    raw = key.encode()
    plain = _bare(key)
    # "no key" and "LM Studio" are no secrets, though they are what people give to services that need no key.
    found = {plain} if len(plain) >= 12 or re.search(r"\d", plain) else set()
    found |= {raw.hex(), _bare(percent_encoded(key, safe=""))} - {plain}
    # In base64 three bytes make four characters, so what it looks like depends on what is before it ("user:…").
    for before, skipped in ((0, 0), (1, 2), (2, 3)):
        encoded = b64encode(b"\0" * before + raw).decode().rstrip("=")
        found.add(_bare(encoded[skipped : (before + len(raw)) * 8 // 6]))
    return tuple(sorted((one for one in found if len(one) >= 6), key=len, reverse=True))


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _without_disguises(text: str, disguises: tuple[str, ...]) -> str:
    places, bare = _bare_places(text)
    for disguise in disguises:
        if disguise not in bare:
            continue
        found = [match.span() for match in re.finditer(re.escape(disguise), bare)]
        for start, end in reversed(found):
            # In base64 one more character may hold bits of the last byte.
            rest = re.sub(r"^[A-Za-z0-9]?=*", "", text[places[end - 1] + 1 :])
            text = f"{text[: places[start]]}{REDACTED}{rest}"
        places, bare = _bare_places(text)
    return text


def _bare_places(text: str) -> tuple[list[int], str]:
    """Where the letters and digits of a text are, and what they are."""
    places = [place for place, c in enumerate(text) if c.isascii() and c.isalnum()]
    return places, "".join(text[place] for place in places).lower()


def _without_fragment(found: re.Match[str], key: str) -> str:
    before, space, _, other_space, after = found.groups()
    lengths = range(len(key), 2, -1)
    start = next((length for length in lengths if before.lower().endswith(key[:length])), 0)
    end = next((length for length in lengths if after.lower().startswith(key[-length:])), 0)
    if not (start or end):
        return found[0]
    # A word that touches the mask belongs to it, whatever it is.
    start = start or (0 if space else _word_length(before[::-1]))
    end = end or (0 if other_space else _word_length(after))
    left = before[: len(before) - start] + (space if not start else "")
    right = (other_space if not end else "") + after[end:]
    return f"{left}{REDACTED}{right}"


def _word_length(text: str) -> int:
    return len(re.split(r"[^\w/+-]", text, maxsplit=1)[0])


def _without_cut(found: re.Match[str], key: str) -> str:
    """Take out a part of the key that is not marked as one; a short part only where the words say what it is."""
    word = found[1].lower()
    announced = found.start(1) > found.start()
    part = key.startswith(word) or key.endswith(word)
    telling = announced and word[-1].isalnum()  # every key starts with "sk-"
    if part and (telling or len(word) >= 8):
        return found[0][: found.start(1) - found.start()] + REDACTED
    return found[0]


def _without_bearer(found: re.Match[str]) -> str:
    return found[0] if _AFTER_BEARER.fullmatch(found[2]) else f"{found[1]}{REDACTED}"


def _without_random(found: re.Match[str]) -> str:
    """Take out of a path, an address or a name the parts that look random, if there is enough of them."""
    parts = re.split(r"([/:=])", found[0])
    random = [sum(len(one) for one in re.split(r"[-_.+~]", part) if _looks_random(one)) for part in parts]
    if sum(random) < _RANDOM:
        return found[0]
    where = [place for place, length in enumerate(random) if length]
    return "".join([*parts[: where[0]], REDACTED, *parts[where[-1] + 1 :]])


def _looks_random(text: str) -> bool:
    """Whether letters and digits are mixed as no name mixes them: not like `Llama3`, `70B`, `8x22b` or `20241022`."""
    groups = re.findall(r"[A-Za-z]+|\d+", text)
    letters = [group for group in groups if group.isalpha()]
    if not letters or len(letters) == len(groups) or len(text) <= 5:
        return False
    digits = (group for group in groups if group.isdigit())
    named = len(groups) <= 3 and all(len(group) <= 8 for group in digits)
    return not named or not all(_is_word(group) for group in letters)


def _is_word(letters: str) -> bool:
    humps = len(re.findall(r"[a-z][A-Z]", letters))
    return len(letters) <= 14 and humps <= max(1, len(letters) // 4)
