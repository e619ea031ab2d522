"""The settings that people make from inside Discord; commands, /settings and the documents are made from this table.

To add one: a field of `ChannelSettings` (what the bot does) or `SessionSettings` (what the model is told), and a line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel

from llmgine.errors import UserError
from llmgine.sessions.records import SessionSettings
from programs.discord.channel_settings import ChannelSettings
from programs.discord.ids import Place

EVERYONE = "everyone"
INHERIT = "inherit"  # the choice that takes a setting away, so that the wider scope's holds again


@dataclass(frozen=True)
class SettingSpec:
    """A setting.

    Attributes:
        command: The slash command that changes it.
        description: What it is for.
        name: The field that holds it.
        default: What holds where nobody set it, in words.
        parameter: What the command's value is called.
        choices: The values there are, with what each means; empty where any text may be one.
        told: Whether everybody in the channel is told of a change, and by whom.
        bounds: Whether it bounds who may use the bot, or how much: then a thread's owner is no judge of it.
    """

    command: str
    description: str
    name: str
    default: str
    parameter: str = "value"
    choices: Mapping[str, str] = field(default_factory=dict)
    told: bool = False
    bounds: bool = False

    @property
    def model(self) -> type[BaseModel]:
        """The model whose field it is."""
        return SessionSettings if self.name in SessionSettings.model_fields else ChannelSettings


SETTING_SPECS = (
    SettingSpec(
        "system", "What the model is told first", "system_prompt", "the program's own", parameter="prompt", told=True
    ),
    SettingSpec("model", "Which model answers", "model", "the program's own", parameter="name", told=True),
    SettingSpec(
        "effort",
        "How much the model thinks before it answers, where it can",
        "effort",
        "the model's own",
        choices={
            "none": "Not at all",
            "minimal": "As little as possible",
            "low": "A little",
            "medium": "As much as is usual",
            "high": "Thoroughly",
            "xhigh": "As much as possible",
        },
    ),
    SettingSpec("tools", "Which tools the model is offered", "tools", "all", parameter="names"),
    SettingSpec(
        "style",
        "How long answers are",
        "style",
        "normal",
        choices={"brief": "One to three sentences", "normal": "As the model likes", "detailed": "In depth"},
    ),
    SettingSpec(
        "listen",
        "Which messages are answered",
        "listen",
        "mention",
        choices={
            "mention": "Those that mention me or reply to me",
            "always": "All that are not for somebody else",
            "off": "None",
        },
        told=True,
    ),
    SettingSpec(
        "threads",
        "Whether each question gets a thread of its own",
        "threads",
        "off",
        choices={"off": "Answers stand in the channel", "auto": "Each question opens a thread"},
    ),
    SettingSpec(
        "cards",
        "How much is shown of tool calls",
        "cards",
        "normal",
        choices={"quiet": "Only what fails or waits", "normal": "Each call in one line", "verbose": "With results"},
    ),
    SettingSpec(
        "people",
        "Whose conversation it is",
        "people",
        "shared",
        choices={"shared": "Everybody's together", "each": "Each person has one of their own"},
        told=True,
    ),
    SettingSpec("roles", "Which roles are answered", "roles", EVERYONE, parameter="names", told=True, bounds=True),
    SettingSpec(
        "budget",
        "How many tokens a day may be used",
        "daily_tokens",
        "any number",
        parameter="tokens",
        told=True,
        bounds=True,
    ),
)

Where = Literal["here", "category", "server"]
# Where a setting can be made, and the permission it takes there. In a thread of one's own none is needed.
WHERE: Mapping[Where, tuple[str, str]] = {
    "here": ("This channel, thread or DM", "Manage Messages"),
    "category": ("The whole category", "Manage Channels"),
    "server": ("The whole server", "Manage Server"),
}


def scope_at(channel: object, where: Where) -> str:
    """The scope that is meant in a channel.

    Raises:
        UserError: The channel is in no category, or in no server.
    """
    place = Place.of(channel)
    found = {"here": place.session_id(), "category": place.category_scope, "server": place.server_scope}[where]
    if found is None:
        raise UserError(f"This channel is in no {where}; leave out where.")
    return found
