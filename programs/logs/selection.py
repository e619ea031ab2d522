"""Which records people want to see."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from llmgine.observability.reader import Record
from programs.logs.texts import Level, level


@dataclass(frozen=True)
class Selection:
    """A choice of records; each part that is given narrows it.

    Attributes:
        session: The session's id, or its beginning; may contain `*` and `?`.
        types: Names of classes, or their beginnings, in any case; may contain `*` and `?`. One of them must match.
        level: The least level shown.
    """

    session: str | None = None
    types: tuple[str, ...] = ()
    level: Level = Level.DEBUG

    def __contains__(self, record: Record) -> bool:
        """Whether the record is one of the chosen."""
        return (
            level(record) >= self.level
            and (self.session is None or _fits(record.text("session_id"), self.session))
            and (not self.types or any(_fits(record.type.lower(), name.lower()) for name in self.types))
        )


def _fits(text: str, pattern: str) -> bool:
    return fnmatchcase(text, f"{pattern}*")
