"""Webhooks of channels: whoever knows a webhook's token writes there, under any name."""

import secrets
from collections.abc import Callable

from programs.playground.entities import GUILD_ID, Channel, Json, Message, Webhook, WebhookName
from programs.playground.errors import ApiError, invalid_form, unknown
from programs.playground.forms import WebhookForm
from programs.playground.posting import Posting, Upload
from programs.playground.snowflakes import read_id
from programs.playground.state import State

_RESERVED = ("clyde", "discord")  # no webhook may be called so


class Webhooks:
    """Makes webhooks, and writes for them. Every method raises `ApiError` as Discord answers it.

    Args:
        state: What there is.
        posting: The rules of messages.
        secret: Makes tokens of so many bytes.
    """

    def __init__(self, state: State, posting: Posting, secret: Callable[[int], str] = secrets.token_urlsafe) -> None:
        self._state = state
        self._posting = posting
        self._secret = secret

    def add(self, channel_id: int, name: str, *, application_id: int | None = None) -> Webhook:
        """A new webhook of a channel, of an application or of a person. Raises 10003."""
        channel = self._state.channels.get(channel_id)
        if channel is None or channel.guild_id is None or channel.thread is not None:
            raise unknown("Channel")
        _require_name(name, "name")
        made = Webhook(self._state.ids.next(), channel_id, name, self._secret(48), application_id)
        self._state.webhooks[made.id] = made
        return made

    def find(self, webhook_id: int, token: str) -> Webhook:
        """The webhook with this id and token. Raises 10015 and 50027."""
        found = self._state.webhooks.get(webhook_id)
        if found is None or found.channel_id not in self._state.channels:
            raise unknown("Webhook")
        if not secrets.compare_digest(found.token.encode(), token.encode()):
            raise ApiError(401, 50027, "Invalid Webhook Token")
        return found

    def execute(
        self, webhook: Webhook, form: WebhookForm, uploads: tuple[Upload, ...] = (), *, thread_id: str | None = None
    ) -> Message:
        """Write a message, under the name that the form gives, or the webhook's own. Raises 10003, 50006 and 50035."""
        name = webhook.name if form.username is None else form.username
        _require_name(name, "username")
        by = WebhookName(webhook.id, name, webhook.application_id)
        message = self._posting.draft(self._place(webhook, thread_id), webhook.id, form, uploads, webhook=by)
        self._state.add_message(message)
        return message

    def message(self, webhook: Webhook, which: str, *, thread_id: str | None = None) -> Message:
        """A message of the webhook's own. Raises 10008 where there is none."""
        wanted = read_id(which)
        found = None if wanted is None else self._place(webhook, thread_id).messages.get(wanted)
        if found is None or found.webhook is None or found.webhook.id != webhook.id:
            raise unknown("Message")
        return found

    def edit(self, message: Message, form: WebhookForm, uploads: tuple[Upload, ...] = ()) -> Message:
        """Change a message; its name stays. Raises 50083 in an archived thread."""
        return self._posting.edit(message, form, uploads)

    def delete(self, message: Message) -> None:
        """Delete a message."""
        self._state.delete_message(message)

    def _place(self, webhook: Webhook, thread_id: str | None) -> Channel:
        """Its channel, or the thread of that."""
        if thread_id is None:
            return self._state.channels[webhook.channel_id]
        thread = self._state.channels.get(read_id(thread_id) or 0)
        if thread is None or thread.thread is None or thread.parent_id != webhook.channel_id:
            raise unknown("Channel")
        self._posting.require_open(thread)
        return thread


def payload(of: Webhook) -> Json:
    """A webhook, for who knows its token."""
    return {
        "id": str(of.id),
        "type": 1,
        "channel_id": str(of.channel_id),
        "guild_id": str(GUILD_ID),
        "name": of.name,
        "avatar": None,
        "token": of.token,
        "application_id": None if of.application_id is None else str(of.application_id),
    }


def _require_name(name: str, path: str) -> None:
    if any(word in name.lower() for word in _RESERVED):
        words = "Username cannot contain a reserved word"
        raise invalid_form(((path,), "USERNAME_INVALID_CONTAINS", words))
