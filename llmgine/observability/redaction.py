"""Secrets never reach a log line: known shapes, and the exact values of configured keys, are blotted out."""

import json
import re
from collections.abc import Iterable

REDACTED = "[redacted]"

# Discord bot tokens and webhook addresses, and keys in the style of OpenAI's.
# The look-behinds let "task-…" pass, and find a key after an escaped line break, whose last letter is a letter.
_SHAPES = (
    r"[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}"
    r"|(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))sk-[\w-]{16,}"
    r"|/api/(?:v\d+/)?webhooks/\d+/[\w-]+"
)


class Redactor:
    """Blots secrets out of text.

    Args:
        secrets: Exact values to hide, also where JSON escapes them, besides the known shapes. Values under six
            characters are too common to hide.
    """

    def __init__(self, secrets: Iterable[str | None] = ()) -> None:
        plain = {s for s in secrets if s and len(s) >= 6}
        exact = sorted(plain | {json.dumps(s)[1:-1] for s in plain}, key=len, reverse=True)
        self._pattern = re.compile("|".join([*map(re.escape, exact), _SHAPES]))

    def __call__(self, text: str) -> str:
        """The text without its secrets."""
        return self._pattern.sub(REDACTED, text)
