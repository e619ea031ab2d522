"""People who asked to be forgotten: what is stored of one is found and erased in portions, so that others wait little.

Turns do not say whose they are, nor whom they mention: that is in their steps. So all of them are looked through, in
the order of their ids.
"""

import json
from collections.abc import Iterable, Sequence

from pydantic import JsonValue

from llmgine.messages.steps import STEP, PromptStep, Turn
from llmgine.messages.without_person import Person, without_denial, without_quotes_of_bot
from llmgine.sessions.database import Group, Row, Steps, announced, listed, listing, operation, query
from llmgine.sessions.operations.attempts import erase, forget_title
from llmgine.sessions.operations.prompts import keep_images
from llmgine.sessions.operations.rows import lock, to_turn
from llmgine.sessions.personal_data import Data, elsewhere, of_turns
from llmgine.sessions.records import AnsweredAt, ErasedTurns, Forgotten, OwnSessions, TheirTurn, TurnsWith
from llmgine.sessions.scoped import is_server

_PORTION = 500  # turns that are looked through at once
_MOST_ROWS = 1_000  # of each kind that are exported
_AT_A_PLACE = 100  # turns whose quotes are erased at once


class People(Group):
    """Who was forgotten, and what is stored of a person."""

    @announced
    def begin(self, person: str, now: int) -> Steps[None]:
        """Note that a person is to be forgotten with all that was stored until now; it is done with `finish`."""
        yield (
            """
            INSERT INTO forgotten (person, forgotten_at, finished) VALUES ($1, $2, 0)
            ON CONFLICT (person) DO UPDATE SET finished = 0, forgotten_at =
                CASE WHEN forgotten.forgotten_at < $2 THEN $2 ELSE forgotten.forgotten_at END
            """,
            (person, now),
        )

    @operation
    def finish(self, person: str, forgotten_at: int, now: int) -> Steps[None]:
        """Note that nothing from before that time is left of a person, unless it was asked for again meanwhile."""
        yield (
            "UPDATE forgotten SET finished = $3 WHERE person = $1 AND forgotten_at = $2",
            (person, forgotten_at, now),
        )

    @query
    def forgotten(self) -> Steps[list[Forgotten]]:
        """Everybody who was ever forgotten, and who is being."""
        return [Forgotten.model_validate(dict(row)) for row in (yield "SELECT * FROM forgotten ORDER BY person", ())]

    @query
    def unfinished(self) -> Steps[list[Forgotten]]:
        """Who is being forgotten."""
        rows = yield "SELECT * FROM forgotten WHERE finished = 0 ORDER BY person", ()
        return [Forgotten.model_validate(dict(row)) for row in rows]

    @listing
    def turns_with(self, person: str, until: int, after: str) -> Steps[TurnsWith]:
        """The turns in which a person's id occurs, among the next few after an id; those admitted until a time."""
        rows = yield "SELECT id, created_at FROM turn WHERE id > $1 ORDER BY id LIMIT $2", (after, _PORTION)
        if not rows:
            return TurnsWith(turns=(), end=None)
        end = rows[-1]["id"]
        found: set[str] = set()
        for table, columns in of_turns(Data.TEXT):
            has = " OR ".join(f"{column} LIKE $3" for column in columns)
            having = yield (
                f"SELECT DISTINCT turn_id FROM {table} WHERE turn_id > $1 AND turn_id <= $2 AND ({has})",
                (after, end, f"%{person}%"),
            )
            found |= {row["turn_id"] for row in having}
        among = (row["id"] for row in rows if row["created_at"] <= until)
        return TurnsWith(turns=tuple(one for one in among if one in found), end=end)

    @query
    def theirs(self, person: str, turn_ids: Sequence[str]) -> Steps[list[TheirTurn]]:
        """Which of these turns answer the person."""
        if not turn_ids:
            return []
        steps = yield f"SELECT turn_id, body FROM step WHERE turn_id IN ({listed(turn_ids)})", turn_ids
        files = _asked(steps, Person(person))
        rows = yield f"SELECT * FROM turn WHERE id IN ({listed(turn_ids)}) ORDER BY id", turn_ids
        found: list[TheirTurn] = []
        for turn in (to_turn(row) for row in rows if row["id"] in files):
            session = yield "SELECT listed_under FROM session WHERE id = $1", (turn.session_id,)
            in_server = turn.guild is not None or is_server(session[0]["listed_under"])  # old turns have no guild
            found.append(TheirTurn(turn=turn, files=len(files[turn.id]), in_server=in_server))
        return found

    @announced
    def erase_dms(self, person: str, session_ids: Sequence[str]) -> Steps[None]:
        """Erase the settings and names of these conversations: DMs, in which nobody speaks but the person.

        Also those where the person only made settings: such a place is known to be a DM, or is listed by itself.
        """
        made = yield (
            """
            SELECT DISTINCT scope FROM setting WHERE changed_by = $1 AND (
                EXISTS (SELECT 1 FROM audit WHERE person = $1 AND place = scope AND listed_under = scope)
                OR EXISTS (SELECT 1 FROM cursor_of_place WHERE kind = 'dm' AND source || ':' || place = scope)
            )
            """,
            (person,),
        )
        for session_id in sorted({*session_ids, *(row["scope"] for row in made)}):
            yield from lock(session_id)
            yield "DELETE FROM setting WHERE scope = $1", (session_id,)
            yield "UPDATE session SET title = NULL, name = id WHERE id = $1", (session_id,)

    @announced
    def forget_title(self, turn: Turn) -> Steps[None]:
        """Delete the title of a forgotten turn's session; its name too, where nothing from before the turn is left."""
        yield from forget_title(turn.id)

    @announced
    def erase(self, person: str, turn_ids: Sequence[str]) -> Steps[ErasedTurns]:
        """Erase a person from these turns: their own with all that was answered, others' without the person.

        What was posted for their own is not taken away, see `Turns.forget` for that.
        """
        found, who = ErasedTurns(), Person(person)
        for turn_id in turn_ids:
            rows = yield "SELECT * FROM turn WHERE id = $1", (turn_id,)
            if not rows:
                continue
            turn = to_turn(rows[0])
            yield from lock(turn.session_id)
            steps = yield "SELECT turn_id, body FROM step WHERE turn_id = $1", (turn_id,)
            theirs = _asked(steps, who)
            if turn_id in theirs:
                found += ErasedTurns(turns=1, files=len(theirs[turn_id]))
                yield from _erase(turn)
            else:
                found += ErasedTurns(mentions=(yield from _take_out(turn_id, who)))
        return found

    @announced
    def unquote(self, answered: AnsweredAt, until: int, after: tuple[int, str]) -> Steps[tuple[int, str] | None]:
        """Erase what prompts at a place quote of the bot: it may be what it answered to a person that is forgotten.

        Args:
            answered: The place, and since when the person was answered there.
            until: The time until which prompts are looked at.
            after: Where the portion before ended; (0, "") at first.

        Returns:
            Where this portion ended; None at the end of all.
        """
        rows = yield (
            """
            SELECT id, created_at FROM turn
            WHERE source = $1 AND place = $2 AND created_at >= $3 AND created_at <= $4 AND (created_at, id) > ($5, $6)
            ORDER BY created_at, id LIMIT $7
            """,
            (answered.source, answered.place, answered.since, until, *after, _AT_A_PLACE),
        )
        if not rows:
            return None
        ids = [row["id"] for row in rows]
        quoting = yield (
            f"""
            SELECT turn_id, attempt, seq, body FROM step
            WHERE turn_id IN ({listed(ids)})
                AND (body LIKE '%"quoted":{{"author":null%' OR body LIKE '%"first":{{"author":null%'
                    OR body LIKE '%"kind":"forwarded","author":null%')
            """,
            ids,
        )
        for row in quoting:
            step = json.loads(row["body"])
            if step["kind"] == "prompt":
                new = _as_json(without_quotes_of_bot(step))
                yield (
                    "UPDATE step SET body = $4 WHERE turn_id = $1 AND attempt = $2 AND seq = $3",
                    (row["turn_id"], row["attempt"], row["seq"], new),
                )
                yield from _drop_images(row["turn_id"])
                yield from _revised(row["turn_id"])
        return rows[-1]["created_at"], rows[-1]["id"]

    @listing
    def elsewhere(self, person: str) -> Steps[list[dict[str, JsonValue]]]:
        """What belongs to no turn and has a person in it, such as settings: the rows, each with the name of its table.

        These are the rows that `erase_elsewhere` deletes or changes, and what the person used.
        """
        Person(person)  # no pattern of SQL
        ends = f"%:{person}"
        patterns = {Data.NAMES: ends, Data.USE: ends, Data.PERSON: person, Data.MENTIONS: f"%{person}%"}
        found: list[dict[str, JsonValue]] = []
        for kind, pattern in patterns.items():
            for table, column in elsewhere(kind):
                rows = yield f"SELECT * FROM {table} WHERE {column} LIKE $1 LIMIT $2", (pattern, _MOST_ROWS)
                found += [{"table": table, **row} for row in rows]
        return [row for number, row in enumerate(found) if row not in found[:number]]

    @announced
    def erase_elsewhere(self, person: str) -> Steps[int]:
        """Erase a person from what belongs to no turn, such as settings; how many rows were deleted or changed."""
        Person(person)  # no pattern of SQL
        changed = 0
        for table, column in elsewhere(Data.NAMES):
            gone = yield f"DELETE FROM {table} WHERE {column} LIKE $1 RETURNING {column}", (f"%:{person}",)
            changed += len(gone)
        for table, column in elsewhere(Data.PERSON):
            rows = yield f"UPDATE {table} SET {column} = '' WHERE {column} = $1 RETURNING {column}", (person,)
            changed += len(rows)
        for table, column in elsewhere(Data.MENTIONS):
            rows = yield (
                f"UPDATE {table} SET {column} = REPLACE({column}, $1, '0') WHERE {column} LIKE $2 RETURNING {column}",
                (person, f"%{person}%"),
            )
            changed += len(rows)
        return changed

    @listing
    def own_sessions(self, person: str, after: str) -> Steps[OwnSessions]:
        """The sessions that are named by a person and have only forgotten turns, among the next few after an id."""
        rows = yield "SELECT id FROM session WHERE id > $1 ORDER BY id LIMIT $2", (after, _PORTION)
        own = [row["id"] for row in rows if Person(person).is_in(row["id"])]
        ready: list[str] = []
        waiting = 0
        for session_id in own:
            turns = yield (
                """
                SELECT CASE WHEN state <> 'forgotten' THEN 2 ELSE 1 END AS left_over FROM turn
                WHERE session_id = $1 AND (
                    state <> 'forgotten' OR EXISTS (SELECT 1 FROM delivery WHERE turn_id = turn.id AND sent = 0)
                ) ORDER BY left_over DESC LIMIT 1
                """,
                (session_id,),
            )
            waiting += bool(turns) and turns[0]["left_over"] == 1
            ready += [] if turns else [session_id]
        return OwnSessions(ready=tuple(ready), waiting=waiting, end=rows[-1]["id"] if rows else None)


def _asked(steps: Iterable[Row], person: Person) -> dict[str, set[str]]:
    """The turns that have a prompt of the person, in any attempt, with the files that came with these."""
    found: dict[str, set[str]] = {}
    for row in steps:
        if person.id in row["body"]:
            step = json.loads(row["body"])
            if step["kind"] == "prompt" and person.is_author(step):
                found.setdefault(row["turn_id"], set()).update(map(json.dumps, step.get("attachments", ())))
    return found


def _erase(turn: Turn) -> Steps[None]:
    """Delete a turn's texts, and what its session may be called by them."""
    yield from erase(turn.id)
    yield "DELETE FROM delivery WHERE turn_id = $1 AND COALESCE(message_id, '') = ''", (turn.id,)
    yield "UPDATE delivery SET final = 0, sent = 1 WHERE turn_id = $1", (turn.id,)
    yield from forget_title(turn.id)


def _take_out(turn_id: str, person: Person) -> Steps[int]:
    """Take a person out of somebody else's turn; 1 if they were in it."""
    changed = yield from _forget_denials(turn_id, person)
    changed |= yield from _forget_said_before(turn_id, person)
    for table, columns in of_turns(Data.TEXT):
        for column in columns:
            rows = yield (
                f"SELECT DISTINCT {column} AS text FROM {table} WHERE turn_id = $1 AND {column} LIKE $2",
                (turn_id, f"%{person.id}%"),
            )
            for row in rows:
                new = _without(row["text"], person)
                if new != row["text"]:
                    yield (
                        f"UPDATE {table} SET {column} = $2 WHERE turn_id = $1 AND {column} = $3",
                        (turn_id, new, row["text"]),
                    )
                    changed = 1
    if changed:
        yield from _drop_images(turn_id)
        yield from _revised(turn_id)
    return changed


def _drop_images(turn_id: str) -> Steps[None]:
    """Delete the images of a turn that came with what was taken out of it."""
    rows = yield "SELECT body FROM step WHERE turn_id = $1", (turn_id,)
    steps = [STEP.validate_json(row["body"]) for row in rows]
    yield from keep_images(turn_id, [step for step in steps if isinstance(step, PromptStep)])


def _forget_said_before(turn_id: str, person: Person) -> Steps[int]:
    """Delete what the person wrote before the prompts of a turn; 1 if they did."""
    rows = yield (
        "SELECT message_id, body FROM context_message WHERE turn_id = $1 AND body LIKE $2",
        (turn_id, f"%{person.id}%"),
    )
    theirs = [row["message_id"] for row in rows if person.is_author(json.loads(row["body"]))]
    for message_id in theirs:
        yield "DELETE FROM context_message WHERE turn_id = $1 AND message_id = $2", (turn_id, message_id)
    return int(bool(theirs))


def _forget_denials(turn_id: str, person: Person) -> Steps[int]:
    """Take the person's name and reasons out of the results of calls that they denied; 1 if there were any.

    Such a result does not have their id: the decision before it has.
    """
    rows = yield "SELECT attempt, seq, body FROM step WHERE turn_id = $1 ORDER BY attempt, seq", (turn_id,)
    denied: set[tuple[int, str]] = set()
    changed = 0
    for row in rows:
        step = json.loads(row["body"])
        if step["kind"] == "decision" and not step["approved"] and person.has_decided(step):
            denied.add((row["attempt"], step["call_id"]))
        elif step["kind"] == "result" and (row["attempt"], step["result"]["call_id"]) in denied:
            new = _as_json({**step, "result": without_denial(step["result"])})
            yield (
                "UPDATE step SET body = $4 WHERE turn_id = $1 AND attempt = $2 AND seq = $3",
                (turn_id, row["attempt"], row["seq"], new),
            )
            changed = 1
    return changed


def _revised(turn_id: str) -> Steps[None]:
    """Note that a turn's steps were rewritten: who has read them does not use them any more."""
    yield "UPDATE turn SET revision = revision + 1 WHERE id = $1", (turn_id,)


def _without(text: str, person: Person) -> str:
    value: JsonValue = json.loads(text)
    new = person.taken_out(value)
    return text if new == value else _as_json(new)


def _as_json(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
