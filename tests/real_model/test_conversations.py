"""Conversations with a real server: many turns in a small window, two channels at once, pictures."""

import pytest

from llmgine.messages.commands import Attachment, PromptCommand
from llmgine.messages.events import AnswerProgressEvent, LLMResponseEvent, TurnFinishedEvent
from tests.llmgine.engine.chat import ADA, Chat
from tests.llmgine.engine.conftest import StartChat
from tests.real_model.conftest import Provide, StartServer
from tests.real_model.examples import RED_SQUARE, WINDOW, words
from tests.real_model.llama import LlamaServer

pytestmark = pytest.mark.timeout(180)  # seconds; on a machine that is not busy the slowest takes half a minute

TURNS = 25
REFUSED = "exceeds the available context size"  # the server's words


def note(number: int, length: int) -> str:
    """A message of so many words with a question, which the model answers rather than not."""
    return f"Note {number}: {words(length, number)}. What is {number} + 1?"


def show_a_refusal(outcomes: list[TurnFinishedEvent]) -> bool:
    """Whether people read the server's words in one of these outcomes."""
    return any(REFUSED in f"{one.text} {one.notice}" for one in outcomes)


async def test_a_conversation_outgrows_its_window(
    start_server: StartServer, provide: Provide, start_chat: StartChat
) -> None:
    """Nearly twice the window of 1,536 tokens is said in 25 turns; each is answered, and nobody sees a refusal."""
    server = start_server("--slots", "1", "--answer", "12")
    chat = await start_chat(provide(server))

    outcomes = [await chat.say(note(turn, 80)) for turn in range(TURNS)]

    assert [one.state for one in outcomes] == ["done"] * TURNS
    assert all(one.text for one in outcomes)
    assert not show_a_refusal(outcomes)
    replies = chat.of(LLMResponseEvent)
    assert ("history",) in [reply.left_out for reply in replies]
    assert 1 <= server.log().count(REFUSED) <= 3  # then its window is known
    sizes = [reply.usage.input_tokens for reply in replies if reply.usage]
    assert len(sizes) == TURNS
    assert max(sizes) <= WINDOW
    assert sizes[-1] > WINDOW / 4  # it has not forgotten everything


async def test_a_window_is_known_after_a_restart(server: LlamaServer, provide: Provide, start_chat: StartChat) -> None:
    """What one process learnt from a refusal the next one knows: it sends nothing that is refused again."""
    before = await start_chat(provide(server))
    outcomes = [await before.say(note(turn, 800)) for turn in range(2)]
    await before.close()
    refused = server.log().count(REFUSED)

    after = await start_chat(provide(server))
    outcomes.append(await after.say(note(2, 800)))

    assert [one.state for one in outcomes] == ["done"] * 3
    assert refused >= 1
    assert server.log().count(REFUSED) == refused


async def test_one_message_too_long_does_no_harm(chat: Chat) -> None:
    """A message that no window takes is refused with a notice, in our words; the next question is answered."""
    too_long = await chat.say(words(5000))
    after = await chat.say("What is the capital of France?")

    assert too_long.state == "failed"
    assert too_long.notice
    assert after.state == "done"
    assert after.text
    assert not show_a_refusal([too_long, after])


async def test_an_address_is_enough(server: LlamaServer, provide: Provide, start_chat: StartChat) -> None:
    """With no model configured, the only one that the server lists answers, and the outcome names it."""
    chat = await start_chat(provide(server, model=None))

    outcome = await chat.say("What is the capital of France?")

    assert (outcome.state, outcome.model) == ("done", server.model)
    assert outcome.text


async def test_two_channels_are_answered_at_once(chat: Chat) -> None:
    """Both answers are seen to grow before either is finished."""
    admitted = [await chat.admit("Tell me a long story about the sea.", session) for session in ("one", "other")]

    outcomes = [await chat.outcome(one.turn_id) for one in admitted]

    assert [one.state for one in outcomes] == ["done", "done"]
    assert all(one.text for one in outcomes)
    first_end = next(number for number, event in enumerate(chat.events) if isinstance(event, TurnFinishedEvent))
    growing = {one.session_id for one in chat.events[:first_end] if isinstance(one, AnswerProgressEvent)}
    assert growing == {"one", "other"}


async def test_one_person_is_answered_in_plain_text(chat: Chat) -> None:
    """What one person says is sent as it is, so that a small model does not answer in the JSON it would be shown."""
    questions = ["Hello!", "What is the capital of France?", "Name an animal.", "What is 3 + 4?", "Thank you!"]

    outcomes = [await chat.say(question, f"s{number}", ADA) for number, question in enumerate(questions)]

    assert [one.state for one in outcomes] == ["done"] * len(questions)
    assert not [one.text for one in outcomes if one.text.lstrip().startswith(("{", "```"))]


async def test_a_picture_is_refused_once(server: LlamaServer, chat: Chat) -> None:
    """The question with the picture and the next two are answered, and the server refuses the picture once."""
    refused = server.log().count("image input is not supported")
    attachment = Attachment(name="red.png", media_type="image/png", size=len(RED_SQUARE), image=0)
    command = PromptCommand(
        session_id="s",
        text="What is this?",
        source="test",
        source_id="picture",
        attachments=(attachment,),
        images=(RED_SQUARE,),
    )

    shown = await chat.outcome((await chat.bus.execute(command)).unwrap().turn_id)
    later = [await chat.say(text) for text in ("Thanks!", "And what is 3 + 4?")]

    assert [one.state for one in (shown, *later)] == ["done"] * 3
    assert chat.of(LLMResponseEvent)[0].left_out == ("images",)
    assert server.log().count("image input is not supported") == refused + 1
