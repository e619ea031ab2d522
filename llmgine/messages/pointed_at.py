"""What a prompt points at beside its words: whether there is anything, and the files of all of it.

A prompt's own files come with it; others come with the message it replies to, a forwarded one, or its thread's start.
The numbers of their images are counted over all of them.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from pydantic import BaseModel

from llmgine.messages.commands import Attachment, PromptCommand, Quote
from llmgine.messages.steps import PromptStep

M = TypeVar("M", bound=BaseModel)


def has_material(prompt: PromptStep) -> bool:
    """Whether anything of others, or in other form than text, came with a prompt."""
    return bool(prompt.quoted or prompt.thread or prompt.material or prompt.attachments or prompt.mentions)


def quotes_of(prompt: PromptStep) -> tuple[Quote, ...]:
    """The whole messages that came with a prompt: its thread's first one, and the one it replies to."""
    first = prompt.thread.first if prompt.thread is not None else None
    return tuple(one for one in (first, prompt.quoted) if one is not None)


def files_of(prompt: PromptStep) -> tuple[Attachment, ...]:
    """All files that came with a prompt, its own last."""
    return (*_files_in(prompt.thread), *_files_in(prompt.quoted), *_files_in(prompt.material), *prompt.attachments)


def with_files(prompt: PromptCommand, change: Callable[[Attachment], Attachment]) -> PromptCommand:
    """The prompt with each of its files as `change` makes it."""
    return _changed(prompt, change)


def _files_in(value: object) -> Iterator[Attachment]:
    if isinstance(value, Attachment):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from _files_in(one)
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _files_in(getattr(value, name))


def _changed(value: M, change: Callable[[Attachment], Attachment]) -> M:
    new: dict[str, object] = {}
    for name in type(value).model_fields:
        old = getattr(value, name)
        if isinstance(old, tuple) and any(isinstance(one, BaseModel) for one in old):
            new[name] = tuple(_changed_one(one, change) for one in old)
        elif isinstance(old, BaseModel):
            new[name] = _changed_one(old, change)
    return value.model_copy(update=new) if new else value


def _changed_one(value: BaseModel, change: Callable[[Attachment], Attachment]) -> BaseModel:
    return change(value) if isinstance(value, Attachment) else _changed(value, change)
