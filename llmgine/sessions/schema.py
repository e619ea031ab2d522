"""The tables, as numbered migrations of statements that SQLite and PostgreSQL share.

To change the schema, append a migration; one that has been released is never edited.
"""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE session (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            system_prompt TEXT,
            cleared_seq BIGINT NOT NULL,
            updated_at TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE turn (
            id TEXT PRIMARY KEY,
            session_id TEXT NOT NULL REFERENCES session (id),
            seq BIGINT NOT NULL,
            attempt BIGINT NOT NULL,
            resumes BIGINT NOT NULL,
            state TEXT NOT NULL,
            stop_requested BIGINT NOT NULL,
            owner TEXT NOT NULL,
            source TEXT NOT NULL,
            origin TEXT NOT NULL,
            created_at TEXT NOT NULL,
            UNIQUE (session_id, seq)
        )
        """,
        "CREATE VIEW open_turn AS SELECT * FROM turn WHERE state IN ('queued', 'running', 'waiting')",
        "CREATE VIEW ended_turn AS SELECT * FROM turn WHERE state IN ('done', 'failed', 'stopped')",
        "CREATE INDEX turn_open ON turn (session_id, seq) WHERE state IN ('queued', 'running', 'waiting')",
        """
        CREATE TABLE inbox (
            source TEXT NOT NULL,
            source_id TEXT NOT NULL,
            turn_id TEXT NOT NULL REFERENCES turn (id),
            PRIMARY KEY (source, source_id)
        )
        """,
        """
        CREATE TABLE step (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            attempt BIGINT NOT NULL,
            seq BIGINT NOT NULL,
            body TEXT NOT NULL,
            PRIMARY KEY (turn_id, attempt, seq)
        )
        """,
        """
        CREATE TABLE delivery (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            attempt BIGINT NOT NULL,
            kind TEXT NOT NULL,
            round BIGINT NOT NULL,
            part BIGINT NOT NULL,
            body TEXT NOT NULL,
            message_id TEXT,
            final BIGINT NOT NULL,
            sent BIGINT NOT NULL,
            PRIMARY KEY (turn_id, attempt, kind, round, part)
        )
        """,
        "CREATE INDEX delivery_message ON delivery (message_id)",
        "CREATE INDEX delivery_unsent ON delivery (turn_id) WHERE final = 1 AND sent = 0",
    ),
    (
        """
        CREATE TABLE cursor_of_place (
            source TEXT NOT NULL,
            place TEXT NOT NULL,
            position BIGINT NOT NULL,
            PRIMARY KEY (source, place)
        )
        """,
        "DROP INDEX delivery_unsent",
        "CREATE INDEX delivery_unsent ON delivery (turn_id) WHERE sent = 0",
    ),
    (
        "CREATE TABLE login (source TEXT NOT NULL, at BIGINT NOT NULL)",
        "CREATE INDEX login_at ON login (source, at)",
    ),
    (
        """
        CREATE TABLE setting (
            scope TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            changed_by TEXT NOT NULL,
            changed_at TEXT NOT NULL,
            PRIMARY KEY (scope, name)
        )
        """,
        """
        INSERT INTO setting (scope, name, value, changed_by, changed_at)
        SELECT id, 'system_prompt', system_prompt, '', updated_at FROM session WHERE system_prompt IS NOT NULL
        """,
        "ALTER TABLE session DROP COLUMN system_prompt",
        "ALTER TABLE session ADD COLUMN scopes TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE session ADD COLUMN title TEXT",
        """
        CREATE TABLE image (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            number BIGINT NOT NULL,
            data TEXT NOT NULL,
            PRIMARY KEY (turn_id, number)
        )
        """,
    ),
    (
        """
        CREATE TABLE spent (
            scope TEXT NOT NULL,
            day TEXT NOT NULL,
            tokens BIGINT NOT NULL,
            PRIMARY KEY (scope, day)
        )
        """,
    ),
    (
        "ALTER TABLE step ADD COLUMN parts TEXT",
        """
        CREATE TABLE lesson (
            service TEXT NOT NULL,
            model TEXT NOT NULL,
            name TEXT NOT NULL,
            value BIGINT NOT NULL,
            said TEXT NOT NULL,
            learnt_at TEXT NOT NULL,
            PRIMARY KEY (service, model, name)
        )
        """,
    ),
)
