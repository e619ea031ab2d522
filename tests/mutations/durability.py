"""Mutations of what keeps a message, an answer or an effect from being lost or doubled."""

from tests.mutations.mutation import Mutation

_SQLITE = "llmgine/sessions/sqlite.py"
_TURNS = "llmgine/sessions/operations/turns.py"
_RUNS = "llmgine/sessions/operations/runs.py"
_CALLS = "llmgine/engine/tool_calls.py"
_STORE_TESTS = "tests/llmgine/sessions"
_ENGINE_TESTS = "tests/llmgine/engine"

MUTATIONS = (
    Mutation(
        "commits that outlive a loss of power",
        _SQLITE,
        '"synchronous=FULL"',
        '"synchronous=OFF"',
        (f"{_STORE_TESTS}/test_sqlite.py::test_a_commit_outlives_a_loss_of_power",),
    ),
    Mutation(
        "the write-ahead log",
        _SQLITE,
        'connection.execute("PRAGMA journal_mode=WAL")',
        'connection.execute("PRAGMA journal_mode=DELETE")',
        (f"{_STORE_TESTS}/test_sqlite.py::test_the_files_are_their_owners_only",),
    ),
    Mutation(
        "deleted texts being overwritten",
        _SQLITE,
        '"secure_delete=ON"',
        '"secure_delete=OFF"',
        (f"{_STORE_TESTS}/test_sqlite.py::test_a_cleared_text_is_not_left_in_the_file",),
    ),
    Mutation(
        "no step without its turn",
        _SQLITE,
        '"foreign_keys=ON"',
        '"foreign_keys=OFF"',
        (f"{_STORE_TESTS}/test_sqlite.py::test_the_database_takes_nothing_of_no_turn",),
    ),
    Mutation(
        "a damaged database being noticed",
        _SQLITE,
        'found = str(self._connection.execute("PRAGMA quick_check(1)").fetchone()[0])',
        'found = "ok"',
        (f"{_STORE_TESTS}/test_integrity.py::test_damage_is_found_and_left",),
    ),
    Mutation(
        "all of a transaction or nothing",
        _SQLITE,
        'connection.execute("ROLLBACK")',
        'connection.execute("COMMIT")',
        (f"{_STORE_TESTS}/test_sqlite.py::test_a_transaction_that_raises_leaves_nothing",),
    ),
    Mutation(
        "the admission key",
        _TURNS,
        "            (prompt.source, prompt.source_id, turn_id),\n        )\n        if not new:",
        "            (prompt.source, f'{prompt.source_id} {turn_id}', turn_id),\n        )\n        if not new:",
        (f"{_STORE_TESTS}/test_turns.py::test_what_arrives_twice_is_admitted_once",),
    ),
    Mutation(
        "the claim number",
        _RUNS,
        "WHERE id = $1 AND claim = $2 AND (",
        "WHERE id = $1 AND $2 = $2 AND (",
        (f"{_STORE_TESTS}/test_late_writes.py::test_what_had_ended_writes_nothing[sqlite-cleared-write_outcome]",),
    ),
    Mutation(
        "an outcome that does not change",
        _RUNS,
        "(state IN ('running', 'waiting') OR state = $3)",
        "(state IN ('running', 'waiting', 'done') OR state = $3)",
        (f"{_STORE_TESTS}/test_turns.py::test_an_ended_turn_does_not_change",),
    ),
    Mutation(
        "tokens being counted once, however often an outcome is written",
        _RUNS,
        "if added and spent is not None:",
        "if spent is not None:",
        (f"{_STORE_TESTS}/test_run_again.py::test_run_again_it_is_done_once",),
    ),
    Mutation(
        "a step being written once",
        "llmgine/sessions/operations/rows.py",
        "ON CONFLICT DO NOTHING RETURNING seq",
        "ON CONFLICT (turn_id, attempt, seq) DO UPDATE SET parts = 'again' RETURNING seq",
        (f"{_STORE_TESTS}/test_run_again.py::test_run_again_it_is_done_once",),
    ),
    Mutation(
        "the first decision on a call",
        "llmgine/sessions/operations/decisions.py",
        "ON CONFLICT DO NOTHING RETURNING call_id",
        "ON CONFLICT (turn_id, attempt, call_id) DO UPDATE SET body = excluded.body RETURNING call_id",
        (f"{_STORE_TESTS}/test_turns.py::test_the_first_decision_counts",),
    ),
    Mutation(
        "the deadline of a decision",
        "llmgine/sessions/operations/decisions.py",
        "if decision.decided_by is not None and now > microseconds(call.waiting.deadline):",
        "if False:",
        (f"{_STORE_TESTS}/test_turns.py::test_after_its_deadline_nobody_can_approve",),
    ),
    Mutation(
        "commit before send",
        "llmgine/engine/turn.py",
        "await self._store_outcome(outcome, parts)",
        "await self._store_outcome(outcome, ())",
        (f"{_ENGINE_TESTS}/test_turns.py::test_the_outcome_is_stored_with_its_parts",),
    ),
    Mutation(
        "an outcome being stored once the store works again",
        "llmgine/engine/turn.py",
        "                await pauses.pause()\n            else:\n                return\n",
        "            return\n",
        (f"{_ENGINE_TESTS}/test_turns.py::test_a_store_that_fails_for_a_while_loses_no_turn",),
    ),
    Mutation(
        "a prompt whose caller is cancelled",
        "llmgine/engine/engine.py",
        "return await asyncio.shield(task)",
        "return await task",
        (f"{_ENGINE_TESTS}/test_turns.py::test_a_cancelled_caller_does_not_lose_its_prompt",),
    ),
    Mutation(
        "the tool's started record",
        _CALLS,
        "await round_.context.append(StartedStep(round=round_.number, call_id=call.id, at=datetime.now(UTC)))",
        "pass",
        (f"{_ENGINE_TESTS}/test_resume.py::test_a_tool_in_doubt_is_not_run_again",),
    ),
    Mutation(
        "an interrupted call's outcome being unknown",
        _CALLS,
        "if round_.steps.state.calls[call.id].started and not (tool and tool.idempotent):",
        "if False:",
        (f"{_ENGINE_TESTS}/test_resume.py::test_a_tool_in_doubt_is_not_run_again",),
    ),
    Mutation(
        "asking before a tool that asks first",
        _CALLS,
        "    if not tool.requires_approval:\n        return False\n",
        "    return False\n",
        (f"{_ENGINE_TESTS}/test_tool_calls.py::test_a_denied_call_does_not_run",),
    ),
    Mutation(
        "the fingerprint of an approved call",
        "llmgine/engine/approvals.py",
        "if waiting.fingerprint != call.fingerprint:",
        "if False:",
        (f"{_ENGINE_TESTS}/test_approvals.py",),
    ),
    Mutation(
        "tools that always ask",
        "llmgine/sessions/operations/decisions.py",
        "if not (decision.approved and decision.decided_by and call.waiting and call.waiting.allows_always):",
        "if not (decision.approved and decision.decided_by):",
        (f"{_ENGINE_TESTS}/test_approvals.py",),
    ),
    Mutation(
        "the turns of a living process",
        "llmgine/sessions/store.py",
        "dead = await self.owners.dead({turn.owner for turn in turns})",
        "dead = {turn.owner for turn in turns}",
        (f"{_ENGINE_TESTS}/test_resume.py::test_the_turns_of_a_living_process_are_left_alone",),
    ),
    Mutation(
        "dropping the settings that are known",
        "llmgine/sessions/store.py",
        "self._settings_changes += operation.announced",
        "pass",
        ("tests/programs/discord/test_settings_cache.py::test_a_change_is_seen",),
    ),
    Mutation(
        "noticing the settings that other processes change",
        "llmgine/sessions/store.py",
        "self._settings_changes += found != self._version",
        "pass",
        ("tests/programs/discord/test_settings_cache.py::test_a_setting_from_the_terminal_holds_for_the_next_message",),
    ),
    Mutation(
        "one process a token",
        "programs/discord/token_lock.py",
        "fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "pass",
        ("tests/durability/test_connection.py::test_one_process_per_token",),
    ),
    Mutation(
        "a copy before a migration",
        "llmgine/sessions/migrate.py",
        "        await _copy_first(database, path, version)\n",
        "        pass\n",
        (f"{_STORE_TESTS}/test_migration.py::TestTheCopy::test_it_has_all_that_was_there",),
    ),
    Mutation(
        "a newer database being left alone",
        "llmgine/sessions/migrate.py",
        "    if version > len(MIGRATIONS):\n",
        "    if False:\n",
        (f"{_STORE_TESTS}/test_sqlite.py::test_a_newer_database_is_refused",),
    ),
    Mutation(
        "forgotten texts being forgotten in branches too",
        "llmgine/sessions/operations/prompts.py",
        "    for one in (yield from copies(turn_id)):\n        yield from erase(one)\n",
        "    yield from copies(turn_id)\n",
        (f"{_STORE_TESTS}/test_late_writes.py::test_a_copy_in_a_branch_writes_nothing",),
    ),
)
