"""Secrets never reach a log line or a model: known shapes and the exact values of configured keys are replaced."""

import json
import re
from collections.abc import Iterable
from typing import Any

REDACTED = "[redacted]"

# Discord bot tokens and webhook addresses, and keys in the style of OpenAI's.
# The look-behinds let "task-…" pass, and find a key after a JSON escape, whose last letter is a letter.
_SHAPES = (
    r"[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}"
    r"|(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[\da-f]{4}))sk-[\w-]{16,}"
    r"|/api/(?:v\d+/)?webhooks/\d+/[\w-]+"
)


# What a bot token has and hardly anything else does. It begins with a plain character, so its search is quick.
_DOTTED = re.compile(r"\.[\w-]{6,7}\.[\w-]{27}")


class Redactor:
    """Removes secrets from text.

    Args:
        secrets: Exact values to hide, also where JSON escapes them, besides the known shapes. Values under six
            characters are too common to hide.
    """

    def __init__(self, secrets: Iterable[str | None] = ()) -> None:
        plain = {s for s in secrets if s and len(s) >= 6}
        exact = sorted(_with_escapes(_with_escapes(plain)), key=len, reverse=True)
        self._pattern = re.compile("|".join([*map(re.escape, exact), _SHAPES]))
        self._hints = ("sk-", "webhooks/", *exact)

    def __call__(self, text: str) -> str:
        """The text without its secrets."""
        return self._pattern.sub(REDACTED, text) if self._suspects(text) else text

    def in_json(self, text: str) -> str:
        """The JSON text without its secrets, still JSON: a secret of digits does not break a number."""
        if not self._suspects(text) or not self._pattern.search(text):
            return text
        return json.dumps(self._in_strings(json.loads(text)), ensure_ascii=False)

    def _suspects(self, text: str) -> bool:
        """A quick check that misses no secret: the whole pattern costs more than all else about a line of the log."""
        return _DOTTED.search(text) is not None or any(hint in text for hint in self._hints)

    def _in_strings(self, value: Any) -> Any:
        if isinstance(value, str):
            return self(value)
        if isinstance(value, list):
            return [self._in_strings(item) for item in value]
        if isinstance(value, dict):
            return {self(key): self._in_strings(item) for key, item in value.items()}
        return value


def _with_escapes(texts: set[str]) -> set[str]:
    """The texts, and how they look inside a JSON string. Twice: a tool's arguments are JSON within JSON."""
    return texts | {json.dumps(text, ensure_ascii=ascii_)[1:-1] for text in texts for ascii_ in (True, False)}
