"""The pages that an answer was made of, as small print under it: each with its whole address, and without a preview."""

from collections.abc import Sequence

from llmgine.messages.chat_messages import Source
from llmgine.messages.translatable import Language, tr
from programs.discord.delivery.lengths import units
from programs.discord.delivery.safe_text import bare_link, plain_words

_MOST = 5  # that are named
_ROOM = 1_200  # UTF-16 units of all lines, which have to fit into a message with the footer
_LONGEST_TITLE = 80  # characters


def sources(found: Sequence[Source], language: Language) -> str:
    """The lines; "" where there are no sources.

    The title beside an address is no link, so that it cannot hide where the link leads.

    Args:
        found: The pages, whose addresses are plain (`llmgine.tools.sources.plain_url`).
        language: Of the answer.
    """
    if not found:
        return ""
    heading = language.say(tr("Sources:"))
    named, room = list[str](), _ROOM
    for line in map(_line, found):
        room -= units(line)
        if room < 0 or len(named) == _MOST:
            break
        named.append(line)
    more = [language.say(tr("and {count} more", count=left))] if (left := len(found) - len(named)) else []
    return "\n".join(f"-# {line}" for line in [f"🔗 {heading}", *named, *more])


def _line(source: Source) -> str:
    return f"{plain_words(source.name, _LONGEST_TITLE)} {bare_link(source.url)}".strip()
