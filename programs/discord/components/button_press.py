"""One press: what was pressed, what came with it, and what it is about."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import discord

from llmgine.errors import UserError
from llmgine.messages.commands import AuditOrigin, Author
from llmgine.messages.translatable import Text, tr
from llmgine.sessions.records import Session, TurnSteps
from programs.discord.components.custom_ids import ComponentId
from programs.discord.components.registry import REGISTRY, Entry, Kind
from programs.discord.ids import Place
from programs.discord.translation import language_of


class OutdatedError(UserError):
    """Buttons no longer apply; the text says why. All that are about the turn go, but those that last."""


class DecidedError(OutdatedError):
    """The buttons of one tool call no longer apply; the text says why. Those of other calls stay."""


class UnknownComponentError(UserError):
    """A component of ours that this version does not know."""

    def __init__(self) -> None:
        super().__init__(tr("I don't know this button: it may be from another version of me."))


@dataclass(frozen=True)
class ButtonPress:
    """A press of a component of ours, or a form of ours that was sent.

    Attributes:
        interaction: Discord's event.
        id: What it does, and what about.
        values: What was chosen in a select.
        texts: What was written into a form, by the ids of its inputs.
        subject: What it is about, as the gates have found it.
    """

    interaction: discord.Interaction
    id: ComponentId
    values: Sequence[str] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    subject: TurnSteps | Session | None = None

    @classmethod
    def of(cls, interaction: discord.Interaction) -> "ButtonPress":
        """The press of an interaction.

        Raises:
            UnknownComponentError: This version does not know what it means.
        """
        data: Any = interaction.data or {}
        found = ComponentId.read(data.get("custom_id"))
        if found is None or (REGISTRY[found.action].kind is Kind.FORM) is not is_form(interaction):
            raise UnknownComponentError
        return cls(interaction, found, tuple(data.get("values", ())), _texts(data.get("components", ())))

    @property
    def entry(self) -> Entry:
        """Its entry in the registry."""
        return REGISTRY[self.id.action]

    @property
    def steps(self) -> TurnSteps:
        """The turn it is about. Raises TypeError where its entry has no gate that looks one up."""
        if not isinstance(self.subject, TurnSteps):
            raise TypeError(f"{self.id.action} is about no turn")
        return self.subject

    @property
    def session(self) -> Session:
        """The conversation it is about. Raises TypeError where its entry has no gate that looks one up."""
        if not isinstance(self.subject, Session):
            raise TypeError(f"{self.id.action} is about no conversation")
        return self.subject

    @property
    def who(self) -> Author:
        """The person who presses."""
        return author(self.interaction)

    def about(self, subject: TurnSteps | Session) -> "ButtonPress":
        """The same, with what it is about."""
        return replace(self, subject=subject)

    async def tell(self, text: Text | str, *, file: discord.File | None = None) -> None:
        """Tell the person alone, after the first answer, in their language."""
        no_pings = discord.AllowedMentions.none()
        attached = [] if file is None else [file]
        said = language_of(self.interaction.locale).say(text)
        await self.interaction.followup.send(said, files=attached, ephemeral=True, allowed_mentions=no_pings)


# Does what is pressed. The gates were checked, and Discord has its first answer unless that is to be a form.
Handler = Callable[[ButtonPress], Awaitable[None]]


def author(interaction: discord.Interaction) -> Author:
    """The person who uses a command or presses a button."""
    return Author(id=str(interaction.user.id), name=interaction.user.display_name)


def audit_origin(interaction: discord.Interaction) -> AuditOrigin:
    """Who uses something and where, for the audit log. Moderators see that of their own server."""
    place = Place.of(interaction.channel)
    own = place.session_id()
    return AuditOrigin(by=author(interaction), place=own, listed_under=place.server_scope or own)


def is_form(interaction: discord.Interaction) -> bool:
    """Whether a form was sent."""
    return interaction.type is discord.InteractionType.modal_submit


def _texts(components: Iterable[dict[str, Any]]) -> dict[str, str]:
    return {str(one["custom_id"]): str(one.get("value") or "") for one in _inputs(components) if "custom_id" in one}


def _inputs(components: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The components with all that is inside of them: rows have several, labels one."""
    for one in components:
        yield one
        yield from _inputs([*one.get("components", ()), *([one["component"]] if "component" in one else ())])
