"""The buttons of an answer: Stop, Skip, Regenerate, Retry, Continue, Undo and Details."""

import io
from collections.abc import Mapping

import discord

from llmgine.bus import MessageBus
from llmgine.messages.commands import (
    ForgetTurnCommand,
    PromptCommand,
    RegenerateTurnCommand,
    StopTurnCommand,
)
from llmgine.messages.translatable import tr
from llmgine.sessions import SessionStore
from programs.discord.components.button_press import ButtonPress, Handler, OutdatedError, audit_origin
from programs.discord.components.custom_ids import Action
from programs.discord.components.details import details
from programs.discord.components.removal import take_outdated
from programs.discord.delivery.bodies import TextFile
from programs.discord.ids import SOURCE, Origin, Place, scopes_now
from programs.discord.translation import language_of

GO_ON = "Go on exactly where your last answer was cut off."


class AnswerButtons:
    """What the buttons of an answer do."""

    def __init__(self, bus: MessageBus, store: SessionStore) -> None:
        self._bus = bus
        self._store = store

    def handlers(self) -> Mapping[Action, Handler]:
        """What is done, by action."""
        return {
            Action.STOP: self._stop,
            Action.SKIP: self._stop,
            Action.REGENERATE: self._regenerate,
            Action.RETRY: self._regenerate,
            Action.CONTINUE: self._continue,
            Action.UNDO: self._undo,
            Action.DETAILS: self._details,
        }

    async def _stop(self, press: ButtonPress) -> None:
        turn = press.steps.turn
        stopped = (await self._bus.execute(StopTurnCommand(session_id=turn.session_id, turn_id=turn.id))).unwrap()
        if not stopped:
            raise OutdatedError(tr("This has already ended."))

    async def _regenerate(self, press: ButtonPress) -> None:
        await self._require_last(press)
        await take_outdated(press)
        turn, inside = press.steps.turn, scopes_now(press.interaction.channel)
        command = RegenerateTurnCommand(
            session_id=turn.session_id, turn_id=turn.id, attempt=turn.attempt, scopes=inside
        )
        (await self._bus.execute(command)).unwrap()

    async def _continue(self, press: ButtonPress) -> None:
        await self._require_last(press)
        turn = press.steps.turn
        (await self._bus.execute(follow_up(press, GO_ON, f"continue:{turn.id}:{turn.attempt}"))).unwrap()

    async def _undo(self, press: ButtonPress) -> None:
        await self._require_last(press)
        turn = press.steps.turn
        audit = audit_origin(press.interaction)
        (await self._bus.execute(ForgetTurnCommand(session_id=turn.session_id, turn_id=turn.id, audit=audit))).unwrap()
        await press.tell(tr("Done. I've forgotten that question and my answer."))

    async def _require_last(self, press: ButtonPress) -> None:
        """The turn is to be the last of its session.

        Raises:
            OutdatedError: It is not.
        """
        turn = press.steps.turn
        last = await self._store.turns.last(turn.session_id)
        if last is None or last.id != turn.id:
            raise OutdatedError(tr("There is something newer here, so this stays as it is."))

    async def _details(self, press: ButtonPress) -> None:
        text, file = details(press.steps, language_of(press.interaction.locale))
        await press.tell(text, file=_attached(file) if file else None)


def follow_up(press: ButtonPress, text: str, source_id: str) -> PromptCommand:
    """What a button says for the person who presses it; its answer replies to the message with the button."""
    interaction, turn = press.interaction, press.steps.turn
    origin, place = Origin.of(turn), Place.of(interaction.channel)
    asked = press.steps.state.prompt
    message_id = origin.reply_to if interaction.message is None else interaction.message.id
    return PromptCommand(
        session_id=turn.session_id,
        text=text,
        scopes=scopes_now(interaction.channel),
        source=SOURCE,
        source_id=source_id,
        author=press.who,
        roles=asked.roles if asked.author is not None and asked.author.id == press.who.id else (),
        origin=Origin.at(place, message_id, cards=origin.cards, language=origin.language).as_json(),
        place=str(place.channel_id),
        guild=place.guild_id,
        sent_at=interaction.created_at,
    )


def _attached(file: TextFile) -> discord.File:
    return discord.File(io.BytesIO(file.text.encode()), filename=file.name)
