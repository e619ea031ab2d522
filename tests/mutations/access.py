"""Mutations of who may do what: the operator's lists, what may be chosen, and the audit log."""

from tests.mutations.mutation import Mutation

_AUTHORIZE = "programs/discord/permissions/authorize.py"
_CHANGES = "llmgine/engine/setting_changes.py"
_DISCORD = "tests/programs/discord"
_ACCESS = f"{_DISCORD}/test_access.py"
_WAYS = f"{_DISCORD}/test_ways_in.py"
_CHOICES = "tests/llmgine/engine/test_choices.py"
_WEBHOOKS = f"{_DISCORD}/test_webhooks.py"
_HIDDEN = f"{_DISCORD}/test_hidden_channels.py"
_AUDIT = "tests/llmgine/engine/test_audit.py"

MUTATIONS = (
    Mutation(
        "no webhook being answered where only some roles are",
        "programs/discord/permissions/webhooks.py",
        "return Standing.ROLE_MISSING if allowed is Standing.ALLOWED and settings.roles else allowed",
        "return allowed",
        (f"{_WEBHOOKS}::TestNotAnswered::test_where_only_some_roles_are_answered_no_webhook_is",),
    ),
    Mutation(
        "no webhook being answered that a list of people leaves out",
        _AUTHORIZE,
        "return Standing.ALLOWED if Standing.ALLOWED in listed else Standing.NOT_ALLOWED",
        "return Standing.ALLOWED",
        (f"{_WEBHOOKS}::TestNotAnswered::test_the_operators_lists_hold[lists0-False]",),
    ),
    Mutation(
        "a webhook's cost being its channel's",
        "llmgine/sessions/limits.py",
        "if person is not None and person.is_person else None",
        "if person is not None else None",
        (f"{_WEBHOOKS}::TestBounds::test_its_cost_is_the_channels",),
    ),
    Mutation(
        "the answers to webhooks in a row being bounded",
        "programs/discord/permissions/webhook_bounds.py",
        "        if answered >= self._most:\n",
        "        if False:\n",
        (f"{_WEBHOOKS}::TestBounds::test_in_a_row_without_a_person_it_ends",),
    ),
    Mutation(
        "a webhook's calls being approved one by one",
        "llmgine/engine/approvals.py",
        "    return asker is None or asker.is_person\n",
        "    return True\n",
        (f"{_WEBHOOKS}::TestBounds::test_a_tool_with_always_asks_each_time",),
    ),
    Mutation(
        "a webhook's call not running once it is no longer named",
        "programs/discord/permissions/tools.py",
        "named = webhook.is_named(settings)",
        "named = True",
        (f"{_WEBHOOKS}::TestBounds::test_a_call_does_not_run_once_it_is_no_longer_named",),
    ),
    Mutation(
        "a webhook reading no more than everybody",
        "programs/discord/incoming/intake.py",
        "own = message.webhook_id is not None and not everyone_reads(message.channel)",
        "own = False",
        (f"{_WEBHOOKS}::TestIdentity::test_where_not_everybody_reads_it_reads_nothing_either",),
    ),
    Mutation(
        "hidden channels having no name",
        "programs/discord/ids.py",
        'name = None if is_hidden(channel) else getattr(channel, "name", None)',
        'name = getattr(channel, "name", None)',
        (f"{_HIDDEN}::TestWhichAreHidden::test_it_has_no_name",),
    ),
    Mutation(
        "nothing being set for hidden channels",
        "programs/discord/setting_specs.py",
        "    if is_hidden(meant):\n",
        "    if False:\n",
        (f"{_HIDDEN}::TestNothingIsMadeOfThem::test_nothing_is_set_for_it[style-given0]",),
    ),
    Mutation(
        "who may use the bot being asked of messages",
        "programs/discord/incoming/decision.py",
        "        if standing is not Standing.ALLOWED:\n",
        "        if False:\n",
        (f"{_ACCESS}::TestPeople::test_lists[lists0-False]",),
    ),
    Mutation(
        "who may use the bot being asked of commands",
        "programs/discord/slash/tree.py",
        "            await authorize(interaction)\n",
        "            pass\n",
        (f"{_WAYS}::test_every_command_asks",),
    ),
    Mutation(
        "who may use the bot being asked of presses",
        "programs/discord/components/gates.py",
        "            await authorize(press.interaction)\n",
        "            pass\n",
        (f"{_WAYS}::test_every_button_asks[stop]",),
    ),
    Mutation(
        "nobody being refused the commands that are for everybody",
        "programs/discord/slash/tree.py",
        "        if _name(interaction) in FOR_EVERYBODY:\n            return True\n",
        "",
        (f"{_WAYS}::test_nobody_is_refused_what_is_stored_of_them[lists0]",),
    ),
    Mutation(
        "nobody being refused the presses that are for everybody",
        "programs/discord/components/gates.py",
        "        if press.id.action not in FOR_EVERYBODY:\n",
        "        if True:\n",
        (f"{_WAYS}::test_nobody_is_refused_what_is_stored_of_them[lists0]",),
    ),
    Mutation(
        "a block beating what is allowed",
        _AUTHORIZE,
        "if ids is None or ids & set(blocked) or",
        "if ids is None or",
        (f"{_ACCESS}::TestPlaces::test_a_category_covers_its_channels",),
    ),
    Mutation(
        "who may use the bot being asked before a tool runs",
        "llmgine/engine/tool_calls.py",
        "        if refused is not None:\n            return _refusal(call, *refused), 0.0\n",
        "",
        (f"{_ACCESS}::TestTools::test_who_has_left",),
    ),
    Mutation(
        "Discord being asked once more before effects",
        "programs/discord/permissions/tools.py",
        "age=0.0 if has_effects else FRESH",
        "age=FRESH",
        (f"{_ACCESS}::TestTools::test_who_has_left",),
    ),
    Mutation(
        "the bound on servers that are asked for a member",
        "programs/discord/permissions/members.py",
        "list(dict.fromkeys([*met, *mutual, *largest]))[:_MOST]",
        "list(dict.fromkeys([*met, *mutual, *largest]))",
        (f"{_ACCESS}::TestMembers::test_no_more_servers_are_asked_than_that",),
    ),
    Mutation(
        "the models that may be chosen",
        _CHANGES,
        'if name == "model" and not self.choices.allows_model(value, self._model.name):',
        "if False:",
        (f"{_CHOICES}::test_models[models0-allowed0]",),
    ),
    Mutation(
        "the rights of who reads the audit log",
        "programs/discord/slash/audit.py",
        "    return allowed.view_channel and allowed.read_message_history",
        "    return True",
        (f"{_DISCORD}/test_audit.py::test_a_channel_that_somebody_cannot_view_is_not_listed",),
    ),
    Mutation(
        "a prompt staying out of the audit log",
        _CHANGES,
        'f"{name}: {len(value)} characters" if name == "system_prompt" else ',
        "",
        (f"{_AUDIT}::test_each_change_is_recorded",),
    ),
    Mutation(
        "the right to read the history at the moment of a press",
        "programs/discord/components/gates.py",
        "                    require_reading(press.interaction)\n",
        "                    pass\n",
        (f"{_DISCORD}/test_reading.py::test_a_form_that_was_opened_before",),
    ),
)
