"""What Discord takes, as metrics: waiting for the first message, edits sent and spared, requests over the rate."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from llmgine.messages.chat_messages import Usage
from llmgine.observability import MetricEvent
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.scripted import OnText, ScriptedProvider
from programs.discord.delivery.metrics import TurnCounts
from tests.llmgine.observability.application import Collected
from tests.programs.discord.scene import Scene

CREATE = ("POST", "/channels/{channel_id}/messages")


def listen(scene: Scene) -> Collected:
    heard = Collected()
    scene.app.bus.register_event_handler(MetricEvent, heard.keep)
    return heard


def streaming(pieces: int) -> ScriptedProvider:
    """A model that gives a word whenever others had their turn, faster than messages may be edited."""

    async def answer(request: ChatRequest, on_text: OnText) -> ChatReply:
        for _ in range(pieces):
            on_text("word ")
            await asyncio.sleep(0.02)
        return ChatReply(text="word " * pieces, model="scripted", usage=Usage())

    return ScriptedProvider(answer)


async def test_a_turn_says_what_showing_it_took(unstarted: Scene) -> None:
    """Once a turn is delivered: the edits Discord got, the bodies that newer ones replaced, and the first wait."""
    scene = await unstarted.start(interval=0.3, provider=streaming(40))
    heard = listen(scene)
    begin = datetime.now(UTC)

    scene.ask("tell me")
    await scene.outcome()

    first = await heard.until("llmgine.discord.time_to_first_message")
    edits = {m.tags["llmgine.edit.outcome"]: m.value for m in heard.named("llmgine.discord.edits")}
    assert edits["sent"] == len(scene.edits())
    assert edits["coalesced"] > 0
    assert 0 < first.value < (datetime.now(UTC) - begin).total_seconds()
    (event,) = [e for e in heard.events if first in e.metrics]
    assert event.session_id is not None


@pytest.mark.parametrize("scope", ["user", "shared", "global"])
async def test_each_429_is_counted(scene: Scene, caplog: pytest.LogCaptureFixture, scope: str) -> None:
    """A request over the rate is a metric with its kind of route and whose limit it was; the answer comes anyway."""
    heard = listen(scene)
    scene.playground.faults.plan("rate_limit", *CREATE, retry_after=0.01, scope=scope, times=2)

    scene.ask("hello")
    await scene.outcome()

    tags = {
        "http.request.method": "POST",
        "llmgine.discord.route": "channels",
        "llmgine.discord.scope": scope,
    }
    assert [(m.value, m.unit, m.tags) for m in heard.named("llmgine.discord.rate_limited")] == [
        (1, "{request}", tags),
        (1, "{request}", tags),
    ]
    caplog.clear()


def test_nothing_done_is_nothing_told() -> None:
    """A turn without posts and edits has no metrics, and a clock that was set back no negative wait."""
    counts = TurnCounts()
    assert counts.metrics(datetime.now(UTC)) == []

    counts.count_post()
    (wait,) = counts.metrics(datetime.now(UTC) + timedelta(hours=1))
    assert wait.value == 0
