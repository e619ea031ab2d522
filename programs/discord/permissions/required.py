"""The permissions the bot needs in a channel, and what does not work without each."""

from dataclasses import dataclass

import discord

from llmgine.messages.translatable import Text, tr


@dataclass(frozen=True)
class RequiredPermission:
    """A permission: its name in discord.py, its name in Discord, and what happens where it is missing."""

    flag: str
    name: Text
    without: Text


_SEES = RequiredPermission("view_channel", tr("View Channel"), tr("I can't see anything here"))
_WRITES = RequiredPermission("send_messages", tr("Send Messages"), tr("I can't answer here"))
_WRITES_IN_THREADS = RequiredPermission(
    "send_messages_in_threads", tr("Send Messages in Threads"), tr("I can't answer in threads")
)
_OTHERS = (
    RequiredPermission(
        "read_message_history",
        tr("Read Message History"),
        tr("I miss what is written while I'm offline, and don't see what was said before a question"),
    ),
    RequiredPermission("embed_links", tr("Embed Links"), tr("tool cards are shown as plain text")),
    RequiredPermission("attach_files", tr("Attach Files"), tr("very long answers are cut instead of coming as a file")),
    RequiredPermission("add_reactions", tr("Add Reactions"), tr("I can't show the state of a message by a reaction")),
)
_OPENS_THREADS = (
    RequiredPermission("create_public_threads", tr("Create Public Threads"), tr("I can't create threads")),
    RequiredPermission("create_private_threads", tr("Create Private Threads"), tr("I can't create private threads")),
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
