"""Logs of made-up turns, written by the real sink from the engine's real messages."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

from llmgine.messages.chat_messages import ToolCall, ToolResult, Usage
from llmgine.messages.commands import Author, CommandResult, PromptCommand
from llmgine.messages.events import (
    CommandResultEvent,
    LLMResponseEvent,
    ModelAskedEvent,
    ToolCallDecidedEvent,
    ToolCallFinishedEvent,
    ToolCallStartedEvent,
    ToolCallWaitingEvent,
    TurnAdmittedEvent,
    TurnFinishedEvent,
    TurnStartedEvent,
)
from llmgine.messages.message import Message, inside
from llmgine.observability.jsonl import JsonlSink
from llmgine.observability.reader import Record, read_log
from llmgine.observability.redaction import Redactor

M = TypeVar("M", bound=Message)
BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Story:
    """Tells messages to a log, each at a time of its own: `clock` goes on a millisecond with each."""

    def __init__(self, folder: Path, *, begin: datetime = BEGIN) -> None:
        self.path = folder / "events.jsonl"
        self.clock = begin
        self._sink = JsonlSink(self.path, Redactor())
        self._sink.open()

    def tell(self, kind: type[M], **facts: Any) -> M:
        """Build a message and write it."""
        self.clock += timedelta(milliseconds=1)
        message = kind(**{"at": self.clock, **facts})
        self._sink.write(message)
        self._sink.flush()
        return message

    def wait(self, seconds: float) -> None:
        """Let the clock go on."""
        self.clock += timedelta(seconds=seconds)

    def records(self) -> list[Record]:
        """What the log has."""
        return list(read_log(self.path))

    def close(self) -> None:
        self._sink.close()


class Turn:
    """One turn of a story."""

    def __init__(self, story: Story, turn_id: str, text: str = "hello", session: str = "test:1") -> None:
        self._story = story
        self._about = {"session_id": session, "turn_id": turn_id, "source": "test", "origin": {}}
        self.prompt = story.tell(PromptCommand, session_id=session, text=text, source="test", source_id=turn_id)
        with inside(self.prompt):
            self.tell(TurnAdmittedEvent, place=0)
            story.tell(
                CommandResultEvent,
                session_id=session,
                command_id=self.prompt.id,
                command_type="PromptCommand",
                result=CommandResult(success=True, result={"turn_id": turn_id}),
            )
            self.started = self.tell(TurnStartedEvent, attempt=1, resumed=False)

    def tell(self, kind: type[M], **facts: Any) -> M:
        """Tell an event of this turn."""
        return self._story.tell(kind, **self._about, **facts)

    def reply(
        self, text: str = "Hi.", *, round_: int = 0, seconds: float = 1.0, first: float | None = 0.25, **facts: Any
    ) -> None:
        """The model's reply of a round."""
        with inside(self.started):
            self.tell(ModelAskedEvent, round=round_, model="small")
        self._story.wait(seconds)
        usage = Usage(input_tokens=100, output_tokens=10, cached_tokens=40)
        reply = {"text": text, "tool_calls": (), "finish": "stop", "model": "small", "usage": usage, **facts}
        with inside(self.started):
            self.tell(LLMResponseEvent, round=round_, seconds=seconds, first_token_seconds=first, **reply)

    @contextmanager
    def tool(self, call: ToolCall, *, seconds: float = 0.5, ok: bool = True, content: str = "result") -> Iterator[None]:
        """A tool call of round 0; what is told inside happens in the tool."""
        with inside(self.started):
            started = self.tell(ToolCallStartedEvent, round=0, call=call)
        with inside(started):
            yield
        self.end_tool(call, seconds=seconds, ok=ok, content=content)

    def end_tool(self, call: ToolCall, *, seconds: float = 0.5, ok: bool = True, content: str = "result") -> None:
        """The result of a tool call of round 0; one that did not run took 0 seconds."""
        self._story.wait(seconds)
        result = ToolResult(call_id=call.id, name=call.name, content=content, ok=ok)
        with inside(self.started):
            self.tell(ToolCallFinishedEvent, round=0, call=call, result=result, seconds=seconds)

    def approval(self, call: ToolCall, *, approved: bool | None, seconds: float = 3.0) -> None:
        """Somebody is asked and decides after so many seconds; None: nobody has answered yet."""
        with inside(self.started):
            self.tell(ToolCallWaitingEvent, round=0, call=call, deadline=BEGIN)
            if approved is not None:
                self._story.wait(seconds)
                by = Author(id="1", name="Ada")
                self.tell(ToolCallDecidedEvent, round=0, call=call, approved=approved, decided_by=by)

    def finish(
        self, state: Literal["done", "failed", "stopped"] = "done", *, seconds: float = 2.0, **facts: Any
    ) -> TurnFinishedEvent:
        """The outcome."""
        usage = Usage(input_tokens=100, output_tokens=10, cached_tokens=40)
        outcome = {"text": "Hi.", "notice": None, "model": "small", "usage": usage, **facts}
        with inside(self.started):
            return self.tell(TurnFinishedEvent, state=state, seconds=seconds, **outcome)
