"""Messages of webhooks, such as those of PluralKit: who wrote them, and whether that webhook may use the bot."""

import hashlib
import re
from dataclasses import dataclass

import discord

from llmgine.messages.commands import WEBHOOK, Author
from llmgine.messages.visible_text import visible_line
from programs.discord.channel_settings import ChannelSettings
from programs.discord.ids import Place
from programs.discord.permissions.authorize import Access, Standing

_LONGEST_NAME = 100  # characters
_NUMBERS = 10**19  # from here on no account has an id: those of Discord are below 2 ** 63
_SAME_WORDS = 30  # characters from which on a text that goes on differently is taken for a copy
_ID = re.compile(rf"{WEBHOOK}(\d+)-(\d+)-([0-9a-f]{{16}})")


@dataclass(frozen=True)
class WebhookAuthor:
    """Who wrote a message of a webhook: the webhook together with the name it used, which is never a person's account.

    Attributes:
        webhook_id: The webhook.
        application_id: The application that the webhook belongs to, whose id is that of its bot; None for none.
        digest: What tells the names of one webhook apart.
    """

    webhook_id: int
    application_id: int | None
    digest: str

    @classmethod
    def of(cls, message: discord.Message) -> "WebhookAuthor | None":
        """The webhook of a message.

        None for a message of an account, and for the answer to a command or button of some bot: Discord sends that
        through a webhook, too, which has the id of the bot's application.
        """
        webhook_id, application_id = message.webhook_id, message.application_id
        if webhook_id is None or webhook_id == application_id or message.interaction_metadata is not None:
            return None
        name = visible_line(message.author.name, _LONGEST_NAME)
        digest = hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:16]
        return cls(webhook_id, application_id, digest)

    @classmethod
    def read(cls, author: Author | None) -> "WebhookAuthor | None":
        """The webhook that an author is; None for a person."""
        found = None if author is None else _ID.fullmatch(author.id)
        return None if found is None else cls(int(found[1]), int(found[2]) or None, found[3])

    @property
    def id(self) -> str:
        """What the author is called by in what is stored."""
        return f"{WEBHOOK}{self.webhook_id}-{self.application_id or 0}-{self.digest}"

    @property
    def number(self) -> int:
        """The same as a number that is no account's, for a conversation of its own."""
        known = hashlib.sha256(self.id.encode()).digest()
        return _NUMBERS + int.from_bytes(known[:8]) % _NUMBERS

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids under which lists and settings may have it."""
        return (self.webhook_id,) if self.application_id is None else (self.webhook_id, self.application_id)

    def is_named(self, settings: ChannelSettings) -> bool:
        """Whether its messages are answered where these settings hold."""
        return bool(set(self.ids) & set(settings.webhooks))

    def standing(self, place: Place, settings: ChannelSettings, access: Access) -> Standing:
        """Whether it may use the bot at a place. It has no roles, so where only some roles are answered it may not."""
        allowed = access.of_webhook(self.ids, place)
        return Standing.ROLE_MISSING if allowed is Standing.ALLOWED and settings.roles else allowed


def author_of(message: discord.Message) -> Author:
    """Who wrote a message, as it is stored with it."""
    webhook = None if message.webhook_id is None else WebhookAuthor.of(message)
    return Author(id=str(message.author.id) if webhook is None else webhook.id, name=message.author.display_name)


def number_of(message: discord.Message) -> int:
    """The id of who wrote a message; of a webhook a number that no account has."""
    webhook = None if message.webhook_id is None else WebhookAuthor.of(message)
    return message.author.id if webhook is None else webhook.number


def repeats(message: discord.Message, client: discord.Client) -> bool:
    """Whether a webhook's message is the bot's own: sent by its application, under its name, or a copy of its words.

    A bridge between channels or servers copies all that is written, also what the bot answers.
    """
    me = client.user
    if me is None or message.application_id in (me.id, client.application_id):
        return True
    own_names = {me.name, me.display_name, message.guild.me.display_name if message.guild else me.name}
    if message.author.name.casefold() in {name.casefold() for name in own_names}:
        return True
    ours = (one.content for one in client.cached_messages if one.author.id == me.id)
    return any(_same(message.content, text) for text in ours)


def _same(copy: str, text: str) -> bool:
    """Whether a text is that of an answer, which may have been longer or shorter when it was copied."""
    copy, text = copy.strip(), text.strip()
    if not text or not copy:
        return False
    shorter, longer = sorted((copy, text), key=len)
    return shorter == longer or (len(shorter) >= _SAME_WORDS and longer.startswith(shorter))
