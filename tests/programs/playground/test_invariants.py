"""The checker: quiet over a good scenario, and with words for each thing that can go wrong."""

import pytest

from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GRACE_ID
from programs.playground.invariants import BrokenInvariantError, Invariants
from programs.playground.server import Playground
from tests.programs.playground.conftest import Bot, Raw

MESSAGES = f"/channels/{GENERAL_ID}/messages"


def ask(playground: Playground, text: str = "?", by: int = ADA_ID) -> str:
    return str(playground.people.send(GENERAL_ID, by, f"<@{BOT_ID}> {text}").id)


async def answer(raw: Raw, to: str, content: str = "!", nonce: str | None = None) -> str:
    body = {"content": content, "message_reference": {"message_id": to}}
    status, message = await raw.api("POST", MESSAGES, body if nonce is None else body | {"nonce": nonce})
    assert status == 200
    return str(message["id"])


def broken(playground: Playground, refusals: int = 0) -> list[str]:
    return [breach.partition(":")[0] for breach in Invariants(playground, refusals=refusals).breaches()]


async def test_a_good_scenario_breaks_nothing(playground: Playground, bot: Bot) -> None:
    """Questions answered in order, talk that was not for the bot, typing that ended: nothing to tell."""
    for n in range(2):
        ask(playground, str(n))
        playground.people.send(GENERAL_ID, GRACE_ID, "not for you")
        asked = await bot.heard("message", count=3 * n + 1)
        await bot.general.typing()
        await asked.reply("answer")
        await bot.heard("message", count=3 * n + 3)

    Invariants(playground).require()


async def test_a_question_without_an_answer(playground: Playground, raw: Raw) -> None:
    """I1: none is one too few, and two are one too many."""
    first, second = ask(playground), ask(playground)
    await answer(raw, first)
    await answer(raw, first)

    checked = Invariants(playground)

    assert broken(playground) == ["I1", "I1"]
    assert f"0 outcomes for message {second}" in "".join(checked.breaches())
    with pytest.raises(BrokenInvariantError, match=f"2 outcomes for message {first}"):
        checked.require()


async def test_an_answer_to_what_is_gone(playground: Playground, raw: Raw) -> None:
    """I1: what answers a message goes with it."""
    asked = ask(playground)
    await answer(raw, asked)
    playground.people.delete(GENERAL_ID, int(asked), ADA_ID)

    assert broken(playground) == ["I1"]


async def test_a_burst_is_answered_once(playground: Playground, raw: Raw) -> None:
    """I1: within a burst the answer to its author's last message counts for all, and for nobody else's."""
    ask(playground, "so")
    ask(playground, "hers", by=GRACE_ID)
    ask(playground, "what")
    await answer(raw, ask(playground, "I meant"))

    assert len(list(Invariants(playground).one_outcome())) == 3
    assert len(list(Invariants(playground, burst=60).one_outcome())) == 2


async def test_a_scenario_may_say_who_asks(playground: Playground) -> None:
    """I1: what counts as addressed is the scenario's to say."""
    ask(playground)

    Invariants(playground, addressed=lambda _: False).require()


async def test_a_part_shown_twice(playground: Playground, raw: Raw) -> None:
    """I2: the same nonce, not enforced, made two messages."""
    for _ in range(2):
        await raw.api("POST", MESSAGES, {"content": "x", "nonce": "part"})

    assert broken(playground) == ["I2"]


async def test_answers_out_of_order(playground: Playground, raw: Raw) -> None:
    """I5: the later question was answered first."""
    first, second = ask(playground), ask(playground)
    await answer(raw, second)
    await answer(raw, first)

    assert broken(playground) == ["I5"]


async def test_a_careless_request(playground: Playground, raw: Raw) -> None:
    """I7: too long, empty, no JSON, no such route: each is a breach."""
    await raw.api("POST", MESSAGES, {"content": "x" * 2001})
    await raw.api("POST", MESSAGES, {})
    await raw.api("GET", "/nowhere")

    assert broken(playground) == ["I7"] * 3


async def test_a_secret_sent(playground: Playground, raw: Raw) -> None:
    """I8: the bot's token and whatever else the scenario keeps secret."""
    await raw.api("POST", MESSAGES, {"content": f"my token is {playground.token}"})
    await raw.api("POST", MESSAGES, {"content": "the word is plugh"})

    assert len(Invariants(playground, secrets=["plugh"]).breaches()) == 2


async def test_refusals_are_counted(playground: Playground, raw: Raw) -> None:
    """I9: those the scenario explains are let pass; a shared limit is nobody's fault."""
    playground.faults.plan("rate_limit", "GET", "/users/@me", scope="shared")
    for _ in range(2):
        await raw.api("GET", "/users/@me")
    await raw.api("GET", "/users/@me", headers={})

    assert broken(playground) == ["I9"]
    assert broken(playground, refusals=1) == []


async def test_something_left_half_done(playground: Playground, raw: Raw) -> None:
    """I10: a message that ends in the cursor, and typing after the last word."""
    await raw.api("POST", MESSAGES, {"content": "as I was say▌"})
    await raw.api("POST", f"/channels/{GENERAL_ID}/typing")

    assert broken(playground) == ["I10", "I10"]


async def test_a_full_log_is_no_proof(playground: Playground) -> None:
    """When the log has forgotten its beginning, the checker says so."""
    for _ in range(playground.log.dispatches.maxlen or 0):
        playground.people.typing(GENERAL_ID, ADA_ID)

    with pytest.raises(ValueError, match="log is full"):
        Invariants(playground).require()
