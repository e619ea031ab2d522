"""The scripted model, beyond what every provider promises."""

from collections.abc import Callable

import pytest

from llmgine.errors import ProviderRefusedError
from llmgine.messages.chat_messages import ChatMessage
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.scripted import ScriptedProvider


def asking(text: str) -> ChatRequest:
    return ChatRequest(messages=(ChatMessage(role="user", content=text),))


def ignore(_: str) -> None:
    pass


async def test_keeps_what_it_was_asked() -> None:
    """A test can look at every request afterwards."""
    provider = ScriptedProvider(["one", "two"])

    await provider.reply(asking("first"), ignore)
    await provider.reply(asking("second"), ignore)

    assert provider.requests == [asking("first"), asking("second")]


async def test_says_when_its_script_is_used_up() -> None:
    """A request too many is an error that says so, not a hang and not an old reply."""
    provider = ScriptedProvider("only this")

    await provider.reply(asking("a"), ignore)

    with pytest.raises(ProviderRefusedError, match="request 2 came, and it holds 1"):
        await provider.reply(asking("b"), ignore)


async def test_one_function_answers_every_request() -> None:
    """A function sees the request and streams by itself."""

    async def shout(request: ChatRequest, on_text: Callable[[str], None]) -> ChatReply:
        text = request.messages[-1].content.upper()
        on_text(text)
        return ChatReply(text=text, model="shouter")

    provider = ScriptedProvider(shout, model="shouter")
    pieces: list[str] = []

    replies = [await provider.reply(asking(text), pieces.append) for text in ("ay", "oh")]

    assert [reply.text for reply in replies] == pieces == ["AY", "OH"]


async def test_a_script_mixes_texts_replies_errors_and_functions() -> None:
    """Each entry is the kind of reply that is easiest to write."""

    async def answer(_: ChatRequest, on_text: Callable[[str], None]) -> ChatReply:
        on_text("from a function")
        return ChatReply(text="from a function", model="scripted")

    provider = ScriptedProvider(
        ["a text", ChatReply(text="cut", finish="length", model="m"), ValueError("boom"), answer]
    )

    assert (await provider.reply(asking("1"), ignore)).text == "a text"
    assert (await provider.reply(asking("2"), ignore)).finish == "length"
    with pytest.raises(ValueError, match="boom"):
        await provider.reply(asking("3"), ignore)
    assert (await provider.reply(asking("4"), ignore)).text == "from a function"


@pytest.mark.parametrize("text", ["", " ", "\n\n", " a", "a ", "a  b\n\n c "])
async def test_pieces_make_up_the_text_whatever_its_spaces(text: str) -> None:
    """No white space is lost in streaming."""
    pieces: list[str] = []

    reply = await ScriptedProvider(text).reply(asking("?"), pieces.append)

    assert "".join(pieces) == reply.text == text
