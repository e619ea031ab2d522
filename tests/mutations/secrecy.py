"""Mutations of what keeps secrets, people and this machine safe, and texts whole."""

from tests.mutations.mutation import Mutation

_SPLITTING = "programs/discord/delivery/splitting.py"
_SPLITTING_TESTS = "tests/programs/discord/test_splitting.py"
_GUARD_TESTS = "tests/programs/playground/test_guard.py"

MUTATIONS = (
    Mutation(
        "secrets blotted out of what tools give",
        "llmgine/tools/tool_manager.py",
        "content=cap(self._redact(clean_text(text)))",
        "content=cap(clean_text(text))",
        ("tests/llmgine/tools/test_secrets.py",),
    ),
    Mutation(
        "secrets blotted out of the log",
        "llmgine/observability/redaction.py",
        "return self._pattern.sub(REDACTED, text) if self._suspects(text) else text",
        "return text",
        ("tests/llmgine/observability/test_jsonl.py::test_secrets_are_blotted_out",),
    ),
    Mutation(
        "the token never unencrypted",
        "llmgine/settings.py",
        'if url.scheme in {"http", "ws"} and not is_loopback(url.host):',
        "if False:",
        ("tests/llmgine/test_settings.py::test_the_token_never_leaves_this_machine_unencrypted",),
    ),
    Mutation(
        "no pings by default",
        "programs/discord/connection.py",
        "allowed_mentions=discord.AllowedMentions.none(),",
        "",
        ("tests/programs/discord/test_trust.py::test_nothing_pings_by_default",),
    ),
    Mutation(
        "code that is closed at a cut",
        _SPLITTING,
        'yield part + (_CLOSING if block else "")',
        "yield part",
        (f"{_SPLITTING_TESTS}::test_long_code_is_cut_between_its_lines",),
    ),
    Mutation(
        "code that is opened again after a cut",
        _SPLITTING,
        'opening = block.opening if block else ""',
        'opening = ""',
        (f"{_SPLITTING_TESTS}::test_code_inside_a_list_is_opened_again",),
    ),
    Mutation(
        "parts that stay as the text grows",
        _SPLITTING,
        "end = _cut(window, max(int(limit * _EARLIEST), len(opening)))",
        "end = _cut(window, max(int(limit * _EARLIEST), len(opening), limit - len(text) // 10))",
        (f"{_SPLITTING_TESTS}::test_parts_stay_as_the_text_grows",),
    ),
    Mutation(
        "the database being its owner's alone",
        "llmgine/sessions/sqlite.py",
        "os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))",
        "os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o644))",
        ("tests/llmgine/sessions/test_sqlite.py::test_the_files_are_their_owners_only",),
    ),
    Mutation(
        "the log being its owner's alone",
        "llmgine/observability/logfile.py",
        "os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)",
        "os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)",
        ("tests/llmgine/observability/test_jsonl.py::test_only_its_owner_can_read_it",),
    ),
    Mutation(
        "no file outside of a page's folder being served",
        "programs/web/page_files.py",
        "for folder in folders if _NAME.fullmatch(name) else ():",
        "for folder in folders:",
        (f"{_GUARD_TESTS}::test_only_the_pages_own_files_are_served",),
    ),
    Mutation(
        "the playground's own names",
        "programs/web/guard.py",
        'if request.headers.get("Host") not in hosts:',
        "if False:",
        (f"{_GUARD_TESTS}::test_a_foreign_host_name_is_refused",),
    ),
    Mutation(
        "the playground's own pages",
        "programs/web/guard.py",
        "if origin is not None and",
        "if False and",
        (f"{_GUARD_TESTS}::test_a_foreign_page_is_refused",),
    ),
)
