"""How a prompt becomes steps of a turn, its own or that of the burst it belongs to."""

import json
from datetime import timedelta

from llmgine.messages.commands import Admitted, PromptCommand, Quote, QuotedImage
from llmgine.messages.local_time import in_words
from llmgine.messages.pointed_at import with_files
from llmgine.messages.steps import PromptStep
from llmgine.sessions.database import Steps
from llmgine.sessions.limits import TIMEZONE, timezone_scope
from llmgine.sessions.operations import context_messages
from llmgine.sessions.operations.rows import add_steps, listed_under, to_turn, turn_of, turn_steps, with_steps

_SECOND = timedelta(seconds=1) // timedelta(microseconds=1)


def known(prompt: PromptCommand, turn_id: str) -> Steps[Admitted]:
    """The turn of a message that was admitted before."""
    admitted = yield from turn_of(prompt.source, prompt.source_id)
    if admitted != turn_id:
        return Admitted(turn_id=admitted or "", place=0, duplicate=True)
    # Its own turn: this is run again because nobody knew whether it had been committed.
    rows = yield (
        """
        SELECT COUNT(*) AS ahead FROM open_turn AS other JOIN turn ON turn.session_id = other.session_id
        WHERE turn.id = $1 AND other.seq < turn.seq
        """,
        (turn_id,),
    )
    return Admitted(turn_id=turn_id, place=rows[0]["ahead"])


def next_place(prompt: PromptCommand, now: int) -> Steps[tuple[int, int, str | None]]:
    """Make the session if it does not exist.

    Returns:
        The number of its next turn, how many turns are open, and the time zone that the prompt's author set.
    """
    rows = yield (
        """
        INSERT INTO session (id, name, scopes, listed_under, cleared_seq, next_seq, updated_at)
        VALUES ($1, COALESCE($2, $1), COALESCE($3, '[]'), $5, 0, 2, $4)
        ON CONFLICT (id) DO UPDATE SET next_seq = session.next_seq + 1,
            name = COALESCE($2, session.name), scopes = COALESCE($3, session.scopes), updated_at = $4,
            listed_under = CASE WHEN $3 IS NULL THEN session.listed_under ELSE $5 END
        RETURNING next_seq - 1 AS seq, (SELECT COUNT(*) FROM open_turn WHERE session_id = session.id) AS waiting,
            (SELECT value FROM setting WHERE scope = $6 AND name = $7) AS timezone
        """,
        (
            prompt.session_id,
            prompt.session_name or None,
            json.dumps(prompt.scopes) if prompt.scopes else None,
            now,
            listed_under(prompt.session_id, prompt.scopes),
            timezone_scope(prompt.source, prompt.author),
            TIMEZONE,
        ),
    )
    return rows[0]["seq"], rows[0]["waiting"], rows[0]["timezone"]


def add_turn(prompt: PromptCommand, turn_id: str, seq: int, owner: str, now: int) -> Steps[None]:
    """Queue a turn for a prompt."""
    origin = json.dumps(prompt.origin)
    yield (
        """
        INSERT INTO turn
            (id, session_id, seq, attempt, claim, resumes, state, owner, source, origin, place, guild, posts,
             created_at)
        VALUES ($1, $2, $3, 1, 0, 0, 'queued', $4, $5, $6, $7, $8, 0, $9)
        """,
        (turn_id, prompt.session_id, seq, owner, prompt.source, origin, prompt.place, prompt.guild, now),
    )


def burst_of(prompt: PromptCommand, now: int) -> Steps[str | None]:
    """The turn that the prompt joins: the last of its session, if it is the same author's, recent, and not begun."""
    if prompt.burst <= 0 or prompt.author is None:
        return None
    rows = yield (
        """
        SELECT id FROM turn
        WHERE session_id = $1 AND seq = (SELECT MAX(seq) FROM turn WHERE session_id = $1 AND state <> 'forgotten')
            AND source = $2 AND state = 'queued' AND attempt = 1 AND claim = 0 AND created_at >= $3
            AND id NOT IN (SELECT turn_id FROM stop_request)
        """,
        (prompt.session_id, prompt.source, now - int(prompt.burst * _SECOND)),
    )
    if not rows:
        return None
    author = (yield from turn_steps(rows[0]["id"])).state.prompt.author
    return str(rows[0]["id"]) if author is not None and author.id == prompt.author.id else None


def join(prompt: PromptCommand, turn_id: str, now: int, timezone: str) -> Steps[None]:
    """Add a prompt to a turn that has not begun; the answer is posted in reply to the newest message."""
    yield (
        "UPDATE inbox SET turn_id = $3 WHERE source = $1 AND source_id = $2",
        (prompt.source, prompt.source_id, turn_id),
    )
    yield "UPDATE turn SET origin = $2 WHERE id = $1", (turn_id, json.dumps(prompt.origin))
    rows = yield "SELECT COALESCE(MAX(seq), 0) + 1 AS next FROM step WHERE turn_id = $1 AND attempt = 1", (turn_id,)
    yield from context_messages.erase_of(prompt, turn_id)
    yield from add_prompt(prompt, turn_id, rows[0]["next"], now, timezone)


def add_prompt(prompt: PromptCommand, turn_id: str, number: int, now: int, timezone: str) -> Steps[None]:
    """Add a prompt to a turn as the step of this number, with its images and what was written before it."""
    prompt = yield from _add_images(turn_id, prompt)
    thread = prompt.thread
    if thread is not None and thread.first is not None:
        thread = thread.model_copy(update={"first": (yield from _with_images(thread.first, prompt.source))})
    said = PromptStep(
        text=prompt.text,
        source_id=prompt.source_id,
        version=prompt.version,
        author=prompt.author,
        roles=prompt.roles,
        sent=None if prompt.sent_at is None else in_words(prompt.sent_at, timezone),
        mentions=prompt.mentions,
        quoted=(yield from _with_images(prompt.quoted, prompt.source)),
        thread=thread,
        material=prompt.material,
        attachments=prompt.attachments,
        redacted=prompt.redacted,
    )
    yield from add_steps(turn_id, 1, [*context_messages.step_of(prompt), (number, said)])
    yield from context_messages.add(prompt, turn_id, now)


def _with_images(quoted: Quote | None, source: str) -> Steps[Quote | None]:
    """The quote with the images that are stored of its message."""
    if quoted is None or quoted.source_id is None:
        return quoted
    rows = yield (
        "SELECT turn.* FROM inbox JOIN turn ON turn.id = inbox.turn_id WHERE inbox.source = $1 AND source_id = $2",
        (source, quoted.source_id),
    )
    images = tuple(
        QuotedImage(turn_id=turn.turn.id, number=one.image, name=one.name, media_type=one.media_type)
        for turn in (yield from with_steps([to_turn(row) for row in rows]))
        for prompt in turn.state.prompts
        if prompt.source_id == quoted.source_id
        for one in prompt.attachments
        if one.image is not None
    )
    return quoted.model_copy(update={"images": images})


def _add_images(turn_id: str, prompt: PromptCommand) -> Steps[PromptCommand]:
    """Store a prompt's images; returns it with the numbers these have in the turn."""
    if not prompt.images:
        return prompt
    rows = yield "SELECT COALESCE(MAX(number), -1) + 1 AS next FROM image WHERE turn_id = $1", (turn_id,)
    first = rows[0]["next"]
    for number, data in enumerate(prompt.images, first):
        yield "INSERT INTO image (turn_id, number, data) VALUES ($1, $2, $3)", (turn_id, number, data)
    return with_files(
        prompt, lambda one: one if one.image is None else one.model_copy(update={"image": first + one.image})
    )
