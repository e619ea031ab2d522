"""Conversations with every service stay alive: with tools, through Stop, failures, images, edits and restarts."""

import pytest

from llmgine.messages.commands import (
    Admitted,
    Attachment,
    Author,
    BranchSessionCommand,
    EditPromptCommand,
    PromptCommand,
    RegenerateTurnCommand,
    StopTurnCommand,
)
from llmgine.messages.events import AnswerProgressEvent, TurnFinishedEvent
from tests.llmgine.engine.chat import ADA, Chat, prompt
from tests.llmgine.services.talk import PIXEL, Talk, is_answered, wrongs
from tests.services.catalogue import SERVICES
from tests.services.conversation import image_count
from tests.services.mistral import Mistral
from tests.services.openrouter import OpenRouter
from tests.services.refusal import Kind

BOB = Author(id="2", name="Bob")
with_tools = pytest.mark.parametrize(
    "entry", [entry for entry in SERVICES if "tools" in entry.works], ids=lambda entry: entry.make.__name__
)
MISTRAL = next(entry for entry in SERVICES if entry.make is Mistral)


async def admit(chat: Chat, command: PromptCommand) -> str:
    """Admit a prompt; its turn."""
    admitted = (await chat.bus.execute(command)).unwrap()
    assert isinstance(admitted, Admitted)
    return admitted.turn_id


def with_image(text: str) -> PromptCommand:
    """A prompt with a picture."""
    picture = Attachment(name="dot.png", media_type="image/png", size=68, image=0)
    return prompt(text).model_copy(update={"images": (PIXEL,), "attachments": (picture,)})


async def test_tools_in_two_rounds_a_follow_up_and_tools_again(talk: Talk) -> None:
    """A parallel pair and one more call run, the follow-up is answered, and tools run again."""
    chat = await talk.start()

    outcomes = [
        await chat.say("use tools", author=ADA),
        await chat.say("thanks", author=ADA),
        await chat.say("and now use tools again", author=BOB),
    ]

    assert wrongs(talk.service) == []
    assert [(one.state, one.text) for one in outcomes if not is_answered(one)] == []
    assert [talk.used_tools(chat, one, times=times) for one, times in zip(outcomes, (3, 0, 3), strict=True)] == [
        True
    ] * 3


async def test_stop_after_a_tool_and_then_a_question(talk: Talk) -> None:
    """The stopped turn keeps what was streamed, the service is told to stop, and the next question is answered."""
    chat = await talk.start()
    await chat.say("hello")
    admitted = await chat.admit("use tools, then hold")
    await talk.held()
    await chat.told(AnswerProgressEvent, admitted.turn_id)

    await chat.bus.execute(StopTurnCommand(session_id="s", turn_id=admitted.turn_id))
    stopped = await chat.outcome(admitted.turn_id)
    following = [await chat.say("what is next?"), await chat.say("use tools")]

    assert wrongs(talk.service) == []
    assert stopped.state == "stopped"
    assert stopped.text.startswith("One")
    assert all(is_answered(one) for one in following)
    assert talk.used_tools(chat, stopped, times=2)
    assert talk.used_tools(chat, following[-1])


@with_tools
async def test_stop_in_a_tool_and_then_a_question(talk: Talk) -> None:
    """Stopped while a tool runs, the turn ends behind its results for the model, and the next question is answered."""
    chat = await talk.start()
    talk.tools.held = True
    admitted = await chat.admit("use tools")
    await talk.in_tool()

    await chat.bus.execute(StopTurnCommand(session_id="s", turn_id=admitted.turn_id))
    stopped = await chat.outcome(admitted.turn_id)
    talk.tools.held = False
    following = [await chat.say("what is next?"), await chat.say("use tools")]

    assert wrongs(talk.service) == []
    assert stopped.state == "stopped"
    assert all(is_answered(one) for one in following)


async def test_a_failed_turn_and_then_a_question(talk: Talk) -> None:
    """What was refused fails once, with a reason; the next questions are answered, with tools."""
    chat = await talk.start()
    await chat.say("hello")

    failed = await chat.say("fail please")
    following = [await chat.say("what day is it?"), await chat.say("use tools")]

    assert wrongs(talk.service) == []
    assert (failed.state, len(talk.service.refused(Kind.PROMPT))) == ("failed", 1)
    assert failed.notice
    assert all(is_answered(one) for one in following)
    assert talk.used_tools(chat, following[-1])


async def test_an_image_and_then_two_questions(talk: Talk) -> None:
    """All three are answered; a model that cannot see is shown the image once at most, one that sees always."""
    chat = await talk.start()

    first = await chat.outcome(await admit(chat, with_image("what is this?")))
    asked = len(talk.service.requests)
    outcomes = [first, await chat.say("thanks"), await chat.say("use tools")]

    assert wrongs(talk.service) == []
    assert all(is_answered(one) for one in outcomes)
    images = [_images(request) for request in talk.service.requests]
    if talk.service.takes_images:
        assert all(images)
    else:
        assert not any(images[asked:])


async def test_a_trouble_that_passes_is_waited_for(talk: Talk) -> None:
    """Each service's own way to fail for a moment ends in an answer, with nothing for people to do."""
    chat = await talk.start()

    outcomes = [await chat.say("hello"), await chat.say("trip please"), await chat.say("use tools")]

    assert wrongs(talk.service) == []
    assert [(one.state, one.notice) for one in outcomes if not is_answered(one)] == []
    assert len(talk.service.refused(Kind.PASSING)) == 1


async def test_answers_after_regenerating_an_edit_and_a_branch(talk: Talk) -> None:
    """What the service wants back is right for the history as it is now, in both conversations."""
    chat = await talk.start()
    edited = prompt("use tools")
    first = await admit(chat, edited)
    outcomes = [await chat.outcome(first), await chat.say("use tools, please")]

    again = RegenerateTurnCommand(session_id="s", turn_id=outcomes[-1].turn_id)
    (await chat.bus.execute(again)).unwrap()
    outcomes.append(await chat.told(TurnFinishedEvent, outcomes[-1].turn_id, times=2))
    change = EditPromptCommand(
        session_id="s", turn_id=first, source_id=edited.source_id, version=1, text="now use tools"
    )
    assert (await chat.bus.execute(change)).unwrap()
    outcomes.append(await chat.told(TurnFinishedEvent, first, times=2))
    (await chat.bus.execute(BranchSessionCommand(session_id="s", new_session_id="b"))).unwrap()
    outcomes += [await chat.say("use tools", "b"), await chat.say("use tools", "s")]

    assert wrongs(talk.service) == []
    assert [(one.state, one.notice) for one in outcomes if not is_answered(one)] == []


@with_tools
async def test_a_restart_in_the_middle_of_a_tool_turn(talk: Talk) -> None:
    """The turn is finished by the next process, which learns nothing over again, and the conversation continues."""
    chat = await talk.start()
    await chat.say("use tools")
    talk.tools.began.clear()
    talk.tools.held = True
    admitted = await chat.admit("use tools")
    await talk.in_tool()
    await chat.close()
    talk.tools.held = False

    heir = await talk.start()
    assert await heir.engine.recover(["test"]) == 1
    outcomes = [await heir.outcome(admitted.turn_id), await heir.say("use tools")]

    assert wrongs(talk.service) == []
    assert [(one.state, one.notice) for one in outcomes if not is_answered(one)] == []
    assert talk.used_tools(heir, outcomes[-1])


async def test_another_service_continues_the_conversation(talk: Talk) -> None:
    """What one service wanted back is not sent to another, and both go on with what the other said."""
    async with Mistral() as other:
        chat = await talk.start()
        outcomes = [await chat.say("use tools")]
        chat = await talk.start(MISTRAL, other)
        outcomes += [await chat.say("use tools"), await chat.say("thanks")]
        chat = await talk.start()
        outcomes += [await chat.say("use tools"), await chat.say("thanks")]

        assert wrongs(talk.service) + wrongs(other) == []
        assert [(one.state, one.notice) for one in outcomes if not is_answered(one)] == []


@pytest.mark.parametrize(
    "entry", [one for one in SERVICES if one.make is OpenRouter], indirect=True, ids=["OpenRouter"]
)
@pytest.mark.parametrize("trouble", ["no_credit", "free_models_per_day"])
async def test_an_account_with_nothing_left_fails_at_once_and_says_why(talk: Talk, trouble: str) -> None:
    """Neither is asked again while somebody waits; the words name credits, and the next question is answered."""
    chat = await talk.start()
    assert isinstance(talk.service, OpenRouter)
    talk.service.refuse_next(getattr(talk.service, trouble)())

    failed = await chat.say("hello")

    assert (failed.state, len(talk.service.requests)) == ("failed", 1)
    assert "credit" in (failed.notice or "")
    assert is_answered(await chat.say("hello"))


def _images(request: dict[str, object]) -> int:
    """How many images a request has, by either API."""
    messages = request.get("messages") or request.get("input")
    assert isinstance(messages, list)
    return image_count(messages)
