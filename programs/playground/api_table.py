"""What of Discord's API is here and what is not, as Markdown: `uv run python -m programs.playground --table`."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from programs.playground.gateway_events import told_to_bots
from programs.playground.intents import Intent


@dataclass(frozen=True)
class Family:
    """Operations that belong together: those whose path `pattern` finds, and that no family before this one took.

    `total` is how many Discord's document has, where `@original` is a message like any other; `missing` names the
    most wanted of those that are not here.
    """

    name: str
    pattern: str
    total: int
    missing: tuple[str, ...]


# A test checks it against Discord's document.
FAMILIES = (
    Family("Threads and forum posts", r"threads|thread-members", 13, ("thread_search",)),
    Family(
        "Messages, reactions, typing",
        r"^/channels/{}/(messages|typing|pins|polls)",
        22,
        ("crosspost_message", "delete_user_message_reaction", "get_answer_voters", "poll_expire"),
    ),
    Family(
        "Application commands",
        r"^/applications/{}(/guilds/{})?/commands",
        15,
        ("set_guild_application_command_permissions",),
    ),
    Family(
        "Interactions and webhooks",
        r"^/interactions|webhooks",
        16,
        ("update_webhook", "get_webhook", "execute_slack_compatible_webhook"),
    ),
    Family(
        "Channels and DMs",
        r"^/channels|^/users/@me/channels|^/guilds/{}/channels",
        16,
        ("create_guild_channel", "set_channel_permission_overwrite", "create_channel_invite"),
    ),
    Family(
        "The guild, its members and roles",
        r"^/guilds/{}(/members.*|/roles.*)?$",
        18,
        ("list_guild_members", "update_guild_member", "create_guild_role"),
    ),
    Family(
        "Users, the application, the gateway",
        r"^/(users|oauth2|gateway|applications)",
        35,
        ("update_my_user", "list_my_guilds", "list_application_emojis", "get_entitlements"),
    ),
    Family(
        "All else",
        r"",
        104,
        ("ban_user_from_guild", "list_guild_emojis", "create_guild_scheduled_event", "get_voice_state", "create_lobby"),
    ),
)


def table(routes: Iterable[tuple[str, str]]) -> str:
    """`routes` are method and path template of what is here."""
    here = Counter(family_of(path).name for _, path in set(_shapes(routes)))
    rows = ["| REST | here | in Discord | not here, for example |", "| --- | ---: | ---: | --- |"]
    rows += [f"| {one.name} | {here[one.name]} | {one.total} | {_listed(one.missing)} |" for one in FAMILIES]
    return "\n".join(
        [
            *rows,
            "",
            f"Gateway events: {_listed(told_to_bots())}.",
            f"Intents that make a difference: {_listed(str(one.name) for one in Intent)}.",
        ]
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def family_of(path: str) -> Family:
    """The family that a path belongs to."""
    return next(family for family in FAMILIES if re.search(family.pattern, shape(path)))


def shape(template: str) -> str:
    """A path template without the names of its parameters."""
    return re.sub(r"\{\w+\}", "{}", template.replace("/messages/@original", "/messages/{}"))


def _shapes(routes: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return ((method, shape(path)) for method, path in routes)
