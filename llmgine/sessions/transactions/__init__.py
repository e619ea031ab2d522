"""The store's SQL, a file for each kind of fact: one generator a transaction (see database.py).

The statements are shared by SQLite and PostgreSQL: `$n`, BIGINT and 0/1, JSON as TEXT, one statement a `yield`.
"""

from llmgine.sessions.transactions import (
    admission,
    allowances,
    approvals,
    branches,
    cursors,
    deliveries,
    images,
    lessons,
    logins,
    revision,
    sessions,
    settings,
    steps,
    turns,
)

__all__ = [
    "admission",
    "allowances",
    "approvals",
    "branches",
    "cursors",
    "deliveries",
    "images",
    "lessons",
    "logins",
    "revision",
    "sessions",
    "settings",
    "steps",
    "turns",
]
