"""Secrets in a tool's result go nowhere: canaries are planted, and looked for in all that is kept or sent."""

import asyncio
import json
import logging
from pathlib import Path

import httpx2
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from llmgine.observability.redaction import REDACTED
from programs.application import configure_log
from programs.settings import ProgramSettings
from tests.programs.discord.scene import Scene

# In pieces, so that none of them looks like a secret here.
BOT_TOKEN = ".".join(["M" * 24, "Canary", "x" * 38])
KEY = "sk" + "-canary-" + "k" * 24
WEBHOOK = "https://discord.com/api/" + "webhooks/" + "123456789/canary-" + "w" * 30
PASSWORD = "the canary's own password"
CANARIES = (BOT_TOKEN, KEY, WEBHOOK.rpartition("/")[2], PASSWORD)


def read_settings() -> str:
    """Give what stands in a file of settings."""
    return json.dumps({"token": BOT_TOKEN, "key": KEY, "webhook": WEBHOOK, "password": PASSWORD, "port": 25})


def fail_with_a_secret() -> str:
    """Fail, as a client does that puts its password into the error."""
    raise RuntimeError(f"login with {PASSWORD!r} and {KEY} was refused")


async def test_a_tools_secrets_reach_nobody(
    unstarted: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the model, the cards, the store, the log of all traffic or the program's own; what is no secret stays."""
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.root.level)
    scene = await unstarted.start(tools=(read_settings, fail_with_a_secret), smtp_password=PASSWORD)
    configure_log(scene.settings.model_copy(update={"smtp_password": PASSWORD}))
    scene.model.reply(tool_calls=[("read_settings", "{}"), ("fail_with_a_secret", "{}")])
    scene.ask("what do the settings say?")
    await scene.outcome()
    await scene.stop()
    printed = capsys.readouterr().err
    assert "fail_with_a_secret" in printed

    told = [message["content"] for message in scene.model.requests[-1]["messages"] if message["role"] == "tool"]
    assert [text.count(REDACTED) for text in told] == [4, 2]
    assert '"port": 25' in told[0]
    seen = {
        "the model": json.dumps(scene.model.requests),
        "the program's log": printed,
        "Discord": json.dumps([record.request for record in scene.playground.requests]),
        **{path.name: path.read_bytes().decode(errors="replace") for path in await _files(tmp_path)},
    }
    assert {"llmgine.db", "events.jsonl"} <= seen.keys()
    assert [(name, canary) for name, text in seen.items() for canary in CANARIES if canary in text] == []


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
async def test_a_key_in_an_address_is_not_logged(
    level: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by the client that asks models and MCP servers either, where no setting names the key as a secret."""
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.root.level)
    configure_log(ProgramSettings(_env_file=None, log_level=level))

    server = TestServer(web.Application(), host="127.0.0.1")
    await server.start_server(access_log=None)

    async with server, httpx2.AsyncClient() as client:
        await client.get(f"{server.make_url('/')}?key=canary")

    logging.getLogger(__name__).info("asked")
    printed = capsys.readouterr().err
    assert "asked" in printed
    assert "canary" not in printed


async def _files(folder: Path) -> list[Path]:
    return await asyncio.to_thread(lambda: [path for path in folder.rglob("*") if path.is_file()])
