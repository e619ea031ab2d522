"""/budget, which limits what answers may cost in a day, and /usage, which shows everybody their own use."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import discord
from discord import app_commands

from llmgine.messages.chat_messages import Usage
from llmgine.messages.commands import EVERYWHERE, ChangeSettingCommand
from llmgine.messages.translatable import Text, joined, tr
from llmgine.sessions.costs import DAY, Allowance, Cost, Purpose, Unit
from llmgine.sessions.limits import PERSON, limit_name, limits_made, purpose_scope, said
from llmgine.sessions.operations.allowances import KEPT_DAYS
from llmgine.sessions.records import SessionSettings, Setting
from llmgine.sessions.scoped import effective
from programs.application import Application
from programs.discord.channel_settings import Channels
from programs.discord.components.button_press import audit_origin
from programs.discord.components.gates import require_setter
from programs.discord.ids import Place, asker_of
from programs.discord.languages import Languages
from programs.discord.replies import answer, answer_privately, plain_name
from programs.discord.setting_specs import INHERIT, SETTING_SPECS, WHERE, Where, scope_at
from programs.discord.slash.findings import Finding
from programs.discord.slash.setting_values import PLACES, limit_of, limit_words, origin_of, shown_limit
from programs.discord.translation import described

BUDGET = next(spec for spec in SETTING_SPECS if spec.name == "daily_tokens")

_UNITS: tuple[Unit, ...] = ("tokens", "dollars")
_SUGGESTED = ("50000", "200000", "1000000", "$1", "$5", INHERIT)
_DAYS = 7  # that /usage lists
COST = tr("Cost")
_ASIDE: dict[Purpose, Text] = {
    "retry": tr("retries"),
    "title": tr("titles"),
    "check": tr("model checks"),
    "transcription": tr("transcripts"),
}


class Budgets:
    """What the commands do."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._channels = Channels(app.store)
        self.languages = Languages(app.store)

    async def change(
        self, interaction: discord.Interaction, value: str, where: Where, whose: str, role: discord.Role | None
    ) -> Text:
        """Set a limit, or remove those there are, as far as the person may; returns what to tell of it."""
        if whose == PERSON or role is not None:
            where, whose = "server", PERSON if role is None else f"role:{role.id}"
        require_setter(interaction, BUDGET, where)
        text = value.strip()
        unit, amount = (None, None) if text.lower() == INHERIT else limit_of(text)
        audit = audit_origin(interaction)
        scope = scope_at(interaction.channel, where)
        for name in (limit_name(one, whose) for one in ([unit] if unit else _UNITS)):
            command = ChangeSettingCommand(scope=scope, name=name, value=amount, changed_by=audit.by, audit=audit)
            (await self._app.bus.execute(command)).unwrap()
        place = joined(" ", PLACES[where], _for_whom(whose, role))
        about: dict[str, Text | str] = {"name": plain_name(interaction), "place": place, "command": BUDGET.command}
        if unit is None or amount is None:
            return tr("{name} removed the daily limit {place}.", **about)
        return tr("{name} set /{command} {place} to {value}.", value=shown_limit(unit, amount), **about)

    async def show(self, interaction: discord.Interaction) -> Text:
        """The limits here, with what was used of each, and where the prices are from."""
        lines = await budget_lines(self._app, interaction.channel)
        if not lines:
            lines = [tr("{value} · default", value=BUDGET.default)]
        words = joined("\n", *lines, _resets(self._app), joined("", "-# ", await self._prices(interaction)))
        return tr("**/{command}**: {words}", command=BUDGET.command, words=words)

    async def usage(self, interaction: discord.Interaction) -> Text:
        """What the person used today and in the last days, and their own limits."""
        store, today = self._app.store, self._app.store.today
        limited = (await self._channels.settings(interaction.channel)).limited_roles if interaction.channel else ()
        asker = asker_of(interaction.user, limited)
        used = await store.allowances.used(asker.person or "", today.day - KEPT_DAYS + 1)
        by_day = {one.day: one.cost for one in used}
        allowances = await store.allowances.of(Place.of(interaction.channel).scopes, today, asker)
        own = [_used_of(one) for one in allowances if one.personal]
        begun = datetime.fromtimestamp(today.day * DAY, UTC)
        days = [begun - timedelta(days=ago) for ago in range(1, _DAYS + 1)]
        past = [(day, by_day.get(int(day.timestamp()) // DAY)) for day in days]
        month = sum((one.cost for one in used if one.day > today.day - begun.day), Cost())
        return joined(
            "\n",
            tr("**Your use today**: {amount}", amount=_amount(by_day.get(today.day, Cost()))),
            *(own or [tr("No limit of your own applies here.")]),
            _resets(self._app),
            *(tr("{day}: {amount}", day=f"{day:%Y-%m-%d}", amount=_amount(cost)) for day, cost in past if cost),
            tr("**This month**: {amount}", amount=_amount(month)),
            tr("**Last {days} days**: {amount}", days=KEPT_DAYS, amount=_amount(sum(by_day.values(), Cost()))),
            joined("", "-# ", await self._prices(interaction)),
        )

    async def finding(self, interaction: discord.Interaction, *, all_of_it: bool) -> Finding:
        """Whether limits in dollars can be kept and, with `all_of_it`, what all answers cost today; for /doctor."""
        store, today = self._app.store, self._app.store.today
        total = [joined("; ", *await self._total())] if all_of_it else []
        words = joined(". ", *total, await self._prices(interaction))
        allowances = await store.allowances.of(Place.of(interaction.channel).scopes, today, asker_of(interaction.user))
        if await self._price_is_known(interaction) or all(one.unit == "tokens" for one in allowances):
            return Finding(COST, 0, words)
        return Finding(COST, 1, joined(" ", words, tr("So limits in dollars cannot be kept: set one in tokens")))

    async def _total(self) -> list[Text]:
        """What all answers cost today, and what for."""
        total = tr("{amount} today", amount=_amount(await self._today(EVERYWHERE)))
        aside = [(words, await self._today(purpose_scope(purpose))) for purpose, words in _ASIDE.items()]
        parts = [tr("{what} {tokens}", what=words, tokens=cost.tokens) for words, cost in aside if cost.tokens]
        return [total, tr("of which {parts}", parts=joined(", ", *parts))] if parts else [total]

    async def _today(self, scope: str) -> Cost:
        today = self._app.store.today.day
        return sum((one.cost for one in await self._app.store.allowances.used(scope, today)), Cost())

    async def _model(self, interaction: discord.Interaction) -> str:
        made = await self._app.store.settings.of(Place.of(interaction.channel).scopes)
        return effective(SessionSettings, made).model or self._app.engine.model.name

    async def _price_is_known(self, interaction: discord.Interaction) -> bool:
        prices = self._app.engine.model.spending.prices
        await prices.load()
        return prices.nanodollars(await self._model(interaction), Usage(input_tokens=1)) is not None

    async def _prices(self, interaction: discord.Interaction) -> Text:
        """Where the prices are from, or that there is none."""
        model = await self._model(interaction)
        if await self._price_is_known(interaction):
            source = self._app.engine.model.spending.prices.source
            return tr("Prices by {source}; your service's bill is what counts.", source=source or "")
        return tr("The price of {model} is not known, so only its tokens are counted.", model=model or "?")


async def budget_lines(app: Application, channel: object) -> list[Text]:
    """The limits in a channel, each with what was used of it, or for whom it is, and where it comes from."""
    store, order = app.store, Place.of(channel).scopes
    made = {(one.scope, one.name): one for one in await store.settings.of(order)}
    lines = [
        _line(one, made.get((one.made_in or "", limit_name(one.unit))))
        for one in await store.allowances.of(order, store.today)
    ]
    for setting in made.values():
        for one in limits_made([setting]):
            if one.personal:
                whom = tr("each person") if one.role is None else tr("each with {role}", role=f"<@&{one.role}>")
                lines.append(joined(" · ", shown_limit(one.unit, setting.value), whom, origin_of(setting)))
    program = tr("from the program's settings")
    own: Sequence[tuple[Unit, int | None]] = (
        ("tokens", store.today.person_tokens),
        ("dollars", store.today.person_nanodollars),
    )
    for unit, most in own:
        if most is not None:
            lines.append(joined(" · ", limit_words(unit, most), tr("each person"), program))
    return lines


def _line(one: Allowance, setting: Setting | None) -> Text:
    origin = tr("from the program's settings") if setting is None else origin_of(setting)
    return joined(" · ", _used_of(one), origin)


def _used_of(one: Allowance) -> Text:
    limit = limit_words(one.unit, one.most)
    tokens: Text | int = one.used if one.unit == "tokens" else said(one.unit, one.used)
    used = tr("{tokens} used today", tokens=tokens)
    if one.is_used_up:
        used = tr("{tokens} used today, so I don't answer", tokens=tokens)
    return joined(" · ", limit, used)


def _amount(cost: Cost) -> Text:
    """Tokens, and dollars where there are any."""
    return joined(", ", said("tokens", cost.tokens), *([said("dollars", cost.nanodollars)] if cost.nanodollars else []))


def _resets(app: Application) -> Text:
    return tr("Limits reset {when}.", when=f"<t:{(app.store.today.day + 1) * DAY}:R>")


def _for_whom(whose: str, role: discord.Role | None) -> Text | str:
    if role is not None:
        return tr("for each member with {role}", role=role.mention)
    return tr("for each person") if whose == PERSON else ""


def commands(app: Application) -> Iterable[app_commands.Command[Any, ..., Any]]:
    """The family's commands."""
    budgets = Budgets(app)
    return _budget(budgets), _usage(budgets)


def _budget(budgets: Budgets) -> app_commands.Command[Any, ..., Any]:
    async def budget(
        interaction: discord.Interaction,
        tokens: str | None = None,
        where: str = "here",
        who: str = "",
        role: discord.Role | None = None,
    ) -> None:
        if tokens is None:
            await answer_privately(interaction, budgets.show)
        else:
            await answer(interaction, budgets.languages, budgets.change, tokens, cast("Where", where), who, role)

    async def suggest(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=text, value=text) for text in _SUGGESTED if typed.strip() in text]

    decorated = app_commands.describe(
        tokens=described(tr("Tokens, or dollars such as $2; leave empty to see the limits and what was used")),
        where=described(tr("Scope: this channel (default), its category, or the server")),
        who=described(tr("For all together (default), or for each person in the server")),
        role=described(tr("For each member of the server with this role; the most generous role counts")),
    )(budget)
    decorated = app_commands.choices(
        where=[app_commands.Choice(name=described(words), value=place) for place, (words, _) in WHERE.items()],
        who=[app_commands.Choice(name=described(tr("Each person in the server")), value=PERSON)],
    )(decorated)
    decorated = app_commands.autocomplete(tokens=suggest)(decorated)
    return app_commands.Command(name=BUDGET.command, description=described(BUDGET.description), callback=decorated)


def _usage(budgets: Budgets) -> app_commands.Command[Any, ..., Any]:
    @app_commands.command(name="usage", description=described(tr("Show what you used today, and your limits")))
    async def usage(interaction: discord.Interaction) -> None:
        await answer_privately(interaction, budgets.usage)

    return usage
