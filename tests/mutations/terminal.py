"""Mutations of the terminal chat: what goes where, what is asked, and what is left behind."""

from tests.mutations.mutation import Mutation

_TERMINAL = "programs/terminal"
_TESTS = "tests/programs/terminal"

MUTATIONS = (
    Mutation(
        "the answer alone on the standard output",
        f"{_TERMINAL}/plain_view.py",
        "out or self._err)",
        "self._out)",
        (f"{_TESTS}/test_plain_view.py::test_answers_are_alone_on_their_stream",),
    ),
    Mutation(
        "only whole answers in a pipe",
        f"{_TERMINAL}/plain_view.py",
        "        self._grows = out.isatty()\n",
        "        self._grows = True\n",
        (f"{_TESTS}/test_plain_view.py::test_answers_are_alone_on_their_stream",),
    ),
    Mutation(
        "the exit code of a call that nobody could approve",
        f"{_TERMINAL}/chat.py",
        " or self._approvals.unanswered else 0",
        " else 0",
        (f"{_TESTS}/test_chat.py::test_the_exit_code_says_whether_it_was_done",),
    ),
    Mutation(
        "the end of a turn at Ctrl-C in a pipe",
        f"{_TERMINAL}/chat.py",
        "(again or not (self._busy or self._interactive))",
        "True",
        (f"{_TESTS}/test_chat.py::test_ctrl_c_ends_the_turn_before_it_ends_the_program",),
    ),
    Mutation(
        "a look for sessions that makes no files",
        f"{_TERMINAL}/opening.py",
        "    return file is None or file.exists()",
        "    return True",
        (f"{_TESTS}/test_chat.py::test_where_nothing_was_said_there_is_no_session_to_resume",),
    ),
    Mutation(
        "secrets kept out of what was typed",
        f"{_TERMINAL}/history.py",
        " or self._redact(string) != string",
        "",
        (f"{_TESTS}/test_history.py::test_what_is_not_to_be_kept_is_not_written",),
    ),
    Mutation(
        "files of tools replacing none",
        "llmgine/platforms.py",
        "os.O_WRONLY | os.O_CREAT | os.O_EXCL",
        "os.O_WRONLY | os.O_CREAT | os.O_TRUNC",
        (f"{_TESTS}/test_tool_files.py::test_nothing_is_replaced",),
    ),
)
