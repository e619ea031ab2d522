"""Turns and their steps: the durable records of what happened, in their order."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, model_validator

from llmgine.messages.chat_messages import OpaqueParts, ToolCall, ToolResult, Usage
from llmgine.messages.commands import Attachment, Author, Material, Quote, ThreadStart
from llmgine.messages.text import CleanText
from llmgine.messages.translatable import Text, tr
from llmgine.messages.visible_text import Name, visible_line

# What a request had to do without: "images" or "tools" that the model does not take, "history" that was too long.
LeftOut = Literal["images", "tools", "history"]

_MAX_NAME = 60  # characters of a model's name that are shown


TurnStatus = Literal["queued", "running", "waiting", "done", "failed", "stopped", "forgotten"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Fallback(_Record):
    """A model answers in place of the one that was to be asked first, each by the name it is asked by.

    `reason` is what had failed there. `rested`: that was in an earlier turn, so that it was not asked in this one.
    """

    first: str
    model: str
    reason: Text
    rested: bool = False

    @property
    def words(self) -> Text:
        """Who answered and why, for people."""
        named = {"model": visible_line(self.model, _MAX_NAME), "first": visible_line(self.first, _MAX_NAME)}
        if self.rested:
            return tr(
                "{model} answered, because {first} failed a short time ago: {reason}", reason=self.reason, **named
            )
        return tr("{model} answered, because {first} failed: {reason}", reason=self.reason, **named)


class PromptStep(_Record):
    """What somebody said, in the message `source_id` of the turn's front end; `version` grows when it is edited.

    `roles` are those of its author's that limits are set for. `sent` is when it was written, in the words that the
    model is told each time it sees the prompt. `redacted`: a secret was taken out of it.
    """

    kind: Literal["prompt"] = "prompt"
    text: CleanText
    source_id: str | None = None
    version: int = 0
    author: Author | None = None
    roles: tuple[str, ...] = ()
    sent: str | None = None
    mentions: dict[str, Name] = Field(default_factory=dict)
    quoted: Quote | None = None
    thread: ThreadStart | None = None
    material: tuple[Material, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    redacted: bool = False


class ContextStep(_Record):
    """The prompt's front end read what was written in the channel before it; the messages are stored by themselves.

    They are sent with this turn only. `outside` says whether other people than the asker wrote among them, or were
    mentioned.
    """

    kind: Literal["context"] = "context"
    outside: bool = True


class ReplyStep(_Record):
    """A whole reply of the model, committed before it is acted on.

    `fallback` says in whose place the model answered, if in another's. `left_out` is what it was not given.
    `history_from` is the place in the session of the oldest turn it was sent, 0 for all; `sent_tokens` the size of the
    request by our own estimate; `enveloped` whether the prompt was sent as JSON with its author; `outside` whether text
    of other people, files or web pages was in the request, None where that is not known. `parts` are stored beside the
    step, so that no dump of a step has them.
    """

    kind: Literal["reply"] = "reply"
    round: int
    text: CleanText
    tool_calls: tuple[ToolCall, ...] = ()
    finish: Literal["stop", "tool_calls", "length", "filtered"]
    model: str
    usage: Usage | None
    seconds: float
    left_out: tuple[LeftOut, ...] = ()
    fallback: Fallback | None = None
    history_from: int | None = None
    sent_tokens: int | None = None
    enveloped: bool | None = None
    outside: bool | None = None
    parts: OpaqueParts | None = Field(default=None, exclude=True, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_versions(cls, data: Any) -> Any:
        """Replies stored before schema 6 have `unseen` for images that were left out."""
        if isinstance(data, dict) and data.get("unseen"):
            return {**data, "left_out": ("images",)}
        return data


class WaitingStep(_Record):
    """A tool call waits for approval until `deadline`. `fingerprint` is of the call that people were shown."""

    kind: Literal["waiting"] = "waiting"
    round: int
    call_id: str
    deadline: datetime
    fingerprint: str = ""
    allows_always: bool = False


class DecisionStep(_Record):
    """A waiting call was decided, by a person or (None) by its deadline; `always` for the asker's later calls too."""

    kind: Literal["decision"] = "decision"
    call_id: str
    approved: bool
    decided_by: Author | None
    reason: CleanText | None = None
    always: bool = False


class StartedStep(_Record):
    """A tool is about to run; without a `ResultStep` after it, whether it did is unknown."""

    kind: Literal["started"] = "started"
    round: int
    call_id: str
    at: datetime | None = None


class ResultStep(_Record):
    """What a tool call gave."""

    kind: Literal["result"] = "result"
    round: int
    result: ToolResult
    seconds: float


class OutcomeStep(_Record):
    """How a turn ended: `notice` is what people should know, `partial` answer text that no whole reply followed.

    `refused`: the service will not take what was said, so later requests go without it. `enveloped` and `history_from`
    are as in a reply: of the last request that was made. `warnings` are of limits that are nearly used up. `fallback`:
    another model than the one that was to be asked first wrote `partial`. `notice` is the English of `notice_text`,
    which earlier versions did not store.
    """

    kind: Literal["outcome"] = "outcome"
    state: Literal["done", "failed", "stopped"]
    notice: CleanText | None = None
    notice_text: Text | None = None
    warnings: tuple[Text, ...] = ()
    fallback: Fallback | None = None
    partial: CleanText = ""
    seconds: float
    refused: bool = False
    enveloped: bool | None = None
    history_from: int | None = None


Step = Annotated[
    PromptStep | ContextStep | ReplyStep | WaitingStep | DecisionStep | StartedStep | ResultStep | OutcomeStep,
    Field(discriminator="kind"),
]
STEP: TypeAdapter[Step] = TypeAdapter(Step)


class Turn(_Record):
    """One prompt and its place in the session.

    `claim` grows whenever somebody begins to run the turn, or it is taken from whoever does; only who has the present
    number can write. `resumes` counts how often it was resumed after a process died, `posts` how many messages a front
    end has posted for it. `place` is where it was said and `guild` the server that is in, as the front end named them.
    `revision` counts how often somebody who was forgotten was taken out of its steps.
    """

    id: str
    session_id: str
    seq: int
    attempt: int
    claim: int
    resumes: int
    posts: int = 0
    state: TurnStatus
    owner: str
    source: str
    origin: dict[str, JsonValue]
    place: str | None = None
    guild: int | None = None
    revision: int = 0
    created_at: datetime
