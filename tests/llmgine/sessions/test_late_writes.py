"""What a given-up attempt writes late: nothing of it is stored, so no text that was taken back comes back."""

from collections.abc import Awaitable, Callable

import pytest

from llmgine.errors import SupersededError
from llmgine.messages.chat_messages import OpaqueParts, ToolCall, ToolResult
from llmgine.messages.commands import (
    Attachment,
    BranchSessionCommand,
    EditPromptCommand,
    PromptCommand,
    RegenerateTurnCommand,
)
from llmgine.messages.steps import DecisionStep, OutcomeStep, ReplyStep, ResultStep, Turn, WaitingStep
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import now
from llmgine.sessions.costs import Cost, Spent
from llmgine.sessions.records import Claimed
from tests.llmgine.sessions.conftest import Open
from tests.llmgine.sessions.contents import rows
from tests.llmgine.sessions.examples import ADA, FAR_OFF, admit, admitted, append, claimed, finish, part

SECRET = "xyzzy"
ONCE = Spent(counted_in=("s",), cost=Cost(tokens=7), day=1)
REPLY = ReplyStep(
    round=0,
    text=SECRET,
    tool_calls=(ToolCall(id="c", name="mail", arguments=f'{{"to": "{SECRET}"}}'),),
    finish="tool_calls",
    model="m",
    usage=None,
    seconds=0,
    parts=OpaqueParts(service="test", model="m", data={"thought": SECRET}),
)
RESULT = ResultStep(round=0, result=ToolResult(call_id="c", name="mail", content=SECRET), seconds=0)
OUTCOME = OutcomeStep(state="done", partial=SECRET, notice=SECRET, seconds=0)

Write = Callable[[SessionStore, Turn], Awaitable[None]]
TakeBack = Callable[[SessionStore, Turn], Awaitable[object]]


async def write_step(store: SessionStore, turn: Turn) -> None:
    await store.runs.append(turn, 9, RESULT)


async def write_reply(store: SessionStore, turn: Turn) -> None:
    await store.runs.append_reply(turn, 9, REPLY, ONCE)


async def write_status(store: SessionStore, turn: Turn) -> None:
    await store.runs.set_status(turn, "waiting")


async def write_outcome(store: SessionStore, turn: Turn) -> None:
    await store.runs.finish(turn, "done", [(9, RESULT), (10, OUTCOME)], [part(turn, "text", 0, 0, SECRET)], ONCE)


WRITES = (write_step, write_reply, write_status, write_outcome)


async def edited(store: SessionStore, turn: Turn) -> None:
    edit = EditPromptCommand(session_id="s", turn_id=turn.id, source_id="2", version=1, text="harmless")
    assert (await store.prompts.edit(edit)).what == "again"


async def one_deleted(store: SessionStore, turn: Turn) -> None:
    assert (await store.prompts.delete("s", turn.id, "2")).what == "again"


async def forgotten(store: SessionStore, turn: Turn) -> None:
    assert await store.turns.forget("s", turn.id, turn.owner) is not None


async def cleared(store: SessionStore, turn: Turn) -> None:
    await store.sessions.clear("s", now())


async def under_way(store: SessionStore) -> Turn:
    """A turn of two messages that runs, the second of them and all that came after with the secret."""
    picture = Attachment(id="p", name=f"{SECRET}.png", media_type="image/png", size=3, image=0)
    for source_id, text in ("1", "kept"), ("2", SECRET):
        said = PromptCommand(session_id="s", text=text, source="test", source_id=source_id, author=ADA, burst=60)
        if source_id == "2":
            said = said.model_copy(update={"attachments": (picture,), "images": (f"data:image/png;base64,{SECRET}",)})
        await admit(store, said)
    turn = await claimed(store)
    await append(store, turn, REPLY, WaitingStep(round=0, call_id="c", deadline=FAR_OFF))
    decision = DecisionStep(call_id="c", approved=False, decided_by=ADA, reason=SECRET)
    assert await store.decisions.decide(turn.id, decision, now())
    await store.deliveries.place(turn, [(part(turn, "text", 0, 0).key, "100")], 1)
    return turn


async def answered(store: SessionStore) -> Turn:
    """The same after its outcome, which was sent."""
    turn = await under_way(store)
    parts = [part(turn, "text", 0, 0, SECRET), part(turn, "card", 0, 0, SECRET)]
    await finish(store, turn, *parts, steps=[RESULT, OUTCOME])
    await store.deliveries.settle(turn, [(parts[0].key, "100"), (parts[1].key, "200")], 2)
    return turn


def stored(url: str) -> str:
    """All rows of all tables, as one text."""
    return repr(rows(url))


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("take_back", [edited, one_deleted, forgotten])
async def test_what_ran_writes_nothing(store: SessionStore, url: str, take_back: TakeBack, write: Write) -> None:
    """A turn that is taken back while it runs is gone, and its runner's next write is refused."""
    turn = await under_way(store)
    await take_back(store, turn)
    before = stored(url)

    with pytest.raises(SupersededError):
        await write(store, turn)

    assert stored(url) == before
    assert SECRET not in before


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("take_back", [edited, one_deleted, forgotten, cleared])
async def test_what_had_ended_writes_nothing(store: SessionStore, url: str, take_back: TakeBack, write: Write) -> None:
    """An answer that is taken back is gone with its posted parts; its outcome, said again, brings nothing back."""
    turn = await answered(store)
    await take_back(store, turn)
    before = stored(url)

    with pytest.raises(SupersededError):
        await write(store, turn)

    assert stored(url) == before
    assert SECRET not in before


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("take_back", [edited, one_deleted, forgotten])
async def test_a_copy_in_a_branch_writes_nothing(
    store: SessionStore, url: str, take_back: TakeBack, write: Write
) -> None:
    """What is taken back does not live on in branches, nor what is answered there again at that moment."""
    turn = await answered(store)
    await store.branches.make(BranchSessionCommand(session_id="s", new_session_id="branch"), "b", now())
    (copy,) = await store.turns.history("branch")
    again = RegenerateTurnCommand(session_id="branch", turn_id=copy.turn.id)
    await store.turns.regenerate(again)
    await finish(store, await claimed(store, "branch"), part(copy.turn, "text", 0, 0, SECRET), steps=[OUTCOME])
    await store.turns.regenerate(again)
    late = await claimed(store, "branch")
    await append(store, late, REPLY)
    await take_back(store, turn)
    before = stored(url)

    with pytest.raises(SupersededError):
        await write(store, late)

    assert stored(url) == before
    assert SECRET not in before


async def test_a_decision_or_a_message_id_brings_no_text_back(store: SessionStore, url: str) -> None:
    """What others than the runner write late of a forgotten turn is refused, or without text."""
    turn = await under_way(store)
    await forgotten(store, turn)

    late = DecisionStep(call_id="c", approved=True, decided_by=ADA, reason=SECRET)
    assert not await store.decisions.decide(turn.id, late, now())
    await store.deliveries.settle(turn, [(part(turn, "card", 0, 0).key, "300")], 2)

    assert SECRET not in stored(url)
    assert await store.deliveries.known(["300"]) == {"300"}


async def test_a_turn_that_lost_its_process_begins_again_when_edited(url: str, open_another: Open) -> None:
    """Queued again behind another one, a turn that had begun keeps nothing of its old question when it is edited."""
    dead, store = await open_another(), await open_another()
    old = await under_way(dead)
    await dead.close()
    await admitted(store, "3")
    assert isinstance(await store.turns.claim("s", dead=[old.owner]), Claimed)
    await store.take_over(["test"])

    await edited(store, old)

    [turn] = await store.turns.many([old.id])
    assert [step.kind for step in turn.steps] == ["prompt", "prompt"]
    assert SECRET not in stored(url)


async def test_an_edit_of_a_queued_regeneration_forgets_the_first_attempt(store: SessionStore, url: str) -> None:
    """Nothing of what was said and answered before is kept, also in the attempts before."""
    turn = await answered(store)
    await store.turns.regenerate(RegenerateTurnCommand(session_id="s", turn_id=turn.id, attempt=1))
    edit = EditPromptCommand(session_id="s", turn_id=turn.id, source_id="2", version=1, text="harmless")

    assert (await store.prompts.edit(edit)).what == "replaced"

    assert SECRET not in stored(url)
