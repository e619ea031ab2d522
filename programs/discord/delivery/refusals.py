"""The ways in which Discord does not do what it is asked, sorted by what helps; numbers are Discord's own codes."""

import aiohttp
import discord

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE = 10003, 10008
ARCHIVED, THREAD_EXISTS, LOCKED = 50083, 160004, 160005
NO_ACCESS, _DM_CLOSED, NO_PERMISSION = 50001, 50007, 50013
_TOO_OLD = 30046
_TOO_LARGE = 40005
_NO_HISTORY = 160002
_AGAINST_THE_RULES = {200000, 200001, 240000}  # AutoMod, its title filter, and the filter of links

_REFUSED = (400, 403, 404, 405, 413)  # statuses that the same request will meet again


class UnreachableError(Exception):
    """Not now: Discord gave no answer on all tries, and the request may have arrived or not."""


class MustWaitError(UnreachableError):
    """Not before so many seconds are over, which is longer than a request waits by itself."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Discord asks to wait {seconds:.0f} s")
        self.seconds = seconds


class BreakerOpenError(aiohttp.ClientError):
    """No request is made for `retry_after` seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("Discord asked for no more requests")
        self.retry_after = retry_after


class ShutOutError(UnreachableError):
    """Not before somebody lets the bot write there: a permission is missing, or the person takes no DMs."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the bot may not write there ({code})")
        self.code = code

    @property
    def by_a_person(self) -> bool:
        """Whether it is a person who takes no DMs."""
        return self.code == _DM_CLOSED


class DeliveryRefusedError(Exception):
    """Never, as it is."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code

    @property
    def gone(self) -> bool:
        """Whether the channel is no longer there."""
        return self.code == UNKNOWN_CHANNEL

    @property
    def no_message(self) -> bool:
        """Whether the message is no longer there."""
        return self.code == UNKNOWN_MESSAGE

    @property
    def no_history(self) -> bool:
        """Whether a reply is refused because the bot may not read what was said before."""
        return self.code == _NO_HISTORY

    @property
    def locked(self) -> bool:
        """Whether it is a thread that the bot cannot open."""
        return self.code == LOCKED

    @property
    def too_old(self) -> bool:
        """Whether the message is too old for one more edit."""
        return self.code == _TOO_OLD

    @property
    def too_large(self) -> bool:
        """Whether what is attached is larger than the server takes."""
        return self.code == _TOO_LARGE

    @property
    def against_the_rules(self) -> bool:
        """Whether the server's own rules forbid the text."""
        return self.code in _AGAINST_THE_RULES


def sorted_out(error: Exception) -> Exception:
    """What discord.py raised, or a connection, as one of ours."""
    if isinstance(error, discord.RateLimited | BreakerOpenError):
        return MustWaitError(error.retry_after)
    status, code = getattr(error, "status", None), getattr(error, "code", 0)
    if code in (NO_ACCESS, _DM_CLOSED, NO_PERMISSION):
        return ShutOutError(code)
    if status in _REFUSED or code == _TOO_OLD:
        return DeliveryRefusedError(code, str(error))
    return UnreachableError(str(error) or type(error).__name__)
