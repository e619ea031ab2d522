"""The registry of all that people press: each button, select and form with its gates. The documents show it too."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from llmgine.messages.translatable import Text, tr
from programs.discord.components.custom_ids import Action


class Kind(Enum):
    """What is pressed."""

    BUTTON = "button"
    SELECT = "select"
    FORM = "form"  # What Discord calls a modal; the entry is about its being sent.


# Commands and presses that nobody is refused, whatever lists they or the place are on: their data is theirs.
FOR_EVERYBODY: frozenset[str] = frozenset({"privacy", "forget", "export", Action.FORGET_ME, Action.FORGET_NOT})


class Gate(Enum):
    """Who may, or where: what has to be so at the moment of the press. All gates of an entry have to let it through."""

    ASKER = "the one who asked, or a moderator"
    WRITING = "who may write in the channel"
    LISTENING = "where /listen is not off and answers are not paused"
    HISTORY = "who may read the message history"
    ROLE = "who has a role that /roles answers"
    RATE = "who does not ask more often than MESSAGES_PER_MINUTE says"
    MODERATOR = "a moderator, the owner of a thread in it, anyone in their DM"
    SERVER_MODERATOR = "a moderator of a server"
    READER = "who may read the conversation"
    RENAMER = "who may rename the conversation: a moderator there, the owner of a thread, anyone their own"
    SETTER = "who may change the setting there"
    ANYONE = "anyone who sees it"


class Reply(Enum):
    """How Discord is answered first, which it wants within three seconds."""

    UPDATE = "At once: the message may be changed later, and what is for the person alone is a message of its own."
    PUBLIC = "At once: everybody sees that the bot thinks, and later what was done; of a failure only the person hears."
    FORM = "With a form, which can only be the first answer; so the gates are checked before it."


@dataclass(frozen=True)
class Entry:
    """What people can press.

    Attributes:
        kind: What it is.
        name: What people see on it, or above it.
        where: Where it is shown.
        does: What it does.
        gates: Who may, and where.
        reply: How it is answered first.
        what: What only moderators can do, in the words of the refusal.
        note: Why it has no other gates.
    """

    kind: Kind
    name: str
    where: str
    does: str
    gates: tuple[Gate, ...]
    reply: Reply = Reply.UPDATE
    what: Text | None = None
    note: str = ""


_ANSWER, _RUNNING, _CARD = "an answer", "an answer that is being written", "a card with a call that waits"
_LIST, _CONVERSATION = "the list of /sessions", "a conversation in /sessions"
_ASKS = (Gate.ASKER, Gate.WRITING, Gate.LISTENING, Gate.ROLE, Gate.RATE)  # The model is asked, as by a message.
_FINISHES = "It finishes a question that was asked where and by whom that was allowed."
_TAKES_BACK = "It asks the model nothing, so it stays possible where the bot is switched off."


def _decision(name: str, does: str, reply: Reply = Reply.UPDATE) -> Entry:
    return Entry(Kind.BUTTON, name, _CARD, does, (Gate.ASKER,), reply, note=_FINISHES)


def _export(name: str) -> Entry:
    return Entry(Kind.BUTTON, name, _CONVERSATION, f"Sends the conversation as a file of {name}.", (Gate.READER,))


def _page(name: str, does: str) -> Entry:
    note = "The list has only the conversations that the person may read."
    return Entry(Kind.BUTTON, name, "/sessions", does, (Gate.ANYONE,), note=note)


REGISTRY: Mapping[Action, Entry] = {
    Action.STOP: Entry(Kind.BUTTON, "Stop", _RUNNING, "Ends the answer as it is.", (Gate.ASKER,), note=_TAKES_BACK),
    Action.SKIP: Entry(
        Kind.BUTTON,
        "Skip",
        "the notice that a call of an earlier question waits",
        "Ends the question whose call waits.",
        (Gate.ASKER,),
        note=_TAKES_BACK,
    ),
    Action.REGENERATE: Entry(Kind.BUTTON, "Regenerate", _ANSWER, "Asks the model again.", _ASKS),
    Action.RETRY: Entry(Kind.BUTTON, "Retry", "an answer that failed", "Asks the model again.", _ASKS),
    Action.CONTINUE: Entry(
        Kind.BUTTON, "Continue", "an answer cut at the model's limit", "Asks the model for the rest.", _ASKS
    ),
    Action.UNDO: Entry(
        Kind.BUTTON, "Undo", _ANSWER, "Forgets the question and the answer.", (Gate.ASKER,), note=_TAKES_BACK
    ),
    Action.DETAILS: Entry(
        Kind.BUTTON,
        "Details",
        "an answer or a card",
        "Shows what is behind it.",
        (Gate.ASKER, Gate.HISTORY),
        note=_TAKES_BACK,
    ),
    Action.APPROVE: _decision("Approve", "Lets the call run."),
    Action.ALWAYS: _decision("Always", "Lets the call run, and the asker's later ones of that tool too."),
    Action.DENY: _decision("Deny", "Does not let the call run."),
    Action.REASON: _decision("Deny with a reason", "Opens the form for the reason.", Reply.FORM),
    Action.BECAUSE: Entry(
        Kind.FORM,
        "Reason for denying",
        "Deny with a reason",
        "Does not let the call run, and tells the model why.",
        (Gate.ASKER,),
        note=_FINISHES,
    ),
    Action.AGAIN: Entry(
        Kind.BUTTON, "Ask again", "a card with a call that nobody decided", "Asks the model for the call again.", _ASKS
    ),
    Action.ASK: Entry(
        Kind.FORM,
        "Ask about this message",
        "Ask about this, in the menu of a message, which has the same gates",
        "Asks the model about the message.",
        (Gate.WRITING, Gate.HISTORY, Gate.LISTENING, Gate.ROLE, Gate.RATE),
        Reply.PUBLIC,
    ),
    Action.CLEAR: Entry(
        Kind.BUTTON,
        "Clear it",
        "/clear",
        "Forgets the conversation.",
        (Gate.MODERATOR,),
        what=tr("clear the conversation here"),
    ),
    Action.KEEP: Entry(Kind.BUTTON, "Keep it", "/clear", "Changes nothing.", (Gate.ANYONE,)),
    Action.SYSTEM: Entry(
        Kind.FORM, "System prompt", "/system", "Sets the system prompt.", (Gate.SETTER,), Reply.PUBLIC
    ),
    Action.LESSONS_FORGET: Entry(
        Kind.BUTTON,
        "Forget",
        "/doctor",
        "Forgets what was learnt from refusals of the model's service.",
        (Gate.SERVER_MODERATOR,),
        what=tr("make me forget this"),
    ),
    Action.FORGET_ME: Entry(
        Kind.BUTTON,
        "Forget me",
        "/forget me",
        "Erases what is stored of whoever presses it.",
        (Gate.ANYONE,),
        note="It concerns nobody else, and is never refused.",
    ),
    Action.FORGET_NOT: Entry(
        Kind.BUTTON, "Keep everything", "/forget me", "Changes nothing.", (Gate.ANYONE,), note="It is never refused."
    ),
    Action.SESSION_OPEN: Entry(Kind.SELECT, "Open a conversation", _LIST, "Shows a conversation.", (Gate.READER,)),
    Action.SESSION_PAGE: _page("Newest, Back", "Shows the first page of the list."),
    Action.SESSION_OLDER: _page("Older", "Shows what was used before."),
    Action.SESSION_NEWER: _page("Newer", "Shows what was used after that."),
    Action.SESSION_RESUME: Entry(
        Kind.BUTTON,
        "Resume here",
        _CONVERSATION,
        "Lets the channel go on with a copy of the conversation.",
        (Gate.MODERATOR, Gate.READER),
        what=tr("put another conversation here"),
    ),
    Action.SESSION_MARKDOWN: _export("Markdown"),
    Action.SESSION_JSON: _export("JSON"),
    Action.SESSION_RENAME: Entry(
        Kind.BUTTON, "Rename", _CONVERSATION, "Opens the form for the title.", (Gate.RENAMER,), Reply.FORM
    ),
    Action.SESSION_TITLE: Entry(
        Kind.FORM, "Rename the conversation", "Rename", "Renames the conversation.", (Gate.RENAMER,)
    ),
}


def table() -> str:
    """The registry in Markdown: what there is, where, who may, and why nothing more is asked for."""
    return "\n".join(["| pressed | shown at | does | may be pressed by |", "|---|---|---|---|", *_rows()])


def _rows() -> Iterator[str]:
    for entry in REGISTRY.values():
        who = "; ".join(gate.value for gate in entry.gates)
        note = f". {entry.note}" if entry.note else ""
        yield f"| {entry.name} ({entry.kind.value}) | {entry.where} | {entry.does} | {who}{note} |"
