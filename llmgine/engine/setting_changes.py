"""The commands that change settings, within what the operator allows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from llmgine.bus import MessageBus
from llmgine.engine.auditing import entry
from llmgine.engine.model import Model
from llmgine.errors import UserError
from llmgine.messages.commands import ChangeSettingCommand, SetSystemPromptCommand
from llmgine.messages.events import SettingChangedEvent, SystemPromptChangedEvent
from llmgine.messages.text import shorten
from llmgine.messages.translatable import tr
from llmgine.observability.redaction import Redactor
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import now
from llmgine.sessions.limits import is_amount
from llmgine.sessions.records import AuditAction
from llmgine.sessions.scoped import fits_session
from llmgine.settings import Effort

MAX_SYSTEM_PROMPT = 4_000  # characters; what a Discord modal can hold
EFFORTS: tuple[str, ...] = get_args(Effort)  # from the least


@dataclass(frozen=True)
class Choices:
    """What people may choose of what costs money. What was chosen before stays as it is.

    Attributes:
        models: The names of models, beside that of the program's own.
        max_effort: The greatest reasoning effort; None for any.
    """

    models: tuple[str, ...] = ()
    max_effort: Effort | None = None

    def allows_model(self, name: str | None, own: str) -> bool:
        """Whether a model may be chosen, where the program's own is `own`."""
        return name is None or name == own or name in self.models

    def models_beside(self, own: str) -> tuple[str, ...]:
        """All models that may be chosen, the program's own first, if one is known yet."""
        return tuple(dict.fromkeys(name for name in (own, *self.models) if name))

    @property
    def efforts(self) -> tuple[str, ...]:
        """The efforts that may be chosen."""
        return EFFORTS if self.max_effort is None else EFFORTS[: EFFORTS.index(self.max_effort) + 1]

    def allows_effort(self, effort: str | None) -> bool:
        """Whether an effort may be chosen."""
        return effort is None or effort in self.efforts


class SettingChanges:
    """Answers the commands.

    Attributes:
        choices: What may be chosen.
    """

    def __init__(self, bus: MessageBus, store: SessionStore, model: Model, choices: Choices) -> None:
        self._bus = bus
        self._store = store
        self._model = model
        self.choices = choices

    def start(self, redact: Redactor) -> None:
        """Begin to answer commands; secrets that people wrote go no further."""
        self._bus.register_command_handler(SetSystemPromptCommand, redact.before(self._set_system_prompt))
        self._bus.register_command_handler(ChangeSettingCommand, redact.before(self._change))

    def models(self, listed: Sequence[str]) -> tuple[str, ...]:
        """The names to choose from: those that are allowed, and that the service lists where it lists any."""
        allowed = self.choices.models_beside(self._model.name)
        return tuple(name for name in allowed if not listed or name in listed or name == self._model.name)

    async def _set_system_prompt(self, command: SetSystemPromptCommand) -> None:
        prompt = command.system_prompt
        if prompt is not None and len(prompt) > MAX_SYSTEM_PROMPT:
            raise UserError(
                tr(
                    "A system prompt has at most {most} characters; this has {length}.",
                    most=MAX_SYSTEM_PROMPT,
                    length=len(prompt),
                )
            )
        action, about = _audited("system_prompt", prompt)
        audit = entry(action, about, place=command.session_id, origin=command.audit)
        await self._store.sessions.set_system_prompt(
            command.session_id, prompt, now(), command.session_name, audit=audit
        )
        await self._bus.publish(SystemPromptChangedEvent(session_id=command.session_id, system_prompt=prompt))

    async def _change(self, command: ChangeSettingCommand) -> str | None:
        value, name, by = command.value, command.name, command.changed_by
        if value is not None:
            self._require(name, value)
        action, about = _audited(name, value)
        audit = entry(action, about, place=command.scope, by=by, origin=command.audit)
        await self._store.settings.change(command.scope, name, value, by, now(), audit=audit)
        await self._bus.publish(SettingChangedEvent(scope=command.scope, name=name, value=value, changed_by=by))
        return value

    def _require(self, name: str, value: str) -> None:
        """Check a value, whoever chose it and wherever.

        Raises:
            UserError: It cannot be the setting's, or the operator does not allow it.
        """
        if len(value) > MAX_SYSTEM_PROMPT:
            raise UserError(
                tr(
                    "A setting has at most {most} characters; this has {length}.",
                    most=MAX_SYSTEM_PROMPT,
                    length=len(value),
                )
            )
        if not (fits_session(name, value) and is_amount(name, value)):
            raise UserError(
                tr("{value} isn't a possible value of {setting}.", value=repr(shorten(value, 100)), setting=name)
            )
        if name == "model" and not self.choices.allows_model(value, self._model.name):
            allowed = ", ".join(self.choices.models_beside(self._model.name)) or "-"
            raise UserError(
                tr(
                    "The operator doesn't allow the model {model} here. Allowed: {models}.",
                    model=repr(shorten(value, 100)),
                    models=shorten(allowed, 1_000),
                )
            )
        if name == "effort" and not self.choices.allows_effort(value):
            raise UserError(
                tr("The operator allows efforts up to {effort} (MAX_EFFORT).", effort=self.choices.max_effort or "")
            )


def _audited(name: str, value: str | None) -> tuple[AuditAction, str]:
    """The action and the words of a change in the audit log; of a prompt, which may say anything, only its length."""
    if value is None:
        return "removed", name
    return "set", f"{name}: {len(value)} characters" if name == "system_prompt" else f"{name}: {value}"
