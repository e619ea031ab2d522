"""Which messages the bot answers, or why not, and what of them the model is told."""

import re
import time
from enum import Enum, auto
from typing import TypedDict, Unpack

import discord

from llmgine.messages.commands import Attachment, Author, EditPromptCommand, PromptCommand, Quote
from llmgine.messages.steps import Turn
from llmgine.messages.text import collapse_spaces, shorten
from llmgine.sessions import SessionStore
from programs.discord.channels import Channels, ChannelSettings
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.refusals import UnreachableError
from programs.discord.ids import SOURCE, Cards, Kind, Origin, Place, channel_name, scopes_now
from programs.discord.permissions import has_role

_REMEMBERED = 30.0  # seconds for which the roles of somebody who was looked up hold
_LONGEST_THREAD_NAME = 80  # characters; Discord takes 100
_ANSWERED_TYPES = (discord.MessageType.default, discord.MessageType.reply)


class PromptParts(TypedDict):
    """What of a prompt has to be looked up elsewhere; see `PromptCommand`."""

    quoted: Quote | None
    attachments: tuple[Attachment, ...]
    images: tuple[str, ...]
    burst: float


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


class Triggers:
    """Judges messages: the one place that says what is answered, live, on catching up, and when somebody asks why."""

    def __init__(self, client: discord.Client, store: SessionStore, poster: Poster, channels: Channels) -> None:
        self._client = client
        self._store = store
        self._poster = poster
        self._channels = channels
        self._looked_up: dict[tuple[int, int], tuple[float, discord.Member | None]] = {}  # by server and person

    async def verdict(self, message: discord.Message) -> Verdict:
        """Whether a message is for the bot.

        Raises:
            StoreError: That cannot be looked up.
            UnreachableError: Discord cannot be asked for the roles of who wrote it.
        """
        me, so_far = self._client.user, written_by(message)
        if me is None or so_far is not Verdict.ANSWERED:
            return so_far
        settings = await self._channels.settings(message.channel)
        found = verdict(message, me, settings, replies_to_me=await self._replies_to(message, me))
        if found is not Verdict.ANSWERED or not settings.roles or Place.of(message.channel).is_dm:
            return found
        if message.guild is None:
            raise UnreachableError("the server of the message is not available")
        author = await self._member(message.guild, message.author)
        return found if author is not None and has_role(author, settings) else Verdict.ROLE_MISSING

    def dismisses(self, message: discord.Message) -> bool:
        """Whether a message is surely not for the bot, as far as that is known without asking anybody."""
        me, settings = self._client.user, self._channels.known(Place.of(message.channel))
        replied_to = _author_replied_to(message)
        if me is None or settings is None or (message.reference is not None and replied_to is None):
            return False
        return verdict(message, me, settings, replies_to_me=replied_to == me) is not Verdict.ANSWERED

    def at_a_glance(self, message: discord.Message) -> Verdict:
        """The same without the store: as if nothing was set in the channel."""
        me, so_far = self._client.user, written_by(message)
        if me is None or so_far is not Verdict.ANSWERED:
            return so_far
        return verdict(message, me, ChannelSettings(), replies_to_me=_author_replied_to(message) == me)

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
        return await self._store.deliveries.has(str(reference.message_id))


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
    message: discord.Message, me: discord.ClientUser, settings: ChannelSettings, *, replies_to_me: bool
) -> Verdict:
    """Whether a person's message wants an answer: one that mentions the bot, or replies to it, does.

    In a DM, in a thread the bot takes part in, and where it listens always, so does all that is not for somebody else.
    """
    if settings.listen == "off":
        return Verdict.NOT_LISTENING
    if Place.of(message.channel).is_dm or mentions(message, me.id) or replies_to_me:
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


def is_in(channel: object, me: discord.ClientUser) -> bool:
    """Whether it is a thread that the bot takes part in.

    One that discord.py does not know, as it is archived, is only read where the bot was asked something.
    """
    if isinstance(channel, discord.PartialMessageable):
        return Place.of(channel).kind is Kind.THREAD
    return isinstance(channel, discord.Thread) and (channel.me is not None or channel.owner_id == me.id)


def prompt(
    message: discord.Message,
    me: discord.ClientUser,
    session_id: str,
    thread_id: int | None = None,
    *,
    cards: Cards = "normal",
    **more: Unpack[PromptParts],
) -> PromptCommand:
    """The message as a command to a session. With `thread_id`, it is answered in that thread of its channel.

    `cards` says how much is shown of its tool calls.
    """
    origin = Origin.at(Place.of(message.channel), message.id, cards=cards, thread_id=thread_id)
    return PromptCommand(
        session_id=session_id,
        scopes=origin.answered.scopes,
        session_name=channel_name(message.channel, message.author),
        text=text_for_model(message, me),
        source=SOURCE,
        source_id=str(message.id),
        author=Author(id=str(message.author.id), name=message.author.display_name),
        origin=origin.as_json(),
        place=str(origin.asked.channel_id),
        guild=origin.guild_id,
        version=_version(message),
        **more,
    )


def edit(message: discord.Message, me: discord.ClientUser, turn: Turn) -> EditPromptCommand:
    """A changed message as a command to the session of the turn it was admitted to."""
    inside = scopes_now(message.channel)
    origin = Origin.of(turn)
    if inside and origin.asked_in is not None:  # it was answered in a thread of its own
        inside = (origin.answered.session_id(), *inside)
    return EditPromptCommand(
        session_id=turn.session_id,
        turn_id=turn.id,
        source_id=str(message.id),
        version=_version(message),
        text=text_for_model(message, me),
        attachment_ids=tuple(str(attachment.id) for attachment in message.attachments),
        scopes=inside,
    )


def _version(message: discord.Message) -> int:
    """When it was changed last, in microseconds since 1970; 0 for never."""
    return 0 if message.edited_at is None else round(message.edited_at.timestamp() * 1_000_000)


def text_for_model(message: discord.Message, me: discord.ClientUser) -> str:
    """The text with names in place of ids."""
    text = re.sub(rf"^\s*<@!?{me.id}>[\s,:]*", "", message.content)
    names = {user.id: f"@{user.display_name}" for user in message.mentions}
    text = re.sub(r"<@!?(\d+)>", lambda found: names.get(int(found[1]), found[0]), text)
    return text.strip() or "[a message without text]"


def thread_name(text: str) -> str:
    """A name for the thread of a question, out of its text."""
    return shorten(collapse_spaces(text), _LONGEST_THREAD_NAME)
