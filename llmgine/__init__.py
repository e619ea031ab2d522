"""LLMgine: a small asyncio engine for tool-calling chat around one message bus.

Its parts, each of which knows only those below it:

    bootstrap       puts an application together, starts and stops it
    engine          answers the commands of a chat: turns of model calls and tool calls
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
"""
