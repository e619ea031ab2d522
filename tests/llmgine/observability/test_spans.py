"""Spans of turns, for the console and for whoever listens."""

from pathlib import Path

from llmgine.bootstrap import ApplicationBootstrap, ApplicationConfig
from llmgine.engine import ask
from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.commands import PromptCommand
from llmgine.observability import TraceEvent
from llmgine.providers.base import ChatReply
from llmgine.providers.scripted import ScriptedProvider
from llmgine.settings import Settings


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
