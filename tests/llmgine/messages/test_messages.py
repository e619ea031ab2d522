"""Messages: immutable values with identity, time and a place in a trace."""

import pytest
from pydantic import ValidationError, computed_field

from llmgine.messages.chat_messages import ChatMessage, ToolCall, ToolResult, Usage, new_call_id
from llmgine.messages.commands import Author, Command, PromptCommand
from llmgine.messages.events import Event
from llmgine.messages.message import Message, SpanContext, current_span, inside


class Opened(Event):
    path: str


def prompt(text: str) -> PromptCommand:
    return PromptCommand(session_id="s", text=text, source="test", source_id="1")


def test_ids_grow_and_fit_a_javascript_number() -> None:
    """Every message has a greater id than those before, exact also in a page's JavaScript."""
    ids = [Opened(path="").id for _ in range(1_000)] + [Command().id]

    assert ids == sorted(set(ids))
    assert ids[-1] < 2**53


def test_messages_cannot_be_changed() -> None:
    """What was published stays as it was for every handler."""
    event = Opened(path="a")

    with pytest.raises(ValidationError, match="frozen"):
        event.path = "b"  # type: ignore[misc]  # that it is refused is the promise


def test_a_misspelt_field_is_an_error() -> None:
    """A typo is found where the message is built, not in a handler that misses it."""
    with pytest.raises(ValidationError, match="pth"):
        Opened(path="a", pth="b")  # type: ignore[call-arg]  # that it is refused is the promise


@pytest.mark.parametrize("name", ["v", "type"])
@pytest.mark.parametrize("base", [Event, Command, Opened])
def test_a_field_that_would_hide_a_key_of_the_log_is_refused(base: type[Message], name: str) -> None:
    """A line says its version and its class under these names, so the class that wants one is never made."""
    with pytest.raises(TypeError, match=rf"^Shadow\.{name}: "):
        type("Shadow", (base,), {"__annotations__": {name: str}})


def test_a_computed_field_that_would_hide_a_key_of_the_log_is_refused() -> None:
    """It is written to the line as other fields are."""

    def kind(_: Message) -> str:
        return ""

    with pytest.raises(TypeError, match=r"^Shadow\.type: "):
        type("Shadow", (Event,), {"type": computed_field(kind)})


def test_a_message_outside_any_span_is_a_root() -> None:
    """It begins a trace of its own, named after its span."""
    one, other = Opened(path=""), Opened(path="")

    assert one.parent_id is None
    assert one.trace_id != other.trace_id
    assert (one.trace_id, len(one.span_id)) == (one.span_id, 16)


def test_a_message_belongs_to_where_it_is_built() -> None:
    """Inside a span it is its child, though it be published elsewhere; afterwards the span before is back."""
    with inside(SpanContext(trace_id="t", span_id="outer")):
        with inside(SpanContext(trace_id="t", span_id="inner")):
            child = Opened(path="")
        span = current_span()

    assert (child.trace_id, child.parent_id) == ("t", "inner")
    assert span is not None
    assert span.span_id == "outer"
    assert current_span() is None


@pytest.mark.parametrize(("raw", "clean"), [("a\0b", "ab"), ("\ud800x\udfff", "x"), ("ok 🙂 é", "ok 🙂 é"), ("\0", "")])
def test_texts_are_cleaned_where_values_are_made(raw: str, clean: str) -> None:
    """NUL and lone surrogates, which no database holds, never get in; every real character stays."""
    assert prompt(raw).text == clean
    assert ChatMessage(role="user", content=raw).content == clean
    assert ToolCall(name=raw, arguments=raw).arguments == clean
    assert ToolResult(call_id="1", name="n", content=raw).content == clean
    assert Author(id="1", name=raw).name == clean


@pytest.mark.parametrize(
    ("arguments", "parsed"),
    [('{"a": [1]}', {"a": [1]}), ("[1]", [1]), ("", None), ('{"a": ', None), ("[" * 100_000, None)],
    ids=["object", "array", "empty", "broken", "deep"],
)
def test_arguments_are_read_where_they_can_be(arguments: str, parsed: object) -> None:
    """Whatever a model wrote as arguments, reading them harms nobody."""
    assert ToolCall(name="roll", arguments=arguments).parsed() == parsed


def test_usage_adds_up() -> None:
    """The tokens of several calls are the sums of each kind."""
    total = sum([Usage(input_tokens=1, output_tokens=2, cached_tokens=3)] * 2, Usage())

    assert total == Usage(input_tokens=2, output_tokens=4, cached_tokens=6)


def test_call_ids_have_the_form_every_service_takes() -> None:
    """Nine alphanumerics, and no two alike."""
    ids = {new_call_id() for _ in range(1_000)}

    assert len(ids) == 1_000
    assert all(len(call_id) == 9 and call_id.isascii() and call_id.isalnum() for call_id in ids)
