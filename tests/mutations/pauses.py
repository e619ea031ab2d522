"""Mutations of pauses: who is answered, what runs, and who may say so."""

from tests.mutations.mutation import Mutation

_STORE = "llmgine/sessions/operations/pauses.py"
_DECISION = "programs/discord/incoming/decision.py"
_ENGINE = "tests/llmgine/engine/test_pausing.py"
_DISCORD = "tests/programs/discord/test_pauses.py"

MUTATIONS = (
    Mutation(
        "the pause of answers where a message comes in",
        _DECISION,
        "    if settings.answers_are_paused:\n",
        "    if False:\n",
        (f"{_DISCORD}::TestAnswers::test_an_edit_changes_nothing",),
    ),
    Mutation(
        "messages of a pause staying unanswered after it",
        _DECISION,
        "return Verdict.WAS_PAUSED if settings.answers_were_paused(moment) else Verdict.ANSWERED",
        "return Verdict.ANSWERED",
        (f"{_DISCORD}::TestRestarts::test_nothing_of_it_is_answered_later",),
    ),
    Mutation(
        "the pause of answers before each call of the model",
        "llmgine/engine/turn.py",
        "        if before.paused:",
        "        if False:",
        (f"{_ENGINE}::TestAnswers::test_the_model_is_not_asked[s]",),
    ),
    Mutation(
        "a pause stopping what is under way",
        _STORE,
        '(yield from _stop_in(scope)) if what == "answers" else []',
        "[]",
        (f"{_ENGINE}::TestAnswers::test_another_process_stops_too",),
    ),
    Mutation(
        "the pause of tools at the moment of a call",
        "llmgine/engine/tool_calls.py",
        "        if tool is None or not tool.has_effects:\n",
        "        if True:\n",
        (f"{_ENGINE}::TestTools::test_an_approval_runs_nothing[False]",),
    ),
    Mutation(
        "pausing everywhere being for the operator",
        "programs/discord/permissions/operator.py",
        "if not await self.includes(interaction):",
        "if False:",
        (f"{_DISCORD}::TestWho::test_everywhere_is_for_the_operator[pause]",),
    ),
)
