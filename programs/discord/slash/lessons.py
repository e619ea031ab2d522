"""What was learnt from the refusals of a model's service, as /doctor shows it, and the button that forgets it."""

from collections.abc import Mapping, Sequence

import discord

from llmgine.engine.lessons import WINDOW
from llmgine.messages.commands import RecordUseCommand
from llmgine.messages.translatable import Text, joined, tr
from llmgine.providers.base import Change
from llmgine.sessions.records import Lesson
from programs.application import Application
from programs.discord.components.button_press import ButtonPress, Handler, audit_origin
from programs.discord.components.custom_ids import Action, ComponentId
from programs.discord.components.views import button, rows
from programs.discord.replies import private
from programs.discord.slash.findings import quoted

TITLE = tr("Learned from the model's service, for one day")
# What each change means for people.
WORDS: Mapping[Change, Text] = {
    Change.NO_STREAM_OPTIONS: tr("token counts are not requested"),
    Change.MAX_COMPLETION_TOKENS: tr("the reply limit is sent as max_completion_tokens"),
    Change.MAX_TOKENS: tr("the reply limit is sent as max_tokens"),
    Change.NO_LIMIT: tr("replies have no limit"),
    Change.NO_IMAGES: tr("images are left out"),
    Change.NO_TOOLS: tr("tools are not offered"),
    Change.NO_REASONING: tr("no thinking while tools are offered"),
    Change.NO_EFFORT: tr("/effort is left out"),
    Change.NO_TEMPERATURE: tr("the temperature is left out"),
    Change.SYSTEM_IN_USER: tr("the system prompt is part of the first message"),
    Change.EMPTY_REASONING: tr("replies without thinking are sent back with an empty thinking part"),
    Change.SKIP_SIGNATURE: tr("signatures of tool calls are not checked"),
    Change.NO_PARTS: tr("its thinking is not sent back"),
    Change.NO_INCLUDE: tr("its thinking is not requested"),
    Change.RESPONSES: tr("used through the Responses API"),
    Change.CHAT: tr("used through Chat Completions"),
    Change.NO_CACHE: tr("nothing is marked for its cache"),
    Change.OPENED_THINKING: tr("its replies begin with thinking, which is hidden"),
}
FORGOTTEN = tr("Done. I've forgotten what I learned about the models, and will learn it again when needed.")

_MOST = 5  # lessons that are listed
_MAX_NAME, _MAX_SAID = 40, 60  # characters: five lines fit into a field of 1,024


def meaning(lesson: Lesson) -> Text:
    """What a lesson means for people."""
    if lesson.name == WINDOW:
        return tr("takes about {tokens} tokens at once", tokens=lesson.value)
    return WORDS[Change(lesson.name)] if lesson.name in set(Change) else tr("a change of an earlier version")


def listed(lessons: Sequence[Lesson]) -> Text:
    """The newest lessons, a line each, with their age and what the service had said."""
    lines = [_line(lesson) for lesson in reversed(lessons[-_MOST:])]
    if len(lessons) > _MOST:
        lines.append(tr("and {count} more", count=len(lessons) - _MOST))
    return joined("\n", *lines)


def forget_button(interaction: discord.Interaction) -> discord.ui.View:
    """The button under the list."""
    return rows(button(ComponentId(Action.LESSONS_FORGET), private(interaction, tr("Forget"))))


def handlers(app: Application) -> Mapping[Action, Handler]:
    """What is done when the button is pressed."""

    async def forget(press: ButtonPress) -> None:
        command = RecordUseCommand(what="forget lessons", audit=audit_origin(press.interaction))
        (await app.bus.execute(command)).unwrap()
        await app.engine.model.lessons.forget()
        await press.interaction.edit_original_response(view=None)
        await press.tell(FORGOTTEN)

    return {Action.LESSONS_FORGET: forget}


def _line(lesson: Lesson) -> Text:
    age = discord.utils.format_dt(lesson.learnt_at, "R")
    line = tr("{model}: {meaning} · {when}.", model=quoted(lesson.model, _MAX_NAME), meaning=meaning(lesson), when=age)
    said = tr("It said: {words}", words=quoted(lesson.said, _MAX_SAID)) if lesson.said else ""
    return joined(" ", line, said)
