"""Mutations of what makes an approval mean what it says, of what is fetched, and of what a tool may do."""

from tests.mutations.mutation import Mutation

_ALWAYS = "tests/llmgine/engine/test_always.py"
_CARDS = "tests/programs/discord/test_approval_cards.py"
_HTTP = "tests/programs/test_guarded_http.py"
_ISOLATION = "tests/llmgine/tools/test_isolation.py"

MUTATIONS = (
    Mutation(
        "an approval for always that is not used with text of others",
        "llmgine/engine/approvals.py",
        "offered = tool.allows_always and _is_person(asker) and not context.steps.state.may_be_led(known)",
        "offered = tool.allows_always and _is_person(asker)",
        (f"{_ALWAYS}::test_what_comes_with_a_prompt_makes_it_ask",),
    ),
    Mutation(
        "an approval for always that is checked again when it is given",
        "llmgine/sessions/operations/decisions.py",
        "if steps.state.may_be_led(call):",
        "if False:",
        (f"{_ALWAYS}::test_always_is_refused_when_text_of_others_came_in_meanwhile",),
    ),
    Mutation(
        "no approval without the file that has all arguments",
        "programs/discord/delivery/bodies.py",
        'if "without_file" in body:',
        "if False:",
        (f"{_CARDS}::test_without_its_file_a_long_call_can_only_be_denied",),
    ),
    Mutation(
        "short arguments before long ones",
        "programs/shown_arguments.py",
        "return sorted(shown, key=lambda one: (one.has_lines, len(one.value)))",
        "return shown",
        (f"{_CARDS}::test_no_value_looks_like_an_argument",),
    ),
    Mutation(
        "an e-mail that is read back before it is sent",
        "programs/tools/mail.py",
        "same = _read_back(data, mail) and _read_back_by_old_rules(data, mail)",
        "same = True",
        ("tests/programs/tools/test_mail.py::test_each_part_is_read_back",),
    ),
    Mutation(
        "no encoded word in a subject",
        "programs/tools/email.py",
        'if "=?" in text:',
        "if False:",
        ("tests/programs/tools/test_mail.py::test_an_encoded_word_is_refused",),
    ),
    Mutation(
        "the address of a connection being checked",
        "programs/guarded_http.py",
        "socket_factory=None if allowed else _guarded_socket,",
        "socket_factory=None,",
        (f"{_HTTP}::test_the_address_of_the_connection_counts",),
    ),
    Mutation(
        "where a redirect leads being checked",
        "programs/guarded_http.py",
        "allowed = url.scheme in _PORTS and bool(url.host) and url.origin() in self._allowed",
        "allowed = bool(self._allowed)",
        (f"{_HTTP}::test_where_a_redirect_leads_is_checked_again",),
    ),
    Mutation(
        "a streamed secret that is held back",
        "llmgine/engine/progress.py",
        "text=self._redact.growing(self.text)",
        "text=self._redact(self.text)",
        ("tests/llmgine/engine/test_secrets.py::test_a_streamed_secret_is_never_told",),
    ),
    Mutation(
        "secrets blotted out of what people say",
        "llmgine/observability/redaction.py",
        "clean = self.in_texts(message)",
        "clean = message",
        ("tests/llmgine/engine/test_secrets.py::test_what_people_say",),
    ),
    Mutation(
        "a tool that is killed with what it started",
        "llmgine/platforms.py",
        "os.killpg(process.pid, signal.SIGKILL)",
        "process.kill()",
        (f"{_ISOLATION}::test_nothing_that_it_started_goes_on",),
    ),
    Mutation(
        "a tool that knows no secret of the program",
        "llmgine/tools/isolation.py",
        "env=_environment(),",
        "",
        (f"{_ISOLATION}::test_it_knows_no_secret_of_this_program",),
    ),
)
