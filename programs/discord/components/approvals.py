"""The buttons of tool calls that wait for somebody: Approve, Always, Deny, Deny with a reason, Ask again."""

from collections.abc import Mapping

from llmgine.bus import MessageBus
from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.commands import DecideToolCallCommand
from llmgine.messages.translatable import tr
from programs.discord.components.answers import follow_up
from programs.discord.components.button_press import (
    ButtonPress,
    DecidedError,
    Handler,
    OutdatedError,
    audit_origin,
)
from programs.discord.components.custom_ids import Action, of_turn
from programs.discord.components.views import Field, form

_REASON = Field("reason", tr("Reason"), 500, tr("Shown to the model"))


class ApprovalButtons:
    """What the buttons of a card do."""

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus

    def handlers(self) -> Mapping[Action, Handler]:
        """What is done, by action."""
        return {
            Action.APPROVE: self._decide,
            Action.ALWAYS: self._decide,
            Action.DENY: self._decide,
            Action.BECAUSE: self._decide,
            Action.REASON: self._ask_for_reason,
            Action.AGAIN: self._ask_again,
        }

    async def _decide(self, press: ButtonPress) -> None:
        turn, action = press.steps.turn, press.id.action
        command = DecideToolCallCommand(
            session_id=turn.session_id,
            turn_id=turn.id,
            call_id=_call(press).id,
            approved=action in {Action.APPROVE, Action.ALWAYS},
            decided_by=press.who,
            reason=press.texts.get(_REASON.name, "").strip()[: _REASON.most] or None,
            always=action is Action.ALWAYS,
            unless_paused=True,
            audit=audit_origin(press.interaction),
        )
        if not (await self._bus.execute(command)).unwrap():
            raise DecidedError(tr("This was already decided, or it expired."))

    async def _ask_for_reason(self, press: ButtonPress) -> None:
        target = press.id.target
        custom_id = of_turn(Action.BECAUSE, press.steps.turn, (target.round, target.part))
        await press.interaction.response.send_modal(
            form(press.interaction, custom_id, tr("Reason for denying"), _REASON)
        )

    async def _ask_again(self, press: ButtonPress) -> None:
        turn, target, call = press.steps.turn, press.id.target, _call(press)
        text = (
            f"Nobody decided on your call of {call.name} in time. Call it again, with these arguments: {call.arguments}"
        )
        source_id = f"again:{turn.id}:{turn.attempt}:{target.round}.{target.part}"
        admitted = (await self._bus.execute(follow_up(press, text, source_id))).unwrap()
        if admitted.duplicate:
            await press.tell(tr("This was already asked again."))


def _call(press: ButtonPress) -> ToolCall:
    target = press.id.target
    try:
        return press.steps.state.replies[target.round].tool_calls[target.part]
    except IndexError:
        raise OutdatedError(tr("This call is no longer there.")) from None
