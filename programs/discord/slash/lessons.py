"""What was learnt from the refusals of a model's service, as /doctor shows it, and the button that forgets it."""

from collections.abc import Mapping, Sequence

import discord

from llmgine.engine.lessons import WINDOW
from llmgine.providers.base import Change
from llmgine.sessions.records import Lesson
from programs.application import Application
from programs.discord.components.button_press import ButtonPress, Handler
from programs.discord.components.custom_ids import Action, ComponentId
from programs.discord.components.views import button, rows
from programs.discord.slash.findings import quoted

TITLE = "Learnt from the model's service, for a day"
# What each change means for people.
WORDS: Mapping[Change, str] = {
    Change.NO_STREAM_OPTIONS: "the service is not asked to count tokens",
    Change.MAX_COMPLETION_TOKENS: "the limit of a reply is called max_completion_tokens",
    Change.MAX_TOKENS: "the limit of a reply is called max_tokens",
    Change.NO_LIMIT: "replies have no limit",
    Change.NO_IMAGES: "images are left out",
    Change.NO_TOOLS: "tools are not offered",
    Change.NO_REASONING: "it does not think while tools are offered",
    Change.NO_EFFORT: "/effort is left out",
    Change.NO_TEMPERATURE: "the temperature is left out",
    Change.SYSTEM_IN_USER: "the system prompt is part of the first message",
    Change.EMPTY_REASONING: "replies without thinking are sent back with an empty one",
    Change.SKIP_SIGNATURE: "signatures of tool calls are not checked",
    Change.NO_PARTS: "its thinking is not sent back",
    Change.NO_INCLUDE: "its thinking is not asked for",
    Change.RESPONSES: "it is asked by the Responses API",
    Change.CHAT: "it is asked by Chat Completions",
    Change.OPENED_THINKING: "its replies begin with thinking, which is hidden",
}
FORGOTTEN = "Done. I've forgotten what I learnt about the models, and will learn it again when a service refuses."

_MOST = 5  # lessons that are listed
_MAX_NAME, _MAX_SAID = 40, 60  # characters: five lines fit into a field of 1,024


def meaning(lesson: Lesson) -> str:
    """What a lesson means for people."""
    if lesson.name == WINDOW:
        return f"takes about {lesson.value:,} tokens at once"
    return WORDS[Change(lesson.name)] if lesson.name in set(Change) else "a change of an earlier version"


def listed(lessons: Sequence[Lesson]) -> str:
    """The newest lessons, a line each, with their age and what the service had said."""
    lines = [_line(lesson) for lesson in reversed(lessons[-_MOST:])]
    if len(lessons) > _MOST:
        lines.append(f"and {len(lessons) - _MOST} more")
    return "\n".join(lines)


def forget_button() -> discord.ui.View:
    """The button under the list."""
    return rows(button(ComponentId(Action.LESSONS_FORGET), "Forget"))


def handlers(app: Application) -> Mapping[Action, Handler]:
    """What is done when the button is pressed."""

    async def forget(press: ButtonPress) -> None:
        await app.engine.model.lessons.forget()
        await press.interaction.edit_original_response(view=None)
        await press.tell(FORGOTTEN)

    return {Action.LESSONS_FORGET: forget}


def _line(lesson: Lesson) -> str:
    said = f" It said: {quoted(lesson.said, _MAX_SAID)}" if lesson.said else ""
    age = discord.utils.format_dt(lesson.learnt_at, "R")
    return f"{quoted(lesson.model, _MAX_NAME)}: {meaning(lesson)} · {age}.{said}"
