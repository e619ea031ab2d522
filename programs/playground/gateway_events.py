"""Every event of the playground: who gets it, whether the page shows it, and whose view of the channels it changes."""

from dataclasses import dataclass
from enum import Enum, auto

from programs.playground.entities import BOT_ID, Json
from programs.playground.intents import Intent


class View(Enum):
    """Whose view of the channels may be another after an event: which they see, and what they may do in them."""

    NOBODYS = auto()  # The event is about something else.
    OF_ITS_CHANNEL = auto()  # Everybody's, of the channel that the event names and of the category around it.
    OF_ITS_MEMBER = auto()  # That of the member the event names, of every channel.
    EVERYBODYS = auto()  # Everybody's, of every channel.


@dataclass(frozen=True)
class Event:
    """What is known of all events of one name.

    Attributes:
        in_guild: The intents of which a bot needs one to get it in a server; `ANY` when every bot gets it, None when
            no bot does.
        in_dm: The same for a direct message.
        shown: Whether the page gets it.
        kept: Whether it is about something that is in the saved file.
        view: Whose view of the channels it changes.
    """

    in_guild: Intent | None = None
    in_dm: Intent | None = None
    shown: bool = True
    kept: bool = True
    view: View = View.NOBODYS


ANY = Intent(0)
_MESSAGES = (Intent.GUILD_MESSAGES, Intent.DIRECT_MESSAGES)
_REACTIONS = (Intent.GUILD_MESSAGE_REACTIONS, Intent.DIRECT_MESSAGE_REACTIONS)
_POLLS = (Intent.GUILD_MESSAGE_POLLS, Intent.DIRECT_MESSAGE_POLLS)
_TYPING = (Intent.GUILD_MESSAGE_TYPING, Intent.DIRECT_MESSAGE_TYPING)

EVENTS = {
    "CHANNEL_CREATE": Event(Intent.GUILDS, view=View.OF_ITS_CHANNEL),  # a bot learns of a DM by its first message
    "CHANNEL_DELETE": Event(Intent.GUILDS, view=View.OF_ITS_CHANNEL),
    "CHANNEL_PINS_UPDATE": Event(Intent.GUILDS, Intent.DIRECT_MESSAGES, shown=False),
    "CHANNEL_UPDATE": Event(Intent.GUILDS, view=View.OF_ITS_CHANNEL),
    "GUILD_CREATE": Event(Intent.GUILDS, shown=False),
    "GUILD_DELETE": Event(Intent.GUILDS, shown=False),
    "GUILD_MEMBERS_CHUNK": Event(ANY, shown=False),
    "GUILD_MEMBER_ADD": Event(Intent.GUILD_MEMBERS, view=View.OF_ITS_MEMBER),
    "GUILD_MEMBER_REMOVE": Event(Intent.GUILD_MEMBERS, view=View.OF_ITS_MEMBER),
    "GUILD_MEMBER_UPDATE": Event(ANY, view=View.OF_ITS_MEMBER),
    "GUILD_ROLE_CREATE": Event(Intent.GUILDS),
    "GUILD_ROLE_DELETE": Event(Intent.GUILDS, view=View.EVERYBODYS),
    "GUILD_ROLE_UPDATE": Event(Intent.GUILDS, view=View.EVERYBODYS),
    "GUILD_STICKERS_UPDATE": Event(Intent.GUILD_EXPRESSIONS, shown=False),
    "INTERACTION_CREATE": Event(ANY, ANY, shown=False),
    "MESSAGE_CREATE": Event(*_MESSAGES),
    "MESSAGE_DELETE": Event(*_MESSAGES),
    "MESSAGE_DELETE_BULK": Event(*_MESSAGES),
    "MESSAGE_POLL_VOTE_ADD": Event(*_POLLS, shown=False),
    "MESSAGE_POLL_VOTE_REMOVE": Event(*_POLLS, shown=False),
    "MESSAGE_REACTION_ADD": Event(*_REACTIONS),
    "MESSAGE_REACTION_REMOVE": Event(*_REACTIONS),
    "MESSAGE_UPDATE": Event(*_MESSAGES),
    "READY": Event(ANY, ANY, shown=False),
    "RESUMED": Event(ANY, ANY, shown=False),
    "THREAD_CREATE": Event(Intent.GUILDS),
    "THREAD_DELETE": Event(Intent.GUILDS),
    "THREAD_LIST_SYNC": Event(Intent.GUILDS, shown=False),
    "THREAD_MEMBERS_UPDATE": Event(Intent.GUILDS, shown=False, view=View.OF_ITS_CHANNEL),
    "THREAD_UPDATE": Event(Intent.GUILDS),
    "TYPING_START": Event(*_TYPING, kept=False),
    # The page's own, which no bot gets.
    "BOT_STATUS": Event(kept=False),
    "COMMANDS_UPDATE": Event(),
    "INTERACTION_DEFERRED": Event(kept=False),
    "INTERACTION_DONE": Event(kept=False),
    "INTERACTION_FAILED": Event(kept=False),
    "INTERACTION_PENDING": Event(kept=False),
    "MODAL_OPEN": Event(kept=False),
    "PERMISSIONS": Event(),
    "REQUEST": Event(kept=False),
}
_UNKNOWN = Event(ANY, ANY, shown=False)  # as Discord has many that are not here


def event_of(name: str) -> Event:
    """What is known of an event; of a name that is not here, that every bot gets it."""
    return EVENTS.get(name, _UNKNOWN)


def told_to_bots() -> list[str]:
    """The names of all events that a gateway session may get, sorted."""
    return sorted(name for name, event in EVENTS.items() if event.in_guild is not None or event.in_dm is not None)


def needed(name: str, data: Json) -> Intent | None:
    """The intents of which a bot needs one to get this event; `ANY` for every bot, None for none."""
    event = event_of(name)
    return event.in_guild if "guild_id" in data else event.in_dm


def as_intended(name: str, data: Json, intents: Intent) -> Json | None:
    """The event for a session with these intents: None when it does not get it.

    Without the message content intent a message is emptied, unless it is the bot's own, a DM or mentions the bot.
    """
    if not intents & Intent.GUILD_MEMBERS and name in ("GUILD_MEMBER_UPDATE", "THREAD_MEMBERS_UPDATE"):
        return _about_oneself(name, data)
    wanted = needed(name, data)
    if wanted is None or (wanted and not intents & wanted):
        return None
    in_guild = "guild_id" in data
    if name not in ("MESSAGE_CREATE", "MESSAGE_UPDATE") or intents & Intent.MESSAGE_CONTENT or not in_guild:
        return data
    bot = str(BOT_ID)
    if data["author"]["id"] == bot or any(user["id"] == bot for user in data["mentions"]):
        return data
    return data | {"content": "", "embeds": [], "components": [], "attachments": []}


def _about_oneself(name: str, data: Json) -> Json | None:
    """What is left of an event on members without the intent: the bot's own part."""
    bot = str(BOT_ID)
    if name == "GUILD_MEMBER_UPDATE":
        return data if data["user"]["id"] == bot else None
    added = [member for member in data["added_members"] if member["user_id"] == bot]
    removed = [user_id for user_id in data["removed_member_ids"] if user_id == bot]
    return data | {"added_members": added, "removed_member_ids": removed} if added or removed else None
