"""The model check of /doctor: a real question to the model, with the tools that are offered in the channel."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import discord

from llmgine.errors import (
    EmptyReplyError,
    ProviderBusyError,
    ProviderError,
    StoreError,
    UnknownSessionError,
    UserError,
)
from llmgine.messages.chat_messages import ChatMessage
from llmgine.messages.text import collapse_spaces, shorten
from llmgine.messages.translatable import Text, joined, tr, tr_many
from llmgine.providers.base import Change, Learnt
from llmgine.providers.choosing import shutdown_notice
from llmgine.sessions.clock import now
from llmgine.sessions.records import SessionSettings
from llmgine.sessions.scoped import effective
from llmgine.settings import PROVIDERS, split_name
from programs.application import Application
from programs.demo_model import MODEL as DEMO_MODEL
from programs.discord.channel_settings import Channels
from programs.discord.ids import Place, asker_of, channel_name
from programs.discord.slash.findings import PATIENCE, Finding, milliseconds, quoted, reason

_ABOUT = tr("Model")
_INTERVAL = 60.0  # seconds for which a finding is shown again, without another question
_SLOW = 10.0  # seconds from which an answer is worth a word
_MAX_NAME, _MAX_SAID = 60, 200
_MOST_TOOLS = 20  # offered with the question
_ASK = (
    ChatMessage(role="system", content="Answer in one word. Call no tool."),
    ChatMessage(role="user", content="Say OK."),
)


class ModelCheck:
    """Asks the model, at most once a minute, however many people want to know and wherever they are."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._channels = Channels(app.store)
        self._one_at_a_time = asyncio.Lock()
        self._found: Finding | None = None
        self._asked_at = 0.0

    async def finding(self, interaction: discord.Interaction) -> Finding:
        """What the model answers in the channel of an interaction, or what the last question within a minute found."""
        if self._app.engine.model.name == DEMO_MODEL:
            words = tr("the offline demo model, which only knows a few phrases. Set OPENAI_API_KEY or OPENAI_BASE_URL")
            return Finding(_ABOUT, 1, words)
        async with self._one_at_a_time:
            age = time.monotonic() - self._asked_at
            if self._found is not None and age < _INTERVAL:
                return replace(
                    self._found,
                    words=tr("{words} (asked {seconds:.0f} s ago)", words=self._found.words, seconds=age),
                )
            self._asked_at, self._found = time.monotonic(), None
            try:
                self._found = await self._ask(interaction)
            except UserError as error:  # nothing was asked, so the next use may ask
                return Finding(_ABOUT, 1, tr("not asked: {reason}", reason=reason(error)))
            return self._found

    async def _ask(self, interaction: discord.Interaction) -> Finding:
        """Ask within the time there is, which covers the wait until no turn needs the model."""
        store = self._app.store
        settings = effective(SessionSettings, await store.settings.of(Place.of(interaction.channel).scopes))
        try:
            async with asyncio.timeout(PATIENCE):
                found = await self._answer(interaction, settings)
        except TimeoutError:
            found = Finding(
                _ABOUT, 2, tr("{model} gave no answer in {seconds:.0f} s", model=self._name(settings), seconds=PATIENCE)
            )
        except ProviderBusyError as error:
            found = Finding(
                _ABOUT, 1, tr("{model} is busy: {reason}", model=self._name(settings), reason=reason(error))
            )
        except ProviderError as error:
            found = Finding(_ABOUT, 2, tr("{model}: {reason}", model=self._name(settings), reason=reason(error)))
        except StoreError as error:
            found = Finding(_ABOUT, 1, tr("could not be checked: {reason}", reason=reason(error)))
        notice = await self._shutdown(settings)
        if notice is None:
            return found
        words = tr("{words} · {notice}", words=found.words, notice=notice)
        return replace(found, level=max(found.level, 1), words=words)

    async def _answer(self, interaction: discord.Interaction, settings: SessionSettings) -> Finding:
        model = self._app.engine.model
        session_id = await self._session(interaction)
        tools = self._app.engine.tools.schemas(settings.tools)[:_MOST_TOOLS]
        begun = time.monotonic()
        learnt: tuple[Learnt, ...] = ()
        try:
            limited = (await self._channels.settings(interaction.channel)).limited_roles
            asker = asker_of(interaction.user, limited)
            reply = await model.side_request(session_id, _ASK, "check", asker=asker, model=settings.model, tools=tools)
            learnt = reply.learnt
        except EmptyReplyError as error:
            if not error.thought:
                raise
        model_name, took = self._name(settings), milliseconds(time.monotonic() - begun)
        refusal = self._refusal_of_tools(settings, learnt) if tools else None
        if refusal is not None:
            without = tr("{model} answers in {time}, but only without tools.", model=model_name, time=took)
            said = tr("The service said: {words}.", words=quoted(refusal, _MAX_SAID)) if refusal else ""
            advice = tr("Choose another model with /model, or set /tools to none")
            return Finding(_ABOUT, 1, joined(" ", without, said, advice))
        words = tr("{model} answers in {time}, with {tools}", model=model_name, time=took, tools=_offered(len(tools)))
        if time.monotonic() - begun > _SLOW:
            return Finding(_ABOUT, 1, tr("{words}. That is slow", words=words))
        return Finding(_ABOUT, 0, words)

    def _refusal_of_tools(self, settings: SessionSettings, learnt: Iterable[Learnt]) -> str | None:
        """What the service said when it refused tools, now or within a day; None where it takes them."""
        model = self._app.engine.model
        name = settings.model or model.name
        told = [one.said for one in learnt if one.change is Change.NO_TOOLS]
        told += [
            one.said
            for one in model.lessons.all()
            if (one.service, one.model, one.name) == (model.service_of(name), name, Change.NO_TOOLS)
        ]
        return told[0] if told else None

    async def _session(self, interaction: discord.Interaction) -> str:
        """The session of the channel, which has the budgets of its place also before anything was said in it."""
        session_id = await self._channels.session_of(interaction)
        try:
            await self._app.store.sessions.get(session_id)
        except UnknownSessionError:
            name = channel_name(interaction.channel, interaction.user)
            await self._app.store.sessions.ensure(session_id, now(), name, Place.of(interaction.channel).scopes)
        return session_id

    async def _shutdown(self, settings: SessionSettings) -> Text | None:
        """What to say of a model that its service takes away soon; nothing where it does not tell in time."""
        model = self._app.engine.model
        try:
            async with asyncio.timeout(PATIENCE / 4):
                listed = await model.listed()
        except (TimeoutError, ProviderError):
            return None
        return shutdown_notice(listed, settings.model or model.name, datetime.now(UTC).date())

    def _name(self, settings: SessionSettings) -> Text | str:
        """The model's name, and that it was chosen where nobody named one."""
        model = settings.model or self._app.engine.model.name
        name = shorten(collapse_spaces(model), _MAX_NAME)
        if not name:
            return tr("no model chosen yet")
        if (split_name(model)[0] or self._app.config.settings.provider_and_model[0]) != next(iter(PROVIDERS)):
            service = self._app.engine.model.service_of(model)
            return tr("{words} at {service}", words=name, service=quoted(service, _MAX_NAME))
        chosen = settings.model is None and not self._app.config.settings.openai_model
        return tr("{model} (chosen, because OPENAI_MODEL is not set)", model=name) if chosen else name


def _offered(tools: int) -> Text:
    return tr_many("{count} tool offered", "{count} tools offered", tools) if tools else tr("no tools offered")
