"""The permissions the bot needs in a channel, and what does not work without each."""

from dataclasses import dataclass

import discord


@dataclass(frozen=True)
class RequiredPermission:
    """A permission: its name in discord.py, its name in Discord, and what happens where it is missing."""

    flag: str
    name: str
    without: str


_SEES = RequiredPermission("view_channel", "View Channel", "I hear nothing here")
_WRITES = RequiredPermission("send_messages", "Send Messages", "I cannot answer here")
_WRITES_IN_THREADS = RequiredPermission(
    "send_messages_in_threads", "Send Messages in Threads", "I cannot answer in threads"
)
_OTHERS = (
    RequiredPermission("read_message_history", "Read Message History", "what is said while I am away is lost on me"),
    RequiredPermission("embed_links", "Embed Links", "tool cards are shown as plain text"),
    RequiredPermission(
        "attach_files", "Attach Files", "very long answers are cut, for their rest would come as a file"
    ),
    RequiredPermission("add_reactions", "Add Reactions", "no sign on a message says what became of it"),
)
_OPENS_THREADS = (
    RequiredPermission("create_public_threads", "Create Public Threads", "I cannot open threads"),
    RequiredPermission("create_private_threads", "Create Private Threads", "I cannot open threads for one person"),
)


def vital(*, in_a_thread: bool) -> tuple[RequiredPermission, ...]:
    """What no answer comes without."""
    return (_SEES, _WRITES_IN_THREADS if in_a_thread else _WRITES)


def required(*, in_a_thread: bool) -> tuple[RequiredPermission, ...]:
    """All that is needed for everything to work."""
    elsewhere = () if in_a_thread else (_WRITES_IN_THREADS, *_OPENS_THREADS)
    return (*vital(in_a_thread=in_a_thread), *_OTHERS, *elsewhere)


def missing(needs: tuple[RequiredPermission, ...], allowed: discord.Permissions) -> list[RequiredPermission]:
    """Those that are not allowed."""
    return [need for need in needs if not getattr(allowed, need.flag)]
