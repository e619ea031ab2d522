"""The attempts of a turn: a new one that answers again, and the end of all when its texts are deleted."""

from collections.abc import Iterable

from llmgine.messages.deliveries import DeliveryKey
from llmgine.messages.steps import PromptStep
from llmgine.sessions.clock import now
from llmgine.sessions.database import Steps
from llmgine.sessions.operations.context_messages import carry_over
from llmgine.sessions.operations.result_files import forget_files
from llmgine.sessions.operations.rows import add_steps


def again(turn_id: str, old: int, prompts: Iterable[PromptStep], owner: str) -> Steps[None]:
    """Queue a turn as its next attempt, which uses its session; the runner of the `old` one can write nothing more."""
    messages = yield from standing(turn_id, old)
    yield (
        """
        UPDATE turn SET attempt = $2, claim = claim + 1, resumes = 0, state = 'queued', owner = $3 WHERE id = $1
        """,
        (turn_id, old + 1, owner),
    )
    yield from forget_files(turn_id)
    yield "UPDATE session SET updated_at = $2 WHERE id = (SELECT session_id FROM turn WHERE id = $1)", (turn_id, now())
    yield from carry_over(turn_id, old, old + 1)
    yield from add_steps(turn_id, old + 1, enumerate(prompts, 1))
    for message_id in messages:
        yield from leave(turn_id, old + 1, message_id)
    yield "UPDATE delivery SET sent = 1 WHERE turn_id = $1 AND attempt = $2", (turn_id, old)


def forget_earlier(turn_id: str, attempt: int) -> Steps[None]:
    """Delete the texts of the attempts before this one; where their messages are stays known."""
    yield "DELETE FROM step WHERE turn_id = $1 AND attempt < $2", (turn_id, attempt)
    yield "DELETE FROM decision WHERE turn_id = $1 AND attempt < $2", (turn_id, attempt)
    yield "UPDATE delivery SET body = '{}' WHERE turn_id = $1 AND attempt < $2", (turn_id, attempt)


def erase(turn_id: str) -> Steps[None]:
    """Delete a turn's texts; its runner can no longer write any."""
    yield "UPDATE turn SET state = 'forgotten', claim = claim + 1 WHERE id = $1", (turn_id,)
    yield "DELETE FROM step WHERE turn_id = $1", (turn_id,)
    yield "DELETE FROM decision WHERE turn_id = $1", (turn_id,)
    yield "DELETE FROM image WHERE turn_id = $1", (turn_id,)
    yield from forget_files(turn_id)
    yield "DELETE FROM context_message WHERE turn_id = $1", (turn_id,)
    yield "UPDATE delivery SET body = '{}' WHERE turn_id = $1", (turn_id,)


def erase_copies(turn_id: str) -> Steps[None]:
    """Delete the texts of a turn's copies in branches, and what these may be called by them."""
    for one in (yield from copies(turn_id)):
        yield from erase(one)
        yield from forget_title(one)


def forget_title(turn_id: str) -> Steps[None]:
    """Delete the title of a turn's session; its name too, where nothing from before the turn is left."""
    yield (
        """
        UPDATE session SET title = NULL, name = CASE WHEN EXISTS (
            SELECT 1 FROM turn AS earlier JOIN turn AS forgotten ON forgotten.id = $1
            WHERE earlier.session_id = session.id AND earlier.state <> 'forgotten' AND earlier.seq < forgotten.seq
        ) THEN name ELSE id END
        WHERE id = (SELECT session_id FROM turn WHERE id = $1)
        """,
        (turn_id,),
    )


def copies(turn_id: str) -> Steps[list[str]]:
    """The turns that are copies of a turn, and copies of these."""
    found = [turn_id]
    for original in found:
        found += [row["id"] for row in (yield "SELECT id FROM turn WHERE copied_from = $1", (original,))]
    return found[1:]


def standing(turn_id: str, attempt: int) -> Steps[list[str]]:
    """The messages of an attempt, from top to bottom, then those left over from earlier attempts."""
    rows = yield (
        """
        SELECT kind, round, part, message_id FROM delivery
        WHERE turn_id = $1 AND attempt = $2 AND COALESCE(message_id, '') <> ''
        """,
        (turn_id, attempt),
    )
    keys = {DeliveryKey(kind=row["kind"], round=row["round"], part=row["part"]): row["message_id"] for row in rows}
    return [keys[key] for key in sorted(keys, key=lambda key: key.place)]


def leave(turn_id: str, attempt: int, message_id: str) -> Steps[None]:
    """Add a message of an earlier attempt to this one, below those already added, unless it is there."""
    yield (
        """
        INSERT INTO delivery (turn_id, attempt, kind, round, part, body, message_id, final, sent)
        SELECT $1, $2, 'old', 0, COALESCE(MAX(part) + 1, 0), '{}', $3, 0, 0 FROM delivery
        WHERE turn_id = $1 AND attempt = $2 AND kind = 'old'
        HAVING NOT EXISTS (SELECT 1 FROM delivery WHERE turn_id = $1 AND attempt = $2 AND message_id = $3)
        """,
        (turn_id, attempt, message_id),
    )
