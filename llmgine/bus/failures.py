"""The failure of an event handler: logged and published as an event; it affects no other handler."""

import logging
from collections.abc import Callable

from llmgine.messages.events import Event, HandlerFailedEvent
from llmgine.messages.message import inside

_log = logging.getLogger(__name__)


def name_of(handler: object) -> str:
    """A handler's name for logs: `module.function`."""
    name = getattr(handler, "__qualname__", None) or type(handler).__qualname__
    return f"{getattr(handler, '__module__', '?')}.{name}"


def failure(
    report: Callable[[HandlerFailedEvent], None],
    handler: object,
    event: Event,
    what: str,
    error: BaseException | None = None,
) -> None:
    """Log and report a handler's failure. Failures to handle a failure are only logged, or they would never end."""
    _log.error("%s failed on %s: %s", name_of(handler), type(event).__name__, what, exc_info=error)
    if not isinstance(event, HandlerFailedEvent):
        with inside(event):
            report(
                HandlerFailedEvent(
                    session_id=event.session_id,
                    handler=name_of(handler),
                    event_id=event.id,
                    event_type=type(event).__name__,
                    error=what,
                )
            )
