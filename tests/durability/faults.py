"""Every fault we know of, and the test that shows what happens then.

docs/reliability.md says the same in words. A test holds that each named test exists.
Two hosts with one token share a PostgreSQL database, or nothing tells them of each other; on one host it is a lock.
"""

_BOT = "tests/programs/discord/"
_HERE = "tests/durability/"
_ENGINE = "tests/llmgine/engine/"
_STORE = "tests/llmgine/sessions/"
_MODEL = "tests/llmgine/providers/test_openai_faults.py::"
_TOOLS = "tests/llmgine/tools/test_tool_manager.py::"

PROCESS = {
    "killed while it catches up": f"{_HERE}test_feed_matrix.py::test_killed_while_it_catches_up",
    "killed at any moment": f"{_HERE}test_kill_matrix.py::test_killed_at_any_operation",
    "killed, and restarted late": f"{_HERE}test_kill_matrix.py::test_killed_at_any_operation_and_the_nonces_forgotten",
    "killed again while recovering": f"{_HERE}test_kill_matrix.py::test_killed_again_in_the_recovery",
    "killed while it answers anew": f"{_HERE}test_kill_matrix.py::test_killed_while_it_answers_anew",
    "crash loop": f"{_ENGINE}test_resume.py::test_resumes_are_bounded",
    "told to end in the middle of an answer": f"{_HERE}test_ending.py::test_a_running_answer_ends_within_the_grace",
    "told to end, answer too slow": (
        f"{_HERE}test_ending.py::test_an_answer_that_takes_too_long_says_that_it_will_go_on"
    ),
    "told to end twice": f"{_BOT}test_process.py::test_a_second_signal_ends_it_at_once",
    "two processes, one token": f"{_HERE}test_connection.py::test_one_process_per_token",
    "killed, with another one on its database": f"{_BOT}test_two_bots.py::test_another_bot_goes_on",
    "stopped until others took it for dead": f"{_BOT}test_two_bots.py::test_a_bot_that_was_taken_for_dead",
}

GATEWAY = {
    "disconnect and RESUME": f"{_BOT}test_discord_faults.py::test_a_dropped_gateway_loses_nothing",
    "RESUME races with catching up": (
        f"{_HERE}test_catch_up.py::test_what_is_replayed_and_read_back_is_answered_once_and_in_order"
    ),
    "an event told twice": f"{_HERE}test_catch_up.py::test_an_event_told_twice_is_answered_once",
    "op 9": f"{_HERE}test_catch_up.py::test_a_session_that_cannot_be_resumed_loses_nothing",
    "zombie": f"{_HERE}test_connection.py::TestZombies::test_a_connection_that_only_seems_alive_is_left",
    "malformed event": f"{_HERE}test_connection.py::test_an_event_that_breaks_the_client_costs_no_message",
    "too many logins": f"{_HERE}test_connection.py::test_logins_are_counted_over_restarts",
    "a login that never succeeds": f"{_HERE}test_connection.py::test_a_login_is_counted_before_it_is_made",
    "4004": f"{_BOT}test_process.py::test_a_refused_token_is_one_sentence",
    "4014": f"{_BOT}test_process.py::test_a_missing_intent_is_one_sentence",
    "4013": f"{_BOT}test_process.py::test_intents_that_discord_does_not_know_are_one_sentence",
    "4004, 4010 to 4013 while it runs": f"{_HERE}test_connection.py::test_a_close_for_good_ends_the_program",
    "an event never sent": f"{_HERE}test_catch_up.py::test_an_event_that_never_came_is_found",
    "the bot was away": f"{_HERE}test_catch_up.py::test_what_was_said_while_away_is_answered_in_order",
    "the bot was away too long": f"{_HERE}test_catch_up.py::test_what_is_too_old_gets_one_notice",
    "question edited": f"{_HERE}test_catch_up.py::test_an_edited_question_is_answered_as_it_is_now",
    "question deleted while queued": f"{_HERE}test_catch_up.py::test_a_question_taken_back_in_time_is_not_answered",
}

REST = {
    "429 of a bucket, global or shared": (
        f"{_BOT}test_discord_faults.py::test_a_request_that_fails_is_made_once_in_the_end"
    ),
    "429 all the time": f"{_BOT}test_discord_faults.py::TestNarrow::test_every_outcome_is_right_under_rate_limits",
    "429 for over 30 s": f"{_HERE}test_waiting.py::test_a_long_rate_limit_is_waited_out_and_told_once",
    "429 for over 30 s, and a restart": f"{_HERE}test_waiting.py::test_a_long_rate_limit_survives_a_restart",
    "429 by Cloudflare": f"{_HERE}test_connection.py::test_a_ban_by_the_proxy_is_waited_out",
    "503, reset, committed or not": (
        f"{_BOT}test_discord_faults.py::test_a_request_that_fails_is_made_once_in_the_end"
    ),
    "unreachable for long": f"{_BOT}test_discord_faults.py::test_an_unreachable_discord_leaves_the_part_for_later",
    "401": f"{_HERE}test_connection.py::test_a_token_that_is_refused_ends_the_program",
    "back after an outage": f"{_HERE}test_waiting.py::test_later_parts_wait_for_earlier_ones",
    "refused for good": f"{_BOT}test_discord_faults.py::test_what_discord_refuses_for_good_holds_up_nothing",
    "50013, known before": (
        f"{_HERE}test_shut_out.py::test_without_permission_the_question_is_marked_and_the_answer_follows"
    ),
    "50013, and no reaction allowed": (f"{_HERE}test_shut_out.py::test_who_cannot_be_told_by_a_sign_is_told_directly"),
    "50013, not known before": f"{_HERE}test_shut_out.py::test_a_refusal_is_remembered",
    "50013 for a day": f"{_HERE}test_shut_out.py::test_an_answer_is_not_owed_for_ever",
    "50001": f"{_HERE}test_shut_out.py::test_a_channel_that_cannot_be_seen_any_more",
    "50007": f"{_HERE}test_shut_out.py::test_a_closed_dm_is_told_of_in_a_channel",
    "30046, by age": f"{_HERE}test_waiting.py::TestOld::test_an_old_message_is_replaced",
    "30046, by the error": f"{_HERE}test_waiting.py::TestOld::test_a_refused_edit_is_a_new_message",
    "200000, 240000": f"{_HERE}test_shut_out.py::test_what_the_rules_of_a_server_forbid",
    "EMBED_LINKS absent": f"{_BOT}test_cards.py::test_without_the_permission_to_embed_a_card_is_text",
    "10008, the question": f"{_BOT}test_edits.py::test_a_question_deleted_while_it_is_answered",
    "10008, our placeholder": f"{_BOT}test_discord_faults.py::test_a_deleted_answer_is_stopped",
    "50083, archived": f"{_BOT}test_discord_faults.py::test_an_archived_thread_is_opened_for_an_edit",
    "160005, locked": f"{_HERE}test_shut_out.py::test_a_locked_thread_is_told_of_in_its_channel",
    "10003, thread deleted": f"{_HERE}test_shut_out.py::test_a_deleted_thread_ends_its_answer",
    "over 2,000 characters": f"{_BOT}test_splitting.py::test_parts_fit_and_say_something",
    "over five messages": f"{_BOT}test_long_answers.py::test_what_five_messages_do_not_hold_is_a_file",
    "over five messages, and no file": (
        f"{_BOT}test_long_answers.py::test_where_no_file_can_be_sent_all_is_in_messages"
    ),
    "over five messages, and a restart": f"{_BOT}test_long_answers.py::test_a_long_answer_is_whole_after_a_restart",
    "over 6,000 in a card": f"{_BOT}test_cards.py::test_any_round_fits_into_a_card",
    "10062, a command": f"{_HERE}test_late_answers.py::TestTheFirstAnswer::test_a_command_that_is_answered_too_late",
    "10062, a button": f"{_HERE}test_late_answers.py::TestTheFirstAnswer::test_a_button_that_is_answered_too_late",
    "50027, token expired": f"{_HERE}test_late_answers.py::TestTheToken::test_what_was_done_is_told_by_the_channel",
    "follow-ups that could double": f"{_HERE}test_late_answers.py::test_a_cleared_conversation_is_told_by_the_channel",
}

MODEL = {
    "busy": f"{_MODEL}TestBusyAndUnavailable::test_a_busy_service_says_how_long_to_wait",
    "busy for too long": f"{_ENGINE}test_retries.py::test_a_long_wait_is_not_waited_for",
    "no quota": f"{_MODEL}TestRefused::test_no_quota_is_not_worth_waiting_for",
    "5xx": f"{_MODEL}TestBusyAndUnavailable::test_a_failing_service_is_unavailable",
    "no connection": f"{_MODEL}TestBusyAndUnavailable::test_a_connection_that_never_stands_is_unavailable",
    "no first byte": f"{_MODEL}TestBusyAndUnavailable::test_a_reply_that_does_not_begin_is_unavailable",
    "stalled": f"{_MODEL}TestCutOff::test_a_stalled_reply_is_a_cut",
    "cut": f"{_MODEL}TestCutOff::test_a_dropped_connection_is_a_cut",
    "silent end": f"{_MODEL}TestCutOff::test_a_silent_end_is_a_cut",
    "broken JSON": f"{_MODEL}TestNotAReply::test_broken_json_at_the_start_is_not_a_reply",
    "an error in the stream": f"{_MODEL}TestNotAReply::test_an_error_with_status_200_is_the_error_it_names",
    "a web page": f"{_MODEL}TestNotAReply::test_a_web_page_names_the_address",
    "no choices": f"{_MODEL}TestNotAReply::test_an_empty_answer_is_said_to_be_one",
    "the model is not there, and another one is": f"{_BOT}test_fallbacks.py::test_a_line_says_who_answered_and_why",
    "killed while another model answers": f"{_BOT}test_fallbacks.py::test_a_crash_in_the_middle_shows_nothing_twice",
    "length and filter": f"{_ENGINE}test_retries.py::test_a_reply_that_is_not_whole_says_so",
    "filter and refusal": f"{_HERE}test_withheld.py::test_an_answer_that_is_withheld_says_so",
    "too long, however the service says so": (
        "tests/llmgine/services/test_overflow.py::test_every_wording_ends_in_an_answer"
    ),
    "too long, however it counts": f"{_ENGINE}test_lessons.py::test_a_window_is_learnt_and_no_refusal_reaches_people",
    "usage reported for a trimmed request": f"{_ENGINE}test_trimming.py::test_500_mixed_turns_are_cut_steadily",
    "one message too long": (
        f"{_ENGINE}test_lessons.py::test_one_message_that_is_too_long_says_so_and_the_next_is_answered"
    ),
    "one refused prompt": (
        f"{_ENGINE}test_lessons.py::test_a_refused_prompt_is_left_out_later_and_sent_again_by_a_retry"
    ),
    "no tools, no images": (
        f"{_ENGINE}test_lessons.py::test_what_was_learnt_is_known_to_the_next_request_and_the_next_process"
    ),
    "half a tool call": f"{_MODEL}TestCutOff::test_half_a_tool_call_is_a_cut",
    "tool-call ids doubled or empty": (
        "tests/llmgine/providers/test_openai_tool_calls.py::TestToolCalls::test_doubled_and_empty_ids_become_ours"
    ),
    "tools without end": f"{_ENGINE}test_tool_calls.py::test_rounds_are_bounded",
}

TOOLS = {
    "raises": f"{_TOOLS}test_a_raising_tool_is_an_error_result",
    "hangs": f"{_TOOLS}test_a_hanging_tool_is_cancelled_at_its_limit",
    "hangs in a thread": f"{_TOOLS}test_a_hanging_sync_tool_is_given_up_and_says_so",
    "huge result": f"{_TOOLS}test_a_huge_result_keeps_head_and_tail",
    "malformed arguments": f"{_TOOLS}test_malformed_arguments_are_explained",
    "unknown tool": f"{_TOOLS}test_an_unknown_tool_is_answered_with_those_there_are",
    "stopped": f"{_ENGINE}test_tool_calls.py::test_stopping_ends_a_running_tool",
    "in doubt after a crash": f"{_ENGINE}test_resume.py::test_a_tool_in_doubt_is_not_run_again",
    "secrets in a result": f"{_HERE}test_secrets.py::test_a_tools_secrets_reach_nobody",
    "a secret where a result is cut": (
        "tests/llmgine/tools/test_secrets.py::test_a_secret_is_gone_before_the_text_is_cut"
    ),
}

STORE = {
    "disk full": f"{_HERE}test_store_faults.py::test_a_full_disk_is_said_once_and_recovered_from",
    "disk full in the middle": f"{_HERE}test_store_faults.py::test_a_disk_that_fills_in_the_middle_of_a_turn",
    "locked": f"{_STORE}test_sqlite.py::test_another_processs_lock_is_waited_for_then_told",
    "damaged": f"{_HERE}test_store_faults.py::test_a_damaged_database_is_refused",
    "newer": f"{_STORE}test_sqlite.py::test_a_newer_database_is_refused",
    "a migration fails half-way": f"{_STORE}test_sqlite.py::test_a_migration_that_fails_half_way_changes_nothing",
    "lost": f"{_HERE}test_store_faults.py::test_the_running_program_backs_its_database_up",
    "lost, and restored": "tests/programs/test_backup.py::test_restoring_a_conversation",
    "killed while it is restored": f"{_STORE}test_restore.py::test_killed_at_any_moment",
    "cannot be backed up": f"{_STORE}test_backup.py::test_a_failure_is_one_warning",
    "too full for a backup": f"{_STORE}test_backup.py::test_a_disk_with_too_little_space",
    "PostgreSQL restarts": f"{_STORE}test_postgres_outages.py::test_a_restarted_server",
    "PostgreSQL is away": f"{_STORE}test_postgres_outages.py::test_a_server_that_is_away",
    "PostgreSQL fails over": f"{_STORE}test_postgres_outages.py::TestFailover::test_another_server_takes_over",
    "nobody knows of a COMMIT": f"{_STORE}test_postgres_commits.py::test_a_commit_without_an_answer_is_done_once",
    "the log's disk is full": f"{_HERE}test_store_faults.py::test_a_log_that_cannot_be_written_is_said_once",
}

CLOCK = {
    "set back": "tests/llmgine/observability/test_rotation.py::test_a_clock_set_back_does_not_change_the_order",
    "an hour wrong, and messages were missed": f"{_HERE}test_clock.py::TestAnHour::test_what_was_missed_is_answered",
    "an hour wrong, and messages are edited": f"{_HERE}test_clock.py::TestAnHour::test_messages_are_edited_in_place",
    "jumps while somebody is asked": f"{_HERE}test_clock.py::TestAnHour::test_an_approval_is_open_as_long_as_it_said",
    "jumps between questions": f"{_HERE}test_clock.py::TestAnHour::test_order_and_ids_do_not_follow_the_clock",
    "a message is older than was thought": f"{_HERE}test_waiting.py::TestOld::test_a_refused_edit_is_a_new_message",
}

LOAD = {
    "a thousand messages": f"{_HERE}test_load.py::test_a_thousand_messages_queued_all_end_in_order",
    "one busy session": f"{_HERE}test_queue.py::test_a_busy_session_does_not_starve_another",
    "a session's queue is full": f"{_HERE}test_queue.py::test_a_full_queue_is_said_to_be_full",
    "the day's tokens are used up": f"{_BOT}test_bounds.py::test_a_budget_that_is_used_up_is_said",
    "twenty busy sessions and an end": f"{_HERE}test_ending.py::test_twenty_busy_sessions_end_in_time_and_finish_later",
}

FAULTS = {
    "process": PROCESS,
    "gateway": GATEWAY,
    "rest": REST,
    "model": MODEL,
    "tools": TOOLS,
    "store": STORE,
    "clock": CLOCK,
    "load": LOAD,
}
