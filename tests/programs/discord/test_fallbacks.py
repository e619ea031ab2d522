"""Fallback models in Discord: who answers when a service is down, what is said of it, and what /doctor shows."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from programs.playground.entities import ADA_ID, GRACE_ID
from tests.chat_completions import ChatCompletionsServer
from tests.programs.discord.scene import Scene, body_of
from tests.programs.discord.test_doctor import lines

SECOND = "anthropic:claude-a"
NO_QUOTA = {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}
ASKING = "-# 🔀 test-model failed, asking anthropic:claude-a …"


@pytest.fixture
async def other() -> AsyncIterator[ChatCompletionsServer]:
    """The service of the fallback model."""
    async with ChatCompletionsServer() as server:
        yield server


async def start(scene: Scene, other: ChatCompletionsServer, **settings: Any) -> Scene:
    """Start with a model of another service as the fallback."""
    named: dict[str, Any] = {"fallback_models": (SECOND,), "anthropic_base_url": other.base_url, **settings}
    return await scene.start(**named)


async def test_a_line_says_who_answered_and_why(unstarted: Scene, other: ChatCompletionsServer) -> None:
    """It stands under the answer, and the footer has the model that answered."""
    scene = await start(unstarted, other)
    scene.model.fail(429, NO_QUOTA)
    other.reply("Here I am.")
    scene.ask("hello")

    outcome = await scene.outcome()

    said, line, last = outcome.content.splitlines()
    assert said == "Here I am."
    assert line.startswith("-# 🔀 anthropic:claude-a answered, because test-model failed: The account at ")
    assert "no quota or credit left" in line
    assert last.startswith("-# anthropic:claude-a · 15 tokens · ")
    assert (len(scene.model.requests), [one["model"] for one in other.requests]) == (1, ["claude-a"])


async def test_an_overloaded_model_is_asked_once_more(unstarted: Scene, other: ChatCompletionsServer) -> None:
    """In sight: first that it is tried again, then that the other one is asked, then the answer, in one message."""
    scene = await start(unstarted, other)
    for _ in range(2):
        scene.model.fail(500)
    go_on = asyncio.Event()
    other.hold(go_on, silent=True)

    scene.ask("hello")

    await scene.until(lambda: [one.content for one in scene.shown()] == [ASKING])
    go_on.set()
    await scene.outcome()
    assert (len(scene.model.requests), len(other.requests), len(scene.shown())) == (2, 1, 1)


async def test_it_is_stored_with_the_answer(unstarted: Scene, other: ChatCompletionsServer) -> None:
    """After a restart Details say it in the same words; the answer stays as it is."""
    scene = await start(unstarted, other)
    scene.model.fail(429, NO_QUOTA)
    scene.ask("hello")
    outcome = await scene.outcome()
    before = outcome.content
    await scene.stop()
    await start(scene, other)

    scene.click(outcome, "Details")

    [told] = await scene.until(lambda: scene.private(ADA_ID))
    assert before.splitlines()[1].removeprefix("-# 🔀 ") in told.content
    assert "`anthropic:claude-a`" in told.content
    assert outcome.content == before


async def test_the_line_is_translated(unstarted: Scene, other: ChatCompletionsServer) -> None:
    """In a German server it is German, with its reason."""
    unstarted.playground.state.guild.locale = "de"
    scene = await start(unstarted, other)
    scene.model.fail(429, NO_QUOTA)

    scene.ask("hello")

    begin = "-# 🔀 anthropic:claude-a hat geantwortet, weil test-model ausgefallen ist: Das Konto "
    await scene.until(lambda: any(begin in one.content for one in scene.shown()))


async def test_it_is_seen_while_the_other_model_is_asked(unstarted: Scene, other: ChatCompletionsServer) -> None:
    """Until the first words come, a line says which model failed and which is asked."""
    scene, go_on = await start(unstarted, other), asyncio.Event()
    scene.model.fail(429, NO_QUOTA)
    other.hold(go_on, silent=True)

    scene.ask("hello")

    await scene.until(lambda: [one.content for one in scene.shown()] == [ASKING])
    go_on.set()
    assert body_of((await scene.outcome()).content).startswith("Done.")
    assert len(scene.shown()) == 1


async def test_a_crash_in_the_middle_shows_nothing_twice(unstarted: Scene, other: ChatCompletionsServer) -> None:
    """A bot that ends while the other model writes goes on in the same message after the restart, with one outcome."""
    scene, never = await start(unstarted, other), asyncio.Event()
    scene.model.fail(429, NO_QUOTA)
    other.hold(never, before="I was about to ")
    scene.ask("tell me")
    half = await scene.until(lambda: next((one for one in scene.shown() if "about to" in one.content), None))
    assert half is not None
    scene.model.fail(429, NO_QUOTA)
    other.reply("I was about to say this.")
    await scene.stop()
    await start(scene, other)

    outcome = await scene.outcome()

    never.set()
    assert outcome.id == half.id
    assert outcome.content.splitlines()[0] == "I was about to say this."
    assert outcome.content.count("🔀") == 1
    assert len(scene.shown()) == 1


async def test_what_was_refused_goes_nowhere_else(unstarted: Scene, other: ChatCompletionsServer) -> None:
    """A message that is refused for its content is answered with that, and no other service sees it."""
    scene = await start(unstarted, other)
    scene.model.fail(400, {"error": {"message": "It violates our policy", "code": "content_filter"}})
    scene.ask("something bad")

    outcome = await scene.outcome()

    assert "refused this message for its content" in outcome.content
    assert other.requests == []


async def test_where_all_fail_the_notice_names_all(unstarted: Scene, other: ChatCompletionsServer) -> None:
    """First the chosen one with its reason, then the others; the next question is answered."""
    scene = await start(unstarted, other)
    scene.model.fail(429, NO_QUOTA)
    other.fail(401, {"error": {"message": "no such key"}})
    scene.ask("hello")

    outcome = await scene.outcome()

    assert "⚠️ The model test-model gave no answer. The account at " in outcome.content
    assert "These were tried too, without success: anthropic:claude-a." in outcome.content
    scene.ask("hello again")
    assert body_of((await scene.outcome(2)).content) == "You said: hello again"


class TestDoctor:
    """What /doctor shows of it."""

    async def test_what_rests_is_listed(self, unstarted: Scene, other: ChatCompletionsServer) -> None:
        """Each model that rests, until when and why; questions pass it over until then."""
        scene = await start(unstarted, other)
        scene.model.fail(429, NO_QUOTA)
        scene.ask("hello")
        await scene.outcome()
        scene.ask("hello again")
        passed = await scene.outcome(2)

        [rest] = scene.app.engine.model.rests.all()
        line = (await lines(scene, by=GRACE_ID))["Fallback models"]

        until = int(rest.until.timestamp())
        assert line.startswith(f"⚠️ **Fallback models**: `test-model` rests until <t:{until}:T>. It refused to answer: ")
        assert "anthropic:claude-a answered, because test-model failed a short time ago: " in passed.content
        assert [one.content for one in scene.history].count(ASKING) == 1
        assert len(other.requests) == 2
        assert len(scene.model.requests) == 1 + 1  # the doctor's own question is asked of the channel's model

    async def test_the_operator_sees_the_service(self, unstarted: Scene, other: ChatCompletionsServer) -> None:
        """Where it is asked is for whoever runs the bot."""
        scene = await start(unstarted, other)
        scene.model.fail(429, NO_QUOTA)
        scene.ask("hello")
        await scene.outcome()

        host = scene.model.base_url.removeprefix("http://").removesuffix("/v1")
        assert f"`test-model` at `{host}` rests until" in (await lines(scene))["Fallback models"]

    async def test_where_nothing_rests_they_are_named(self, unstarted: Scene, other: ChatCompletionsServer) -> None:
        """The line shows that the setting holds."""
        scene = await start(unstarted, other)

        assert (await lines(scene))["Fallback models"] == (
            "✅ **Fallback models**: `anthropic:claude-a`; no model rests"
        )

    async def test_without_any_there_is_no_line(self, scene: Scene) -> None:
        """Nobody is told of what is not used."""
        assert "Fallback models" not in await lines(scene)
