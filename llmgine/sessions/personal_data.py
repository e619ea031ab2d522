"""The registry of personal data: what each column of the database has of people, and what becomes of it.

A new table or column has to be entered here, which a test checks. What is done when a person is forgotten, or a
conversation is erased, is read from here wherever one rule fits a whole column.
"""

from collections.abc import Iterator, Mapping
from enum import Enum


class Data(Enum):
    """What a column has, and what becomes of it when a person is forgotten."""

    NOTHING = "nothing of a person"
    IDS = "ids of messages, channels and conversations; kept, so that nothing is answered twice"
    TEXT = "what was said and answered; deleted with the turn, and the person is taken out of other people's turns"
    FILE = "files; deleted with the turn"
    TITLE = "what a conversation is called; deleted where their words may have made it"
    PERSON = "the id of who did it; replaced by nothing"
    NAMES = "a name that may end with a person's id; the row is deleted then"
    MENTIONS = "a text of a channel or server, which stays; a person's id in it is replaced"
    FORGOTTEN = "the id of a person who was forgotten; kept, so that a restored backup can be erased too"
    USE = "what a person used of a day; today's is deleted when the day is over, since a limit must not begin again"
    CALL = "for whom the model is being asked; deleted when the call ends"


COLUMNS: Mapping[str, Mapping[str, Data]] = {
    "schema_version": {"version": Data.NOTHING},
    "session": {
        "id": Data.NAMES,
        "name": Data.TITLE,
        "cleared_seq": Data.NOTHING,
        "scopes": Data.IDS,
        "title": Data.TITLE,
        "next_seq": Data.NOTHING,
        "updated_at": Data.NOTHING,
        "listed_under": Data.IDS,
    },
    "turn": {
        **dict.fromkeys(("id", "session_id", "source", "origin", "place", "guild", "copied_from"), Data.IDS),
        **dict.fromkeys(("seq", "attempt", "resumes", "state", "owner", "claim", "posts"), Data.NOTHING),
        **dict.fromkeys(("created_at", "revision"), Data.NOTHING),
    },
    "inbox": dict.fromkeys(("source", "source_id", "turn_id"), Data.IDS),
    "step": {
        "turn_id": Data.IDS,
        "attempt": Data.NOTHING,
        "seq": Data.NOTHING,
        "body": Data.TEXT,
        "parts": Data.TEXT,
    },
    "delivery": {
        **dict.fromkeys(("turn_id", "message_id"), Data.IDS),
        **dict.fromkeys(("attempt", "kind", "round", "part", "final", "sent"), Data.NOTHING),
        "body": Data.TEXT,
    },
    "image": {"turn_id": Data.IDS, "number": Data.NOTHING, "data": Data.FILE},
    "result_file": {
        **dict.fromkeys(("turn_id", "call_id"), Data.IDS),
        **dict.fromkeys(("attempt", "number"), Data.NOTHING),
        "data": Data.FILE,
    },
    "context_message": {
        **dict.fromkeys(("turn_id", "message_id"), Data.IDS),
        **dict.fromkeys(("number", "read_at"), Data.NOTHING),
        "body": Data.TEXT,
    },
    "stop_request": {"turn_id": Data.IDS, "attempt": Data.NOTHING},
    "decision": {
        **dict.fromkeys(("turn_id", "call_id"), Data.IDS),
        **dict.fromkeys(("attempt", "made_at"), Data.NOTHING),
        "body": Data.TEXT,
    },
    "setting": {
        "scope": Data.NAMES,
        "name": Data.NAMES,
        "value": Data.MENTIONS,
        "changed_by": Data.PERSON,
        "changed_at": Data.NOTHING,
    },
    "spent": {
        "scope": Data.USE,
        **dict.fromkeys(("day", "tokens", "nanodollars", "warned"), Data.NOTHING),
        **dict.fromkeys(("reserved_tokens", "reserved_nanodollars"), Data.NOTHING),
    },
    "reservation": {
        "scopes": Data.CALL,
        **dict.fromkeys(("id", "owner", "day", "tokens", "nanodollars"), Data.NOTHING),
        **dict.fromkeys(("sent_tokens", "sent_nanodollars"), Data.NOTHING),
    },
    "audit": {
        "person": Data.PERSON,
        "place": Data.NAMES,
        "listed_under": Data.NAMES,
        "about": Data.MENTIONS,
        **dict.fromkeys(("id", "at", "action"), Data.NOTHING),
    },
    "lesson": dict.fromkeys(("service", "model", "name", "value", "said", "learnt_at"), Data.NOTHING),
    "cursor_of_place": {
        **dict.fromkeys(("source", "place", "parent", "guild"), Data.IDS),
        **dict.fromkeys(("position", "kind"), Data.NOTHING),
    },
    "login": dict.fromkeys(("source", "at"), Data.NOTHING),
    "forgotten": {
        "person": Data.FORGOTTEN,
        "forgotten_at": Data.NOTHING,
        "finished": Data.NOTHING,
    },
    "reported_server": dict.fromkeys(("source", "account", "guild", "left_at"), Data.NOTHING),
}


def of_turns(kind: Data | None = None) -> Iterator[tuple[str, list[str]]]:
    """The tables whose rows belong to a turn, with their columns of this kind; all columns without a kind."""
    for table, columns in COLUMNS.items():
        found = [name for name, data in columns.items() if kind in (None, data)]
        if "turn_id" in columns and found:
            yield table, found


def elsewhere(kind: Data) -> Iterator[tuple[str, str]]:
    """The columns of this kind of tables whose rows belong to no turn."""
    for table, columns in COLUMNS.items():
        if "turn_id" not in columns and table != "session":
            yield from ((table, name) for name, data in columns.items() if data is kind)


def table() -> str:
    """The registry in Markdown: each column that has something of people, and what becomes of it."""
    rows = ["| table | columns | what it has, and what becomes of it when a person is forgotten |", "|---|---|---|"]
    for name, columns in COLUMNS.items():
        for kind in Data:
            found = [f"`{column}`" for column, data in columns.items() if data is kind]
            if found and kind is not Data.NOTHING:
                rows.append(f"| `{name}` | {', '.join(found)} | {kind.value} |")
    return "\n".join(rows)
