"""Mutations of the providers: what goes to a model's service, and to which."""

from tests.mutations.mutation import Mutation

_MESSAGES = "llmgine/providers/anthropic_messages.py"
_REPLY = "llmgine/providers/anthropic_reply.py"
_REQUEST_TESTS = "tests/llmgine/providers/test_anthropic_requests.py"
_REPLY_TESTS = "tests/llmgine/providers/test_anthropic_replies.py"
_ROUTING_TESTS = "tests/llmgine/providers/test_routing.py"

MUTATIONS = (
    Mutation(
        "thinking going back with its signature",
        _REPLY,
        'block["signature"] = string(block.get("signature")) + text',
        'block["signature"] = text[1:]',
        (f"{_REQUEST_TESTS}::TestThinking::test_goes_back_unchanged_with_its_signatures",),
    ),
    Mutation(
        "half a block of thinking being left out",
        _REPLY,
        '        if not block.get("signature"):\n            return None\n',
        "",
        (f"{_REPLY_TESTS}::test_thinking_is_no_text_and_only_whole_thinking_is_kept",),
    ),
    Mutation(
        "what is before the question being marked for the cache",
        _MESSAGES,
        "        _mark(messages[questions[-1] - 1])\n",
        "        pass\n",
        (f"{_REQUEST_TESTS}::TestCaching::test_what_later_requests_repeat_is_marked",),
    ),
    Mutation(
        "headers of the environment not being sent",
        "llmgine/providers/anthropic.py",
        "if not _is_own(name.lower())",
        "if False",
        (f"{_REQUEST_TESTS}::test_sends_nothing_of_the_environment",),
    ),
    Mutation(
        "a model that is not set up not going to another service",
        "llmgine/providers/routing.py",
        "        if name not in self._providers:\n",
        "        if name not in self._providers:\n            return self._default, rest\n        if False:\n",
        (f"{_ROUTING_TESTS}::test_a_provider_that_is_not_set_up_is_no_silent_other_one",),
    ),
)
