"""The commands that change a setting, one for each line of the table, and /settings, which shows what is in effect."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import discord
from discord import app_commands

from llmgine.engine.setting_changes import MAX_SYSTEM_PROMPT
from llmgine.errors import UserError
from llmgine.messages.commands import ChangeSettingCommand
from llmgine.messages.translatable import Text, joined, tr
from llmgine.sessions.records import Setting
from llmgine.sessions.scoped import fits
from programs.application import NOT_CHOSEN, Application
from programs.discord.components.button_press import ButtonPress, Handler, audit_origin
from programs.discord.components.custom_ids import Action, ComponentId
from programs.discord.components.gates import SYSTEM_PROMPT, require_setter
from programs.discord.components.views import Field, form
from programs.discord.ids import Place
from programs.discord.languages import Languages
from programs.discord.replies import answer, answer_privately, plain_name, quoted, show, show_privately
from programs.discord.setting_specs import INHERIT, SETTING_SPECS, WHERE, SettingSpec, Where, scope_at
from programs.discord.slash import pauses
from programs.discord.slash.budgets import BUDGET, budget_lines
from programs.discord.slash.setting_values import PLACES, Values, origin_of, shown
from programs.discord.translation import described, language_of

_MOST_CHOICES, _LONGEST_CHOICE = 25, 100  # Discord's bounds on what autocompletion offers
Choice = app_commands.Choice[str]

_SHOW = tr("Show the settings in effect here and where each comes from")
_PAUSES = tr("What is paused")
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

    async def change_all(
        self, interaction: discord.Interaction, wanted: Sequence[tuple[SettingSpec, str]], where: Where
    ) -> Text:
        """Make several settings, one after the other; returns what to tell of them."""
        return joined("\n", *[await self.change(interaction, spec, value, where) for spec, value in wanted])

    async def _change(self, interaction: discord.Interaction, spec: SettingSpec, value: str, where: Where) -> Text:
        if interaction.channel is None:
            raise UserError(tr("This works in a channel, a thread or a DM."))
        scope = scope_at(interaction.channel, where)
        wanted = await self._checked(spec, value, scope, interaction.channel)
        audit = audit_origin(interaction)
        command = ChangeSettingCommand(scope=scope, name=spec.name, value=wanted, changed_by=audit.by, audit=audit)
        stored = (await self._app.bus.execute(command)).unwrap()
        return _told(spec, stored, where, plain_name(interaction))

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

    async def show_all(self, interaction: discord.Interaction, specs: Sequence[SettingSpec]) -> Text:
        """What holds here for each of these."""
        return joined("\n", *[await self.show(interaction, spec) for spec in specs])

    async def show(self, interaction: discord.Interaction, spec: SettingSpec) -> Text:
        """What holds here, where it comes from, and what else it could be."""
        words = await self._words(interaction.channel, spec)
        choices = [tr("-# {value}: {meaning}", value=value, meaning=meaning) for value, meaning in self.choices(spec)]
        return joined("\n", tr("**/{command}**: {words}", command=spec.label, words=words), *choices)

    def choices(self, spec: SettingSpec) -> list[tuple[str, Text | str]]:
        """The values there are, each with what it means, as far as the operator allows them."""
        allowed = self._app.engine.settings.choices.efforts
        return [one for one in spec.choices.items() if spec.name != "effort" or one[0] in allowed]

    async def overview(self, interaction: discord.Interaction) -> discord.Embed:
        """All settings that hold here, each with where it comes from."""
        say = language_of(interaction.locale).say
        about = say(tr("Change each one with the command of its name."))
        embed = discord.Embed(title=say(tr("Settings here")), description=about)
        for spec in SETTING_SPECS:
            words = say(await self._words(interaction.channel, spec))
            embed.add_field(name=f"/{spec.label}: {say(spec.description)}", value=words, inline=False)
        place = Place.of(interaction.channel)
        paused = await self._app.store.pauses.of(place.scopes)
        value = say(pauses.listed(paused, place) if paused else pauses.NOTHING)
        embed.add_field(name=f"/pause: {say(_PAUSES)}", value=value, inline=False)
        return embed

    async def _words(self, channel: object, spec: SettingSpec) -> Text:
        """What holds, and where it comes from; of budgets all hold, each with what was used of it."""
        if spec.name == "daily_tokens":
            limits = await budget_lines(self._app, channel)
            if limits:
                return joined("\n", *limits)
        setting = None if spec.name == "daily_tokens" else await self.effective(channel, spec)
        if setting is None:
            return tr("{value} · default", value=shown(spec, self.default(spec)))
        return joined(" · ", shown(spec, setting.value), origin_of(setting))

    async def suggest(self, interaction: discord.Interaction, spec: SettingSpec, typed: str) -> list[Choice]:
        """What the text typed so far may become."""
        found = await self._values.suggest(spec, typed, interaction)
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


def _told(spec: SettingSpec, value: str | None, where: Where, name: str) -> Text:
    about: dict[str, Text | str] = {"name": name, "place": PLACES[where], "command": spec.label}
    if spec.name == "system_prompt":
        if value is None:
            return tr("{name} removed the system prompt set {place}.", **about)
        return tr("{name} set the system prompt {place}:\n{prompt}", prompt=quoted(value), **about)
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
    return (
        *(_change(spec, changes) for spec in SETTING_SPECS if spec is not BUDGET and not spec.beside),
        _settings(changes),
    )


def handlers(app: Application) -> Mapping[Action, Handler]:
    """What is done with the form of the system prompt."""
    return {Action.SYSTEM: SettingChanges(app).set_system}


def _change(spec: SettingSpec, changes: SettingChanges) -> app_commands.Command[Any, ..., Any]:
    async def change(interaction: discord.Interaction, value: str | None = None, where: str = "here") -> None:
        place = cast("Where", where)
        if value is None and spec is SYSTEM_PROMPT:
            await interaction.response.send_modal(await changes.system_form(interaction, place))
        else:
            await _use(interaction, changes, place, (spec, value))

    async def suggest(interaction: discord.Interaction, typed: str) -> list[Choice]:
        return await changes.suggest(interaction, spec, typed)

    beside = next((one for one in SETTING_SPECS if one.command == spec.command and one.beside), None)
    change = change if beside is None else _with_option(beside, spec, changes)
    change = app_commands.choices(
        where=[app_commands.Choice(name=described(words), value=place) for place, (words, _) in WHERE.items()]
    )(change)
    if spec.choices:
        offered = {**dict(changes.choices(spec)), INHERIT: tr("Use the category's or server's setting")}
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


def _with_option(beside: SettingSpec, spec: SettingSpec, changes: SettingChanges) -> Any:
    """What a command does that has an option for a second setting."""

    async def suggest(interaction: discord.Interaction, typed: str) -> list[Choice]:
        return await changes.suggest(interaction, beside, typed)

    async def change(
        interaction: discord.Interaction, value: str | None = None, other: str | None = None, where: str = "here"
    ) -> None:
        await _use(interaction, changes, cast("Where", where), (spec, value), (beside, other))

    change = app_commands.autocomplete(other=suggest)(change)
    change = app_commands.describe(other=described(beside.description))(change)
    return app_commands.rename(other=beside.parameter)(change)


async def _use(
    interaction: discord.Interaction, changes: SettingChanges, where: Where, *given: tuple[SettingSpec, str | None]
) -> None:
    """Make the settings that a value is given for; without any, show those of the command."""
    wanted = [(spec, value) for spec, value in given if value is not None]
    if not wanted:
        await answer_privately(interaction, changes.show_all, [spec for spec, _ in given])
    elif any(spec.told for spec, _ in wanted):
        await answer(interaction, changes.languages, changes.change_all, wanted, where)
    else:
        await answer_privately(interaction, changes.change_all, wanted, where)


def _settings(changes: SettingChanges) -> app_commands.Command[Any, ..., Any]:
    @app_commands.command(name="settings", description=described(_SHOW))
    async def settings(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await show_privately(interaction, await changes.overview(interaction))

    return settings
