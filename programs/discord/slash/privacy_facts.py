"""What /privacy says: the facts of this bot, from the settings in force."""

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

import discord

from llmgine.engine.auditing import KEPT_DAYS as AUDIT_DAYS
from llmgine.engine.retention import BACKUPS_KEPT, CONTEXT_KEPT
from llmgine.messages.translatable import Text, joined, tr, tr_many
from llmgine.sessions.operations.allowances import KEPT_DAYS as USE_DAYS
from llmgine.sessions.store import database_file
from llmgine.settings import is_loopback, split_name
from programs.settings import ProgramSettings

_OPENAI = "api.openai.com"
# Where the providers ask if no address is set.
_ADDRESSES = {"openai": f"https://{_OPENAI}", "anthropic": "https://api.anthropic.com"}
_OPEN_METEO = "api.open-meteo.com"
_SEARCHES = {"brave": "https://api.search.brave.com", "tavily": "https://api.tavily.com"}

BACKUPS = tr_many(
    "Backups that still have it are deleted within {count} day.",
    "Backups that still have it are deleted within {count} days.",
    BACKUPS_KEPT.days,
)


def card(settings: ProgramSettings, begins: datetime | None) -> Iterator[tuple[Text, Text]]:
    """The facts, each with its heading.

    Args:
        settings: Those in force.
        begins: When idle conversations begin to be erased, if they are.
    """
    yield (
        tr("What"),
        tr(
            "What you ask me, with the files that come with it, the message you reply to and the names of those you "
            "mention; my answers and what tools gave; your name and user id; settings you make; how much was used; who "
            "changed settings, approved tools or used moderators' commands. "
            "In servers, as far as {context} says: what was written shortly before a question, for up to {days} days. "
            "Not what else is said without asking me.",
            context="`/context`",
            days=CONTEXT_KEPT.days,
        ),
    )
    yield tr("Where"), _where(settings)
    yield tr("How long"), _how_long(settings, begins)
    yield tr("Who else gets it"), _services(settings)
    yield (
        tr("Erase and export"),
        tr(
            "`/forget me` erases everything of yours, `/export me` gives you a copy. Delete a question, or press Undo "
            "under its answer, to erase it alone; `/clear` erases a channel's conversation."
        ),
    )
    if settings.privacy_url is not None:
        yield tr("Privacy notice"), joined("", f"<{settings.privacy_url}>")


def _where(settings: ProgramSettings) -> Text:
    has_file = database_file(settings.database_url) is not None
    database = tr("in a database file") if has_file else tr("in a PostgreSQL database")
    backups = tr("backups of it, ") if has_file and settings.backup_megabytes != 0 else ""
    words = tr("My operator keeps it on a machine of theirs: {database}, {backups}and a log of what I did.")
    return words.filled(database=database, backups=backups)


def _how_long(settings: ProgramSettings, begins: datetime | None) -> Text:
    if settings.retention_days is None:
        kept = tr("Conversations are kept until they are erased.")
    else:
        kept = tr_many(
            "Conversations that nobody uses are erased after {count} day.",
            "Conversations that nobody uses are erased after {count} days.",
            settings.retention_days,
        )
    since = "" if begins is None else tr("That begins {when}.", when=discord.utils.format_dt(begins, "R"))
    log = tr_many("The log is kept for {count} day.", "The log is kept for {count} days.", settings.log_days)
    audit = tr_many(
        "Who changed which setting, or approved what, is kept for {count} day.",
        "Who changed which setting, or approved what, is kept for {count} days.",
        AUDIT_DAYS,
    )
    use = tr_many("How much was used is kept for {count} day.", "How much was used is kept for {count} days.", USE_DAYS)
    gone = tr("All that is stored of a server that I leave is erased a week later.")
    return joined(" ", kept, since, log, audit, use, gone)


def _services(settings: ProgramSettings) -> Text:
    """Which services are asked, one line each."""
    weather = settings.weather_base_url or (f"https://{_OPEN_METEO}" if settings.has_model else None)
    lines = [_model(settings)]
    if weather is not None:
        lines.append(tr("The weather service {host} gets the names of places.", host=_host(weather)))
    if settings.transcribe_model is not None:
        lines.append(_transcriber(settings))
    if settings.web_fetch:
        lines.append(tr("Websites are asked for the pages that I read for you; they are not told who you are."))
    if settings.mcp_config is not None:
        lines.append(tr("The MCP servers that my operator set up get what I call their tools with."))
    if settings.web_search is not None:
        lines.append(_searcher(settings.web_search, settings.searxng_url))
    if settings.smtp_host:
        lines.append(tr("The mail server {host} gets e-mails that you approve.", host=f"`{settings.smtp_host}`"))
    return joined("\n", *lines)


def _model(settings: ProgramSettings) -> Text:
    if not settings.has_model:
        return tr("Nobody: answers come from a demo model in my own program.")
    models = (settings.openai_model, *settings.allowed_models, *settings.fallback_models)
    hosts = dict.fromkeys(_model_host(settings, name) for name in models)
    return joined("\n", *(_model_at(host) for host in hosts))


def _model_host(settings: ProgramSettings, model: str | None) -> str:
    """Where a model answers; "" for this machine."""
    name, _ = split_name(model or "")
    address = settings.address_of_model(model) or _ADDRESSES.get(name or settings.provider_and_model[0], "")
    host = urlsplit(address).hostname or ""
    return "" if is_loopback(host) else host


def _model_at(host: str) -> Text:
    if not host:
        return tr("The model that answers runs on my operator's machine.")
    return tr("The model service {host} gets your questions and the conversation before them.", host=f"`{host}`")


def _transcriber(settings: ProgramSettings) -> Text:
    _, address = settings.transcribe_service
    host = urlsplit(address or f"https://{_OPENAI}").hostname or ""
    if is_loopback(host):
        return tr("Voice messages and audio are made text on my operator's machine; I don't keep the sound.")
    return tr("The service {host} gets voice messages and audio, to make text of them.", host=f"`{host}`")


def _searcher(service: str, searxng: str | None) -> Text:
    address = searxng if service == "searxng" else _SEARCHES[service]
    return tr("The search service {host} gets the words that I search for.", host=_host(address or ""))


def _host(address: str) -> str:
    return f"`{urlsplit(address).hostname}`"
