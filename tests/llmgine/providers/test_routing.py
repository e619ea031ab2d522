"""Several providers side by side: who answers for a model is in its name."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llmgine.bootstrap import ApplicationBootstrap, ApplicationConfig, configured_provider
from llmgine.engine import ask
from llmgine.errors import ProviderRefusedError, ProviderUnavailableError
from llmgine.messages.chat_messages import ChatMessage, Usage
from llmgine.messages.commands import Author, ChangeSettingCommand, PromptCommand
from llmgine.messages.events import LLMResponseEvent, ModelAskedEvent
from llmgine.providers.base import ChatRequest, ListedModel
from llmgine.providers.openai import OpenAIProvider
from llmgine.providers.routing import RoutingProvider, prices_of, provider_of, service_of
from llmgine.providers.scripted import ScriptedProvider
from llmgine.settings import Settings, split_name
from tests.chat_completions import ChatCompletionsServer

ADA = Author(id="1", name="Ada")
ROOT = Path(__file__).parents[3]


class Listing(ScriptedProvider):
    """A scripted provider whose service lists models, or fails to."""

    def __init__(self, name: str, models: tuple[str, ...] | None) -> None:
        super().__init__([f"I am {name}."] * 9, model=f"{name}-default")
        self._name, self._models = name, models

    @property
    def service(self) -> str:
        return f"api.{self._name}.com"

    async def models(self) -> tuple[ListedModel, ...]:
        if self._models is None:
            raise ProviderUnavailableError("made to fail")
        return tuple(map(ListedModel, self._models))


@pytest.fixture
def routing() -> RoutingProvider:
    named = ("anthropic:claude-a", "anthropic:claude-gone", "openai:gpt-a")
    openai, anthropic = Listing("openai", ("gpt-a", "gpt-b")), Listing("anthropic", ("claude-a", "claude-b"))
    return RoutingProvider({"openai": openai, "anthropic": anthropic}, named)


def settings(tmp_path: Path, **more: object) -> Settings:
    fields = {"database_url": f"sqlite:///{tmp_path / 'test.db'}", "log_dir": tmp_path / "logs", **more}
    return Settings(_env_file=None, **fields)  # type: ignore[arg-type]  # as given


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        ("anthropic:claude-a", ("anthropic", "claude-a")),
        ("openai:llama3.1:8b", ("openai", "llama3.1:8b")),
        ("llama3.1:8b", (None, "llama3.1:8b")),
        ("Anthropic:claude-a", (None, "Anthropic:claude-a")),
        ("anthropic", (None, "anthropic")),
        ("anthropic:", (None, "anthropic:")),
        (":claude-a", (None, ":claude-a")),
        ("claude:anthropic:x", (None, "claude:anthropic:x")),
        ("", (None, "")),
    ],
)
def test_only_a_providers_name_is_one(model: str, parts: tuple[str | None, str]) -> None:
    """Names of models have colons, too."""
    assert split_name(model) == parts


@pytest.mark.parametrize(
    ("model", "answers", "name"),
    [
        ("anthropic:claude-a", "anthropic", "claude-a"),
        ("gpt-b", "openai", "gpt-b"),
        ("openai:gpt-a", "openai", "gpt-a"),
        ("llama3.1:8b", "openai", "llama3.1:8b"),
        (None, "openai", None),
    ],
)
async def test_who_answers_is_in_the_name(routing: RoutingProvider, model: str | None, answers: str, name: str) -> None:
    """The service is asked by its own name, and the reply has the one that was asked."""
    request = ChatRequest(messages=(ChatMessage(role="user", content="Hello"),), model=model)

    reply = await routing.reply(request, lambda _: None)

    assert reply.text == f"I am {answers}."
    asked = provider_of(routing, model or "")
    assert isinstance(asked, Listing)
    assert [one.model for one in asked.requests] == [name]
    assert service_of(routing, model or "") == f"api.{answers}.com"


async def test_models_of_others_are_listed_where_they_are_there(routing: RoutingProvider) -> None:
    """Those that may be chosen, with the names by which they are."""
    names = [one.name for one in await routing.models()]

    assert names == ["gpt-a", "gpt-b", "anthropic:claude-a", "openai:gpt-a"]


@pytest.mark.parametrize("models", [None, ()])
async def test_a_service_that_lists_nothing_takes_no_model_away(models: tuple[str, ...] | None) -> None:
    """It may answer all the same."""
    providers = {"openai": Listing("openai", ("gpt-a",)), "anthropic": Listing("anthropic", models)}

    listed = await RoutingProvider(providers, ["anthropic:claude-a"]).models()

    assert [one.name for one in listed] == ["gpt-a", "anthropic:claude-a"]


async def test_a_provider_that_is_not_set_up_is_no_silent_other_one() -> None:
    """What was chosen before the settings changed is refused with a reason, and costs nothing."""
    routing = RoutingProvider({"openai": Listing("openai", ())})
    request = ChatRequest(messages=(ChatMessage(role="user", content="Hello"),), model="anthropic:claude-a")

    with pytest.raises(ProviderRefusedError, match="ALLOWED_MODELS"):
        await routing.reply(request, lambda _: None)

    assert service_of(routing, "anthropic:claude-a") == "api.openai.com"
    assert prices_of(routing).nanodollars("anthropic:claude-a", Usage(input_tokens=9)) is None


async def test_each_model_costs_what_its_service_takes(routing: RoutingProvider) -> None:
    """Prices are found by the name of the model alone, without that of its provider."""
    prices, usage = prices_of(routing), Usage(input_tokens=1_000, output_tokens=100)
    await prices.load()

    costs = [prices.nanodollars(one, usage) for one in ("gpt-4o-mini", "openai:gpt-4o-mini", "anthropic:gpt-4o-mini")]

    assert costs[0]
    assert costs[0] == costs[1]
    assert costs[2] is None
    assert prices.nanodollars("anthropic:claude-sonnet-4-5", usage)
    assert prices.source


class TestApplication:
    @pytest.fixture
    async def other(self) -> AsyncIterator[ChatCompletionsServer]:
        async with ChatCompletionsServer() as server:
            yield server

    async def test_a_session_may_choose_a_model_of_another_provider(
        self, tmp_path: Path, server: ChatCompletionsServer, other: ChatCompletionsServer
    ) -> None:
        """The default answers until then; what is told names the model as it was chosen; keys stay with their own."""
        chosen = settings(
            tmp_path,
            openai_base_url=server.base_url,
            openai_api_key="key-of-openai",
            openai_model="gpt-a",
            anthropic_base_url=other.base_url,
            anthropic_api_key="key-of-anthropic",
            allowed_models=("anthropic:claude-a",),
        )
        told: list[str] = []

        async def note(event: ModelAskedEvent | LLMResponseEvent) -> None:
            told.append(event.model)

        async with ApplicationBootstrap(ApplicationConfig(settings=chosen)) as app:
            app.bus.register_event_handler(ModelAskedEvent, note)
            app.bus.register_event_handler(LLMResponseEvent, note)
            first = await ask(app.bus, _prompt())
            change = ChangeSettingCommand(scope="s", name="model", value="anthropic:claude-a", changed_by=ADA)
            (await app.bus.execute(change)).unwrap()
            second = await ask(app.bus, _prompt("2"))
            assert await app.engine.model.names() == ()  # the default's service does not tell

        assert (first.model, second.model) == ("gpt-a", "anthropic:claude-a")
        assert told == ["gpt-a"] * 2 + ["anthropic:claude-a"] * 2
        assert [one["model"] for one in (*server.requests, *other.requests)] == ["gpt-a", "claude-a"]
        assert server.headers[0]["authorization"] == "Bearer key-of-openai"
        assert other.headers[0]["authorization"] == "Bearer key-of-anthropic"

    async def test_keys_are_secrets(self, tmp_path: Path, other: ChatCompletionsServer) -> None:
        """Neither the log nor people see the key, also where the model repeats it."""
        key = "hunter22hunter22"
        other.reply(f"Your key is {key}")
        made = settings(
            tmp_path,
            openai_model="anthropic:claude-a",
            anthropic_base_url=other.base_url,
            anthropic_api_key=key,
        )

        async with ApplicationBootstrap(ApplicationConfig(settings=made)) as app:
            outcome = await ask(app.bus, _prompt())

        assert (outcome.text, outcome.model) == ("Your key is [redacted]", "claude-a")
        assert key not in (tmp_path / "logs" / "events.jsonl").read_text()
        assert key not in repr(made)

    async def test_one_provider_alone_is_asked_directly(self, tmp_path: Path) -> None:
        """Nobody pays for what is not used."""
        made = settings(tmp_path, openai_base_url="http://127.0.0.1:9/v1", allowed_models=("llama3.1:8b",))
        provider = configured_provider(ApplicationConfig(settings=made))

        assert isinstance(provider, OpenAIProvider)
        await provider.aclose()


_START = """
import asyncio, sys
from llmgine import ApplicationBootstrap, ApplicationConfig, Settings
from llmgine.errors import ConfigurationError
{before}
async def start():
    settings = Settings(_env_file=None, database_url="sqlite:///test.db", openai_base_url="http://127.0.0.1:9/v1")
    try:
        async with ApplicationBootstrap(ApplicationConfig(settings=settings)):
            pass
    except ConfigurationError as error:
        print(error)
asyncio.run(start())
print("anthropic" in sys.modules)
"""


def start(folder: Path, before: str = "", **environment: str) -> str:
    code = _START.format(before=before)
    names = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=names, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_its_client_is_imported_only_when_it_is_used(tmp_path: Path) -> None:
    """A key in the environment alone is no use of it."""
    assert start(tmp_path, ANTHROPIC_API_KEY="key") == "False\n"
    for name in ("ALLOWED_MODELS", "FALLBACK_MODELS"):
        assert start(tmp_path, ANTHROPIC_API_KEY="key", **{name: "anthropic:claude-a"}) == "True\n"


def test_without_the_extra_the_start_says_how_to_install_it(tmp_path: Path) -> None:
    """Before anybody asks."""
    missing = 'sys.modules["anthropic"] = None'

    for name in ("OPENAI_MODEL", "ALLOWED_MODELS", "FALLBACK_MODELS"):
        told = start(tmp_path, missing, ANTHROPIC_API_KEY="key", **{name: "anthropic:claude-a"})
        assert "`uv sync --extra anthropic`" in told


def _prompt(source_id: str = "1") -> PromptCommand:
    return PromptCommand(session_id="s", text="Hello", source="test", source_id=source_id)
