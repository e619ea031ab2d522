"""A store in which every operation is done, and in it every statement that there is."""

import contextlib

from llmgine.errors import UserError
from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.commands import (
    Attachment,
    BranchSessionCommand,
    EditPromptCommand,
    PromptCommand,
    RegenerateTurnCommand,
)
from llmgine.messages.deliveries import DeliveryKey
from llmgine.messages.steps import DecisionStep, ReplyStep, WaitingStep
from llmgine.sessions import SessionStore, operations
from llmgine.sessions.clock import now
from llmgine.sessions.records import Cursor, Lesson, Position, Spent, Today
from tests.llmgine.sessions.examples import (
    ADA,
    DONE,
    FAR_OFF,
    LONG_AGO,
    admit,
    admitted,
    append,
    begun,
    claimed,
    ended,
    finish,
    part,
    prompt,
)

REPLY = ReplyStep(round=0, text="answer", finish="stop", model="m", usage=None, seconds=0.1, history_from=1)
ASKING = REPLY.model_copy(
    update={"tool_calls": (ToolCall(id="c", name="roll", arguments="{}"),), "finish": "tool_calls"}
)
SPENT = Spent(scopes=("s",), tokens=7, day=1)
OLD = DeliveryKey(kind="old", round=0, part=0)


async def do_everything(store: SessionStore) -> None:
    """Do every operation, each in as many ways as it has statements."""
    for part_of_it in (_admissions, _runs, _decisions, _again, _forgotten, _copies, _reads, _lists, _the_rest):
        await part_of_it(store)


def _picture(source_id: str, *, burst: float = 0.0) -> PromptCommand:
    """A prompt with an image."""
    attachment = Attachment(id="1", name="cat.png", size=1, media_type="image/png", image=0)
    update = {"attachments": (attachment,), "images": ("data:",), "burst": burst, "place": "p", "guild": 7}
    return prompt(source_id, session_id="burst").model_copy(update=update)


async def _admissions(store: SessionStore) -> None:
    await begun(store, "running", session_id="burst")
    first = await store.turns.admit(_picture("1", burst=60.0), "turn", now())
    assert (await store.turns.admit(_picture("1", burst=60.0), "turn", now())).place == first.place
    assert (await store.turns.admit(_picture("2", burst=60.0), "more", now())).joined
    assert (await store.turns.admit(_picture("2"), "again", now())).duplicate


async def _runs(store: SessionStore) -> None:
    await store.settings.change("s", "daily_tokens", "1000", ADA, now())
    turn = await begun(store, "r1")
    await store.runs.before_call(turn, Today(day=1, tokens=9), 5)
    await store.runs.append_reply(turn, 2, REPLY, SPENT)
    await store.runs.append(turn, 3, REPLY)
    await store.runs.set_status(turn, "running")
    await store.deliveries.place(turn, [(part(turn, "text", 0, 0).key, "100")], 1)
    await store.runs.finish(turn, "done", [(4, DONE)], [part(turn, "text", 0, 0)], SPENT)
    await store.deliveries.settle(turn, [(part(turn, "text", 0, 0).key, "100")], 1)


async def _decisions(store: SessionStore) -> None:
    for number, always in enumerate((False, True)):
        turn = await begun(store, f"d{number}", session_id=f"decided {number}")
        await append(store, turn, ASKING, WaitingStep(round=0, call_id="c", deadline=FAR_OFF, allows_always=True))
        decision = DecisionStep(call_id="c", approved=True, decided_by=ADA, always=always)
        at = now()
        assert await store.decisions.decide(turn.id, decision, at)
        await store.runs.decision(turn, "c")
        await store.decisions.decide(turn.id, decision, at)
        # The step that says it is written by the turn's own process; until then the same one is looked up.
        await finish(store, turn)
    await store.settings.always_approved("decided 1", "roll", ADA)


async def _again(store: SessionStore) -> None:
    turn = await ended(store, "a1", session_id="again")
    await store.deliveries.place(turn, [(part(turn, "text", 0, 0).key, "300")], 1)
    await store.turns.regenerate(
        RegenerateTurnCommand(session_id="again", turn_id=turn.id, attempt=1, scopes=("again",))
    )
    await store.turns.regenerate(RegenerateTurnCommand(session_id="again", turn_id=turn.id, attempt=1))
    await store.deliveries.settle(turn, [(OLD, "400")], 2)  # of the attempt before
    await finish(store, await claimed(store, "again"))
    for version, text in ((1, "hello"), (2, "changed")):
        await store.prompts.edit(_edit(turn.id, "a1", text, version))
    queued = await store.turns.admit(_picture("q1").model_copy(update={"session_id": "edited"}), "queued", now())
    await store.turns.admit(_picture("q2", burst=60.0).model_copy(update={"session_id": "edited"}), "joined", now())
    await store.prompts.edit(_edit(queued.turn_id, "q1", "changed", 3))
    await store.prompts.delete("edited", queued.turn_id, "q2")
    assert (await store.prompts.delete("edited", queued.turn_id, "q1")).what == "whole"


def _edit(turn_id: str, source_id: str, text: str, version: int) -> EditPromptCommand:
    return EditPromptCommand(
        session_id="again", turn_id=turn_id, source_id=source_id, text=text, version=version, scopes=("again",)
    )


async def _forgotten(store: SessionStore) -> None:
    turn = await ended(store, "f1", session_id="forgotten")
    await store.branches.make(BranchSessionCommand(session_id="forgotten", new_session_id="kept copy"), "b1", now())
    for _ in range(2):
        assert await store.forget("forgotten", turn.id)
    await store.deliveries.settle(turn, [], 1)
    await store.prompts.delete("forgotten", turn.id, "f1")
    await store.sessions.clear("forgotten", now())


async def _copies(store: SessionStore) -> None:
    for number in range(2):
        turn = await begun(store, f"c{number}", session_id="from")
        await finish(store, turn, steps=(REPLY, DONE))
    await ended(store, "t1", session_id="to")
    there = BranchSessionCommand(session_id="from", new_session_id="to", keep_as="to/kept")
    assert await store.branches.make(there, "b2", now()) == 2
    assert await store.branches.make(there, "b3", now()) == 0
    await admitted(store, "t2", session_id="to")
    with contextlib.suppress(UserError):
        await store.branches.make(BranchSessionCommand(session_id="kept copy", new_session_id="to"), "b4", now())


async def _reads(store: SessionStore) -> None:
    turns = store.turns
    turn = await ended(store, "read", session_id="read")
    open_turn = await admitted(store, "open", session_id="read")
    await turns.unfinished("read")
    for session_id in (None, "read"):
        await turns.unfinished_of(["test", "other"], session_id)
    await turns.get(turn.id)
    await turns.many([turn.id])
    await turns.history("read")
    await turns.ended("read", 9, 5)
    await turns.of_message("test", "read")
    await turns.admitted("test", ["read", "nothing"])
    await turns.known("test", ["read", "nothing"])
    for guild in (None, 7):
        await turns.asked_lately("test", guild, 0)
    await turns.messages_of("test", "p", 0)
    await turns.last("read")
    await turns.before("read", 9)
    await turns.images("turn", [0])
    await turns.take_over([open_turn])
    await turns.claim("read", resumed={open_turn.id})
    somebody = operations.Turns(store, "somebody")
    await somebody.admit(prompt("theirs", session_id="taken"), "theirs", now())
    await somebody.claim("taken")
    await admitted(store, "ours", session_id="taken")
    await turns.claim("taken", dead={"somebody"})
    deliveries = store.deliveries
    await deliveries.of(turn.id)
    await deliveries.load(turn.id)
    await deliveries.undelivered("test")
    await deliveries.turn_of("100")
    await deliveries.turns_of(["100", "200"])
    await deliveries.known(["100", "200"])
    await deliveries.is_last_answer("read", "100")


async def _lists(store: SessionStore) -> None:
    for newer in (False, True):
        for under in (None, ["s", "read"]):
            await store.sessions.page(Position(updated_at=now(), id=""), most=5, under=under, newer=newer, words="e")
    await store.sessions.get("read")
    await store.sessions.ensure("read", now(), "Name", ("read", "server"))
    await store.sessions.set_system_prompt("read", "Be kind.", now())
    await store.sessions.set_system_prompt("read", None, now())
    await store.sessions.rename("read", "Title", now(), only_first=True)
    moving = [Cursor("a", 1, "dm"), Cursor("b", 2, "thread", "c", 7)]
    await store.cursors.move("test", moving)
    await store.cursors.at("test", ["a", "b"])
    await store.cursors.newest("test")
    for cursor in moving:
        await store.cursors.page("test", cursor.kind, cursor.guild, after=cursor, most=5)
    await store.cursors.forget("test", "a")


async def _the_rest(store: SessionStore) -> None:
    await store.settings.of(["s", "read"])
    await store.settings.of_session("s")
    await store.allowances.of(["s"], Today(day=1, tokens=9))
    await store.allowances.of_session("s", Today(day=1, tokens=9))
    await store.allowances.spend("s", 5, 1)
    await store.allowances.sweep(2)
    await admit(store, prompt("stopped", session_id="stopped"))
    for turn_id in (None, "nothing"):
        await store.stops.request("stopped", turn_id)
    await store.stops.mine()
    await store.stops.sweep()
    await store.lessons.learn(Lesson(service="s", model="m", name="window", learnt_at=LONG_AGO))
    await store.lessons.all()
    await store.lessons.forget()
    await store.logins.count("test", 2, 1)
