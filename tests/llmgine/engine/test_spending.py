"""What calls cost: reserved before each, settled after it, whatever becomes of the call, the day or the process."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from llmgine.engine.progress import Progress
from llmgine.engine.spending import Account, most_output
from llmgine.engine.turn_limits import TurnLimits
from llmgine.errors import ProviderTimeoutError, ProviderUnavailableError, StoreError, SupersededError
from llmgine.messages.chat_messages import Usage
from llmgine.messages.commands import StopTurnCommand
from llmgine.messages.events import SessionRenamedEvent, TurnFinishedEvent
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.prices import Prices
from llmgine.providers.scripted import ScriptedProvider
from llmgine.sessions.clock import now
from llmgine.sessions.costs import NANO, Spent, Today
from llmgine.sessions.database import Operation
from tests.llmgine.engine.chat import ADA, Held, call, roll
from tests.llmgine.engine.conftest import StartChat
from tests.llmgine.engine.test_allowances import Day, bound, costing
from tests.llmgine.sessions.contents import rows
from tests.processes import ending

OUTPUT_TOKENS = most_output(ChatRequest(messages=()))
RESERVED = "What is left of the daily limit of 1,000 tokens is reserved for other answers. Ask again soon."
PRICED = "gpt-5-mini"  # $0.25 for a million tokens of input, $0.025 for cached ones, $2 for those of output
WARNED = "80% of the daily limit of 100 tokens is used. It resets at midnight UTC."


def priced(script: Sequence[ChatReply | Held | str], model: str = PRICED) -> ScriptedProvider:
    """A model whose price is known."""
    return ScriptedProvider(list(script), model=model)


def used(path: Path, scope: str = "*") -> list[tuple[int, int, int, int]]:
    """The day, the tokens and the money that were used, and the tokens that are reserved, day by day."""
    found = rows(f"sqlite:///{path / 'test.db'}")["spent"]
    return sorted(
        (one["day"], one["tokens"], one["nanodollars"], one["reserved_tokens"])
        for one in found
        if one["scope"] == scope
    )


async def test_of_many_at_once_one_takes_the_room_for_one(start_chat: StartChat, tmp_path: Path) -> None:
    """24 turns begin at once at a limit with room for one: one asks the model, and the next may once it is settled."""
    held = Held()
    provider = ScriptedProvider([held, "and the next"])
    chat = await start_chat(provider, calls_at_once=24)
    chat.store.limits = Today(day=0, tokens=1_000)
    turns = [await chat.admit(session_id=f"s{number}") for number in range(24)]
    await chat.told(TurnFinishedEvent, times=23)
    requests = len(provider.requests)

    held.open.set()
    found = [(await chat.outcome(turn.turn_id)).notice for turn in turns]

    assert (requests, sorted(map(str, found))) == (1, sorted(["None", *[RESERVED] * 23]))
    assert (await chat.say(session_id="s1")).text == "and the next"
    assert [reserved for *_, reserved in used(tmp_path)] == [0]


@pytest.mark.parametrize("limit", [20, 3 * 10_000])
async def test_calls_at_once_pass_a_limit_by_one_call(start_chat: StartChat, tmp_path: Path, limit: int) -> None:
    """Of 8 long replies that are asked for at once, at most the last one passes the limit."""
    replies = [ChatReply(text="fine", model="scripted", usage=Usage(input_tokens=100, output_tokens=9_900))] * 8
    all_began = asyncio.Event()

    async def long(request: ChatRequest, _: Callable[[str], None]) -> ChatReply:
        await all_began.wait()
        return replies.pop()

    chat = await start_chat(ScriptedProvider([long] * 8))
    chat.store.limits = Today(day=0, tokens=limit)
    turns = [await chat.admit(session_id=f"s{number}") for number in range(8)]
    await chat.told(TurnFinishedEvent, times=7)  # those that are refused

    all_began.set()
    for turn in turns:
        await chat.outcome(turn.turn_id)

    [(_, tokens, _, reserved)] = used(tmp_path)
    assert (0 < tokens < limit + 10_000, reserved) == (True, 0)


async def test_room_for_several_long_replies_is_used_at_once(start_chat: StartChat) -> None:
    """A limit with room for the longest replies of three calls lets three begin at once."""
    held = [Held() for _ in range(3)]
    chat = await start_chat(ScriptedProvider([*held]))
    chat.store.limits = Today(day=0, tokens=3 * OUTPUT_TOKENS)
    turns = [await chat.admit(session_id=f"s{number}") for number in range(3)]
    for one in held:
        await one.reached.wait()
        one.open.set()

    assert {(await chat.outcome(turn.turn_id)).state for turn in turns} == {"done"}


async def test_without_a_limit_nothing_is_reserved(start_chat: StartChat) -> None:
    """A turn to which no limit applies costs no more transactions than before there were limits."""
    chat = await start_chat(["one", "two"])
    names: list[str] = []

    @asynccontextmanager
    async def note(operation: Operation) -> AsyncIterator[None]:
        names.append(operation.name)
        yield

    await bound(chat, "elsewhere")
    remove = chat.store.observe(note)
    await chat.say()
    await bound(chat)
    await chat.say()
    remove()

    assert [name for name in names if name in ("allowances.reserve", "allowances.settle")] == ["allowances.reserve"]


async def test_stopping_settles(start_chat: StartChat, tmp_path: Path) -> None:
    """Of a call that is stopped the request and what was streamed are counted, and nothing stays reserved."""
    held = Held(partial="word " * 20)
    chat = await start_chat([held])
    chat.store.limits = Today(day=0, tokens=1_000)
    admitted = await chat.admit()
    await held.reached.wait()
    before = used(tmp_path)

    await chat.bus.execute(StopTurnCommand(session_id="s", turn_id=admitted.turn_id))
    await chat.outcome(admitted.turn_id)

    asked = before[0][3] - OUTPUT_TOKENS
    [(_, tokens, _, reserved)] = used(tmp_path)
    assert (asked < tokens < asked + 100, reserved) == (True, 0)


async def test_stopping_while_the_reply_is_stored_loses_nothing(start_chat: StartChat, tmp_path: Path) -> None:
    """A reply that came counts as it was told, though its turn is stopped before it is committed."""
    reply = call("roll").model_copy(update={"usage": Usage(input_tokens=70, output_tokens=7)})
    chat = await start_chat([reply])
    await chat.engine.register_tool(roll)
    chat.store.limits = Today(day=0, tokens=1_000)
    reached, go_on = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def hold(operation: Operation) -> AsyncIterator[None]:
        if operation.name == "runs.append_reply":
            reached.set()
            await go_on.wait()
        yield

    remove = chat.store.observe(hold)
    admitted = await chat.admit()
    await reached.wait()
    await chat.bus.execute(StopTurnCommand(session_id="s", turn_id=admitted.turn_id))
    await chat.outcome(admitted.turn_id)
    remove()

    assert [one[1:] for one in used(tmp_path)] == [(77, 0, 0)]


@pytest.mark.parametrize("ends_by", ["stop", "time"])
async def test_a_reply_that_came_counts_before_it_is_told(
    start_chat: StartChat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends_by: str
) -> None:
    """A turn that is stopped, or whose time is up, between a reply and the end of its progress has used what it did."""
    reached = asyncio.Event()

    @asynccontextmanager
    async def told(_: Progress, __: object) -> AsyncIterator[None]:
        yield
        reached.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Progress, "told", told)
    chat = await start_chat([costing(77)], limits=TurnLimits(seconds=0.2 if ends_by == "time" else 3_600))
    chat.store.limits = Today(day=0, tokens=1_000)
    admitted = await chat.admit()
    await reached.wait()
    if ends_by == "stop":
        await chat.bus.execute(StopTurnCommand(session_id="s", turn_id=admitted.turn_id))
    await chat.outcome(admitted.turn_id)

    assert [one[1:] for one in used(tmp_path)] == [(77, 0, 0)]


async def test_a_try_that_timed_out_costs_its_request(start_chat: StartChat, tmp_path: Path) -> None:
    """The service works on what it was sent, whether or not it is waited for; what is tried again costs twice."""
    chat = await start_chat([ProviderTimeoutError("silent")] * 2)
    chat.store.limits = Today(day=0, tokens=1_000)

    await chat.say()

    [(_, tokens, _, reserved)] = used(tmp_path)
    [(_, retry, *_)] = used(tmp_path, "purpose:retry")
    assert (0 < retry == tokens - retry, reserved) == (True, 0)


async def test_a_try_that_failed_reserves_nothing_further(start_chat: StartChat, tmp_path: Path) -> None:
    """A try that brought nothing costs nothing; the one after it counts as a retry."""
    chat = await start_chat([ProviderUnavailableError("gone"), costing(60)])
    chat.store.limits = Today(day=0, tokens=1_000)

    await chat.say()

    assert [one[1:] for one in used(tmp_path)] == [(60, 0, 0)]
    assert [one[1] for one in used(tmp_path, "purpose:retry")] == [60]


@pytest.mark.parametrize(("begun", "ended"), [(1, 2), (2, 1)])
async def test_a_call_counts_on_the_day_it_began(start_chat: StartChat, tmp_path: Path, begun: int, ended: int) -> None:
    """It may end after midnight, or after the clock was set back: it is settled where it was reserved."""
    held = Held()
    chat = await start_chat([held])
    chat.store.limits = Today(day=0, tokens=1_000)
    chat.store.clock = Day(begun)
    admitted = await chat.admit()
    await held.reached.wait()

    chat.store.clock = Day(ended)
    held.open.set()
    await chat.outcome(admitted.turn_id)

    assert [(day, reserved) for day, _, _, reserved in used(tmp_path)] == [(Day(begun).today(), 0)]


HANG = """
import asyncio, sys
from pathlib import Path
from llmgine.providers.scripted import ScriptedProvider
from llmgine.sessions.costs import Today
from tests.llmgine.engine.chat import Chat, Held

async def main():
    held = Held(partial="word " * 100)
    chat = await Chat.start(Path(sys.argv[1]), ScriptedProvider([held]))
    chat.store.limits = Today(day=0, tokens=1_000)
    await chat.admit()
    await held.reached.wait()
    print("reserved", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_killed_process_leaves_nothing_reserved(start_chat: StartChat, tmp_path: Path) -> None:
    """SIGKILL in the middle of a call: it stays reserved until the turn is taken over; then its request counts."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HANG, str(tmp_path / "test.db")),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    async with ending(process):
        await process.stdout.readline()
        chat = await start_chat([costing(60)])
        chat.store.limits = Today(day=0, tokens=1_000)
        while_it_lives = (await chat.say(session_id="t")).notice
    killed = used(tmp_path)[0]

    assert await chat.engine.recover(["test"]) == 1
    await chat.told(TurnFinishedEvent, times=2)

    asked = killed[3] - OUTPUT_TOKENS
    assert while_it_lives == RESERVED
    assert killed[1] == 0 < asked
    assert [(tokens, reserved) for _, tokens, _, reserved in used(tmp_path)] == [(asked + 60, 0)]


class TestMoney:
    """Tokens have a price where the table has one."""

    async def test_cached_and_reasoning_tokens_are_priced_as_such(self, start_chat: StartChat, tmp_path: Path) -> None:
        """Cached ones cost a tenth, and those of thinking are part of the output, so they are not paid for twice."""
        usage = Usage(input_tokens=1_000, output_tokens=100, cached_tokens=500, reasoning_tokens=50)
        reply = ChatReply(text="fine", model=PRICED, usage=usage)
        chat = await start_chat(priced([reply]), prices=Prices("api.openai.com"))

        await chat.say()

        assert [one[1:] for one in used(tmp_path)] == [(1_100, 500 * 250 + 500 * 25 + 100 * 2_000, 0)]

    async def test_a_limit_in_dollars_refuses(self, start_chat: StartChat) -> None:
        """It is said in dollars, and reserved like one in tokens."""
        chat = await start_chat(priced([costing(1_000)]), prices=Prices("api.openai.com"))
        await chat.store.settings.change("s", "daily_dollars", "0.0002", None, now())

        told = [(await chat.say()).notice for _ in range(2)]

        words = "The daily limit of $0.000200 is used up. It resets at midnight UTC: ask again then."
        assert told == [None, words]

    @pytest.mark.parametrize(("service", "model"), [("api.openai.com", "my-own"), ("127.0.0.1:8080", PRICED)])
    async def test_a_model_without_a_price_costs_tokens(
        self, start_chat: StartChat, tmp_path: Path, service: str, model: str
    ) -> None:
        """A limit in dollars cannot be kept for it; one in tokens is."""
        chat = await start_chat(priced([costing(60)] * 2, model), prices=Prices(service))
        await chat.store.settings.change("s", "daily_dollars", "0.0001", None, now())
        await bound(chat)

        told = [(await chat.say()).notice for _ in range(3)]

        assert [one is None for one in told] == [True, True, False]
        assert [one[1:] for one in used(tmp_path)] == [(120, 0, 0)]

    async def test_absurd_counts_are_not_believed(self, start_chat: StartChat, tmp_path: Path) -> None:
        """They neither use up a day nor break the price."""
        usage = Usage(input_tokens=10**12, output_tokens=5, cached_tokens=10**15, reasoning_tokens=10**15)
        chat = await start_chat(
            priced([ChatReply(text="ok", model=PRICED, usage=usage)]), prices=Prices("api.openai.com")
        )

        await chat.say()

        [(_, tokens, nanodollars, _)] = used(tmp_path)
        assert (tokens < 2_000, 0 < nanodollars < NANO // 1_000) == (True, True)

    @pytest.mark.parametrize(("cached", "reasoning"), [(2_000, 0), (0, 2_000), (2_000, 2_000)])
    async def test_parts_that_are_more_than_the_whole_have_a_price(self, cached: int, reasoning: int) -> None:
        """A service that counts badly is priced as if the part were the whole."""
        prices = Prices("api.openai.com")
        await prices.load()
        usage = Usage(input_tokens=100, output_tokens=10, cached_tokens=cached, reasoning_tokens=reasoning)

        assert 0 < (prices.nanodollars(PRICED, usage) or 0) <= 100 * 250 + 10 * 2_000

    async def test_the_table_has_a_date(self) -> None:
        """People are told how old the prices are; a local service reads no table."""
        public, local = Prices("api.openai.com"), Prices("127.0.0.1:8080")
        for prices in (public, local):
            await prices.load()

        assert public.source is not None
        assert public.source.startswith("genai-prices 0.")
        assert ", 20" in public.source
        assert local.source is None

    async def test_it_works_without_the_table(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who installs the library alone has no prices, and no fault."""
        monkeypatch.delitem(sys.modules, "llmgine.providers.price_table", raising=False)
        monkeypatch.setitem(sys.modules, "genai_prices", None)
        prices = Prices("api.openai.com")

        await prices.load()

        assert (prices.source, prices.nanodollars(PRICED, Usage(input_tokens=5))) == (None, None)


class TestPeople:
    """What somebody uses counts for them, too."""

    async def test_a_limit_of_each_person(self, start_chat: StartChat) -> None:
        """The program's own limit holds in all sessions of one person together, and for nobody else."""
        chat = await start_chat([costing(60)] * 3)
        chat.store.limits = Today(day=0, person_tokens=100)
        grace = ADA.model_copy(update={"id": "2"})

        told = [(await chat.say(session_id=one, author=by)).notice for one, by in (("s", ADA), ("t", ADA), ("s", ADA))]

        assert told[:2] == [None, None]
        assert str(told[2]).startswith("Your daily limit of 100 tokens is used up.")
        assert (await chat.say(author=grace)).notice is None

    async def test_a_title_counts_for_who_asked(self, start_chat: StartChat, tmp_path: Path) -> None:
        """It is a call that somebody caused, with a purpose of its own."""
        chat = await start_chat([costing(60), costing(40, "A Title")], titles=True)

        await chat.say(author=ADA)
        await chat.told(SessionRenamedEvent)

        assert [one[1] for one in used(tmp_path, "test:person:1")] == [100]
        assert [one[1] for one in used(tmp_path, "purpose:title")] == [40]


async def test_a_warning_comes_once(start_chat: StartChat) -> None:
    """At four fifths of a limit, under the answer that reaches them; not again under the next."""
    chat = await start_chat([costing(60), costing(20), costing(10), costing(10)])
    await bound(chat)

    told = [tuple(map(str, (await chat.say()).warnings)) for _ in range(4)]

    assert told == [(), (WARNED,), (), ()]


async def test_a_refusal_is_not_also_a_warning(start_chat: StartChat) -> None:
    """A turn that is refused in its second round says so, and no more."""
    first = call("roll").model_copy(update={"usage": Usage(input_tokens=100)})
    chat = await start_chat([first])
    await chat.engine.register_tool(roll)
    await bound(chat)

    outcome = await chat.say()

    assert (str(outcome.notice)[:36], outcome.warnings) == ("The daily limit of 100 tokens is use", ())


@asynccontextmanager
async def failing_settlements(operation: Operation) -> AsyncIterator[None]:
    """A store that settles nothing."""
    if operation.name == "allowances.settle":
        raise StoreError("busy")
    yield


@pytest.mark.parametrize("limited", [True, False])
async def test_what_the_store_did_not_take_is_counted_later(
    start_chat: StartChat, tmp_path: Path, *, limited: bool
) -> None:
    """A settlement that fails is made before the next call, limited or not, so that nothing stays reserved."""
    chat = await start_chat(["one"])
    spending = chat.engine.model.spending
    chat.store.limits = Today(day=0, tokens=100_000)
    account = Account(*(await chat.store.allowances.of_session("s", chat.store.today)))
    request = ChatRequest(messages=(), model="scripted")
    async with spending.call(account, request, 10, "check", lambda: "") as begun:
        pass
    remove = chat.store.observe(failing_settlements)
    await spending.settle(spending.spent(begun, costing(60)))
    remove()
    left = used(tmp_path)[0][3]

    chat.store.limits = Today(day=0, tokens=100_000 if limited else None)
    await chat.say()

    assert left == 10 + OUTPUT_TOKENS
    assert used(tmp_path)[0][3] == 0
    assert used(tmp_path, "purpose:check")[0][1] == 60


async def test_a_turn_that_is_given_up_settles_once_the_store_can(start_chat: StartChat, tmp_path: Path) -> None:
    """Whoever loses a turn after its reply came counts the reply, though the store fails just then."""
    chat = await start_chat([costing(60), costing(40)])
    chat.store.limits = Today(day=0, tokens=100_000)

    @asynccontextmanager
    async def lose(operation: Operation) -> AsyncIterator[None]:
        if operation.name == "runs.finish":
            raise SupersededError("somebody else runs it")
        async with failing_settlements(operation):
            yield

    remove = chat.store.observe(lose)
    spending = chat.engine.model.spending
    settled = asyncio.Event()

    async def settle(spent: Spent, settle: Callable[[Spent], Awaitable[None]] = spending.settle) -> None:
        await settle(spent)
        settled.set()

    spending.settle = settle  # type: ignore[method-assign]
    await chat.admit()
    await settled.wait()
    remove()

    await chat.say(session_id="t")

    assert [one[1:] for one in used(tmp_path)] == [(100, 0, 0)]
