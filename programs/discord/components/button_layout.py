"""Which buttons a part of a turn carries."""

from collections.abc import Collection

from pydantic import JsonValue

from llmgine.messages.steps import ReplyStep
from llmgine.messages.translatable import Text, joined, tr
from llmgine.sessions.records import TurnSteps
from programs.discord.components.custom_ids import Action, action_of, button
from programs.discord.delivery.bodies import Body
from programs.discord.translation import language_of_turn

LASTING = frozenset({Action.DETAILS, Action.AGAIN})  # actions that apply for as long as the turn is remembered
_AT_ONCE = 2  # rows, of calls that carry buttons; the next ones get theirs when these are decided
_LAST_ROW = _AT_ONCE + 1


def buttons_of(body: Body) -> list[JsonValue]:
    """The buttons of a body."""
    buttons = body.get("buttons")
    return buttons if isinstance(buttons, list) else []


def with_buttons(body: Body, more: list[JsonValue]) -> Body:
    """The body with these buttons after its own, of which those that do the same go."""
    actions = {action_of(one) for one in more}
    return {**body, "buttons": [*(one for one in buttons_of(body) if action_of(one) not in actions), *more]}


def lasting(body: Body) -> list[JsonValue]:
    """The buttons that stay once there is something newer."""
    return [one for one in buttons_of(body) if action_of(one) in LASTING]


def asks(body: Body) -> bool:
    """Whether somebody has to press a button for the turn to go on."""
    return any(action_of(one) is Action.APPROVE for one in buttons_of(body))


def needing_file(one: JsonValue) -> JsonValue:
    """A button of a card with a file; those that approve are not there without it."""
    approves = action_of(one) in {Action.APPROVE, Action.ALWAYS}
    return {**one, "needs_file": True} if approves and isinstance(one, dict) else one


def of_running(steps: TurnSteps) -> list[JsonValue]:
    """Under the last part of a turn that has not ended."""
    buttons: list[JsonValue] = [_button(Action.STOP, tr("Stop"), steps, row=_AT_ONCE)]
    if steps.state.calls:
        buttons.append(_button(Action.DETAILS, tr("Details"), steps, row=_AT_ONCE))
    return buttons


def of_ended(steps: TurnSteps) -> list[JsonValue]:
    """Under the last part of a turn's outcome."""
    outcome, replies = steps.state.outcome, steps.state.replies
    failed = outcome is not None and outcome.state == "failed"
    buttons: list[JsonValue] = []
    if failed:
        buttons.append(_button(Action.RETRY, tr("Retry"), steps, style="primary", row=_LAST_ROW))
    else:
        buttons.append(_button(Action.REGENERATE, tr("Regenerate"), steps, row=_LAST_ROW))
    if outcome is not None and outcome.state == "done" and replies and replies[-1].finish == "length":
        buttons.append(_button(Action.CONTINUE, tr("Continue"), steps, style="primary", row=_LAST_ROW))
    buttons.append(_button(Action.UNDO, tr("Undo"), steps, row=_LAST_ROW))
    buttons.append(_button(Action.DETAILS, tr("Details"), steps, row=_LAST_ROW))
    return buttons


def of_card(steps: TurnSteps, reply: ReplyStep, waiting: list[int], expired: list[int]) -> list[JsonValue]:
    """Under a round's card: to decide on the calls that wait, and to ask again about those nobody decided."""
    numbered = len(waiting) > 1
    buttons = [
        one
        for row, part in enumerate(waiting[:_AT_ONCE])
        for one in _decisions(steps, reply, part, row=row, numbered=numbered)
    ]
    for part in expired[:_AT_ONCE]:
        label = tr("Ask again")
        if len(expired) > 1:
            label = tr("Ask again: {tool} {number}", tool=reply.tool_calls[part].name, number=part + 1)
        buttons.append(_button(Action.AGAIN, label, steps, place=(reply.round, part), row=_AT_ONCE))
    return buttons


def _decisions(steps: TurnSteps, reply: ReplyStep, part: int, *, row: int, numbered: bool) -> list[JsonValue]:
    call = reply.tool_calls[part]
    what = f" {call.name} {part + 1}" if numbered else ""
    place = (reply.round, part)
    waiting = steps.state.calls[call.id].waiting
    always = waiting is not None and waiting.allows_always and not steps.state.read_outside
    looks: Collection[tuple[Action, Text, str]] = (
        (Action.APPROVE, joined("", tr("Approve"), what), "success"),
        *(((Action.ALWAYS, joined("", tr("Always"), what), "secondary"),) if always else ()),
        (Action.DENY, joined("", tr("Deny"), what), "danger"),
        (Action.REASON, tr("Deny with a reason"), "secondary"),
    )
    return [_button(action, label, steps, place=place, style=style, row=row) for action, label, style in looks]


def _button(
    action: Action,
    label: Text,
    steps: TurnSteps,
    *,
    place: tuple[int, int] | None = None,
    style: str = "secondary",
    row: int | None = None,
) -> dict[str, JsonValue]:
    """A button in the language of a turn."""
    said = language_of_turn(steps.turn).say(label)
    return button(action, said, steps.turn, place=place, style=style, row=row)
