"""Other models than the provider's own: which there are, and asking one of them."""

import pytest

from llmgine.errors import ProviderError
from llmgine.providers.choosing import listed_models
from llmgine.providers.openai import OpenAIProvider
from tests.chat_completions import ChatCompletionsServer
from tests.llmgine.providers.examples import HELLO


async def test_the_models_of_a_service_are_listed(server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
    """Sorted and each once; the key goes with the question."""
    server.models = ["b", "a", "b"]

    assert [model.name for model in await provider.models()] == ["a", "b"]


async def test_a_service_without_a_list_is_an_error_of_ours(provider: OpenAIProvider) -> None:
    """Nothing of the client's own errors comes through."""
    with pytest.raises(ProviderError):
        await provider.models()


@pytest.mark.parametrize("listed", [None, [], {}, {"data": None}, {"data": [None, {}, {"id": 7}, {"id": "x" * 1001}]}])
def test_a_list_of_odd_shape_names_no_model(listed: object) -> None:
    """Whatever a service sends there is data to judge."""
    assert listed_models(listed) == ()


async def test_a_request_may_name_another_model(server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
    """It is asked for, and the reply says it was it."""
    reply = await provider.reply(HELLO.model_copy(update={"model": "other"}), lambda _: None)

    assert server.requests[0]["model"] == reply.model == "other"
