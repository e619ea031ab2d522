"""The pages that a result was taken from: kept with it, each with a plain title and address."""

import pytest

from llmgine.messages.chat_messages import Source, ToolCall, ToolResult
from llmgine.messages.steps import PromptStep, ReplyStep, ResultStep
from llmgine.tools.files import ToolOutput
from llmgine.tools.isolation import Isolation
from llmgine.tools.sources import MOST_SOURCES, plain_url
from llmgine.tools.tool_manager import ToolManager
from llmgine.turn_state import fold_all

KEY = "sk-proj-" + "a1B2" * 12


def find() -> ToolOutput:
    """Find pages."""
    return ToolOutput("found", sources=[Source(title="A\u202e\npage", url="https://example.com/a b?q=1#c")])


async def result_of(*sources: Source) -> ToolResult:
    def found() -> ToolOutput:
        """Find pages."""
        return ToolOutput("found", sources=sources)

    manager = ToolManager()
    manager.register(found)
    return await manager.run(ToolCall(name="found"))


@pytest.mark.parametrize("isolation", [None, Isolation()])
async def test_they_are_kept_with_the_result(isolation: Isolation | None) -> None:
    """Also from a process of its own: the title on one line, the address without what could end a link."""
    manager = ToolManager()
    manager.register(find, isolation=isolation)

    result = await manager.run(ToolCall(name="find"))

    assert (result.ok, result.content) == (True, "found")
    assert result.sources == (Source(title="A page", url="https://example.com/a%20b?q=1#c"),)


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://example.com/a_(b)", "https://example.com/a_(b)"),
        ("HTTPS://Example.COM/A", "https://example.com/A"),
        ("http://[2606:4700::1]:8080/", "http://[2606:4700::1]:8080/"),
        ("https://example.com/<b>|`x`", "https://example.com/%3Cb%3E%7C%60x%60"),
        ("https://example.com/ä\u202e", "https://example.com/%C3%A4%E2%80%AE"),
        ("https://example.com/%41", "https://example.com/%41"),
        ("https://bank.example@evil.example/", None),
        ("https://b\u00fccher.example/", None),
        ("https:///path", None),
        ("https://example.com:x/", None),
        ("https://exa mple.com/", None),
        ("https://example.com\\@evil.example/", None),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("//example.com/", None),
        ("https://example.com/" + "a" * 500, None),
    ],
)
def test_an_address_is_plain(url: str, plain: str | None) -> None:
    """What is no address of the web that reads as it leads is none; the rest is in ASCII."""
    assert plain_url(url) == plain


async def test_each_page_once_and_no_more_than_ten() -> None:
    """The first ten, in the order in which the tool gave them."""
    pages = [Source(title=str(number), url=f"https://example.com/{number // 2}") for number in range(30)]

    result = await result_of(*pages)

    assert [one.title for one in result.sources] == [str(2 * number) for number in range(MOST_SOURCES)]


async def test_secrets_are_taken_out() -> None:
    """A title loses them, and an address with one is left out."""
    result = await result_of(
        Source(title=f"my {KEY}", url="https://example.com/"),
        Source(title="another", url=f"https://example.com/?key={KEY}"),
    )

    assert result.sources == (Source(title="my [redacted]", url="https://example.com/"),)


def test_what_is_no_source_is_refused() -> None:
    """The text says what is wanted."""
    with pytest.raises(TypeError, match="each a Source"):
        ToolOutput("x", sources=["https://example.com/"])  # type: ignore[list-item]  # what a tool may do wrong


def test_a_turn_knows_the_sources_of_all_its_calls() -> None:
    """Each page once; one that was read by itself comes before those that a search found."""

    def given(call_id: str, *pages: int) -> ResultStep:
        sources = tuple(Source(title="", url=f"https://example.com/{page}") for page in pages)
        result = ToolResult(call_id=call_id, name="x", content="", sources=sources)
        return ResultStep(round=0, result=result, seconds=0.0)

    calls = tuple(ToolCall(id=call_id, name="x") for call_id in "abc")
    reply = ReplyStep(round=0, text="", tool_calls=calls, finish="tool_calls", model="m", usage=None, seconds=0.0)

    state = fold_all([PromptStep(text="?"), reply, given("a", 1, 2, 3), given("b", 3), given("c")])

    assert [one.url[-1] for one in state.sources] == ["3", "1", "2"]


def test_results_of_earlier_versions_have_none() -> None:
    """They were stored without the field."""
    stored = '{"call_id": "a", "name": "x", "content": "y"}'

    assert ToolResult.model_validate_json(stored).sources == ()
