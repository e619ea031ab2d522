"""Mutations of MCP: what is offered, what asks, what a server gets, and how much it may say."""

from tests.mutations.mutation import Mutation

_SERVERS, _STDIO = "llmgine/mcp/servers.py", "llmgine/mcp/stdio.py"
_TESTS = "tests/llmgine/mcp"
_TEST_SERVERS = f"{_TESTS}/test_servers.py"

MUTATIONS = (
    Mutation(
        "a tool being offered only while its server says what was accepted",
        _SERVERS,
        "is_same = server not in self._now or standing(was, now) is Standing.ACCEPTED\n",
        "is_same = True\n",
        (f"{_TEST_SERVERS}::test_a_changed_tool_is_disabled[now0]",),
    ),
    Mutation(
        "a server's tools asking first",
        _SERVERS,
        "requires_approval=not reads_only,",
        "requires_approval=False,",
        (f"{_TEST_SERVERS}::test_all_tools_ask_but_those_that_only_read",),
    ),
    Mutation(
        "the outcome of a call being unknown when its server dies",
        _SERVERS,
        "            if reads_only:\n                raise",
        "            if True:\n                raise",
        (f"{_TEST_SERVERS}::test_a_call_in_flight_when_the_server_dies_is_unknown",),
    ),
    Mutation(
        "a server getting none of the program's keys",
        "llmgine/mcp/config.py",
        "inherited = {name: variables[name] for name in _INHERITED if name in variables}",
        "inherited = dict(variables)",
        (f"{_TEST_SERVERS}::test_a_server_gets_none_of_the_programs_keys",),
    ),
    Mutation(
        "a server's words not reaching the terminal",
        _STDIO,
        "            stderr=PIPE,\n",
        "",
        (f"{_TEST_SERVERS}::test_standard_error_stays_away_from_the_terminal",),
    ),
    Mutation(
        "a server's program ending with all that it started",
        _STDIO,
        "            kill_with_children(process)\n",
        "            process.kill()\n",
        (f"{_TEST_SERVERS}::test_at_the_end_no_program_is_left",),
    ),
    Mutation(
        "a server's answers being bounded",
        _STDIO,
        "LARGEST_MESSAGE = 16 * 2**20",
        "LARGEST_MESSAGE = 2**30",
        (f"{_TEST_SERVERS}::test_an_answer_of_50_megabytes_is_left_out",),
    ),
    Mutation(
        "a server's tools being bounded",
        "llmgine/mcp/connection.py",
        "                if len(found) > MOST_TOOLS:\n",
        "                if False:\n",
        (f"{_TEST_SERVERS}::test_ten_thousand_tools_are_too_many",),
    ),
    Mutation(
        "descriptions of servers having nothing hidden",
        "llmgine/mcp/definitions.py",
        "shorten(visible_text(clean_text(text)).strip(), _LONGEST_TEXT)",
        "shorten(clean_text(text).strip(), _LONGEST_TEXT)",
        (f"{_TESTS}/test_definitions.py::test_hidden_characters_do_not_reach_the_model",),
    ),
    Mutation(
        "a call by a tool's name having no name twice",
        "llmgine/tools/searching.py",
        " or has_doubles(call.arguments):",
        ":",
        ("tests/llmgine/engine/test_searching.py::test_a_call_that_does_not_fit_is_an_error",),
    ),
    Mutation(
        "the tools that are offered staying the same within a turn",
        "llmgine/engine/turn_context.py",
        "        if self._offered is None:",
        "        if True:",
        (f"{_TESTS}/test_turns.py::test_what_is_offered_stays_within_a_turn",),
    ),
)
