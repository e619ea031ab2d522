"""Mutations of what is erased: a person's words in the store and the log, backups, and what is idle."""

from tests.mutations.mutation import Mutation

_PERSON = "tests/llmgine/engine/test_forget_person.py"
_COPIES = "tests/llmgine/engine/test_forgotten_copies.py"
_LOG = "tests/llmgine/observability/test_overwriting.py"
_RESTORE = "tests/llmgine/sessions/test_restore_forgotten.py"
_RETENTION = "tests/llmgine/engine/test_retention.py"
_CONTEXT = "tests/programs/discord/test_context.py"

MUTATIONS = (
    Mutation(
        "what a forgotten person wrote before other people's questions",
        "llmgine/sessions/operations/people.py",
        "    changed |= yield from _forget_said_before(turn_id, person)\n",
        "",
        (f"{_CONTEXT}::test_what_a_forgotten_person_wrote_is_erased",),
    ),
    Mutation(
        "deleted messages that were read before questions",
        "programs/discord/incoming/intake.py",
        "        await self._forget(ForgetMessagesCommand(source=SOURCE, source_ids=gone))\n",
        "",
        (f"{_CONTEXT}::test_a_deleted_message_is_erased",),
    ),
    Mutation(
        "the asker's right to read what was written before",
        "programs/discord/incoming/recent_messages.py",
        "if not found or not await author_reads(message, place, self._members):",
        "if not found:",
        (f"{_CONTEXT}::test_only_who_may_read_the_history_is_told_of_it",),
    ),
    Mutation(
        "questions that were forgotten, among what was written before",
        "programs/discord/incoming/recent_messages.py",
        "        others = [one for one in found if str(one.id) not in left_out]\n",
        "        others = found\n",
        (f"{_CONTEXT}::test_a_forgotten_question_does_not_come_back",),
    ),
    Mutation(
        "a forgotten person's lines in the log",
        "llmgine/engine/erasing.py",
        "        if self._log is None:\n",
        "        if True:\n",
        (f"{_PERSON}::test_none_of_the_words_is_left_in_any_byte",),
    ),
    Mutation(
        "the emptying of the database's own log",
        "llmgine/sessions/sqlite.py",
        "wal_checkpoint(TRUNCATE)",
        "wal_checkpoint(PASSIVE)",
        (f"{_PERSON}::test_none_of_the_words_is_left_in_any_byte",),
    ),
    Mutation(
        "quotes of a forgotten person in other people's questions",
        "llmgine/messages/without_person.py",
        "{key for key in QUOTES if self.is_author(value.get(key))}",
        "set[str]()",
        (f"{_PERSON}::test_none_of_the_words_is_left_in_any_byte",),
    ),
    Mutation(
        "quotes of what a forgotten person was answered",
        "llmgine/sessions/forgetting.py",
        "    for answered in places:\n",
        "    for answered in list[AnsweredAt]():\n",
        (f"{_PERSON}::test_none_of_the_words_is_left_in_any_byte",),
    ),
    Mutation(
        "the version of a turn that is kept at hand",
        "llmgine/sessions/operations/people.py",
        "SET revision = revision + 1 WHERE",
        "SET revision = revision WHERE",
        (f"{_COPIES}::test_a_remembered_quote_is_not_sent[True]",),
    ),
    Mutation(
        "the titles of branches of what is forgotten",
        "llmgine/sessions/operations/attempts.py",
        "        yield from forget_title(one)\n",
        "",
        (f"{_COPIES}::test_a_branch_loses_the_title_made_of_it[undo]",),
    ),
    Mutation(
        "the reason of a forgotten person's denial",
        "llmgine/sessions/operations/people.py",
        "    changed = yield from _forget_denials(turn_id, person)\n",
        "    changed = 0\n",
        (f"{_COPIES}::test_a_denial_has_neither_name_nor_reason",),
    ),
    Mutation(
        "the continuing of what was interrupted",
        "llmgine/engine/erasing.py",
        "for one in await self._store.people.unfinished():",
        "for one in list[Forgotten]():",
        (f"{_PERSON}::test_what_was_interrupted_is_finished_by_the_next_start[people.erase]",),
    ),
    Mutation(
        "the mark of a line that is being overwritten",
        "llmgine/observability/overwriting.py",
        "        if line.startswith(_BROKEN_THEIRS) or _MARKED in line:\n",
        "        if False:\n",
        (f"{_LOG}::test_killed_in_the_middle[100]",),
    ),
    Mutation(
        "forgotten people in a backup that is restored",
        "llmgine/sessions/restoring.py",
        "    if not people:\n",
        "    if True:\n",
        (f"{_RESTORE}::test_what_they_said_does_not_come_back",),
    ),
    Mutation(
        "lines in a log that are not ours",
        "llmgine/observability/overwriting.py",
        "_OURS.match(line) is not None",
        "True",
        (f"{_LOG}::test_lines_that_are_not_ours_stay[events.jsonl]",),
    ),
    Mutation(
        "servers that the bot may be in again since it was last started",
        "llmgine/engine/retention.py",
        "if (left.source, left.account) in self._reported and ",
        "if ",
        (f"{_RETENTION}::test_only_who_left_erases[sqlite-reported0]",),
    ),
    Mutation(
        "answers that are still to be sent",
        "llmgine/sessions/operations/purges.py",
        "    return bool(rows)\n",
        "    return False\n",
        (f"{_RETENTION}::test_what_is_still_to_be_sent_stays[sqlite]",),
    ),
    Mutation(
        "the id in what is logged while a person is forgotten",
        "llmgine/engine/erasing.py",
        "            await self._erase_from_log(one, theirs)  # what was logged meanwhile",
        "            pass  # what was logged meanwhile",
        (f"{_PERSON}::test_the_id_is_not_logged_while_it_is_erased",),
    ),
    Mutation(
        "the week before idle conversations are erased",
        "llmgine/engine/retention.py",
        "        if begins is not None and begins <= self.clock():\n",
        "        if begins is not None:\n",
        (f"{_RETENTION}::test_nothing_is_erased_in_the_first_week[sqlite]",),
    ),
    Mutation(
        "files of tools going with their question",
        "llmgine/sessions/operations/attempts.py",
        '    yield "DELETE FROM image WHERE turn_id = $1", (turn_id,)\n    yield from forget_files(turn_id)\n',
        '    yield "DELETE FROM image WHERE turn_id = $1", (turn_id,)\n',
        ("tests/programs/discord/test_result_files.py::test_they_go_with_their_question[undo]",),
    ),
)
