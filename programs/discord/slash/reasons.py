"""What /why says: the one place in which what is known of a message becomes words. It asks nobody anything."""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum, auto

from llmgine.messages.steps import OutcomeStep, Turn
from llmgine.messages.translatable import Text, joined, tr
from llmgine.messages.visible_text import visible_line
from llmgine.turn_state import TurnState
from programs.discord.delivery.cards import approvers
from programs.discord.delivery.safe_text import inline_code, safe_message
from programs.discord.incoming.decision import Verdict
from programs.discord.permissions.webhooks import WebhookAuthor

STORE_FAILS = tr("I can't look that up right now: my database doesn't answer. Ask again in a minute.")
DISCORD_FAILS = tr("I can't tell right now: Discord doesn't tell me what I need to know. Ask again in a minute.")

CLEARED = tr("Its conversation has been cleared, so I no longer know anything about it.")
UNDONE = tr("It was undone: I've forgotten the question and my answer.")

NO_TEXT = tr(
    "I didn't get its text: the Message Content intent of this bot is off. Its owner can switch it on under Privileged "
    "Gateway Intents at https://discord.com/developers/applications. Until then, mention me."
)
FIRST_IN_A_DM = tr(
    "It's the first thing you wrote to me here, and it didn't reach me: Discord lost it, or I was offline. I only look "
    "for missed messages in DMs I've received something in before. Write again and I'll answer both."
)
NOT_READ_YET = tr("I haven't reached it yet. If nothing comes in a few minutes, ask again.")
NOT_ANSWERED = tr(
    "I didn't answer it when it was written. If I couldn't, I said so then. Or I was offline and it was too old or too "
    "far back when I returned, or it wasn't for me at the time, and the message or a setting has changed since. Ask "
    "again if you still need an answer."
)

TOO_OFTEN = tr("Its author wrote to me too often within a minute, so I didn't answer it. Ask again.")
WEBHOOKS_TOO_OFTEN = tr(
    "Webhooks wrote to me too often within a minute, or too many times without a person writing in between, so I "
    "didn't answer it. Ask again."
)
EDITED_TOO_OFTEN = tr(
    "Its author wrote to me too often within a minute, so I didn't answer its last edit. Edit it again."
)

_MAX_NOTICE = 1_000

_VERDICTS = {
    Verdict.REPEATED: tr("A webhook sent it under my name, or it repeats what I wrote."),
    Verdict.FROM_A_BOT: tr("It was written by a bot. I only answer people."),
    Verdict.SYSTEM_MESSAGE: tr("It's one of Discord's own notices. I only answer people."),
    Verdict.NOT_LISTENING: tr("I'm switched off in this channel, by `/listen`."),
    Verdict.PAUSED: tr("Answers are paused here, see `/settings`. I won't answer it afterwards either: ask again."),
    Verdict.WAS_PAUSED: tr("It was written, or changed last, while answers were paused here. Ask again."),
    Verdict.FOR_SOMEBODY_ELSE: tr("It mentions or replies to someone else, and not me."),
    Verdict.NOT_MENTIONED: tr("It doesn't mention me. Here I only answer messages that mention me or reply to me."),
}
_OUTCOMES = {
    "done": tr("I answered it."),
    "failed": tr("I couldn't answer it."),
    "stopped": tr("My answer was stopped."),
}


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
    Showing.DELETED: tr("What I wrote has been deleted."),
    Showing.NOWHERE: tr("Nothing I wrote is there: it was deleted, or Discord didn't accept it and I gave up."),
    Showing.GONE: tr("The channel I wrote it in is gone."),
    Showing.LOCKED: tr("Part of what I wrote is missing: {channel} is locked."),
    Showing.NOT_ALLOWED: tr(
        "Part of what I wrote is missing: I can't post in {channel}. I'll post the rest when I can."
    ),
    Showing.OWED: tr("Part of what I wrote is missing: Discord hasn't accepted it yet. I keep trying."),
}


def of_webhook(webhook: WebhookAuthor | None) -> Text:
    """Why the message of a webhook is not answered; None for one that sent the answer of some bot to a command."""
    if webhook is None:
        return _VERDICTS[Verdict.FROM_A_BOT]
    named = str(webhook.webhook_id) if webhook.application_id is None else f"<@{webhook.application_id}>"
    return tr(
        "It was sent by a webhook that isn't named here. A moderator can have its messages answered: "
        "`/listen webhooks:`{webhook}",
        webhook=named,
    )


def of_verdict(verdict: Verdict, roles: Iterable[int]) -> Text:
    """Why a message is not for the bot, where only these roles are answered."""
    if verdict is Verdict.ROLE_MISSING:
        named = joined(tr(" or "), *(f"<@&{role}>" for role in roles))
        return tr("Here I only answer people with the role {roles}, and its author doesn't have it.", roles=named)
    return _VERDICTS[verdict]


def before_it_joined(moment: datetime) -> Text:
    """The message is older than the bot is in the server."""
    return tr("It was written before I joined this server ({when}).", when=_when(moment))


def of_queued(turn: Turn, place: int, first: TurnState | None) -> Text:
    """So many turns are before it; the first of them, where that is known."""
    words = tr("It's in the queue, with {count} before it.", count=place)
    if turn.attempt > 1:
        words = tr("It's in the queue to be answered again, with {count} before it.", count=place)
    if first is None or not first.waiting:
        return words
    return joined(" ", words, tr("The first of them: {state}", state=of_approval(first)))


def of_running(turn: Turn) -> Text:
    """It is answered at present."""
    if turn.attempt > 1:
        return tr("I'm answering it again: it was edited, or someone asked for another answer.")
    return tr("I'm answering it. I received it {when}.", when=_when(turn.created_at))


def of_approval(state: TurnState) -> Text:
    """Who has to decide what, until when."""
    deadlines = [call.waiting.deadline for call in state.waiting if call.waiting]
    if not deadlines:
        return tr("I'm answering it; the tool calls have been decided on.")
    # A name with `](` might end the link to the message that stands before it.
    calls = ", ".join(inline_code(call.call.name.replace("](", "] ("), 72) for call in state.waiting)
    return tr(
        "I'm waiting for {people} to approve {calls}; this expires {when}.",
        people=approvers(state.prompt.author),
        calls=calls,
        when=_when(min(deadlines)),
    )


def of_outcome(outcome: OutcomeStep, showing: Showing, *, channel_id: int, link: str | None) -> Text:
    """How its turn ended, and how far that can be seen.

    Args:
        outcome: How it ended.
        showing: How far that can be seen.
        channel_id: The channel in which it was answered.
        link: A message of the outcome that is there, if there is one.
    """
    said = _OUTCOMES[outcome.state]
    if link is not None and outcome.state == "done":
        said = tr("I answered it [here]({link}).", link=link)
    seen = _SHOWING[showing].filled(channel=f"<#{channel_id}>") if showing in _SHOWING else ""
    notice = outcome.notice_text or safe_message(visible_line(outcome.notice or "", _MAX_NOTICE))
    return joined("\n", joined(" ", said, seen), tr("> {notice}", notice=notice) if notice else "")


def _when(moment: datetime) -> str:
    return f"<t:{int(moment.timestamp())}:R>"
