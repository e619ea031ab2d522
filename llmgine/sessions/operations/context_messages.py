"""What was written in channels before prompts: kept apart from the steps of turns, so that nothing copies it.

A turn's step only says that there is some. It is read for each request of the turn, and deleted by itself.
"""

from collections.abc import Mapping, Sequence

from llmgine.messages.commands import PromptCommand
from llmgine.messages.context_messages import ContextMessage
from llmgine.messages.steps import ContextStep
from llmgine.sessions.database import Group, Steps, listed, operation, query
from llmgine.sessions.operations.rows import AT_ONCE

CONTEXT_STEP = 0  # its number among the steps of a turn; prompts begin at 1

_PORTION = 1_000  # rows of whose turns they are deleted at once


class ContextMessages(Group):
    """The messages that were written before prompts."""

    @query
    def of(self, turn_id: str) -> Steps[list[ContextMessage]]:
        """Those of a turn, oldest first, without those that were deleted."""
        rows = yield "SELECT body FROM context_message WHERE turn_id = $1 ORDER BY number", (turn_id,)
        return [ContextMessage.model_validate_json(row["body"]) for row in rows]

    @query
    def left_out(self, source: str, session_id: str, written: Mapping[str, tuple[str, int]]) -> Steps[frozenset[str]]:
        """Which of some messages are not to be read as what was written before a prompt of a session.

        Those are its own prompts, prompts of other sessions that were forgotten, and what somebody who was forgotten
        wrote before that.

        Args:
            source: The front end.
            session_id: The session.
            written: By message, its author's id and when it was written, in microseconds since 1970.
        """
        if not written:
            return frozenset()
        ids, authors = list(written), sorted({author for author, _ in written.values()})
        asked = yield (
            f"""
            SELECT inbox.source_id FROM inbox JOIN turn ON turn.id = inbox.turn_id
            WHERE inbox.source = $1 AND inbox.source_id IN ({listed(ids, 3)})
                AND (turn.session_id = $2 OR turn.state = 'forgotten')
            """,
            (source, session_id, *ids),
        )
        forgotten = yield (
            f"SELECT person, forgotten_at FROM forgotten WHERE person IN ({listed(authors, 1)})",
            tuple(authors),
        )
        until = {row["person"]: row["forgotten_at"] for row in forgotten}
        theirs = {one for one, (author, at) in written.items() if at <= until.get(author, -1)}
        return frozenset({row["source_id"] for row in asked} | theirs)

    @query
    def lately(self, source: str, place: str, since: int) -> Steps[tuple[list[str], list[str]]]:
        """The messages of a place that are known since a time: those that were admitted and not forgotten; and others.

        The others were read as what was before these.
        """
        where = "turn.source = $1 AND turn.place = $2 AND turn.created_at >= $3"
        admitted = yield (
            f"""
            SELECT inbox.source_id FROM turn JOIN inbox ON inbox.turn_id = turn.id
            WHERE {where} AND turn.state <> 'forgotten'
            """,
            (source, place, since),
        )
        read = yield (
            f"SELECT message_id FROM turn JOIN context_message ON turn_id = turn.id WHERE {where}",
            (source, place, since),
        )
        return [row["source_id"] for row in admitted], [row["message_id"] for row in read]

    @query
    def stored(self, source: str, message_ids: Sequence[str]) -> Steps[list[tuple[str, str]]]:
        """Where these messages of a front end are stored: the ids of the turns, each with that of the message."""
        found: list[tuple[str, str]] = []
        for begin in range(0, len(message_ids), AT_ONCE):
            some = message_ids[begin : begin + AT_ONCE]
            rows = yield (
                f"""
                SELECT turn_id, message_id FROM context_message JOIN turn ON turn.id = turn_id
                WHERE message_id IN ({listed(some, 2)}) AND source = $1
                """,
                (source, *some),
            )
            found += [(row["turn_id"], row["message_id"]) for row in rows]
        return found

    @operation
    def erase(self, stored: Sequence[tuple[str, str]]) -> Steps[None]:
        """Delete messages, each by the id of its turn and its own."""
        for one in stored:
            yield "DELETE FROM context_message WHERE turn_id = $1 AND message_id = $2", one

    @operation
    def erase_place(self, source: str, place: str, since: int) -> Steps[None]:
        """Delete what was read in a place that is gone, and in those in it; older than `since` there is none."""
        inside = yield "SELECT place FROM cursor_of_place WHERE source = $1 AND parent = $2", (source, place)
        for one in (place, *(row["place"] for row in inside)):
            yield (
                """
                DELETE FROM context_message
                WHERE turn_id IN (SELECT id FROM turn WHERE source = $1 AND place = $2 AND created_at >= $3)
                """,
                (source, one, since),
            )

    @operation
    def erase_older(self, before: int) -> Steps[bool]:
        """Delete a portion of what was read before a time; whether there may be more."""
        rows = yield (
            "SELECT turn_id FROM context_message WHERE read_at < $1 ORDER BY read_at LIMIT $2",
            (before, _PORTION),
        )
        for turn_id in sorted({row["turn_id"] for row in rows}):
            yield "DELETE FROM context_message WHERE turn_id = $1 AND read_at < $2", (turn_id, before)
        return bool(rows)


def step_of(prompt: PromptCommand) -> list[tuple[int, ContextStep]]:
    """The step, with its number, that says what was written before a prompt; none where nothing was read."""
    if not prompt.context:
        return []
    asker = None if prompt.author is None else prompt.author.id
    outside = any(one.mentions or (one.author.id, one.author.kind) != (asker, "person") for one in prompt.context)
    return [(CONTEXT_STEP, ContextStep(outside=outside))]


def add(prompt: PromptCommand, turn_id: str, now: int) -> Steps[None]:
    """Store what was written before a prompt; its turn has no others of these."""
    if not prompt.context:
        return
    rows = [
        (turn_id, one.source_id, number, one.model_dump_json(), now) for number, one in enumerate(prompt.context, 1)
    ]
    places = ", ".join(f"({listed(row, 1 + place * len(row))})" for place, row in enumerate(rows))
    yield (
        f"INSERT INTO context_message (turn_id, message_id, number, body, read_at) VALUES {places}",
        tuple(value for row in rows for value in row),
    )


def erase_of(prompt: PromptCommand, turn_id: str) -> Steps[None]:
    """Make room for what was written before one more prompt of a turn: nearly all of it was before the others too."""
    if prompt.context:
        yield "DELETE FROM context_message WHERE turn_id = $1", (turn_id,)
        yield "DELETE FROM step WHERE turn_id = $1 AND attempt = 1 AND seq = $2", (turn_id, CONTEXT_STEP)


def carry_over(turn_id: str, old: int, new: int) -> Steps[None]:
    """Let a new attempt have the context of the one before it."""
    yield (
        """
        INSERT INTO step (turn_id, attempt, seq, body)
        SELECT turn_id, $3, seq, body FROM step WHERE turn_id = $1 AND attempt = $2 AND seq = $4
        """,
        (turn_id, old, new, CONTEXT_STEP),
    )
