"""The bot's token: who has it is the bot, until Discord takes it back."""

import base64
import secrets
from collections.abc import Callable

from programs.playground.entities import BOT_ID


def new_token(secret: Callable[[int], str]) -> str:
    """A token in the form of Discord's: the bot's id in base64, six characters and 38 characters, with dots between.

    Libraries read the id from it, or refuse a token of another form; the bot's log blots out what has this form.

    Args:
        secret: Makes URL-safe base64 text of so many random bytes.
    """
    bot = base64.urlsafe_b64encode(str(BOT_ID).encode()).decode().rstrip("=")
    return f"{bot}.{secret(4)}.{secret(28)}"


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
