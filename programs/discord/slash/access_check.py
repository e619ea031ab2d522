"""The checks of /doctor on what the operator allows: servers that are not served, and choices made before."""

import discord

from llmgine.messages.translatable import joined, tr
from llmgine.sessions.records import SessionSettings
from llmgine.sessions.scoped import effective
from programs.application import Application
from programs.discord.ids import Place
from programs.discord.permissions.authorize import access_of
from programs.discord.slash.findings import Finding, quoted

_SERVERS, _CHOICES = tr("Servers"), tr("Choices here")
_MAX_NAME, _MOST = 60, 10


def servers(client: discord.Client) -> list[Finding]:
    """The servers that the bot is in and does not serve, for the operator; nothing where there are none."""
    unserved = access_of(client).unserved()
    if not unserved:
        return []
    named = [f"{quoted(guild.name, _MAX_NAME)} ({guild.id})" for guild in unserved[:_MOST]]
    if len(unserved) > _MOST:
        more = tr("and {count} more", count=len(unserved) - _MOST)
        listed = joined(", ", *named, more)
    else:
        listed = joined(", ", *named)
    words = tr("I'm in servers that ALLOWED_SERVERS and BLOCKED_SERVERS leave out: {servers}", servers=listed)
    return [Finding(_SERVERS, 1, words)]


async def choices(app: Application, channel: object) -> list[Finding]:
    """What was chosen for a channel and would not be allowed today; nothing where there is nothing.

    Raises:
        StoreError: That cannot be looked up.
    """
    made = effective(SessionSettings, await app.store.settings.of(Place.of(channel).scopes))
    allowed, own = app.engine.settings.choices, app.engine.model.name
    found: list[Finding] = []
    if not allowed.allows_model(made.model, own):
        name = quoted(made.model or "", _MAX_NAME)
        words = tr(
            "the model {model} stays in use here, but the operator doesn't allow it for new choices. "
            "To change it, use /model, or add it to ALLOWED_MODELS",
            model=name,
        )
        found.append(Finding(_CHOICES, 1, words))
    if not allowed.allows_effort(made.effort):
        words = tr(
            "the effort {effort} stays in use here, but is above MAX_EFFORT", effort=quoted(made.effort or "", 20)
        )
        found.append(Finding(_CHOICES, 1, words))
    return found
