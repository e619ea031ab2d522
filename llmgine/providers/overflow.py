"""Whether a service's words say that a request is too long, and the numbers they name.

The words are searched as `plain()` leaves them, so that a code and a sentence look alike. Gaps in the patterns are
bounded, so that no text is slow to search.
"""

import re
from dataclasses import dataclass

_N = r"(\d{1,3}(?:[ ,.]\d{3})+(?!\d)|\d{1,12})(k\b)?"  # also 8,192 and 128k

_TIME = r"(?:second|sec|minute|min|hour|day|week|month)"
# A limit on how much may be asked in a time.
RATE = re.compile(
    rf"\brate[ -]?limit|\btoo many requests\b|\bper[ -]?{_TIME}\b|/ ?{_TIME}\b|\b(?:daily|hourly|weekly|monthly)\b"
    r"|\b[rt]p[smhd]\b|\bthrottl|\bplease wait\b|\bslow(?:ing)? down\b|\bquota\b|\bresource exhausted\b"
    r"|\b(?:try again|retry) (?:in|after) (?:an? |\d)"
)
_TOKENS_IN_TIME = re.compile(rf"\btokens?(?: per |/ ?){_TIME}\b|\btp[smhd]\b|\btokens? (?:rate )?limit per\b")
_LIMIT_AND_REQUESTED = re.compile(rf"\blimit:? {_N}\b.{{0,80}}?\brequested:? {_N}")

_CODE = re.compile(
    r"\bcontext (?:length|window|size) exceeded\b|\bmodel max prompt tokens exceeded\b|\brequest too large\b"
    r"|\bexceed context size\b|\btokens limit reached\b"
)
_PROMPT = r"\b(?:prompt|inputs?|messages?|conversation|history|sequence|request|text|tokens?)\b"
_CONTEXT = r"\bcontext (?:length|window|size|limit)s?\b"
_TOO_MUCH = (
    r"(?:\bexceed|\boverflow|\btoo (?:long|large|big|many)\b|\b(?:long|larg|bigg|great)er\b|\bmore than\b|\bbeyond\b"
    r"|\bfit\b|\bsurpass|\bout of\b|\bover the\b)"
)
_TOO_LITTLE = r"(?:\bonly (?:\w+ )?\d|\bnot enough\b|\binsufficient\b|\btoo (?:small|short)\b|\bis full\b|\breached\b)"
# No other fault is said in these words.
_SURELY = re.compile(
    rf"{_PROMPT}.{{0,60}}?\b(?:tokens?|long)\b.{{0,60}}?{_CONTEXT} is\b"
    rf"|{_CONTEXT}.{{0,120}}?(?:{_TOO_MUCH}|{_TOO_LITTLE}|\brequested\b|\bresulted\b|\breduce\b|\bshorten)"
    rf"|{_TOO_MUCH}.{{0,120}}?{_CONTEXT}|\bmaximum context length\b|\bcontext (?:the )?overflow|\bcontext is full\b"
    r"|\b(?:prompt|conversation) (?:is |was )?(?:much |far )?too long\b|\binputs? tokens \+ max new tokens\b"
    rf"|\brange of input length should be\b|\btokens? > {_N} max|\blonger than the maximum model length\b"
    r"|\bmaximum prompt length is\b|\btokens of context\b"
)
_MAYBE = re.compile(
    rf"{_PROMPT}(?: \w+){{0,3}} (?:is |are |was )?(?:much |far )?too (?:long|large|big)\b|\btoo many (?:\w+ )?tokens\b"
    rf"|{_PROMPT}.{{0,80}}?\b(?:exceed|surpass|(?:long|larg|great|bigg)er than|more than|over the|must have "
    rf"(?:less|fewer) than).{{0,80}}?\b(?:tokens?|context|prompt|length|model (?:s )?limit|limit of {_N}"
    rf"|the {_N} (?:this|the) model)\b"
    r"|\b(?:exceed|surpass)\w*.{0,40}?\b(?:token limit|(?:input|prompt) (?:length|tokens?))\b"
    r"|\b(?:max|maximum) (?:number of |allowed )?(?:prompt|input|sequence) (?:length|tokens|size)\b"
    r"|\breduce (?:the |your )?(?:(?:length|size) of )?(?:the |your )?(?:prompt|input|messages?|conversation)\b"
    r"|\bshorten (?:the |your )?(?:prompt|input|messages?|conversation)\b|\bshorter (?:prompt|input|message)\b"
    r"|\btokens?\b.{0,60}?\bcannot exceed\b|\btokens? limit (?:\w+ )?(?:exceeded|reached)\b"
)
# Other things that are too long, too large or too many; they are taken out before `_MAYBE` is tried.
_OF_SOMETHING_ELSE = re.compile(
    r"\b(?:image|picture|photo|audio|video|file|document|attachment|tool|function|schema|header|name|string|stop|time"
    r"|timeout)s?\b[^.;]{0,80}?(?:\btoo (?:large|long|big|many)\b|\bexceed\w*|\bmaximum\b|\b(?:larg|long|bigg)er\b)"
    r"[^;]{0,60}|\btoo (?:many|large|long) (?:an? )?(?:image|tool|function|stop|file|attachment|video)s?\b"
    r"|\b(?:max|maximum) (?:\w+ )?(?:completion |output |new )?tokens\b[^;]{0,60}?(?:\btoo (?:large|high|big)\b"
    r"|\bexceed|\bmust be\b|>|<|\bat most\b|\b(?:larg|great|high)er\b)[^;]{0,80}"
    r"|\b(?:output|completion) (?:tokens|length)\b|\bstring too long\b[^;]{0,120}|\btime limit\b"
    r"|\btook too long\b|\btimed out\b"
)
_OF_TOKENS = re.compile(r"\btokens?\b|\bcontext\b|\bprompt\b|\blength\b|\btoo long\b")

_SIZE = r"(?:length|tokens?|size|limit|context|window)"
_ALLOWED = r"\b(?:max|maximum|allowed|supported|configured|token|model)"
_IS = r"(?: (?:allowed|supported|permitted|accepted|limit|is|of|was|only|to))"
_AT_MOST = (
    r"(?:<=|\b(?:less|fewer|more|longer|larger|greater) than|\bexceed(?:s|ed|ing)?|\bat most|\bup to|\bover"
    r"|\bonly(?: \w+)?)"
)
_WINDOW = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\bn ctx: {_N}",
        rf"> ?{_N}",
        rf"should be \[\d{{1,9}}, ?{_N}\]",
        rf"{_CONTEXT}{_IS}*[ :=(]{{1,3}}{_N}",
        rf"{_ALLOWED}(?: (?!exceed)[a-z]+){{0,5}}? {_SIZE}{_IS}*[ :=(]{{1,3}}{_N}",
        # Not in brackets: in "exceeds limit (2013)" it is the number of the error.
        rf"\blimit(?::| of| is| was)?(?: only)? {_N}",
        rf"(?:\bwith|\bof|>) {_N} (?:tokens? )?max(?:imum)?\b",
        rf"{_N}[ -]tokens? (?:context|limit|window)\b",
        rf"{_AT_MOST}(?: or equal to)?(?: the)? {_N}\b",
    )
)
_SUMS = (
    re.compile(rf"{_N} \+ {_N} >"),
    re.compile(rf"\({_N} > \d{{1,12}} - {_N}\)"),
    re.compile(rf"\bgiven: {_N} inputs tokens and {_N}"),
)
_REQUESTED = (
    re.compile(rf"\bn prompt tokens: {_N}"),
    re.compile(rf"\brequested(?: (?:about|approximately|a total of|up to|tokens|is))*:? \(?{_N}"),
    re.compile(rf"(?<!by )(?<!\d){_N} (?:\w+ )?tokens?\b"),
    re.compile(
        r"\b(?:contains?|has|have|received|given|got|length|size|count|tokens?|input|prompt|request|long|is|of|was)"
        rf":? \(?{_N}"
    ),
)


@dataclass(frozen=True, kw_only=True)
class Overflow:
    """What a service said about a request that is too long.

    Attributes:
        window: Tokens it takes; None when it did not say.
        requested: Tokens it was sent; None when it did not say.
        lasting: Whether it is the model's window, rather than a limit in a time or on a request's bytes.
    """

    window: int | None = None
    requested: int | None = None
    lasting: bool = True


def plain(text: str) -> str:
    """The text for matching: small letters; underscores, quotes and the humps of codes are spaces."""
    humps_apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return " ".join(re.sub(r"[_`'\"’*]", " ", humps_apart.lower()).split())


def over_rate(words: str, *, status: int) -> Overflow | None:
    """The overflow where one request alone is more than may be asked in a time; waiting does not help then.

    Args:
        words: All that the service said, as `plain()` leaves it.
        status: The HTTP status, or 0.
    """
    if not _TOKENS_IN_TIME.search(words):
        return None
    numbers = _LIMIT_AND_REQUESTED.search(words)
    if numbers is None:
        too_large = status == 413 or "request too large" in words
        return Overflow(lasting=False) if too_large else None
    limit, requested = _numbers(numbers)
    return Overflow(window=limit, requested=requested, lasting=False) if requested > limit else None


def too_long(words: str, *, status: int) -> Overflow | None:
    """The overflow that a service's words, or a 413, speak of; None when they speak of something else.

    Args:
        words: All that the service said, as `plain()` leaves it.
        status: The HTTP status, or 0.
    """
    if not (_says_too_long(words) or (status == 413 and not RATE.search(words))):
        return None
    window, requested = _window_and_requested(words)
    lasting = _OF_TOKENS.search(words) is not None or not (status == 413 or "request too large" in words)
    return Overflow(window=window, requested=requested, lasting=lasting)


def surely_too_long(words: str) -> bool:
    """Whether the words cannot mean anything else, such as an image that is too large."""
    return _SURELY.search(words) is not None and not RATE.search(words)


def _says_too_long(words: str) -> bool:
    if _CODE.search(words):
        return True
    if RATE.search(words):
        window, requested = _window_and_requested(words)
        return None not in {window, requested} and _SURELY.search(words) is not None
    return _SURELY.search(words) is not None or _MAYBE.search(_OF_SOMETHING_ELSE.sub(" ", words)) is not None


def _window_and_requested(words: str) -> tuple[int | None, int | None]:
    """The two numbers, as far as they are there and make sense together."""
    sums = next((found for pattern in _SUMS if (found := pattern.search(words))), None)
    found = next((found for pattern in _WINDOW if (found := pattern.search(words))), None)
    window = _numbers(found)[0] if found else None
    if window is not None and window < 64:
        return None, None
    if sums:
        requested = sum(_numbers(sums))
        return window, requested if requested > (window or 0) else None
    # Without the window's own words, so that its number is not found again.
    rest = f"{words[: found.start()]} ; {words[found.end() :]}" if found else words
    if found and found[0].startswith(">"):
        rest = f"{words[: found.start()].rstrip()} tokens"
    for pattern in _REQUESTED:
        for number in pattern.finditer(rest):
            requested = _numbers(number)[0]
            if requested > (window or 63):
                return window, requested
    return window, None


def _numbers(found: re.Match[str]) -> list[int]:
    groups = found.groups()
    pairs = zip(groups[::2], groups[1::2], strict=True)
    return [int(re.sub(r"\D", "", number)) * (1000 if thousands else 1) for number, thousands in pairs if number]
