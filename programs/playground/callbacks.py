"""The bot's answers to interactions: the first one, and what its token may still do."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field

from programs.playground.application_commands import Choice
from programs.playground.components import modal_components
from programs.playground.entities import BOT_ID, Flag, Json, Message, MessageType, Reference
from programs.playground.errors import invalid_form, unknown
from programs.playground.forms import Form, MessageForm, read
from programs.playground.interactions import AUTOCOMPLETE, COMMAND, MODAL, Interaction, Interactions
from programs.playground.posting import Posting, Upload
from programs.playground.snowflakes import read_id
from programs.playground.state import State

Uploads = tuple[Upload, ...]
_DATA = ("data",)  # where the errors of a callback's data are reported


class Callback(Form):
    """The first answer to an interaction; `type` is Discord's number of its kind."""

    type: Literal[4, 5, 6, 7, 8, 9]
    data: dict[str, Any] | None = None


class ModalForm(Form):
    """A modal that an answer opens."""

    custom_id: str = Field(min_length=1, max_length=100)
    title: str = Field(min_length=1, max_length=45)
    components: list[dict[str, Any]] = Field(max_length=40)


class ChoicesForm(Form):
    """The suggestions that answer an autocompletion."""

    choices: list[Choice] = Field(max_length=25)


class Callbacks:
    """What a bot may do with an interaction: answer it, and read, edit and delete its messages."""

    def __init__(self, state: State, posting: Posting, interactions: Interactions) -> None:
        self._state = state
        self._posting = posting
        self._interactions = interactions
        self._answers: dict[int, Callable[[Interaction, Json, Uploads], None]] = {
            4: self._reply,
            5: self._defer,
            6: self._defer_update,
            7: self._update,
            8: self._choices,
            9: self._modal,
        }

    def answer(self, interaction: Interaction, callback: Callback, uploads: Uploads) -> None:
        """The first answer. Raises 50035 for one that does not fit the interaction; it may be tried again."""
        fits = {4, 5, 9}
        if interaction.type == AUTOCOMPLETE:
            fits = {8}
        elif interaction.type == MODAL:
            fits = {4, 5}
        if interaction.source is not None:
            fits |= {6, 7}
        if callback.type not in fits:
            words = f"Value must be one of {{{', '.join(map(str, sorted(fits)))}}}."
            raise invalid_form((("type",), "BASE_TYPE_CHOICES", words))
        self._answers[callback.type](interaction, callback.data or {}, uploads)
        self._interactions.acknowledge(interaction)
        if callback.type == 5:
            ephemeral = interaction.original is not None and interaction.original.ephemeral_to is not None
            self._interactions.deferred(interaction, ephemeral=ephemeral)
        else:
            self._interactions.done(interaction)

    def _reply(self, interaction: Interaction, data: Json, uploads: Uploads) -> None:
        form: MessageForm = read(MessageForm, data, within=_DATA)
        interaction.original = self._post(interaction, form, uploads)

    def _defer(self, interaction: Interaction, data: Json, _: Uploads) -> None:
        form: MessageForm = read(MessageForm, data, within=_DATA)
        message = Message(self._state.ids.next(), interaction.channel_id, BOT_ID, flags=int(Flag.LOADING))
        message.flags |= (form.flags or 0) & Flag.EPHEMERAL
        message.origin = interaction.origin()
        interaction.original = self._add(interaction, message)

    def _defer_update(self, interaction: Interaction, _data: Json, _uploads: Uploads) -> None:
        self._use_source(interaction)

    def _update(self, interaction: Interaction, data: Json, uploads: Uploads) -> None:
        message = self._use_source(interaction)
        self._change(message, read(MessageForm, data, within=_DATA), uploads)

    def _choices(self, interaction: Interaction, data: Json, _: Uploads) -> None:
        form: ChoicesForm = read(ChoicesForm, data, within=_DATA)
        if interaction.choices is not None and not interaction.choices.done():
            interaction.choices.set_result([{"name": one.name, "value": one.value} for one in form.choices])

    def _modal(self, interaction: Interaction, data: Json, _: Uploads) -> None:
        form: ModalForm = read(ModalForm, data, within=_DATA)
        components = modal_components(form.components)
        self._interactions.open_modal(interaction, form.custom_id, form.title, components)

    def _use_source(self, interaction: Interaction) -> Message:
        """What @original means for an answer that changes the message with the component. Raises 10008."""
        source = interaction.source
        if source is None or source.id not in self._state.channels[source.channel_id].messages:
            raise unknown("Message")
        interaction.original = source
        interaction.message_ids.add(source.id)
        return source

    def _post(self, interaction: Interaction, form: MessageForm, uploads: Uploads) -> Message:
        channel = self._state.channels[interaction.channel_id]
        message = self._posting.draft(channel, BOT_ID, form, uploads, origin=interaction.origin())
        return self._add(interaction, message)

    def _add(self, interaction: Interaction, message: Message) -> Message:
        if interaction.type == COMMAND:
            chat = interaction.data["type"] == 1
            message.type = MessageType.CHAT_INPUT_COMMAND if chat else MessageType.CONTEXT_MENU_COMMAND
        elif interaction.source is not None:
            message.type = MessageType.REPLY
            message.reference = Reference(interaction.channel_id, interaction.source.id)
        if message.flags & Flag.EPHEMERAL:
            message.ephemeral_to = interaction.user_id
        interaction.message_ids.add(message.id)
        self._state.add_message(message)
        return message

    def _change(self, message: Message, form: MessageForm, uploads: Uploads) -> None:
        self._posting.change(message, form, uploads)
        message.edited_at = self._state.ids.now()
        self._state.update_message(message)

    def message(self, interaction: Interaction, which: str) -> Message:
        """The message `which` names, "@original" or an id of this interaction's own. Raises 10008."""
        message = interaction.original
        if which != "@original":
            own = read_id(which)
            messages = self._state.channels[interaction.channel_id].messages
            message = messages.get(own) if own is not None and own in interaction.message_ids else None
        if message is None or message.id not in self._state.channels[message.channel_id].messages:
            raise unknown("Message")
        return message

    def edit(self, interaction: Interaction, which: str, form: MessageForm, uploads: Uploads) -> Message:
        """Edit a message of the interaction; a deferred answer is filled. Raises 10008 where there is none."""
        message = self.message(interaction, which)
        if message.flags & Flag.LOADING:
            return self._fill(interaction, message, form, uploads)
        self._change(message, form, uploads)
        return message

    def delete(self, interaction: Interaction, which: str) -> None:
        """Delete a message of the interaction. Raises 10008 where there is none."""
        message = self.message(interaction, which)
        self._state.delete_message(message)
        if message is interaction.original:
            interaction.original = None  # a follow-up is then a message of its own
        if message.flags & Flag.LOADING:
            self._interactions.done(interaction)

    def follow_up(self, interaction: Interaction, form: MessageForm, uploads: Uploads) -> Message:
        """A further message; the first one after a deferral takes the place of "thinking"."""
        original = interaction.original
        if original is not None and original.flags & Flag.LOADING:
            return self._fill(interaction, original, form, uploads)
        return self._post(interaction, form, uploads)

    def _fill(self, interaction: Interaction, message: Message, form: MessageForm, uploads: Uploads) -> Message:
        self._posting.change(message, form, uploads)
        message.flags &= ~Flag.LOADING
        self._state.update_message(message)
        self._interactions.done(interaction)
        return message
