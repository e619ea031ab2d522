"""Mutations of what keeps the web at a distance: what is fetched, and what is shown of it."""

from tests.mutations.mutation import Mutation

_FETCH = "tests/programs/tools/test_fetch.py"
_ROBOTS = "tests/programs/tools/test_robots.py"
_HTTP = "tests/programs/test_guarded_http.py"
_SOURCES = "tests/programs/discord/test_sources.py"
_TERMINAL = "tests/programs/terminal/test_sources.py"

MUTATIONS = (
    Mutation(
        "robots.txt being asked before each request",
        "programs/guarded_http.py",
        "await before(url)",
        "before = await before(url)",  # which is nothing: so only the first request is asked about
        (f"{_FETCH}::test_where_a_redirect_leads_robots_txt_counts_too",),
    ),
    Mutation(
        "a failing robots.txt forbidding everything",
        "programs/tools/robots.py",
        'return (b"", _KEPT) if 400 <= found.status < 500 else (_FORBIDS_ALL, _KEPT_FAILURE)',
        'return b"", _KEPT',
        (f"{_ROBOTS}::test_a_robots_txt_that_is_not_there",),
    ),
    Mutation(
        "the limit on a robots.txt",
        "programs/tools/robots.py",
        "_MOST = 500 * 2**10",
        "_MOST = 50_000 * 2**10",
        (f"{_ROBOTS}::test_of_a_long_one_the_beginning_counts",),
    ),
    Mutation(
        "the number of sites whose robots.txt is kept",
        "programs/tools/robots.py",
        "if len(self._files) > _MOST_SITES:",
        "if False:",
        (f"{_ROBOTS}::test_few_are_kept",),
    ),
    Mutation(
        "credentials staying with the service they are for",
        "programs/guarded_http.py",
        'if not _follows("same host", url, target):',
        "if False:",
        (f"{_HTTP}::test_headers_go_to_no_other_origin",),
    ),
    Mutation(
        "nothing being posted elsewhere",
        "programs/guarded_http.py",
        "if target is None or json is not None or not _follows(redirects, url, target):",
        "if target is None or not _follows(redirects, url, target):",
        (f"{_HTTP}::test_json_is_posted_and_follows_no_redirect",),
    ),
    Mutation(
        "pages counting as words of others",
        "programs/tools/fetch.py",
        "idempotent=True, reads_outside=True,",
        "idempotent=True,",
        (f"{_FETCH}::test_the_main_text_of_a_page_is_read",),
    ),
    Mutation(
        "search results counting as words of others",
        "programs/tools/search.py",
        "idempotent=True, reads_outside=True",
        "idempotent=True",
        ("tests/programs/tools/test_search.py::test_what_was_found_is_told_with_its_sources[brave]",),
    ),
    Mutation(
        "what a page hides staying unread",
        "programs/files/html.py",
        "for tag in soup.find_all(_is_hidden):",
        "for tag in []:",
        (f"{_FETCH}::test_what_nobody_is_shown_is_not_read",),
    ),
    Mutation(
        "names of this network staying untold",
        "programs/tools/fetch.py",
        'raise ToolError("only public addresses of http and https are read, on ports 80 and 443") from error',
        "raise ToolError(str(error)) from error",
        (f"{_FETCH}::test_what_a_name_stands_for_is_not_told",),
    ),
    Mutation(
        "titles of sources that claim another address",
        "llmgine/messages/chat_messages.py",
        'return "" if "://" in self.title else self.title',
        "return self.title",
        (f"{_SOURCES}::test_a_title_is_no_more_than_text", f"{_TERMINAL}::test_no_more_than_five_are_named"),
    ),
    Mutation(
        "titles of sources that are more than text",
        "programs/discord/delivery/sources.py",
        "plain_words(source.name, _LONGEST_TITLE)",
        "source.name",
        (f"{_SOURCES}::test_a_title_is_no_more_than_text",),
    ),
    Mutation(
        "links of sources without a preview",
        "programs/discord/delivery/safe_text.py",
        "return f\"<{_ENDS_EMPHASIS.sub(lambda found: '%5F' * len(found[0]), url.replace('~', '%7E'))}>\"",
        "return url",
        (f"{_SOURCES}::test_an_address_ends_no_emphasis",),
    ),
    Mutation(
        "plain addresses of sources",
        "llmgine/tools/sources.py",
        'if parts.scheme not in {"http", "https"} or "@" in parts.netloc or not _HOST.fullmatch(host):',
        "if False:",
        ("tests/llmgine/tools/test_sources.py::test_an_address_is_plain",),
    ),
)
