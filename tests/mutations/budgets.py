"""Mutations of budgets: requests, tokens, calls at once and logins; and of the breaker."""

from tests.mutations.mutation import Mutation

_BUDGET = "programs/discord/rate_limiter.py"
_BREAKER = "programs/discord/breaker.py"
_MODEL = "llmgine/engine/model.py"
_BUDGET_TESTS = "tests/programs/discord/test_rate_limiter.py"
_ALLOWANCES = "tests/llmgine/engine/test_allowances.py"
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
        "        self._queues[importance].append(ticket)\n",
        "        self._queues[Importance.FIRST].append(ticket)\n        ticket.importance = Importance.FIRST\n",
        (f"{_BUDGET_TESTS}::test_what_people_wait_for_goes_first",),
    ),
    Mutation(
        "a preview that became final going first",
        _BUDGET,
        "if ticket.importance is not Importance.FIRST and not ticket.called.done():",
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
        "tokens of the day before a call",
        "llmgine/engine/turn.py",
        "        require_allowance(before.allowances)\n",
        "",
        (f"{_ALLOWANCES}::test_what_is_used_up_is_said_and_costs_nothing",),
    ),
    Mutation(
        "tokens of the day before a title",
        _MODEL,
        "            require_allowance(await self._store.allowances.of_session(session_id, self._store.today))\n",
        "",
        (f"{_TITLES}::test_no_title_is_asked_for_with_a_used_up_budget",),
    ),
    Mutation(
        "the tokens of titles",
        _MODEL,
        "        await self._store.allowances.spend(session_id, used, self._store.today.day)\n        return reply",
        "        return reply",
        (f"{_TITLES}::test_a_title_counts_in_the_budgets",),
    ),
    Mutation(
        "tokens of replies that broke off",
        _MODEL,
        "if text() or isinstance(error, asyncio.CancelledError | EmptyReplyError):",
        "if False:",
        (f"{_ALLOWANCES}",),
    ),
    Mutation(
        "disbelief in counts that cannot be",
        _MODEL,
        "return 0 < usage.input_tokens <= most and usage.output_tokens <= _MOST_GENERATED",
        "return True",
        ("tests/llmgine/engine/test_lessons.py::test_a_count_that_cannot_be_is_not_believed",),
    ),
    Mutation(
        "calls of the model at once",
        _MODEL,
        "asyncio.Semaphore(calls_at_once)",
        "asyncio.Semaphore(1_000)",
        ("tests/llmgine/engine/test_turns.py::test_model_calls_are_bounded_over_all_sessions",),
    ),
    Mutation(
        "titles giving way to turns",
        _MODEL,
        "while self._slots.locked() or self._wanting:",
        "while False:",
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
