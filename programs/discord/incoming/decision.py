"""Which messages the bot answers, or why not: the one place that decides, for live and missed messages and for /why."""

from collections import OrderedDict
from datetime import UTC, datetime
from enum import Enum, auto

import discord

from llmgine.sessions import SessionStore
from programs.discord.channel_settings import Channels, ChannelSettings
from programs.discord.delivery.refusals import UnreachableError
from programs.discord.ids import Kind, Place, roles_of
from programs.discord.marks import addressed_in
from programs.discord.mentions import is_mentioned
from programs.discord.permissions.actor import has_role
from programs.discord.permissions.authorize import Standing, access_of
from programs.discord.permissions.webhooks import WebhookAuthor, repeats

TOO_OFTEN_SIGN = "🚦"  # the bot's reaction on a message that is not answered as its author asked too often

_DELETED = datetime.max.replace(tzinfo=UTC)  # in place of when it was edited
_MADE = 10_000  # messages; a RESUME replays fewer
_ANSWERED_TYPES = (discord.MessageType.default, discord.MessageType.reply)


class Verdict(Enum):
    """Whether a message wants an answer, or why it gets none."""

    ANSWERED = auto()
    FROM_A_WEBHOOK = auto()  # Of one that is not named in the settings.
    REPEATED = auto()  # A webhook repeats what the bot wrote.
    FROM_A_BOT = auto()
    SYSTEM_MESSAGE = auto()
    NOT_LISTENING = auto()
    FOR_SOMEBODY_ELSE = auto()
    NOT_MENTIONED = auto()
    ROLE_MISSING = auto()
    REFUSED = auto()  # It would be answered, and its author may not use the bot there; `Standing` says why.
    PAUSED = auto()  # It would be answered, and answers are paused.
    WAS_PAUSED = auto()  # It was written, or changed last, while answers were paused.


class Decisions:
    """Decides which messages are answered."""

    def __init__(self, client: discord.Client, store: SessionStore, channels: Channels) -> None:
        self._client = client
        self._store = store
        self._channels = channels
        self.access = access_of(client)
        # The messages that were decided about lately, each with when it had been edited last.
        self._made: OrderedDict[int, datetime | None] = OrderedDict()

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
        if me is None or so_far not in (Verdict.ANSWERED, Verdict.FROM_A_WEBHOOK):
            return so_far
        place = place or Place.of(message.channel)
        settings = await self._channels.at(place)
        if so_far is Verdict.FROM_A_WEBHOOK:
            so_far = self._of_webhook(message, settings)
            if so_far is not Verdict.ANSWERED:
                return so_far
        replies_to_me = await self._replies_to(message, me) or (was_ours and _replies_to_what_is_gone(message))
        found = verdict(message, me, settings, place, replies_to_me=replies_to_me)
        if found is Verdict.ANSWERED:
            found = await self._of_author(message, place, settings)
        return found if found is not Verdict.ANSWERED else _unless_paused(message, settings)

    async def _of_author(self, message: discord.Message, place: Place, settings: ChannelSettings) -> Verdict:
        """Whether a message that is for the bot is from somebody who may use it there."""
        standing = await self.standing(message, place, settings)
        if standing is Standing.ROLE_MISSING:
            return Verdict.ROLE_MISSING
        if standing is not Standing.ALLOWED:
            return Verdict.REFUSED
        if message.webhook_id is not None:
            return Verdict.ANSWERED
        if not settings.roles or place.is_dm:
            return Verdict.ANSWERED
        if message.guild is None:
            raise UnreachableError("the server of the message is not available")
        author = await self._member(message.guild, message.author)
        return Verdict.ANSWERED if author is not None and has_role(author, settings) else Verdict.ROLE_MISSING

    async def standing(self, message: discord.Message, place: Place, settings: ChannelSettings) -> Standing:
        """Whether who wrote a message may use the bot there.

        Raises:
            UnreachableError: Discord cannot be asked.
        """
        webhook = None if message.webhook_id is None else WebhookAuthor.of(message)
        if webhook is not None:
            return webhook.standing(place, settings, self.access)
        return await self.access.authorize(message.author, place)

    def _of_webhook(self, message: discord.Message, settings: ChannelSettings) -> Verdict:
        """Whether a webhook's message is answered as far as its author goes: where it is named, and not the bot's."""
        webhook = WebhookAuthor.of(message)
        if webhook is None or not webhook.is_named(settings):
            return Verdict.FROM_A_WEBHOOK
        if repeats(message, self._client):
            return Verdict.REPEATED
        return Verdict.SYSTEM_MESSAGE if message.type not in _ANSWERED_TYPES else Verdict.ANSWERED

    async def limited_roles(self, message: discord.Message, settings: ChannelSettings) -> tuple[str, ...]:
        """The ids of the author's roles that limits are set for.

        Raises:
            UnreachableError: Discord cannot be asked for them.
        """
        if not settings.limited_roles or message.guild is None or message.webhook_id is not None:
            return ()
        author = await self._member(message.guild, message.author)
        return () if author is None else roles_of(author, settings.limited_roles)

    def dismisses(self, message: discord.Message, place: Place) -> bool:
        """Whether a message is surely not for the bot, as far as that is known without asking anybody."""
        me, settings = self._client.user, self._channels.known(place)
        replied_to = _author_replied_to(message)
        if me is not None and settings is not None and (message.reference is None or replied_to is not None):
            found = Verdict.ANSWERED if message.webhook_id is None else self._of_webhook(message, settings)
            if found is Verdict.ANSWERED:
                found = verdict(message, me, settings, place, replies_to_me=replied_to == me)
            if found is not Verdict.ANSWERED:
                return True
        return not place.is_dm and not self.access.covers(place)

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
        if self.access.refusal(message.author.id, place) is not None:
            return Verdict.REFUSED
        return verdict(message, me, ChannelSettings(), place, replies_to_me=_author_replied_to(message) == me)

    async def _member(self, guild: discord.Guild, user: discord.abc.User) -> discord.Member | None:
        """A person as a member, whose roles are known; None when they have left."""
        known = user if isinstance(user, discord.Member) else guild.get_member(user.id)
        if known is not None:
            return known
        return await self.access.members.get(guild, user)

    async def _replies_to(self, message: discord.Message, me: discord.ClientUser) -> bool:
        author, reference = _author_replied_to(message), message.reference
        if reference is not None and reference.type is not discord.MessageReferenceType.reply:
            return False  # a forwarded answer is not one that is replied to
        if author is not None or reference is None or reference.message_id is None:
            return author == me
        return bool(await self._store.deliveries.known([str(reference.message_id)]))


def written_by(message: discord.Message) -> Verdict:
    """Whether it is answered as far as its author goes: no bot's and no notice of Discord's own is.

    A webhook's is only where the settings name that webhook.
    """
    if message.webhook_id is not None:
        return Verdict.FROM_A_WEBHOOK
    if message.author.bot:
        return Verdict.FROM_A_BOT
    return Verdict.ANSWERED if message.type in _ANSWERED_TYPES else Verdict.SYSTEM_MESSAGE


def is_too_often(message: discord.Message) -> bool:
    """Whether it is marked as not answered, perhaps by an earlier process, as its author asked too often."""
    return any(one.me and str(one.emoji) == TOO_OFTEN_SIGN for one in message.reactions)


def may_be_answered(message: discord.Message) -> bool:
    """Whether a person wrote it, or a webhook that may be named in the settings."""
    found = written_by(message)
    return found is Verdict.ANSWERED or (found is Verdict.FROM_A_WEBHOOK and WebhookAuthor.of(message) is not None)


def verdict(
    message: discord.Message, me: discord.ClientUser, settings: ChannelSettings, place: Place, *, replies_to_me: bool
) -> Verdict:
    """Whether a person's message wants an answer: one that mentions the bot, or replies to it, does.

    In a DM, in a thread the bot takes part in, and where it listens always, so does all that is not for somebody else.
    """
    if settings.listen == "off":
        return Verdict.NOT_LISTENING
    marked = "<@" in message.content  # most are not, and cost nothing further
    if place.is_dm or replies_to_me or (marked and is_mentioned(message, me)):
        return Verdict.ANSWERED
    if is_for_somebody(message):
        return Verdict.FOR_SOMEBODY_ELSE
    if settings.listen == "always" or is_in(message.channel, me):
        return Verdict.ANSWERED
    return Verdict.NOT_MENTIONED


def _unless_paused(message: discord.Message, settings: ChannelSettings) -> Verdict:
    """Whether a message that is for the bot meets a pause: one that lasts, or that of when it was changed last."""
    if settings.answers_are_paused:
        return Verdict.PAUSED
    edited = message.edited_at
    moment = message.id if edited is None else discord.utils.time_snowflake(edited)
    return Verdict.WAS_PAUSED if settings.answers_were_paused(moment) else Verdict.ANSWERED


def is_for_somebody(message: discord.Message) -> bool:
    """Whether the text mentions a person or a role, or the message replies to somebody else's."""
    if "<@" in message.content and addressed_in(message.content):
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
