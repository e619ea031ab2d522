"""Mutations of budgets: requests, tokens, calls at once and logins; and of the breaker."""

from tests.mutations.mutation import Mutation

_BUDGET = "programs/discord/rate_limiter.py"
_BREAKER = "programs/discord/breaker.py"
_MODEL = "llmgine/engine/model.py"
_BUDGET_TESTS = "tests/programs/discord/test_rate_limiter.py"
_ALLOWANCES = "tests/llmgine/engine/test_allowances.py"
_SPENDING = "tests/llmgine/engine/test_spending.py"
_TURN_LIMITS = "tests/llmgine/engine/test_turn_limits.py"
_STORE_TESTS = "tests/llmgine/sessions/test_allowances.py"
_OPERATIONS = "llmgine/sessions/operations/allowances.py"
_TITLES = "tests/llmgine/engine/test_titles.py"
_CONNECTION = "tests/durability/test_connection.py"

MUTATIONS = (
    Mutation(
        "the rate of requests",
        _BUDGET,
        "            self._saved -= 1\n",
        "",
        (f"{_BUDGET_TESTS}::test_the_rate_is_kept_over_all_routes",),
    ),
    Mutation(
        "answers going before courtesies",
        _BUDGET,
        "        self._queues[importance].append(ticket)\n        self._call()\n        return ticket\n",
        "        self._queues[Importance.FIRST].append(ticket)\n        ticket.importance = Importance.FIRST\n"
        "        self._call()\n        return ticket\n",
        (f"{_BUDGET_TESTS}::test_what_people_wait_for_goes_first",),
    ),
    Mutation(
        "a preview that became final going first",
        _BUDGET,
        "if importance < ticket.importance and not ticket.called.done():",
        "if False:",
        (f"{_BUDGET_TESTS}::test_a_ticket_may_hurry",),
    ),
    Mutation(
        "paying nothing for what was given up",
        _BUDGET,
        "if not ticket.called.done() and ticket.importance is importance:\n                    return ticket",
        "return ticket",
        (f"{_BUDGET_TESTS}::test_who_gave_up_costs_nothing",),
    ),
    Mutation(
        "what is left of a day before a call",
        _OPERATIONS,
        "        if full is not None:\n",
        "        if False:\n",
        (f"{_ALLOWANCES}::test_what_is_used_up_is_said_and_costs_nothing",),
    ),
    Mutation(
        "the reservation of a long reply",
        "llmgine/engine/spending.py",
        "output_tokens=most_output(request)",
        "output_tokens=4_000",
        (f"{_SPENDING}::test_calls_at_once_pass_a_limit_by_one_call[30000]",),
    ),
    Mutation(
        "the cost of a try that timed out",
        "llmgine/engine/spending.py",
        "EmptyReplyError, ProviderTimeoutError\n\n",
        "EmptyReplyError\n\n",
        (f"{_SPENDING}::test_a_try_that_timed_out_costs_its_request",),
    ),
    Mutation(
        "what others reserved",
        "llmgine/sessions/costs.py",
        "return self.used + self.reserved >= self.most",
        "return self.used >= self.most",
        (f"{_SPENDING}::test_of_many_at_once_one_takes_the_room_for_one",),
    ),
    Mutation(
        "releasing what was reserved",
        _OPERATIONS,
        "        reserved = -_reserved_in(rows[0])\n",
        "",
        (f"{_SPENDING}::test_of_many_at_once_one_takes_the_room_for_one",),
    ),
    Mutation(
        "settling a call once",
        _OPERATIONS,
        "        if not rows:  # this process counted as dead, and another one settled it\n            return\n",
        "        if not rows:\n            rows = [{'tokens': 0, 'nanodollars': 0}]\n",
        (f"{_STORE_TESTS}::test_what_the_dead_reserved_is_settled[sqlite]",),
    ),
    Mutation(
        "settling what the dead reserved",
        "llmgine/sessions/store.py",
        "        await self._settle_left()\n",
        "",
        (f"{_STORE_TESTS}::test_what_the_dead_reserved_is_settled[sqlite]",),
    ),
    Mutation(
        "counting a reply from the moment it came",
        _MODEL,
        "        context.spent = self.spending.spent(call, reply)",
        "        context.spent = None",
        (f"{_SPENDING}::test_stopping_while_the_reply_is_stored_loses_nothing",),
    ),
    Mutation(
        "the most generous role",
        "llmgine/sessions/limits.py",
        "key=lambda one: -one.most)",
        "key=lambda one: one.most)",
        (f"{_STORE_TESTS}::TestPeople::test_the_most_generous_role_counts[sqlite-asker0-most0]",),
    ),
    Mutation(
        "the price of cached tokens",
        "llmgine/providers/price_table.py",
        "            cache_read_tokens=min(usage.cached_tokens, usage.input_tokens),\n",
        "",
        (f"{_SPENDING}::TestMoney::test_cached_and_reasoning_tokens_are_priced_as_such",),
    ),
    Mutation(
        "the cost of titles",
        _MODEL,
        "        await self.spending.settle(self.spending.spent(call, reply))\n",
        "",
        (f"{_TITLES}::test_a_title_counts_in_the_budgets",),
    ),
    Mutation(
        "the limit on a turn's tokens",
        "llmgine/engine/turn_limits.py",
        "if cost.tokens >= self.tokens:",
        "if False:",
        (f"{_TURN_LIMITS}::test_what_is_used_up_ends_the_turn",),
    ),
    Mutation(
        "the limit on a turn's time",
        "llmgine/engine/turn.py",
        "asyncio.timeout(limits.seconds_left(context.steps.state))",
        "asyncio.timeout(None)",
        (f"{_TURN_LIMITS}::test_a_call_that_takes_too_long_is_ended",),
    ),
    Mutation(
        "limits of people being for who manages the server",
        "programs/discord/slash/budgets.py",
        'where, whose = "server", PERSON if role is None else f"role:{role.id}"',
        'whose = PERSON if role is None else f"role:{role.id}"',
        ("tests/programs/discord/test_budgets.py::test_limits_of_people_are_for_who_manages_the_server",),
    ),
    Mutation(
        "tokens of replies that broke off",
        "llmgine/engine/spending.py",
        "if text() or isinstance(error, _PAID):",
        "if False:",
        (f"{_ALLOWANCES}",),
    ),
    Mutation(
        "disbelief in counts that cannot be",
        "llmgine/engine/spending.py",
        "return usage if 0 < usage.input_tokens <= most and 0 <= usage.output_tokens <= _MOST_GENERATED else None",
        "return usage",
        ("tests/llmgine/engine/test_lessons.py::test_a_count_that_cannot_be_is_not_believed",),
    ),
    Mutation(
        "calls of the model at once",
        _MODEL,
        "FairSlots(calls_at_once)",
        "FairSlots(1_000)",
        ("tests/llmgine/engine/test_turns.py::test_model_calls_are_bounded_over_all_sessions",),
    ),
    Mutation(
        "titles giving way to turns",
        _MODEL,
        "            await self.slots.idle()\n",
        "",
        (f"{_TITLES}::test_a_title_waits_while_turns_need_the_model",),
    ),
    Mutation(
        "logins being counted before they are made",
        "programs/discord/connection.py",
        "if await self._store.logins.count(SOURCE, at, at - _DAY) > _MOST_LOGINS:",
        "if 0 > _MOST_LOGINS:",
        (f"{_CONNECTION}::test_a_login_is_counted_before_it_is_made",),
    ),
    Mutation(
        "no request after a 401",
        _BREAKER,
        "            self._refused = True\n",
        "",
        ("tests/programs/discord/test_breaker.py",),
    ),
    Mutation(
        "no request while Cloudflare bans",
        _BREAKER,
        "self._closed_at = max(self._closed_at, self._clock() + seconds)",
        "pass",
        ("tests/programs/discord/test_breaker.py",),
    ),
    Mutation(
        "a run-out token of an interaction ending nothing",
        _BREAKER,
        'if response.status == 401 and not _OWN_TOKENS & set(params.url.path.split("/")):',
        "if response.status == 401:",
        ("tests/programs/discord/test_breaker.py",),
    ),
    Mutation(
        "an ordinary limit stopping no other request",
        _BREAKER,
        'elif response.status == 429 and "Via" not in response.headers:',
        "elif response.status == 429:",
        ("tests/programs/discord/test_breaker.py",),
    ),
)
