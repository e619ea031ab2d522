"""Application commands: what a bot registers, Discord's limits on it, and who sees which."""

import re
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from programs.playground.entities import BOT_ID, Channel, ChannelType, Json
from programs.playground.errors import ApiError, invalid_form, unknown
from programs.playground.forms import Form
from programs.playground.state import State

CHAT_INPUT, USER, MESSAGE = 1, 2, 3
SUBCOMMAND, SUBCOMMAND_GROUP = 1, 2
MAX_OF_TYPE = {CHAT_INPUT: 100, USER: 15, MESSAGE: 15}
MAX_CHARACTERS = 8000
MAX_CREATED_A_DAY = 200
_DAY = 86_400.0
_CHAT_NAME = re.compile(r"[-_'\w]{1,32}")
_ChatName = Annotated[str, StringConstraints(pattern=r"^[-_'\w]{1,32}$")]


class Choice(Form):
    """A value that an option of a command offers."""

    name: str = Field(min_length=1, max_length=100)
    value: Annotated[str, Field(max_length=6000)] | int | float
    name_localizations: dict[str, str] | None = None


class OptionForm(Form):
    """An option of a command, or a subcommand with options of its own."""

    type: int = Field(ge=1, le=11)
    name: _ChatName
    description: str = Field(min_length=1, max_length=100)
    required: bool = False
    autocomplete: bool = False
    choices: list[Choice] | None = Field(None, max_length=25)
    options: "list[OptionForm] | None" = Field(None, max_length=25)
    channel_types: list[int] | None = None
    min_value: float | None = None
    max_value: float | None = None
    min_length: int | None = Field(None, ge=0, le=6000)
    max_length: int | None = Field(None, ge=1, le=6000)
    name_localizations: dict[str, str] | None = None
    description_localizations: dict[str, str] | None = None


class CommandForm(Form):
    """A command as a bot registers it."""

    name: str = Field(min_length=1, max_length=32)
    type: Literal[1, 2, 3] = 1
    description: str = Field("", max_length=100)
    options: list[OptionForm] | None = Field(None, max_length=25)
    default_member_permissions: str | int | None = None
    dm_permission: bool | None = None
    contexts: list[Literal[0, 1, 2]] | None = None
    integration_types: list[Literal[0, 1]] | None = None
    nsfw: bool = False
    name_localizations: dict[str, str] | None = None
    description_localizations: dict[str, str] | None = None


class CommandChanges(CommandForm):
    """What a bot changes of a command; what is left out stays."""

    name: str = Field("", max_length=32)


class Commands:
    """The registry. `scope` is a guild's id, or None for the global commands."""

    def __init__(self, state: State, clock: Callable[[], float] = time.monotonic) -> None:
        self._state = state
        self._clock = clock
        self._created: deque[float] = deque()

    def all(self, scope: int | None) -> list[Json]:
        """The commands of a guild, or the global ones (None)."""
        wanted = None if scope is None else str(scope)
        return [command for command in self._state.commands.values() if command.get("guild_id") == wanted]

    def get(self, scope: int | None, command_id: int) -> Json:
        """A command of a guild, or a global one. Raises 10063 where there is none."""
        for command in self.all(scope):
            if command["id"] == str(command_id):
                return command
        raise unknown("Application Command")

    def visible_in(self, channel: Channel | None) -> list[Json]:
        """The commands a person may use in a channel; None asks for the guild."""
        in_dm = channel is not None and channel.type is ChannelType.DM
        return [command for command in self._state.commands.values() if _fits(command, in_dm=in_dm)]

    def put(self, scope: int | None, form: CommandForm) -> tuple[Json, bool]:
        """Create a command, or replace the one of its name and type. The second value says whether it is new."""
        same = self._same(scope, form)
        kept = [command for command in self.all(scope) if command is not same]
        _check_counts([form.type, *(command["type"] for command in kept)])
        command = self._build(scope, form, same)
        self._state.commands[int(command["id"])] = command
        self._tell()
        return command, same is None

    def overwrite(self, scope: int | None, forms: list[CommandForm]) -> list[Json]:
        """Replace all commands of the scope; those of a known name and type keep their id."""
        _check_counts([form.type for form in forms])
        names = Counter((form.type, form.name) for form in forms)
        for at, form in enumerate(forms):
            if names[form.type, form.name] > 1:
                words = "Application command names must be unique"
                raise invalid_form(((at,), "APPLICATION_COMMANDS_DUPLICATE_NAME", words))
        built = [self._build(scope, form, self._same(scope, form), at) for at, form in enumerate(forms)]
        for command in self.all(scope):
            del self._state.commands[int(command["id"])]
        self._state.commands.update({int(command["id"]): command for command in built})
        self._tell()
        return built

    def change(self, scope: int | None, command_id: int, changes: CommandChanges) -> Json:
        """Change a command and return it. Raises 10063 where there is none, 50035 for what does not fit."""
        old = self.get(scope, command_id)
        sent = {name: value for name, value in old.items() if name in CommandForm.model_fields}
        form = CommandForm.model_validate(sent | changes.model_dump(exclude_unset=True))
        command = self._build(scope, form, old)
        self._state.commands[command_id] = command
        self._tell()
        return command

    def delete(self, scope: int | None, command_id: int) -> None:
        """Delete a command. Raises 10063 where there is none."""
        self.get(scope, command_id)
        del self._state.commands[command_id]
        self._tell()

    def _same(self, scope: int | None, form: CommandForm) -> Json | None:
        found = (one for one in self.all(scope) if (one["type"], one["name"]) == (form.type, form.name))
        return next(found, None)

    def _build(self, scope: int | None, form: CommandForm, old: Json | None, at: int | None = None) -> Json:
        _check(form, () if at is None else (at,))
        if old is None:
            self._count_creation()
        command: Json = {
            "id": old["id"] if old else str(self._state.ids.next()),
            "application_id": str(BOT_ID),
            "version": str(self._state.ids.next()),
            **form.model_dump(exclude_none=True, exclude={"options", "default_member_permissions"}),
            "default_member_permissions": _digits(form.default_member_permissions),
        }
        if form.options is not None:
            command["options"] = [
                option.model_dump(exclude_none=True, exclude_defaults=True) for option in form.options
            ]
        return command if scope is None else command | {"guild_id": str(scope)}

    def _count_creation(self) -> None:
        now = self._clock()
        while self._created and now - self._created[0] > _DAY:
            self._created.popleft()
        if len(self._created) >= MAX_CREATED_A_DAY:
            words = f"Max number of daily application command creates has been reached ({MAX_CREATED_A_DAY})"
            raise ApiError(429, 30034, words, retry_after=self._created[0] + _DAY - now)
        self._created.append(now)

    def _tell(self) -> None:
        self._state.tell_people("COMMANDS_UPDATE", {"commands": self.visible_in(None)})


def _digits(permissions: str | int | None) -> str | None:
    return None if permissions is None else str(permissions)


def _fits(command: Json, *, in_dm: bool) -> bool:
    contexts = command.get("contexts")
    if contexts is not None:
        return (1 if in_dm else 0) in contexts
    return not in_dm or ("guild_id" not in command and command.get("dm_permission") is not False)


def _check_counts(types: list[int]) -> None:
    for kind, count in Counter(types).items():
        if count > MAX_OF_TYPE[kind]:
            words = f"Maximum number of application commands reached ({MAX_OF_TYPE[kind]})."
            raise ApiError(400, 30032, words)


def _check(form: CommandForm, place: tuple[int, ...]) -> None:
    """The rules that tie fields together. Raises 50035."""
    chat = form.type == CHAT_INPUT
    if chat and (form.name != form.name.lower() or not _CHAT_NAME.fullmatch(form.name)):
        raise invalid_form(((*place, "name"), "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid"))
    if chat and not form.description:
        raise invalid_form(((*place, "description"), "BASE_TYPE_REQUIRED", "This field is required"))
    if not chat and (form.description or form.options):
        words = "Context menu commands cannot have description or options"
        raise invalid_form(((*place, "description"), "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION", words))
    if _characters(form) > MAX_CHARACTERS:
        words = f"Command exceeds maximum size ({MAX_CHARACTERS})"
        raise invalid_form((place or ("name",), "APPLICATION_COMMAND_TOO_LARGE", words))
    required = [option.required for option in form.options or [] if option.type > SUBCOMMAND_GROUP]
    if required != sorted(required, reverse=True):
        words = "Required options must be placed before non-required options"
        raise invalid_form(((*place, "options"), "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", words))


def _characters(form: CommandForm | OptionForm) -> int:
    """What counts towards the size of a command: names, descriptions and choices, all the way down."""
    own = len(form.name) + len(form.description)
    choices: list[Any] = getattr(form, "choices", None) or []
    own += sum(len(choice.name) + len(str(choice.value)) for choice in choices)
    return own + sum(_characters(option) for option in form.options or [])
