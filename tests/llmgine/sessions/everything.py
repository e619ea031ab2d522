"""A store in which every operation is done, and in it every statement that there is."""

import contextlib

from llmgine.errors import UserError
from llmgine.messages.chat_messages import ResultFile, ToolCall, ToolResult
from llmgine.messages.commands import (
    Attachment,
    Author,
    BranchSessionCommand,
    EditPromptCommand,
    PromptCommand,
    Quote,
    RegenerateTurnCommand,
)
from llmgine.messages.context_messages import ContextMessage, Writer
from llmgine.messages.deliveries import DeliveryKey
from llmgine.messages.steps import DecisionStep, ReplyStep, ResultStep, WaitingStep
from llmgine.sessions import SessionStore, operations
from llmgine.sessions.clock import now
from llmgine.sessions.costs import Asker, Cost, Reservation, Spent, Today
from llmgine.sessions.operations.result_files import stored_form
from llmgine.sessions.records import AnsweredAt, AuditEntry, Cursor, Lesson, Position
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
    spent,
)

REPLY = ReplyStep(
    round=0, text="answer", finish="stop", model="m", usage=None, seconds=0.1, history_from=1, outside=False
)
ASKING = REPLY.model_copy(
    update={"tool_calls": (ToolCall(id="c", name="roll", arguments="{}"),), "finish": "tool_calls"}
)
SPENT = Spent(counted_in=("s",), cost=Cost(tokens=7), day=1)
RESERVED = Reservation(id="r", counted_in=("s", "*"), day=1, most=Cost(tokens=9), sent=Cost(tokens=2))
AUDIT = AuditEntry(id="a", at=LONG_AGO, person=ADA.id, place="s", listed_under="s", action="set", about="model: m")
OLD = DeliveryKey(kind="old", round=0, part=0)


async def do_everything(store: SessionStore) -> None:
    """Do every operation, each in as many ways as it has statements."""
    parts = (
        _admissions,
        _talk,
        _runs,
        _pauses,
        _decisions,
        _again,
        _forgotten,
        _copies,
        _reads,
        _lists,
        _people,
        _purges,
    )
    for part_of_it in (*parts, _the_rest):
        await part_of_it(store)


def _picture(source_id: str, *, burst: float = 0.0) -> PromptCommand:
    """A prompt with an image."""
    attachment = Attachment(id="1", name="cat.png", size=1, media_type="image/png", image=0)
    quoted = Quote(author=None, text="look", source_id="1")
    update = {"attachments": (attachment,), "images": ("data:",), "quoted": quoted}
    update |= {"burst": burst, "place": "p", "guild": 7}
    return prompt(source_id, session_id="burst").model_copy(update=update)


async def _admissions(store: SessionStore) -> None:
    await begun(store, "running", session_id="burst")
    first = await store.turns.admit(_picture("1", burst=60.0), "turn", now())
    assert (await store.turns.admit(_picture("1", burst=60.0), "turn", now())).place == first.place
    assert (await store.turns.admit(_picture("2", burst=60.0), "more", now())).joined
    assert (await store.turns.admit(_picture("2"), "again", now())).duplicate


def _after_talk(source_id: str, *, burst: float = 0.0) -> PromptCommand:
    """A prompt before which somebody else wrote."""
    before = ContextMessage(source_id="b", author=Writer(id="77", name="Bob"), at=LONG_AGO, text="It rains.")
    update = {"context": (before,), "burst": burst, "place": "p"}
    return prompt(source_id, session_id="talk").model_copy(update=update)


async def _talk(store: SessionStore) -> None:
    found = store.context_messages
    await begun(store, "running before", session_id="talk")
    await store.turns.admit(_after_talk("w1", burst=60.0), "talk 1", now())
    assert (await store.turns.admit(_after_talk("w2", burst=60.0), "talk 2", now())).joined
    assert [one.text for one in await found.of("talk 1")] == ["It rains."]
    await store.cursors.move("test", [Cursor("inside", 1, "thread", "p", 7)])
    assert "b" in (await found.lately("test", "p", 0))[1]
    assert await found.left_out("test", "s", {"b": ("somebody", 1)}) == frozenset()
    stored = await found.stored("test", ["b", "c"])
    assert len(stored) == 1
    await found.erase(stored)
    await found.erase_place("test", "p", 0)
    await store.turns.admit(_after_talk("w3"), "talk 3", 5)
    assert (await store.people.erase("77", ["talk 3"])).mentions == 1
    await store.turns.admit(_after_talk("w4"), "talk 4", 5)
    assert await found.erase_older(now())
    assert await found.of("talk 3") == await found.of("talk 4") == []


async def _runs(store: SessionStore) -> None:
    await store.settings.change("s", "daily_tokens", "1000", ADA, now())
    turn = await begun(store, "r1")
    await store.runs.before_call(turn, Today(day=1, tokens=9), 5)
    await store.runs.append_reply(turn, 2, REPLY, SPENT)
    await store.runs.append(turn, 3, REPLY)
    file = ResultFile(name="f.txt", media_type="text/plain", size=1, data=b"x")
    result = ToolResult(call_id="c", name="roll", content="done", files=(file,))
    step = ResultStep(round=0, result=result, seconds=0.1)
    await store.runs.append(turn, 4, step, "running", await stored_form(step))
    assert await store.result_files.read(turn.id, turn.attempt, "c", 0) == b"x"
    await store.runs.set_status(turn, "running")
    await store.deliveries.place(turn, [(part(turn, "text", 0, 0).key, "100")], 1)
    await store.runs.finish(turn, "done", [(5, DONE)], [part(turn, "text", 0, 0)], SPENT)
    await store.deliveries.settle(turn, [(part(turn, "text", 0, 0).key, "100")], 1)


async def _pauses(store: SessionStore) -> None:
    turn = await begun(store, "p1", session_id="paused")
    assert await store.runs.append_unless_paused(turn, 2, REPLY, "running")
    for what in ("answers", "tools"):
        assert (await store.pauses.begin("paused", what, "1", ADA, now())).is_new
    assert not await store.runs.append_unless_paused(turn, 3, REPLY, "running")
    assert len(await store.pauses.of(["paused"])) == len(await store.pauses.of_session("paused"))
    assert await store.pauses.end("paused", "tools", "2")


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
    await store.sessions.rename("read", "Title", now())
    await store.sessions.give_title("nothing", "Title")
    moving = [Cursor("a", 1, "dm"), Cursor("b", 2, "thread", "c", 7)]
    await store.cursors.move("test", moving)
    await store.cursors.at("test", ["a", "b"])
    await store.cursors.newest("test")
    for cursor in moving:
        await store.cursors.page("test", cursor.kind, cursor.guild, after=cursor, most=5)
    await store.cursors.forget("test", "a")


async def _people(store: SessionStore) -> None:
    people, who = store.people, ADA.id
    said = prompt("own1", "hello", session_id=f"own:{who}")
    await admit(store, said.model_copy(update={"place": "own", "guild": 7}))
    theirs = await claimed(store, f"own:{who}")
    await finish(store, theirs)
    quoting = {"author": Author(id="2", name="Grace"), "quoted": Quote(author=None, text="answer"), "place": "own"}
    mentions = {"mentions": {f"<@{who}>": "Ada"}}
    await admit(store, prompt("own2", session_id="quoting").model_copy(update=quoting | mentions))
    other = await claimed(store, "quoting")
    denied = DecisionStep(call_id="c", approved=False, decided_by=ADA, reason="No.")
    result = ToolResult(call_id="c", name="roll", content="Denied.", ok=False)
    await store.runs.append(other, 2, denied, "running")
    await store.runs.append(other, 3, ResultStep(round=0, result=result, seconds=0.0), "running")
    await store.sessions.give_title(other.id, "Title")
    await store.settings.change("quoting", "system_prompt", f"Be kind to <@{who}>.", ADA, now())
    await people.begin(who, now())
    await people.forgotten()
    [one] = await people.unfinished()
    await people.turns_with(who, one.forgotten_at, "")
    await people.turns_with(who, one.forgotten_at, "~")
    assert [their.turn.id for their in await people.theirs(who, [theirs.id, other.id])] == [theirs.id]
    where = AnsweredAt(source="test", place="own", since=0)
    assert await people.unquote(where, one.forgotten_at, (0, "")) is not None
    assert (await people.erase(who, [theirs.id, other.id])).mentions == 1
    await people.forget_title(theirs)
    assert await people.elsewhere(who)
    await people.erase_elsewhere(who)
    await people.erase_dms(who, [f"own:{who}"])
    await store.allowances.forget(store.today.day)
    await people.own_sessions(who, f"own:{who[:-1]}")
    await people.finish(who, one.forgotten_at, now())


async def _purges(store: SessionStore) -> None:
    purges = store.purges
    turn = await ended(store, "old1", session_id="old")
    await store.sessions.ensure("old", now(), "Old", ("old", "test:server:9"))
    await purges.idle(now(), 100)
    await store.cursors.move("test", [Cursor("old", 1, "channel", None, 9)])
    await purges.note_servers("test", 1, [7, 9], now())
    await purges.note_servers("test", 1, [7], now())
    [left] = await purges.left()
    assert await purges.of_server(left) == ["old"]
    await purges.wider_settings(left, "old")
    while await purges.session("old", before=now(), settings=True):
        assert await store.turns.many([turn.id]) == []
    while await purges.places(left):
        pass
    assert await purges.left() == []


async def _the_rest(store: SessionStore) -> None:
    await store.settings.of(["s", "read"])
    await store.settings.of_session("s")
    await store.allowances.of(["s"], Today(day=1, tokens=9))
    await store.allowances.of_session("s", Today(day=1, tokens=9), Asker(person="test:person:1", roles=("7",)))
    await store.allowances.used("s", 0)
    limits = await store.allowances.of(["s"], Today(day=1, tokens=9))
    await store.allowances.reserve(RESERVED, [one.model_copy(update={"most": 1_000_000}) for one in limits])
    await store.allowances.owners()
    await store.allowances.settle(spent(1).model_copy(update={"reservation": RESERVED.id, "purpose": "title"}))
    await store.allowances.reserve(RESERVED, [])
    await store.allowances.settle_left([store.owners.me])
    await store.allowances.warn(["s", "*"], 1)
    await store.allowances.settle(spent(5))
    await store.allowances.sweep(40)
    await admit(store, prompt("stopped", session_id="stopped"))
    for turn_id in (None, "nothing"):
        await store.stops.request("stopped", turn_id)
    await store.stops.mine()
    await store.stops.sweep()
    await store.lessons.learn(Lesson(service="s", model="m", name="window", learnt_at=LONG_AGO))
    await store.lessons.all()
    await store.lessons.forget()
    await store.logins.count("test", 2, 1)
    await store.audit.add(AUDIT)
    for under in (None, "s"):
        assert await store.audit.newest(under, 5) == [AUDIT]
    await store.audit.sweep(now())
