"""The operations of the store, a file and a class for each kind of fact; see database.py for how one is written."""

from llmgine.sessions.operations.allowances import Allowances
from llmgine.sessions.operations.audit import Audit
from llmgine.sessions.operations.branches import Branches
from llmgine.sessions.operations.context_messages import ContextMessages
from llmgine.sessions.operations.cursors import Cursors
from llmgine.sessions.operations.decisions import Decisions
from llmgine.sessions.operations.deliveries import Deliveries
from llmgine.sessions.operations.lessons import Lessons
from llmgine.sessions.operations.logins import Logins
from llmgine.sessions.operations.pauses import Pauses
from llmgine.sessions.operations.people import People
from llmgine.sessions.operations.prompts import Prompts
from llmgine.sessions.operations.purges import Purges
from llmgine.sessions.operations.result_files import ResultFiles
from llmgine.sessions.operations.runs import Runs
from llmgine.sessions.operations.session_settings import Settings
from llmgine.sessions.operations.sessions import Sessions
from llmgine.sessions.operations.stops import Stops
from llmgine.sessions.operations.turns import Turns

__all__ = [
    "Allowances",
    "Audit",
    "Branches",
    "ContextMessages",
    "Cursors",
    "Decisions",
    "Deliveries",
    "Lessons",
    "Logins",
    "Pauses",
    "People",
    "Prompts",
    "Purges",
    "ResultFiles",
    "Runs",
    "Sessions",
    "Settings",
    "Stops",
    "Turns",
]
