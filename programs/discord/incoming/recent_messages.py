"""The conversation before a question: what was written in its channel since the bot last spoke there."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import discord

from llmgine.context.earlier import newest_within
from llmgine.messages.commands import Material
from llmgine.messages.context_messages import ContextMessage, Writer
from llmgine.messages.text import shorten
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import microseconds
from programs.discord.delivery.poster import PAGE, Channel, Poster
from programs.discord.delivery.refusals import DeliveryRefusedError, UnreachableError
from programs.discord.ids import SOURCE, Place
from programs.discord.marks import readable
from programs.discord.mentions import kind_of_author, names_in
from programs.discord.message_parts import Room, material_of, no_files
from programs.discord.permissions.members import Members
from programs.discord.permissions.reader import author_reads

_PATIENCE = 2.0  # seconds; a question is answered without it rather than late
_LONGEST = 4_000  # characters of a message; Discord allows no more
_WRITTEN = (  # in answer to what somebody did, or by themselves; the others are notices of Discord's own
    discord.MessageType.default,
    discord.MessageType.reply,
    discord.MessageType.chat_input_command,
    discord.MessageType.context_menu_command,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Amount:
    """How much is read: so many messages, how old they may be, and about how many tokens they may take."""

    messages: int
    age: timedelta
    tokens: int


AMOUNTS: Mapping[str, Amount] = {
    "some": Amount(10, timedelta(hours=1), 1_000),
    "much": Amount(40, timedelta(hours=24), 4_000),
}


class RecentMessages:
    """Reads what was written before a question.

    Args:
        client: The client.
        store: Knows which messages are questions themselves.
        poster: Asks Discord.
        members: Knows what somebody may read.
        patience: Seconds until a question is admitted without.
    """

    def __init__(
        self,
        client: discord.Client,
        store: SessionStore,
        poster: Poster,
        members: Members,
        *,
        patience: float = _PATIENCE,
    ) -> None:
        self._client = client
        self._store = store
        self._poster = poster
        self._members = members
        self._patience = patience

    async def before(
        self, message: discord.Message, place: Place, setting: str, session_id: str
    ) -> tuple[ContextMessage, ...]:
        """What was written before a question, oldest first, without what its session knows as questions.

        Nothing in DMs, which have nothing else than questions; nor where the bot or the asker may not read what was
        written, or Discord does not tell in time.

        Args:
            message: The question.
            place: Where it was written.
            setting: How much is read, as in the channel's settings.
            session_id: The session that it is admitted to.

        Raises:
            StoreError: Which messages are questions cannot be looked up.
        """
        amount = AMOUNTS.get(setting)
        if amount is None or message.guild is None or not isinstance(message.channel, Channel):
            return ()
        try:
            async with asyncio.timeout(self._patience):
                read = await self._poster.before(message.channel, message.id, limit=min(PAGE, 2 * amount.messages + 10))
                found = self._recent(read or (), message, amount)
                # Last, as Discord may have to be asked for who it was.
                if not found or not await author_reads(message, place, self._members):
                    return ()
        except (TimeoutError, UnreachableError, DeliveryRefusedError) as error:
            _log.warning("What was written before message %d cannot be read: %r", message.id, error)
            return ()
        written = {str(one.id): (str(one.author.id), microseconds(one.created_at)) for one in found}
        left_out = await self._store.context_messages.left_out(SOURCE, session_id, written)
        others = [one for one in found if str(one.id) not in left_out]
        told = (_told(one, self._client.user) for one in reversed(others[: amount.messages]))
        return tuple(newest_within([one for one in told if one.text], amount.tokens))

    def _recent(
        self, read: Sequence[discord.Message], message: discord.Message, amount: Amount
    ) -> list[discord.Message]:
        """Of the messages before a question, the newest first, those that are recent and were written by somebody."""
        # What is replied to is quoted already; what a thread began with has its id, and came with its first question.
        known = {message.reference.message_id if message.reference else None, message.channel.id}
        since = message.created_at - amount.age
        found: list[discord.Message] = []
        for one in read:
            if one.created_at < since or (one.author == self._client.user and one.type in _WRITTEN):
                break
            found += [one] if one.type in _WRITTEN and one.id not in known else []
        return found


def _told(message: discord.Message, me: discord.ClientUser | None) -> ContextMessage:
    """A message as data; its text is empty where nothing of it can be told."""
    by, text = message.author, shorten(_text_of(message), _LONGEST)
    return ContextMessage(
        source_id=str(message.id),
        author=Writer(id=str(by.id), name=by.display_name, kind=kind_of_author(message) or "person"),
        at=message.created_at,
        text=text,
        mentions=names_in(text, message, me),
    )


def _text_of(message: discord.Message) -> str:
    """What is written in a message, what it has beside that, and what its files are called."""
    lines = [readable(message.content), *_lines(material_of(message, no_files, Room(_LONGEST)))]
    if message.attachments:
        lines.append(f"[files: {', '.join(one.filename for one in message.attachments)}]")
    return "\n".join(filter(None, lines)).strip()


def _lines(material: Iterable[Material]) -> Iterator[str]:
    for one in material:
        yield f"[{one.kind}] {one.text}"
        yield from _lines(one.material)
