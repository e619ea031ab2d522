"""What a gateway session asked to hear, and what is left of an event for it."""

from enum import IntFlag

from programs.playground.entities import BOT_ID, Json


class Intent(IntFlag):
    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_REACTIONS = 1 << 10
    GUILD_MESSAGE_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_MESSAGE_REACTIONS = 1 << 13
    DIRECT_MESSAGE_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15

    @classmethod
    def known(cls) -> int:
        return sum(cls)

    @classmethod
    def privileged(cls) -> "Intent":
        return cls.GUILD_MEMBERS | cls.GUILD_PRESENCES


# For each event: the intent it needs in a guild, and in a DM.
_NEEDED = {
    "MESSAGE_CREATE": (Intent.GUILD_MESSAGES, Intent.DIRECT_MESSAGES),
    "MESSAGE_UPDATE": (Intent.GUILD_MESSAGES, Intent.DIRECT_MESSAGES),
    "MESSAGE_DELETE": (Intent.GUILD_MESSAGES, Intent.DIRECT_MESSAGES),
    "MESSAGE_REACTION_ADD": (Intent.GUILD_MESSAGE_REACTIONS, Intent.DIRECT_MESSAGE_REACTIONS),
    "MESSAGE_REACTION_REMOVE": (Intent.GUILD_MESSAGE_REACTIONS, Intent.DIRECT_MESSAGE_REACTIONS),
    "TYPING_START": (Intent.GUILD_MESSAGE_TYPING, Intent.DIRECT_MESSAGE_TYPING),
    "MESSAGE_DELETE_BULK": (Intent.GUILD_MESSAGES, Intent.DIRECT_MESSAGES),
    "GUILD_MEMBER_ADD": (Intent.GUILD_MEMBERS, Intent.GUILD_MEMBERS),
    "GUILD_MEMBER_REMOVE": (Intent.GUILD_MEMBERS, Intent.GUILD_MEMBERS),
    "GUILD_ROLE_CREATE": (Intent.GUILDS, Intent.GUILDS),
    "GUILD_ROLE_UPDATE": (Intent.GUILDS, Intent.GUILDS),
    "GUILD_ROLE_DELETE": (Intent.GUILDS, Intent.GUILDS),
    "CHANNEL_CREATE": (Intent.GUILDS, Intent.DIRECT_MESSAGES),
    "CHANNEL_PINS_UPDATE": (Intent.GUILDS, Intent.DIRECT_MESSAGES),
    "CHANNEL_UPDATE": (Intent.GUILDS, Intent.GUILDS),
    "CHANNEL_DELETE": (Intent.GUILDS, Intent.GUILDS),
    "THREAD_CREATE": (Intent.GUILDS, Intent.GUILDS),
    "THREAD_UPDATE": (Intent.GUILDS, Intent.GUILDS),
    "THREAD_DELETE": (Intent.GUILDS, Intent.GUILDS),
    "THREAD_MEMBERS_UPDATE": (Intent.GUILDS, Intent.GUILDS),
}

# All that a session may be told.
EVENTS = frozenset(_NEEDED) | {
    "GUILD_CREATE",
    "GUILD_DELETE",
    "GUILD_MEMBERS_CHUNK",
    "GUILD_MEMBER_UPDATE",
    "INTERACTION_CREATE",
    "READY",
    "RESUMED",
}


def as_intended(name: str, data: Json, intents: Intent) -> Json | None:
    """The event for a session with these intents: None when it does not hear it.

    Without the message content intent a message is emptied, unless it is the bot's own, a DM or mentions the bot.
    """
    in_guild = "guild_id" in data
    if not intents & Intent.GUILD_MEMBERS and name in ("GUILD_MEMBER_UPDATE", "THREAD_MEMBERS_UPDATE"):
        return _about_oneself(name, data)
    if name in _NEEDED and not intents & _NEEDED[name][0 if in_guild else 1]:
        return None
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
