"""What happens to a turn when people edit or delete their messages."""

from collections.abc import Sequence

from llmgine.messages.commands import EditPromptCommand
from llmgine.messages.pointed_at import files_of
from llmgine.messages.steps import ContextStep, PromptStep
from llmgine.sessions.database import Group, Steps, announced
from llmgine.sessions.operations.attempts import again, erase_copies, forget_earlier
from llmgine.sessions.operations.context_messages import CONTEXT_STEP
from llmgine.sessions.operations.result_files import forget_files
from llmgine.sessions.operations.rows import turn_steps
from llmgine.sessions.operations.sessions import inherit
from llmgine.sessions.records import Revision, TurnSteps


class Prompts(Group):
    """The messages that turns answer."""

    @announced
    def edit(self, edit: EditPromptCommand) -> Steps[Revision]:
        """Edit a message; a turn that has begun is given up and begins again, run by this process."""
        turn = yield from _turn(edit.turn_id)
        old = _said(turn, edit.source_id)
        if turn is None or old is None or edit.version <= old.version:
            return Revision(what="no", session_id=edit.session_id)
        session_id = turn.turn.session_id
        kept = tuple(one for one in old.attachments if one.id in edit.attachment_ids)
        changes = {
            "text": edit.text,
            "mentions": edit.mentions,
            "attachments": kept,
            "version": edit.version,
            "redacted": edit.redacted,
        }
        new = old.model_copy(update=changes)
        prompts = [new if prompt is old else prompt for prompt in turn.state.prompts]
        if (old.text, old.attachments) == (new.text, new.attachments):
            yield from _rewrite(turn, prompts)
            return Revision(what="no", session_id=session_id)
        if session_id == edit.session_id:
            yield from inherit(session_id, edit.scopes)
        return (yield from _revise(turn, prompts, self._me))

    @announced
    def delete(self, session_id: str, turn_id: str, source_id: str) -> Steps[Revision]:
        """Take one of several messages out of a turn, which begins again without it if it has begun."""
        turn = yield from _turn(turn_id)
        if turn is None:
            yield from erase_copies(turn_id)  # it was cleared, and what others branched from it was not
            rows = yield "SELECT session_id FROM turn WHERE id = $1 AND state = 'forgotten'", (turn_id,)
            if rows:  # perhaps by this command, whose success nobody learnt of
                return Revision(what="whole", session_id=rows[0]["session_id"])
            return Revision(what="no", session_id=session_id)
        old = _said(turn, source_id)
        if old is None:
            return Revision(what="no", session_id=session_id)
        prompts = [prompt for prompt in turn.state.prompts if prompt is not old]
        if not prompts:
            return Revision(what="whole", session_id=turn.turn.session_id)
        return (yield from _revise(turn, prompts, self._me))


def _turn(turn_id: str) -> Steps[TurnSteps | None]:
    """The turn, unless its conversation was cleared or it was forgotten.

    Its session is looked up: since the command was made, a branch may have moved the turn to another one.
    """
    yield (
        "UPDATE session SET next_seq = next_seq WHERE id = (SELECT session_id FROM turn WHERE id = $1)",
        (turn_id,),
    )
    rows = yield (
        """
        SELECT turn.id FROM turn JOIN session ON session.id = turn.session_id
        WHERE turn.id = $1 AND state <> 'forgotten' AND seq > cleared_seq
        """,
        (turn_id,),
    )
    return (yield from turn_steps(turn_id)) if rows else None


def _said(turn: TurnSteps | None, source_id: str) -> PromptStep | None:
    """The text of this message. Turns from before messages were recorded have one each."""
    prompts = turn.state.prompts if turn else ()
    return next((prompt for prompt in prompts if prompt.source_id in {source_id, None}), None)


def _revise(turn: TurnSteps, prompts: Sequence[PromptStep], owner: str) -> Steps[Revision]:
    """Give the turn other prompts; no text of the earlier ones is kept, nor in branches."""
    yield from erase_copies(turn.turn.id)
    # One that is queued may have begun before, and lost the process that ran it.
    if turn.turn.state == "queued" and all(isinstance(step, PromptStep | ContextStep) for step in turn.steps):
        yield from _rewrite(turn, prompts)
        yield from keep_images(turn.turn.id, prompts)
        yield from forget_earlier(turn.turn.id, turn.turn.attempt)
        yield from forget_files(turn.turn.id)
        return Revision(what="replaced", session_id=turn.turn.session_id)
    # The next attempt has the same context; what its step says of it has no words.
    yield "DELETE FROM step WHERE turn_id = $1 AND seq <> $2", (turn.turn.id, CONTEXT_STEP)
    yield "DELETE FROM decision WHERE turn_id = $1", (turn.turn.id,)
    yield "UPDATE delivery SET body = '{}' WHERE turn_id = $1", (turn.turn.id,)
    yield from keep_images(turn.turn.id, prompts)
    yield from again(turn.turn.id, turn.turn.attempt, prompts, owner)
    return Revision(what="again", session_id=turn.turn.session_id)


def _rewrite(turn: TurnSteps, prompts: Sequence[PromptStep]) -> Steps[None]:
    """Write the prompts again in their places, the first of the attempt; superfluous ones are deleted."""
    for place, old in enumerate(turn.state.prompts, 1):
        where = (turn.turn.id, turn.turn.attempt, place)
        if place > len(prompts):
            yield "DELETE FROM step WHERE turn_id = $1 AND attempt = $2 AND seq = $3", where
        elif prompts[place - 1] != old:
            yield (
                "UPDATE step SET body = $4 WHERE turn_id = $1 AND attempt = $2 AND seq = $3",
                (*where, prompts[place - 1].model_dump_json()),
            )


def keep_images(turn_id: str, prompts: Sequence[PromptStep]) -> Steps[None]:
    """Delete the images of a turn that none of its prompts has any more."""
    kept = {one.image for prompt in prompts for one in files_of(prompt)}
    rows = yield "SELECT number FROM image WHERE turn_id = $1", (turn_id,)
    for row in rows:
        if row["number"] not in kept:
            yield "DELETE FROM image WHERE turn_id = $1 AND number = $2", (turn_id, row["number"])
