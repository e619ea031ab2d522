"""An application: everything opened in order, everything closed, however it goes."""

import asyncio
import gc
import json
from pathlib import Path

import pytest

from llmgine.bootstrap import ApplicationBootstrap, ApplicationConfig
from llmgine.engine import ask
from llmgine.errors import BusStoppedError, ConfigurationError, StoreError
from llmgine.messages.commands import Command, PromptCommand
from llmgine.messages.events import Event, TurnFinishedEvent
from llmgine.providers.base import ChatRequest
from llmgine.providers.scripted import ScriptedProvider
from llmgine.settings import PROVIDERS, Settings
from tests.chat_completions import ChatCompletionsServer
from tests.llmgine.deadline import deadline

__all__ = ["deadline"]


class Closing(ScriptedProvider):
    """Counts how often it was closed."""

    closed = 0

    async def aclose(self) -> None:
        self.closed += 1


def config(folder: Path, **settings: object) -> ApplicationConfig:
    values = {"database_url": f"sqlite:///{folder / 'data' / 'test.db'}", "log_dir": folder / "logs", **settings}
    return ApplicationConfig(settings=Settings(_env_file=None, **values))  # type: ignore[arg-type]  # as given


def owners_in(folder: Path) -> list[Path]:
    """The locks of processes that have the store open."""
    return list(folder.glob("data/owners/*"))


def prompt(text: str = "hello", source_id: str = "1") -> PromptCommand:
    return PromptCommand(session_id="s", text=text, source="test", source_id=source_id)


async def test_an_application_answers(tmp_path: Path) -> None:
    """Bus, store, engine and log are put together from the settings alone."""
    async with ApplicationBootstrap(config(tmp_path), provider=ScriptedProvider(["Hello!"])) as app:
        outcome = await ask(app.bus, prompt())

    assert outcome.text == "Hello!"
    lines = [json.loads(line) for line in (tmp_path / "logs" / "events.jsonl").read_bytes().splitlines()]
    types = [line["type"] for line in lines]
    assert types[0] == "PromptCommand"
    assert {"TurnAdmittedEvent", "CommandResultEvent", "LLMResponseEvent", "TurnFinishedEvent"} <= set(types)
    assert "AnswerProgressEvent" not in types


async def test_the_service_in_the_settings_is_asked(tmp_path: Path) -> None:
    """Without a provider of one's own it is the one of OPENAI_BASE_URL, over real HTTP; its key is in no log."""
    key = "hunter22hunter22"
    async with ChatCompletionsServer() as server:
        server.reply(f"Your key is {key}")
        settings = config(tmp_path, openai_base_url=server.base_url, openai_api_key=key, openai_model="m")
        async with ApplicationBootstrap(settings) as app:
            outcome = await ask(app.bus, prompt())

    assert outcome.text == "Your key is [redacted]"
    assert server.requests[0]["model"] == "m"
    log = (tmp_path / "logs" / "events.jsonl").read_text()
    assert "[redacted]" in log
    assert key not in log


async def test_a_provider_is_a_file_and_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module with `from_settings`, named in the table, answers for models that are called after it."""
    (tmp_path / "parrot_provider.py").write_text(
        "from llmgine.providers.scripted import ScriptedProvider\n"
        "def from_settings(settings, *, model, max_connections):\n"
        "    return ScriptedProvider(['Hello!'], model=model)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(PROVIDERS, "parrot", "parrot_provider")

    async with ApplicationBootstrap(config(tmp_path, openai_model="parrot:grey")) as app:
        outcome = await ask(app.bus, prompt())

    assert (outcome.text, outcome.model) == ("Hello!", "grey")
    assert app.config.settings.has_model


@pytest.mark.parametrize("model", ["llama3.1:8b", "gpt-4o-mini", "openai", "parrot:", ":x", None])
def test_what_is_no_providers_name_is_a_models(model: str | None) -> None:
    """Names of models have colons, too."""
    settings = Settings(_env_file=None, openai_model=model)

    assert settings.provider_and_model == ("openai", model)
    assert not settings.has_model


async def test_a_command_and_an_event_of_ones_own(tmp_path: Path) -> None:
    """A new command with its handler, and an event with two, on the application's own bus."""

    class Greet(Command):
        name: str

    class Greeted(Event):
        name: str

    heard: list[str] = []

    async def first(event: Greeted) -> None:
        heard.append(f"first {event.name}")

    def second(event: Greeted) -> None:
        heard.append(f"second {event.name}")

    async with ApplicationBootstrap(config(tmp_path), provider=ScriptedProvider([])) as app:

        async def greet(command: Greet) -> str:
            await app.bus.publish(Greeted(name=command.name))
            return f"Hello {command.name}"

        app.bus.register_command_handler(Greet, greet)
        app.bus.register_event_handler(Greeted, first)
        app.bus.register_event_handler(Greeted, second)

        assert (await app.bus.execute(Greet(name="Ada"))).unwrap() == "Hello Ada"

    assert sorted(heard) == ["first Ada", "second Ada"]


async def test_shutting_down_twice_is_harmless(tmp_path: Path) -> None:
    """The second time there is nothing left to close; a shutdown without a startup is harmless too."""
    provider = Closing([])
    app = ApplicationBootstrap(config(tmp_path), provider=provider)
    await app.shutdown()
    await app.startup()

    await app.shutdown()
    await app.shutdown()

    assert provider.closed == 1
    with pytest.raises(BusStoppedError):
        await app.bus.publish(Event())
    with pytest.raises(StoreError):
        await app.store.sessions.page(most=100)


async def test_shutting_down_in_the_middle_of_a_turn(tmp_path: Path) -> None:
    """The turn is kept for the next start, which answers it; nothing is left running."""
    asked = asyncio.Event()

    async def hang(request: ChatRequest, on_text: object) -> None:
        asked.set()
        await asyncio.Event().wait()

    async with ApplicationBootstrap(config(tmp_path), provider=ScriptedProvider(hang)) as app:  # type: ignore[arg-type]  # it never answers
        await app.bus.execute(prompt())
        await asked.wait()
    assert asyncio.all_tasks() == {asyncio.current_task()}

    finished: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with ApplicationBootstrap(config(tmp_path), provider=ScriptedProvider(["at last"])) as heir:
        heir.bus.register_event_handler(TurnFinishedEvent, lambda event: finished.set_result(event.text))
        await heir.engine.recover(["test"])
        assert await finished == "at last"


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ({"log_dir": "file"}, "LOG_DIR: "),
        ({"database_url": "mysql://ada:hunter22@host/db"}, "DATABASE_URL: "),
        ({"openai_base_url": "no address"}, "OPENAI_BASE_URL"),
    ],
)
async def test_a_failure_half_way_closes_what_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: dict[str, str], named: str
) -> None:
    """Whichever part cannot be opened: one sentence that names the setting, and nothing stays open."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    app = ApplicationBootstrap(config(tmp_path, **bad))

    with pytest.raises(ConfigurationError, match=named) as caught:
        await app.startup()

    assert "hunter22" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert owners_in(tmp_path) == []
    del app, caught
    gc.collect()  # what was not closed would warn here, and warnings are errors
