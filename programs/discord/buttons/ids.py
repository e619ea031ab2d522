"""Custom ids of buttons: `lg:<action>:<turn>:<attempt>`, and `:<round>.<part>` where it is about a tool call."""

import re
from dataclasses import dataclass

from pydantic import JsonValue

from llmgine.messages.steps import Turn
from llmgine.messages.text import shorten

_ID = re.compile(
    r"lg:(?P<action>[a-z]+):(?P<turn>[0-9a-f]{16})(?::(?P<attempt>\d{1,6}))?(?::(?P<round>\d{1,4})\.(?P<part>\d{1,6}))?"
)
_MAX_LABEL = 80


@dataclass(frozen=True)
class Press:
    """What a pressed button, or a form it opened, is to do. Ids that are older than attempts in them have none."""

    action: str
    turn_id: str
    attempt: int | None
    round: int
    part: int

    @classmethod
    def read(cls, custom_id: object) -> "Press | None":
        """The press of a custom id; None when the id is none of these."""
        found = _ID.fullmatch(custom_id) if isinstance(custom_id, str) else None
        if found is None:
            return None
        attempt = found["attempt"]
        return cls(
            action=found["action"],
            turn_id=found["turn"],
            attempt=None if attempt is None else int(attempt),
            round=int(found["round"] or 0),
            part=int(found["part"] or 0),
        )


def custom_id(action: str, turn: Turn, place: tuple[int, int] | None = None) -> str:
    """The custom id of an action on a turn, or on the call at this place: round and part."""
    where = "" if place is None else f":{place[0]}.{place[1]}"
    return f"lg:{action}:{turn.id}:{turn.attempt}{where}"


def button(
    action: str,
    label: str,
    turn: Turn,
    *,
    place: tuple[int, int] | None = None,
    style: str = "secondary",
    row: int | None = None,
) -> dict[str, JsonValue]:
    """A button as a part's body holds it."""
    return {
        "custom_id": custom_id(action, turn, place),
        "label": shorten(label, _MAX_LABEL),
        "style": style,
        "row": row,
    }


def action_of(one: object) -> str:
    """What a button of a body does."""
    press = Press.read(one.get("custom_id")) if isinstance(one, dict) else None
    return press.action if press else ""
