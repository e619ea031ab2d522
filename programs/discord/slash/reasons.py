"""What /why says: the one place in which what is known of a message becomes words. It asks nobody anything."""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum, auto

from llmgine.messages.steps import OutcomeStep, Turn
from llmgine.messages.text import collapse_spaces, shorten
from llmgine.turn_state import TurnState
from programs.discord.incoming.decision import Verdict

STORE_FAILS = "I cannot look that up at the moment: my store does not answer. Ask me again in a minute."
DISCORD_FAILS = "I cannot say at the moment: Discord does not tell me what I need to know. Ask me again in a minute."

CLEARED = "Its conversation was cleared since, so I know nothing of it any more."
UNDONE = "It was undone: the question and my answer were taken back, so I know nothing of them any more."

NO_TEXT = (
    "I was not given its text: the Message Content intent of this bot is off. Its owner can switch it on under "
    "Privileged Gateway Intents at https://discord.com/developers/applications. Until then, mention me."
)
FIRST_IN_A_DM = (
    "It is the first thing you wrote to me here, and I did not hear of it: Discord lost it, or I was away. I look for "
    "missed messages only in direct messages I have received something in before. Write again and I will answer both."
)
NOT_READ_YET = "I have not got to it yet; if no answer comes within minutes, say it again."
NOT_ANSWERED = (
    "I did not answer it when it was written. If I could not, I said so then. Or it came while I was away and was too "
    "old or too far back when I returned, or it was not for me then: it was edited since, or a setting was changed. "
    "Say it again if it matters."
)

_MAX_NOTICE = 1_000

_VERDICTS = {
    Verdict.FROM_A_WEBHOOK: "It was sent by a webhook. I answer people only.",
    Verdict.FROM_A_BOT: "It was written by a bot. I answer people only.",
    Verdict.SYSTEM_MESSAGE: "It is a notice of Discord's own. I answer people only.",
    Verdict.NOT_LISTENING: "I do not listen in this channel: its setting for that is `off`.",
    Verdict.FOR_SOMEBODY_ELSE: "It mentions or replies to somebody else, and not me.",
    Verdict.NOT_MENTIONED: "It does not mention me, and here I answer only those who mention me or reply to me.",
}
_OUTCOMES = {"done": "I answered it", "failed": "I could not answer it", "stopped": "My answer was stopped"}


class Showing(Enum):
    """How far the outcome of a turn can be seen in Discord."""

    VISIBLE = auto()  # All of it is there.
    DELETED = auto()  # All of it was shown, and its messages are not there any more.
    NOWHERE = auto()  # It has no message, and none is to come: they were deleted, or it was given up.
    GONE = auto()  # Its channel is not there any more.
    LOCKED = auto()  # Some of it is missing, and its thread is locked.
    NOT_ALLOWED = auto()  # Some of it is missing, and the bot may not write there.
    OWED = auto()  # Some of it is missing, and why is not known; it is tried again.


_SHOWING = {
    Showing.VISIBLE: "",
    Showing.DELETED: " What I wrote was deleted since.",
    Showing.NOWHERE: " Nothing that I wrote is there: it was deleted, or Discord did not take it and I gave up.",
    Showing.GONE: " The channel I wrote it for is gone.",
    Showing.LOCKED: " Not all that I wrote is there: {channel} is locked.",
    Showing.NOT_ALLOWED: " Not all that I wrote is there: I may not write in {channel}. The rest follows when I may.",
    Showing.OWED: " Not all that I wrote is there: Discord has not taken it yet. I try again by myself.",
}


def of_verdict(verdict: Verdict, roles: Iterable[int]) -> str:
    """Why a message is not for the bot, where only these roles are answered."""
    if verdict is Verdict.ROLE_MISSING:
        named = " or ".join(f"<@&{role}>" for role in roles)
        return f"Here I answer only people with the role {named}, and its author does not have it."
    return _VERDICTS[verdict]


def before_it_joined(joined: datetime) -> str:
    """The message is older than the bot is in the server."""
    return f"It was written before I joined this server ({_when(joined)})."


def of_queued(turn: Turn, place: int, first: TurnState | None) -> str:
    """So many turns are before it; the first of them, where that is known."""
    again = " to be answered again" if turn.attempt > 1 else ""
    words = f"It is queued{again}: {place} before it."
    return words if first is None or not first.waiting else f"{words} The first of them: {of_approval(first)}"


def of_running(turn: Turn) -> str:
    """It is answered at present."""
    if turn.attempt > 1:
        return "I am answering it again: it was edited, or somebody asked for another answer."
    return f"I am answering it. I received it {_when(turn.created_at)}."


def of_approval(state: TurnState) -> str:
    """Who has to decide what, until when."""
    deadlines = [call.waiting.deadline for call in state.waiting if call.waiting]
    if not deadlines:
        return "I am answering it; what was to be approved is decided."
    author = state.prompt.author
    who = f"<@{author.id}> or a moderator" if author else "a moderator"
    calls = ", ".join(f"`{call.call.name}`" for call in state.waiting)
    return f"I wait for {who} to approve {calls}, until {_when(min(deadlines))}."


def of_outcome(outcome: OutcomeStep, showing: Showing, *, channel_id: int, link: str | None) -> str:
    """How its turn ended, and how far that can be seen.

    Args:
        outcome: How it ended.
        showing: How far that can be seen.
        channel_id: The channel in which it was answered.
        link: A message of the outcome that is there, if there is one.
    """
    notice = f"\n> {shorten(collapse_spaces(outcome.notice), _MAX_NOTICE)}" if outcome.notice else ""
    where = f" [here]({link})" if link is not None and outcome.state == "done" else ""
    seen = _SHOWING[showing].format(channel=f"<#{channel_id}>")
    return f"{_OUTCOMES[outcome.state]}{where}.{seen}{notice}"


def _when(moment: datetime) -> str:
    return f"<t:{int(moment.timestamp())}:R>"
