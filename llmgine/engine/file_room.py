"""The files that the tools of one turn give: how many there may be, and how large."""

from llmgine.messages.chat_messages import ResultFile, ToolResult
from llmgine.messages.steps import ResultStep
from llmgine.messages.translatable import tr
from llmgine.turn_state import TurnState

MOST_FILES = 30  # of one turn
MOST_BYTES = 50 * 2**20  # of the files of one turn together

_TOO_MUCH = tr("was left out: the tools gave too many files, or too large ones")


class FileRoom:
    """Counts the files of a turn. What is more than may be is left out with a note.

    Args:
        state: What is committed of the turn.
    """

    def __init__(self, state: TurnState) -> None:
        given = [file for call in state.calls.values() if call.result is not None for file in call.result.files]
        kept = [file for file in given if file.note is None]
        self._files = MOST_FILES - len(kept)
        self._bytes = MOST_BYTES - sum(file.size for file in kept)

    def take(self, result: ToolResult) -> ToolResult:
        """The result with the files that there is room for; the others have a note, and no data."""
        return result.model_copy(update={"files": tuple(self._taken(file) for file in result.files)})

    def _taken(self, file: ResultFile) -> ResultFile:
        if self._files < 1 or file.size > self._bytes:
            return file.model_copy(update={"note": _TOO_MUCH, "data": b""})
        self._files -= 1
        self._bytes -= file.size
        return file


def without_data(step: ResultStep) -> ResultStep:
    """The step without what is in its files, once that is stored: a turn is kept in memory for longer than that."""
    files = step.result.files
    if not files:
        return step
    bare = tuple(file.model_copy(update={"data": b""}) for file in files)
    return step.model_copy(update={"result": step.result.model_copy(update={"files": bare})})
