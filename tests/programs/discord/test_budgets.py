"""/budget and /usage: limits in tokens and dollars, for all together, for each person and for roles."""

import pytest

from llmgine.providers.prices import Prices
from llmgine.sessions.costs import Today
from programs.playground.entities import (
    ADA_ID,
    GENERAL_ID,
    GRACE_ID,
    GUILD_ID,
    MEMBERS_ROLE_ID,
    PERSON_PERMISSIONS,
    RANDOM_ID,
    Permission,
)
from tests.programs.discord.scene import Scene, body_of, labels
from tests.programs.discord.test_doctor import lines
from tests.programs.discord.test_settings import change
from tests.programs.discord.test_slash import said, told

PRICED = "gpt-5-mini"  # $0.25 for a million tokens of input, $2 for those of output
SERVER = f"discord:server:{GUILD_ID}"


@pytest.fixture
async def priced(unstarted: Scene) -> Scene:
    """A bot whose model has a price."""
    scene = await unstarted.start(openai_model=PRICED)
    scene.app.engine.model.spending.prices = Prices("api.openai.com")
    return scene


async def budget(scene: Scene, value: str, **options: object) -> None:
    """Set a limit."""
    await change(scene, "budget", {"tokens": value, **options})


async def made(scene: Scene, scope: str = SERVER) -> dict[str, str]:
    return {one.name: one.value for one in await scene.app.store.settings.of([scope])}


async def asks(scene: Scene, number: int, *, tokens: tuple[int, int] = (50, 10), by: int = ADA_ID) -> str:
    """Ask, and give what the answer says."""
    scene.model.reply("Fine.", usage=tokens)
    scene.ask(f"question {number}", by=by)
    return (await scene.outcome(number)).content


async def test_a_limit_for_each_person(scene: Scene) -> None:
    """Who has used theirs is refused, privately counted, with the time of the reset; everybody else is answered."""
    await budget(scene, "100", who="person")
    await said(scene, "Ada set /budget in this server for each person to `100`")

    first = [await asks(scene, number) for number in (1, 2)]
    scene.ask("once more")
    refused = await scene.outcome(3)
    buttons = labels(refused)
    grace = await asks(scene, 4, by=GRACE_ID)

    assert "📊 " not in first[0]
    assert "\n-# 📊 120% of your daily limit of 100 tokens is used. It resets at midnight UTC. (<t:" in first[1]
    assert body_of(refused.content).startswith("⚠️ Your daily limit of 100 tokens is used up.")
    assert "(<t:" in refused.content
    assert buttons[0] == "Retry"
    assert "Fine." in grace


async def test_a_limit_for_a_role(scene: Scene) -> None:
    """It is for each member with the role, in place of what each person may use; the most generous one counts."""
    role = scene.playground.admin.add_role("Supporters")
    scene.playground.admin.give_roles(GRACE_ID, MEMBERS_ROLE_ID, role)
    await budget(scene, "50", who="person")
    await change(scene, "budget", {"tokens": "1,000", "role": str(role)})
    await said(scene, f"Ada set /budget in this server for each member with <@&{role}> to `1,000`")

    ada = [await asks(scene, 1), await asks(scene, 2)]
    grace = [await asks(scene, 3, by=GRACE_ID), await asks(scene, 4, by=GRACE_ID)]

    assert ["is used up" in text for text in ada + grace] == [False, True, False, False]
    assert await made(scene) == {"daily_tokens:person": "50", f"daily_tokens:role:{role}": "1000"}


async def test_a_role_counts_for_what_was_missed(scene: Scene) -> None:
    """Messages that are read back do not carry their author's roles; Discord is asked for them."""
    role = scene.playground.admin.add_role("Nobody")
    scene.playground.admin.give_roles(GRACE_ID, MEMBERS_ROLE_ID, role)
    await change(scene, "budget", {"tokens": "1", "role": str(role)})
    await asks(scene, 1, by=GRACE_ID)
    await scene.stop()
    scene.ask("while you were away", by=GRACE_ID)

    await scene.start()

    assert "is used up" in (await scene.outcome(2)).content


@pytest.mark.parametrize("value", ["$0.0001", "0.0001$", "0,0001 $", "0.0001 USD", "$ 0.0001", "0.0001 dollars"])
async def test_a_limit_in_dollars(priced: Scene, value: str) -> None:
    """It refuses once a day's answers cost as much, and is shown with what was used and where the price is from."""
    await budget(priced, value, where="server")
    await said(priced, "Ada set /budget in this server to `$0.000100`")

    first = await asks(priced, 1, tokens=(100, 50))
    priced.ask("once more")
    refused = await priced.outcome(2)
    priced.command("budget")
    shown = (await told(priced, "**/budget**")).content

    assert "📊 125% of the daily limit of $0.000100 is used." in first
    assert "The daily limit of $0.000100 is used up." in refused.content
    assert "`$0.000100` · $0.000125 used today, so I don't answer · from the server" in shown
    assert "-# Prices by genai-prices 0." in shown
    assert "Limits reset <t:" in shown


async def test_inherit_removes_both_limits(scene: Scene) -> None:
    """That in tokens and that in dollars, of the place that is meant."""
    for value in ("100", "$2"):
        await budget(scene, value, where="server")
    await budget(scene, "100")
    before = await made(scene)

    scene.command("budget", {"tokens": "inherit", "where": "server"})
    await said(scene, "Ada removed the daily limit in this server.")

    assert before == {"daily_tokens": "100", "daily_dollars": "2"}
    assert (await made(scene), await made(scene, f"discord:{GENERAL_ID}")) == ({}, {"daily_tokens": "100"})


async def test_all_limits_are_shown(scene: Scene) -> None:
    """Those of the channel and the server, of each person and role, and of the program, each with where it is from."""
    scene.app.store.limits = Today(day=0, tokens=9_000, person_tokens=700, person_nanodollars=2_000_000_000)
    await budget(scene, "5,000", where="server")
    await budget(scene, "300", who="person")
    await change(scene, "budget", {"tokens": "400", "role": str(MEMBERS_ROLE_ID)})
    await asks(scene, 1)

    scene.command("budget", by=GRACE_ID)
    shown = (await told(scene, "**/budget**", GRACE_ID)).content

    for words in (
        "`5,000` · 60 used today · from the server, set by",
        "`300` · each person · from the server",
        f"`400` · each with <@&{MEMBERS_ROLE_ID}> · from the server",
        "`9,000` · 60 used today · from the program's settings",
        "`700` · each person · from the program's settings",
        "`$2.00` · each person · from the program's settings",
    ):
        assert words in shown, shown


@pytest.mark.parametrize("options", [{"who": "person"}, {"role": str(MEMBERS_ROLE_ID)}])
async def test_limits_of_people_are_for_who_manages_the_server(scene: Scene, options: dict[str, str]) -> None:
    """A moderator of a channel sets none for the whole server, whatever place they name."""
    scene.playground.admin.set_role(MEMBERS_ROLE_ID, PERSON_PERMISSIONS | Permission.MANAGE_MESSAGES)

    scene.command("budget", {"tokens": "1", "where": "here", **options}, by=GRACE_ID)

    await told(scene, "Only people with the permission Manage Server", GRACE_ID)
    assert await made(scene) == {}


async def test_everybody_sees_their_own_use(priced: Scene) -> None:
    """Today's, in tokens and dollars, with their limits and the reset; nobody else sees it, nor what others used."""
    await budget(priced, "1,000", who="person")
    await asks(priced, 1, tokens=(100, 50))
    await asks(priced, 2, by=GRACE_ID)

    priced.command("usage", channel=RANDOM_ID)
    shown = (await told(priced, "**Your use today**", channel=RANDOM_ID)).content

    assert "**Your use today**: 150 tokens, $0.000125\n`1,000` · 150 used today\nLimits reset <t:" in shown
    assert "**This month**: 150 tokens, $0.000125" in shown
    assert "**Last 31 days**: 150 tokens, $0.000125" in shown
    assert "-# Prices by genai-prices" in shown


async def test_past_days_are_shown(scene: Scene) -> None:
    """What was used on the days before, and the sum of the last month."""
    await asks(scene, 1)
    today = scene.app.store.clock.today()
    scene.app.store.clock.today = lambda: today + 3  # type: ignore[method-assign]
    await asks(scene, 2)

    scene.command("usage")
    shown = (await told(scene, "**Your use today**")).content

    assert "**Your use today**: 60 tokens\nNo limit of your own applies here." in shown
    assert "**Last 31 days**: 120 tokens" in shown
    assert shown.count(": 60 tokens") >= 2
    assert "The price of test-model is not known, so only its tokens are counted." in shown


async def test_the_doctor_says_what_a_limit_in_dollars_cannot_do(scene: Scene) -> None:
    """Where the model has no price; and how much of a day's tokens was for other things than answers."""
    before = (await lines(scene))["Cost"]
    await budget(scene, "$2")

    after = (await lines(scene))["Cost"]

    assert before.startswith("✅")
    assert after.startswith("⚠️")
    assert "limits in dollars cannot be kept" in after
    assert "of which model checks " in after


async def test_a_refusal_in_german(scene: Scene) -> None:
    """Amounts and words in the language of the channel."""
    await change(scene, "language", {"value": "de"})
    await budget(scene, "1,000")

    text = await asks(scene, 1, tokens=(900, 60))

    assert "📊 96 % des Tageslimits von 1.000 Token sind verbraucht." in text
