"""The conversation before a prompt: messages of the channel that are no prompts themselves."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from llmgine.messages.text import CleanText
from llmgine.messages.visible_text import Name

WriterKind = Literal["person", "bot", "webhook"]


class Writer(BaseModel):
    """Who wrote a message of the channel: a person, another bot, or a webhook."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: Name
    kind: WriterKind = "person"


class ContextMessage(BaseModel):
    """A message that was written in the channel before a prompt; `mentions` as in `PromptCommand`.

    `source_id` is the front end's id of it: when the message is deleted there, it is erased by that.
    """

    model_config = ConfigDict(frozen=True)

    source_id: str
    author: Writer
    at: datetime
    text: CleanText
    mentions: dict[str, Name] = Field(default_factory=dict)
