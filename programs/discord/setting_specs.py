"""The settings that people make from inside Discord; commands, /settings and the documents are made from this table.

To add one: a field of `ChannelSettings` (what the bot does) or `SessionSettings` (what the model is told), and a line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel

from llmgine.errors import UserError
from llmgine.messages.translatable import Text, tr
from llmgine.sessions.records import SessionSettings
from programs.discord.channel_settings import AUTO, ChannelSettings
from programs.discord.ids import Place
from programs.discord.translation import languages
from programs.discord.visibility import is_hidden

EVERYONE = "everyone"
NONE = "none"
INHERIT = "inherit"  # the choice that takes a setting away, so that the wider scope's is effective again


@dataclass(frozen=True)
class SettingSpec:
    """A setting.

    Attributes:
        command: The slash command that changes it.
        description: What it is for.
        name: The field that holds it.
        default: The effective value where nobody set one: as people type it, or in words.
        parameter: What the command's value is called.
        choices: The values there are, with what each means; empty where any text may be one.
        told: Whether everybody in the channel is told of a change, and by whom.
        beside: Whether it is a further option of a command that is named after another setting.
        bounds: Whether it bounds who may use the bot, or how much: then a thread's owner is no judge of it.
    """

    command: str
    description: Text
    name: str
    default: Text | str
    parameter: str = "value"
    choices: Mapping[str, Text | str] = field(default_factory=dict)
    told: bool = False
    bounds: bool = False
    beside: bool = False

    @property
    def label(self) -> str:
        """The command, with the option where it has several."""
        return f"{self.command} {self.parameter}" if self.beside else self.command

    @property
    def model(self) -> type[BaseModel]:
        """The model whose field it is."""
        return SessionSettings if self.name in SessionSettings.model_fields else ChannelSettings


SETTING_SPECS = (
    SettingSpec(
        "system",
        tr("System prompt: instructions the model gets before every conversation"),
        "system_prompt",
        tr("the program's own"),
        parameter="prompt",
        told=True,
    ),
    SettingSpec("model", tr("Which model answers"), "model", tr("the program's own"), parameter="name", told=True),
    SettingSpec(
        "effort",
        tr("How much the model thinks before it answers, if it can"),
        "effort",
        tr("the model's own"),
        choices={
            "none": tr("Not at all"),
            "minimal": tr("As little as possible"),
            "low": tr("A little"),
            "medium": tr("The usual amount"),
            "high": tr("Thoroughly"),
            "xhigh": tr("As much as possible"),
        },
    ),
    SettingSpec("tools", tr("Which tools the model can use"), "tools", "all", parameter="names"),
    SettingSpec(
        "style",
        tr("How long answers are"),
        "style",
        "normal",
        choices={
            "brief": tr("One to three sentences"),
            "normal": tr("Up to the model"),
            "detailed": tr("In depth"),
        },
    ),
    SettingSpec(
        "listen",
        tr("Which messages are answered"),
        "listen",
        "mention",
        choices={
            "mention": tr("Messages that mention me or reply to me"),
            "always": tr("Every message not addressed to someone else"),
            "off": tr("No messages"),
        },
        told=True,
    ),
    SettingSpec(
        "listen",
        tr("Webhooks whose messages I answer, such as PluralKit's"),
        "webhooks",
        NONE,
        parameter="webhooks",
        told=True,
        bounds=True,
        beside=True,
    ),
    SettingSpec(
        "context",
        tr("How much I read of what was written before a question"),
        "context",
        "some",
        choices={
            "off": tr("Nothing"),
            "some": tr("The last 10 messages, up to an hour old"),
            "much": tr("The last 40 messages, up to a day old"),
        },
        told=True,
    ),
    SettingSpec(
        "threads",
        tr("Whether each question gets its own thread"),
        "threads",
        "off",
        choices={"off": tr("Answer in the channel"), "auto": tr("Open a thread for each question")},
    ),
    SettingSpec(
        "cards",
        tr("How much of tool calls is shown"),
        "cards",
        "normal",
        choices={
            "quiet": tr("Only calls that wait for approval"),
            "normal": tr("One line per call"),
            "verbose": tr("Everything, with arguments and results"),
        },
    ),
    SettingSpec(
        "people",
        tr("One shared conversation, or one per person"),
        "people",
        "shared",
        choices={"shared": tr("Everyone shares one conversation"), "each": tr("Everyone has their own conversation")},
        told=True,
    ),
    SettingSpec(
        "roles",
        tr("Only answer members with these roles"),
        "roles",
        EVERYONE,
        parameter="names",
        told=True,
        bounds=True,
    ),
    SettingSpec(
        "budget",
        tr("Daily limit in tokens or dollars"),
        "daily_tokens",
        tr("unlimited"),
        parameter="tokens",
        told=True,
        bounds=True,
    ),
    SettingSpec(
        "language",
        tr("The language of my buttons and notices"),
        "language",
        AUTO,
        choices={
            AUTO: tr("The server's language; in a DM, yours"),
            **{language.code: language.name for language in languages().values()},
        },
        told=True,
    ),
)

Where = Literal["here", "category", "server"]
# Where a setting can be made, and the permission it takes there. In a thread of one's own none is needed.
MANAGE_MESSAGES = tr("Manage Messages")
WHERE: Mapping[Where, tuple[Text, Text]] = {
    "here": (tr("This channel, thread or DM"), MANAGE_MESSAGES),
    "category": (tr("The whole category"), tr("Manage Channels")),
    "server": (tr("The whole server"), tr("Manage Server")),
}


def scope_at(channel: object, where: Where) -> str:
    """The scope that is meant in a channel.

    Raises:
        UserError: The channel is in no category, or in no server, or the bot cannot see it.
    """
    place = Place.of(channel)
    meant = {"here": channel, "category": getattr(channel, "category", None), "server": None}[where]
    if is_hidden(meant):
        raise UserError(tr("I can't see that channel, so nothing can be set for it."))
    found = {"here": place.session_id(), "category": place.category_scope, "server": place.server_scope}[where]
    if found is None:
        if where == "category":
            raise UserError(tr("This channel is in no category. Leave out the scope."))
        raise UserError(tr("This channel is in no server. Leave out the scope."))
    return found
