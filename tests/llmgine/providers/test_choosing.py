"""Which model answers where none is configured, and when people are told that a model ends."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from llmgine.errors import ProviderRefusedError, ProviderUnavailableError
from llmgine.providers.base import ListedModel
from llmgine.providers.choosing import PREFERRED, SUCCESSORS, chosen, listed_models, shutdown_notice
from llmgine.providers.openai import OpenAIProvider
from tests.chat_completions import ChatCompletionsServer
from tests.llmgine.providers.examples import HELLO, KEY, ask

TODAY = date(2026, 11, 15)


class Listing(ChatCompletionsServer):
    """A service with a list of models.

    Attributes:
        entries: The list, each with what the service tells of it.
        status: Of the answer; anything but 200 is a refusal.
        asked: How often the list was asked for.
        wait: Set while the list may be answered.
    """

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[dict[str, Any]] = []
        self.status, self.asked = 200, 0
        self.wait = asyncio.Event()
        self.wait.set()

    async def _list_models(self, _: web.Request) -> web.Response:
        self.asked += 1
        await self._count(active=0)
        await self.wait.wait()
        if self.status != 200:
            return web.json_response({"error": {"message": "made to fail"}}, status=self.status)
        return web.json_response({"object": "list", "data": self.entries})


@pytest.fixture
async def service() -> AsyncIterator[Listing]:
    async with Listing() as service:
        yield service


@pytest.fixture
async def provider(service: Listing) -> AsyncIterator[OpenAIProvider]:
    provider = OpenAIProvider(None, KEY, service.base_url)
    yield provider
    await provider.aclose()


def models(*names: str, **ends: date) -> list[ListedModel]:
    """Models that stay, and the usual one's ends by keyword."""
    return [*map(ListedModel, names), *(ListedModel(PREFERRED, day) for day in ends.values())]


class TestChosen:
    def test_the_usual_model_where_it_is_listed(self) -> None:
        """Whatever else there is."""
        assert chosen(models("a", *SUCCESSORS, PREFERRED), TODAY) == PREFERRED

    @pytest.mark.parametrize(
        ("days", "kept"), [(400, True), (31, True), (30, False), (1, False), (0, False), (-9, False)]
    )
    def test_a_model_that_ends_within_30_days_is_not_begun_with(self, days: int, kept: bool) -> None:
        """Its first successor is taken instead."""
        listed = models(SUCCESSORS[0], ends=TODAY + timedelta(days=days))

        assert chosen(listed, TODAY) == (PREFERRED if kept else SUCCESSORS[0])

    def test_successors_are_taken_in_their_order(self) -> None:
        """Each where those before it are not listed, or end."""
        for place, name in enumerate(SUCCESSORS):
            assert chosen(models("a", "b", *reversed(SUCCESSORS[place:])), TODAY) == name

        ending = [ListedModel(name, TODAY) for name in SUCCESSORS[:-1]]
        assert chosen([*ending, ListedModel(SUCCESSORS[-1])], TODAY) == SUCCESSORS[-1]

    def test_the_only_model_there_is(self) -> None:
        """A local server that serves one model needs no setting, not even for one that ends."""
        assert chosen(models("llama-3:8b"), TODAY) == "llama-3:8b"
        assert chosen([ListedModel("old", TODAY)], TODAY) == "old"

    def test_the_usual_model_where_there_is_no_list(self) -> None:
        """A service may know models and have no list of them."""
        assert chosen([], TODAY) == PREFERRED

    def test_what_cannot_be_decided_is_a_sentence_with_the_names(self) -> None:
        """It names the setting and the models to choose from."""
        with pytest.raises(ProviderRefusedError, match=r"OPENAI_MODEL.*: a, b, c\."):
            chosen(models("a", "b", "c"), TODAY)

    def test_a_long_list_is_cut(self) -> None:
        """The sentence stays one that people read, however many models and however long their names."""
        with pytest.raises(ProviderRefusedError) as refused:
            chosen(models(*(f"model-{number:03}" + "x" * 80 for number in range(300))), TODAY)

        assert "and 280 more" in str(refused.value)
        assert len(str(refused.value)) < 1_500


class TestShutdown:
    @pytest.mark.parametrize(
        ("told", "day"),
        [
            ("2027-01-14", date(2027, 1, 14)),
            ("2027-01-14T00:00:00Z", date(2027, 1, 14)),
            ("2027-01-14T08:30:00.000+00:00", date(2027, 1, 14)),
            (1_799_884_800, date(2027, 1, 14)),
            (1_799_884_800.5, date(2027, 1, 14)),
            (None, None),
            ("", None),
            ("soon", None),
            ("2027-99-99", None),
            (True, None),
            (10**30, None),
            (-(10**30), None),
            (float("nan"), None),
            ([], None),
            ({}, None),
        ],
    )
    def test_its_day_is_read_in_every_form(self, told: object, day: date | None) -> None:
        """A date, a time or seconds; what is none of them is no shutdown."""
        listed = listed_models({"data": [{"id": "a", "shutdown_date": told}]})

        assert listed == (ListedModel("a", day),)

    @pytest.mark.parametrize(
        ("days", "words"),
        [(-1, "planned to shut down"), (0, "planned to shut down"), (1, "shuts down"), (60, "shuts down"), (61, None)],
    )
    def test_it_is_told_of_within_60_days(self, days: int, words: str | None) -> None:
        """The sentence has the model, the day and the setting."""
        day = TODAY + timedelta(days=days)

        notice = shutdown_notice([ListedModel("b"), ListedModel("a", day)], "a", TODAY)

        if words is None:
            assert notice is None
        else:
            assert notice is not None
            assert all(part in str(notice) for part in (words, " a ", str(day), "OPENAI_MODEL"))

    def test_a_model_that_stays_has_no_notice(self) -> None:
        """Nor has one that is not listed."""
        assert shutdown_notice([ListedModel("a")], "a", TODAY) is None
        assert shutdown_notice([], "a", TODAY) is None


class TestProvider:
    async def test_chooses_at_the_first_question_and_keeps_it(self, service: Listing, provider: OpenAIProvider) -> None:
        """Nothing is asked before; after it the list is not asked for again, even when it changes."""
        service.entries = [{"id": "only-one"}]
        before = (provider.model, service.asked)

        first = await ask(provider)
        service.entries = [{"id": PREFERRED}]
        second = await ask(provider)

        assert before == ("", 0)
        assert (first.model, second.model, provider.model) == ("only-one",) * 3
        assert [body["model"] for body in service.requests] == ["only-one"] * 2
        assert service.asked == 1

    async def test_first_questions_at_once_list_once(self, service: Listing, provider: OpenAIProvider) -> None:
        """They all wait for the one choice."""
        service.entries = [{"id": "only-one"}]
        service.wait.clear()

        questions = [asyncio.create_task(ask(provider)) for _ in range(10)]
        await service.until(lambda: service.asked > 0)
        service.wait.set()
        replies = await asyncio.gather(*questions)

        assert {reply.model for reply in replies} == {"only-one"}
        assert service.asked == 1

    async def test_a_question_that_is_stopped_does_not_stop_the_others(
        self, service: Listing, provider: OpenAIProvider
    ) -> None:
        """The next one chooses."""
        service.entries = [{"id": "only-one"}]
        service.wait.clear()
        first = asyncio.create_task(ask(provider))
        await service.until(lambda: service.asked == 1)
        second = asyncio.create_task(ask(provider))

        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        service.wait.set()

        assert (await second).model == "only-one"

    async def test_skips_what_ends_soon(self, service: Listing, provider: OpenAIProvider) -> None:
        """By the day of today."""
        soon = datetime.now(UTC) + timedelta(days=20)
        service.entries = [{"id": PREFERRED, "shutdown_date": soon.isoformat()}, {"id": SUCCESSORS[1]}]

        assert (await ask(provider)).model == SUCCESSORS[1]

    @pytest.mark.parametrize("status", [404, 405, 501])
    async def test_a_service_without_a_list_is_asked_for_the_usual_model(
        self, service: Listing, provider: OpenAIProvider, status: int
    ) -> None:
        """The list is a help, not a condition."""
        service.status = status

        assert (await ask(provider)).model == PREFERRED

    async def test_a_service_that_is_down_is_not_a_service_without_a_list(
        self, service: Listing, provider: OpenAIProvider
    ) -> None:
        """Nothing is chosen then, and the next question chooses."""
        service.entries = [{"id": "only-one"}]
        service.status = 503
        with pytest.raises(ProviderUnavailableError):
            await ask(provider)
        service.status = 200

        assert (await ask(provider)).model == "only-one"

    @pytest.mark.parametrize("status", [401, 403])
    async def test_a_wrong_key_is_said_at_once(self, service: Listing, provider: OpenAIProvider, status: int) -> None:
        """It would not be right for the question either."""
        service.status = status

        with pytest.raises(ProviderRefusedError, match="OPENAI_API_KEY"):
            await ask(provider)

        assert service.requests == []

    async def test_many_models_are_named(self, service: Listing, provider: OpenAIProvider) -> None:
        """The question ends with the sentence; a request that names a model is answered all the same."""
        service.entries = [{"id": "b"}, {"id": "a"}]

        with pytest.raises(ProviderRefusedError, match="a, b"):
            await ask(provider)

        assert provider.model == ""
        assert (await ask(provider, HELLO.model_copy(update={"model": "a"}))).model == "a"
