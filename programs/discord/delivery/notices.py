"""What the bot tells a channel outside of any turn; no part of an answer, also when a channel is read back."""

CANNOT_STORE = "⚠️ I cannot store anything at present. What is written to me now I will answer when I can."
MISSED = "I was offline when this was written, and more came after it than I answer late. Say it again if it matters."
LATE = "⏳ Discord let me write nothing here for more than half a minute, so this came late."
FAILING = "⚠️ Discord does not take one of my answers at present. I keep trying, and answer later questions meanwhile."
_ELSEWHERE = "⚠️ I cannot write in "
_UNKNOWN = "⚠️ I cannot know whether "

# In place of a part that Discord does not take.
AGAINST_THE_RULES = "⚠️ This part of my answer was blocked by the rules of this server."
NOT_TAKEN = "⚠️ Discord did not take this part of my answer; the log has the details."
WITHOUT_WORDS = "⚠️"  # where these words are not taken either

_NOTICES = frozenset({CANNOT_STORE, MISSED, LATE, FAILING})


def not_allowed(channel_id: int) -> str:
    """To the person who asked, in a DM."""
    return f"{_ELSEWHERE}<#{channel_id}>: ask for the permission Send Messages there, and my answer will follow."


def no_direct_messages(person_id: str) -> str:
    """To a person who takes no DMs, in a channel: nothing of what was said."""
    return f"{_ELSEWHERE}DMs to you, <@{person_id}>: you take none from me. Allow them, and my answer will follow."


def locked(thread_id: int) -> str:
    """To the channel of a thread."""
    return f"{_ELSEWHERE}<#{thread_id}>, which is locked, so my answer there is missing."


def unknown(person_id: str | None) -> str:
    """To the channel: part of an answer may be there or not; nothing of what was said."""
    whose = "an answer of mine" if person_id is None else f"my answer to <@{person_id}>"
    return (
        f"{_UNKNOWN}{whose} is here in part: I was interrupted while I wrote it, and may not read this channel. "
        "Give me the permission Read Message History, and what is missing will follow."
    )


def is_notice(content: str) -> bool:
    """Whether the bot said it outside of any turn."""
    return content in _NOTICES or content.startswith((_ELSEWHERE, _UNKNOWN))
