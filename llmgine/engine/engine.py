"""ToolChatEngine: answers the commands of a chat, and runs its turns."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Unpack

from llmgine.bus import MessageBus
from llmgine.context import ContextManager
from llmgine.engine.calls import ToolCalls
from llmgine.engine.changes import Changes
from llmgine.engine.model import Model
from llmgine.engine.sessions import SessionRunners
from llmgine.engine.turn import Renderer, TurnParts
from llmgine.errors import RefusedError, StoreError
from llmgine.messages.commands import (
    Admitted,
    ChangeSettingCommand,
    ClearSessionCommand,
    DecideToolCallCommand,
    DeletePromptCommand,
    EditPromptCommand,
    ForgetTurnCommand,
    PromptCommand,
    RegenerateTurnCommand,
    SetSystemPromptCommand,
    StopTurnCommand,
)
from llmgine.messages.events import (
    SessionClearedEvent,
    SettingChangedEvent,
    SystemPromptChangedEvent,
    TurnAdmittedEvent,
    TurnForgottenEvent,
)
from llmgine.messages.message import SpanContext
from llmgine.messages.text import shorten
from llmgine.sessions import SessionStore
from llmgine.sessions.records import SessionSettings
from llmgine.sessions.scoped import fits
