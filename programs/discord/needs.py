"""The permissions the bot needs in a channel, and what does not work without each."""

from dataclasses import dataclass

import discord


@dataclass(frozen=True)
class Need:
    """A permission: its name in discord.py, its name in Discord, and what happens where it is missing."""

    flag: str
    name: str
    without: str


_SEES = Need("view_channel", "View Channel", "I hear nothing here")
_WRITES = Need("send_messages", "Send Messages", "I cannot answer here")
_WRITES_IN_THREADS = Need("send_messages_in_threads", "Send Messages in Threads", "I cannot answer in threads")
_OTHERS = (
    Need("read_message_history", "Read Message History", "what is said while I am away is lost on me"),
    Need("embed_links", "Embed Links", "tool cards are shown as plain text"),
    Need("attach_files", "Attach Files", "very long answers are cut, for their rest would come as a file"),
    Need("add_reactions", "Add Reactions", "no sign on a message says what became of it"),
)
_OPENS_THREADS = (
    Need("create_public_threads", "Create Public Threads", "I cannot open threads"),
    Need("create_private_threads", "Create Private Threads", "I cannot open threads for one person"),
)


def vital(*, in_a_thread: bool) -> tuple[Need, ...]:
    """What no answer comes without."""
    return (_SEES, _WRITES_IN_THREADS if in_a_thread else _WRITES)


def wanted(*, in_a_thread: bool) -> tuple[Need, ...]:
    """All that is needed for everything to work."""
    elsewhere = () if in_a_thread else (_WRITES_IN_THREADS, *_OPENS_THREADS)
    return (*vital(in_a_thread=in_a_thread), *_OTHERS, *elsewhere)


def missing(needs: tuple[Need, ...], allowed: discord.Permissions) -> list[Need]:
    """Those that are not allowed."""
    return [need for need in needs if not getattr(allowed, need.flag)]
