"""What is made of healthy replies, in all dialects of the services."""

import json

import pytest

from llmgine.errors import ProviderError, ProviderReplyError, ReplyCutOffError
from llmgine.messages.chat_messages import Usage
from llmgine.providers.base import Change
from llmgine.providers.openai import OpenAIProvider
from tests.chat_completions import ChatCompletionsServer
from tests.llmgine.providers.examples import HELLO, ask, delta


class TestReply:
    async def test_reports_usage(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """Tokens are the service's own count, with the part that came from a cache."""
        server.reply("Hi", usage=(120, 7), cached=100)

        reply = await ask(provider)

        assert reply.usage == Usage(input_tokens=120, output_tokens=7, cached_tokens=100)

    @pytest.mark.parametrize(
        ("usage", "expected"),
        [
            (None, None),
            ("many", None),
            ({}, Usage()),
            (
                {"prompt_tokens": None, "completion_tokens": 3, "prompt_tokens_details": None},
                Usage(output_tokens=3),
            ),
            ({"prompt_tokens": -4, "completion_tokens": "9"}, Usage()),
        ],
    )
    async def test_odd_usage_harms_no_reply(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, usage: object, expected: Usage | None
    ) -> None:
        """What is not a count counts nothing."""
        server.chunks([delta({"content": "Hi"}, "stop"), {"choices": [], "usage": usage}])

        reply = await ask(provider)

        assert reply.text == "Hi"
        assert reply.usage == expected

    async def test_leaves_thinking_out(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """Reasoning is not answer text, in whichever field a service sends it."""
        thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
        server.chunks(
            [
                delta({"role": "assistant", "reasoning_content": "The user greets."}),
                delta({"reasoning": "So will I.", "content": None}),
                delta({"content": [thinking, {"type": "text", "text": "Hel"}]}),
                delta({"content": "lo"}, "stop"),
            ]
        )

        assert (await ask(provider)).text == "Hello"

    @pytest.mark.parametrize(
        ("pieces", "answer"),
        [
            (["<think>The user greets.</think>\n\nHello"], "Hello"),
            (["\n<thi", "nk>The user", " greets.</th", "ink>", "\n\nHel", "lo"], "Hello"),
            ([*"<think>hm</think>Hello"], "Hello"),
            (["<think></think>", "<think>a < b</thin", "</think>Hello"], "Hello"),
            (["<thinker>", " is a statue"], "<thinker> is a statue"),
            (["<", "think", " twice"], "<think twice"),
            (["<thi"], "<thi"),
            (["Write <think>so</think> first."], "Write <think>so</think> first."),
            ([" \n", "  indented"], " \n  indented"),
        ],
    )
    async def test_leaves_thinking_in_the_text_out(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, pieces: list[str], answer: str
    ) -> None:
        """What stands between tags before the answer is never shown, however it is split; other text is left alone."""
        server.chunks([*(delta({"content": piece}) for piece in pieces), delta({}, "stop")])
        shown: list[str] = []

        reply = await provider.reply(HELLO, shown.append)

        assert reply.text == answer
        assert answer.startswith("".join(shown))

    async def test_thinking_without_an_end_is_no_answer(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """A tag that is never closed leaves nothing; a reply cut at its limit within the thinking says that."""
        server.chunks([delta({"content": "<think>hm, hm"}, "stop")])
        with pytest.raises(ProviderReplyError):
            await ask(provider)
        server.chunks([delta({"content": "<think>hm, hm"}, "length")])

        reply = await ask(provider)

        assert (reply.text, reply.finish) == ("", "length")

    async def test_a_reply_cut_off_while_thinking_shows_none_of_it(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """The part that is kept of a broken reply is answer too."""
        server.cut("<think>secret thoughts")

        with pytest.raises(ReplyCutOffError) as cut:
            await ask(provider)

        assert cut.value.partial == ""

    async def test_skips_chunks_that_say_nothing(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """Empty, missing and odd choices between the good ones are passed over."""
        odd: list[object] = [
            {"choices": []},
            {"choices": None},
            {},
            [],
            "null",
            "17",
            {"choices": "?"},
            {"choices": [7]},
        ]
        server.chunks([*odd, delta(None), delta({"content": 5}), delta({"content": "Hi"}, "stop"), *odd])

        assert (await ask(provider)).text == "Hi"

    async def test_accepts_a_reply_that_is_not_streamed(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """A service that ignores `stream` answers with one document, which holds the same."""
        function = {"name": "roll", "arguments": "{}"}
        message = {"role": "assistant", "content": "Rolling.", "tool_calls": [{"id": "1", "function": function}]}
        server.json({"choices": [{"message": message}], "usage": {"prompt_tokens": 3, "completion_tokens": 4}})

        reply = await ask(provider)

        assert (reply.text, reply.finish) == ("Rolling.", "tool_calls")
        assert [call.name for call in reply.tool_calls] == ["roll"]
        assert reply.usage == Usage(input_tokens=3, output_tokens=4)

    async def test_says_when_a_limit_cut_the_reply(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """The text so far is kept, and the reason with it."""
        server.reply("Once upon a", finish="length")

        reply = await ask(provider)

        assert (reply.text, reply.finish) == ("Once upon a", "length")

    async def test_drops_tool_calls_that_a_limit_cut(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """Half a call is never run."""
        server.reply(tool_calls=[("delete", '{"path": "/tmp/x"}'), ("delete", '{"path": "/')], finish="length")

        reply = await ask(provider)

        assert (reply.tool_calls, reply.finish) == ((), "length")

    async def test_says_when_content_was_withheld(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """A filtered reply is neither empty nor a fault."""
        server.reply("", finish="content_filter")

        assert (await ask(provider)).finish == "filtered"

    async def test_passes_on_the_words_of_a_refusal(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """People read why the model will not, and the reply is marked."""
        server.chunks([delta({"refusal": "I can't "}), delta({"refusal": "do that."}), delta({}, "stop")])

        reply = await ask(provider)

        assert (reply.text, reply.finish) == ("I can't do that.", "filtered")

    async def test_text_is_fit_for_every_store(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """No NUL and no lone surrogate comes through, and a pair becomes its character."""
        server.chunks([delta({"content": "a\0b \ud83d c \ud83d\ude00"}, "stop")])

        assert (await ask(provider)).text == "ab \ufffd c 😀"


class TestTakenBack:
    async def test_thinking_that_shows_late_is_taken_back(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """Whoever showed it begins again with the answer."""
        server.chunks(
            [delta({"content": "Der Nutzer grüßt."}), delta({"content": "\n</think>\n\nHallo"}), delta({}, "stop")]
        )
        shown: list[str] = []

        reply = await provider.reply(HELLO, shown.append, shown.clear)

        assert "".join(shown) == reply.text == "Hallo"
        assert [learnt.change for learnt in reply.learnt] == [Change.OPENED_THINKING]

    async def test_a_cut_reply_keeps_no_thinking(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """Neither what was told before the closing tag nor what was held back."""
        server.chunks([delta({"content": "Greeting: secret.\n</think>\n\nHello Ada, "})], done=False)
        with pytest.raises(ReplyCutOffError) as cut:
            await provider.reply(HELLO, lambda _: None)
        assert cut.value.partial == "Hello Ada, "

        server.chunks([delta({"content": "Okay, the user wants a secret"})], done=False)
        with pytest.raises(ReplyCutOffError) as cut:
            await provider.reply(HELLO, lambda _: None)
        assert cut.value.partial == ""

    async def test_thinking_that_fills_the_limit_is_no_answer(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """A model that begins in its thinking and is cut there has said nothing yet."""
        server.chunks([delta({"content": "A long secret plan"}), delta({}, "length")])
        known = HELLO.model_copy(update={"changes": frozenset({Change.OPENED_THINKING})})
        shown: list[str] = []

        reply = await provider.reply(known, shown.append)

        assert (reply.text, reply.finish, shown) == ("", "length", [])


async def test_parts_hold_whole_characters_only(server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
    """Half a character in what goes back does not keep the reply from being stored."""
    details = {"reasoning_details": [{"type": "x", "text": "a\ud83d", "id\ud83d": "b"}]}
    server.chunks([json.dumps(delta(details)), delta({"content": "ok"}), delta({}, "stop")])

    reply = await ask(provider)

    assert reply.parts is not None
    reply.parts.model_dump_json().encode()


@pytest.mark.parametrize(
    "document",
    [
        {"detail": "gone"},
        {"errors": [{"message": "gone"}]},
        {"message": "gone", "code": 500},
        {"status": "error", "msg": "gone"},
        {"choices": [{"error": {"message": "gone"}, "finish_reason": "error"}]},
        [{"error": {"message": "gone"}}],
    ],
)
@pytest.mark.parametrize("streamed", [True, False])
async def test_an_error_in_any_form_is_quoted(
    server: ChatCompletionsServer, provider: OpenAIProvider, document: object, *, streamed: bool
) -> None:
    """People read the reason, not that the answer was empty."""
    if streamed:
        server.chunks([document])
    else:
        server.json(document)

    with pytest.raises(ProviderError, match="gone"):
        await provider.reply(HELLO, lambda _: None)
