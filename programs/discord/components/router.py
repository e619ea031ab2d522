"""The router of components: every press of a component of ours, also one of an earlier process, ends in an answer."""

import asyncio
import contextlib
import logging
import re
from collections.abc import Mapping
from typing import Any

import aiohttp
import discord

from llmgine.errors import ForgottenTurnError, UserError
from llmgine.messages.translatable import tr
from llmgine.sessions import SessionStore
from programs.discord.components.button_press import ButtonPress, Handler, OutdatedError, is_form
from programs.discord.components.custom_ids import PREFIX, Action
from programs.discord.components.gates import Gates
from programs.discord.components.registry import REGISTRY, Reply
from programs.discord.components.removal import take_outdated
from programs.discord.languages import Languages
from programs.discord.permissions.rates import Rates
from programs.discord.replies import explain, is_late

_FORM_PATIENCE = 2.0  # seconds until a form has to be on its way; Discord waits for 3
_SLOW = tr("This took too long. Try again.")
_UNREACHABLE = (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError)
_OURS = re.compile(re.escape(PREFIX) + ".*", re.DOTALL)

_log = logging.getLogger(__name__)


class ComponentRouter:
    """Dispatches each press to its handler, once its gates let it through.

    Args:
        store: Where the gates look things up.
        handlers: What is done, by action; one for each entry of the registry.
        rates: How often a person may ask the model.
    """

    def __init__(self, store: SessionStore, handlers: Mapping[Action, Handler], rates: Rates) -> None:
        if missing := set(REGISTRY) ^ set(handlers):
            raise ValueError(f"not both registered and handled: {', '.join(sorted(missing))}")
        self._gates = Gates(store, rates)
        self._languages = Languages(store)
        self._handlers = handlers

    def item(self) -> type[discord.ui.DynamicItem[Any]]:
        """The dynamic item to which discord.py dispatches every component of ours; forms have no such thing."""
        router = self

        class Component(discord.ui.DynamicItem[discord.ui.Item[Any]], template=_OURS):
            @classmethod
            async def from_custom_id(
                cls, _interaction: discord.Interaction, item: discord.ui.Item[Any], _match: re.Match[str], /
            ) -> "Component":
                return cls(item)

            async def callback(self, interaction: discord.Interaction) -> None:
                await router.dispatch(interaction)

        return Component

    async def dispatch_form(self, interaction: discord.Interaction) -> None:
        """Dispatch a form that was sent, if it is one of ours; other interactions are none of it."""
        data: Any = interaction.data or {}
        if is_form(interaction) and _OURS.fullmatch(str(data.get("custom_id", ""))):
            await self.dispatch(interaction)

    async def dispatch(self, interaction: discord.Interaction) -> None:
        """Do what is pressed, or tell the person why not. Raises nothing."""
        try:
            await self._dispatch(interaction)
        except _UNREACHABLE as error:  # it was told too late, say
            data: Any = interaction.data
            _log.warning("A press of %s could not be answered: %s", data.get("custom_id"), error)

    async def _dispatch(self, interaction: discord.Interaction) -> None:
        try:
            press = ButtonPress.of(interaction)
        except UserError as error:
            await self._explain(interaction, error)
            return
        try:
            await self._handle(press)
        except OutdatedError as error:
            await self._explain(interaction, error)
            await take_outdated(press, error)
        except ForgottenTurnError as error:
            await self._explain(interaction, error)
            await take_outdated(press)
        except Exception as error:  # whatever it is, a person waits for an answer
            await self._explain(interaction, error, promised=press.entry.reply is Reply.PUBLIC)

    async def _handle(self, press: ButtonPress) -> None:
        """Answer first, then check the gates, then do it."""
        handler, reply = self._handlers[press.id.action], press.entry.reply
        if reply is Reply.FORM:
            try:
                async with asyncio.timeout(_FORM_PATIENCE):
                    await handler(await self._gates.require(press))
            except TimeoutError:
                raise UserError(_SLOW) from None
            return
        await press.interaction.response.defer(thinking=reply is Reply.PUBLIC)
        await handler(await self._gates.require(press))

    async def _explain(self, interaction: discord.Interaction, error: Exception, *, promised: bool = False) -> None:
        """Tell the person alone what went wrong; a public answer that was `promised` is taken away."""
        with contextlib.suppress(discord.HTTPException):
            if promised and interaction.response.is_done():
                await interaction.delete_original_response()
            elif not interaction.response.is_done() and interaction.message is not None and not is_late(error):
                await interaction.response.defer()  # so that the message that was pressed can be changed afterwards
        await explain(interaction, self._languages, error)
