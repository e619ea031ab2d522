"""The session store: every durable fact of the application, each change one transaction."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue

from llmgine.errors import ConfigurationError
from llmgine.messages.commands import (
    Admitted,
    Author,
    BranchSessionCommand,
    EditPromptCommand,
    PromptCommand,
    RegenerateTurnCommand,
)
from llmgine.messages.steps import DecisionStep, ReplyStep, Step
from llmgine.sessions import transactions as tx
from llmgine.sessions.clock import SteadyClock
from llmgine.sessions.database import Database
from llmgine.sessions.migrate import migrate
from llmgine.sessions.owners import Owners
from llmgine.sessions.records import (
    Allowance,
    Delivery,
    DeliveryKey,
    Lesson,
    Session,
    SessionSettings,
    Setting,
    Turn,
    TurnStatus,
    TurnSteps,
)
from llmgine.sessions.sqlite import SqliteDatabase
from llmgine.sessions.transactions.revision import Revised


async def open_store(url: str) -> "SessionStore":
    """Open the store at `url`: `sqlite:///relative/path.db` or `sqlite:////absolute/path.db`.

    A database of an older program is brought to the present schema, with a copy made first.

    Raises:
        ConfigurationError: The address is of no kind we know, or the database cannot be used.
        NewerStoreError: The database was written by a newer program.
        StoreError: The database could not be brought to the present schema.
    """
    path = sqlite_path(url)
    database = await SqliteDatabase.open(path)
    try:
        await migrate(database, path)
        owners = Owners(path.parent / "owners")
    except OSError as error:
        await database.close()
        raise ConfigurationError(f"DATABASE_URL: {path.parent / 'owners'} cannot be used: {error.strerror}") from error
    except BaseException:
        await database.close()
        raise
    return SessionStore(database, owners)


def sqlite_path(url: str) -> Path:
    """The file that a store's address names.

    Raises:
        ConfigurationError: The address is of no kind we know.
    """
    path = Path(url.removeprefix("sqlite:///"))
    if not url.startswith("sqlite:///") or not path.name:
        scheme, colon, _ = url.partition(":")
        wrong = f"{scheme}: is not supported" if colon and scheme != "sqlite" else "it names no file"
        raise ConfigurationError(f"DATABASE_URL: {wrong}; use sqlite:///data/llmgine.db")
    if path.name == ":memory:":
        raise ConfigurationError("DATABASE_URL: sessions kept in memory would be lost; use sqlite:///data/llmgine.db")
    return path


def _now() -> str:
    return datetime.now(UTC).isoformat()


class SessionStore:
    """Sessions, turns, steps and deliveries. Safe to use from several processes at once.

    Every method is one transaction and may raise `StoreError`.

    Attributes:
        clock: What the deadlines of approvals and the days of allowances are kept by.
        daily_tokens: How many tokens all sessions together may use in a day; None for any number.
    """

    def __init__(self, database: Database, owners: Owners) -> None:
        self._database = database
        self.owners = owners
        self.clock = SteadyClock()
        self.daily_tokens: int | None = None

    async def close(self) -> None:
        """Close the database and let go of this process's turns: from here on another process may take them up."""
        await self._database.close()
        self.owners.close()

    async def version(self) -> int:
        """A number that changes when another process writes."""
        return await self._database.version()

    # Sessions

    async def sessions(self) -> list[Session]:
        """All sessions, the one used last first."""
        return await self._database.run(tx.sessions.sessions())

    async def session(self, session_id: str) -> Session:
        """One session.

        Raises:
            UnknownSessionError: There is none with this id.
        """
        return await self._database.run(tx.sessions.session(session_id))

    async def ensure_session(self, session_id: str, name: str | None = None, scopes: tuple[str, ...] = ()) -> None:
        """Make the session if it is not there; a name and scopes, when given, become its own."""
        await self._database.run(tx.sessions.ensure_session(session_id, name, _now(), scopes))

    async def set_system_prompt(self, session_id: str, prompt: str | None, name: str | None = None) -> None:
        """Set the session's own system prompt, or take it away (None)."""
        await self._database.run(tx.sessions.set_system_prompt(session_id, name, prompt, _now()))

    async def settings(self, scopes: Sequence[str]) -> list[Setting]:
        """All settings of sessions or scopes, in the order of `scopes`."""
        return await self._database.run(tx.settings.settings(scopes))

    async def session_settings(self, session_id: str) -> SessionSettings:
        """What holds in a session for the model, of its own or inherited."""
        return await self._database.run(tx.settings.session_settings(session_id))

    async def change_setting(self, scope: str, name: str, value: str | None, by: Author | None) -> None:
        """Make a setting of a session or scope, or take it away (None)."""
        await self._database.run(tx.settings.change_setting(scope, name, value, by.id if by else "", _now()))

    async def allowances(self, scopes: Sequence[str]) -> list[Allowance]:
        """The bounds on the tokens of a day that hold in these scopes, the nearest first, with what was used today."""
        return await self._database.run(tx.allowances.allowances(scopes, self.daily_tokens, self.clock.today()))

    async def session_allowances(self, session_id: str) -> list[Allowance]:
        """The bounds on the tokens of a day that hold in a session, of its own and inherited."""
        return await self._database.run(
            tx.allowances.session_allowances(session_id, self.daily_tokens, self.clock.today())
        )

    async def rename(self, session_id: str, title: str | None, *, only_first: bool = False) -> bool:
        """Give the session another title, or none; with `only_first` only if it has none. Whether it did."""
        return await self._database.run(tx.sessions.rename(session_id, title, _now(), only_first=only_first))

    async def branch(self, command: BranchSessionCommand) -> int:
        """Copy ended turns into another session; returns how many, 0 where that copy is there already.

        Raises:
            RefusedError: There is nothing to copy, or the other session is under way.
        """
        return await self._database.run(tx.branches.branch(command, self.owners.me, _now()))

    async def clear(self, session_id: str) -> None:
        """Forget the conversation: later turns see nothing of it, and the texts of ended turns are deleted."""
        await self._database.run(tx.sessions.clear(session_id, _now()))

    # Turns

    async def admit(self, prompt: PromptCommand) -> Admitted:
        """Store a prompt as a queued turn of this process; what was admitted before is not admitted again.

        Raises:
            RefusedError: Too many turns of the session wait.
        """
        return await self._database.run(tx.admission.admit(prompt, secrets.token_hex(8), self.owners.me, _now()))

    async def regenerate(self, command: RegenerateTurnCommand) -> None:
        """Queue the session's last turn once more, as one of this process.

        Raises:
            RefusedError: It cannot be; the text tells the person why.
        """
        await self._database.run(tx.admission.regenerate(command, self.owners.me))

    async def edit_prompt(self, edit: EditPromptCommand) -> Revised:
        """Change what somebody said, and queue its turn once more if it has begun; what became of it."""
        return await self._database.run(tx.revision.edit_prompt(edit, self.owners.me))

    async def delete_prompt(self, session_id: str, turn_id: str, source_id: str) -> Revised:
        """Take back one of several things that were said in a turn; "whole" when it is all there was."""
        return await self._database.run(tx.revision.delete_prompt(session_id, turn_id, source_id, self.owners.me))

    async def images(self, turn_id: str, numbers: Sequence[int]) -> list[str]:
        """Images of a turn as data URLs; those that are gone are left out."""
        return await self._database.run(tx.images.images(turn_id, numbers))

    async def claim(self, turn_id: str, *, resumed: bool) -> Turn | None:
        """Begin to run a turn of ours; None when it has ended meanwhile."""
        return await self._database.run(tx.turns.claim(turn_id, self.owners.me, resumed=resumed))

    async def unfinished(self, session_id: str) -> list[Turn]:
        """The session's turns that have no outcome, oldest first."""
        return await self._database.run(tx.turns.unfinished(session_id))

    async def unfinished_of(self, sources: Iterable[str]) -> list[Turn]:
        """The unfinished turns that came from these front ends, session by session, oldest first."""
        return await self._database.run(tx.turns.unfinished_of(tuple(sources), None))

    async def take_over(self, sources: Iterable[str], session_id: str | None = None) -> list[Turn]:
        """Make the unfinished turns of dead processes ours, in one session or all (None); oldest first."""
        turns = await self._database.run(tx.turns.unfinished_of(tuple(sources), session_id))
        dead = [turn for turn in turns if not self.owners.is_alive(turn.owner)]
        return [
            turn
            for turn in dead
            if await self._database.run(tx.turns.change_owner(turn.id, turn.owner, self.owners.me))
        ]

    async def set_state(self, turn: Turn, state: TurnStatus) -> None:
        """Say what a turn is doing."""
        await self._database.run(tx.turns.set_state(turn.id, turn.attempt, state))

    async def turn(self, turn_id: str) -> TurnSteps:
        """A turn and the steps of its present attempt.

        Raises:
            StoreError: There is no such turn, or its conversation was cleared.
        """
        return await self._database.run(tx.steps.turn_steps(turn_id))

    async def known_turn(self, source: str, source_id: str) -> Turn | None:
        """The turn that a message was admitted to, also when its texts are gone."""
        turn_id = await self.turn_of(source, source_id)
        return await self._database.run(tx.turns.turn(turn_id)) if turn_id else None

    async def turn_of(self, source: str, source_id: str) -> str | None:
        """The turn that a message was admitted to."""
        return await self._database.run(tx.turns.turn_of(source, source_id))

    async def recent(self, source: str, since: datetime) -> list[tuple[str, dict[str, JsonValue]]]:
        """The messages of a front end whose turns were admitted since then and not forgotten, with their origins."""
        return await self._database.run(tx.turns.recent(source, since.isoformat()))

    async def history(self, session_id: str) -> list[TurnSteps]:
        """The ended turns since the session was last cleared, oldest first."""
        return await self._database.run(tx.steps.history(session_id))

    async def ended(self, session_id: str, before_seq: int, most: int) -> list[tuple[str, int]]:
        """The id and attempt of the session's last ended turns before a place, at most so many, the newest first."""
        return await self._database.run(tx.steps.ended(session_id, before_seq, most))

    async def turns(self, turn_ids: Sequence[str]) -> list[TurnSteps]:
        """These turns with the steps of their present attempts; those whose texts were deleted are left out."""
        return await self._database.run(tx.steps.turns(turn_ids))

    async def append(self, turn: Turn, step: Step) -> None:
        """Add a step to the turn's present attempt."""
        await self._database.run(tx.steps.append(turn.id, turn.attempt, step))

    async def spend(self, session_id: str, tokens: int) -> None:
        """Count tokens that were used in a session without a reply that counts them."""
        await self._database.run(tx.allowances.spend(session_id, tokens, self.clock.today()))

    async def append_reply(self, turn: Turn, step: ReplyStep, tokens: int) -> None:
        """Add a reply of the model to the turn's present attempt, and the tokens of the call to what was used today."""
        await self._database.run(tx.allowances.append_reply(turn, step, tokens, self.clock.today()))

    async def decide(
        self,
        turn_id: str,
        call_id: str,
        *,
        approved: bool,
        decided_by: Author | None,
        reason: str | None = None,
        always: bool = False,
    ) -> bool:
        """Decide a waiting call; False when it no longer waits, its time is up, or it was decided before.

        Raises:
            RefusedError: The decision is for always, and the tool allows none such.
        """
        step = DecisionStep(call_id=call_id, approved=approved, decided_by=decided_by, reason=reason, always=always)
        return await self._database.run(tx.approvals.decide(turn_id, step, self.clock.now()))

    async def always_approved(self, steps: TurnSteps, tool: str) -> bool:
        """Whether somebody agreed to all calls of the tool that the turn's asker causes in its session."""
        name = tx.approvals.setting_name(tool, steps.prompt.author)
        return any(found.name == name for found in await self.settings([steps.turn.session_id]))

    async def request_stop(self, session_id: str, turn_id: str | None) -> list[Turn]:
        """Ask that the turn, or all of the session (None), be stopped; returns those that had not ended."""
        return await self._database.run(tx.turns.request_stop(session_id, turn_id))

    async def last_turn(self, session_id: str) -> Turn | None:
        """The session's newest turn that was neither forgotten nor cleared."""
        return await self._database.run(tx.turns.last(session_id))

    async def turn_before(self, session_id: str, seq: int) -> Turn | None:
        """The session's last ended turn before a place."""
        return await self._database.run(tx.turns.before(session_id, seq))

    async def forget(self, session_id: str, turn_id: str) -> Turn | None:
        """Delete a turn's texts; None when there is nothing to forget, or a living process is at it."""
        running = [turn.owner for turn in await self.unfinished(session_id) if turn.id == turn_id]
        dead = next((owner for owner in running if not self.owners.is_alive(owner)), "")
        return await self._database.run(tx.turns.forget(session_id, turn_id, dead))

    async def stop_requested(self) -> list[str]:
        """The ids of our unfinished turns that somebody asked to stop."""
        return await self._database.run(tx.turns.stop_requested(self.owners.me))

    async def finish(
        self, turn: Turn, state: TurnStatus, steps: Sequence[Step], deliveries: Sequence[Delivery]
    ) -> None:
        """Give a turn its outcome: the last steps, the state and all deliveries, or nothing of it.

        Raises:
            SupersededError: A newer attempt answers.
        """
        await self._database.run(tx.deliveries.finish(turn, state, steps, deliveries, _now()))

    # Deliveries

    async def deliveries(self, turn_id: str) -> list[Delivery]:
        """The deliveries of the turn's present attempt, in the order they are shown."""
        return await self._database.run(tx.deliveries.deliveries(turn_id))

    async def outcome_parts(self, turn: Turn) -> list[Delivery]:
        """The same, as long as this attempt of the turn is the present one.

        Raises:
            SupersededError: There is a newer attempt.
        """
        return await self._database.run(tx.deliveries.outcome_parts(turn))

    async def undelivered(self, source: str) -> list[Turn]:
        """Ended turns with parts that were not sent, oldest first, of processes that are dead or of this one."""
        turns = await self._database.run(tx.deliveries.undelivered(source))
        return [turn for turn in turns if turn.owner == self.owners.me or not self.owners.is_alive(turn.owner)]

    async def posted(self, turn: Turn, key: DeliveryKey, message_id: str) -> None:
        """Remember where a part was posted, at once, so that a crash does not post it twice."""
        await self._database.run(tx.deliveries.posted(turn.id, turn.attempt, key, message_id))

    async def sent(self, turn: Turn, key: DeliveryKey) -> None:
        """A part shows its final body."""
        await self._database.run(tx.deliveries.sent(turn.id, turn.attempt, key))

    async def gone(self, turn: Turn, key: DeliveryKey) -> None:
        """A part was taken away for good: it is nobody's place any more."""
        await self._database.run(tx.deliveries.gone(turn.id, turn.attempt, key))

    async def turn_of_delivery(self, message_id: str) -> str | None:
        """The turn that a message of ours is a part of."""
        return await self._database.run(tx.deliveries.turn_of_delivery(message_id))

    async def is_delivery(self, message_id: str) -> bool:
        """Whether the message is one of ours."""
        return await self._database.run(tx.deliveries.is_delivery(message_id))

    async def is_last_answer(self, session_id: str, message_id: str) -> bool:
        """Whether the message is part of what was answered last in the session, and nothing was asked since."""
        return await self._database.run(tx.deliveries.is_last_answer(session_id, message_id))

    # Lessons

    async def lessons(self) -> list[Lesson]:
        """What was learnt about models, the oldest first."""
        return await self._database.run(tx.lessons.lessons())

    async def learn(self, lesson: Lesson) -> None:
        """Remember what was learnt about a model; it replaces what was known under the same name."""
        await self._database.run(tx.lessons.learn(lesson))

    async def forget_lessons(self, until: datetime | None = None) -> None:
        """Forget what was learnt, all of it or what was learnt until then."""
        await self._database.run(tx.lessons.forget(until.isoformat() if until else None))

    # Cursors

    async def cursors(self, source: str) -> dict[str, int]:
        """Up to where each place of a front end is known to have been looked at."""
        return await self._database.run(tx.cursors.cursors(source))

    async def move_cursor(self, source: str, place: str, position: int) -> None:
        """Remember that everything in the place up to the position was looked at; a cursor never goes back."""
        await self._database.run(tx.cursors.move_cursor(source, place, position))

    async def count_login(self, source: str, *, seconds: int = 86_400) -> int:
        """Note that a front end logs in to its service; returns how often it did in the last `seconds`."""
        now = int(datetime.now(UTC).timestamp())
        return await self._database.run(tx.logins.count_login(source, now, now - seconds))
