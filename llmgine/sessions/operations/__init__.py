"""The operations of the store, a file and a class for each kind of fact; see database.py for how one is written."""

from llmgine.sessions.operations.allowances import Allowances
from llmgine.sessions.operations.branches import Branches
from llmgine.sessions.operations.cursors import Cursors
from llmgine.sessions.operations.decisions import Decisions
from llmgine.sessions.operations.deliveries import Deliveries
from llmgine.sessions.operations.lessons import Lessons
from llmgine.sessions.operations.logins import Logins
from llmgine.sessions.operations.prompts import Prompts
from llmgine.sessions.operations.runs import Runs
from llmgine.sessions.operations.session_settings import Settings
from llmgine.sessions.operations.sessions import Sessions
from llmgine.sessions.operations.stops import Stops
from llmgine.sessions.operations.turns import Turns

__all__ = [
    "Allowances",
    "Branches",
    "Cursors",
    "Decisions",
    "Deliveries",
    "Lessons",
    "Logins",
    "Prompts",
    "Runs",
    "Sessions",
    "Settings",
    "Stops",
    "Turns",
]
