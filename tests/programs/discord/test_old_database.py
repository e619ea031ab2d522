"""The bot after an update: what an older version left in its database and on Discord goes on and can be used."""

import json
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, RANDOM_ID, Channel, ChannelType, Json, Message
from programs.playground.invariants import Invariants
from programs.playground.server import Playground
from tests.llmgine.sessions.data.old import OLD, write_old
from tests.programs.discord.scene import ROOMY, Scene, body_of, labels
from tests.programs.discord.test_buttons import DONE, told

DATA = Path(__file__).parent / "data"
DAY = 86_400.0


PLAYGROUNDS = {
    5: "playground.json",
    6: "playground_6.json",
    7: "playground_7.json",
    8: "playground_8.json",
    9: "playground_9.json",
}  # Discord at the moment of each dump


@pytest.fixture(params=OLD)
def version(request: pytest.FixtureRequest) -> int:
    """The schema of the older version."""
    return int(request.param)


@pytest.fixture
async def playground(tmp_path: Path, version: int) -> AsyncIterator[Playground]:
    """Discord as the older version left it, on a later day: none of its messages is recent."""
    shutil.copy(DATA / PLAYGROUNDS[version], tmp_path / "playground.json")
    async with Playground(rules=ROOMY, data=tmp_path / "playground.json", clock=lambda: time.time() + DAY) as running:
        yield running


@pytest.fixture
def old(unstarted: Scene, version: int) -> Scene:
    """A scene whose bot has not started, on what the older version left."""
    write_old(unstarted.folder / "llmgine.db", version)
    return unstarted


@pytest.fixture
async def updated(old: Scene) -> Scene:
    """The same after the start of the present version."""
    return await old.start()


def channel(scene: Scene, name: str) -> Channel:
    return next(one for one in scene.playground.state.channels.values() if one.name == name)


def direct(scene: Scene) -> int:
    """The DM with Ada."""
    return next(one.id for one in scene.playground.state.channels.values() if one.type is ChannelType.DM)


def waiting_card(scene: Scene) -> Message:
    """The card of the call that waits for approval."""
    [card] = [message for message in scene.shown(channel(scene, "Mail").id) if "Approve" in labels(message)]
    return card


def outbox(scene: Scene) -> list[str]:
    return [file.read_text() for file in (scene.folder / "outbox").glob("*.eml")]


def assert_every_call_has_its_result(request: Json) -> None:
    """Each call of a request is followed by its one result, and no result is without its call."""
    expected: list[str] = []
    for message in request["messages"]:
        if message["role"] == "tool":
            expected.remove(message["tool_call_id"])
        else:
            assert expected == []
            expected = [call["id"] for call in message.get("tool_calls", [])]
    assert expected == []


async def test_each_open_turn_ends_once(old: Scene) -> None:
    """The tool that was started is not run again, what was queued comes after it, and each question has one outcome."""
    runs: list[str] = []

    async def order_pizza(size: str) -> str:
        """Order a pizza.

        Args:
            size: How large it is.
        """
        runs.append(size)
        return "ordered"

    old.model.reply("I do not know whether it is ordered.")
    old.model.reply("I am here.")
    scene = await old.start(tools=(order_pizza,))

    await scene.outcome(4, RANDOM_ID)
    scene.click(waiting_card(scene), "Approve")
    await scene.outcome(1, channel(scene, "Mail").id)

    assert [body_of(one.content) for one in scene.outcomes(RANDOM_ID)][2:] == [
        "I do not know whether it is ordered.",
        "I am here.",
    ]
    assert runs == []
    [result] = [one for one in scene.model.requests[0]["messages"] if one["role"] == "tool"]
    assert "unknown" in result["content"]
    for request in scene.model.requests:
        assert_every_call_has_its_result(request)
    Invariants(scene.playground).require()


async def test_another_restart_changes_nothing(updated: Scene) -> None:
    """What has its outcome is not answered again, and what waits still waits."""
    await updated.outcome(4, RANDOM_ID)
    asked = waiting_card(updated).embeds[0]["fields"]
    before = {one.id: one.content for place in (GENERAL_ID, RANDOM_ID) for one in updated.shown(place)}

    await updated.restart()

    await updated.delivered()
    assert {one.id: one.content for place in (GENERAL_ID, RANDOM_ID) for one in updated.shown(place)} == before
    # It said that it restarts; too old to be edited, the card that no longer says so is another message.
    await updated.until(lambda: "footer" not in waiting_card(updated).embeds[0])
    assert waiting_card(updated).embeds[0]["fields"] == asked
    assert len(updated.model.requests) == 2


@pytest.mark.parametrize(("label", "sent"), [("Approve", 1), ("Deny", 0)])
async def test_a_waiting_call_is_decided_by_its_old_buttons(updated: Scene, label: str, sent: int) -> None:
    """The buttons on the old card decide; the call runs once or not at all, and the card shows it."""
    await updated.outcome(4, RANDOM_ID)
    mail = channel(updated, "Mail").id
    card = waiting_card(updated)

    updated.click(card, label)

    await updated.outcome(1, mail)
    assert [text.count("Waiting") for text in outbox(updated)] == [1] * sent
    # The old card is too old to be edited, so another one takes its place.
    [decided] = [message for message in updated.shown(mail) if message.embeds]
    assert labels(decided) == []


async def test_a_waiting_turn_is_stopped_by_its_old_button(updated: Scene) -> None:
    """Stop on the old card ends the turn, and nothing runs."""
    await updated.outcome(4, RANDOM_ID)

    updated.click(waiting_card(updated), "Stop")

    assert "Stopped" in (await updated.outcome(1, channel(updated, "Mail").id)).content
    assert outbox(updated) == []


async def test_an_old_answer_is_regenerated(updated: Scene) -> None:
    """The new answer takes the old one's place, and is asked for with the old history."""
    await updated.outcome(4, RANDOM_ID)
    answer = updated.outcomes()[-1]
    assert labels(answer) == DONE
    updated.model.reply("Good day, Grace.")

    updated.click(answer, "Regenerate")

    await updated.until(lambda: body_of(updated.outcomes()[-1].content) == "Good day, Grace.")
    await updated.delivered()
    asked = json.dumps(updated.model.requests[-1])
    assert all(text in asked for text in ("24*7", "It is 168.", "milk, bread", "A cat, and a list.", "I am Grace."))
    assert not any(text in asked for text in ("Hello Grace.", "A dog."))
    assert "Be kind." in asked
    assert_every_call_has_its_result(updated.model.requests[-1])


async def test_old_answers_and_cards_have_details(updated: Scene) -> None:
    """Details of an answer, of a tool card and of an answer that was regenerated are those of then."""
    await updated.outcome(4, RANDOM_ID)
    [card] = [message for message in updated.shown() if message.embeds]
    first, second, last = updated.outcomes()

    before = len(updated.private(ADA_ID))
    texts = []
    shown = [one for one in (card, first, second, last) if "Details" in labels(one)]  # cards of schema 9 have none
    for number, message in enumerate(shown, before + 1):
        updated.click(message, "Details")
        texts.append(await told(updated, number=number))

    assert all("test-model" in text for text in texts)
    assert ["`calculate`" in text for text in texts] == [True, True, False, False][-len(shown) :]
    assert ["attempt 2" in text for text in texts] == [False, False, True, False][-len(shown) :]


async def test_an_old_answer_is_undone(updated: Scene) -> None:
    """Undo takes the old answer away with its card, and its texts from the database."""
    await updated.outcome(4, RANDOM_ID)
    dm = direct(updated)
    [answer] = updated.outcomes(dm)

    updated.click(answer, "Undo")

    await updated.until(lambda: not updated.shown(dm))
    assert await updated.app.store.turns.history(f"discord:{dm}") == []


async def test_old_conversations_continue(updated: Scene) -> None:
    """A new question in a channel, in a branch and in a DM is asked with what was said there before."""
    await updated.outcome(4, RANDOM_ID)
    branch = next(one.id for one in updated.playground.state.threads(GENERAL_ID) if one.name != "Mail")
    places = {GENERAL_ID: ("It is 168.", 4), branch: ("It is 168.", 1), direct(updated): ("It is sent.", 2)}

    for place, (known, number) in places.items():
        updated.ask("And now?", channel=place)
        await updated.outcome(number, place)
        assert known in json.dumps(updated.model.requests[-1])
        assert_every_call_has_its_result(updated.model.requests[-1])


async def test_what_was_written_before_is_not_read_until_moderators_say_so(updated: Scene) -> None:
    """Their server was known before the update: it is off there, and they are told so once."""

    def notes() -> list[Message]:
        places = updated.playground.state.channels
        return [one for place in places for one in updated.shown(place) if "for moderators" in one.content]

    await updated.until(notes)
    updated.say("It fails since noon.", by=GRACE_ID)
    updated.ask("why?")
    await updated.model.until(lambda: any("why?" in json.dumps(one["messages"]) for one in updated.model.requests))

    await updated.restart()

    await updated.delivered()
    assert len(notes()) == 1
    assert notes()[0].mentions == []
    assert "It fails since noon." not in json.dumps(updated.model.requests)
