"""Replies that are too long: what is kept of them in each form, and that reading them is linear work."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from llmgine.messages.chat_messages import ChatMessage, ToolCall
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.bounding import MOST_CALLS_KEPT, is_cut
from llmgine.providers.chat_completions import ChatReplyBuilder
from llmgine.providers.reply_builder import ReplyBuilder
from llmgine.providers.responses import ResponsesReplyBuilder
from llmgine.providers.server_sent_events import EventReader
from tests.cpu import cpu_seconds, moments

Json = dict[str, Any]

MOST = 1_000
MOST_CPU = 5.0  # moments at a stretch: a tenth of a second
TEN_MEGABYTES = 10_000_000


def request(most: int | None = MOST) -> ChatRequest:
    return ChatRequest(messages=(ChatMessage(role="user", content="Hi"),), max_characters=most)


def chat(most: int | None = MOST) -> ReplyBuilder:
    return ChatReplyBuilder(request(most), model="m", service="s")


def responses(most: int | None = MOST) -> ReplyBuilder:
    return ResponsesReplyBuilder(request(most), model="m", service="s")


def delta(finish: str | None = None, **parts: object) -> Json:
    return {"choices": [{"index": 0, "delta": parts, "finish_reason": finish}]}


def document(finish: str = "stop", **parts: object) -> Json:
    return {"choices": [{"index": 0, "message": parts, "finish_reason": finish}]}


def fragment(index: int, arguments: str, name: str = "roll") -> Json:
    return {"index": index, "id": f"c{index}", "function": {"name": name, "arguments": arguments}}


def read(builder: ReplyBuilder, chunks: Iterable[object]) -> ChatReply:
    """The reply of a stream, which is read no further than is needed."""
    for chunk in chunks:
        builder.add(chunk)
        if builder.enough:
            break
    builder.done()
    builder.rest()
    return builder.whole()


@pytest.mark.parametrize(
    "unit", ["word ", "<", "</think>", "x</think>", "`</think>` ", "[", "<|end|>", "😀", "\u0301", "\n", "[/THINK] a"]
)
@pytest.mark.parametrize("opening", ["", "Answer: ", "Okay, so ", "<think>"])
def test_of_ten_megabytes_at_once_little_is_looked_at(unit: str, opening: str) -> None:
    """Whatever is in an answer that comes at once, it takes a moment; that moment is spent in a thread."""
    text = opening + unit * (TEN_MEGABYTES // len(unit))
    lengths = []

    def read_at_once() -> None:
        builder = chat(100_000)
        builder.add_document(document(content=text))
        lengths.append(len(builder.whole().text))

    assert moments(read_at_once, 10 * MOST_CPU) <= 10 * MOST_CPU
    assert max(lengths) <= 100_000


def test_a_text_at_once_is_cut_as_in_pieces() -> None:
    """A service that does not stream gets no longer answer, nor one that says at once how it ended."""
    builder = chat()

    told = builder.add_document(document(content="x" * 3 * MOST))

    reply = builder.whole()
    assert (told, reply.text, reply.finish, reply.bounded) == ("x" * MOST, "x" * MOST, "length", True)


def test_an_answer_behind_long_thinking_is_whole() -> None:
    """Models think at greater length than they write: only the answer counts, and as much thinking goes back."""
    thinking = [delta(reasoning_content="hm ") for _ in range(MOST)]

    reply = read(chat(), [*thinking, delta(content="Four."), delta("stop")])

    assert (reply.text, reply.bounded) == ("Four.", False)
    assert reply.parts is not None
    assert reply.parts.data["reasoning_content"] == ("hm " * MOST)[:MOST]


@pytest.mark.parametrize(
    "thinking",
    [
        {"reasoning_content": "hm "},
        {"reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "hm "}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm "}]}]},
        {"content": "<think> hm "},
    ],
    ids=lambda thinking: next(iter(thinking)),
)
def test_thinking_without_end_is_ended(thinking: Json) -> None:
    """In every form it ends the reply, at ten times the length of an answer, and of its parts no more is kept."""
    came = 0

    def endless() -> Iterable[object]:
        nonlocal came
        while True:
            came += 1
            yield delta(**thinking)

    reply = read(chat(), endless())

    assert (reply.text, reply.finish, reply.bounded) == ("", "length", True)
    assert reply.dropped > 9 * MOST  # it is paid for
    assert came < 10 * MOST
    assert reply.parts is None or len(json.dumps(reply.parts.data)) < 2 * MOST


def test_reasoning_of_the_other_api_without_end_is_ended() -> None:
    """There it is told as summaries, which are kept nowhere."""
    chunks = [{"type": "response.reasoning_summary_text.delta", "delta": "hm " * 100}] * 1_000

    reply = read(responses(), chunks)

    assert (reply.text, reply.finish, reply.bounded) == ("", "length", True)


def test_reasoning_in_a_million_pieces_is_linear_work() -> None:
    """Pieces are joined once: a piece costs the same wherever in the reasoning it is."""

    def work(pieces: int) -> float:
        builder = chat(None)
        details = [{"type": "reasoning.text", "index": 0, "text": "hm"}]
        chunk, blocks = (
            delta(reasoning_details=details),
            delta(content=[{"type": "thinking", "thinking": [{"text": "hm"}]}]),
        )
        return cpu_seconds(lambda: [(builder.add(chunk), builder.add(blocks)) for _ in range(pieces)])

    assert min(work(40_000) for _ in range(3)) < 4 * 10 * min(work(4_000) for _ in range(3))


@pytest.mark.parametrize("whole", [True, False])
def test_no_call_that_is_not_whole_can_run(whole: bool) -> None:
    """Where arguments are too long, calls that had not come to their end before are cut as well, also without any."""
    too_long = '{"a": "' + "x" * MOST
    calls = [fragment(0, '{"a": 1}'), fragment(1, ""), fragment(2, '{"a": '), fragment(3, too_long)]
    chunks = [document("tool_calls", tool_calls=calls)] if whole else [delta(tool_calls=[one]) for one in calls]

    reply = read(chat(), chunks)

    assert [is_cut(call.arguments) for call in reply.tool_calls] == [False, True, True, True]
    assert (reply.finish, reply.bounded) == ("tool_calls", True)


def test_arguments_are_counted_together() -> None:
    """Many calls are as long as one."""
    calls = [delta(tool_calls=[fragment(number, json.dumps({"a": "x" * 90}))]) for number in range(100)]

    reply = read(chat(), calls)

    assert len(reply.tool_calls) == 11
    assert reply.bounded


def test_a_thousand_calls_are_kept() -> None:
    """A reply that calls more is ended; those it has are whole."""
    calls = [delta(tool_calls=[fragment(number, "{}")]) for number in range(MOST_CALLS_KEPT + 500)]

    reply = read(chat(100_000), calls)

    assert [call.arguments for call in reply.tool_calls] == ["{}"] * MOST_CALLS_KEPT
    assert (reply.finish, reply.bounded) == ("tool_calls", True)


def test_whole_arguments_of_the_other_api_are_bounded() -> None:
    """A service that streams no arguments gives them at once, when an item is done."""
    item = {"type": "function_call", "name": "roll", "arguments": json.dumps({"a": "x" * TEN_MEGABYTES})}

    reply = read(responses(), [{"type": "response.output_item.done", "output_index": 0, "item": item}])

    (call,) = reply.tool_calls
    assert (call.name, is_cut(call.arguments), len(call.arguments) < 2_000) == ("roll", True, True)


def test_an_endless_name_is_bounded() -> None:
    """A name that never repeats does not grow beyond what anybody reads."""
    chunks = [delta(tool_calls=[fragment(0, "", name=f"x{number}")]) for number in range(10_000)]

    reply = read(chat(), [*chunks, delta("tool_calls")])

    assert len(reply.tool_calls[0].name) == 1_000


def test_a_line_of_ten_megabytes_is_linear_work() -> None:
    """An event that comes in ten thousand pieces is put together once."""
    reader, piece = EventReader(), b"x" * 1_000

    assert moments(lambda: [reader.feed(piece) for _ in range(10_000)], MOST_CPU) <= MOST_CPU
    assert [len(line) for line in (reader.feed(b"\ndata: {}\n\n"))] == [2]


def test_cut_arguments_are_told_from_others() -> None:
    """No call that a tool could run is taken for a cut one."""
    assert not is_cut(ToolCall(name="a", arguments='{"a": "… [cut: too long]"}').arguments)
