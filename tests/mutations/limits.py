"""Mutations of limits: how much is read, kept, queued and run."""

from tests.mutations.mutation import Mutation

_FILES = "programs/discord/incoming/attachments.py"
_FILE_TESTS = "tests/programs/discord/test_attachments.py"
_READER = f"{_FILE_TESTS}::TestReader"

MUTATIONS = (
    Mutation(
        "the limit on text files",
        _FILES,
        "if reading.texts == MAX_TEXTS:",
        "if False:",
        (f"{_FILE_TESTS}::test_too_many_text_files",),
    ),
    Mutation(
        "the limit on images",
        _FILES,
        "if number == MAX_IMAGES:",
        "if False:",
        (f"{_FILE_TESTS}::test_too_many_and_too_large",),
    ),
    Mutation(
        "the limit on the bytes of a file",
        _FILES,
        "if len(data) > most:",
        "if False:",
        (f"{_READER}::test_the_size_is_counted_not_believed",),
    ),
    Mutation(
        "the limit on the characters of a file",
        _FILES,
        "text = text[:MAX_SHOWN]",
        "text = text[:]",
        (f"{_FILE_TESTS}::test_what_is_not_read_is_told_to_both",),
    ),
    Mutation(
        "images being known by how they begin",
        _FILES,
        "return next((kind for signature, kind in _SIGNATURES.items() if data.startswith(signature)), None)",
        'return "image/png"',
        (f"{_FILE_TESTS}::test_too_many_and_too_large",),
    ),
    Mutation(
        "the limit on the time that files take",
        _FILES,
        "async with self._slots, asyncio.timeout_at(deadline):",
        "async with self._slots:",
        (f"{_READER}::test_what_does_not_come_plainly_is_not_read[slow]",),
    ),
    Mutation(
        "files being read from Discord's own hosts alone",
        _FILES,
        "if not ours and not (where.scheme",
        "if False and not (where.scheme",
        (f"{_READER}::test_a_server_of_somebody_else_is_not_asked",),
    ),
    Mutation(
        "no redirect being followed to a file",
        _FILES,
        "allow_redirects=False",
        "allow_redirects=True",
        (f"{_READER}::test_what_does_not_come_plainly_is_not_read[elsewhere]",),
    ),
    Mutation(
        "the limit on a reply's characters",
        "llmgine/engine/model.py",
        "            max_characters=self.max_characters,\n            model=name,\n            effort=question.effort,",
        "            max_characters=None,\n            model=name,\n            effort=question.effort,",
        ("tests/llmgine/engine/test_turns.py::test_a_reply_is_ended_at_its_bound",),
    ),
    Mutation(
        "the limit on the calls of a reply that run",
        "llmgine/engine/tool_calls.py",
        "begun = number < MOST_CALLS or known.state is not CallState.QUEUED",
        "begun = True",
        ("tests/llmgine/engine/test_bounded_calls.py",),
    ),
    Mutation(
        "no running with arguments that were cut",
        "llmgine/engine/tool_calls.py",
        "elif is_cut(call.arguments):",
        "elif False:",
        ("tests/programs/discord/test_bounded_output.py::test_arguments_that_are_too_long_are_an_error_for_the_model",),
    ),
    Mutation(
        "the limit on rounds",
        "llmgine/engine/turn.py",
        "offer_tools=round_ < MAX_ROUNDS - 1)",
        "offer_tools=True)",
        ("tests/llmgine/engine/test_tool_calls.py::test_rounds_are_bounded",),
    ),
    Mutation(
        "the limit on resumes",
        "llmgine/engine/turn.py",
        "if self._context.turn.resumes > MAX_RESUMES:",
        "if False:",
        ("tests/llmgine/engine/test_resume.py::test_resumes_are_bounded",),
    ),
    Mutation(
        "the limit on a system prompt",
        "llmgine/engine/engine.py",
        "if prompt is not None and len(prompt) > MAX_SYSTEM_PROMPT:",
        "if False:",
        ("tests/llmgine/engine/test_turns.py::test_a_system_prompt_holds_from_the_next_turn_on",),
    ),
    Mutation(
        "the limit on turns that wait in a conversation",
        "llmgine/sessions/operations/turns.py",
        "if place >= MAX_OPEN:",
        "if False:",
        ("tests/llmgine/sessions/test_sessions.py::test_so_many_turns_wait_at_most",),
    ),
    Mutation(
        "a burst being of one author",
        "llmgine/sessions/operations/admission.py",
        "if author is not None and author.id == prompt.author.id else None",
        "if author is not None else None",
        ("tests/llmgine/engine/test_edit.py::TestBursts::test_what_is_no_burst_is_answered_apart",),
    ),
    Mutation(
        "the limit on the time of a burst",
        "llmgine/sessions/operations/admission.py",
        "now - int(prompt.burst * _SECOND)",
        "0",
        ("tests/llmgine/engine/test_edit.py::TestBursts::test_what_is_no_burst_is_answered_apart",),
    ),
    Mutation(
        "the limit on the queue of a feed",
        "programs/discord/incoming/feed.py",
        "if len(self._items) > MAX_ITEMS and sum(not from_read(one) for one in self._items) > MAX_ITEMS:",
        "if False:",
        ("tests/programs/discord/incoming/test_queues.py::test_no_more_waits_than_a_queue_takes",),
    ),
    Mutation(
        "the limit on a wait that the model's service asks for",
        "llmgine/engine/retries.py",
        "if told is not None and told > self._policy.longest_wait:",
        "if False:",
        ("tests/llmgine/engine/test_retries.py::test_nobody_waits_more_than_a_minute",),
    ),
    Mutation(
        "tools being stopped at their time limit",
        "llmgine/tools/tool.py",
        "        if not task.done():\n            await _stop(task)\n",
        "        if not task.done():\n",
        ("tests/llmgine/tools/test_tool_manager.py::test_a_hanging_tool_is_cancelled_at_its_limit",),
    ),
)
