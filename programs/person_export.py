"""What is stored of a person, as files: JSON for programs, and Markdown to read.

    {"version": 1, "person": "…", "part": 1, "entries": [{"kind": "turn", …}, …]}

The kinds of entries: `turn`, a question with its answer, as in a session's export; `image`, a file that came with one,
as a data URL; `quoted`, `mentioned` and `decided`, what other people's questions have of the person; `read`, what they
wrote before a question and was read for it; `row`, what else is stored, such as settings. Large exports have several
parts, each a whole document. The log has the same words but for those of `read`, and when commands were used; it is not
in the export.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Literal

from pydantic import JsonValue

from llmgine.messages.commands import Quote
from llmgine.messages.pointed_at import quotes_of
from llmgine.messages.steps import DecisionStep, PromptStep
from llmgine.messages.text import escape
from llmgine.observability.redaction import Redactor
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import now
from llmgine.sessions.forgetting import turns_with
from llmgine.sessions.records import TurnSteps
from programs.export import turn_as_data, turn_as_markdown

Format = Literal["json", "md"]

VERSION = 1
_JSON_ROOM = 200  # bytes of a part around its entries
_redact = Redactor()  # of what earlier versions stored


async def parts(store: SessionStore, person: str, form: Format, most: int) -> AsyncIterator[bytes]:
    """The files, one after the other; no more than one is in memory.

    Args:
        store: Where it is stored.
        person: The person's id.
        form: The format.
        most: How many bytes a file may have. An entry that is larger is a file of its own.

    Raises:
        StoreError: The store failed.
    """
    write: Callable[[str, int, Sequence[str]], str] = _json if form == "json" else _markdown
    waiting: list[str] = []
    size = number = 0
    async for entry in _entries(store, person, form):
        length = len(entry.encode()) + 2
        if waiting and size + length > most - _JSON_ROOM:
            number += 1
            yield write(person, number, waiting).encode()
            waiting, size = [], 0
        waiting.append(entry)
        size += length
    if waiting or not number:
        yield write(person, number + 1, waiting).encode()


def _json(person: str, part: int, entries: Sequence[str]) -> str:
    head = json.dumps({"version": VERSION, "person": person, "part": part})
    return f'{head[:-1]}, "entries": [\n' + ",\n".join(entries) + "\n]}\n"


def _markdown(_person: str, _part: int, entries: Sequence[str]) -> str:
    return "\n\n".join(["# What I store about you", *entries]) + "\n"


async def _entries(store: SessionStore, person: str, form: Format) -> AsyncIterator[str]:
    """All entries, as text in the format."""
    async for turn_ids in turns_with(store, person, now()):
        theirs = {found.turn.id for found in await store.people.theirs(person, turn_ids)}
        for turn in await store.turns.many(turn_ids):
            for found in await _read_before(store, turn, person):
                yield _entry(found) if form == "json" else _line(found)
            if turn.turn.id not in theirs:
                for found in _of_others(turn, person):
                    yield _entry(found) if form == "json" else _line(found)
            elif form == "md":
                yield await asyncio.to_thread(_readable, turn)
            else:
                yield await asyncio.to_thread(_entry, {"kind": "turn", **turn_as_data(turn)})
                async for image in _images(store, turn):
                    yield json.dumps(image)
    for row in await store.people.elsewhere(person):
        yield _entry({"kind": "row", **row}) if form == "json" else _line({"kind": "stored", "what": row})


async def _images(store: SessionStore, turn: TurnSteps) -> AsyncIterator[dict[str, JsonValue]]:
    """The images of a turn, one at a time."""
    files = [one for prompt in turn.state.prompts for one in prompt.attachments]
    for file in files:
        for data in await store.turns.images(turn.turn.id, [] if file.image is None else [file.image]):
            yield {"kind": "image", "turn_id": turn.turn.id, "name": file.name, "data": data}


async def _read_before(store: SessionStore, turn: TurnSteps, person: str) -> list[dict[str, JsonValue]]:
    """What the person wrote before a question, as far as it was read for that."""
    if turn.state.context is None:
        return []
    read = await store.context_messages.of(turn.turn.id)
    about: dict[str, JsonValue] = {"kind": "read", "turn_id": turn.turn.id}
    return [about | {"created_at": one.at.isoformat(), "what": one.text} for one in read if one.author.id == person]


def _of_others(turn: TurnSteps, person: str) -> list[dict[str, JsonValue]]:
    """What a turn of somebody else has of the person."""
    about: dict[str, JsonValue] = {"turn_id": turn.turn.id, "created_at": turn.turn.created_at.isoformat()}
    found: list[dict[str, JsonValue]] = []
    for step in turn.steps:
        if isinstance(step, PromptStep):
            theirs = [one for one in quotes_of(step) if one.author is not None and one.author.id == person]
            found += [{"kind": "quoted", **about, "what": _words_of(one)} for one in theirs]
            names = {name for mark, name in step.mentions.items() if person in mark}
            found += [{"kind": "mentioned", **about, "what": name} for name in sorted(names)]
        elif isinstance(step, DecisionStep) and step.decided_by is not None and step.decided_by.id == person:
            found.append({"kind": "decided", **about, "what": step.model_dump(mode="json")})
    return found


def _words_of(quote: Quote) -> str:
    """What is quoted, with the names of what came with it."""
    files = [f"[file {one.name}]" for one in quote.attachments]
    return "\n".join([quote.text, *(one.text for one in quote.material), *files])


def _readable(turn: TurnSteps) -> str:
    return _redact(turn_as_markdown(turn))


def _line(found: dict[str, JsonValue]) -> str:
    return _redact(f"- {found['kind']}: {json.dumps(found['what'], ensure_ascii=False)}")


def _entry(data: dict[str, JsonValue]) -> str:
    return _redact(escape(json.dumps(data, ensure_ascii=False)))
