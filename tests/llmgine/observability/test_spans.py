"""Spans of turns, for the console and for whoever listens."""

from pathlib import Path

from llmgine.bootstrap import ApplicationBootstrap, ApplicationConfig
from llmgine.engine import ask
from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.commands import Author, DecideToolCallCommand, PromptCommand
from llmgine.messages.events import ToolCallWaitingEvent
from llmgine.observability import TraceEvent
from llmgine.providers.base import ChatReply
from llmgine.providers.scripted import ScriptedProvider, ScriptedReply
from llmgine.settings import Settings
from tests.llmgine.observability.application import application


async def test_a_turn_its_model_calls_and_its_tools_are_spans(tmp_path: Path) -> None:
    """With traces on the console each is told once it ends, as a child of its turn, and a failed tool as an error."""
    settings = Settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/x.db", log_dir=tmp_path)
    config = ApplicationConfig(settings=settings, enable_console_traces=True)
    provider = ScriptedProvider([ChatReply(tool_calls=(ToolCall(name="none"),), model="m"), "done"], model="m")
    spans: list[TraceEvent] = []
    async with ApplicationBootstrap(config, provider=provider) as app:
        app.bus.register_event_handler(TraceEvent, spans.append)

        await ask(app.bus, PromptCommand(session_id="s", text="go", source="test", source_id="1"))
        await app.bus.wait_until_idle()

    assert [(span.name, span.status) for span in spans] == [
        ("chat m", "OK"),
        ("execute_tool none", "ERROR"),
        ("chat m", "OK"),
        ("invoke_agent", "OK"),
    ]
    assert len({span.span_context.trace_id for span in spans}) == 1


async def test_a_denied_call_is_no_span(tmp_path: Path) -> None:
    """It did not run, and is no error."""
    spans: list[TraceEvent] = []
    script: list[ScriptedReply] = [ChatReply(tool_calls=(ToolCall(name="delete"),), model="m"), "As you wish."]
    async with application(tmp_path, script, enable_console_traces=True) as app:

        async def delete() -> None:
            """Delete everything."""

        async def deny(event: ToolCallWaitingEvent) -> None:
            who = Author(id="1", name="Ada")
            about = {"session_id": event.session_id, "turn_id": event.turn_id, "call_id": event.call.id}
            await app.bus.execute(DecideToolCallCommand(**about, approved=False, decided_by=who))

        await app.engine.register_tool(delete, requires_approval=True)
        app.bus.register_event_handler(ToolCallWaitingEvent, deny)
        app.bus.register_event_handler(TraceEvent, spans.append)

        await ask(app.bus, PromptCommand(session_id="s", text="go", source="test", source_id="1"))
        await app.bus.wait_until_idle()

    assert [span.name for span in spans if span.name.startswith("execute_tool")] == []
    assert {span.status for span in spans} == {"OK"}
