"""Mutations of the fallback models: when another one may be asked, and how long one that failed rests."""

from tests.mutations.mutation import Mutation

_ASKING = "llmgine/engine/asking.py"
_RETRIES = "llmgine/engine/retries.py"
_RESTS = "llmgine/engine/rests.py"
_TESTS = "tests/llmgine/engine/test_fallbacks.py"

MUTATIONS = (
    Mutation(
        "no other model being asked after the first text",
        _ASKING,
        "if is_alone or round_.progress.text.strip() or not",
        "if is_alone or not",
        (f"{_TESTS}::test_after_the_first_text_no_other_is_asked",),
    ),
    Mutation(
        "what a service quotes staying in its turn",
        "llmgine/engine/model.py",
        "in_short(error), begun)",
        "words_of(error), begun)",
        (f"{_TESTS}::test_what_a_service_quotes_stays_in_its_turn",),
    ),
    Mutation(
        "no other model being asked after the first tool call",
        _ASKING,
        "        if replies:\n",
        "        if replies and replies[-1].fallback:\n",
        (f"{_TESTS}::test_after_the_first_tool_call_no_other_is_asked",),
    ),
    Mutation(
        "a turn staying with the model that answered",
        _ASKING,
        "Asked(fallback.model if fallback else chosen, fallback)",
        "Asked(chosen, fallback)",
        (f"{_TESTS}::test_a_turn_stays_with_the_model_that_answered",),
    ),
    Mutation(
        "what was refused for its content going to no other service",
        _RETRIES,
        "return not error.may_be_prompt and not",
        "return not",
        (f"{_TESTS}::test_what_was_refused_is_asked_nowhere_else",),
    ),
    Mutation(
        "what is too long going to no other service",
        _RETRIES,
        "return not error.may_be_prompt and not isinstance(error, ContextOverflowError)",
        "return True",
        (f"{_TESTS}::test_a_message_that_is_too_long_is_asked_nowhere_else",),
    ),
    Mutation(
        "a model being tried once more, and not more often, where another can be asked",
        _RETRIES,
        'update = {"tries": min(self.tries, 2),',
        'update = {"tries": self.tries,',
        (f"{_TESTS}::test_a_model_that_is_not_there_is_tried_once_more",),
    ),
    Mutation(
        "a model that rests being passed over",
        _ASKING,
        "one = next((one for one in waiting if one not in resting), next(iter(waiting)))",
        "one = next(iter(waiting))",
        (f"{_TESTS}::test_a_model_that_rests_is_passed_over",),
    ),
    Mutation(
        "failures of calls made at once being one",
        _RESTS,
        "if last is not None and begun < last.until:",
        "if False:",
        (f"{_TESTS}::TestRests::test_many_failures_at_once_are_one",),
    ),
    Mutation(
        "a success ending a rest",
        "llmgine/engine/model.py",
        "        self.rests.succeeded(self.asked_at(name))\n",
        "",
        (f"{_TESTS}::test_an_answer_ends_the_rests",),
    ),
)
