"""The buttons under an answer: Stop, Regenerate, Retry, Continue, Undo and Details."""

import asyncio
import json

import pytest

from llmgine.sessions.clock import now
from programs.discord.components.custom_ids import Action, ComponentId, Target
from programs.discord.ids import Kind, Origin, Place
from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, Message, Reference
from tests.programs.discord.scene import Scene, body_of, is_outcome, labels, people_said

SESSION = f"discord:{GENERAL_ID}"
DONE = ["Regenerate", "Undo", "Details"]


async def streaming(scene: Scene, beginning: str = "I was about to ") -> Message:
    """An answer on its way."""
    scene.model.hold(asyncio.Event(), before=beginning)
    scene.ask("tell me")
    found = await scene.until(lambda: next(iter(scene.shown()), None))
    assert found is not None
    return found


async def told(scene: Scene, user: int = ADA_ID, number: int = 1) -> str:
    """What a person, and nobody else, was told."""
    await scene.until(lambda: len([one for one in scene.private(user) if one.content]) >= number)
    return scene.private(user)[number - 1].content


def failures(scene: Scene) -> list[str]:
    """What the page showed as "This interaction failed"."""
    return [name for name, _ in scene.told if name == "INTERACTION_FAILED"]


async def test_stop_ends_an_answer_on_its_way(scene: Scene) -> None:
    """While an answer streams its message has Stop; pressed, the answer ends as it is and the button goes."""
    live = await streaming(scene)
    assert labels(live) == ["Stop"]

    scene.click(live, "Stop")

    outcome = await scene.outcome()
    assert "Stopped." in outcome.content
    assert labels(outcome) == DONE
    assert "Stop" not in labels(live)
    assert body_of(live.content).startswith("I was about to")


async def test_regenerate_answers_in_place(scene: Scene) -> None:
    """The model is asked anew, without its first answer, and the same message shows the second one."""
    scene.model.reply("one")
    scene.ask("tell me")
    first = await scene.outcome()
    assert labels(first) == DONE
    scene.model.reply("two")

    scene.click(first, "Regenerate")

    await scene.until(lambda: is_outcome(first.content) and body_of(first.content) == "two")
    await scene.delivered()
    assert people_said(scene.model.requests[-1]) == ["tell me"]
    assert labels(first) == DONE
    assert len(scene.shown()) == 1


async def test_regenerate_pressed_twice_is_done_once(scene: Scene) -> None:
    """The second press of the same button hears that it was done, though the new answer has come meanwhile."""
    scene.ask("tell me")
    first = await scene.outcome()
    old = [dict(row) for row in first.components]
    scene.click(first, "Regenerate")
    await scene.until(lambda: len(scene.model.requests) == 2)
    await scene.until(lambda: labels(first) == DONE and old[0] != first.components[0])
    await scene.delivered()

    custom_id = next(one["custom_id"] for one in old[0]["components"] if one["label"] == "Regenerate")
    first.components = old
    scene.playground.people.click(GENERAL_ID, ADA_ID, first.id, custom_id)

    assert "already done" in await told(scene)
    assert len(scene.model.requests) == 2
    assert failures(scene) == []


async def test_retry_asks_again_after_a_failure(scene: Scene) -> None:
    """A failed turn has Retry in place of Regenerate; the next answer takes the failure's place."""
    scene.model.fail(400, "no such model")
    scene.ask("tell me")
    failed = await scene.outcome()
    assert labels(failed) == ["Retry", "Undo", "Details"]
    scene.model.reply("Here it is.")

    scene.click(failed, "Retry")

    await scene.until(lambda: [body_of(one.content) for one in scene.outcomes()] == ["Here it is."])
    await scene.until(lambda: len(scene.shown()) == 1)
    await scene.delivered()


async def test_continue_goes_on_where_the_answer_was_cut(scene: Scene) -> None:
    """Only an answer cut at the model's limit has Continue; pressed twice it goes on once, in a message of its own."""
    scene.model.reply("Once upon a", finish="length")
    scene.ask("tell me a story")
    cut = await scene.outcome()
    assert labels(cut) == ["Regenerate", "Continue", "Undo", "Details"]
    scene.model.reply("time.")

    scene.click(cut, "Continue")
    scene.click(cut, "Continue")

    assert body_of((await scene.outcome(2)).content) == "time."
    await scene.app.bus.wait_until_idle()
    assert [text.split()[0] for text in people_said(scene.model.requests[-1])] == ["tell", "Go"]
    assert len(scene.model.requests) == 2


async def test_continue_in_a_thread_of_its_own(scene: Scene) -> None:
    """Where each question gets a thread, what goes on replies to the answer that was cut, which is in that thread."""
    await scene.app.store.settings.change(SESSION, "threads", "auto", None, now())
    scene.model.reply("Once upon a", finish="length")
    asked = scene.ask("tell me a story")
    await scene.until(lambda: asked.id in scene.playground.state.channels)
    cut = await scene.outcome(channel=asked.id)

    scene.click(cut, "Continue")

    following = await scene.outcome(2, channel=asked.id)
    assert following.reference == Reference(asked.id, cut.id)
    last = await scene.app.store.turns.last(f"discord:{asked.id}")
    assert last is not None
    state = scene.playground.state
    category_id = state.channels[GENERAL_ID].parent_id
    assert Origin.of(last).asked == Place(Kind.THREAD, asked.id, GENERAL_ID, category_id, state.guild.id)


async def test_undo_forgets_the_last_turn(scene: Scene) -> None:
    """The answer goes from the channel, the texts from the store, and the model hears nothing of them."""
    scene.ask("one")
    await scene.outcome()
    scene.ask("two")
    second = await scene.outcome(2)

    scene.click(second, "Undo")

    await scene.until(lambda: len(scene.shown()) == 1)
    assert "forgotten that question" in await told(scene)
    scene.ask("three")
    await scene.outcome(2)
    assert people_said(scene.model.requests[-1]) == ["one", "three"]


async def test_undo_pressed_twice_is_done_once(scene: Scene) -> None:
    """The turn before the forgotten one is not forgotten too."""
    scene.ask("one")
    await scene.outcome()
    scene.ask("two")
    second = await scene.outcome(2)

    scene.click(second, "Undo")
    scene.click(second, "Undo")

    await scene.until(lambda: len(scene.private(ADA_ID)) == 2)
    assert len(await scene.app.store.turns.history(SESSION)) == 1
    assert failures(scene) == []


async def test_after_undo_the_answer_before_is_the_last_again(scene: Scene) -> None:
    """Its buttons went when the next question began; once that is undone, it has them again and they work."""
    scene.ask("one")
    first = await scene.outcome()
    scene.ask("two")
    second = await scene.outcome(2)
    await scene.until(lambda: labels(first) == ["Details"])

    scene.click(second, "Undo")
    await scene.until(lambda: labels(first) == DONE)
    scene.click(first, "Undo")

    await scene.until(lambda: not scene.shown())


async def test_a_stale_button_says_so_and_goes(scene: Scene) -> None:
    """Where an older answer still has its buttons, a press changes nothing, is explained, and takes them away."""
    scene.ask("one")
    first = await scene.outcome()
    old = [dict(row) for row in first.components]
    scene.ask("two")
    await scene.outcome(2)
    await scene.until(lambda: labels(first) == ["Details"])
    first.components = old  # as if the courtesy had not been paid

    scene.click(first, "Undo")

    assert "something newer" in await told(scene)
    await scene.until(lambda: labels(first) == ["Details"])
    assert len(await scene.app.store.turns.history(SESSION)) == 2


@pytest.mark.parametrize("label", DONE)
async def test_only_the_asker_and_moderators(scene: Scene, label: str) -> None:
    """Another person is told so, alone; nothing happens."""
    scene.no_moderators()
    scene.ask("one")
    answer = await scene.outcome()

    scene.click(answer, label, by=GRACE_ID)

    assert await told(scene, GRACE_ID) == "Only Ada or a moderator can do this."
    assert len(scene.model.requests) == 1
    assert labels(answer) == DONE


async def test_the_asker_needs_no_permission(scene: Scene) -> None:
    """Who asked may take the question back, without being a moderator."""
    scene.no_moderators()
    scene.ask("one", by=GRACE_ID)
    answer = await scene.outcome()

    scene.click(answer, "Undo", by=GRACE_ID)

    assert (await told(scene, GRACE_ID)).startswith("Done. I've forgotten that question")
    await scene.until(lambda: not scene.shown())


async def test_the_buttons_work_after_a_restart(scene: Scene) -> None:
    """An earlier process's buttons do what they say."""
    scene.ask("one")
    answer = await scene.outcome()
    await scene.restart()
    scene.model.reply("two")

    scene.click(answer, "Regenerate")

    await scene.until(lambda: is_outcome(answer.content) and body_of(answer.content) == "two")
    await scene.delivered()


async def test_a_button_of_a_cleared_conversation_says_so(scene: Scene) -> None:
    """There is nothing left to act on: the person is told, and all buttons go."""
    scene.ask("one")
    answer = await scene.outcome()
    await scene.app.store.sessions.clear(SESSION, now())

    scene.click(answer, "Regenerate")

    assert "forgotten or cleared" in await told(scene)
    await scene.until(lambda: labels(answer) == [])
    assert failures(scene) == []


async def test_details_show_what_is_behind_an_answer(scene: Scene) -> None:
    """Model, tokens, time, rounds, and each call with its arguments and result, to the one who presses alone."""

    def look_up(place: str) -> str:
        """Look up.

        Args:
            place: Where.
        """
        return f"found ``` in {place}"

    await scene.app.engine.register_tool(look_up)
    scene.model.reply(tool_calls=[("look_up", json.dumps({"place": "Rome"}))])
    scene.model.reply("There.")
    scene.ask("where?")
    answer = await scene.outcome()

    scene.click(answer, "Details")

    text = await told(scene)
    for part in ("test-model", "2 rounds", "tokens", "`look_up`", '"place": "Rome"', "found ˋˋˋ in Rome"):
        assert part in text


async def test_long_details_are_a_file(scene: Scene) -> None:
    """What does not fit into a message is in a file, whole."""

    def flood() -> str:
        """Give much."""
        return "x" * 9_000

    await scene.app.engine.register_tool(flood)
    scene.model.reply(tool_calls=[("flood", "{}")])
    scene.model.reply("There.")
    scene.ask("much?")
    answer = await scene.outcome()

    scene.click(answer, "Details")

    await scene.until(lambda: any(one.attachments for one in scene.private(ADA_ID)))
    [shown] = scene.private(ADA_ID)
    assert len(shown.content) <= 2_000
    assert [(file.filename, len(file.content) > 9_000) for file in shown.attachments] == [("details.md", True)]


@pytest.mark.parametrize(
    "custom_id",
    [
        "",
        "lg:",
        "lg:undo",
        "lg:undo:xyz",
        "lg:undo:0123456789abcdef:1:2",
        "lg:UNDO:0123456789abcdef",
        "lg:clear:yes:no",
        "lg:press:session:page:one",
        "lg:form:system:everywhere",
        "lg:press:session:resume:",
        None,
        7,
    ],
)
def test_other_ids_mean_nothing(custom_id: object) -> None:
    """What is no custom id of an action has no meaning."""
    assert ComponentId.read(custom_id) is None


def test_ids_without_an_attempt_are_understood() -> None:
    """Buttons that were posted before attempts stood in them say what they mean."""
    found = ComponentId.read("lg:approve:0123456789abcdef:3.1")

    assert found is not None
    assert found.action is Action.APPROVE
    assert found.target == Target("0123456789abcdef", None, 3, 1)
