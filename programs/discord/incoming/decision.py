"""Which messages the bot answers, or why not: the one place that decides, for live and missed messages and for /why."""

import re
import time
from collections import OrderedDict
from datetime import UTC, datetime
from enum import Enum, auto

import discord

from llmgine.sessions import SessionStore
from programs.discord.channel_settings import Channels, ChannelSettings
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.refusals import UnreachableError
from programs.discord.ids import Kind, Place
from programs.discord.permissions.actor import has_role

_REMEMBERED = 30.0  # seconds for which the roles of somebody who was looked up hold
_DELETED = datetime.max.replace(tzinfo=UTC)  # in place of when it was edited
_MADE = 10_000  # messages; a RESUME replays fewer
_ANSWERED_TYPES = (discord.MessageType.default, discord.MessageType.reply)


class Verdict(Enum):
    """Whether a message wants an answer, or why it gets none."""

    ANSWERED = auto()
    FROM_A_WEBHOOK = auto()
    FROM_A_BOT = auto()
    SYSTEM_MESSAGE = auto()
    NOT_LISTENING = auto()
    FOR_SOMEBODY_ELSE = auto()
    NOT_MENTIONED = auto()
    ROLE_MISSING = auto()


class Decisions:
    """Decides which messages are answered."""

    def __init__(self, client: discord.Client, store: SessionStore, poster: Poster, channels: Channels) -> None:
        self._client = client
        self._store = store
        self._poster = poster
        self._channels = channels
        # The messages that were decided about lately, each with when it had been edited last.
        self._made: OrderedDict[int, datetime | None] = OrderedDict()
        self._looked_up: dict[tuple[int, int], tuple[float, discord.Member | None]] = {}  # by server and person

    async def verdict(self, message: discord.Message, place: Place | None = None, *, was_ours: bool = False) -> Verdict:
        """Whether a message is for the bot.

        Args:
            message: The message.
            place: Where it was written, when more is known of that than the message tells: one that was read of an
                archived thread does not say what channel that belongs to.
            was_ours: Whether it was for the bot before it was edited. Then what it replies to is taken for the bot's
                though that is gone by now: no edit changes what a message replies to.

        Raises:
            StoreError: That cannot be looked up.
            UnreachableError: Discord cannot be asked for the roles of who wrote it.
        """
        me, so_far = self._client.user, written_by(message)
        if me is None or so_far is not Verdict.ANSWERED:
            return so_far
        place = place or Place.of(message.channel)
        settings = await self._channels.at(place)
        replies_to_me = await self._replies_to(message, me) or (was_ours and _replies_to_what_is_gone(message))
        found = verdict(message, me, settings, place, replies_to_me=replies_to_me)
        if found is not Verdict.ANSWERED or not settings.roles or place.is_dm:
            return found
        if message.guild is None:
            raise UnreachableError("the server of the message is not available")
        author = await self._member(message.guild, message.author)
        return found if author is not None and has_role(author, settings) else Verdict.ROLE_MISSING

    def dismisses(self, message: discord.Message, place: Place) -> bool:
        """Whether a message is surely not for the bot, as far as that is known without asking anybody."""
        me, settings = self._client.user, self._channels.known(place)
        replied_to = _author_replied_to(message)
        if me is None or settings is None or (message.reference is not None and replied_to is None):
            return False
        return verdict(message, me, settings, place, replies_to_me=replied_to == me) is not Verdict.ANSWERED

    def remember(self, message: discord.Message) -> None:
        """A message was processed as it is now, or is not for the bot: no read decides about it once more."""
        self._remember(message.id, message.edited_at)

    def is_made(self, message: discord.Message) -> bool:
        """Whether it was decided lately about a message that was not edited since."""
        return message.id in self._made and self._made[message.id] == message.edited_at

    def remember_deleted(self, message_id: int) -> None:
        """The deletion of a message was processed."""
        self._remember(message_id, _DELETED)

    def is_deleted(self, message_id: int) -> bool:
        """Whether the deletion of a message was processed lately."""
        return self._made.get(message_id) == _DELETED

    def _remember(self, message_id: int, version: datetime | None) -> None:
        self._made[message_id] = version
        self._made.move_to_end(message_id)
        while len(self._made) > _MADE:
            self._made.popitem(last=False)

    def without_store(self, message: discord.Message) -> Verdict:
        """The same without the store: as if nothing was set in the channel."""
        me, so_far = self._client.user, written_by(message)
        if me is None or so_far is not Verdict.ANSWERED:
            return so_far
        place = Place.of(message.channel)
        return verdict(message, me, ChannelSettings(), place, replies_to_me=_author_replied_to(message) == me)

    async def _member(self, guild: discord.Guild, user: discord.abc.User) -> discord.Member | None:
        """A person as a member, whose roles are known; None when they have left. Discord tells only with live messages.

        Who is looked up is remembered for as long as it takes to read what was missed.
        """
        known = user if isinstance(user, discord.Member) else guild.get_member(user.id)
        if known is not None:
            return known
        now = time.monotonic()
        self._looked_up = {key: found for key, found in self._looked_up.items() if found[0] > now}
        key = (guild.id, user.id)
        if key not in self._looked_up:
            self._looked_up[key] = now + _REMEMBERED, await self._poster.member(guild, user.id)
        return self._looked_up[key][1]

    async def _replies_to(self, message: discord.Message, me: discord.ClientUser) -> bool:
        author, reference = _author_replied_to(message), message.reference
        if reference is not None and reference.type is not discord.MessageReferenceType.reply:
            return False  # a forwarded answer is not one that is replied to
        if author is not None or reference is None or reference.message_id is None:
            return author == me
        return bool(await self._store.deliveries.known([str(reference.message_id)]))


def written_by(message: discord.Message) -> Verdict:
    """Whether it is answered as far as its author goes: no webhook's, no bot's, no notice of Discord's own is."""
    if message.webhook_id is not None:
        return Verdict.FROM_A_WEBHOOK
    if message.author.bot:
        return Verdict.FROM_A_BOT
    return Verdict.ANSWERED if message.type in _ANSWERED_TYPES else Verdict.SYSTEM_MESSAGE


def is_from_a_person(message: discord.Message) -> bool:
    """Whether a person wrote it."""
    return written_by(message) is Verdict.ANSWERED


def verdict(
    message: discord.Message, me: discord.ClientUser, settings: ChannelSettings, place: Place, *, replies_to_me: bool
) -> Verdict:
    """Whether a person's message wants an answer: one that mentions the bot, or replies to it, does.

    In a DM, in a thread the bot takes part in, and where it listens always, so does all that is not for somebody else.
    """
    if settings.listen == "off":
        return Verdict.NOT_LISTENING
    if place.is_dm or mentions(message, me.id) or replies_to_me:
        return Verdict.ANSWERED
    if is_for_somebody(message):
        return Verdict.FOR_SOMEBODY_ELSE
    if settings.listen == "always" or is_in(message.channel, me):
        return Verdict.ANSWERED
    return Verdict.NOT_MENTIONED


def mentions(message: discord.Message, user_id: int) -> bool:
    """Whether the text itself names the user; the ping of a reply does not count."""
    return re.search(rf"<@!?{user_id}>", message.content) is not None


def is_for_somebody(message: discord.Message) -> bool:
    """Whether the text mentions a person or a role, or the message replies to somebody else's."""
    if message.raw_mentions or message.raw_role_mentions:
        return True
    reference = message.reference
    if reference is None or reference.type is not discord.MessageReferenceType.reply:
        return False
    return _author_replied_to(message) != message.author


def _author_replied_to(message: discord.Message) -> discord.abc.User | None:
    """Who wrote what the message replies to; None when it replies to nothing, or to what is not there any more."""
    resolved = message.reference.resolved if message.reference else None
    return resolved.author if isinstance(resolved, discord.Message) else None


def _replies_to_what_is_gone(message: discord.Message) -> bool:
    reference = message.reference
    return reference is not None and isinstance(reference.resolved, discord.DeletedReferencedMessage)


def is_in(channel: object, me: discord.ClientUser) -> bool:
    """Whether it is a thread that the bot takes part in.

    One that discord.py does not know, as it is archived, is only read where the bot was asked something.
    """
    if isinstance(channel, discord.PartialMessageable):
        return Place.of(channel).kind is Kind.THREAD
    return isinstance(channel, discord.Thread) and (channel.me is not None or channel.owner_id == me.id)
