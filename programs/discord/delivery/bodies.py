"""The body of a part as it is stored: all that is needed to send it, at any time and once more.

`{"content": text}`, `{"embed": …}` with or without `buttons`, and either with `"file": {"name": …, "text": …}`. A card
that may not be approved unless its file is there has `"without_file"`: what is said where it cannot be attached. One
that only says what the bot is doing has `"courtesy": true`. One with files that tools gave has `"files"`, which says
where these are stored, and `"without_files"`: what is said where they cannot be attached.
"""

import asyncio
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from pydantic import JsonValue

from llmgine.messages.translatable import tr
from llmgine.messages.visible_text import visible_text
from programs.discord.delivery.safe_text import safe_part
from programs.discord.delivery.splitting import parts_of

Body = dict[str, JsonValue]

MOST_MESSAGES = 5  # of one text; what is longer stands in a file besides
FILE_NAME = "answer.md"
_MAX_CONTENT = 2_000  # characters of a message
_MOST_READ = 100_000  # characters for a preview: ten times what its messages have
FILE_NOTE = tr("-# This answer is long: all of it is in the file.")


@dataclass(frozen=True)
class TextFile:
    """A file that a message carries."""

    name: str
    text: str

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.text.encode())


@dataclass(frozen=True)
class StoredFile:
    """A file of a tool call that a message carries: where it is stored, and what people see of it."""

    call_id: str
    number: int
    name: str
    size: int

    def as_json(self) -> dict[str, JsonValue]:
        """As a body has it."""
        return {"call_id": self.call_id, "number": self.number, "name": self.name, "size": self.size}


def preview_of(text: str) -> list[Body]:
    """The messages of a text that is still being written; the file comes when it is whole."""
    parts = parts_of(visible_text(text[:_MOST_READ]), unfinished=True)
    return [{"content": safe_part(part)} for part in islice(parts, MOST_MESSAGES)]


def bodies_of(text: str, note: str = str(FILE_NOTE)) -> list[Body]:
    """The messages of a text: at most five, and one with all of it in a file where those do not hold it.

    Args:
        text: The text.
        note: What is said with the file, in one line.
    """
    text = visible_text(text)
    parts = list(islice(_messages(text), MOST_MESSAGES + 1))
    bodies: list[Body] = [{"content": part} for part in parts[:MOST_MESSAGES]]
    if len(parts) > MOST_MESSAGES:
        bodies.append({"content": note, "file": {"name": FILE_NAME, "text": text}})
    return bodies


def _messages(text: str) -> Iterator[str]:
    """The messages of a text without hidden characters, each made safe when it is asked for."""
    return map(safe_part, parts_of(text))


def file_of(body: Body) -> TextFile | None:
    """The file of a body, if it has one."""
    file = body.get("file")
    return TextFile(str(file["name"]), str(file["text"])) if isinstance(file, dict) else None


def stored_files(body: Body) -> list[StoredFile]:
    """The files of tool calls that a body carries."""
    files = body.get("files")
    return [
        StoredFile(str(one["call_id"]), int(str(one["number"])), str(one["name"]), int(str(one["size"])))
        for one in (files if isinstance(files, list) else ())
        if isinstance(one, dict)
    ]


def attached_sizes(body: Body) -> list[int]:
    """The sizes, in bytes, of all that is attached to a body's message."""
    file = file_of(body)
    return [*([file.size] if file is not None else []), *(one.size for one in stored_files(body))]


def same_files(one: Body, other: Body) -> bool:
    """Whether both have the same attached to their messages."""
    return all(one.get(name) == other.get(name) for name in ("file", "files"))


def is_courtesy(body: Body) -> bool:
    """Whether a body only says what the bot is doing: everything else that is to be requested goes first."""
    return body.get("courtesy") is True


@functools.lru_cache(maxsize=8)
def _beyond(text: str) -> tuple[str, ...]:
    """The messages of a text that are in a file where Discord takes one; fifty take a tenth of a second to make."""
    return tuple(islice(_messages(text), MOST_MESSAGES, None))


async def prepare_plain_form(body: Body) -> None:
    """Work out in a thread what `plain_form` will be asked for, so that nothing else waits for it."""
    file = file_of(body)
    if file is not None and "without_file" not in body:
        await asyncio.to_thread(_beyond, file.text)


def plain_form(body: Body) -> list[Body]:
    """A body for where its usual form is not taken: a card as text, and more messages in place of a file."""
    if "without_file" in body:
        return [_without_approval(body)]
    if "files" in body:
        kept: Body = {key: value for key, value in body.items() if key not in ("files", "without_files")}
        return [{**kept, "content": f"{body['content']}\n{body['without_files']}"}]
    if "embed" in body:
        return [{**{key: value for key, value in body.items() if key != "embed"}, "content": card_as_text(body)}]
    file = file_of(body)
    if file is None:
        return [body]
    *parts, last = _beyond(file.text)
    _, line, rest = str(body["content"]).partition("\n")  # the first line is the note
    footer = f"{line}{rest}"
    end: Body = {key: value for key, value in body.items() if key != "file"}
    middle: list[Body] = [{"content": part} for part in parts]
    return [*middle, {**end, "content": f"{last}{footer}"}]


def _without_approval(body: Body) -> Body:
    """A card as text, for where its file cannot be attached: what is not seen can be denied, and not approved."""
    note, buttons = str(body["without_file"]), body.get("buttons")
    left = (
        [one for one in buttons if not (isinstance(one, dict) and one.get("needs_file"))]
        if isinstance(buttons, list)
        else []
    )
    return {"content": f"{card_as_text(body)[: _MAX_CONTENT - len(note) - 1]}\n{note}", "buttons": [*left]}


def card_as_text(body: Body) -> str:
    """The card of a body in plain text."""
    embed = body["embed"]
    fields = embed.get("fields") if isinstance(embed, dict) else None
    head = [str(embed["description"])] if isinstance(embed, dict) and embed.get("description") else []
    lines = [f"**{one['name']}**\n{one['value']}" for one in fields or () if isinstance(one, dict)]  # type: ignore[union-attr]  # JSON is wider
    return "\n".join([*lines, *head])[:_MAX_CONTENT]


def replaced_by(body: Body, words: str) -> Body:
    """These words in place of a body, with its footer and its buttons; a mere sign comes without the footer."""
    is_sign = not any(one.isalpha() for one in words)
    last_line = str(body.get("content", "")).rpartition("\n")[2]
    footer = f"\n{last_line}" if last_line.startswith("-# ") and not is_sign else ""
    buttons = {"buttons": body["buttons"]} if "buttons" in body else {}
    return {"content": f"{words}{footer}", **buttons}
