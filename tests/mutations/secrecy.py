"""Mutations of what keeps secrets, people and this machine safe, and texts whole."""

from tests.mutations.mutation import Mutation

_SPLITTING = "programs/discord/delivery/splitting.py"
_SPLITTING_TESTS = "tests/programs/discord/test_splitting.py"
_MARKDOWN_TESTS = "tests/programs/discord/test_markdown.py"
_SAFE_TEXT = "programs/discord/delivery/safe_text.py"
_SAFE_TEXT_TESTS = "tests/programs/discord/test_safe_text.py"
_VISIBLE_TESTS = "tests/llmgine/test_visible_text.py"
_GUARD_TESTS = "tests/programs/playground/test_guard.py"

MUTATIONS = (
    Mutation(
        "secrets blotted out of what tools give",
        "llmgine/tools/tool_manager.py",
        "content = cap(self._redact(clean_text(text)))",
        "content = cap(clean_text(text))",
        ("tests/llmgine/tools/test_secrets.py",),
    ),
    Mutation(
        "secrets blotted out of the files that tools give",
        "llmgine/tools/file_secrets.py",
        "clean, begin = redact(carried + text[begin:end]), end",
        "clean, begin = carried + text[begin:end], end",
        ("tests/llmgine/tools/test_files.py::test_texts_and_names_have_no_secrets",),
    ),
    Mutation(
        "secrets across two pieces of a file",
        "llmgine/tools/file_secrets.py",
        "        carried = clean[kept:]\n",
        "        yield clean[kept:]\n",
        ("tests/llmgine/tools/test_file_secrets.py::test_a_secret_goes_wherever_it_is",),
    ),
    Mutation(
        "no path in the names of files that tools give",
        "llmgine/tools/files.py",
        '    plain = name.replace("\\\\", "/").rpartition("/")[2]\n',
        "    plain = name\n",
        ("tests/llmgine/tools/test_files.py::test_names_are_safe",),
    ),
    Mutation(
        "secrets blotted out of the log",
        "llmgine/observability/redaction.py",
        "text = text.replace(secret, REDACTED)",
        "pass",
        ("tests/llmgine/observability/test_jsonl.py::test_secrets_are_blotted_out",),
    ),
    Mutation(
        "secrets known by their shape",
        "llmgine/observability/redaction.py",
        "text = shape.pattern.sub(_without_secret, text)",
        "pass",
        ("tests/llmgine/observability/test_secret_shapes.py::test_a_secret_is_known_by_the_words_around_it",),
    ),
    Mutation(
        "the token never unencrypted",
        "programs/settings.py",
        'if url.scheme in {"http", "ws"} and not is_loopback(url.host):',
        "if False:",
        ("tests/programs/test_settings.py::test_the_token_never_leaves_this_machine_unencrypted",),
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
        "programs/discord/delivery/discord_markdown.py",
        "\\n{_FENCE}{end}",
        "\\n{end}",
        (f"{_SPLITTING_TESTS}::test_long_code_is_cut_between_its_lines",),
    ),
    Mutation(
        "code that is opened again after a cut",
        _SPLITTING,
        'return f"{prefix[:8]}{block.fence[:_LONGEST_FENCE]}{block.language}\\n"',
        'return ""',
        (f"{_SPLITTING_TESTS}::test_code_inside_a_list_is_opened_again",),
    ),
    Mutation(
        "parts that stay as the text grows",
        _SPLITTING,
        "end = _cut(window, max(int(limit * _EARLIEST), len(opening.text)))",
        "end = _cut(window, max(int(limit * _EARLIEST), len(opening.text), limit - len(text) // 10))",
        (f"{_SPLITTING_TESTS}::test_parts_stay_as_the_text_grows",),
    ),
    Mutation(
        "masked links showing their target",
        _SAFE_TEXT,
        'if kind == "masked":',
        "if False:",
        (f"{_SAFE_TEXT_TESTS}::test_how_it_is_shown",),
    ),
    Mutation(
        "bare links without a preview",
        _SAFE_TEXT,
        "return shown if self._add(len(shown) - len(text)) else _unlinked(text)",
        "return text",
        (f"{_SAFE_TEXT_TESTS}::test_how_it_is_shown",),
    ),
    Mutation(
        "small print being the bot's alone",
        _SAFE_TEXT,
        '"small": "‐"',
        '"small": "-"',
        (f"{_SAFE_TEXT_TESTS}::test_how_it_is_shown",),
    ),
    Mutation(
        "text before code not reaching into it",
        _SAFE_TEXT,
        "self._caged = _NO_TEXT.search(code) is not None",
        "self._caged = False",
        (f"{_SAFE_TEXT_TESTS}::test_the_corpus",),
    ),
    Mutation(
        "a spoiler that is closed at a cut",
        _SPLITTING,
        "_made(spans, spans.closing(), limit)",
        '_made(spans, "", limit)',
        (f"{_MARKDOWN_TESTS}::test_a_spoiler_is_never_revealed",),
    ),
    Mutation(
        "a spoiler that is closed while it is written",
        _SPLITTING,
        "_made(spans, spans.due(unfinished=unfinished), limit)",
        '_made(spans, "", limit)',
        (f"{_MARKDOWN_TESTS}::test_a_spoiler_is_never_revealed",),
    ),
    Mutation(
        "bars between blanks that may hide something",
        "programs/discord/delivery/spans.py",
        "return hides and (unfinished or not span.doubtful)",
        "return hides and not span.doubtful",
        (f"{_MARKDOWN_TESTS}::test_a_spoiler_is_never_revealed",),
    ),
    Mutation(
        "the head of a table that goes on",
        _SPLITTING,
        "head = part[block.start : block.body]",
        'head = ""',
        (f"{_MARKDOWN_TESTS}::test_a_table_in_several_messages_has_its_head_in_each",),
    ),
    Mutation(
        "an entity that stays text",
        "programs/markdown/inline.py",
        'return "".join(f"\\\\{one}" if one in _MARKUP else one for one in said), found.end()',
        "return said, found.end()",
        (f"{_MARKDOWN_TESTS}::test_how_it_is_shown",),
    ),
    Mutation(
        "each message of an answer being made safe",
        "programs/discord/delivery/bodies.py",
        "return map(safe_part, parts_of(text))",
        "return parts_of(text)",
        ("tests/programs/discord/test_hostile_words.py::test_the_words_of_the_model",),
    ),
    Mutation(
        "hidden characters being removed",
        "llmgine/messages/visible_text.py",
        'text = _HIDDEN.sub("", text)',
        "pass",
        (f"{_VISIBLE_TESTS}::test_what_hides_is_removed",),
    ),
    Mutation(
        "joiners staying where scripts need them",
        "llmgine/messages/visible_text.py",
        '(?<![{_VIRAMAS}].)(?!(?<=[{_JOINING}].)[{_JOINING}])"',
        '"',
        (f"{_VISIBLE_TESTS}::test_writing_stays_as_it_is",),
    ),
    Mutation(
        "names being short lines",
        "llmgine/messages/visible_text.py",
        "return visible_line(clean_text(text), _LONGEST_NAME)",
        "return clean_text(text)",
        ("tests/programs/discord/test_mentions.py::test_a_mentioned_person_cannot_speak_for_the_asker",),
    ),
    Mutation(
        "the log being its owner's alone",
        "llmgine/observability/logfile.py",
        "        keep_private(self.path)\n",
        "",
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
