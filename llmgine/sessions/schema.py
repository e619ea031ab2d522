"""The tables, as numbered migrations of statements that SQLite and PostgreSQL share.

To change the schema, append a migration; one that has been released is never edited. What a statement cannot say is a
function of `conversions`.
"""

from collections.abc import Callable

from llmgine.sessions import conversions
from llmgine.sessions.database import Steps

MIGRATIONS: tuple[tuple[str | Callable[[], Steps[None]], ...], ...] = (
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
    (
        "DROP VIEW open_turn",
        "DROP VIEW ended_turn",
        "DROP INDEX turn_open",
        # Sessions: the next place is counted, so that two processes cannot give it twice.
        "ALTER TABLE session ADD COLUMN next_seq BIGINT NOT NULL DEFAULT 1",
        "UPDATE session SET next_seq = (SELECT COALESCE(MAX(seq), 0) + 1 FROM turn WHERE session_id = session.id)",
        "ALTER TABLE session ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0",
        conversions.sessions,
        "ALTER TABLE session DROP COLUMN updated_at",
        "ALTER TABLE session RENAME COLUMN used_at TO updated_at",
        # Requests to stop and decisions are rows of their own: their author may not be the process that runs the turn.
        """
        CREATE TABLE stop_request (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            attempt BIGINT NOT NULL,
            PRIMARY KEY (turn_id, attempt)
        )
        """,
        """
        INSERT INTO stop_request (turn_id, attempt)
        SELECT id, attempt FROM turn WHERE stop_requested = 1 AND state IN ('queued', 'running', 'waiting')
        """,
        "ALTER TABLE turn DROP COLUMN stop_requested",
        """
        CREATE TABLE decision (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            attempt BIGINT NOT NULL,
            call_id TEXT NOT NULL,
            body TEXT NOT NULL,
            made_at BIGINT NOT NULL,
            PRIMARY KEY (turn_id, attempt, call_id)
        )
        """,
        # Turns: who may write, where it was said, whose copy it is, and how many messages were posted for it.
        "ALTER TABLE turn ADD COLUMN claim BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE turn ADD COLUMN place TEXT",
        "ALTER TABLE turn ADD COLUMN guild BIGINT",
        "ALTER TABLE turn ADD COLUMN copied_from TEXT",
        "ALTER TABLE turn ADD COLUMN posts BIGINT NOT NULL DEFAULT 0",
        "UPDATE turn SET posts = (SELECT COUNT(DISTINCT message_id) FROM delivery WHERE turn_id = turn.id)",
        "ALTER TABLE turn ADD COLUMN admitted_at BIGINT NOT NULL DEFAULT 0",
        conversions.turns,
        "ALTER TABLE turn DROP COLUMN created_at",
        "ALTER TABLE turn RENAME COLUMN admitted_at TO created_at",
        # A session runs one turn at a time. What more of them are marked as running were left by dead processes.
        """
        UPDATE turn SET state = 'queued'
        WHERE state IN ('running', 'waiting') AND seq > (
            SELECT MIN(seq) FROM turn AS other
            WHERE other.session_id = turn.session_id AND other.state IN ('running', 'waiting')
        )
        """,
        "CREATE UNIQUE INDEX one_running ON turn (session_id) WHERE state IN ('running', 'waiting')",
        "CREATE INDEX turn_open ON turn (session_id, seq) WHERE state IN ('queued', 'running', 'waiting')",
        "CREATE INDEX turn_copies ON turn (copied_from) WHERE copied_from IS NOT NULL",
        "CREATE VIEW open_turn AS SELECT * FROM turn WHERE state IN ('queued', 'running', 'waiting')",
        "CREATE VIEW ended_turn AS SELECT * FROM turn WHERE state IN ('done', 'failed', 'stopped')",
        # The inbox is written first, so that of two processes with one message only one continues.
        """
        CREATE TABLE admitted (
            source TEXT NOT NULL,
            source_id TEXT NOT NULL,
            turn_id TEXT NOT NULL REFERENCES turn (id) DEFERRABLE INITIALLY DEFERRED,
            PRIMARY KEY (source, source_id)
        )
        """,
        "INSERT INTO admitted (source, source_id, turn_id) SELECT source, source_id, turn_id FROM inbox",
        "DROP TABLE inbox",
        "ALTER TABLE admitted RENAME TO inbox",
        # Times that are compared are numbers.
        "ALTER TABLE setting ADD COLUMN made_at BIGINT NOT NULL DEFAULT 0",
        conversions.settings,
        "ALTER TABLE setting DROP COLUMN changed_at",
        "ALTER TABLE setting RENAME COLUMN made_at TO changed_at",
        "ALTER TABLE lesson ADD COLUMN at BIGINT NOT NULL DEFAULT 0",
        conversions.lessons,
        "ALTER TABLE lesson DROP COLUMN learnt_at",
        "ALTER TABLE lesson RENAME COLUMN at TO learnt_at",
        "ALTER TABLE spent RENAME TO spent_by_name",
        """
        CREATE TABLE spent (
            scope TEXT NOT NULL,
            day BIGINT NOT NULL,
            tokens BIGINT NOT NULL,
            PRIMARY KEY (scope, day)
        )
        """,
        conversions.spent,
        "DROP TABLE spent_by_name",
    ),
    (
        # Cursors: what kind of place each is of, since a front end's service does not list all of them.
        "ALTER TABLE cursor_of_place ADD COLUMN kind TEXT NOT NULL DEFAULT 'unknown'",
        "ALTER TABLE cursor_of_place ADD COLUMN parent TEXT",
        "ALTER TABLE cursor_of_place ADD COLUMN guild BIGINT",
        conversions.places,
        "CREATE INDEX cursor_newest ON cursor_of_place (source, position)",
        "CREATE INDEX cursor_guild ON cursor_of_place (source, guild, position)",
        # Turns: what was asked lately in a server or a place, and the messages of a turn.
        "CREATE INDEX turn_guild ON turn (source, guild, created_at)",
        "CREATE INDEX turn_place ON turn (source, place, created_at)",
        "CREATE INDEX inbox_turn ON inbox (turn_id)",
    ),
    (
        # Sessions are listed by when they were used: all of them, or those of a server or a DM.
        "ALTER TABLE session ADD COLUMN listed_under TEXT NOT NULL DEFAULT ''",
        conversions.listed_under,
        "CREATE INDEX session_used ON session (updated_at, id)",
        "CREATE INDEX session_listed ON session (listed_under, updated_at, id)",
        # Open turns are found by who runs them and by where they came from, however many turns have ended.
        "CREATE INDEX turn_owner ON turn (owner) WHERE state IN ('queued', 'running', 'waiting')",
        "CREATE INDEX turn_source ON turn (state, source) WHERE state IN ('queued', 'running', 'waiting')",
        "DROP INDEX delivery_unsent",
        "CREATE INDEX delivery_unsent ON delivery (sent, turn_id) WHERE sent = 0",
        # Cursors are read page by page. No server is 0, since PostgreSQL sorts nothing by an index behind IS NULL.
        "DROP INDEX cursor_guild",
        "CREATE INDEX cursor_kind ON cursor_of_place (source, (COALESCE(guild, 0)), kind, position, place)",
        "CREATE INDEX cursor_parent ON cursor_of_place (source, parent) WHERE parent IS NOT NULL",
        "CREATE INDEX spent_day ON spent (day)",
    ),
    (
        # The audit log: who changed, approved, paused, cleared or used what. It has no words of a conversation.
        """
        CREATE TABLE audit (
            id TEXT PRIMARY KEY,
            at BIGINT NOT NULL,
            person TEXT NOT NULL,
            place TEXT NOT NULL,
            listed_under TEXT NOT NULL,
            action TEXT NOT NULL,
            about TEXT NOT NULL
        )
        """,
        "CREATE INDEX audit_newest ON audit (at, id)",
        "CREATE INDEX audit_listed ON audit (listed_under, at, id)",
        # What calls cost, in billionths of a dollar, and what those under way may cost beside that.
        "ALTER TABLE spent ADD COLUMN nanodollars BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE spent ADD COLUMN reserved_tokens BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE spent ADD COLUMN reserved_nanodollars BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE spent ADD COLUMN warned BIGINT NOT NULL DEFAULT 0",
        """
        CREATE TABLE reservation (
            id TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            scopes TEXT NOT NULL,
            day BIGINT NOT NULL,
            tokens BIGINT NOT NULL,
            nanodollars BIGINT NOT NULL,
            sent_tokens BIGINT NOT NULL,
            sent_nanodollars BIGINT NOT NULL
        )
        """,
        "CREATE INDEX reservation_owner ON reservation (owner)",
        # Who asked to be forgotten, and when; `finished` is when nothing from before was left, and 0 until then.
        """
        CREATE TABLE forgotten (
            person TEXT PRIMARY KEY,
            forgotten_at BIGINT NOT NULL,
            finished BIGINT NOT NULL
        )
        """,
        "CREATE INDEX forgotten_open ON forgotten (person) WHERE finished = 0",
        # Servers that an account of a front end is in (`left_at` is 0), and those it left, until these are erased.
        """
        CREATE TABLE reported_server (
            source TEXT NOT NULL,
            account BIGINT NOT NULL,
            guild BIGINT NOT NULL,
            left_at BIGINT NOT NULL,
            PRIMARY KEY (source, account, guild)
        )
        """,
        # The files that tools gave to people, in base64; a step has what they are called.
        """
        CREATE TABLE result_file (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            attempt BIGINT NOT NULL,
            call_id TEXT NOT NULL,
            number BIGINT NOT NULL,
            data TEXT NOT NULL,
            PRIMARY KEY (turn_id, attempt, call_id, number)
        )
        """,
        # What was written in a channel before a prompt there: sent with its own turn only, and kept for some days.
        """
        CREATE TABLE context_message (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            message_id TEXT NOT NULL,
            number BIGINT NOT NULL,
            body TEXT NOT NULL,
            read_at BIGINT NOT NULL,
            PRIMARY KEY (turn_id, message_id)
        )
        """,
        "CREATE INDEX context_message_id ON context_message (message_id)",
        "CREATE INDEX context_message_age ON context_message (read_at)",
        conversions.context_of_known_servers,
        # How often somebody was taken out of a turn: what was read of it before is not to be used any more.
        "DROP VIEW open_turn",
        "DROP VIEW ended_turn",
        "ALTER TABLE turn ADD COLUMN revision BIGINT NOT NULL DEFAULT 0",
        "CREATE VIEW open_turn AS SELECT * FROM turn WHERE state IN ('queued', 'running', 'waiting')",
        "CREATE VIEW ended_turn AS SELECT * FROM turn WHERE state IN ('done', 'failed', 'stopped')",
    ),
)
