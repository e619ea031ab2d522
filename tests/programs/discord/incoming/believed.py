"""What people wrote, as a plain list per place, and what must have become of it once the bot is at rest."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import pairwise
from pathlib import Path
from typing import Any


class Wanted(Enum):
    """Whether a message is for the bot."""

    ALWAYS = auto()  # Whenever it is heard or read.
    NEVER = auto()  # However it comes in.
    PERHAPS = auto()  # It depends on when it is looked at: it was edited so that it is for the bot, or no longer is.


@dataclass
class Entry:
    """One message.

    Attributes:
        words: What the bot is to store of it, as it was written last.
        missed: Whether the bot may not have heard of it, or may have ended before it was admitted.
        in_order: Whether it must be admitted after those before it and before those after it. Not so where Discord
            lost an event while it told later ones, or let its history not be read.
        hidden: Whether something of it may be found only by a look at its place.
        replies_to: The message of the bot that it replies to.
    """

    id: int
    place: int
    author: int
    words: str
    wanted: Wanted
    missed: bool
    in_order: bool
    hidden: bool = False
    replies_to: int | None = None
    deleted: bool = False


@dataclass
class Stored:
    """What the database has of a message: its turn's session, place in it and state, and its text."""

    session: str
    seq: int
    state: str
    words: str


@dataclass
class Database:
    """The bot's database, read beside the bot."""

    path: Path

    def messages(self) -> dict[int, Stored]:
        """What was admitted, by message."""
        found: dict[int, Stored] = {}
        rows = self._rows(
            "SELECT inbox.source_id, turn.session_id, turn.seq, turn.state, step.body FROM inbox"
            " JOIN turn ON turn.id = inbox.turn_id"
            " LEFT JOIN step ON step.turn_id = turn.id AND step.attempt = turn.attempt"
            " AND json_extract(step.body, '$.kind') = 'prompt'"
        )
        for source_id, session, seq, state, body in rows:
            step = json.loads(body or "{}")
            if source_id.isdecimal() and (not step or step.get("source_id") == source_id):
                found[int(source_id)] = Stored(session, seq, state, step.get("text", ""))
        return found

    def cursors(self) -> dict[int, int]:
        """The positions of places."""
        rows = self._rows("SELECT place, position FROM cursor_of_place WHERE source = 'discord'")
        return {int(place): position for place, position in rows}

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()


@dataclass
class Believed:
    """All messages of people, and the notices that say that some are not answered.

    Attributes:
        most: How many missed messages of a place are answered.
        entries: The messages, the oldest first.
        notices: By place the messages that a notice replies to.
    """

    most: int
    entries: list[Entry] = field(default_factory=list)
    notices: dict[int, set[int]] = field(default_factory=dict)

    def breaches(self, stored: dict[int, Stored], *, hidden: bool) -> Iterator[str]:
        """What is wrong, if the bot is at rest; perhaps without what is hidden."""
        yield from self.never_wrong(stored)
        for one in self.entries:
            if one.hidden and not hidden:
                continue
            kept = stored.get(one.id)
            if one.deleted:
                if kept is not None and kept.state != "forgotten":
                    yield f"{one} was deleted, and is still known"
            elif kept is None:
                if one.wanted is Wanted.ALWAYS and not self.is_given_up(one):
                    yield f"{one} was never admitted"
            elif one.wanted is Wanted.ALWAYS and kept.words != one.words:
                yield f"{one} is stored as {kept.words!r}"

    def never_wrong(self, stored: dict[int, Stored]) -> Iterator[str]:
        """What is wrong at any time."""
        for one in self.entries:
            if one.wanted is Wanted.NEVER and one.id in stored:
                yield f"{one} was admitted"
        for place in {one.place for one in self.entries}:
            here = [one for one in self.entries if one.place == place and one.in_order and one.id in stored]
            for before, after in pairwise(here):
                if stored[before.id].seq > stored[after.id].seq:
                    yield f"{after} was admitted before {before}"
            yield from self._wrong_notices(place)

    def _wrong_notices(self, place: int) -> Iterator[str]:
        for message_id in self.notices.get(place, ()):
            after = [one for one in self.entries if one.place == place and one.id > message_id]
            told = [one for one in self.entries if one.id == message_id]
            might = [one for one in after if one.missed and one.wanted is not Wanted.NEVER]
            if not told or not told[0].missed or len(might) < self.most:
                yield f"{told} is called missed, and {len(might)} after it were missed"

    def is_given_up(self, entry: Entry) -> bool:
        """Whether people were told that it is not answered."""
        return any(entry.id <= one for one in self.notices.get(entry.place, ()))

    def passed(self, cursors: dict[int, int], stored: dict[int, Stored]) -> Iterator[str]:
        """The cursors that are after a message that is neither admitted nor given up."""
        for one in self.entries:
            if one.wanted is not Wanted.ALWAYS or one.deleted or one.id in stored or self.is_given_up(one):
                continue
            if cursors.get(one.place, 0) >= one.id:
                yield f"the cursor {cursors[one.place]} is after {one}, which was never admitted"
