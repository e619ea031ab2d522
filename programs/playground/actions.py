"""What a person does that makes an interaction: commands, buttons, selects, modals, autocompletion."""

from typing import Any

from programs.playground.application_commands import CHAT_INPUT, Commands
from programs.playground.entities import Channel, Json, Permission
from programs.playground.errors import ApiError, invalid_form, unknown
from programs.playground.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL, Interaction, Interactions
from programs.playground.invocations import Invocations
from programs.playground.permissions import EVERYTHING
from programs.playground.posting import Upload, attached
from programs.playground.state import State


class Actions:
    """Each opens an interaction and returns at once; what follows arrives as events. Raises `ApiError`."""

    def __init__(self, state: State, commands: Commands, interactions: Interactions) -> None:
        self._state = state
        self._commands = commands
        self._interactions = interactions
        self._invocations = Invocations(state)

    def command(
        self,
        channel_id: int,
        user_id: int,
        command: int | str,
        options: list[Json] | None = None,
        *,
        target_id: int | None = None,
        uploads: tuple[Upload, ...] = (),
    ) -> Interaction:
        """Use a command, given by its id, or by its name.

        `options` are `{"name", "value"}`, or `{"name", "upload"}` with the number of an upload where one takes a file.
        """
        channel = self._state.channel(channel_id, self._state.person(user_id))
        found = self._find(command, channel)
        self._require_allowed(found, channel, user_id)
        sent = self._with_uploads(options or [], {one.index: one for one in uploads}, channel)
        data = self._invocations.command(found, sent, channel, target_id)
        return self._interactions.open(COMMAND, channel, user_id, data)

    def click(
        self, channel_id: int, user_id: int, message_id: int, custom_id: str, values: list[str] | None = None
    ) -> Interaction:
        """Press a button, or choose `values` in a select."""
        channel = self._state.channel(channel_id, self._state.person(user_id))
        message = self._state.message(channel, message_id, user_id)
        data = self._invocations.component(message, custom_id, values)
        return self._interactions.open(COMPONENT, channel, user_id, data, source=message)

    def submit_modal(self, user_id: int, modal_id: int, values: dict[str, Any]) -> Interaction:
        """Send a modal that is open for this person; afterwards it is closed."""
        modal = self._interactions.modals.get(modal_id)
        if modal is None or modal.user_id != user_id:
            raise unknown("Interaction")
        data = self._invocations.modal(modal, values)
        del self._interactions.modals[modal_id]
        channel = self._state.channel(modal.channel_id, user_id)
        return self._interactions.open(MODAL, channel, user_id, data, source=modal.source, trigger=modal.opened_by)

    async def autocomplete(
        self, channel_id: int, user_id: int, command: int | str, options: list[Json], focused: str
    ) -> list[Json]:
        """The bot's suggestions for the option being typed; none when it does not answer in time."""
        channel = self._state.channel(channel_id, self._state.person(user_id))
        found = self._find(command, channel)
        if found["type"] != CHAT_INPUT:
            raise ApiError(400, 50035, "Only chat commands complete.")
        data = self._invocations.autocomplete(found, options, focused)
        interaction = self._interactions.open(AUTOCOMPLETE, channel, user_id, data)
        assert interaction.choices is not None  # noqa: S101  an autocompletion is opened with it
        return await interaction.choices

    def _with_uploads(self, options: list[Json], uploads: dict[int, Upload], channel: Channel) -> list[Json]:
        """The options with the ids of attachments in place of uploads. Raises 50035 for an upload that did not come."""
        ready = []
        for option in options:
            if "upload" in option:
                upload = uploads.get(option["upload"])
                if upload is None:
                    raise invalid_form((("attachments",), "BASE_TYPE_REQUIRED", "The file did not come with it."))
                attachment = attached(self._state, channel.id, upload)
                self._state.attachments[attachment.id] = attachment
                ready.append({"name": option["name"], "value": str(attachment.id)})
            else:
                inside = self._with_uploads(option.get("options") or [], uploads, channel)
                ready.append({**option, "options": inside} if inside else option)
        return ready

    def _require_allowed(self, command: Json, channel: Channel, user_id: int) -> None:
        """Raises 50013 for a command Discord would not show this person there."""
        if channel.guild_id is None:
            return
        needed = Permission.USE_APPLICATION_COMMANDS
        asked = command.get("default_member_permissions")
        if asked is not None:  # "0" is for administrators alone
            needed |= Permission(int(asked) & EVERYTHING) or Permission.ADMINISTRATOR
        self._state.require(user_id, channel, needed)

    def _find(self, command: int | str, channel: Channel) -> Json:
        wanted = str(command)
        for one in self._commands.visible_in(channel):
            if wanted in (one["id"], one["name"]):
                return one
        raise unknown("Application Command")
