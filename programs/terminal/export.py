"""A session as JSON, for other programs and for keeping.

    {
      "version": 1,
      "session": {"id", "name", "system_prompt", "updated_at"},
      "turns": [{"id", "seq", "state", "source", "created_at", "steps": [{"kind", ...}, ...]}, ...]
    }

Turns are those with an outcome since the session was last cleared, oldest first. Times are ISO 8601 in UTC.
`system_prompt` is null where the session has none of its own. A step's `kind` is `prompt` (text, author), `reply`
(round, text, tool_calls, finish, model, usage, seconds), `waiting` (round, call_id, deadline), `decision` (call_id,
approved, decided_by), `started` (round, call_id), `result` (round, result, seconds) or `outcome` (state, notice,
partial, seconds). Fields may be added; `version` changes when one is taken away or means something else.
"""

import json
import os
from pathlib import Path

from llmgine.errors import RefusedError
from llmgine.messages.text import escape
from llmgine.sessions import SessionStore

VERSION = 1


async def export(store: SessionStore, session_id: str) -> str:
    """The session as indented JSON text.

    Raises:
        UnknownSessionError: There is no such session.
    """
    session = await store.session(session_id)
    turns = await store.history(session_id)
    data = {
        "version": VERSION,
        "session": session.model_dump(mode="json", include={"id", "name", "system_prompt", "updated_at"}),
        "turns": [
            {
                **turn.turn.model_dump(mode="json", include={"id", "seq", "state", "source", "created_at"}),
                "steps": [step.model_dump(mode="json") for step in turn.steps],
            }
            for turn in turns
        ],
    }
    return escape(json.dumps(data, ensure_ascii=False, indent=2), keep="\n")


def write_new(file: str, text: str) -> Path:
    """Write a file that only its owner can read; gives its absolute path.

    Raises:
        RefusedError: The file is there already, or cannot be written.
    """
    try:
        path = Path(file).expanduser().absolute()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text + "\n")
    except FileExistsError:
        raise RefusedError(f"{file} is there already and is not overwritten; name another file.") from None
    except (OSError, ValueError, RuntimeError) as error:  # a folder that is not there, a NUL, a ~name that is nobody
        raise RefusedError(f"{file} cannot be written: {error}") from error
    return path
