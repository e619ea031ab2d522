"""What a person's act becomes in the `data` of INTERACTION_CREATE, checked as Discord's own clients do."""

from collections.abc import Callable
from typing import Any

from programs.playground import payloads
from programs.playground.application_commands import CHAT_INPUT, MESSAGE, SUBCOMMAND_GROUP, USER
from programs.playground.components import every
from programs.playground.entities import BOT_ID, Channel, Json, Message
from programs.playground.errors import ApiError, invalid_form, unknown
from programs.playground.interactions import Modal
from programs.playground.snowflakes import read_id
from programs.playground.state import State

BUTTON, STRING_SELECT, TEXT_INPUT, LABEL = 2, 3, 4, 18
_LINK, _PREMIUM = 5, 6  # buttons that send the bot nothing
_PYTHON_TYPES: dict[int, tuple[type, ...]] = {3: (str,), 4: (int,), 5: (bool,), 10: (int, float)}
_NAMES = {3: "a string", 4: "an integer", 5: "a boolean", 10: "a number"}
Resolve = Callable[[int, Json], None]
MAX_SAFE_INTEGER = 2**53


class Invocations:
    """Turns what a person chose into the data of an interaction."""

    def __init__(self, state: State) -> None:
        self._state = state
        user, role, mentionable = self._resolve_user, self._resolve_role, self._resolve_mentionable
        channel, file = self._resolve_channel, self._resolve_attachment
        self._of_option: dict[int, Resolve] = {6: user, 7: channel, 8: role, 9: mentionable, 11: file}
        self._of_select: dict[int, Resolve] = {5: user, 6: role, 7: mentionable, 8: channel}

    def command(self, command: Json, options: list[Json], channel: Channel, target_id: int | None) -> Json:
        """A command as used. Raises 50035 for missing, unknown or ill-typed options, 10008 and 10013 for targets."""
        data: Json = {"id": command["id"], "name": command["name"], "type": command["type"]}
        if "guild_id" in command:
            data["guild_id"] = command["guild_id"]
        resolved: Json = {}
        if command["type"] == CHAT_INPUT:
            data["options"] = self._options(command.get("options", []), options, resolved)
        elif target_id is None:
            raise invalid_form((("target_id",), "BASE_TYPE_REQUIRED", "This field is required"))
        else:
            data["target_id"] = str(target_id)
            if command["type"] == USER:
                self._resolve_user(target_id, resolved)
            elif command["type"] == MESSAGE:
                message = self._state.message(channel, target_id, BOT_ID)
                resolved["messages"] = {str(target_id): self._state.message_payload(message, BOT_ID)}
        return data | ({"resolved": resolved} if resolved else {})

    def autocomplete(self, command: Json, options: list[Json], focused: str) -> Json:
        """A command as typed so far. Raises 50035 when no option that completes has the focus."""
        data: Json = {"id": command["id"], "name": command["name"], "type": command["type"]}
        data["options"], found = _typed(command.get("options", []), options, focused)
        if not found:
            raise invalid_form((("focused",), "BASE_TYPE_CHOICES", "This option does not complete."))
        return data

    def _options(self, declared: list[Json], given: list[Json], resolved: Json) -> list[Json]:
        known = {option["name"]: option for option in declared}
        used: list[Json] = []
        for option in given:
            name = str(option.get("name"))
            if name not in known:
                raise invalid_form((("options", name), "BASE_TYPE_CHOICES", "There is no such option."))
            used.append(self._option(known[name], option, resolved))
        names = {option["name"] for option in used}
        for name, option in known.items():
            if option.get("required") and name not in names:
                raise invalid_form((("options", name), "BASE_TYPE_REQUIRED", "This field is required"))
        return used

    def _option(self, declared: Json, given: Json, resolved: Json) -> Json:
        kind, name = declared["type"], declared["name"]
        if kind <= SUBCOMMAND_GROUP:
            inside = self._options(declared.get("options", []), given.get("options") or [], resolved)
            return {"name": name, "type": kind, "options": inside}
        value = given.get("value")
        if kind in _PYTHON_TYPES:
            _check_value(declared, value)
        else:
            value = self._resolve(kind, name, value, resolved)
        return {"name": name, "type": kind, "value": value}

    def _resolve(self, kind: int, name: str, value: Any, resolved: Json) -> str:
        """An option that is an id: its thing is put beside the data."""
        thing = read_id(value)
        if thing is None:
            raise invalid_form((("options", name), "NUMBER_TYPE_COERCE", "This must be the id of something."))
        self._of_option[kind](thing, resolved)
        return str(thing)

    def _resolve_user(self, user_id: int, resolved: Json) -> None:
        user = self._state.users.get(user_id)
        if user is None:
            raise unknown("User")
        resolved.setdefault("users", {})[str(user_id)] = payloads.user(user)
        if user_id in self._state.members:
            member = payloads.partial_member(self._state.members[user_id])
            member["permissions"] = str(int(self._state.permissions(user_id)))
            resolved.setdefault("members", {})[str(user_id)] = member

    def _resolve_role(self, role_id: int, resolved: Json) -> None:
        role = self._state.roles.get(role_id)
        if role is None:
            raise unknown("Role")
        resolved.setdefault("roles", {})[str(role_id)] = payloads.role(role)

    def _resolve_mentionable(self, thing: int, resolved: Json) -> None:
        """A role or a user, whichever has the id."""
        if thing in self._state.roles:
            self._resolve_role(thing, resolved)
        else:
            self._resolve_user(thing, resolved)

    def _resolve_channel(self, channel_id: int, resolved: Json) -> None:
        channel = self._state.channel(channel_id, BOT_ID)
        payload = self._state.channel_payload(channel, BOT_ID)
        payload["permissions"] = str(int(self._state.permissions(BOT_ID, channel)))
        resolved.setdefault("channels", {})[str(channel_id)] = payload

    def _resolve_attachment(self, attachment_id: int, resolved: Json) -> None:
        attachment = self._state.attachments.get(attachment_id)
        if attachment is None:
            raise invalid_form((("attachments",), "BASE_TYPE_CHOICES", "There is no such attachment."))
        payload = payloads.attachment(attachment, self._state.base_url) | {"ephemeral": True}
        resolved.setdefault("attachments", {})[str(attachment_id)] = payload

    def component(self, message: Message, custom_id: str, values: list[str] | None) -> Json:
        """A button pressed, or a select's choice. Raises 50035 for what the message does not offer."""
        for component in every(message.components):
            if component.get("custom_id") == custom_id:
                return self._used(component, values or [])
        raise invalid_form((("custom_id",), "BASE_TYPE_CHOICES", "The message has no such component."))

    def _used(self, component: Json, values: list[str]) -> Json:
        kind = component["type"]
        if component.get("disabled") or (kind == BUTTON and component["style"] in (_LINK, _PREMIUM)):
            raise ApiError(400, 50035, "This component cannot be used.")
        data: Json = {"component_type": kind, "custom_id": component["custom_id"], "id": component["id"]}
        if kind == BUTTON:
            return data
        _check_choice(component, values)
        resolved: Json = {}
        for value in values if kind != STRING_SELECT else ():
            self._of_select[kind](int(value), resolved)
        return data | {"values": values} | ({"resolved": resolved} if kind != STRING_SELECT else {})

    def modal(self, modal: Modal, values: dict[str, Any]) -> Json:
        """A modal filled in. Raises 50035 for a text too short or too long, or required and missing."""
        rows = [self._row(row, values) for row in modal.components if row["type"] in (1, LABEL)]
        return {"custom_id": modal.custom_id, "components": rows, "resolved": {}}

    def _row(self, row: Json, values: dict[str, Any]) -> Json:
        if row["type"] == LABEL:
            return {"type": LABEL, "id": row["id"], "component": _field(row["component"], values)}
        return {"type": 1, "id": row["id"], "components": [_field(one, values) for one in row["components"]]}


def _typed(declared: list[Json], given: list[Json], focused: str) -> tuple[list[Json], bool]:
    """The options as typed so far, also inside subcommands, and whether one that completes has the focus."""
    values = {option["name"]: option for option in given}
    typed: list[Json] = []
    found = False
    for option in declared:
        kind, name = option["type"], option["name"]
        if kind <= SUBCOMMAND_GROUP and name in values:
            inside, inner = _typed(option.get("options", []), values[name].get("options") or [], focused)
            typed.append({"name": name, "type": kind, "options": inside})
            found = found or inner
        elif name == focused and option.get("autocomplete"):
            typed.append({"name": name, "type": kind, "value": values.get(name, {}).get("value", ""), "focused": True})
            found = True
        elif kind > SUBCOMMAND_GROUP and name in values:
            typed.append({"name": name, "type": kind, "value": values[name].get("value", "")})
    return typed, found


def _check_value(declared: Json, value: Any) -> None:
    kind, place = declared["type"], ("options", declared["name"])
    right = isinstance(value, _PYTHON_TYPES[kind]) and (kind == 5 or not isinstance(value, bool))
    if not right or (kind == 4 and abs(value) > MAX_SAFE_INTEGER):
        raise invalid_form((place, "BASE_TYPE_BAD_VALUE", f"This must be {_NAMES[kind]}."))
    size = len(value) if kind == 3 else value
    low, high = ("min_length", "max_length") if kind == 3 else ("min_value", "max_value")
    if size < declared.get(low, size) or size > declared.get(high, size):
        raise invalid_form((place, "BASE_TYPE_BAD_LENGTH", "This is outside the bounds the command sets."))
    choices = [choice["value"] for choice in declared.get("choices", [])]
    if choices and value not in choices:
        raise invalid_form((place, "BASE_TYPE_CHOICES", "This is none of the choices."))


def _check_choice(select: Json, values: list[str]) -> None:
    least, most = select.get("min_values", 1), select.get("max_values", 1)
    offered = {option["value"] for option in select.get("options", ())}
    fitting = all(value in offered if offered else read_id(value) is not None for value in values)
    if not least <= len(values) <= most or len(set(values)) != len(values) or not fitting:
        raise invalid_form((("values",), "BASE_TYPE_CHOICES", f"Choose {least} to {most} of what is offered."))


def _field(component: Json, values: dict[str, Any]) -> Json:
    """One input of a modal, filled in."""
    name = component["custom_id"]
    data: Json = {"type": component["type"], "id": component["id"], "custom_id": name}
    given = values.get(name)
    if component["type"] != TEXT_INPUT:
        chosen = [str(value) for value in given] if isinstance(given, list) else []
        if chosen or component.get("required", True):
            _check_choice(component, chosen)
        return data | {"values": chosen}
    text = "" if given is None else str(given)
    least = component.get("min_length", 0) if text or component.get("required", True) else 0
    if component.get("required", True) and not text.strip():
        raise invalid_form((("values", name), "BASE_TYPE_REQUIRED", "This field is required"))
    if not least <= len(text) <= component.get("max_length", 4000):
        words = f"Must be between {least} and {component.get('max_length', 4000)} in length."
        raise invalid_form((("values", name), "BASE_TYPE_BAD_LENGTH", words))
    return data | {"value": text}
