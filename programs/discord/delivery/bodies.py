"""The body of a part as it is stored: all that is needed to send it, at any time and once more.

`{"content": text}`, `{"embed": …}` with or without `buttons`, and `{"content": text, "file": {"name": …, "text": …}}`.
"""

from dataclasses import dataclass
from itertools import islice

from pydantic import JsonValue

from llmgine.messages.translatable import tr
from programs.discord.delivery.splitting import parts_of

Body = dict[str, JsonValue]

MOST_MESSAGES = 5  # of one text; what is longer stands in a file besides
FILE_NAME = "answer.md"
_MAX_CONTENT = 2_000  # characters of a message
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


def preview_of(text: str) -> list[Body]:
    """The messages of a text that is still being written; the file comes when it is whole."""
    return [{"content": part} for part in islice(parts_of(text), MOST_MESSAGES)]


def bodies_of(text: str, note: str = str(FILE_NOTE)) -> list[Body]:
    """The messages of a text: at most five, and one with all of it in a file where those do not hold it.

    Args:
        text: The text.
        note: What is said with the file, in one line.
    """
    parts = list(islice(parts_of(text), MOST_MESSAGES + 1))
    bodies: list[Body] = [{"content": part} for part in parts[:MOST_MESSAGES]]
    if len(parts) > MOST_MESSAGES:
        bodies.append({"content": note, "file": {"name": FILE_NAME, "text": text}})
    return bodies


def file_of(body: Body) -> TextFile | None:
    """The file of a body, if it has one."""
    file = body.get("file")
    return TextFile(str(file["name"]), str(file["text"])) if isinstance(file, dict) else None


def plain_form(body: Body) -> list[Body]:
    """A body for where its usual form is not taken: a card as text, and more messages in place of a file."""
    if "embed" in body:
        return [{**{key: value for key, value in body.items() if key != "embed"}, "content": card_as_text(body)}]
    file = file_of(body)
    if file is None:
        return [body]
    *parts, last = islice(parts_of(file.text), MOST_MESSAGES, None)
    _, line, rest = str(body["content"]).partition("\n")  # the first line is the note
    footer = f"{line}{rest}"
    end: Body = {key: value for key, value in body.items() if key != "file"}
    middle: list[Body] = [{"content": part} for part in parts]
    return [*middle, {**end, "content": f"{last}{footer}"}]


def card_as_text(body: Body) -> str:
    """The card of a body in plain text."""
    embed = body["embed"]
    fields = embed.get("fields") if isinstance(embed, dict) else None
    head = [str(embed["description"])] if isinstance(embed, dict) and embed.get("description") else []
    lines = [f"**{one['name']}**\n{one['value']}" for one in fields or () if isinstance(one, dict)]  # type: ignore[union-attr]  # JSON is wider
    return "\n".join([*head, *lines])[:_MAX_CONTENT]


def replaced_by(body: Body, words: str) -> Body:
    """These words in place of a body, with its footer and its buttons; a mere sign comes without the footer."""
    is_sign = not any(one.isalpha() for one in words)
    last_line = str(body.get("content", "")).rpartition("\n")[2]
    footer = f"\n{last_line}" if last_line.startswith("-# ") and not is_sign else ""
    buttons = {"buttons": body["buttons"]} if "buttons" in body else {}
    return {"content": f"{words}{footer}", **buttons}
