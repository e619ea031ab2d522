"""What a message has beside its text, in words: forwarded messages, polls, stickers, embeds, components.

Whatever cannot be read is named, and all of it has a bounded length.
"""

from collections.abc import Callable, Iterator, Sequence

import discord

from llmgine.messages.commands import Attachment, Author, Material
from llmgine.messages.text import shorten
from programs.discord.component_texts import lines_of
from programs.discord.marks import readable

# Which of some files were read, with what the model is shown of them.
FilesOf = Callable[[Sequence[discord.Attachment]], tuple[Attachment, ...]]

_MOST = 12_000  # characters over all that a prompt points at
_MOST_OF_ONE = 4_000  # characters; of a forwarded message, an embed, a poll, or all components of a message
_LEFT_OUT = "[left out: there is too much of it]"


class Room:
    """How many characters are left for what a prompt points at."""

    def __init__(self, most: int = _MOST) -> None:
        self._left = most

    def take(self, text: str, longest: int = _MOST_OF_ONE) -> str:
        """As much of a text as there is room for."""
        if text and self._left <= 0:
            return _LEFT_OUT
        taken = shorten(text, min(longest, self._left))
        self._left -= len(taken)
        return taken


def no_files(_files: Sequence[discord.Attachment]) -> tuple[Attachment, ...]:
    """For a message whose files are not read."""
    return ()


def files_in(message: discord.Message) -> list[discord.Attachment]:
    """The files of a message and of what is forwarded with it."""
    return [*message.attachments, *(file for one in message.message_snapshots for file in one.attachments)]


def material_of(
    message: discord.Message, files: FilesOf, room: Room, *, author: Author | None = None, is_prompt: bool = False
) -> tuple[Material, ...]:
    """What a message has beside its text.

    Args:
        message: The message.
        files: Gives the files of forwarded messages that were read.
        room: How much of it is shown.
        author: Who wrote what is forwarded with it, where that is known.
        is_prompt: Whether it is what somebody asks. Of that, the previews of links are left out: Discord adds them
            later, or never.
    """
    found = [_forwarded(snapshot, files, room, author) for snapshot in message.message_snapshots]
    if message.poll is not None:
        found.append(Material(kind="poll", text=room.take(_poll(message.poll))))
    previews = is_prompt and not message.author.bot
    return (*found, *_shared(message, room, embeds=[] if previews else message.embeds))


def _forwarded(snapshot: discord.MessageSnapshot, files: FilesOf, room: Room, author: Author | None) -> Material:
    text = room.take(readable(snapshot.content))
    material = _shared(snapshot, room, embeds=snapshot.embeds)
    read = files(snapshot.attachments)
    if not (text or material or read or snapshot.attachments):
        material = (Material(kind="note", text="there is nothing in it that can be read"),)
    words = text or "[a message without text]"
    return Material(kind="forwarded", author=author, text=words, attachments=read, material=material)


def _shared(
    of: discord.Message | discord.MessageSnapshot, room: Room, *, embeds: Sequence[discord.Embed]
) -> tuple[Material, ...]:
    """What messages and forwarded ones have alike."""
    found = [Material(kind="sticker", text=room.take(one.name)) for one in of.stickers]
    found += [Material(kind="embed", text=room.take("\n".join(_embed(one)) or "[an empty embed]")) for one in embeds]
    lines = "\n".join(lines_of(of.components))
    if lines:
        found.append(Material(kind="components", text=room.take(lines)))
    elif of.flags.components_v2:
        found.append(Material(kind="note", text="it consists of components that cannot be read"))
    if of.flags.voice:
        found.append(Material(kind="note", text="it is a voice message"))
    return tuple(found)


def _poll(poll: discord.Poll) -> str:
    lines = [poll.question or "[a question without text]"]
    for answer in poll.answers:
        words = " ".join(str(one) for one in (_emoji(answer.emoji), answer.text) if one)
        votes = "1 vote" if answer.vote_count == 1 else f"{answer.vote_count} votes"
        lines.append(f"- {words or '[an answer without text]'}: {votes}")
    lines.append("Several answers can be chosen." if poll.multiple else "One answer can be chosen.")
    ends = "" if poll.expires_at is None else f" It ends {poll.expires_at:%Y-%m-%d %H:%M} UTC."
    has_ended = poll.is_finalised() or (poll.expires_at is not None and poll.expires_at <= discord.utils.utcnow())
    lines[-1] += " It has ended." if has_ended else ends
    return "\n".join(lines)


def _emoji(emoji: discord.Emoji | discord.PartialEmoji | None) -> str | None:
    return None if emoji is None else readable(str(emoji))


def _embed(embed: discord.Embed) -> Iterator[str]:
    """The texts of an embed, as they are shown from top to bottom."""
    texts = [embed.provider.name, embed.author.name, embed.title, embed.url, embed.description]
    yield from (readable(text) for text in texts if text)
    for field in embed.fields:
        yield f"{readable(field.name or '')}: {readable(field.value or '')}"
    if embed.footer.text:
        yield embed.footer.text
    for what, media in (("an image", embed.image), ("a small image", embed.thumbnail), ("a video", embed.video)):
        if media.url:
            yield f"[{what}, not shown]"
