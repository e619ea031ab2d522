"""Mutations of what people point at: whose words it is, who may read it, and what addresses nobody."""

from tests.mutations.mutation import Mutation

_TESTS = "tests/programs/discord/test_pointing.py"

MUTATIONS = (
    Mutation(
        "the asker's rights to what a message replies to",
        "programs/discord/incoming/pointing.py",
        "if (replied or start) and not await author_reads(message, place, self._access.members):",
        "if False:",
        (f"{_TESTS}::TestThreads::test_it_is_not_read_where_the_asker_may_not_read",),
    ),
    Mutation(
        "mentions in code that address nobody",
        "programs/discord/marks.py",
        'found["mark"] for found in _TOKEN.finditer(text) if found["mark"] is not None',
        'mark for mark in re.findall("<[^<>]+>", text)',
        (f"{_TESTS}::TestMentions::test_of_others_in_code_does_not_make_it_theirs",),
    ),
    Mutation(
        "channels that are only named where everybody sees them",
        "programs/discord/mentions.py",
        "return for_all or around.overwrites == here.overwrites",
        "return True",
        (f"{_TESTS}::TestMentions::test_a_channel_that_not_everybody_sees_is_not_named",),
    ),
    Mutation(
        "material of others that no approval in advance counts for",
        "llmgine/messages/pointed_at.py",
        "prompt.quoted or prompt.thread or prompt.material or prompt.attachments",
        "prompt.quoted or prompt.attachments",
        ("tests/llmgine/test_context.py::test_material_is_told_beside_the_text",),
    ),
    Mutation(
        "forwarded words of a forgotten person",
        "llmgine/messages/without_person.py",
        "for one in value if not (_is_forwarded(one) and self.is_author(one))]",
        "for one in value]",
        ("tests/llmgine/engine/test_forget_person.py::test_what_others_pointed_at_is_erased",),
    ),
)
