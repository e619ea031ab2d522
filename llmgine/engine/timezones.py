"""The time zone of a person: what /timezone shows and sets, whatever the front end."""

import asyncio
from datetime import UTC, datetime

from llmgine.bus import MessageBus
from llmgine.errors import UserError
from llmgine.messages.commands import Author, ChangeSettingCommand
from llmgine.messages.local_time import in_words, timezones
from llmgine.messages.text import shorten
from llmgine.messages.translatable import Text, tr
from llmgine.sessions import SessionStore
from llmgine.sessions.limits import TIMEZONE, timezone_scope

DEFAULT = "-"  # takes the choice away


async def set_timezone(bus: MessageBus, source: str, by: Author | None, name: str) -> None:
    """Set the zone of a person of a front end; upper and lower case do not matter.

    Raises:
        UserError: There is no zone of this name.
        StoreError: It cannot be stored.
    """
    value = None if name == DEFAULT else await _named(name)
    scope = timezone_scope(source, by)
    command = ChangeSettingCommand(scope=scope, name=TIMEZONE, value=value, changed_by=by)
    (await bus.execute(command)).unwrap()


async def told_timezone(store: SessionStore, source: str, person: Author | None) -> Text:
    """The time at which a person reads this, in their zone.

    Raises:
        StoreError: The zone cannot be looked up.
    """
    made = await store.settings.of([timezone_scope(source, person)])
    own = next((one.value for one in made if one.name == TIMEZONE), None)
    _, _, time = in_words(datetime.now(UTC), own or store.timezone).partition(", ")  # the day is in English
    if own is not None:
        return tr("Your time: {time}. I tell the model when you wrote each message.", time=time)
    return tr("Your time: {time}. This is the default zone; set yours with /timezone.", time=time)


async def matching(typed: str) -> list[str]:
    """The names of zones that a text may become: those whose place begins with it come first."""
    wanted = typed.strip().replace(" ", "_").casefold()
    found = [name for name in await asyncio.to_thread(timezones) if wanted in name.casefold()]
    return sorted(found, key=lambda name: not name.rpartition("/")[2].casefold().startswith(wanted))


async def _named(name: str) -> str:
    wanted = name.strip().replace(" ", "_").casefold()
    for known in await asyncio.to_thread(timezones):
        if known.casefold() == wanted:
            return known
    raise UserError(
        tr("There is no time zone {name}. Write one such as Europe/Berlin or UTC.", name=repr(shorten(name, 50)))
    )
