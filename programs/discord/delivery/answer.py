"""The answers of a channel as they are shown in Discord: their states, and what is known of each message. No I/O.

An answer is what people see of one turn. It has parts, from top to bottom, and slots: our messages, with ascending ids.
The first part is shown in the first slot, the second in the second, and so on. A slot that cannot show its part leaves,
a new one is posted at the end, and edits move the parts below it: so the order is right whichever message is lost.
"""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Literal, NamedTuple

from llmgine.messages.deliveries import DeliveryKey
from llmgine.messages.steps import Turn
from llmgine.messages.translatable import Text
from programs.discord.delivery.bodies import Body, plain_form, replaced_by
from programs.discord.translation import language_of_turn

OLD = "old"  # the kind of a key whose message shows no part of the present outcome
# Stored, without a message, where the bot may not read the channel: nothing of the answer is there but what is stored.
NO_MORE = DeliveryKey(kind=OLD, round=1, part=0)


class SlotState(Enum):
    """What one Discord message of ours is at."""

    POSTING = auto()  # It is being posted; until the result is known the request is repeated with the same nonce.
    POSTED = auto()  # It has a message, which takes edits.
    LIMITED = auto()  # Discord takes no edit of its message for a while; a final part does not wait for it.
    TOO_OLD = auto()  # Discord takes no more edits of its message.
    TAKEN_AWAY = auto()  # A person deleted its message, so its part is not shown again.
    LEAVING = auto()  # It shows no part any more; its message is to be deleted.


class Phase(Enum):
    """What an answer is at."""

    LIVE = auto()  # The turn runs; previews are shown.
    OUTCOME = auto()  # The turn has ended; its final parts are being shown, and later answers wait until all are there.
    OWED = auto()  # It could not be shown for two minutes; later answers wait no longer, and it is tried now and then.
    WITHDRAWN = auto()  # The turn was forgotten; its messages are to be deleted.
    DELIVERED = auto()  # All of it is visible, and stored as such.
    GIVEN_UP = auto()  # Its channel is gone or locked, or it was owed for a day; no more of it is shown.


class Lookup(Enum):
    """What has to be looked up before anything of an answer is posted."""

    STORE = auto()  # Which messages it has, in the store.
    CHANNEL = auto()  # Whether Discord has a message of it that was never stored, in the channel's history.
    BARRED = auto()  # The same, but the bot may not read the channel; what is there is edited, and nothing is posted.
    NOTHING = auto()  # All its messages are known.


class ChannelState(Enum):
    """What a channel is at."""

    OPEN = auto()  # Messages are posted and edited.
    SHUT = auto()  # The bot may not write there; nothing is posted until it may.
    GONE = auto()  # It was deleted; what is owed there is given up.


class NoticeState(Enum):
    """Whether people know that an answer has to wait."""

    NOT = auto()  # Nobody was told.
    BY_REACTION = auto()  # By a reaction on the question, which goes when the answer is there.
    BY_WORDS = auto()  # By a message, or only by the log where nobody could be told.


class Part(NamedTuple):
    """What is to be shown in one message."""

    key: DeliveryKey
    body: Body


@dataclass(eq=False, slots=True)
class Slot:
    """One message of ours, or one that is being posted.

    Attributes:
        message_id: Its id, 0 while it has none.
        shows: What it shows; None where that is not known.
        stored: The part that the store knows it by; None where it knows nothing of it.
        inherited: Whether it is from before, and nothing was shown in it since; if it is missing, no person took it.
        asked: Whether a request about it is under way.
        tries: How many requests in a row got no answer.
        began_at: When the first request was made that may have posted its message.
        retry_at: When the next request may be made, on the clock of whoever drives this.
        paced_until: When the next preview may be shown in it.
    """

    state: SlotState
    message_id: int = 0
    shows: Body | None = None
    stored: DeliveryKey | None = None
    inherited: bool = False
    asked: bool = False
    tries: int = 0
    began_at: float = 0.0
    retry_at: float = 0.0
    paced_until: float = 0.0


@dataclass(eq=False)
class Answer:
    """What people see of one turn.

    Attributes:
        drawn: What is to be shown, as it was drawn or committed.
        slots: Its messages, in the order of their ids.
        posts: How many messages were ever posted for the turn; it makes the next nonce.
        plain: Parts that are shown in their plain form: without a file, or without a card.
        replaced: Parts that Discord refuses, with what is shown in their place; None for nothing.
        refused: Parts whose preview Discord refused; nothing of them is shown before they are final.
        replies: Whether a message of it may refer to the question.
        failing_since: Since when Discord has answered no request about it.
        retry_at: When something may be tried again after Discord or the store failed.
        settles_at: When its newest card may be posted; calls that end at once are then shown so from the start.
        tries: How often the store, or the reading of the channel, failed in a row.
        storing: Whether a write to the store is under way.
        looking: Whether something is being looked up.
        unknown_since: Since when a message of it may be there that nobody knows of: a process may have died over it, or
            a request got no answer. None where all its messages are known.
        no_more: Whether the store has, or may have, the note `NO_MORE`; it goes before the next post.
        told: Whether people know that it has to wait.
        told_unknown: Whether people know that it waits because the bot cannot know what is there.
        waited: Whether Discord made it wait for longer than discord.py does by itself.
        outcome: How its turn ended, once it has.
    """

    turn: Turn
    phase: Phase = Phase.LIVE
    lookup: Lookup = Lookup.NOTHING
    drawn: list[Part] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    posts: int = 0
    plain: set[DeliveryKey] = field(default_factory=set)
    replaced: dict[DeliveryKey, str | None] = field(default_factory=dict)
    refused: set[DeliveryKey] = field(default_factory=set)
    replies: bool = True
    failing_since: float | None = None
    retry_at: float = 0.0
    settles_at: float = 0.0
    tries: int = 0
    storing: bool = False
    looking: bool = False
    unknown_since: float | None = None
    no_more: bool = False
    notice: NoticeState = NoticeState.NOT
    told_unknown: bool = False
    waited: bool = False
    outcome: Literal["done", "failed", "stopped"] = "done"
    parts: list[Part] = field(default_factory=list)  # `drawn` in the forms that Discord takes

    @property
    def has_ended(self) -> bool:
        """Whether its parts are final."""
        return self.phase is not Phase.LIVE

    @property
    def is_in_doubt(self) -> bool:
        """Whether it may have a message that nobody knows of."""
        return self.lookup is not Lookup.NOTHING or self.unknown_since is not None

    def show(self, drawn: list[Part], phase: Phase | None = None) -> None:
        """From here on these parts are to be shown."""
        self.drawn = drawn
        self.enter(phase or self.phase)
        self.reform()

    def enter(self, phase: Phase) -> None:
        """It is at this phase from here on; what was put off in another one is tried at once."""
        if phase is not self.phase:
            self.phase, self.retry_at = phase, 0.0

    def reform(self) -> None:
        """Work out `parts`: in the plain form where the usual one is not taken, and without what is refused."""
        if not self.plain and not self.replaced:
            self.parts = self.drawn
            return
        self.parts = []
        for key, body in self.drawn:
            for number, form in enumerate(plain_form(body) if key in self.plain else [body]):
                place = key.model_copy(update={"part": key.part + number})
                words = self.replaced.get(place, "")
                if words is not None:
                    self.parts.append(Part(place, replaced_by(form, words) if words else form))

    def again(self, turn: Turn) -> None:
        """A new attempt of the turn begins; it is shown in the messages that are there."""
        self.turn = turn
        self.plain, self.replaced, self.refused = set(), {}, set()
        self.slots = [slot for slot in self.slots if slot.state is not SlotState.TAKEN_AWAY]
        for number, slot in enumerate(self.slots):
            slot.inherited = True
            if slot.stored is not None:
                slot.stored = old_key(number)
        self.show([], Phase.LIVE)

    def withdraw(self, turn: Turn) -> None:
        """The turn was forgotten, whichever attempt it was at; nothing of it is to be seen any more."""
        self.turn = turn
        self.show([], Phase.WITHDRAWN)

    def say(self, words: Text | str) -> str:
        """A text in the language of the answer."""
        return language_of_turn(self.turn).say(words)

    def placed(self) -> list[Slot]:
        """The slots that show parts: the first one the first part, and so on."""
        return [slot for slot in self.slots if slot.state is not SlotState.LEAVING]

    def message_of(self, key: DeliveryKey) -> int | None:
        """The message that shows a part, if one does."""
        for slot, part in zip(self.placed(), self.parts, strict=False):
            if part.key == key and slot.message_id:
                return slot.message_id
        return None


@dataclass(eq=False)
class Channel:
    """The answers of one channel that are not settled, in the order in which their turns began.

    Attributes:
        code: Why it is shut, in Discord's number.
        may_read: Whether the bot may read what was said there.
        is_ending: Whether the bot ends; nothing new of running turns is shown, and final parts as far as time allows.
        told_of_failure: Whether people were told that an answer is owed, since the last time that none was.
    """

    id: int
    state: ChannelState = ChannelState.OPEN
    code: int = 0
    may_read: bool = True
    is_ending: bool = False
    answers: list[Answer] = field(default_factory=list)
    told_of_failure: bool = False


def old_key(number: int) -> DeliveryKey:
    """The key of a message that shows no part any more."""
    return DeliveryKey(kind=OLD, round=0, part=number)
