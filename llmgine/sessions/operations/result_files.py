"""The files that tools gave to people: stored with the result of the call, and deleted with its turn."""

import asyncio
import base64

from llmgine.messages.steps import ResultStep, Step, Turn
from llmgine.sessions.database import Group, Steps, query

# Of base64, and bytes of what it says: nothing else runs while a piece is worked on, whichever thread does it.
_CHARACTERS = 2**20
_BYTES = _CHARACTERS // 4 * 3


async def stored_form(step: ResultStep) -> tuple[str, ...]:
    """The data of a result's files as they are stored; empty texts for those that were left out."""
    return await asyncio.to_thread(lambda: tuple(_encoded(file.data) for file in step.result.files))


def add_files(turn: Turn, step: Step, data: tuple[str, ...]) -> Steps[None]:
    """Store the files of a result beside its step, in the same transaction; `data` is their `stored_form`."""
    if not isinstance(step, ResultStep):
        return
    for number, text in enumerate(data):
        if text:
            yield (
                """
                INSERT INTO result_file (turn_id, attempt, call_id, number, data) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT DO NOTHING
                """,
                (turn.id, turn.attempt, step.result.call_id, number, text),
            )


def forget_files(turn_id: str) -> Steps[None]:
    """Delete the files of all attempts of a turn."""
    yield "DELETE FROM result_file WHERE turn_id = $1", (turn_id,)


class ResultFiles(Group):
    """The reads of files that tools gave."""

    async def read(self, turn_id: str, attempt: int, call_id: str, number: int) -> bytes | None:
        """A file of a call by its number; None where it is not stored any more.

        Raises:
            StoreError: It cannot be read.
        """
        text = await self.text(turn_id, attempt, call_id, number)
        return None if text is None else await asyncio.to_thread(_decoded, text)

    @query
    def text(self, turn_id: str, attempt: int, call_id: str, number: int) -> Steps[str | None]:
        """A file of a call as it is stored; None where it is not any more."""
        rows = yield (
            """
            SELECT data FROM result_file WHERE turn_id = $1 AND attempt = $2 AND call_id = $3 AND number = $4
            """,
            (turn_id, attempt, call_id, number),
        )
        return str(rows[0]["data"]) if rows else None


def _encoded(data: bytes) -> str:
    return "".join(base64.b64encode(data[begin : begin + _BYTES]).decode() for begin in range(0, len(data), _BYTES))


def _decoded(text: str) -> bytes:
    pieces = (text[begin : begin + _CHARACTERS] for begin in range(0, len(text), _CHARACTERS))
    return b"".join(base64.b64decode(piece) for piece in pieces)
