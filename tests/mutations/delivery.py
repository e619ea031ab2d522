"""Mutations of how answers reach Discord: each part once, in order, the important first."""

from tests.mutations.mutation import Mutation

_TESTS = "tests/programs/discord"
_FAULTS = f"{_TESTS}/delivery/test_faults.py"
_ORDER = f"{_TESTS}/delivery/test_order.py"
_SHOWING = f"{_TESTS}/delivery/test_showing.py"
_IMPORTANCE = f"{_TESTS}/delivery/test_importance.py"
_RULES = f"{_TESTS}/delivery/test_order_rules.py"
_SHUT_OUT = "tests/durability/test_shut_out.py"
_DELIVERY = "programs/discord/delivery"

MUTATIONS = (
    Mutation(
        "the nonce",
        f"{_DELIVERY}/message_arguments.py",
        '            "nonce": nonce,\n',
        "",
        (f"{_TESTS}/test_discord_faults.py::test_a_request_that_fails_is_made_once_in_the_end[503 after-create]",),
    ),
    Mutation(
        "no pings in what the model writes",
        f"{_DELIVERY}/message_arguments.py",
        "discord.AllowedMentions(everyone=False, users=False, roles=False, replied_user=True)",
        "discord.AllowedMentions(everyone=False, users=True, roles=False, replied_user=True)",
        (f"{_TESTS}/test_streaming.py::test_it_pings_only_whom_it_answers",),
    ),
    Mutation(
        "the flags of an edit",
        f"{_DELIVERY}/message_arguments.py",
        '            flags=discord.MessageFlags(suppress_embeds=options["content"] is not None),\n',
        "",
        (f"{_SHOWING}::test_a_card_in_place_of_a_text_is_visible[anew_by_edit]",),
    ),
    Mutation(
        "reading the channel back",
        f"{_DELIVERY}/step_results.py",
        "turn.posts), 0\n    answer.lookup = Lookup.CHANNEL\n",
        "turn.posts), 0\n    answer.lookup = Lookup.NOTHING\n",
        (f"{_TESTS}/test_long_answers.py::test_a_long_answer_is_whole_after_a_restart[4-True]",),
    ),
    Mutation(
        "no post of what may be there, where the channel may not be read",
        f"{_DELIVERY}/arranging.py",
        "return since is not None and since <= now - NONCE_IS_SURE",
        "return False",
        (f"{_RULES}::test_where_it_may_not_read_it_says_that_it_cannot_know",),
    ),
    Mutation(
        "saying that it cannot know what is there",
        f"{_DELIVERY}/next_steps.py",
        "                plan.others.append(Notify(answer, NoticeKind.UNKNOWN))\n",
        "                pass\n",
        (f"{_RULES}::test_where_it_may_not_read_it_says_that_it_cannot_know",),
    ),
    Mutation(
        "not believing a history that seems empty",
        f"{_DELIVERY}/read_back.py",
        "            if not page and after < begin and not await self._is_empty(origin):\n",
        "            if False:\n",
        (f"{_FAULTS}::test_a_history_that_seems_empty_is_not_believed",),
    ),
    Mutation(
        "previews give way to answers",
        f"{_DELIVERY}/channel_delivery.py",
        "Importance.FIRST if first else Importance.PREVIEW",
        "Importance.FIRST",
        (f"{_IMPORTANCE}::test_a_preview_gives_way_and_an_answer_does_not",),
    ),
    Mutation(
        "a final text overtakes its preview",
        f"{_DELIVERY}/channel_delivery.py",
        "            limiter.hurry(ticket)\n",
        "            pass\n",
        (f"{_IMPORTANCE}::test_a_final_text_overtakes_its_preview",),
    ),
    Mutation(
        "typing is a courtesy",
        f"{_DELIVERY}/typing_indicator.py",
        "with as_courtesy():",
        "with contextlib.nullcontext():",
        (f"{_IMPORTANCE}::test_typing_is_a_courtesy",),
    ),
    Mutation(
        "the final text does not wait for the interval",
        f"{_DELIVERY}/next_steps.py",
        "urgent = answer.has_ended or channel.is_ending",
        "urgent = channel.is_ending",
        (f"{_IMPORTANCE}::test_a_final_text_does_not_wait_for_the_interval",),
    ),
    Mutation(
        "later answers wait for earlier ones",
        f"{_DELIVERY}/next_steps.py",
        "if channel.state is not ChannelState.SHUT and not (waiting or ",
        "if channel.state is not ChannelState.SHUT and not (",
        (f"{_FAULTS}::test_nothing_is_posted_out_of_order_at_the_end",),
    ),
    Mutation(
        "later answers do not wait for ever",
        f"{_DELIVERY}/next_steps.py",
        "OWED_AFTER = 120.0",
        "OWED_AFTER = 1e9",
        (f"{_FAULTS}::test_after_two_minutes_later_answers_go_on",),
    ),
    Mutation(
        "a file that fails is left out",
        f"{_DELIVERY}/arranging.py",
        "PLAIN_AFTER = 60.0",
        "PLAIN_AFTER = 1e9",
        (f"{_FAULTS}::test_a_file_that_fails_is_replaced_by_its_text",),
    ),
    Mutation(
        "a reply that is refused is posted without the reference",
        f"{_DELIVERY}/step_results.py",
        "answer.replies = False",
        "answer.replies = True",
        (f"{_FAULTS}::test_a_refused_reply_is_posted_without_the_reference",),
    ),
    Mutation(
        "a final part does not wait for a limit of edits",
        f"{_DELIVERY}/arranging.py",
        "slot.state is SlotState.LIMITED and answer.has_ended and slot.retry_at > now",
        "slot.state is None",
        (f"{_ORDER}::test_the_order_holds_when_a_message_grows_too_old",),
    ),
    Mutation(
        "what comes below other messages replies",
        f"{_DELIVERY}/channel_delivery.py",
        "        if not shown or not answer.replies:\n            return answer.replies\n",
        "        if True:\n            return answer.replies and not shown\n",
        (f"{_SHOWING}::test_what_comes_after_other_messages_replies",),
    ),
    Mutation(
        "a message that is gone is posted again at the end",
        f"{_DELIVERY}/step_results.py",
        "    if slot.inherited or slot.state is SlotState.LEAVING or ",
        "    if slot.state is SlotState.LEAVING or ",
        (f"{_ORDER}::test_the_order_holds_after_a_deletion[0]",),
    ),
    Mutation(
        "a refused card is shown as text",
        f"{_DELIVERY}/step_results.py",
        "        answer.plain.add(part.key)\n    elif",
        "        answer.replaced[part.key] = answer.say(NOT_TAKEN)\n    elif",
        (f"{_FAULTS}::test_a_refused_card_is_shown_as_text",),
    ),
    Mutation(
        "nothing is posted where it would be refused",
        f"{_DELIVERY}/channel_delivery.py",
        "        if shut is not None:\n            self._take(step, Shut(shut.code))\n            return\n",
        "",
        (f"{_SHUT_OUT}::test_without_permission_the_question_is_marked_and_the_answer_follows",),
    ),
    Mutation(
        "an answer is not owed for ever",
        f"{_DELIVERY}/channel_delivery.py",
        "_LONGEST_DEBT = 86_400.0",
        "_LONGEST_DEBT = 1e12",
        (f"{_SHUT_OUT}::test_an_answer_is_not_owed_for_ever",),
    ),
    Mutation(
        "a deleted channel is owed nothing",
        "programs/discord/client.py",
        "        self._deliveries.removed(channel_id)\n",
        "",
        (f"{_FAULTS}::test_a_deleted_channel_is_owed_nothing",),
    ),
    Mutation(
        "an owed answer follows when the permission is there",
        "programs/discord/client.py",
        "        self._permissions.forget()\n        self._deliveries.look_again()\n",
        "        self._permissions.forget()\n",
        (f"{_FAULTS}::test_many_permission_events_lose_no_answer",),
    ),
    Mutation(
        "running turns show nothing new at the end",
        f"{_DELIVERY}/channel_deliveries.py",
        "            channel.pause(_PAUSED)\n",
        "            pass\n",
        ("tests/durability/test_ending.py::test_an_answer_that_takes_too_long_says_that_it_will_go_on",),
    ),
    Mutation(
        "a message is stored before the next is posted",
        f"{_DELIVERY}/next_steps.py",
        "answer.storing or answer.no_more or any(slot.message_id and slot.stored is None for slot in answer.slots):",
        "answer.no_more:",
        (f"{_RULES}::test_nothing_is_posted_before_the_message_above_is_stored",),
    ),
    Mutation(
        "the note that all is known goes before the next post",
        f"{_DELIVERY}/next_steps.py",
        "answer.storing or answer.no_more or any(",
        "answer.storing or any(",
        (f"{_RULES}::test_where_it_may_not_read_what_it_noted_goes_before_the_next_post",),
    ),
    Mutation(
        "whoever deletes an answer that is written stops it",
        f"{_DELIVERY}/step_results.py",
        "[Notify(answer, NoticeKind.STOP)]",
        "[]",
        (f"{_RULES}::test_deleting_a_running_answer_stops_its_turn",),
    ),
    Mutation(
        "nothing is deleted while a message is not stored",
        f"{_DELIVERY}/next_steps.py",
        "all(slot.stored is not None for slot in answer.slots)",
        "True",
        (f"{_RULES}::test_nothing_is_deleted_while_a_message_is_not_stored",),
    ),
    Mutation(
        "one notice that an answer is owed",
        f"{_DELIVERY}/arranging.py",
        "    channel.told_of_failure = True\n",
        "    channel.told_of_failure = False\n",
        (f"{_RULES}::test_later_answers_do_not_wait_for_ever",),
    ),
    Mutation(
        "one sign a turn, also of a later attempt",
        "programs/discord/status_reactions.py",
        "next((one for one in self._pending.values() if one.turn_id == event.turn_id), None)",
        "None",
        (
            "tests/programs/discord/test_status_reactions.py::test_what_is_answered_again_is_not_done_though_its_last_message_is_another",
        ),
    ),
    Mutation(
        "a late sign not being set once the turn runs again",
        "programs/discord/status_reactions.py",
        "            self._give_up(reaction)\n",
        "            pass\n",
        (
            "tests/programs/discord/test_status_reactions.py::test_a_sign_that_was_put_off_is_not_set_once_the_turn_runs_again",
        ),
    ),
    Mutation(
        "a sign where the notice that nothing is answered is refused",
        "programs/discord/incoming/unanswered.py",
        "except (DeliveryRefusedError, ShutOutError) as error:\n            if not",
        "except ShutOutError as error:\n            if not",
        (
            "tests/programs/discord/incoming/test_unanswered.py::test_what_was_missed_is_told_by_a_sign_where_the_rules_forbid_the_notice",
        ),
    ),
)
