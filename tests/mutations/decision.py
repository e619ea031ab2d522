"""Mutations of the decision which messages are answered."""

from tests.mutations.mutation import Mutation

_DECISION = "programs/discord/incoming/decision.py"
_TRIGGERS = "tests/programs/discord/test_triggers.py"
_WEBHOOKS = "tests/programs/discord/test_webhooks.py"
_BOUNDS = "tests/programs/discord/test_bounds.py"

MUTATIONS = (
    Mutation(
        "silence towards other bots",
        _DECISION,
        "    if message.author.bot:\n",
        "    if False:\n",
        (f"{_TRIGGERS}::test_bots_webhooks_and_notices_are_ignored",),
    ),
    Mutation(
        "silence towards webhooks that nobody named",
        _DECISION,
        "        if webhook is None or not webhook.is_named(settings):\n",
        "        if webhook is None:\n",
        (f"{_WEBHOOKS}::TestNaming::test_a_webhook_without_a_bot_is_named_by_its_id",),
    ),
    Mutation(
        "silence towards what repeats the bot's words",
        _DECISION,
        "        if repeats(message, self._client):\n",
        "        if False:\n",
        (f"{_WEBHOOKS}::TestNotAnswered::test_its_own_webhooks_are_not",),
    ),
    Mutation(
        "silence towards Discord's own notices",
        _DECISION,
        "return Verdict.ANSWERED if message.type in _ANSWERED_TYPES else Verdict.SYSTEM_MESSAGE",
        "return Verdict.ANSWERED",
        (f"{_TRIGGERS}::test_bots_webhooks_and_notices_are_ignored",),
    ),
    Mutation(
        "silence where /listen is off",
        _DECISION,
        'if settings.listen == "off":',
        "if False:",
        (f"{_TRIGGERS}::test_where_it_does_not_listen_nothing_is_answered",),
    ),
    Mutation(
        "silence to what is for somebody else",
        _DECISION,
        "    if is_for_somebody(message):\n",
        "    if False:\n",
        (f"{_TRIGGERS}::test_what_is_for_somebody_else_is_not_answered",),
    ),
    Mutation(
        "silence without a mention",
        _DECISION,
        "    return Verdict.NOT_MENTIONED\n",
        "    return Verdict.ANSWERED\n",
        (f"{_TRIGGERS}::test_a_reply_to_a_person_is_not",),
    ),
    Mutation(
        "a forwarded answer not being one that is replied to",
        _DECISION,
        "            return False  # a forwarded answer is not one that is replied to\n",
        "            pass\n",
        (f"{_TRIGGERS}::test_a_forwarded_answer_is_no_reply",),
    ),
    Mutation(
        "an edit of a reply to what is gone being for the bot",
        _DECISION,
        " or (was_ours and _replies_to_what_is_gone(message))",
        "",
        ("tests/programs/discord/test_edits.py::test_an_edit_of_a_reply_to_what_is_gone",),
    ),
    Mutation(
        "the roles that are answered",
        _DECISION,
        "return Verdict.ANSWERED if author is not None and has_role(author, settings) else Verdict.ROLE_MISSING",
        "return Verdict.ANSWERED",
        (f"{_BOUNDS}::test_only_who_has_the_role_is_answered",),
    ),
    Mutation(
        "silence towards somebody who left the server, where /roles is set",
        _DECISION,
        "author is not None and has_role(author, settings)",
        "author is None or has_role(author, settings)",
        (f"{_BOUNDS}::test_who_has_left_is_not_answered",),
    ),
    Mutation(
        "roles being looked up for messages that are read back",
        _DECISION,
        "return await self.access.members.get(guild, user)",
        "return None",
        (f"{_BOUNDS}::test_what_was_written_while_away_takes_the_role_too",),
    ),
    Mutation(
        "talk being judged once, as it was when it was heard",
        _DECISION,
        "return message.id in self._made and self._made[message.id] == message.edited_at",
        "return False",
        ("tests/programs/discord/incoming/test_judged_once.py",),
    ),
)
