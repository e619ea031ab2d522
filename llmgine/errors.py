"""Everything LLMgine raises on purpose, grouped by what whoever gets it can do.

    LLMgineError
    ├── ConfigurationError            change a setting; the text names it
    ├── AlreadyRunningError           stop the other process; only one may run
    ├── ExhaustedError                free disk space or files on this machine, and try again
    ├── BusError                      fix the program
    │   ├── MissingHandlerError       register a handler for this command
    │   ├── DuplicateHandlerError     a command has one handler; remove the other
    │   ├── BusStoppedError           the bus no longer takes messages
    │   └── CommandFailedError        what `CommandResult.unwrap()` raises when there is no exception to raise
    ├── UserError                  the request cannot be done; the text tells the person why
    │   ├── AllowanceError            ask again when the day's limit resets
    │   └── TurnLimitError            ask in smaller steps, or raise the limit of a turn
    ├── UndecidedError             whether somebody may do it cannot be found out now; ask again later
    ├── StoreError                    the session store cannot do it
    │   ├── UnknownSessionError       list the sessions and choose one of them
    │   ├── ForgottenTurnError        the turn's texts are deleted; remove its buttons
    │   ├── LeaseLostError            restart the program; another process took over its work
    │   ├── SupersededError           leave the turn alone; a newer attempt of it answers
    │   ├── NewerStoreError           update the program; the database is newer
    │   └── DamagedStoreError         restore a backup; the database is damaged
    ├── ToolError                     given to the model, which continues
    │   ├── UnknownToolError          call a tool that is offered
    │   └── InvalidArgumentsError     call again with arguments that fit the schema
    └── ProviderError                 no answer from the model
        ├── ProviderBusyError         wait, then ask again (`retry_after` says how long, when the service did)
        ├── ProviderUnavailableError  not reached, or failing; ask again later
        │   ├── ProviderStartingError not up yet; ask again for a minute
        │   └── ProviderTimeoutError  silent for too long; ask once more
        ├── ProviderReplyError        answered with something that is not a reply; ask again
        │   └── EmptyReplyError       nothing to show in the reply; ask once more
        ├── ReplyCutOffError          the reply broke off; `partial` is what had arrived
        └── ProviderRefusedError      asking again will not help: key, quota or model name
            ├── ContextOverflowError  too long for the model; send less
            └── PromptRefusedError    refused for what it says or shows; leave it out of later requests

What is raised with a text that can be translated (`llmgine.messages.translatable`) can be shown to people in their own
language; `str()` of it is English.

Leaf module: it imports nothing of ours, so it can never be part of a cycle.
"""

import errno

_EXHAUSTED = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM}


class LLMgineError(Exception):
    """The root: `except LLMgineError` catches what this package raises on purpose."""


class ConfigurationError(LLMgineError):
    """A setting is missing or cannot be used; the text names it and says what to do."""


class AlreadyRunningError(LLMgineError):
    """Another process uses what only one may use at a time; the text names both."""


class ExhaustedError(LLMgineError):
    """The machine has no space or no files left; that may pass."""


class BusError(LLMgineError):
    """The bus was used in a way it does not offer."""


class MissingHandlerError(BusError):
    """A command was executed that nobody handles."""


class DuplicateHandlerError(BusError):
    """A second handler was registered for one type of command."""


class BusStoppedError(BusError):
    """A message was given to a bus after `stop()`."""


class CommandFailedError(BusError):
    """A command's handler answered with a failed result; the text is the result's error."""


class UserError(LLMgineError):
    """A request that is understood and cannot be done; the text is for the person who asked."""


class AllowanceError(UserError):
    """A limit of the day leaves no room for a call of the model."""


class TurnLimitError(UserError):
    """A turn has used as much as a turn may."""


class AnswersPausedError(UserError):
    """Nothing is answered in the session at present."""


class UndecidedError(LLMgineError):
    """Whether somebody may do what they ask for cannot be found out now."""


class StoreError(LLMgineError):
    """The session store could not do what was asked."""


class UnknownSessionError(StoreError):
    """No session has this id."""


class ForgottenTurnError(StoreError):
    """The turn's texts are gone: it was forgotten, or its conversation was cleared."""


class LeaseLostError(StoreError):
    """Another process counted this one as dead and took over its work."""

    def __init__(self) -> None:
        super().__init__(
            "Another process took over the work of this one, which had been silent for too long. Start this one again"
        )


class SupersededError(StoreError):
    """This attempt of a turn was given up: its prompt has changed, and a newer attempt answers it."""


class NewerStoreError(StoreError):
    """The database was written by a newer version of this program."""


class DamagedStoreError(StoreError):
    """The database is damaged; the text says what was found and what to do."""


class ToolError(LLMgineError):
    """A tool call that gave no result; the text goes to the model, so it says what to do differently.

    Attributes:
        shown: What people see in its place, where that is for the model alone: a text that can be translated, or None.
    """

    def __init__(self, message: object = "", *, shown: object = None) -> None:
        super().__init__(message)
        self.shown = shown


class UnknownToolError(ToolError):
    """The model called a tool that does not exist."""


class InvalidArgumentsError(ToolError):
    """The model's arguments are not JSON or do not fit the tool's schema."""


class ProviderError(LLMgineError):
    """The model gave no usable reply; the text is for people."""


class ProviderBusyError(ProviderError):
    """The service asks us to slow down.

    Attributes:
        retry_after: Seconds the service asked us to wait, or None when it did not say.
    """

    def __init__(self, message: object, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ProviderUnavailableError(ProviderError):
    """The service could not be reached, timed out, or answered with a server error.

    Attributes:
        retry_after: Seconds the service asked us to wait, or None when it did not say.
    """

    def __init__(self, message: object, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ProviderStartingError(ProviderUnavailableError):
    """The service is not up yet: nobody listens there, or it is still loading the model."""


class ProviderTimeoutError(ProviderUnavailableError):
    """The service sent nothing for too long."""


class ProviderReplyError(ProviderError):
    """The service answered, but not with a reply: HTML, broken JSON, no choices."""


class UnreadableCallError(ProviderReplyError):
    """The model wrote a tool call that its service could not read."""


class EmptyReplyError(ProviderReplyError):
    """The reply has nothing to show: no text and no tool call.

    Attributes:
        thought: Whether it had thinking in it.
        tokens: What it cost, if the service said so.
    """

    def __init__(self, message: object, *, thought: bool = False, tokens: int | None = None) -> None:
        super().__init__(message)
        self.thought = thought
        self.tokens = tokens


class ReplyCutOffError(ProviderError):
    """The reply broke off before its end.

    Attributes:
        partial: The text that had arrived by then; may be empty.
        only_thinking: Whether nothing but thinking had arrived, and what was said was not refused.
    """

    def __init__(self, message: object, *, partial: str, only_thinking: bool = False) -> None:
        super().__init__(message)
        self.partial = partial
        self.only_thinking = only_thinking


class ProviderRefusedError(ProviderError):
    """The service will not answer this, now or on a retry: a wrong key, no quota left, an unknown model.

    Attributes:
        may_be_prompt: Whether the prompt may be the reason, so that it is left out of later requests.
    """

    def __init__(self, message: object, *, may_be_prompt: bool = False) -> None:
        super().__init__(message)
        self.may_be_prompt = may_be_prompt


class ContextOverflowError(ProviderRefusedError):
    """The request is too long for the model, or for a limit of the service on one request.

    Attributes:
        window: Tokens the service says it takes, by its own count; None when it did not say.
        requested: Tokens it says it was sent, by its own count; None when it did not say.
        lasting: Whether this is the model's window. A limit per minute is not: it says nothing of later requests.
    """

    def __init__(
        self, message: object, *, window: int | None = None, requested: int | None = None, lasting: bool = True
    ) -> None:
        super().__init__(message)
        self.window = window
        self.requested = requested
        self.lasting = lasting


class PromptRefusedError(ProviderRefusedError):
    """The service refused this prompt for its content, its length or an image in it; another prompt is answered."""

    def __init__(self, message: object) -> None:
        super().__init__(message, may_be_prompt=True)


def cannot_use(what: str, error: OSError) -> "ConfigurationError | ExhaustedError":
    """Why a file or folder of the settings cannot be used.

    Args:
        what: The beginning of the sentence, such as "LOG_DIR: logs cannot be written".
        error: What the system said.

    Returns:
        An ExhaustedError if that may pass without a change of the settings, else a ConfigurationError.
    """
    kind = ExhaustedError if error.errno in _EXHAUSTED else ConfigurationError
    return kind(f"{what}: {error.strerror}")
