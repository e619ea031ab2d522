"""Interaction callbacks, and the webhook that an interaction's token opens. No bot token here."""

from programs.playground.callbacks import Callback, Callbacks
from programs.playground.entities import BOT_ID, Flag, Json, Message
from programs.playground.forms import MessageForm
from programs.playground.interactions import Interaction, Interactions
from programs.playground.state import State
from programs.playground.wire import NOTHING, Call, Reply, Routes

_WITH_MESSAGE = (4, 7)  # the callbacks that give back the message they made or changed


class InteractionRoutes:
    """The routes of interactions and of their messages."""

    def __init__(self, state: State, interactions: Interactions, callbacks: Callbacks) -> None:
        self._state = state
        self._interactions = interactions
        self._callbacks = callbacks

    def routes(self) -> Routes:
        """Method, path and handler of each; those of the messages are reached through `WebhookRoutes`."""
        return [("POST", "/interactions/{interaction_id}/{token}/callback", self.callback)]

    def callback(self, call: Call) -> Reply:
        """Take the first answer. Raises 10062 where it is too late, 40060 for a second one."""
        interaction = self._interactions.to_answer(call.id("interaction_id"), call.ids["token"])
        callback = call.form(Callback)
        self._callbacks.answer(interaction, callback, call.files)
        return Reply(self._response(interaction, callback.type)) if call.flag("with_response") else NOTHING

    def _response(self, interaction: Interaction, kind: int) -> Json:
        about: Json = {"id": str(interaction.id), "type": interaction.type}
        original = interaction.original
        if original is None:
            return {"interaction": about}
        about["response_message_id"] = str(original.id)
        about["response_message_loading"] = bool(original.flags & Flag.LOADING)
        about["response_message_ephemeral"] = original.ephemeral_to is not None
        if kind not in _WITH_MESSAGE:
            return {"interaction": about}
        return {"interaction": about, "resource": {"type": kind, "message": self._payload(interaction, original)}}

    def follow_up(self, call: Call) -> Reply:
        """Take a further answer. Raises 50027 where the token is no longer good."""
        interaction = self._follow(call)
        message = self._callbacks.follow_up(interaction, call.form(MessageForm), call.files)
        return Reply(self._payload(interaction, message)) if call.flag("wait") else NOTHING

    def get(self, call: Call) -> Reply:
        """A message of the interaction. Raises 10008 where there is none."""
        interaction = self._follow(call)
        return Reply(self._payload(interaction, self._callbacks.message(interaction, call.ids["message"])))

    def edit(self, call: Call) -> Reply:
        """Edit a message of the interaction. Raises 10008 where there is none."""
        interaction = self._follow(call)
        message = self._callbacks.edit(interaction, call.ids["message"], call.form(MessageForm), call.files)
        return Reply(self._payload(interaction, message))

    def delete(self, call: Call) -> Reply:
        """Delete a message of the interaction. Raises 10008 where there is none."""
        interaction = self._follow(call)
        self._callbacks.delete(interaction, call.ids["message"])
        return NOTHING

    def _follow(self, call: Call) -> Interaction:
        return self._interactions.to_follow(call.id("webhook_id"), call.ids["token"])

    def _payload(self, interaction: Interaction, message: Message) -> Json:
        payload = self._state.message_payload(message, BOT_ID)
        channel = self._state.channels[interaction.channel_id]
        return payload if channel.guild_id is None else payload | {"guild_id": str(channel.guild_id)}
