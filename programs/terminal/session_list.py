"""The list of recent sessions, or of those with some words in their name."""

from llmgine.sessions import SessionStore
from llmgine.sessions.records import Position, Session
from programs.terminal.view import View

_SHOWN = 50  # sessions
_READS = 10  # pages that one search reads, so that its time does not grow with the number of sessions


async def show_sessions(store: SessionStore, view: View, words: str = "", current: str | None = None) -> None:
    """Show the most recent sessions with these words in their title or name, and say whether there may be more.

    Args:
        store: Where they are.
        view: Where they are shown.
        words: The words; none for all sessions.
        current: The session to mark.
    """
    found: list[Session] = []
    end: Position | None = None
    for _ in range(_READS):
        read = await store.sessions.page(end, most=_SHOWN - len(found), words=words)
        found += read.sessions
        end = read.end
        if end is None or len(found) == _SHOWN:
            break
    if found:
        view.sessions(found, current)
    elif end is None:
        view.note("No session has these words in its name." if words.split() else "There are no sessions yet.")
    if end is not None:
        view.note(_more(len(found), words))


def _more(shown: int, words: str) -> str:
    if shown == _SHOWN:
        return f"These are the {_SHOWN} most recent sessions. Add words to the command to search for others."
    return f"Only the most recent sessions were searched for {' '.join(words.split())!r}; older ones may match too."
