"""Mutations of the gates: who may press, see and change what."""

from tests.mutations.mutation import Mutation

_GATES = "programs/discord/components/gates.py"
_PERMISSIONS = "programs/discord/permissions/actor.py"
_SIGHT = "programs/discord/permissions/viewer.py"
_TESTS = "tests/programs/discord"

MUTATIONS = (
    Mutation(
        "the gate of the asker",
        _GATES,
        "if not may_decide(user, asker):",
        "if False:",
        (f"{_TESTS}/test_approvals.py::test_nobody_else_may_decide",),
    ),
    Mutation(
        "the asker's own right to decide",
        _PERMISSIONS,
        "    if asker is not None and str(user.id) == asker.id:\n        return True\n",
        "",
        (f"{_TESTS}/test_buttons.py::test_the_asker_needs_no_permission",),
    ),
    Mutation(
        "the gate of the channel a button is in",
        _GATES,
        "if not _is_here(steps.turn, press.interaction.channel_id):",
        "if False:",
        (f"{_TESTS}/test_trust.py::test_a_button_works_in_its_own_channel[Undo]",),
    ),
    Mutation(
        "the gate of moderators",
        _GATES,
        "    if not is_moderator(interaction.user):\n",
        "    if False:\n",
        (f"{_TESTS}/test_presses.py::TestRights::test_a_question_to_clear_that_waited",),
    ),
    Mutation(
        "permissions of the channel before those of the server",
        _PERMISSIONS,
        "(user.guild_permissions if here is None else here).manage_messages",
        "user.guild_permissions.manage_messages",
        (f"{_TESTS}/test_approvals.py::test_what_the_channel_takes_away_counts",),
    ),
    Mutation(
        "the gate of roles",
        _GATES,
        "            require_role(interaction, settings)\n",
        "            pass\n",
        (f"{_TESTS}/test_bounds.py::test_buttons_and_menus_take_the_role_too[Regenerate]",),
    ),
    Mutation(
        "the gate of listening",
        _GATES,
        'elif settings.listen == "off":',
        "elif False:",
        (f"{_TESTS}/test_presses.py::TestSwitchedOff::test_a_button_asks_nothing[Regenerate]",),
    ),
    Mutation(
        "the gate of writing",
        _GATES,
        "            require_writing(interaction)\n",
        "            pass\n",
        (f"{_TESTS}/test_presses.py::TestRights::test_who_may_not_write_any_more[Regenerate]",),
    ),
    Mutation(
        "the gate of readers",
        _SIGHT,
        "        if not await self._may_see(found):",
        "        if False:",
        (f"{_TESTS}/test_sessions.py::test_every_button_looks_anew",),
    ),
    Mutation(
        "a person's own conversation being theirs",
        _SIGHT,
        "if person not in (None, self._interaction.user.id):",
        "if False:",
        (f"{_TESTS}/test_sessions.py::test_a_persons_own_conversation_is_theirs",),
    ),
    Mutation(
        "a DM being seen in it alone",
        _SIGHT,
        "return channel_id == await self._dm()",
        "return True",
        (f"{_TESTS}/test_sessions.py::test_another_persons_dm_is_never_seen",),
    ),
    Mutation(
        "the permission to view a channel whose conversation is listed",
        _SIGHT,
        "return allowed.view_channel and allowed.read_message_history",
        "return True",
        (f"{_TESTS}/test_sessions.py::test_a_hidden_channel_is_not_listed",),
    ),
    Mutation(
        "the permission to read the history of a conversation here",
        _SIGHT,
        "return self._interaction.guild_id is None or self._interaction.permissions.read_message_history",
        "return True",
        (f"{_TESTS}/test_trust.py::test_history_is_for_who_may_read_it",),
    ),
    Mutation(
        "the members of a private thread",
        _SIGHT,
        "return not private or channel.permissions_for(member).manage_threads or await self._is_in(channel, member)",
        "return True",
        (f"{_TESTS}/test_trust.py::test_a_private_thread_is_for_its_members",),
    ),
    Mutation(
        "the gate of who may rename",
        _GATES,
        "if to_rename and not await viewer.may_rename(session):",
        "if False:",
        (f"{_TESTS}/test_presses.py::TestRights::test_a_form_for_a_title_that_waited",),
    ),
    Mutation(
        "the permission that a setting takes",
        _PERMISSIONS,
        "if not may_set(interaction, where, bounds=spec.bounds):",
        "if False:",
        (f"{_TESTS}/test_slash.py::test_the_modal_is_checked_too",),
    ),
    Mutation(
        "bounds that the owner of a thread cannot lift",
        _PERMISSIONS,
        "(owns_thread and not bounds)",
        "owns_thread",
        (f"{_TESTS}/test_bounds.py::test_the_owner_of_a_thread_is_no_judge_of_bounds",),
    ),
    Mutation(
        "the permission to open a thread",
        _PERMISSIONS,
        "if not (allowed.create_private_threads if private else allowed.create_public_threads):",
        "if False:",
        (f"{_TESTS}/test_trust.py::test_no_thread_for_who_may_open_none[thread-public]",),
    ),
    Mutation(
        "buttons of an earlier attempt being outdated",
        _GATES,
        "if target.attempt not in (None, steps.turn.attempt) and press.id.action is not Action.DETAILS:",
        "if False:",
        (f"{_TESTS}/test_approval_buttons.py::test_an_old_card_decides_nothing_new",),
    ),
)
