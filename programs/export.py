"""A session as a file: as Markdown for people, and as JSON for other programs and for archives.

    {
      "version": 1,
      "session": {"id", "name", "system_prompt", "updated_at"},
      "turns": [{"id", "seq", "state", "source", "created_at", "steps": [{"kind", ...}, ...]}, ...]
    }

Turns are those with an outcome since the session was last cleared, oldest first. Times are ISO 8601 in UTC.
`system_prompt` is null where the session has none of its own. A step's `kind` is `prompt` (text, author), `reply`
(round, text, tool_calls, finish, model, usage, seconds), `waiting` (round, call_id, deadline), `decision` (call_id,
approved, decided_by), `started` (round, call_id), `result` (round, result, seconds) or `outcome` (state, notice,
partial, seconds). Fields may be added; `version` changes when one is removed or changes its meaning.
"""

import json
from datetime import datetime

from pydantic import JsonValue

from llmgine.messages.steps import PromptStep
from llmgine.messages.text import collapse_spaces, escape, shorten
from llmgine.observability.redaction import Redactor
from llmgine.sessions import SessionStore
from llmgine.sessions.records import TurnSteps

VERSION = 1
_redact = Redactor()  # of what earlier versions stored


async def as_json(store: SessionStore, session_id: str) -> str:
    """The session as indented JSON text.

    Raises:
        UnknownSessionError: There is no such session.
    """
    session = await store.sessions.get(session_id)
    turns = await store.turns.history(session_id)
    data = {
        "version": VERSION,
        "session": session.model_dump(mode="json", include={"id", "name", "system_prompt", "updated_at"}),
        "turns": [turn_as_data(turn) for turn in turns],
    }
    return _redact(escape(json.dumps(data, ensure_ascii=False, indent=2), keep="\n"))


def turn_as_data(turn: TurnSteps) -> dict[str, JsonValue]:
    """A turn as JSON has it."""
    return {
        **turn.turn.model_dump(mode="json", include={"id", "seq", "state", "source", "created_at"}),
        "steps": [step.model_dump(mode="json") for step in turn.steps],
    }


async def as_markdown(store: SessionStore, session_id: str) -> str:
    """The session as people read it: who said what and when, the answers, and in short which tools were called.

    Raises:
        UnknownSessionError: There is no such session.
    """
    session = await store.sessions.get(session_id)
    title = collapse_spaces(session.title or session.name)
    turns = [turn_as_markdown(turn) for turn in await store.turns.history(session_id)]
    head = [f"# {title}", f"{collapse_spaces(session.name)}, as of {_time(session.updated_at)}"]
    return _redact("\n\n".join([*head, *turns]))


def turn_as_markdown(turn: TurnSteps) -> str:
    """A turn as people read it."""
    state = turn.state
    author = state.prompt.author
    who = collapse_spaces(author.name) if author else "You"
    parts = [f"## {who}, {_time(turn.turn.created_at)}", *map(_said, state.prompts), "## Answer"]
    for reply in state.replies:
        parts += [reply.text] if reply.text else []
        for call in reply.tool_calls:
            result = state.calls[call.id].result
            said = collapse_spaces(result.for_people) if result else "no result"
            parts.append(f"- `{call.name}({shorten(collapse_spaces(call.arguments), 300)})`: {shorten(said, 300)}")
            parts += [f"  - file: {file.name} ({file.size:,} bytes)" for file in (result.files if result else ())]
            parts += [f"  - source: {one.name} <{one.url}>" for one in (result.sources if result else ())]
    if (outcome := state.outcome) is not None:
        parts += [text for text in (outcome.partial, outcome.notice and f"*{outcome.notice}*") if text]
    return "\n\n".join(parts)


def _said(prompt: PromptStep) -> str:
    """What somebody said, with names in place of the marks of those it mentions."""
    text = prompt.text
    for mark, name in prompt.mentions.items():
        text = text.replace(mark, name if name.startswith("#") else f"@{name}")
    return text


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"
