"""The session that the chat is in, and what the next message takes along."""

import secrets
from dataclasses import dataclass, field

from programs.terminal.files import AttachedFile

SOURCE = "terminal"


@dataclass
class CurrentSession:
    """The session; `/new` begins another one.

    Attributes:
        id: Its id.
        name: The name that the next message gives it; None leaves its name as it is.
        is_new: Whether it has no messages yet; the first one names it, if nothing else did.
        files: What goes with the next message.
    """

    id: str = ""
    name: str | None = None
    is_new: bool = False
    files: list[AttachedFile] = field(default_factory=list)

    @property
    def is_ours(self) -> bool:
        """Whether it was begun in a terminal."""
        return self.id.startswith(f"{SOURCE}:")

    def begin(self, name: str | None) -> None:
        """Begin a new one, with a name or with that of its first words."""
        self.id, self.name, self.is_new = f"{SOURCE}:{secrets.token_hex(4)}", name, True
