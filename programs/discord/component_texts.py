"""The words of components: texts, labels and options, in the order in which they are shown."""

from collections.abc import Iterable, Iterator

import discord
from discord import components

_UNREAD = "[a component that cannot be read]"


def lines_of(parts: Iterable[discord.Component]) -> Iterator[str]:
    """The words of components and of those inside them, a line each; what has no words is named."""
    for part in parts:
        match part:
            case discord.ActionRow() | components.Container():
                yield from lines_of(part.children)
            case components.SectionComponent():
                yield from lines_of([*part.children, part.accessory])
            case components.TextDisplay():
                yield part.content
            case discord.Button():
                yield f"[button: {_joined(part.label, part.url) or part.emoji or 'without a label'}]"
            case discord.SelectMenu():
                options = ", ".join(option.label for option in part.options)
                yield f"[menu: {_joined(part.placeholder, options) or 'without a label'}]"
            case components.SeparatorComponent():
                continue
            case _:
                yield from _media(part)


def _media(part: object) -> Iterator[str]:
    """Pictures and files, which are named by what is said of them."""
    match part:
        case components.ThumbnailComponent():
            yield f"[image: {part.description or 'not shown'}]"
        case components.MediaGalleryComponent():
            yield from (f"[image: {item.description or 'not shown'}]" for item in part.items)
        case components.FileComponent():
            yield f"[file: {part.name or 'without a name'}]"
        case _:
            yield _UNREAD


def _joined(*texts: str | None) -> str:
    return ": ".join(text for text in texts if text)
