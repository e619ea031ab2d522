"""The commands that change a setting, one for each line of the table, and /settings, which shows what is in effect."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import discord
from discord import app_commands

from llmgine.engine.engine import MAX_SYSTEM_PROMPT
from llmgine.errors import UserError
from llmgine.messages.commands import Author, ChangeSettingCommand
from llmgine.messages.translatable import Text, joined, tr
from llmgine.sessions.records import Setting
from llmgine.sessions.scoped import fits
from programs.application import NOT_CHOSEN, Application
from programs.discord.components.button_press import ButtonPress, Handler
from programs.discord.components.custom_ids import Action, ComponentId
from programs.discord.components.gates import SYSTEM_PROMPT, require_setter
from programs.discord.components.views import Field, form
from programs.discord.ids import Place
from programs.discord.languages import Languages
from programs.discord.replies import answer, answer_privately, plain_name, quoted, show, show_privately
from programs.discord.setting_specs import INHERIT, SETTING_SPECS, WHERE, SettingSpec, Where, scope_at
from programs.discord.slash.setting_values import Values, shown
from programs.discord.translation import described, language_of

_MOST_CHOICES, _LONGEST_CHOICE = 25, 100  # Discord's bounds on what autocompletion offers
Choice = app_commands.Choice[str]

_SHOW = tr("Show the settings in effect here and where each comes from")
_PROMPT = "prompt"  # the input of the form for the system prompt


class SettingChanges:
    """What the commands do to the settings."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._values = Values(app.engine)
        self.languages = Languages(app.store)

    async def effective(self, channel: object, spec: SettingSpec, outward_of: str | None = None) -> Setting | None:
        """The setting that holds in a channel; `outward_of` leaves that scope and those inside it out."""
        order = Place.of(channel).scopes
        if outward_of is not None:
            order = order[order.index(outward_of) + 1 :]
        found = await self._app.store.settings.of(order)
        return next((one for one in found if one.name == spec.name and fits(spec.model, one.name, one.value)), None)

    def default(self, spec: SettingSpec) -> Text | str:
        """The effective value where nobody set one."""
        model = self._app.engine.model.name or Text(id=NOT_CHOSEN)
        own = {"system_prompt": self._app.config.settings.system_prompt, "model": model}
        return own.get(spec.name, spec.default)

    async def change(self, interaction: discord.Interaction, spec: SettingSpec, value: str, where: Where) -> Text:
        """Make a setting, or take it away, as far as the person may; returns what to tell of it."""
        require_setter(interaction, spec, where)
        return await self._change(interaction, spec, value, where)

    async def _change(self, interaction: discord.Interaction, spec: SettingSpec, value: str, where: Where) -> Text:
        if interaction.channel is None:
            raise UserError(tr("This works in a channel, a thread or a DM."))
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
            inherited = wider.value if wider else str(self.default(spec))
            return text if text not in ("", inherited.strip()) else None
        return await self._values.stored(spec, text, getattr(channel, "guild", None))

    async def show(self, interaction: discord.Interaction, spec: SettingSpec) -> Text:
        """What holds here, where it comes from, and what else it could be."""
        words = await self._words(interaction.channel, spec)
        choices = [tr("-# {value}: {meaning}", value=value, meaning=meaning) for value, meaning in spec.choices.items()]
        return joined("\n", tr("**/{command}**: {words}", command=spec.command, words=words), *choices)

    async def overview(self, interaction: discord.Interaction) -> discord.Embed:
        """All settings that hold here, each with where it comes from."""
        say = language_of(interaction.locale).say
        about = say(tr("Change each one with the command of its name."))
        embed = discord.Embed(title=say(tr("Settings here")), description=about)
        for spec in SETTING_SPECS:
            words = say(await self._words(interaction.channel, spec))
            embed.add_field(name=f"/{spec.command}: {say(spec.description)}", value=words, inline=False)
        return embed

    async def _words(self, channel: object, spec: SettingSpec) -> Text:
        """What holds, and where it comes from; of budgets all hold, each with what was used of it."""
        if spec.name == "daily_tokens":
            limits = await self._budgets(channel, spec)
            if limits:
                return joined("\n", *limits)
        setting = None if spec.name == "daily_tokens" else await self.effective(channel, spec)
        if setting is None:
            return tr("{value} · default", value=shown(spec, self.default(spec)))
        return joined(" · ", shown(spec, setting.value), _from(setting))

    async def _budgets(self, channel: object, spec: SettingSpec) -> list[Text]:
        store, order = self._app.store, Place.of(channel).scopes
        made = {one.scope: one for one in await store.settings.of(order) if one.name == spec.name}
        lines: list[Text] = []
        for allowance in await store.allowances.of(order, store.today):
            own = allowance.scope not in made
            origin = tr("from the program's settings") if own else _from(made[allowance.scope])
            used = tr("{tokens} used today", tokens=allowance.used)
            if allowance.is_used_up:
                used = tr("{tokens} used today, so I don't answer", tokens=allowance.used)
            lines.append(joined(" · ", shown(spec, str(allowance.tokens)), used, origin))
        return lines

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
        present = setting.value if setting else str(self.default(SYSTEM_PROMPT))
        field = Field(
            _PROMPT,
            tr("Instructions for the model"),
            MAX_SYSTEM_PROMPT,
            tr("{scope}. Leave empty to use the inherited prompt.", scope=WHERE[where][0]),
            present[:MAX_SYSTEM_PROMPT],
            required=False,
        )
        return form(interaction, ComponentId(Action.SYSTEM, where), tr("System prompt"), field)

    async def set_system(self, press: ButtonPress) -> None:
        """Set the system prompt to what was written into the form, and tell the channel."""
        interaction, where = press.interaction, cast("Where", press.id.about)
        told = await self._change(interaction, SYSTEM_PROMPT, press.texts[_PROMPT], where)
        language = await self.languages.of_reply(interaction)
        await show(interaction, language.say(told))


def _from(setting: Setting) -> Text:
    """Where a setting comes from, in words."""
    origin, when = _origin(setting.scope), discord.utils.format_dt(setting.changed_at, "R")
    if not setting.changed_by:
        return tr("from {origin}, {when}", origin=origin, when=when)
    return tr("from {origin}, set by {who} {when}", origin=origin, who=f"<@{setting.changed_by}>", when=when)


def _origin(scope: str) -> Text | str:
    """Where a setting was made, in words."""
    _, kind, *_ = scope.split(":")
    return {"category": tr("the category"), "server": tr("the server")}.get(kind, f"<#{kind}>")


_PLACES: Mapping[Where, Text] = {
    "here": tr("here"),
    "category": tr("in this category"),
    "server": tr("in this server"),
}


def _told(spec: SettingSpec, value: str | None, where: Where, name: str) -> Text:
    about: dict[str, Text | str] = {"name": name, "place": _PLACES[where], "command": spec.command}
    if spec.name == "system_prompt":
        if value is None:
            return tr("{name} removed the system prompt set {place}.", **about)
        return tr("{name} set the system prompt {place}:\n{prompt}", prompt=quoted(value), **about)
    if value is None and spec.name == "daily_tokens":
        return tr("{name} removed the daily token limit {place}.", **about)
    if value is None:
        return tr("{name} removed the setting /{command} {place}; the wider one applies again.", **about)
    if value not in spec.choices:
        return tr("{name} set /{command} {place} to {value}.", value=shown(spec, value), **about)
    meaning = spec.choices[value]
    return tr(
        "{name} set /{command} {place} to {value} ({meaning}).", value=shown(spec, value), meaning=meaning, **about
    )


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
            if spec.told:
                await answer(interaction, changes.languages, changes.change, spec, value, place)
            else:
                await answer_privately(interaction, changes.change, spec, value, place)
        elif spec is SYSTEM_PROMPT:
            await interaction.response.send_modal(await changes.system_form(interaction, place))
        else:
            await answer_privately(interaction, changes.show, spec)

    async def suggest(interaction: discord.Interaction, typed: str) -> list[Choice]:
        return await changes.suggest(interaction, spec, typed)

    change = app_commands.choices(
        where=[app_commands.Choice(name=described(words), value=place) for place, (words, _) in WHERE.items()]
    )(change)
    if spec.choices:
        offered = {**spec.choices, INHERIT: tr("Use the category's or server's setting")}
        change = app_commands.choices(
            value=[
                app_commands.Choice(name=described(joined(": ", value, words)), value=value)
                for value, words in offered.items()
            ]
        )(change)
    elif spec is not SYSTEM_PROMPT:
        change = app_commands.autocomplete(value=suggest)(change)
    change = app_commands.describe(
        value=described(tr("New value; leave empty to see the current one")),
        where=described(tr("Scope: this channel (default), its category, or the server")),
    )(change)
    change = app_commands.rename(value=spec.parameter)(change)
    return app_commands.Command(name=spec.command, description=described(spec.description), callback=change)


def _settings(changes: SettingChanges) -> app_commands.Command[Any, ..., Any]:
    @app_commands.command(name="settings", description=described(_SHOW))
    async def settings(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await show_privately(interaction, await changes.overview(interaction))

    return settings
