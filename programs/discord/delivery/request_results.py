"""What can come of a request or a look-up of the delivery, sorted by what helps."""

from dataclasses import dataclass

from llmgine.messages.deliveries import Delivery
from llmgine.messages.steps import Turn
from programs.discord.delivery.answer import NoticeState
from programs.discord.delivery.refusals import DeliveryRefusedError, MustWaitError, ShutOutError


@dataclass(frozen=True)
class Done:
    """It is done. `message_id` is of the message; `shown` whether it shows the body, an older message may not."""

    message_id: int = 0
    shown: bool = True


@dataclass(frozen=True)
class Unknown:
    """There was no answer, so it may have been done or not. `words` are for the log."""

    words: str = ""


@dataclass(frozen=True)
class Wait:
    """It was not done, and may be in so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Shut:
    """The bot may not write or read there."""

    code: int


@dataclass(frozen=True)
class Refused:
    """Discord will not do it, as it is."""

    error: DeliveryRefusedError


@dataclass(frozen=True)
class Loaded:
    """What the store has of a turn; no turn where it has none any more."""

    turn: Turn | None
    parts: tuple[Delivery, ...] = ()


@dataclass(frozen=True)
class Found:
    """Messages of an answer that were never stored; None where the channel may not be read."""

    message_ids: tuple[int, ...] | None


@dataclass(frozen=True)
class Notified:
    """People were told, or could not be."""

    notice: NoticeState


@dataclass(frozen=True)
class Unsure:
    """This is the answer to the last of several requests. One before it got none, so it may have been done."""

    last: Wait | Shut | Refused


Result = Done | Unknown | Wait | Shut | Refused | Unsure | Loaded | Found | Notified


def result_of(error: Exception) -> Result:
    """What an error of a request means."""
    if isinstance(error, MustWaitError):
        return Wait(error.seconds)
    if isinstance(error, ShutOutError):
        return Shut(error.code)
    return Refused(error) if isinstance(error, DeliveryRefusedError) else Unknown(str(error) or type(error).__name__)
