"""The bot's token: who has it is the bot, until Discord takes it back."""

import secrets


class Credentials:
    """The bot's token, which Discord may revoke."""

    def __init__(self, token: str) -> None:
        self.token = token
        self._revoked = False

    def accept(self, given: str) -> bool:
        """Whether this is the token; compared in constant time."""
        same = secrets.compare_digest(given.encode("utf-8", "surrogatepass"), self.token.encode())
        return same and not self._revoked

    def revoke(self) -> None:
        """What Discord does to a bot that identifies more than a thousand times a day."""
        self._revoked = True
