"""The events a gateway session may ask for."""

from enum import IntFlag


class Intent(IntFlag):
    """The intents that make a difference here, by Discord's bits."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_EXPRESSIONS = 1 << 3
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_REACTIONS = 1 << 10
    GUILD_MESSAGE_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_MESSAGE_REACTIONS = 1 << 13
    DIRECT_MESSAGE_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15
    GUILD_MESSAGE_POLLS = 1 << 24
    DIRECT_MESSAGE_POLLS = 1 << 25

    @classmethod
    def known(cls) -> int:
        """All of them, as a number."""
        return sum(cls)

    @classmethod
    def privileged(cls) -> "Intent":
        """Those that must be switched on for the application."""
        return cls.GUILD_MEMBERS | cls.GUILD_PRESENCES
