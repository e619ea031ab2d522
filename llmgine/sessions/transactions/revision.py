"""What becomes of a turn when people change what they said, or take it back."""

from collections.abc import Sequence
from typing import Literal

from llmgine.messages.commands import EditPromptCommand
from llmgine.messages.steps import PromptStep
from llmgine.sessions.database import Transaction
from llmgine.sessions.records import TurnSteps
from llmgine.sessions.transactions.admission import again
from llmgine.sessions.transactions.images import keep_images
from llmgine.sessions.transactions.sessions import inherit
from llmgine.sessions.transactions.steps import turn_steps
from llmgine.sessions.transactions.turns import forget_copies

# "again": the turn runs from its beginning once more; "replaced": it had not begun. "whole": it is all that was said.
Revised = Literal["again", "replaced", "whole", "no"]


def edit_prompt(edit: EditPromptCommand, owner: str) -> Transaction[Revised]:
    """Put an edited message in the place of the old one; a turn that has begun is given up and begins again."""
    turn = yield from _turn(edit.session_id, edit.turn_id)
    old = _said(turn, edit.source_id)
    if turn is None or old is None or edit.version <= old.version:
        return "no"
    kept = tuple(one for one in old.attachments if one.id in edit.attachment_ids)
    new = old.model_copy(update={"text": edit.text, "attachments": kept, "version": edit.version})
    prompts = [new if prompt is old else prompt for prompt in turn.prompts]
    if (old.text, old.attachments) == (new.text, new.attachments):
        yield from _rewrite(turn, prompts)
        return "no"
    yield from inherit(edit.session_id, edit.scopes)
    return (yield from _revise(turn, prompts, owner))


def delete_prompt(session_id: str, turn_id: str, source_id: str, owner: str) -> Transaction[Revised]:
    """Take a message away from a turn with several; the turn begins again without it, if it has begun."""
    turn = yield from _turn(session_id, turn_id)
    if turn is None:
        yield from forget_copies(turn_id)  # it was cleared, and what others branched from it was not
        return "no"
    old = _said(turn, source_id)
    if old is None:
        return "no"
    prompts = [prompt for prompt in turn.prompts if prompt is not old]
    if not prompts:
        return "whole"
    return (yield from _revise(turn, prompts, owner))


def _turn(session_id: str, turn_id: str) -> Transaction[TurnSteps | None]:
    """The turn, unless its conversation was cleared or it was forgotten."""
    rows = yield (
        """
        SELECT id FROM turn
        WHERE id = $1 AND session_id = $2 AND state <> 'forgotten'
            AND seq > (SELECT cleared_seq FROM session WHERE id = $2)
        """,
        (turn_id, session_id),
    )
    return (yield from turn_steps(turn_id)) if rows else None


def _said(turn: TurnSteps | None, source_id: str) -> PromptStep | None:
    """What was said in this message. Turns that are older than the notes on their messages have one each."""
    prompts = turn.prompts if turn else ()
    return next((prompt for prompt in prompts if prompt.source_id in {source_id, None}), None)


def _revise(turn: TurnSteps, prompts: Sequence[PromptStep], owner: str) -> Transaction[Revised]:
    """Give the turn other prompts; no text of the earlier ones is kept, nor in branches."""
    yield from forget_copies(turn.turn.id)
    if turn.turn.state == "queued":
        yield from _rewrite(turn, prompts)
        yield from keep_images(turn.turn.id, prompts)
        return "replaced"
    yield "DELETE FROM step WHERE turn_id = $1", (turn.turn.id,)
    yield from keep_images(turn.turn.id, prompts)
    yield from again(turn.turn.id, turn.turn.attempt, prompts, owner)
    return "again"


def _rewrite(turn: TurnSteps, prompts: Sequence[PromptStep]) -> Transaction[None]:
    """Write the prompts anew in their places, the first of the attempt; those that are too many go."""
    for place, old in enumerate(turn.prompts, 1):
        where = (turn.turn.id, turn.turn.attempt, place)
        if place > len(prompts):
            yield "DELETE FROM step WHERE turn_id = $1 AND attempt = $2 AND seq = $3", where
        elif prompts[place - 1] != old:
            yield (
                "UPDATE step SET body = $4 WHERE turn_id = $1 AND attempt = $2 AND seq = $3",
                (*where, prompts[place - 1].model_dump_json()),
            )
