"""Thinking inside the text of a reply, in every form that models give it, told apart from the answer."""

import time
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmgine.providers.thinking import ThinkingFilter

THOUGHT = "Secret: the user greets, 1 < 2, [so]."
CHANNELS = f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>"

OPENED = {
    "think": f"<think>{THOUGHT}</think>",
    "blank lines": f"\n <think>\n{THOUGHT}\n</think>\n\n",
    "thinking": f"<thinking>{THOUGHT}</thinking>",
    "thought": f"<thought>{THOUGHT}</thought>",
    "reasoning": f"<reasoning>{THOUGHT}</reasoning>",
    "brackets": f"[THINK]{THOUGHT}[/THINK]",
    "capitals": f"<THINK>{THOUGHT}</Think>",
    "small brackets": f"[think]{THOUGHT}[/THINK]\n",
    "several": f"<think>{THOUGHT}</think>\n\n<think>{THOUGHT}</think>\n[THINK]{THOUGHT}[/THINK]\n",
    "empty": "<think>\n\n</think>\n\n",
    "closed twice": f"<think>{THOUGHT}</think>\n</think>\n",
    "other tags inside": f"<think>{THOUGHT}</thinking> <think> [/THINK]</think>",
    "mentioned inside": f"<think>{THOUGHT} `</think>` {THOUGHT}</think>",
    "invisible": f"\ufeff<think>{THOUGHT}</think>",
    "channels": CHANNELS,
    "channels from the start": f"<|start|>assistant{CHANNELS}",
    "commentary": f"<|channel|>commentary<|message|>{THOUGHT}<|end|>{CHANNELS}",
    "call in a channel": f"<|channel|>commentary to=functions.roll <|constrain|>json<|message|>{{}}<|call|>{CHANNELS}",
    "tool's turn": f"<|start|>functions.roll to=assistant<|channel|>commentary<|message|>{THOUGHT}<|end|>{CHANNELS}",
    "channel capitals": CHANNELS.replace("channel", "Channel").replace("final", "FINAL"),
    "final with a format": CHANNELS.replace("final", "final <|constrain|>JSON"),
    "think, then channels": f"<think>{THOUGHT}</think>{CHANNELS}",
}
UNOPENED = {
    "as if opened": f"Okay, the user greets me.{THOUGHT}\n</think>\n\n",
    "in one line": f"Hmm.{THOUGHT}</think>",
    "thinking": f"Let me see. {THOUGHT}\n</thinking>\n",
    "brackets": f"We need to greet. {THOUGHT}[/THINK]",
    "capitals": f"ALRIGHT, {THOUGHT}</THINK>\n",
    "blank": "\n</think>\n\n",
    "backticks before": f"So the user wants `x`.\n```\ncode\n```\n`y` {THOUGHT}</think>",
    "mentioned before": f"First, I close with `</think>`. {THOUGHT}\n</think>\n",
    "opened late": f"Let me think. <think>{THOUGHT}</think>",
    "then opened": f"Okay, {THOUGHT}</think>\n<think>{THOUGHT}</think>",
    "channels": f"We need to greet. {THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>",
    "channel without a start": f"User greets. {THOUGHT}<|channel|>final<|message|>",
    "curly": f"I’m asked to greet. {THOUGHT}\n</think>\n",
    "broken over lines": f"The\nuser greets. {THOUGHT}\n</think>\n",
}
ANSWERS = [
    "Hello Ada!",
    "<b>Hello</b> [Ada](x) `</think>` 1 < 2",
    "Write:\n```\n<think>\nso\n</think>\n```\nfirst.",
    "",
]
ORDINARY = [
    "Hello Ada!",
    "  indented",
    "",
    " ",
    "<",
    "[",
    "<thinker> is a statue",
    "<think twice",
    "[link](https://example.org) and <b>bold</b>",
    "Write <think>so</think> first.",
    "Write:\n<think>\nso\n</think>\nfirst.",
    "The tag `</think>` ends it.",
    "Use `<think>` and\n`</think>`\nfor it.",
    "Such a line:\n```\n</think>\n```\nends it.",
    "Such a line:\n~~~~\n```\n</think>\n~~~~\nends it.",
    "> ```xml\n> </think>\n> ```\nquoted",
    "It is </think> in the middle of a line.",
    "<answer><reasoning>\nso\n</reasoning>\n</answer>",
    "Userland is not thinking.",
    "Hmmm",
    "Waiting",
    "Letting go",
    "First things first.",
    "Tokens like <|end|> and <|channel|> are markup.",
    "In code:\n```\n<|start|>assistant<|channel|>final<|message|>x\n```",
    "Let me explain: `</think>` ends it.",
    "Okay.",
    "Okay, here it is:\n```xml\n<think>\nhm\n</think>\n```\nDone.",
    "Someone like <b>you</b>",
    "The user",
    "<|channel|> " + "is a long story about markup. " * 20,
]


def pieces_of(text: Iterable[str], reply: ThinkingFilter) -> list[str]:
    """What is given out for each piece, and at the end."""
    return [*[reply.add(piece) for piece in text], reply.rest()]


def cut(text: str, cuts: Iterable[int]) -> list[str]:
    """The text in pieces, some of them perhaps empty."""
    places = [0, *sorted(place % (len(text) + 1) for place in cuts), len(text)]
    return [text[begin:end] for begin, end in pairwise(places)]


CUTS = st.lists(st.integers(0, 1000), max_size=12)
# Texts with the marks that matter close together, so that any of them meets any other.
MARKS = ("<think>", "</think>", "[/THINK]", "<|channel|>", "final", "<|message|>", "<|end|>", "<|start|>assistant", "`")
TEXTS = st.lists(st.sampled_from([*MARKS, "```", "\n", " ", "Okay, ", "Hi", "<", "x", "</thinking>"])).map("".join)


class TestOpened:
    @pytest.mark.parametrize("trusted", [False, True])
    @pytest.mark.parametrize("opened", [False, True])
    @pytest.mark.parametrize("answer", ANSWERS)
    @pytest.mark.parametrize("thinking", OPENED.values(), ids=OPENED)
    def test_only_the_answer_is_given_out(self, thinking: str, answer: str, opened: bool, trusted: bool) -> None:
        """Whole or character by character, and whatever is known of the model."""
        for pieces in ([thinking + answer], list(thinking + answer)):
            reply = ThinkingFilter(opened=opened, trusted=trusted)

            assert "".join(pieces_of(pieces, reply)) == reply.answer == answer
            assert reply.thought
            assert not reply.closed_unopened

    @given(st.sampled_from(list(OPENED.values())), st.sampled_from(ANSWERS), CUTS)
    def test_wherever_it_is_cut(self, thinking: str, answer: str, cuts: list[int]) -> None:
        """No piece contains any of the thinking."""
        assert "".join(pieces_of(cut(thinking + answer, cuts), ThinkingFilter())) == answer

    @pytest.mark.parametrize(
        "ending", ["<|return|>", "<|end|>", "<|return|>\n", "<|end|><|start|>assistant<|channel|>"]
    )
    def test_the_end_of_a_channel_is_no_part_of_the_answer(self, ending: str) -> None:
        """Nor is what may follow it without a message."""
        reply = ThinkingFilter()

        assert "".join(pieces_of(list(f"{CHANNELS}Hello{ending}"), reply)) == reply.answer == "Hello"

    def test_an_answer_may_be_without_thinking_in_channels(self) -> None:
        """The final channel alone, or a message without a channel."""
        for header in ("<|channel|>final<|message|>", "<|start|>assistant<|message|>"):
            reply = ThinkingFilter()

            assert "".join(pieces_of([f"{header}Okay, hi<|end|>"], reply)) == "Okay, hi"
            assert not reply.thought

    @pytest.mark.parametrize("text", ["<think>", f"<think>{THOUGHT}", f"[THINK]{THOUGHT}</think>", CHANNELS[:-30]])
    def test_thinking_without_an_end_is_no_answer(self, text: str) -> None:
        """It was cut off, or there was nothing but thinking."""
        for cut_off in (text, *[f"{text}{'</think>'[:length]}" for length in range(8)]):
            reply = ThinkingFilter()

            assert pieces_of([cut_off], reply) == ["", ""]
            assert reply.thought
            assert reply.answer == ""

    def test_the_answer_streams(self) -> None:
        """Behind the closing tag each piece is given out as it comes."""
        assert pieces_of(["<think>", "hm", "</think>\n\nHel", "lo ", "Ada"], ThinkingFilter()) == [
            *("", "", "Hel", "lo ", "Ada", "")
        ]


class TestUnopened:
    @pytest.mark.parametrize("opened", [False, True])
    @pytest.mark.parametrize("answer", ANSWERS)
    @pytest.mark.parametrize("thinking", UNOPENED.values(), ids=UNOPENED)
    def test_a_text_that_looks_like_thinking_is_held(self, thinking: str, answer: str, opened: bool) -> None:
        """Up to its closing tag; what follows is the answer."""
        for pieces in ([thinking + answer], list(thinking + answer)):
            reply = ThinkingFilter(opened=opened)

            assert "".join(pieces_of(pieces, reply)) == reply.answer == answer
            assert reply.thought
            assert reply.closed_unopened

    @given(st.sampled_from(list(UNOPENED.values())), st.sampled_from(ANSWERS), CUTS)
    def test_wherever_it_is_cut(self, thinking: str, answer: str, cuts: list[int]) -> None:
        """No piece contains any of the thinking."""
        assert "".join(pieces_of(cut(thinking + answer, cuts), ThinkingFilter())) == answer

    def test_a_model_known_to_begin_in_its_thinking_may_begin_with_any_words(self) -> None:
        """Everything is held until the closing tag, also when a code fence in it is left open."""
        reply = ThinkingFilter(opened=True)

        assert pieces_of(["Greeting", " received:\n```\n", "</think>", "Hello"], reply) == ["", "", "", "Hello", ""]

    def test_a_closing_tag_in_a_code_block_ends_nothing(self) -> None:
        """Thinking may look at such a block, and answers may show one."""
        reply = ThinkingFilter()
        pieces_of(list(f"I need this:\n```\n</think>\n```\n{THOUGHT}\n</think>\nHello"), reply)

        assert reply.answer == "Hello"

    def test_without_a_closing_tag_everything_is_given_out_at_the_end(self) -> None:
        """Whether it was suspected or expected to be thinking."""
        for reply in (ThinkingFilter(), ThinkingFilter(opened=True)):
            assert pieces_of(["Let me", " explain <b>", "it</b>."], reply) == ["", "", "", "Let me explain <b>it</b>."]
            assert reply.answer == "Let me explain <b>it</b>."
            assert not reply.thought
            assert not reply.closed_unopened

    @pytest.mark.parametrize("answer", ANSWERS)
    @pytest.mark.parametrize("trusted", [False, True])
    @pytest.mark.parametrize(
        "thinking",
        [
            "Greeting received.\n</think>\n\n",
            "Greeting received.</think>\n",
            "Greeting received. </THINK> \n",
            "A `code` and\n```\n</think>\n```\nmore\n [/THINK] ",
            "Use <thinking>.\n</think>\n",
            "Greeting.<|end|><|start|>assistant<|channel|>final<|message|>",
        ],
    )
    def test_a_closing_tag_may_come_behind_what_was_given_out(self, thinking: str, answer: str, trusted: bool) -> None:
        """On a line of its own or at the end of one it shows that all before it was thinking."""
        for pieces in ([thinking + answer], list(thinking + answer)):
            reply = ThinkingFilter(trusted=trusted)
            pieces_of(pieces, reply)

            assert reply.answer == answer
            assert reply.thought
            assert reply.closed_unopened

    def test_the_answer_behind_a_late_closing_tag_streams(self) -> None:
        """What was given out before it cannot be taken back; no part of the tag is given out."""
        reply = ThinkingFilter()

        assert pieces_of(["Greeting.", "\n</th", "ink>", "\n\nHello", " Ada"], reply) == [
            *("Greeting.", "\n", "", "Hello", " Ada", "")
        ]
        assert reply.answer == "Hello Ada"

    def test_nothing_but_thinking_is_no_answer(self) -> None:
        """With a closing tag as the last of all."""
        for text in ("Okay, hm.\n</think>", "Greeting.</think>", "Greeting.</think> \n", "</think>"):
            for pieces in ([text], list(text)):
                reply = ThinkingFilter()
                pieces_of(pieces, reply)

                assert reply.answer == ""
                assert reply.closed_unopened

    @pytest.mark.parametrize(
        "beginning",
        [
            *(
                "Okay, the user",
                "okay.",
                "Alright ",
                "Hmm, ",
                "Let me ",
                "Let's ",
                "Let’s ",
                "First,",
                "The user ",
                "User ",
            ),
            *("We need ", "We have to ", "We should ", "I need ", "I should ", "I'm asked ", "So the ", "So,", "Wait,"),
            *(
                "Got it,",
                "Thinking: ",
                "To answer ",
                "The question ",
                "They want ",
                "Someone ",
                "\n\nOkay\n",
                "嗯，",
                "用户说",
            ),
        ],
    )
    def test_how_models_begin_to_think(self, beginning: str) -> None:
        """Their usual first words are held."""
        held = ThinkingFilter()

        assert [held.add(character) for character in beginning] == [""] * len(beginning)
        assert held.add(" more") == ""

    @pytest.mark.parametrize(
        "answer", ["Okay, here it is.", "Let me explain.", "First, boil water.", "So, yes. ", "Well, no."]
    )
    def test_a_trusted_model_may_begin_with_these_words(self, answer: str) -> None:
        """What is not surely thinking is given out as it comes."""
        trusted = ThinkingFilter(trusted=True)

        assert "".join(map(trusted.add, answer)) == answer

    @pytest.mark.parametrize(
        "beginning", ["Okay, the user asks", "Hmm, the user is", "We need to answer", "Let me think"]
    )
    def test_a_trusted_model_may_think_all_the_same(self, beginning: str) -> None:
        """Some models think only about some questions."""
        trusted = ThinkingFilter(trusted=True)

        assert "".join(map(trusted.add, beginning)) == ""
        assert trusted.add(" more.</think>Hi") == "Hi"


class TestOrdinaryText:
    @pytest.mark.parametrize("text", ORDINARY)
    def test_it_is_given_out_whole(self, text: str) -> None:
        """However much it speaks of thinking."""
        for pieces in ([text], list(text)):
            for reply in (ThinkingFilter(), ThinkingFilter(trusted=True)):
                assert "".join(pieces_of(pieces, reply)) == reply.answer == text
                assert not reply.thought
                assert not reply.closed_unopened

    @pytest.mark.parametrize("pieces", [["Hel", "lo", " Ada"], ["1 < 2", " [x]", "y"], ["# ", "x"], ["Letter", "s"]])
    def test_it_streams(self, pieces: list[str]) -> None:
        """A piece that cannot be part of thinking is given out at once."""
        assert "".join(pieces_of(pieces, ThinkingFilter())[:-1]) == "".join(pieces)
        assert pieces_of(pieces, ThinkingFilter())[-2] == pieces[-1]

    def test_a_trusted_model_streams_what_may_be_an_answer(self) -> None:
        """Its first words may be those of thinking."""
        assert pieces_of(["Okay", ", here"], ThinkingFilter(trusted=True)) == ["", "Okay, here", ""]


@given(TEXTS, CUTS, st.booleans(), st.booleans())
def test_the_answer_is_the_same_wherever_the_text_is_cut(
    text: str, cuts: list[int], opened: bool, trusted: bool
) -> None:
    """Any mix of tags and code, in any pieces, down to single characters."""
    filters = [ThinkingFilter(opened=opened, trusted=trusted) for _ in range(3)]
    for given_out, pieces in zip(filters, ([text], list(text), cut(text, cuts)), strict=True):
        pieces_of(pieces, given_out)

    assert len({(each.answer, each.thought, each.closed_unopened) for each in filters}) == 1


@given(TEXTS, CUTS)
def test_the_answer_is_the_end_of_what_was_given_out(text: str, cuts: list[int]) -> None:
    """Of pieces given out only the first may turn out to be thinking."""
    given_out = ThinkingFilter()
    pieces = pieces_of(cut(text, cuts), given_out)

    assert "".join(pieces).endswith(given_out.answer)
    assert given_out.rest() == ""


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        *(("Hello", " x"), ("Okay, ", " x"), ("<think>", "x<"), ("", "\n"), ("<|channel|>", "x")),
        *(("Hello", "`</think>`"), ("Hello", "</think>x"), ("Hello\n```\n", "</think>\n")),
        *(("", "Hello\n</think>\n"), ("<|channel|>final<|message|>", "a < b")),
    ],
)
def test_a_long_reply_costs_no_more_a_piece(beginning: str, piece: str) -> None:
    """Four times the pieces take about four times as long, not sixteen times."""

    def duration(count: int) -> float:
        given_out = ThinkingFilter()
        begin = time.thread_time()
        given_out.add(beginning)
        for _ in range(count):
            given_out.add(piece)
        given_out.rest()
        return time.thread_time() - begin

    assert min(duration(12_000) for _ in range(5)) < 10 * min(duration(3000) for _ in range(5))
