"""Mutations of what one person may use: slots for calls, rates, images; and of what a terminal may be sent."""

from tests.mutations.mutation import Mutation

_SLOTS = "llmgine/engine/fair_slots.py"
_IMAGES = "llmgine/context/images.py"
_TEXT = "llmgine/messages/visible_text.py"
_SLOT_TESTS = "tests/llmgine/engine/test_fair_slots.py"
_RATE_TESTS = "tests/programs/discord/test_rates.py"
_IMAGE_TESTS = "tests/llmgine/test_images.py"
_TERMINAL_TESTS = "tests/programs/terminal/test_hidden_characters.py"

MUTATIONS = (
    Mutation(
        "slots going to who has the fewest calls",
        _SLOTS,
        "        self._next[self._running[person]].setdefault(person)\n",
        "        self._next[0].setdefault(person)\n",
        (f"{_SLOT_TESTS}::test_who_comes_new_is_next", f"{_SLOT_TESTS}::test_slots_are_shared_fairly"),
    ),
    Mutation(
        "slots being those of people",
        "llmgine/engine/turn_context.py",
        'return f"person {author.id}"',
        'return f"session {self.turn.session_id}"',
        ("tests/programs/discord/test_fairness.py::test_one_call_at_most_is_made_before_that_of_another",),
    ),
    Mutation(
        "the slot of a call that is stopped in the moment in which it is called",
        _SLOTS,
        "            else:  # it was called in the same moment\n                self._give_back(person)\n",
        "",
        (f"{_SLOT_TESTS}::test_who_leaves_takes_no_slot[True]",),
    ),
    Mutation(
        "the rate of messages",
        "programs/discord/incoming/intake.py",
        "await (admit() if decided else self._within_rate(message, admit))",
        "await admit()",
        (f"{_RATE_TESTS}::TestMessages::test_too_many_are_marked_and_told_once",),
    ),
    Mutation(
        "the rate of edits",
        "programs/discord/incoming/intake.py",
        "await (self._within_rate(message, answer) if counts else answer())",
        "await answer()",
        (f"{_RATE_TESTS}::TestEdits::test_thirty_edits_run_two_turns",),
    ),
    Mutation(
        "the rate of presses",
        "programs/discord/components/gates.py",
        "                        self._rates.require(press.interaction.user.id)\n",
        "                        pass\n",
        (f"{_RATE_TESTS}::TestPresses::test_a_button_asks_nothing[Regenerate]",),
    ),
    Mutation(
        "images leaving after three turns",
        "llmgine/context/context_manager.py",
        "*map(without_images, past[:-IMAGE_TURNS])",
        "*map(with_image_tokens, past[:-IMAGE_TURNS])",
        (f"{_IMAGE_TESTS}::test_images_are_sent_in_three_turns_after_theirs",),
    ),
    Mutation(
        "the size of the images of a call",
        _IMAGES,
        "self._is_full = len(image) > self._left",
        "self._is_full = False",
        (f"{_IMAGE_TESTS}::test_the_newest_images_that_fit_are_sent",),
    ),
    Mutation(
        "whole escape sequences being removed",
        _TEXT,
        'return visible_text(_SEQUENCES.sub("", text))',
        "return visible_text(text)",
        (f"{_TERMINAL_TESTS}::test_a_sequence_is_removed_whole",),
    ),
    Mutation(
        "characters that Markdown makes of entities being looked at",
        "programs/terminal/rich_view.py",
        "            child.content = clean(child.content)",
        "            child.content = str(child.content)",
        (f"{_TERMINAL_TESTS}::test_a_rich_view_shows_nothing_hidden",),
    ),
)
