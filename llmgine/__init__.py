"""LLMgine: a small asyncio engine for tool-calling chat around one message bus.

What a program, a tool or a provider needs can be imported from here: `from llmgine import ask`. A name is loaded with
its part when it is first used, so importing the package costs next to nothing.

Its parts, each of which knows only those below it:

    bootstrap       puts an application together, starts and stops it
    engine          answers the commands of a chat: turns of model calls and tool calls
    mcp             tools of MCP servers, once the operator accepted them
    context         what the model is shown next
    bus             carries commands to their handler and events to all of theirs
    tools           functions as the model may call them
    providers       the services that answer
    sessions        the store: every durable fact
    observability   metrics, spans, the log, and who reads it
    turn_state      what has become of a turn and its tool calls, folded from its steps
    messages        commands, events, and what a model sees and says
    settings        the environment and .env, read by programs only
    errors          everything raised on purpose
    platforms       what Linux, macOS and Windows do differently
"""

TYPE_CHECKING = False  # to type checkers it is true; `typing` itself is loaded with the first name that needs it

# Where each public name comes from. Type checkers read the imports below; a test compares the two.
# fmt: off
_NAMES = {
    "llmgine.bootstrap": ("ApplicationBootstrap", "ApplicationConfig"),
    "llmgine.bus": ("MessageBus",),
    "llmgine.engine": ("ask",),
    "llmgine.errors": (
        "ConfigurationError", "ContextOverflowError", "LLMgineError", "ProviderBusyError", "ProviderError",
        "ProviderRefusedError", "ProviderReplyError", "ProviderUnavailableError", "StoreError", "ToolError",
        "UserError",
    ),
    "llmgine.messages.chat_messages": ("ChatMessage", "Source", "ToolCall", "ToolResult", "ToolSchema", "Usage"),
    "llmgine.messages.commands": (
        "Admitted", "Attachment", "Author", "ClearSessionCommand", "Command", "CommandResult",
        "DecideToolCallCommand", "PromptCommand", "RegenerateTurnCommand", "SetSystemPromptCommand",
        "StopTurnCommand",
    ),
    "llmgine.messages.events": (
        "AnswerProgressEvent", "Event", "HandlerFailedEvent", "LLMResponseEvent", "ToolCallEvent",
        "ToolCallFinishedEvent", "ToolCallStartedEvent", "ToolCallWaitingEvent", "TurnEvent",
        "TurnFinishedEvent", "TurnStartedEvent",
    ),
    "llmgine.observability": ("Metric", "MetricEvent", "SpanContext", "TraceEvent"),
    "llmgine.providers.base": ("ChatReply", "ChatRequest", "ListedModel", "Provider"),
    "llmgine.providers.scripted": ("ScriptedProvider",),
    "llmgine.settings": ("Settings", "load_settings"),
    "llmgine.tools.declared": ("tool",),
    "llmgine.tools.isolation": ("Isolation",),
    "llmgine.tools.context": ("ToolContext", "current_tool_context"),
    "llmgine.tools.files": ("File", "ToolOutput"),
    "llmgine.tools.tool": ("Tool",),
}
# fmt: on
_HOME_OF = {name: home for home, names in _NAMES.items() for name in names}

__all__ = list(_HOME_OF)

if TYPE_CHECKING:
    # isort: off
    from llmgine.bootstrap import (
        ApplicationBootstrap as ApplicationBootstrap,
        ApplicationConfig as ApplicationConfig,
    )
    from llmgine.bus import MessageBus as MessageBus
    from llmgine.engine import ask as ask
    from llmgine.errors import (
        ConfigurationError as ConfigurationError,
        ContextOverflowError as ContextOverflowError,
        LLMgineError as LLMgineError,
        ProviderBusyError as ProviderBusyError,
        ProviderError as ProviderError,
        ProviderRefusedError as ProviderRefusedError,
        ProviderReplyError as ProviderReplyError,
        ProviderUnavailableError as ProviderUnavailableError,
        StoreError as StoreError,
        ToolError as ToolError,
        UserError as UserError,
    )
    from llmgine.messages.chat_messages import (
        ChatMessage as ChatMessage,
        Source as Source,
        ToolCall as ToolCall,
        ToolResult as ToolResult,
        ToolSchema as ToolSchema,
        Usage as Usage,
    )
    from llmgine.messages.commands import (
        Admitted as Admitted,
        Attachment as Attachment,
        Author as Author,
        ClearSessionCommand as ClearSessionCommand,
        Command as Command,
        CommandResult as CommandResult,
        DecideToolCallCommand as DecideToolCallCommand,
        PromptCommand as PromptCommand,
        RegenerateTurnCommand as RegenerateTurnCommand,
        SetSystemPromptCommand as SetSystemPromptCommand,
        StopTurnCommand as StopTurnCommand,
    )
    from llmgine.messages.events import (
        AnswerProgressEvent as AnswerProgressEvent,
        Event as Event,
        HandlerFailedEvent as HandlerFailedEvent,
        LLMResponseEvent as LLMResponseEvent,
        ToolCallEvent as ToolCallEvent,
        ToolCallFinishedEvent as ToolCallFinishedEvent,
        ToolCallStartedEvent as ToolCallStartedEvent,
        ToolCallWaitingEvent as ToolCallWaitingEvent,
        TurnEvent as TurnEvent,
        TurnFinishedEvent as TurnFinishedEvent,
        TurnStartedEvent as TurnStartedEvent,
    )
    from llmgine.observability import (
        Metric as Metric,
        MetricEvent as MetricEvent,
        SpanContext as SpanContext,
        TraceEvent as TraceEvent,
    )
    from llmgine.providers.base import (
        ChatReply as ChatReply,
        ChatRequest as ChatRequest,
        ListedModel as ListedModel,
        Provider as Provider,
    )
    from llmgine.providers.scripted import ScriptedProvider as ScriptedProvider
    from llmgine.settings import Settings as Settings, load_settings as load_settings
    from llmgine.tools.context import ToolContext as ToolContext, current_tool_context as current_tool_context
    from llmgine.tools.declared import tool as tool
    from llmgine.tools.isolation import Isolation as Isolation
    from llmgine.tools.files import File as File, ToolOutput as ToolOutput
    from llmgine.tools.tool import Tool as Tool
else:  # where type checkers do not look: to them a name that is not above is an error

    def __getattr__(name: str) -> object:
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415  importing the package alone needs nothing

        value = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
        return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
