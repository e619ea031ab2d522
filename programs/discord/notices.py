"""What the bot tells a channel outside of any turn; no part of an answer, also when a channel is read back."""

CANNOT_STORE = "⚠️ I cannot store anything at present. What is written to me now I will answer when I can."
MISSED = "I was offline when this was written, and more came after it than I answer late. Say it again if it matters."

NOTICES = frozenset({CANNOT_STORE, MISSED})
