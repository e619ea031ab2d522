"""The commands by which what is stored is erased for good: of a person, or of a server that was left."""

from pydantic import BaseModel, ConfigDict

from llmgine.messages.commands import Command


class ForgottenPerson(BaseModel):
    """The answer to a `ForgetPersonCommand`: what was erased.

    `turns` are their questions with the answers, `files` what came with these, `mentions` other people's questions and
    answers that the person was taken out of. `left` answers stay posted in the front end, being too many.
    """

    model_config = ConfigDict(frozen=True)

    turns: int
    files: int
    mentions: int
    left: int = 0


class ForgetPersonCommand(Command):
    """Forget all that is stored of a person until now, also in the log. Answered with `ForgottenPerson`."""

    person: str


class ForgetMessagesCommand(Command):
    """Messages are gone in a front end, or a whole place: forget those that were read as what was before a prompt.

    Prompts themselves are taken back by a `DeletePromptCommand`.
    """

    source: str
    source_ids: tuple[str, ...] = ()
    place: str | None = None


class ReportServersCommand(Command):
    """A front end says which servers its account is in: what is stored of one that it left is erased after some days.

    Only a server that the same account was in before can have been left.
    """

    source: str
    account: int
    guilds: tuple[int, ...]
