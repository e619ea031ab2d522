"""The commands that change a setting, one for each line of the table, and /settings, which shows what holds."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import discord
from discord import app_commands

from llmgine.engine.engine import MAX_SYSTEM_PROMPT
from llmgine.errors import UserError
from llmgine.messages.commands import Author, ChangeSettingCommand
from llmgine.sessions.records import Setting
from llmgine.sessions.scoped import fits
from programs.application import NOT_CHOSEN, Application
from programs.discord.components.button_press import ButtonPress, Handler
from programs.discord.components.custom_ids import Action, ComponentId
from programs.discord.components.gates import SYSTEM_PROMPT, require_setter
from programs.discord.components.views import Field, form
from programs.discord.ids import Place
from programs.discord.replies import answer, answer_privately, plain_name, quoted, show
from programs.discord.setting_specs import INHERIT, SETTING_SPECS, WHERE, SettingSpec, Where, scope_at
from programs.discord.slash.setting_values import Values, shown

_MOST_CHOICES, _LONGEST_CHOICE = 25, 100  # Discord's bounds on what autocompletion offers
Choice = app_commands.Choice[str]

_PROMPT = "prompt"  # the input of the form for the system prompt


class SettingChanges:
    """What the commands do to the settings."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._values = Values(app.engine)

    async def effective(self, channel: object, spec: SettingSpec, outward_of: str | None = None) -> Setting | None:
        """The setting that holds in a channel; `outward_of` leaves that scope and those inside it out."""
        order = Place.of(channel).scopes
        if outward_of is not None:
            order = order[order.index(outward_of) + 1 :]
        found = await self._app.store.settings.of(order)
        return next((one for one in found if one.name == spec.name and fits(spec.model, one.name, one.value)), None)

    def default(self, spec: SettingSpec) -> str:
        """What holds where nobody set it."""
        model = self._app.engine.model.name or NOT_CHOSEN
        own = {"system_prompt": self._app.config.settings.system_prompt, "model": model}
        return own.get(spec.name, spec.default)

    async def change(self, interaction: discord.Interaction, spec: SettingSpec, value: str, where: Where) -> str:
        """Make a setting, or take it away, as far as the person may; returns what to tell of it."""
        require_setter(interaction, spec, where)
        return await self._change(interaction, spec, value, where)

    async def _change(self, interaction: discord.Interaction, spec: SettingSpec, value: str, where: Where) -> str:
        if interaction.channel is None:
            raise UserError("This works in a channel, a thread or a DM.")
        scope = scope_at(interaction.channel, where)
        wanted = await self._checked(spec, value, scope, interaction.channel)
        by = Author(id=str(interaction.user.id), name=interaction.user.display_name)
        command = ChangeSettingCommand(scope=scope, name=spec.name, value=wanted, changed_by=by)
        (await self._app.bus.execute(command)).unwrap()
        return _told(spec, wanted, where, plain_name(interaction))

    async def _checked(self, spec: SettingSpec, value: str, scope: str, channel: object) -> str | None:
        """The value as it is stored, or None to take the setting away.

        Raises:
            UserError: It cannot be; the text says what can.
        """
        text = value.strip()
        if text.lower() == INHERIT and spec is not SYSTEM_PROMPT:
            return None
        if spec.name == "system_prompt":
            wider = await self.effective(channel, spec, outward_of=scope)
            return text if text not in ("", (wider.value if wider else self.default(spec)).strip()) else None
        return await self._values.stored(spec, text, getattr(channel, "guild", None))

    async def show(self, interaction: discord.Interaction, spec: SettingSpec) -> str:
        """What holds here, where it comes from, and what else it could be."""
        words = await self._words(interaction.channel, spec)
        choices = "\n".join(f"-# {value}: {meaning}" for value, meaning in spec.choices.items())
        return f"**/{spec.command}**: {words}\n{choices}"

    async def overview(self, interaction: discord.Interaction) -> discord.Embed:
        """All settings that hold here, each with where it comes from."""
        embed = discord.Embed(title="Settings here", description="Each is changed by the command of its name.")
        for spec in SETTING_SPECS:
            words = await self._words(interaction.channel, spec)
            embed.add_field(name=f"/{spec.command}: {spec.description.lower()}", value=words, inline=False)
        return embed

    async def _words(self, channel: object, spec: SettingSpec) -> str:
        """What holds, and where it comes from; of budgets all hold, each with what was used of it."""
        if spec.name == "daily_tokens":
            return await self._budgets(channel, spec) or f"{shown(spec, self.default(spec))} · default"
        setting = await self.effective(channel, spec)
        if setting is None:
            return f"{shown(spec, self.default(spec))} · default"
        return f"{shown(spec, setting.value)} · {_from(setting)}"

    async def _budgets(self, channel: object, spec: SettingSpec) -> str:
        store, order = self._app.store, Place.of(channel).scopes
        made = {one.scope: one for one in await store.settings.of(order) if one.name == spec.name}
        lines = []
        for allowance in await store.allowances.of(order, store.today):
            origin = _from(made[allowance.scope]) if allowance.scope in made else "from the program's settings"
            used = f"{allowance.used:,} used today" + (", so I do not answer" if allowance.is_used_up else "")
            lines.append(f"{shown(spec, str(allowance.tokens))} · {used} · {origin}")
        return "\n".join(lines)

    async def suggest(self, interaction: discord.Interaction, spec: SettingSpec, typed: str) -> list[Choice]:
        """What the text typed so far may become."""
        found = await self._values.suggest(spec, typed, interaction.guild)
        fitting = [name for name in found if len(name) <= _LONGEST_CHOICE][:_MOST_CHOICES]
        return [app_commands.Choice(name=name, value=name) for name in fitting]

    async def system_form(self, interaction: discord.Interaction, where: Where) -> discord.ui.Modal:
        """The present system prompt, to be read and changed."""
        scope = scope_at(interaction.channel, where)
        order = Place.of(interaction.channel).scopes
        inside = order[order.index(scope) - 1] if scope != order[0] else None
        setting = await self.effective(interaction.channel, SYSTEM_PROMPT, outward_of=inside)
        present = setting.value if setting else self.default(SYSTEM_PROMPT)
        field = Field(
            _PROMPT,
            "What the model is told first",
            MAX_SYSTEM_PROMPT,
            f"{WHERE[where][0]}. Leave it empty for what holds without it.",
            present[:MAX_SYSTEM_PROMPT],
            required=False,
        )
        return form(ComponentId(Action.SYSTEM, where), "System prompt", field)

    async def set_system(self, press: ButtonPress) -> None:
        """Set the system prompt to what was written into the form, and tell the channel."""
        interaction, where = press.interaction, cast("Where", press.id.about)
        await show(interaction, await self._change(interaction, SYSTEM_PROMPT, press.texts[_PROMPT], where))


def _from(setting: Setting) -> str:
    """Where a setting comes from, in words."""
    by = f", set by <@{setting.changed_by}>" if setting.changed_by else ""
    return f"from {_origin(setting.scope)}{by} {discord.utils.format_dt(setting.changed_at, 'R')}"


def _origin(scope: str) -> str:
    """Where a setting was made, in words."""
    _, kind, *_ = scope.split(":")
    return {"category": "the category", "server": "the server"}.get(kind, f"<#{kind}>")


def _told(spec: SettingSpec, value: str | None, where: Where, name: str) -> str:
    place = {"here": "here", "category": "in this category", "server": "in this server"}[where]
    if spec.name == "system_prompt":
        whose = {"here": "this conversation", "category": "this category", "server": "this server"}[where]
        if value is None:
            return f"{name} went back to the default system prompt of {whose}."
        return f"{name} set the system prompt of {whose}:\n{quoted(value)}"
    if value is None and spec.name == "daily_tokens":
        return f"{name} took away the budget {place}."
    if value is None:
        return f"{name} took away the setting /{spec.command} {place}; what is set more widely holds again."
    meaning = f" ({spec.choices[value].lower()})" if value in spec.choices else ""
    return f"{name} set /{spec.command} {place} to {shown(spec, value)}{meaning}."


def commands(app: Application) -> Iterable[app_commands.Command[Any, ..., Any]]:
    """The family's commands."""
    changes = SettingChanges(app)
    return (*(_change(spec, changes) for spec in SETTING_SPECS), _settings(changes))


def handlers(app: Application) -> Mapping[Action, Handler]:
    """What is done with the form of the system prompt."""
    return {Action.SYSTEM: SettingChanges(app).set_system}


def _change(spec: SettingSpec, changes: SettingChanges) -> app_commands.Command[Any, ..., Any]:
    async def change(interaction: discord.Interaction, value: str | None = None, where: str = "here") -> None:
        place = cast("Where", where)
        if value is not None:
            await (answer if spec.told else answer_privately)(interaction, changes.change, spec, value, place)
        elif spec is SYSTEM_PROMPT:
            await interaction.response.send_modal(await changes.system_form(interaction, place))
        else:
            await answer_privately(interaction, changes.show, spec)

    async def suggest(interaction: discord.Interaction, typed: str) -> list[Choice]:
        return await changes.suggest(interaction, spec, typed)

    change = app_commands.choices(
        where=[app_commands.Choice(name=words, value=place) for place, (words, _) in WHERE.items()]
    )(change)
    if spec.choices:
        offered = {**spec.choices, INHERIT: "What is set more widely"}
        change = app_commands.choices(
            value=[app_commands.Choice(name=f"{value}: {words}", value=value) for value, words in offered.items()]
        )(change)
    elif spec is not SYSTEM_PROMPT:
        change = app_commands.autocomplete(value=suggest)(change)
    change = app_commands.describe(
        value="The new one; leave it out to see the present one", where="Where it shall hold; by default only here"
    )(change)
    change = app_commands.rename(value=spec.parameter)(change)
    return app_commands.Command(name=spec.command, description=spec.description, callback=change)


def _settings(changes: SettingChanges) -> app_commands.Command[Any, ..., Any]:
    @app_commands.command(name="settings", description="Show which settings hold here, and where each comes from")
    async def settings(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await interaction.edit_original_response(embed=await changes.overview(interaction))

    return settings
