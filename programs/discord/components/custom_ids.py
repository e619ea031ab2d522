"""Custom ids of components: `lg:<action>`, and `:<about>` where it is about something.

The names of actions and the forms of what follows them never change: messages of years ago have them.
"""

import re
from dataclasses import dataclass
from enum import Enum, StrEnum

from pydantic import JsonValue

from llmgine.messages.steps import Turn
from llmgine.messages.text import shorten

PREFIX = "lg:"
_TURN = re.compile(r"(?P<turn>[0-9a-f]{16})(?::(?P<attempt>\d{1,6}))?(?::(?P<round>\d{1,4})\.(?P<part>\d{1,6}))?")
_MAX_LABEL = 80


class About(Enum):
    """What the id of an action goes on with, as a regular expression."""

    NOTHING = ""  # The id is the action's name.
    TURN = _TURN.pattern  # A turn, the attempt that the button was made for, and the place of a tool call.
    MESSAGE = r"\d{1,20}"  # The id of a message.
    SESSION = r".+"  # The id of a session.
    PAGE = r"-?\d{1,6}"  # The number of a page; there is only the first one by now, 0.
    POSITION = r"\d{1,19}\.[\w:/]{0,60}"  # A place in the list of sessions: a time, and of which session.
    SCOPE = r"here|category|server"  # Where a setting is changed.


class Action(StrEnum):
    """What a component does; the registry says who may, and which kind of component it is."""

    STOP = "stop"
    SKIP = "skip"
    REGENERATE = "regenerate"
    RETRY = "retry"
    CONTINUE = "continue"
    UNDO = "undo"
    DETAILS = "details"
    APPROVE = "approve"
    ALWAYS = "always"
    DENY = "deny"
    REASON = "reason"
    BECAUSE = "because"
    AGAIN = "again"
    ASK = "form:ask"
    CLEAR = "clear:yes"
    KEEP = "clear:no"
    SYSTEM = "form:system"
    LESSONS_FORGET = "press:lessons:forget"
    FORGET_ME = "press:forget:me"
    FORGET_NOT = "press:forget:no"
    SESSION_OPEN = "press:session:open"
    SESSION_PAGE = "press:session:page"
    SESSION_RESUME = "press:session:resume"
    SESSION_MARKDOWN = "press:session:markdown"
    SESSION_JSON = "press:session:json"
    SESSION_RENAME = "press:session:rename"
    SESSION_TITLE = "form:rename"
    SESSION_OLDER = "press:session:older"
    SESSION_NEWER = "press:session:newer"

    @property
    def about(self) -> About:
        """What its ids go on with."""
        return _ABOUT.get(self, About.TURN)


_ABOUT = {
    Action.ASK: About.MESSAGE,
    Action.CLEAR: About.NOTHING,
    Action.KEEP: About.NOTHING,
    Action.SYSTEM: About.SCOPE,
    Action.LESSONS_FORGET: About.NOTHING,
    Action.FORGET_ME: About.NOTHING,
    Action.FORGET_NOT: About.NOTHING,
    Action.SESSION_OPEN: About.NOTHING,  # it is a select: which one is what was chosen
    Action.SESSION_PAGE: About.PAGE,
    Action.SESSION_OLDER: About.POSITION,
    Action.SESSION_NEWER: About.POSITION,
    Action.SESSION_RESUME: About.SESSION,
    Action.SESSION_MARKDOWN: About.SESSION,
    Action.SESSION_JSON: About.SESSION,
    Action.SESSION_RENAME: About.SESSION,
    Action.SESSION_TITLE: About.SESSION,
}


_ID = re.compile(f"{PREFIX}(?P<action>{'|'.join(map(re.escape, Action))})(?::(?P<about>.*))?")


@dataclass(frozen=True)
class Target:
    """What a button under an answer is about. Ids that are older than attempts in them have none."""

    turn_id: str
    attempt: int | None
    round: int
    part: int


@dataclass(frozen=True)
class ComponentId:
    """A custom id that was read."""

    action: Action
    about: str = ""

    @classmethod
    def read(cls, custom_id: object) -> "ComponentId | None":
        """The meaning of a custom id; None when this version knows none."""
        found = _ID.fullmatch(custom_id) if isinstance(custom_id, str) else None
        if found is None:
            return None
        action, about = Action(found["action"]), found["about"] or ""
        return cls(action, about) if re.fullmatch(action.about.value, about) else None

    def __str__(self) -> str:
        return f"{PREFIX}{self.action}:{self.about}" if self.about else f"{PREFIX}{self.action}"

    @property
    def target(self) -> Target:
        """The turn it is about, and the place in it.

        Raises:
            ValueError: It is about no turn.
        """
        found = _TURN.fullmatch(self.about)
        if self.action.about is not About.TURN or found is None:
            raise ValueError(f"{self} is about no turn")
        return Target(
            turn_id=found["turn"],
            attempt=None if found["attempt"] is None else int(found["attempt"]),
            round=int(found["round"] or 0),
            part=int(found["part"] or 0),
        )


def of_turn(action: Action, turn: Turn, place: tuple[int, int] | None = None) -> ComponentId:
    """The id of an action on a turn, or on the tool call at this place: round and part."""
    where = "" if place is None else f":{place[0]}.{place[1]}"
    return ComponentId(action, f"{turn.id}:{turn.attempt}{where}")


def button(
    action: Action,
    label: str,
    turn: Turn,
    *,
    place: tuple[int, int] | None = None,
    style: str = "secondary",
    row: int | None = None,
) -> dict[str, JsonValue]:
    """A button as a part's body holds it."""
    return {
        "custom_id": str(of_turn(action, turn, place)),
        "label": shorten(label, _MAX_LABEL),
        "style": style,
        "row": row,
    }


def action_of(one: object) -> Action | None:
    """What a button of a body does; None where this version does not know it."""
    found = ComponentId.read(one.get("custom_id")) if isinstance(one, dict) else None
    return None if found is None else found.action
