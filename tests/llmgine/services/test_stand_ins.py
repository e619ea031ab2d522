"""The stand-ins are strict: each refuses what breaks its service's rules, and accepts what keeps them."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import aiohttp
import pytest

from tests.services.anthropic import Anthropic
from tests.services.catalogue import Entry
from tests.services.gemini import Gemini
from tests.services.groq import Groq
from tests.services.mistral import Mistral
from tests.services.openai_chat import OpenAIChat
from tests.services.openai_responses import OpenAIByResponses
from tests.services.openrouter import OpenRouter
from tests.services.refusal import Kind
from tests.services.service import Service
from tests.services.thinking import DeepSeek, Kimi
from tests.services.vllm import VllmAlternating

Json = dict[str, Any]

ROLL = {"type": "function", "function": {"name": "roll", "description": "Roll.", "parameters": {"type": "object"}}}
CALL: Json = {"id": "abcdefghi", "type": "function", "function": {"name": "roll", "arguments": "{}"}}
PLAIN: list[Json] = [{"role": "user", "content": "hello"}]
TURN: list[Json] = [
    {"role": "user", "content": "use tools"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "abcdefghi", "content": "4"},
    {"role": "assistant", "content": "It is done."},
    {"role": "user", "content": "thanks"},
]


async def post(service: Service, messages: list[Json], path: str = "chat/completions", **more: object) -> str:
    """Send a request as it is; the rule it broke, "" when it was answered."""
    body = {"model": service.model, "messages": messages, "stream": True, **more}
    return await send(service, body, path)


async def send(service: Service, body: Json, path: str) -> str:
    headers = {} if service.key is None else {"Authorization": f"Bearer {service.key}"}
    before = len(service.refusals)
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{service.base_url}/{path}", json=body, headers=headers) as response,
    ):
        text = await response.text()
        assert response.status == 200 or "error" in text or "detail" in text or "message" in text
    return service.refusals[-1].rule if len(service.refusals) > before else ""


def unanswered(messages: list[Json]) -> None:
    del messages[2]


def answered_twice(messages: list[Json]) -> None:
    messages.insert(3, messages[2])


def orphan(messages: list[Json]) -> None:
    del messages[1]


def ends_with_the_assistant(messages: list[Json]) -> None:
    messages.pop()


def broken_arguments(messages: list[Json]) -> None:
    messages[1]["tool_calls"][0]["function"]["arguments"] = '{"sides": '


def strange_name(messages: list[Json]) -> None:
    messages[1]["tool_calls"][0]["function"]["name"] = "roll the dice"


@pytest.mark.parametrize(
    "change",
    [unanswered, answered_twice, orphan, ends_with_the_assistant, broken_arguments, strange_name],
    ids=lambda change: change.__name__,
)
async def test_no_service_accepts_a_broken_history(entry: Entry, change: Callable[[list[Json]], None]) -> None:
    """A call without exactly one result, a result without its call, and arguments that are no JSON are refused."""
    async with entry.make() as service:
        messages = deepcopy(TURN)
        change(messages)

        assert await post(service, messages)

        assert service.refusals[-1].kind is Kind.BROKEN


RULES: list[tuple[type[Service], list[Json], Json, str]] = [
    (OpenAIChat, PLAIN, {"tools": [ROLL]}, "tools need none"),
    (OpenAIChat, PLAIN, {"max_tokens": 9}, "max_tokens"),
    (OpenAIChat, PLAIN, {"temperature": 0.2}, "temperature"),
    (OpenAIChat, PLAIN, {"foo": 1}, "unknown field"),
    (OpenAIChat, [{**PLAIN[0], "reasoning_content": ""}], {}, "unknown field"),
    (Mistral, PLAIN, {"reasoning_effort": "none"}, "unknown field"),
    (Mistral, [*TURN[:3], TURN[4]], {}, "order"),
    (Mistral, [*TURN, {"role": "assistant", "content": ""}, PLAIN[0]], {}, "nothing in it"),
    (Anthropic, [*PLAIN, *PLAIN], {}, "alternation"),
    (Anthropic, [*TURN[:3], TURN[4]], {}, "alternation"),
    (Anthropic, [*PLAIN, {"role": "assistant", "content": " "}, *PLAIN], {}, "empty text"),
    (VllmAlternating, [*PLAIN, *PLAIN], {}, "alternation"),
    (VllmAlternating, [*TURN[:3], TURN[4]], {}, "alternation"),
    (VllmAlternating, [*PLAIN, {"role": "system", "content": "Be brief."}], {}, "last role"),
    (Gemini, TURN[:3], {}, "signature"),
    (Gemini, [TURN[0], {**TURN[1], "tool_calls": [{**CALL, "extra_content": {"google": {"thought_signature": "x"}}}]},
              TURN[2]], {}, "signature"),
    (DeepSeek, TURN, {}, "thought missing"),
    (Kimi, TURN, {}, "thought missing"),
    (DeepSeek, [*PLAIN, {"role": "assistant", "content": "Hi.", "reasoning_content": "made up"}, *PLAIN], {},
     "thought changed"),
    (Groq, [{**PLAIN[0], "name": "Ada"}], {}, "unknown field"),
    (OpenRouter, TURN[:3], {}, "details missing"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "messages", "more", "rule"), RULES, ids=lambda value: getattr(value, "__name__", None)
)
async def test_each_service_has_its_own_rules(make: type[Service], messages: list[Json], more: Json, rule: str) -> None:
    """What breaks a rule of one service is refused by that rule."""
    async with make() as service:
        assert await post(service, messages, **more) == rule


async def test_plain_words_are_accepted(entry: Entry) -> None:
    """A request that uses nothing special is answered by every service."""
    async with entry.make() as service:
        assert await post(service, PLAIN) == ""


REASONING: Json = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAA001=="}
FUNCTION: Json = {"type": "function_call", "id": "fc_1_0", "call_id": "c", "name": "roll", "arguments": "{}"}
OUTPUT: Json = {"type": "function_call_output", "call_id": "c", "output": "4"}
USER: Json = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}
SAID: Json = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "hi", "annotations": []}],
}


@pytest.mark.parametrize(
    ("items", "rule"),
    [
        ([USER, REASONING, FUNCTION, OUTPUT], ""),
        ([USER, REASONING, SAID, USER], ""),
        ([USER, FUNCTION, OUTPUT, USER], ""),
        ([USER, FUNCTION, OUTPUT], "reasoning missing"),
        ([USER, REASONING, USER], "reasoning alone"),
        ([USER, {**REASONING, "encrypted_content": None}, FUNCTION, OUTPUT], "not kept"),
        ([USER, {**REASONING, "encrypted_content": "other"}, FUNCTION, OUTPUT], "encrypted"),
        ([USER, REASONING, FUNCTION, USER], "unanswered call"),
        ([USER, OUTPUT], "orphan result"),
        ([USER, SAID], "last role"),
        ([{**USER, "content": [{"type": "text", "text": "hello"}]}], "part"),
        ([{**USER, "content": [{"type": "input_image", "image_url": {"url": "data:"}}]}], "part"),
        ([{**SAID, "content": [{"type": "input_text", "text": "hello"}]}, USER], "part"),
        ([{**USER, "name": "Ada"}], "unknown field"),
        ([USER, REASONING, {**FUNCTION, "id": "abcdefghi"}, OUTPUT], "id"),
    ],
)
async def test_responses_looks_at_each_item(items: list[Json], rule: str) -> None:
    """Items have their own fields, calls their outputs, and reasoning comes back whole and in its place."""
    async with OpenAIByResponses() as service:
        service.encrypted["rs_1"] = "gAAAAA001=="
        body = {"model": service.model, "input": items, "stream": True, "store": False}

        assert await send(service, body, "responses") == rule
