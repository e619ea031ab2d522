"""What calls of the model cost: reserved before each call where a limit applies, and settled after it."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from llmgine.context import estimated_tokens
from llmgine.errors import AllowanceError, EmptyReplyError, ProviderTimeoutError, StoreError
from llmgine.messages.chat_messages import ChatMessage, Usage
from llmgine.messages.steps import ReplyStep
from llmgine.messages.translatable import Text
from llmgine.providers.base import MAX_CHARACTERS, ChatReply, ChatRequest
from llmgine.providers.prices import Prices
from llmgine.sessions import SessionStore
from llmgine.sessions.costs import Allowance, Cost, Purpose, Reservation, Spent
from llmgine.sessions.limits import warning

_CHARACTERS = 3  # of a token, about

# What ends a call of which the service may have the request: then it works on it, though nobody waits for the reply.
_PAID = asyncio.CancelledError, EmptyReplyError, ProviderTimeoutError

_MOST_COUNTED = 20  # times our own estimate
_MOST_OF_IMAGES, _MOST_GENERATED = 1_000_000, 2_000_000  # tokens


@dataclass(frozen=True)
class Account:
    """Where a call counts, and the limits that apply to it."""

    counted_in: tuple[str, ...]
    allowances: Sequence[Allowance] = ()


@dataclass(frozen=True)
class PaidCall:
    """A call that was begun.

    Attributes:
        request: What is asked.
        account: Where it counts.
        day: The day in which it counts, though it may end in the next.
        purpose: What it is for.
        sent: The size of the request, about, in tokens.
        reservation: The id of what was reserved for it; None where no limit applies.
        allowances: The limits, with what was used of them before it.
    """

    request: ChatRequest
    account: Account
    day: int
    purpose: Purpose
    sent: int
    reservation: str | None = None
    allowances: Sequence[Allowance] = ()


@dataclass
class OtherCall:
    """A call that is no chat; whoever makes it sets what it cost once that is known."""

    cost: Cost


class Spending:
    """Counts what calls cost.

    Args:
        store: Where it is counted.
        prices: What tokens cost.
    """

    def __init__(self, store: SessionStore, prices: Prices) -> None:
        self._store = store
        self.prices = prices
        self._owed: list[Spent] = []  # what the store did not take

    @contextlib.asynccontextmanager
    async def call(
        self, account: Account, request: ChatRequest, sent: int, purpose: Purpose, text: Callable[[], str]
    ) -> AsyncIterator[PaidCall]:
        """A call of the model, for the length of the block; who gets a reply settles what it cost.

        A call that breaks off, is stopped, is empty or takes too long is paid for, too: what was asked and streamed is
        counted here.

        Args:
            account: Where it counts.
            request: What is asked.
            sent: How many tokens that is, by our own estimate.
            purpose: What it is for.
            text: What was streamed so far.

        Raises:
            AllowanceError: A limit of the day leaves no room for it.
            StoreError: Nothing can be reserved.
        """
        begun = await self._begin(account, request, sent, purpose)
        try:
            yield begun
        except BaseException as error:
            cost = Cost()
            if text() or isinstance(error, _PAID):
                said = estimated_tokens([ChatMessage(role="assistant", content=text())])
                known = error.tokens if isinstance(error, EmptyReplyError) else None
                output = said if known is None else max(0, known - begun.sent)
                cost = self._cost(
                    request, Usage(input_tokens=(known or begun.sent + said) - output, output_tokens=output)
                )
            if cost.tokens or begun.reservation is not None:
                await self.settle(_spent(begun, cost))
            raise

    async def _begin(self, account: Account, request: ChatRequest, sent: int, purpose: Purpose) -> PaidCall:
        await self.prices.load()
        await self._settle_owed()
        day = self._store.today.day
        if not account.allowances:
            return PaidCall(request, account, day, purpose, sent)
        reservation = Reservation(
            id=secrets.token_hex(8),
            counted_in=account.counted_in,
            day=day,
            most=self._cost(request, Usage(input_tokens=sent, output_tokens=most_output(request))),
            sent=self._cost(request, Usage(input_tokens=sent)),
        )
        begun = PaidCall(request, account, day, purpose, sent, reservation.id)
        allowances = await self._reserve(reservation, account, _spent(begun, Cost()))
        return replace(begun, allowances=allowances)

    async def _reserve(self, reservation: Reservation, account: Account, nothing: Spent) -> list[Allowance]:
        try:
            return await self._store.allowances.reserve(reservation, account.allowances)
        except AllowanceError:
            raise
        except BaseException:  # whether it was reserved is unknown
            self._owed.append(nothing)
            raise

    @contextlib.asynccontextmanager
    async def other_call(self, account: Account, expected: Cost, purpose: Purpose) -> AsyncIterator[OtherCall]:
        """A call that is no chat, such as a transcription, for the length of the block, which sets what it cost.

        One that is stopped or takes too long counts with what was expected, for the service may work on it.

        Args:
            account: Where it counts.
            expected: What it costs, about: so much is reserved.
            purpose: What it is for.

        Raises:
            AllowanceError: A limit of the day leaves no room for it.
            StoreError: Nothing can be reserved.
        """
        await self.prices.load()
        await self._settle_owed()
        spent = Spent(counted_in=account.counted_in, day=self._store.today.day, cost=Cost(), purpose=purpose)
        if account.allowances:
            reservation = Reservation(
                id=secrets.token_hex(8), counted_in=spent.counted_in, day=spent.day, most=expected, sent=expected
            )
            spent = spent.model_copy(update={"reservation": reservation.id})
            await self._reserve(reservation, account, spent)
        call = OtherCall(Cost())
        try:
            yield call
        except BaseException as error:
            if isinstance(error, _PAID):
                call.cost = expected
            raise
        finally:
            if call.cost.tokens or spent.reservation is not None:
                await self.settle(spent.model_copy(update={"cost": call.cost}))

    def _cost(self, request: ChatRequest, usage: Usage) -> Cost:
        return Cost(
            tokens=usage.input_tokens + usage.output_tokens,
            nanodollars=self.prices.nanodollars(request.model or "", usage) or 0,
        )

    def spent(self, call: PaidCall, reply: ChatReply) -> Spent:
        """What a call cost that was answered; about, where the service does not tell."""
        usage = plausible(reply.usage, call)
        if usage is None:
            answer = ChatMessage(role="assistant", content=reply.text, tool_calls=reply.tool_calls)
            usage = Usage(
                input_tokens=call.sent, output_tokens=estimated_tokens([answer]) + reply.dropped // _CHARACTERS
            )
        return _spent(call, self._cost(call.request, usage))

    async def settle(self, spent: Spent) -> None:
        """Count what a call cost; what the store does not take now is counted before the next call."""
        try:
            await self._store.allowances.settle(spent)
        except StoreError:
            self._owed.append(spent)
        except asyncio.CancelledError:
            if spent.reservation is not None:  # settled twice, it counts once
                self._owed.append(spent)
            raise

    async def _settle_owed(self) -> None:
        for _ in range(len(self._owed)):  # what fails once more is behind them
            if self._owed:
                await self.settle(self._owed.pop(0))

    def cost_of(self, replies: Iterable[ReplyStep]) -> Cost:
        """What replies cost, as far as the service told of their tokens."""
        cost = Cost()
        for reply in replies:
            usage = reply.usage or Usage(input_tokens=reply.sent_tokens or 0)
            asked = reply.model if reply.fallback is None else reply.fallback.model  # its service may call it otherwise
            price = self.prices.nanodollars(asked, usage) or 0
            cost += Cost(tokens=usage.input_tokens + usage.output_tokens, nanodollars=price)
        return cost

    async def warnings(self, call: PaidCall, spent: Spent) -> list[Text]:
        """What people are told of limits of which this call used most of what was left; once per scope and day."""
        after = [one.model_copy(update={"used": one.used + spent.cost.of(one.unit)}) for one in call.allowances]
        nearly = [one for one in after if one.is_nearly_used_up]
        if not nearly:
            return []
        with contextlib.suppress(StoreError):
            new = await self._store.allowances.warn([one.scope for one in nearly], spent.day)
            return [warning(one, spent.day) for one in nearly if one.scope in new]
        return []


def _spent(call: PaidCall, cost: Cost) -> Spent:
    return Spent(
        counted_in=call.account.counted_in,
        day=call.day,
        cost=cost,
        purpose=call.purpose,
        reservation=call.reservation,
    )


def most_output(request: ChatRequest) -> int:
    """How many tokens are reserved for a reply: as many as its text may have.

    Thinking beyond that is not: it may be ten times as long, and hardly ever is.
    """
    characters = MAX_CHARACTERS if request.max_characters is None else request.max_characters
    most = characters // _CHARACTERS
    return most if request.max_output_tokens is None else min(most, request.max_output_tokens)


def plausible(usage: Usage | None, call: PaidCall) -> Usage | None:
    """A count that may be that of a call: what is none must neither be free nor use up a day's tokens."""
    if usage is None:
        return None
    most = _MOST_COUNTED * (call.sent + 1_000)
    most += _MOST_OF_IMAGES * any(message.images for message in call.request.messages)
    return usage if 0 < usage.input_tokens <= most and 0 <= usage.output_tokens <= _MOST_GENERATED else None
