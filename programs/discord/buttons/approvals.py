"""The buttons of tool calls that wait for somebody: Approve, Always, Deny, Deny with a reason, Ask again."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import discord

from llmgine.bus import MessageBus
from llmgine.errors import RefusedError
from llmgine.messages.chat import ToolCall
from llmgine.messages.commands import DecideToolCallCommand
from llmgine.sessions import SessionStore
from llmgine.sessions.records import TurnSteps
from programs.discord.buttons.answers import follow_up
from programs.discord.buttons.ids import Press, custom_id
from programs.discord.buttons.pressed import Action, OutdatedError, allowed_turn, tell, who
from programs.discord.channels import Channels

_REASON = "reason"  # the text input of the form
_MAX_REASON = 500  # characters


class ApprovalButtons:
    """What the buttons of a card do."""

    def __init__(self, bus: MessageBus, store: SessionStore) -> None:
        self._bus = bus
        self._store = store
        self._channels = Channels(store)

    def actions(self) -> Mapping[str, Action]:
        """The actions by name; `because` is the form that Deny with a reason opens."""
        return {
            "approve": self._decide,
            "always": self._decide,
            "deny": self._decide,
            "because": self._decide,
            "reason": self._ask_for_reason,
            "again": self._ask_again,
        }

    async def _decide(self, interaction: discord.Interaction, press: Press) -> None:
        await interaction.response.defer()
        steps = await allowed_turn(self._store, interaction, press)
        command = DecideToolCallCommand(
            session_id=steps.turn.session_id,
            turn_id=steps.turn.id,
            call_id=_call(steps, press).id,
            approved=press.action in {"approve", "always"},
            decided_by=who(interaction),
            reason=_written(interaction) if press.action == "because" else None,
            always=press.action == "always",
        )
        if not (await self._bus.execute(command)).unwrap():
            raise RefusedError("This was decided before, or its time ran out.")

    async def _ask_for_reason(self, interaction: discord.Interaction, press: Press) -> None:
        steps = await allowed_turn(self._store, interaction, press)
        form = discord.ui.Modal(title="Why not?", custom_id=custom_id("because", steps.turn, (press.round, press.part)))
        text: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
            custom_id=_REASON, style=discord.TextStyle.paragraph, max_length=_MAX_REASON
        )
        form.add_item(discord.ui.Label(text="The reason", description="The model is told.", component=text))
        form.stop()  # so that discord.py keeps nothing of it: what was written is heard as a press is
        await interaction.response.send_modal(form)

    async def _ask_again(self, interaction: discord.Interaction, press: Press) -> None:
        await interaction.response.defer()
        steps = await allowed_turn(self._store, interaction, press)
        call = _call(steps, press)
        text = (
            f"Nobody decided on your call of {call.name} in time. Call it again, with these arguments: {call.arguments}"
        )
        source_id = f"again:{steps.turn.id}:{steps.turn.attempt}:{press.round}.{press.part}"
        settings = await self._channels.settings(interaction.channel)
        admitted = (await self._bus.execute(follow_up(interaction, steps, settings, text, source_id))).unwrap()
        if admitted.duplicate:
            await tell(interaction, "This was asked again before.")


def _call(steps: TurnSteps, press: Press) -> ToolCall:
    try:
        return steps.state.replies[press.round].tool_calls[press.part]
    except IndexError:
        raise OutdatedError("This call is not there any more.") from None


def _written(interaction: discord.Interaction) -> str | None:
    """What was written into the form."""
    data: Any = interaction.data
    values = (one.get("value") for one in _inputs(data.get("components", ())) if one.get("custom_id") == _REASON)
    return str(next(values, None) or "").strip()[:_MAX_REASON] or None


def _inputs(components: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The components with all that is inside of them."""
    for one in components:
        yield one
        yield from _inputs([*one.get("components", ()), *([one["component"]] if "component" in one else ())])
