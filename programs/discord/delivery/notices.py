"""What the bot tells a channel outside of any turn; no part of an answer, also when a channel is read back."""

import functools
import re

from llmgine.messages.translatable import Text, tr
from programs.discord.permissions.authorize import Standing
from programs.discord.translation import languages, pattern

CANNOT_STORE = tr("⚠️ I can't save anything right now. I'll answer new messages as soon as I can.")
MISSED = tr("I was offline when this was written, and too much came after it. Ask again if you still need an answer.")
PAUSED = tr(
    "⏸️ Answers are paused here. I don't answer messages written during the pause, not even afterwards. `/settings` "
    "shows who paused them."
)
TOO_OFTEN = tr(
    "🚦 I answer at most {count} of your messages, edits and button presses per minute. I won't answer those marked "
    "🚦: ask again in {seconds} s."
)
IN_A_ROW = tr(
    "🚦 I've answered {count} messages of webhooks here without a person writing in between. I won't answer more of "
    "them until a person writes here."
)
LATE = tr("⏳ Discord didn't let me post here for over half a minute, so this is late.")
FAILING = tr("⚠️ Discord isn't accepting one of my answers. I keep trying, and answer later questions meanwhile.")

# In place of a part that Discord does not take.
AGAINST_THE_RULES = tr("⚠️ This part of my answer was blocked by this server's rules.")
NOT_TAKEN = tr("⚠️ Discord didn't accept this part of my answer; my log has the details.")
WITHOUT_WORDS = "⚠️"  # where these words are not taken either

# What earlier versions said: whole notices, and how others began.
_EARLIER = frozenset(
    {
        "⚠️ I cannot store anything at present. What is written to me now I will answer when I can.",
        "I was offline when this was written, and more came after it than I answer late. Say it again if it matters.",
        "⏳ Discord let me write nothing here for more than half a minute, so this came late.",
        "⚠️ Discord does not take one of my answers at present. I keep trying, and answer later questions meanwhile.",
    }
)
_EARLIER_BEGINNINGS = ("⚠️ I cannot write in ", "⚠️ I cannot know whether ")


def not_allowed(channel_id: int) -> Text:
    """To the person who asked, in a DM."""
    return tr(
        "⚠️ I can't post in {channel}. Ask for the permission Send Messages there, and my answer will follow.",
        channel=f"<#{channel_id}>",
    )


def no_direct_messages(person_id: str) -> Text:
    """To a person who takes no DMs, in a channel: nothing of what was said."""
    return tr(
        "⚠️ I can't send you DMs, {person}: you don't accept any from me. Allow them, and my answer will follow.",
        person=f"<@{person_id}>",
    )


def locked(thread_id: int) -> Text:
    """To the channel of a thread."""
    return tr("⚠️ I can't post in {thread}: it is locked, so my answer there is missing.", thread=f"<#{thread_id}>")


def unknown(person_id: str | None) -> Text:
    """To the channel: part of an answer may be there or not; nothing of what was said."""
    whose = tr("an answer of mine") if person_id is None else tr("my answer to {person}", person=f"<@{person_id}>")
    return tr(
        "⚠️ I can't tell whether {answer} is here in part: I was interrupted while writing it, and I can't read this "
        "channel. Give me the permission Read Message History, and I'll add what is missing.",
        answer=whose,
    )


def is_notice(content: str) -> bool:
    """Whether the bot said it outside of any turn, in whichever language, this version or an earlier one."""
    return content in _EARLIER or content.startswith(_EARLIER_BEGINNINGS) or bool(_notices().fullmatch(content))


@functools.cache
def _notices() -> re.Pattern[str]:
    notices = (
        CANNOT_STORE,
        MISSED,
        PAUSED,
        TOO_OFTEN,
        IN_A_ROW,
        LATE,
        FAILING,
        not_allowed(0),
        no_direct_messages(""),
        locked(0),
        unknown(None),
        *(standing.sentence for standing in Standing),
    )
    templates = {language.template(text) for language in languages().values() for text in notices}
    return re.compile("|".join(pattern(template) for template in sorted(templates)))
