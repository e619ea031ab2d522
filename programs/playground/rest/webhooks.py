"""Webhooks of channels, and the webhook that an interaction's token opens: both have the same paths."""

from programs.playground.entities import BOT_ID, Message, Permission, Webhook
from programs.playground.forms import WebhookChanges, WebhookForm
from programs.playground.rest.interactions import InteractionRoutes
from programs.playground.state import State
from programs.playground.webhooks import Webhooks, payload
from programs.playground.wire import NOTHING, Call, Handler, Reply, Routes

_WEBHOOK = "/webhooks/{webhook_id}/{token}"
_MESSAGE = _WEBHOOK + "/messages/{message}"


class WebhookRoutes:
    """The routes of webhooks and of their messages; those of an interaction go to `interactions`."""

    def __init__(self, state: State, webhooks: Webhooks, interactions: InteractionRoutes | None = None) -> None:
        self._state = state
        self._webhooks = webhooks
        self._interactions = interactions

    def routes(self) -> Routes:
        """Method, path and handler of those for which the bot's token is needed."""
        return [("POST", "/channels/{channel_id}/webhooks", self.create)]

    def open_routes(self) -> Routes:
        """Method, path and handler of those that need the webhook's token alone."""
        interactions = self._interactions
        if interactions is None:
            return []
        return [
            ("GET", _WEBHOOK, self.get),
            ("POST", _WEBHOOK, self._of_either(self.execute, interactions.follow_up)),
            ("GET", _MESSAGE, self._of_either(self.message, interactions.get)),
            ("PATCH", _MESSAGE, self._of_either(self.edit, interactions.edit)),
            ("DELETE", _MESSAGE, self._of_either(self.delete, interactions.delete)),
        ]

    def _of_either(self, own: Handler, of_interaction: Handler) -> Handler:
        """An application's webhook has the application's id."""

        def handle(call: Call) -> Reply:
            return own(call) if call.id("webhook_id") in self._state.webhooks else of_interaction(call)

        return handle

    def create(self, call: Call) -> Reply:
        """A webhook of the bot's application. Raises 50013 where the bot may not manage webhooks."""
        channel = self._state.channel(call.id("channel_id"), BOT_ID)
        self._state.require(BOT_ID, channel, Permission.MANAGE_WEBHOOKS)
        made = self._webhooks.add(channel.id, call.form(WebhookChanges).name, application_id=BOT_ID)
        return Reply(payload(made))

    def get(self, call: Call) -> Reply:
        """A webhook. Raises 10015 and 50027."""
        return Reply(payload(self._find(call)))

    def execute(self, call: Call) -> Reply:
        """Write a message. Raises 10015 and 50027."""
        webhook, thread = self._find(call), call.query.get("thread_id")
        message = self._webhooks.execute(webhook, call.form(WebhookForm), call.files, thread_id=thread)
        return self._shown(message) if call.flag("wait") else NOTHING

    def message(self, call: Call) -> Reply:
        """A message of the webhook's own. Raises 10008."""
        return self._shown(self._message(call))

    def edit(self, call: Call) -> Reply:
        """Change a message of the webhook's own. Raises 10008."""
        return self._shown(self._webhooks.edit(self._message(call), call.form(WebhookForm), call.files))

    def delete(self, call: Call) -> Reply:
        """Delete a message of the webhook's own. Raises 10008."""
        self._webhooks.delete(self._message(call))
        return NOTHING

    def _find(self, call: Call) -> Webhook:
        return self._webhooks.find(call.id("webhook_id"), call.ids["token"])

    def _message(self, call: Call) -> Message:
        return self._webhooks.message(self._find(call), call.ids["message"], thread_id=call.query.get("thread_id"))

    def _shown(self, message: Message) -> Reply:
        return Reply(self._state.message_payload(message, BOT_ID))
