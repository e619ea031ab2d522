"""Interactions from the person's act to their end: three seconds to answer, fifteen minutes to follow up."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from programs.playground import payloads
from programs.playground.deadlines import Deadline, Deadlines
from programs.playground.entities import (
    BOT_ID,
    GUILD_ID,
    Channel,
    Flag,
    Json,
    Message,
    Origin,
)
from programs.playground.errors import ApiError, unknown
from programs.playground.posting import MAX_FILE_BYTES
from programs.playground.rules import Rules
from programs.playground.state import State

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5


@dataclass
class Interaction:
    """A use of a command, a component or a modal, with what has become of it."""

    id: int
    token: str
    type: int
    user_id: int
    channel_id: int
    data: Json = field(repr=False)
    source: Message | None = None  # the message whose component was used, also through a modal
    trigger: Origin | None = None  # of a modal: the interaction that opened it
    answered: bool = False
    original: Message | None = None  # what @original means, once there is an answer
    message_ids: set[int] = field(default_factory=set)  # what this token may edit
    choices: asyncio.Future[list[Json]] | None = None  # of an autocompletion
    first_answer: Deadline | None = field(default=None, repr=False)
    token_end: Deadline | None = field(default=None, repr=False)

    @property
    def command_name(self) -> str | None:
        """The name of the command that was used; None where it was something else."""
        return self.data["name"] if self.type == COMMAND else None

    def origin(self) -> Origin:
        """What messages say of the interaction that they answer."""
        source_id = None if self.source is None else self.source.id
        return Origin(self.id, self.type, self.user_id, self.command_name, source_id, self.trigger)


@dataclass
class Modal:
    """A form that the bot opened for a person."""

    id: int
    user_id: int
    channel_id: int
    custom_id: str
    title: str
    components: list[Json]
    source: Message | None
    opened_by: Origin


class Interactions:
    """All interactions that are still alive. Needs a running loop, for their deadlines."""

    def __init__(self, state: State, rules: Rules, deadlines: Deadlines, secret: Callable[[int], str]) -> None:
        self._state = state
        self._secret = secret
        self._rules = rules
        self._deadlines = deadlines
        self._alive: dict[int, Interaction] = {}
        self.modals: dict[int, Modal] = {}

    def open(
        self,
        kind: int,
        channel: Channel,
        user_id: int,
        data: Json,
        *,
        source: Message | None = None,
        trigger: Origin | None = None,
    ) -> Interaction:
        """Tell the bot, and the person that it is pending."""
        interaction = Interaction(
            self._state.ids.next(), self._secret(48), kind, user_id, channel.id, data, source, trigger
        )
        if kind == AUTOCOMPLETE:
            interaction.choices = asyncio.get_running_loop().create_future()
        after = self._deadlines.after
        interaction.first_answer = after(self._rules.first_answer_seconds, lambda: self._unanswered(interaction))
        interaction.token_end = after(self._rules.token_seconds, lambda: self._expired(interaction))
        self._alive[interaction.id] = interaction
        if kind != AUTOCOMPLETE:
            self._tell_pending(interaction)
        payload = self._payload(interaction, channel)
        self._state.emit("INTERACTION_CREATE", lambda _: dict(payload), frozenset({BOT_ID}))
        return interaction

    def to_answer(self, interaction_id: int, token: str) -> Interaction:
        """The interaction a callback answers. Raises 10062 past its deadline, 40060 the second time."""
        self._deadlines.run_due()
        interaction = self._alive.get(interaction_id)
        if interaction is None or not secrets.compare_digest(interaction.token.encode(), token.encode()):
            raise unknown("Interaction")
        self._require_channel(interaction)
        if interaction.answered:
            raise ApiError(400, 40060, "Interaction has already been acknowledged.")
        return interaction

    def to_follow(self, application_id: int, token: str) -> Interaction:
        """The answered interaction of a webhook's token. Raises 10015 and 50027."""
        self._deadlines.run_due()
        if application_id != BOT_ID:
            raise unknown("Webhook")
        for interaction in self._alive.values():
            if secrets.compare_digest(interaction.token.encode(), token.encode()):
                if not interaction.answered:
                    raise unknown("Webhook")
                self._require_channel(interaction)
                return interaction
        raise ApiError(401, 50027, "Invalid Webhook Token")

    def _require_channel(self, interaction: Interaction) -> None:
        """Raises 10003 when its thread was deleted meanwhile."""
        if interaction.channel_id not in self._state.channels:
            raise unknown("Channel")

    def acknowledge(self, interaction: Interaction) -> None:
        """The first answer came in time."""
        interaction.answered = True
        self._cancel(interaction.first_answer)

    def done(self, interaction: Interaction) -> None:
        """Tell the page that the interaction was answered."""
        self._tell("INTERACTION_DONE", interaction, {})

    def deferred(self, interaction: Interaction, *, ephemeral: bool) -> None:
        """Tell the page that the answer comes later."""
        place = {"channel_id": str(interaction.channel_id), "ephemeral": ephemeral}
        self._tell("INTERACTION_DEFERRED", interaction, place)

    def open_modal(self, interaction: Interaction, custom_id: str, title: str, components: list[Json]) -> None:
        """Show a modal to the person, and remember it until it is sent."""
        modal = Modal(
            interaction.id,
            interaction.user_id,
            interaction.channel_id,
            custom_id,
            title,
            components,
            interaction.source,
            interaction.origin(),
        )
        self.modals[modal.id] = modal
        shown = {"modal_id": str(modal.id), "title": title, "components": components}
        self._state.tell_people("MODAL_OPEN", shown, interaction.user_id)

    def close(self) -> None:
        """Forget everything: the playground stops."""
        for interaction in self._alive.values():
            self._cancel(interaction.first_answer)
            self._cancel(interaction.token_end)
            if interaction.choices is not None:
                interaction.choices.cancel()
        self._alive.clear()

    def _cancel(self, deadline: Deadline | None) -> None:
        if deadline is not None:
            self._deadlines.cancel(deadline)

    def _unanswered(self, interaction: Interaction) -> None:
        self._cancel(interaction.token_end)
        del self._alive[interaction.id]
        if interaction.choices is not None and not interaction.choices.done():
            interaction.choices.set_result([])
        else:
            self._tell_failed(interaction)

    def _expired(self, interaction: Interaction) -> None:
        """The token is no longer good; an answer that was promised and never came has failed."""
        del self._alive[interaction.id]
        self.modals.pop(interaction.id, None)
        channel = self._state.channels.get(interaction.channel_id)
        promised = interaction.original
        if channel is None or promised is None or promised.id not in channel.messages:
            return
        if promised.flags & Flag.LOADING:
            self._state.delete_message(promised)
            self._tell_failed(interaction)

    def _tell_pending(self, interaction: Interaction) -> None:
        payload: Json = {"channel_id": str(interaction.channel_id)}
        if interaction.command_name is not None:
            payload["command_name"] = interaction.command_name
        if interaction.source is not None:
            payload["message_id"] = str(interaction.source.id)
        if "custom_id" in interaction.data:
            payload["custom_id"] = interaction.data["custom_id"]
        self._tell("INTERACTION_PENDING", interaction, payload)

    def _tell_failed(self, interaction: Interaction) -> None:
        payload: Json = {"channel_id": str(interaction.channel_id), "message": "The application did not respond"}
        if interaction.source is not None:
            payload["message_id"] = str(interaction.source.id)
        self._tell("INTERACTION_FAILED", interaction, payload)

    def _tell(self, name: str, interaction: Interaction, payload: Json) -> None:
        self._state.tell_people(name, {"interaction_id": str(interaction.id), **payload}, interaction.user_id)

    def _payload(self, interaction: Interaction, channel: Channel) -> Json:
        """INTERACTION_CREATE as the bot gets it."""
        state = self._state
        user = state.users[interaction.user_id]
        allowed = str(int(state.permissions(user.id, channel)))
        payload: Json = {
            "id": str(interaction.id),
            "application_id": str(BOT_ID),
            "type": interaction.type,
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel_id": str(channel.id),
            "channel": state.channel_payload(channel, BOT_ID) | {"permissions": allowed},
            "app_permissions": str(int(state.permissions(BOT_ID, channel))),
            "locale": user.locale,
            "entitlements": [],
            "authorizing_integration_owners": {"0": str(GUILD_ID)},
            "attachment_size_limit": MAX_FILE_BYTES,
        }
        if interaction.source is not None:
            payload["message"] = state.message_payload(interaction.source, BOT_ID)
        if channel.guild_id is None:
            return payload | {"user": payloads.user(user), "context": 1}
        member = state.member_payload(user.id) | {"permissions": allowed}
        guild = {"id": str(GUILD_ID), "locale": state.guild.locale, "features": []}
        return payload | {
            "member": member,
            "guild_id": str(GUILD_ID),
            "guild": guild,
            "guild_locale": state.guild.locale,
            "context": 0,
        }
