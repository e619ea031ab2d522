"""Which limits of a day apply to a call, as settings say it; no I/O.

A setting `daily_tokens` or `daily_dollars` limits its scope. With `:person` behind its name it limits each person
in the scope, and with `:role:` and a role's id each person with that role. Of a person's roles the most generous one
counts, in place of what each person may use.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from llmgine.messages.commands import EVERYWHERE, Author
from llmgine.messages.translatable import Text, tr
from llmgine.sessions.costs import DAY, NANO, Allowance, Asker, Purpose, Today, Unit
from llmgine.sessions.records import Setting

PERSON = "person"
TIMEZONE = "timezone"  # the setting of a person
RESETS_AT = "resets_at"  # in a text about a limit, the value that says when it resets: seconds since 1970

_NAME = re.compile(r"daily_(tokens|dollars)(?::(person)|:role:(\w{1,40}))?")
_TOKENS = re.compile(r"[1-9][0-9]{0,11}")
_DOLLARS = re.compile(r"[0-9]{1,7}(\.[0-9]{1,4})?")
_UNITS: tuple[Unit, ...] = ("tokens", "dollars")


def limit_name(unit: Unit, whose: str = "") -> str:
    """The name of the setting for a limit: of a scope (""), of each `PERSON`, or of each with a role ("role:7")."""
    return f"daily_{unit}" + (f":{whose}" if whose else "")


def amount(name: str, value: str) -> int | None:
    """What a limit is worth, in tokens or billionths of a dollar; None for what is none."""
    if not _NAME.fullmatch(name):
        return None
    if name.startswith(limit_name("tokens")):
        return int(value) if _TOKENS.fullmatch(value) else None
    return (int(Decimal(value) * NANO) or None) if _DOLLARS.fullmatch(value) else None


def is_amount(name: str, value: str) -> bool:
    """Whether a value can be that of a setting, which it is unless the setting is a limit and the value is none."""
    return not _NAME.fullmatch(name) or amount(name, value) is not None


def limited_roles(made: Iterable[Setting]) -> frozenset[str]:
    """The ids of the roles that limits are set for."""
    return frozenset(matched[3] for one in made if (matched := _NAME.fullmatch(one.name)) and matched[3])


def person_scope(source: str, person: Author | None) -> str | None:
    """The scope in which everything counts that a person of a front end asks for; None for a webhook, who is none."""
    return f"{source}:{PERSON}:{person.id}" if person is not None and person.is_person else None


def timezone_scope(source: str, author: Author | None) -> str:
    """The scope in which an author's time zone is set; without an author, that of whoever uses the front end."""
    return f"{source}:{PERSON}:{author.id if author else ''}"


def personal_scope(scope: str, person: str) -> str:
    """The scope in which counts what a person asks for within another scope."""
    return f"{scope}/{person}"


def purpose_scope(purpose: Purpose) -> str:
    """The scope in which calls count that are not for an answer, of all sessions together."""
    return f"purpose:{purpose}"


def counted_in(scopes: Sequence[str], asker: Asker) -> tuple[str, ...]:
    """Where a call counts.

    Args:
        scopes: The session's own scope and those it inherits from, the nearest first.
        asker: For whom it is made.

    Returns:
        These scopes, everywhere, the person's, and the person's within the widest.
    """
    person = asker.person
    own = () if person is None else (person, personal_scope(scopes[-1], person))
    return tuple(dict.fromkeys([*scopes, EVERYWHERE, *own]))


def limits(scopes: Sequence[str], made: Iterable[Setting], today: Today, asker: Asker) -> list[Allowance]:
    """The limits that apply, the nearest first, with nothing used of them.

    Args:
        scopes: The session's own scope and those it inherits from, the nearest first.
        made: The settings of these scopes.
        today: The program's own limits.
        asker: For whom a call is made.
    """
    found = [one for one in limits_made(made) if one.scope in scopes]
    shared = [one for one in found if not one.personal]
    personal: list[Allowance] = []
    if asker.person is not None:
        counted = {"scope": personal_scope(scopes[-1], asker.person)}
        personal = [one.model_copy(update=counted) for one in found if one.personal and one.scope == scopes[-1]]
    return [*shared, *_personal(personal, asker), *_of_the_program(today, asker)]


def limits_made(made: Iterable[Setting]) -> list[Allowance]:
    """The limits among settings, each in the scope that it was made for, with nothing used of it."""
    found: list[Allowance] = []
    for one in made:
        matched, most = _NAME.fullmatch(one.name), amount(one.name, one.value)
        if matched is not None and most is not None:
            unit: Unit = "tokens" if matched[1] == "tokens" else "dollars"
            personal = bool(matched[2] or matched[3])
            found.append(
                Allowance(scope=one.scope, unit=unit, most=most, made_in=one.scope, role=matched[3], personal=personal)
            )
    return found


def _personal(found: Sequence[Allowance], asker: Asker) -> Iterable[Allowance]:
    """Of what each person may use, what counts for this one: the most that one of their roles allows, else the rest."""
    for unit in _UNITS:
        own = [one for one in found if one.unit == unit]
        by_role = [one for one in own if one.role in asker.roles]
        everybody = [one for one in own if one.role is None]
        yield from sorted(by_role or everybody, key=lambda one: -one.most)[:1]


def _of_the_program(today: Today, asker: Asker) -> Iterable[Allowance]:
    for scope, tokens, nanodollars in (
        (EVERYWHERE, today.tokens, today.nanodollars),
        (asker.person, today.person_tokens, today.person_nanodollars),
    ):
        for unit, most in zip(_UNITS, (tokens, nanodollars), strict=True):
            if scope is not None and most is not None:
                yield Allowance(scope=scope, unit=unit, most=most, personal=scope != EVERYWHERE)


def said(unit: Unit, amount: int) -> Text:
    """An amount of tokens, or of billionths of a dollar, in words."""
    if unit == "tokens":
        return tr("{tokens} tokens", tokens=amount)
    dollars = amount / NANO
    if 0 < dollars < 0.01:
        return tr("${dollars:,.6f}", dollars=dollars)
    return tr("${dollars:,.4f}", dollars=dollars) if 0 < dollars < 1 else tr("${dollars:,.2f}", dollars=dollars)


def refusal(allowance: Allowance, day: int) -> Text:
    """What people are told whose question a limit leaves no room for. Its value `RESETS_AT` says when."""
    limit = said(allowance.unit, allowance.most)
    if not allowance.is_used_up:
        return tr(
            "What is left of the daily limit of {limit} is reserved for other answers. Ask again soon.", limit=limit
        )
    words = (
        tr("Your daily limit of {limit} is used up. It resets at midnight UTC: ask again then.")
        if allowance.personal
        else tr("The daily limit of {limit} is used up. It resets at midnight UTC: ask again then.")
    )
    return words.filled(limit=limit, **{RESETS_AT: (day + 1) * DAY})


def warning(allowance: Allowance, day: int) -> Text:
    """What people are told when most of a limit is used; its values are as those of a refusal."""
    words = (
        tr("{percent}% of your daily limit of {limit} is used. It resets at midnight UTC.")
        if allowance.personal
        else tr("{percent}% of the daily limit of {limit} is used. It resets at midnight UTC.")
    )
    limit, percent = said(allowance.unit, allowance.most), allowance.used * 100 // allowance.most
    return words.filled(limit=limit, percent=percent, **{RESETS_AT: (day + 1) * DAY})
