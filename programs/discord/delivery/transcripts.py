"""What the bot heard in voice messages and audio, in small print above the answer."""

from collections.abc import Iterable, Iterator

from llmgine.messages.commands import Attachment
from llmgine.messages.steps import PromptStep
from llmgine.messages.text import shorten
from llmgine.messages.translatable import Language, tr
from programs.discord.delivery.safe_text import plain_words

_MOST_SHOWN = 4  # of the recordings of a question
_MAX_WORDS = 350  # characters of each: all of them fit into one message


def transcripts(prompts: Iterable[PromptStep], language: Language) -> str:
    """The lines, each with the beginning of what was said; "" where nothing was heard."""
    lines = [language.say(tr("-# 🎙 “{words}”", words=words)) for words in _quoted(prompts)]
    more = len(lines) - _MOST_SHOWN
    return "\n".join([*lines[:_MOST_SHOWN], *(["-# 🎙 …"] if more > 0 else [])])


def _quoted(prompts: Iterable[PromptStep]) -> Iterator[str]:
    for prompt in prompts:
        for file in prompt.attachments:  # what others said in a message that is pointed at is theirs, to be forgotten
            if file.transcript is not None:
                yield _words(prompt, file)


def _words(prompt: PromptStep, file: Attachment) -> str:
    """What was said, as words alone: nothing in it is formatted, links or mentions."""
    text = prompt.text if file.transcript == "prompt" else file.text or ""
    return plain_words(shorten(text, _MAX_WORDS), _MAX_WORDS)
