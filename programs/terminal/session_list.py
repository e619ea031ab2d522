"""The list of recent sessions, or of those with some words in their name, and the one that the command line names."""

from llmgine.errors import UnknownSessionError, UserError
from llmgine.sessions import SessionStore
from llmgine.sessions.records import Position, Session
from programs.terminal.current_session import SOURCE
from programs.terminal.terminal_text import one_line
from programs.terminal.view import View

NO_SESSIONS = "There are no sessions yet."
NOTHING_TO_CONTINUE = "There is no session to continue; start one by asking something, without --continue."

_SHOWN = 50  # sessions
_READS = 10  # pages that one search reads, so that its time does not grow with the number of sessions
_PAGE = 200  # sessions


async def show_sessions(store: SessionStore, view: View, words: str = "", current: str | None = None) -> None:
    """Show the most recent sessions with these words in their title or name, and say whether there may be more.

    Args:
        store: Where they are.
        view: Where they are shown.
        words: The words; none for all sessions.
        current: The session to mark.
    """
    found, is_all = await _search(store, words)
    if found:
        view.sessions(found, current)
    elif is_all:
        view.note("No session has these words in its name." if words.split() else NO_SESSIONS)
    if not is_all:
        view.note(_more(len(found), words))


async def session_called(store: SessionStore, view: View, name: str) -> Session:
    """The session with this id, else the one with this name, with a name that begins so, or with this in its name.

    Args:
        store: Where it is.
        view: Where those are shown that it may be.
        name: What it is called.

    Raises:
        UserError: There is none, or there are several.
    """
    try:
        return await store.sessions.get(name)
    except UnknownSessionError:
        found, _ = await _search(store, name)
    wanted, shown = name.casefold(), one_line(name, 60)
    exact, beginning, containing = (
        [one for one in found if any(fits(text.casefold(), wanted) for text in (one.name, one.title) if text)]
        for fits in (str.__eq__, str.startswith, str.__contains__)
    )
    best = exact or beginning or containing
    if not best:
        raise UserError(f"There is no session {shown!r}; list them with --list-sessions or /sessions")
    if len(best) > 1:
        with view.aside():
            view.sessions(best, None)
        raise UserError(f"{len(best)} sessions fit {shown!r}; give the id of one of them to --session")
    return best[0]


async def last_session(store: SessionStore) -> Session:
    """The session of the terminal that was used last.

    Raises:
        UserError: There is none.
    """
    end: Position | None = None
    while True:
        page = await store.sessions.page(end, most=_PAGE)
        for session in page.sessions:
            if session.id.startswith(f"{SOURCE}:"):
                return session
        end = page.end
        if end is None:
            raise UserError(NOTHING_TO_CONTINUE)


async def _search(store: SessionStore, words: str) -> tuple[list[Session], bool]:
    """The most recent sessions with these words, and whether these are all."""
    found: list[Session] = []
    end: Position | None = None
    for _ in range(_READS):
        read = await store.sessions.page(end, most=_SHOWN - len(found), words=words)
        found += read.sessions
        end = read.end
        if end is None or len(found) == _SHOWN:
            break
    return found, end is None


def _more(shown: int, words: str) -> str:
    if shown == _SHOWN:
        return f"These are the {_SHOWN} most recent sessions. Add words to the command to search for others."
    return f"Only the most recent sessions were searched for {' '.join(words.split())!r}; older ones may match too."
