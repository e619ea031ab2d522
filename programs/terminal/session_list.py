"""The list of sessions: those used last, or those that have some words in their name."""

from llmgine.sessions import SessionStore
from llmgine.sessions.records import Position, Session
from programs.terminal.view import View

_SHOWN = 50  # sessions
_READS = 10  # how often a search reads on, so that it takes no longer the more sessions there are


async def show_sessions(store: SessionStore, view: View, words: str = "", current: str | None = None) -> None:
    """Show the sessions used last that have these words in their title or name, and say whether there may be more.

    Args:
        store: Where they are.
        view: Where they are shown.
        words: The words; none for all sessions.
        current: The session that is marked.
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
        return f"These are the {_SHOWN} used last; there may be more. Words after the command search for others."
    return f"Only the sessions used last were searched for {' '.join(words.split())!r}; older ones may have it too."
