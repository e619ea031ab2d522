"""What was said is changed, or taken back: the turn is answered anew."""

import asyncio

import pytest

from llmgine.errors import StoreError, UserError
from llmgine.messages.commands import (
    Author,
    ClearSessionCommand,
    DeletePromptCommand,
    EditPromptCommand,
    PromptCommand,
)
from llmgine.messages.events import ToolCallWaitingEvent, TurnAdmittedEvent, TurnFinishedEvent, TurnForgottenEvent
from llmgine.providers.scripted import ScriptedProvider
from tests.llmgine.engine.chat import ADA, Chat, Held, call, echo, prompt
from tests.llmgine.engine.conftest import StartChat


async def admit(chat: Chat, command: PromptCommand) -> str:
    """Admit a prompt; the turn it belongs to."""
    return str((await chat.bus.execute(command)).unwrap().turn_id)


async def edit(chat: Chat, command: PromptCommand, turn_id: str, text: str, version: int = 1) -> bool:
    """Change what a prompt said; whether it had an effect."""
    edited = EditPromptCommand(session_id="s", turn_id=turn_id, source_id=command.source_id, version=version, text=text)
    return bool((await chat.bus.execute(edited)).unwrap())


async def take_back(chat: Chat, command: PromptCommand, turn_id: str) -> bool:
    deleted = DeletePromptCommand(session_id="s", turn_id=turn_id, source_id=command.source_id)
    return bool((await chat.bus.execute(deleted)).unwrap())


def heard(provider: ScriptedProvider) -> list[str]:
    """What people said, in the last request."""
    return [message.content for message in provider.requests[-1].messages if message.role == "user"]


async def test_an_ended_turn_is_answered_again_with_what_was_before_it(start_chat: StartChat) -> None:
    """Its context is the history before it, also when others came after; later turns see the new text and answer."""
    provider = ScriptedProvider(echo())
    chat = await start_chat(provider)
    first, second = prompt("one"), prompt("two")
    await chat.outcome(await admit(chat, first))
    turn_id = await admit(chat, second)
    await chat.outcome(turn_id)
    await chat.say("three")

    assert await edit(chat, second, turn_id, "two, I mean")

    answer = await chat.told(TurnFinishedEvent, turn_id, times=2)
    assert answer.text == "You said two, I mean"
    assert heard(provider) == ["one", "two, I mean"]
    await chat.say("four")
    assert heard(provider) == ["one", "two, I mean", "three", "four"]


async def test_a_running_turn_is_given_up_and_begins_again(start_chat: StartChat) -> None:
    """Of the attempt that was under way nothing is told any more; the next one answers the new text."""
    held = Held(partial="I thi")
    provider = ScriptedProvider([held, "better"])
    chat = await start_chat(provider)
    said = prompt("one")
    turn_id = await admit(chat, said)
    await held.reached.wait()

    assert await edit(chat, said, turn_id, "two")

    assert (await chat.outcome(turn_id)).text == "better"
    assert heard(provider) == ["two"]
    await chat.bus.wait_until_idle()
    assert len(chat.of(TurnFinishedEvent)) == 1
    assert (await chat.store.turns.get(turn_id)).turn.attempt == 2


async def test_a_queued_turn_takes_the_new_text(start_chat: StartChat) -> None:
    """It has not begun, so it is only asked differently."""
    held = Held()
    provider = ScriptedProvider([held, "ok"])
    chat = await start_chat(provider)
    await chat.admit("first")
    await held.reached.wait()
    said = prompt("one")
    turn_id = await admit(chat, said)

    assert await edit(chat, said, turn_id, "two")

    held.open.set()
    await chat.outcome(turn_id)
    assert heard(provider) == ["first", "two"]
    assert (await chat.store.turns.get(turn_id)).turn.attempt == 1


async def test_a_turn_that_waits_for_approval_begins_again(start_chat: StartChat) -> None:
    """The call that was asked about is given up with the attempt; nobody can approve it any more."""
    ran: list[str] = []

    def pay() -> str:
        """Pay."""
        ran.append("paid")
        return "paid"

    chat = await start_chat([call("pay"), "not paying"])
    await chat.engine.register_tool(pay, requires_approval=True)
    said = prompt("pay")
    turn_id = await admit(chat, said)
    waiting = await chat.told(ToolCallWaitingEvent, turn_id)

    assert await edit(chat, said, turn_id, "do not pay")

    assert (await chat.outcome(turn_id)).text == "not paying"
    assert not await chat.decide(waiting, approved=True)
    assert ran == []


async def test_an_edit_that_is_no_change_does_nothing(start_chat: StartChat) -> None:
    """The same text, the same edit twice, and one that comes after a later one: nothing is asked again."""
    provider = ScriptedProvider(echo())
    chat = await start_chat(provider)
    said = prompt("one")
    turn_id = await admit(chat, said)
    await chat.outcome(turn_id)

    assert not await edit(chat, said, turn_id, "one", version=1)
    assert await edit(chat, said, turn_id, "three", version=3)
    await chat.told(TurnFinishedEvent, turn_id, times=2)
    assert not await edit(chat, said, turn_id, "three", version=3)
    assert not await edit(chat, said, turn_id, "two", version=2)
    assert len(provider.requests) == 2


async def test_what_was_cleared_stays_forgotten(start_chat: StartChat) -> None:
    """A turn of a cleared conversation is not answered again, and an empty text is refused."""
    provider = ScriptedProvider(echo())
    chat = await start_chat(provider)
    said = prompt("one")
    turn_id = await admit(chat, said)
    await chat.outcome(turn_id)
    with pytest.raises(UserError):
        await edit(chat, said, turn_id, " ")
    (await chat.bus.execute(ClearSessionCommand(session_id="s"))).unwrap()

    assert not await edit(chat, said, turn_id, "two")
    assert not await take_back(chat, said, "nothing")


async def test_an_edit_outlives_the_process(start_chat: StartChat) -> None:
    """A process that dies over the new attempt leaves it to the next one, which answers the new text."""
    held, never = Held(), Held()
    chat = await start_chat([held, never])
    said = prompt("one")
    turn_id = await admit(chat, said)
    await held.reached.wait()
    assert await edit(chat, said, turn_id, "two")
    await never.reached.wait()
    await chat.close()
    provider = ScriptedProvider(["answered"])
    after = await start_chat(provider)

    await after.engine.recover(["test"])

    assert (await after.outcome(turn_id)).text == "answered"
    assert heard(provider) == ["two"]


async def test_a_prompt_that_is_taken_back_is_forgotten(start_chat: StartChat) -> None:
    """The turn that answers it is stopped, and later ones see nothing of it."""
    held = Held()
    provider = ScriptedProvider([held, "ok"])
    chat = await start_chat(provider)
    said = prompt("my secret")
    turn_id = await admit(chat, said)
    await held.reached.wait()

    assert await take_back(chat, said, turn_id)

    forgotten = await chat.told(TurnForgottenEvent, turn_id)
    await chat.say("hello")
    assert heard(provider) == ["hello"]
    assert forgotten.turn is not None
    await chat.store.deliveries.settle(forgotten.turn, [], 0)  # its messages are gone
    assert not await take_back(chat, said, turn_id)


async def test_a_prompt_is_taken_back_though_nobody_heard_that_it_was(
    start_chat: StartChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the store fails after the turn was forgotten, the next try tells of it, so that its messages go."""
    chat = await start_chat(ScriptedProvider(["ok"]))
    said = prompt("my secret")
    turn_id = await admit(chat, said)
    await chat.outcome(turn_id)
    forget = chat.store.forget

    async def forget_and_fail(session_id: str, of_turn: str, *_: object) -> None:
        await forget(session_id, of_turn)
        raise StoreError("nobody knows whether it was committed")

    monkeypatch.setattr(chat.store, "forget", forget_and_fail)
    with pytest.raises(StoreError):
        await take_back(chat, said, turn_id)
    monkeypatch.setattr(chat.store, "forget", forget)

    assert await take_back(chat, said, turn_id)

    await chat.told(TurnForgottenEvent, turn_id)


def burst(text: str, author: Author = ADA, seconds: float = 60.0) -> PromptCommand:
    return prompt(text, author=author).model_copy(update={"burst": seconds})


class TestBursts:
    """Several messages of one person in a row."""

    async def test_what_waits_is_answered_together(self, start_chat: StartChat) -> None:
        """They are one turn, asked as one prompt, and the answer goes to the last of them."""
        held = Held()
        provider = ScriptedProvider([held, "ok"])
        chat = await start_chat(provider)
        await chat.admit("first")
        await held.reached.wait()
        one, two = burst("one"), burst("two").model_copy(update={"origin": {"message": "two"}})

        turns = [await admit(chat, one), await admit(chat, two)]

        assert turns[0] == turns[1]
        assert await admit(chat, two) == turns[0]  # once more, and no more than that
        held.open.set()
        await chat.outcome(turns[0])
        assert heard(provider)[-1] == "one\ntwo"
        assert (await chat.store.turns.get(turns[0])).turn.origin == {"message": "two"}
        assert len(chat.of(TurnAdmittedEvent)) == 2

    @pytest.mark.parametrize(
        "second",
        [burst("two", Author(id="2", name="Grace")), burst("two", seconds=0), burst("two", seconds=1e-6)],
        ids=["by somebody else", "switched off", "too late"],
    )
    async def test_what_is_no_burst_is_answered_apart(self, start_chat: StartChat, second: PromptCommand) -> None:
        """Another person's message, and one that comes later, are turns of their own."""
        held = Held()
        chat = await start_chat([held, "ok", "ok"])
        await chat.admit("first")
        await held.reached.wait()

        turns = [await admit(chat, burst("one")), await admit(chat, second)]

        assert turns[0] != turns[1]

    async def test_nobody_is_overtaken(self, start_chat: StartChat) -> None:
        """What somebody else said in between ends the burst."""
        held = Held()
        chat = await start_chat([held, "ok", "ok", "ok"])
        await chat.admit("first")
        await held.reached.wait()

        turns = [await admit(chat, burst(text, by)) for text, by in [("1", ADA), ("2", GRACE), ("3", ADA)]]

        assert len(set(turns)) == 3

    async def test_a_turn_that_runs_takes_no_more(self, start_chat: StartChat) -> None:
        """What comes once it is being answered is the next turn."""
        held = Held()
        chat = await start_chat([held, "ok"])
        first = await admit(chat, burst("one"))
        await held.reached.wait()

        assert await admit(chat, burst("two")) != first

    async def test_one_of_them_can_be_changed_and_taken_back(self, start_chat: StartChat) -> None:
        """The others stay; when none is left the turn is forgotten."""
        held = Held()
        provider = ScriptedProvider([held, "ok", "again", "and again"])
        chat = await start_chat(provider)
        await chat.admit("first")
        await held.reached.wait()
        said = [burst(text) for text in ("one", "two", "three")]
        [turn_id] = {await admit(chat, one) for one in said}

        assert await take_back(chat, said[0], turn_id)
        held.open.set()
        await chat.outcome(turn_id)
        assert heard(provider)[-1] == "two\nthree"
        assert await edit(chat, said[2], turn_id, "four")
        await chat.told(TurnFinishedEvent, turn_id, times=2)
        assert heard(provider)[-1] == "two\nfour"
        assert await take_back(chat, said[1], turn_id)
        await chat.told(TurnFinishedEvent, turn_id, times=3)
        assert heard(provider)[-1] == "four"
        assert await take_back(chat, said[2], turn_id)
        await chat.told(TurnForgottenEvent, turn_id)


GRACE = Author(id="2", name="Grace")


async def test_edits_at_once_end_in_the_last(start_chat: StartChat) -> None:
    """However many edits meet a turn in whatever state, one outcome is told last, and it is of the newest text."""
    provider = ScriptedProvider(echo())
    chat = await start_chat(provider)
    said = prompt("0")
    turn_id = await admit(chat, said)

    await asyncio.gather(*(edit(chat, said, turn_id, str(n), version=n) for n in range(1, 10)))

    await chat.told(TurnFinishedEvent, turn_id)
    while await chat.store.turns.unfinished("s"):  # noqa: ASYNC110  the store tells nobody
        await asyncio.sleep(0)
    assert (await chat.store.turns.get(turn_id)).state.text == "You said 9"
