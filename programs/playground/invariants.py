"""What must be true after every scenario, whatever went wrong in it, as far as it can be seen from Discord's side.

I1 each message addressed to the bot has exactly one outcome, one that is gone none; I2 no part is shown twice; I5
outcomes come in the order of their messages; I7 Discord would have taken every request; I8 no secret was sent; I9 the
bot was refused no more often than expected; I10 nothing half-written and no typing is left.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from programs.playground.entities import BOT_ID, ChannelType, Flag, Message, MessageType
from programs.playground.server import Playground
from programs.playground.snowflakes import moment

HALF_WRITTEN = "▌"
_REFUSED = (401, 403, 429)
_FINISHES_TYPING = ("MESSAGE_CREATE", "MESSAGE_UPDATE")


class BrokenInvariantError(AssertionError):
    """At least one invariant is broken; the text names each breach."""


class Invariants:
    """The checks, each of which yields its breaches in words.

    Args:
        playground: what to check, once everything is quiet.
        addressed: whether a person's message asks for an outcome; by default those in DMs and with a mention do.
        secrets: texts that nothing the bot sends may contain, beside its token.
        refusals: how many answers 401, 403 and 429 the scenario explains.
        burst: within how many seconds a person's messages may be answered by one outcome, which is the last one's.
    """

    def __init__(
        self,
        playground: Playground,
        *,
        addressed: Callable[[Message], bool] | None = None,
        secrets: Iterable[str] = (),
        refusals: int = 0,
        burst: float = 0.0,
    ) -> None:
        self._playground = playground
        self._state = playground.state
        self._addressed = addressed or self._asks
        self._secrets = (*secrets, playground.token)
        self._refusals = refusals
        self._burst = burst

    def require(self) -> None:
        """Raises BrokenInvariantError, and ValueError when the log has forgotten what it would be judged by."""
        if not self._playground.log.complete:
            raise ValueError("The log is full: check more often, or in a new playground.")
        if breaches := self.breaches():
            raise BrokenInvariantError("\n".join(breaches))

    def breaches(self) -> list[str]:
        """Every promise that was broken so far, each as a sentence that begins with its number."""
        checks = (
            ("I1", self.one_outcome),
            ("I1", self.nothing_orphaned),
            ("I2", self.nothing_twice),
            ("I5", self.in_order),
            ("I7", self.every_request_valid),
            ("I8", self.no_secret),
            ("I9", self.few_refusals),
            ("I10", self.nothing_half_done),
        )
        return [f"{name}: {breach}" for name, check in checks for breach in check()]

    def one_outcome(self) -> Iterator[str]:
        """An outcome is known by its first part, which replies to the message."""
        for message in self._prompts():
            count = len(self._outcomes(message))
            if count != 1 and not (count == 0 and self._is_answered_with_the_next(message)):
                yield f"{count} outcomes for message {message.id} {message.content[:50]!r}"

    def nothing_orphaned(self) -> Iterator[str]:
        """What answers a message goes with it."""
        for one in self._shown():
            if one.reference is None or one.reference.channel_id not in self._state.channels:
                continue
            if one.reference.message_id is None:  # Discord's note of a thread leads to the thread itself
                continue
            if one.reference.message_id not in self._state.channels[one.reference.channel_id].messages:
                yield f"message {one.id} {one.content[:50]!r} answers {one.reference.message_id}, which is gone"

    def nothing_twice(self) -> Iterator[str]:
        """No two messages of the bot have one nonce."""
        nonces = Counter(message.nonce for message in self._shown() if message.nonce is not None)
        for nonce, count in nonces.items():
            if count > 1:
                yield f"{count} messages with the nonce {nonce!r}"

    def in_order(self) -> Iterator[str]:
        """The answers of a channel are in the order of their questions."""
        for channel in self._state.channels.values():
            prompts = [message for message in self._prompts() if message.channel_id == channel.id]
            answered = [found[0] for message in prompts if (found := self._outcomes(message))]
            for earlier, later in pairwise(answered):
                if earlier.id > later.id:
                    yield f"message {later.id} in {channel.name or 'a DM'} answers before {earlier.id} does"

    def every_request_valid(self) -> Iterator[str]:
        """Every exchange fits Discord's document."""
        yield from (f"by the {one.by}: {one.text}" for one in self._playground.violations)

    def no_secret(self) -> Iterator[str]:
        """No request has a secret in it."""
        for record in self._playground.requests:
            sent = json.dumps(record.request, ensure_ascii=False)
            if any(secret and secret in sent for secret in self._secrets):
                yield f"{record.method} {record.path} carries a secret"

    def few_refusals(self) -> Iterator[str]:
        """No more requests were refused than is allowed."""
        refused = [one for one in self._playground.requests if one.status in _REFUSED and not one.shared]
        if len(refused) > self._refusals:
            told = ", ".join(f"{one.status} for {one.method} {one.path}" for one in refused[:5])
            yield f"{len(refused)} requests were refused, not {self._refusals}: {told}"

    def nothing_half_done(self) -> Iterator[str]:
        """No message is half-written, and nobody types for ever."""
        for message in self._shown():
            if message.flags & Flag.LOADING or message.content.rstrip().endswith(HALF_WRITTEN):
                yield f"message {message.id} is half-written: {message.content[-50:]!r}"
        typing: set[str] = set()
        for told in self._playground.log.dispatches:
            if told.name == "TYPING_START" and told.data["user_id"] == str(BOT_ID):
                typing.add(told.data["channel_id"])
            elif told.name in _FINISHES_TYPING and told.data["author"]["id"] == str(BOT_ID):
                typing.discard(told.data["channel_id"])
        yield from (f"the bot is still typing in {channel_id}" for channel_id in sorted(typing))

    def _prompts(self) -> list[Message]:
        return [message for message in self._messages() if message.author_id != BOT_ID and self._addressed(message)]

    def _is_answered_with_the_next(self, message: Message) -> bool:
        """Whether its author's next message, in the same burst, has the outcome of both."""
        later = [m for m in self._prompts() if m.channel_id == message.channel_id and m.id > message.id]
        if not later or later[0].author_id != message.author_id:
            return False
        if (moment(later[0].id) - moment(message.id)).total_seconds() >= self._burst:
            return False
        return bool(self._outcomes(later[0])) or self._is_answered_with_the_next(later[0])

    def _asks(self, message: Message) -> bool:
        in_dm = self._state.channels[message.channel_id].type is ChannelType.DM
        written = message.type in (MessageType.DEFAULT, MessageType.REPLY)
        return written and (in_dm or BOT_ID in message.mentions)

    def _outcomes(self, message: Message) -> list[Message]:
        """The first parts of what answers a message. A part replies again if another message came before it."""
        first: list[Message] = []
        for one in self._shown():
            if not _replies_to(one, message):
                continue
            if not first or not self._goes_on(first[-1], one):
                first.append(one)
        return first

    def _goes_on(self, first: Message, later: Message) -> bool:
        """Whether two replies to one message are parts of one outcome: they differ, and something is between them."""
        between = (
            one for one in self._messages() if one.channel_id == later.channel_id and first.id < one.id < later.id
        )
        return first.content != later.content and any(
            one.author_id != BOT_ID or one.reference is not None for one in between
        )

    def _shown(self) -> list[Message]:
        return [message for message in self._messages() if message.author_id == BOT_ID]

    def _messages(self) -> Iterator[Message]:
        """Every message that is there, oldest first in each channel."""
        for channel in self._state.channels.values():
            yield from channel.messages.values()


def _replies_to(one: Message, message: Message) -> bool:
    found = one.reference
    return found is not None and (found.channel_id, found.message_id) == (message.channel_id, message.id)
