"""What calls of the model cost: amounts, limits of a day, what is reserved before a call and spent after it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

DAY = 86_400  # seconds
NANO = 1_000_000_000  # money is in billionths of a dollar: a token can cost less than a millionth

Unit = Literal["tokens", "dollars"]
# What a call is for: the answer of a turn, another try after one failed, a title, the check of /doctor, or the text of
# a voice message.
Purpose = Literal["answer", "retry", "title", "check", "transcription"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Cost(_Record):
    """Tokens, and their price in billionths of a dollar: 0 where nobody knows the price."""

    tokens: int = 0
    nanodollars: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        """Both together."""
        return Cost(tokens=self.tokens + other.tokens, nanodollars=self.nanodollars + other.nanodollars)

    def __neg__(self) -> "Cost":
        """As much less."""
        return Cost(tokens=-self.tokens, nanodollars=-self.nanodollars)

    def of(self, unit: Unit) -> int:
        """The amount that a limit in this unit is about."""
        return self.tokens if unit == "tokens" else self.nanodollars


class Asker(_Record):
    """For whom the model is asked: a person's scope, if it is for a person, and the ids of the roles they have."""

    person: str | None = None
    roles: tuple[str, ...] = ()


class Today(_Record):
    """The day (UTC), counted since 1970, and the program's own limits in it; None for any amount.

    Attributes:
        day: The day.
        tokens: How many tokens all sessions together may use.
        nanodollars: How much they may cost.
        person_tokens: How many tokens each person may use, in all sessions together.
        person_nanodollars: How much these may cost.
    """

    day: int
    tokens: int | None = None
    nanodollars: int | None = None
    person_tokens: int | None = None
    person_nanodollars: int | None = None


class Allowance(_Record):
    """A limit on what model calls may use in a day (UTC). All limits apply.

    Attributes:
        scope: Where it is counted.
        unit: What `most`, `used` and `reserved` are: tokens, or billionths of a dollar.
        most: The limit.
        used: What was used of it.
        reserved: What calls under way may use beside that.
        made_in: The scope whose setting it is; None for the program's own limits.
        role: The role whose members each have it.
        personal: Whether it limits one person.
    """

    scope: str
    unit: Unit
    most: int
    used: int = 0
    reserved: int = 0
    made_in: str | None = None
    role: str | None = None
    personal: bool = False

    @property
    def is_used_up(self) -> bool:
        """Whether the model is asked no more today."""
        return self.used >= self.most

    @property
    def is_full(self) -> bool:
        """Whether no call may begin now: what is left is reserved for those under way, or nothing is left."""
        return self.used + self.reserved >= self.most

    @property
    def is_nearly_used_up(self) -> bool:
        """Whether four fifths of it are used: then people are warned."""
        return self.used * 5 >= self.most * 4


class Reservation(_Record):
    """What a call may cost at most, so that others do not use it meanwhile.

    Attributes:
        id: Its id.
        counted_in: The scopes in which the call counts.
        day: The day it counts in, since 1970.
        most: What is reserved.
        sent: What the request alone costs: it counts where nobody says what became of the call.
    """

    id: str
    counted_in: tuple[str, ...]
    day: int
    most: Cost
    sent: Cost


class Spent(_Record):
    """What a call of the model cost.

    Attributes:
        counted_in: The scopes in which it counts.
        day: The day in which it counts, since 1970.
        cost: How much.
        purpose: What it was for.
        reservation: The id of what was reserved for it.
    """

    counted_in: tuple[str, ...]
    day: int
    cost: Cost
    purpose: Purpose = "answer"
    reservation: str | None = None


class DayUse(_Record):
    """What was used on a day (counted since 1970) in a scope."""

    day: int
    cost: Cost
