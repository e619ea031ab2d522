"""Secrets never reach a log, a store, a person or a model: known shapes and the exact values of configured keys go."""

import json
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from llmgine.messages.text import CLEAN, OF_OTHERS
from llmgine.observability.secret_shapes import SHAPES

REDACTED = "[redacted]"

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

# What a bot token has and hardly anything else does. It begins with a plain character, so its search is quick.
_DOTTED = re.compile(r"\.[\w-]{6,7}\.[\w-]{27}", re.ASCII)
_LAST_WORD = re.compile(r"[!-~]{12,}\Z")
_SHORTEST = 6  # characters of an exact value that is hidden


class Redactor:
    """Removes secrets from text.

    Args:
        secrets: Exact values to hide, also where JSON escapes them, besides the known shapes. Values under six
            characters are too common to hide.
    """

    def __init__(self, secrets: Iterable[str | None] = ()) -> None:
        plain = {s for s in secrets if s and len(s) >= _SHORTEST}
        self._exact = sorted(_with_escapes(_with_escapes(plain)), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text without its secrets. It takes time in proportion to the text, whatever that is."""
        for secret in self._exact:
            text = text.replace(secret, REDACTED)
        for shape in SHAPES:
            if shape.hint in text and (shape.hint != "." or _DOTTED.search(text)):
                text = shape.pattern.sub(_without_secret, text)
        return text

    def growing(self, text: str) -> str:
        """A text that is still being written, without its secrets, and without an end that may become one."""
        text = self(text)
        for secret in self._exact:
            known = min(len(secret) - 1, len(text))
            begun = next((n for n in range(known, _SHORTEST - 1, -1) if text.endswith(secret[:n])), 0)
            text = text[: len(text) - begun]
        word = _LAST_WORD.search(text[-1_000:])
        return text if word is None or text.endswith(REDACTED) else text[: len(text) - len(word[0])]

    def in_json(self, text: str) -> str:
        """The JSON text without its secrets, still JSON: a secret of digits does not break a number.

        Text that is no JSON loses its secrets too.
        """
        if self(text) == text:
            return text
        try:
            return json.dumps(self._in_strings(json.loads(text)), ensure_ascii=False)
        except (ValueError, RecursionError):
            return self(text)

    def in_texts(self, value: M) -> M:
        """A message or record without the secrets in its texts by people and models, nested ones too.

        Those are its fields of the types `CleanText` and `Name`. What is the program's own, such as ids, stays as it
        is. The value itself is returned where there is nothing to remove.
        """
        changed = {
            name: new
            for name, info in type(value).model_fields.items()
            if (new := self._in_field(old := getattr(value, name), is_text=_is_text(info))) is not old
        }
        return value.model_copy(update=changed) if changed else value

    def before(self, handler: Callable[[M], Awaitable[T]]) -> Callable[[M], Awaitable[T]]:
        """A handler that gets messages without their secrets; their field `redacted` says so, if they have it.

        It does not say so of what other people wrote.
        """

        async def handle(message: M) -> T:
            clean = self.in_texts(message)
            if "redacted" in type(message).model_fields and _differ_in_own(clean, message):
                clean = clean.model_copy(update={"redacted": True})
            return await handler(clean)

        return handle

    def _in_field(self, value: Any, *, is_text: bool) -> Any:
        if isinstance(value, str):
            new = self.in_json(value) if is_text else value
            return value if new == value else new
        if isinstance(value, BaseModel):
            return self.in_texts(value)
        if isinstance(value, dict) and is_text:
            texts = {key: self._in_field(one, is_text=True) for key, one in value.items()}
            return value if texts == value else texts
        if isinstance(value, tuple):
            parts = tuple(self._in_field(one, is_text=is_text) for one in value)
            return value if all(new is old for new, old in zip(parts, value, strict=True)) else parts
        return value

    def _in_strings(self, value: Any) -> Any:
        if isinstance(value, str):
            return self(value)
        if isinstance(value, list):
            return [self._in_strings(item) for item in value]
        if isinstance(value, dict):
            return {self(key): self._in_strings(item) for key, item in value.items()}
        return value


def _is_text(info: FieldInfo) -> bool:
    inside = (getattr(one, "__metadata__", ()) for one in get_args(info.annotation))  # `CleanText | None`, `dict[…]`
    return CLEAN in info.metadata or any(CLEAN in metadata for metadata in inside)


def _differ_in_own(clean: BaseModel, message: BaseModel) -> bool:
    """Whether anything was taken out of a message but of what other people wrote."""
    own = (name for name, info in type(message).model_fields.items() if OF_OTHERS not in info.metadata)
    return any(getattr(clean, name) is not getattr(message, name) for name in own)


def _without_secret(found: re.Match[str]) -> str:
    """The match with the secret in it replaced: its group, where the pattern has one."""
    if found.re.groups == 0:
        return REDACTED
    start, end = found.start(1) - found.start(), found.end(1) - found.start()
    return f"{found[0][:start]}{REDACTED}{found[0][end:]}"


def _with_escapes(texts: set[str]) -> set[str]:
    """The texts, and how they look inside a JSON string. Twice: a tool's arguments are JSON within JSON."""
    return texts | {json.dumps(text, ensure_ascii=ascii_)[1:-1] for text in texts for ascii_ in (True, False)}
