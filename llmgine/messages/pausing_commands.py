"""The commands that pause answers or tools, and resume them."""

from llmgine.messages.commands import AuditOrigin, Author, Command, Pausable


class PauseCommand(Command):
    """Pause something in a session, or in a scope that sessions inherit from, until it is resumed.

    "answers": nothing is answered there, and what has no outcome yet is stopped. "tools": no tool with effects begins
    to run there. `mark` is the moment in the front end's own terms, without spaces. Answered with `PauseBegun`.
    """

    scope: str
    what: Pausable
    mark: str
    paused_by: Author
    audit: AuditOrigin | None = None


class ResumeCommand(Command):
    """End the pause of a session or scope. `mark` is as in a `PauseCommand`. Answered with True if there was one."""

    scope: str
    what: Pausable
    mark: str
    resumed_by: Author
    audit: AuditOrigin | None = None
