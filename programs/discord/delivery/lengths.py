"""How long a text is to Discord."""


def units(text: str) -> int:
    """The length in UTF-16 units, the largest that Discord may count: what lies beyond the first plane counts two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def shortened(text: str, most: int) -> str:
    """At most `most` UTF-16 units of a text, the last of them an ellipsis when something was cut."""
    if units(text) <= most:
        return text
    kept = text[: most - 1].encode("utf-16-le", "surrogatepass")[: 2 * (most - 1)]
    return f"{kept.decode('utf-16-le', 'ignore')}…"
