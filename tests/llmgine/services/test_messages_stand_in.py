"""The stand-in of Anthropic's Messages API is strict: each rule of the API is kept, and nothing else is refused."""

from copy import deepcopy
from typing import Any

import aiohttp
import pytest

from tests.services.anthropic_messages import AnthropicMessages, AnthropicOlder
from tests.services.refusal import Kind

Json = dict[str, Any]

THOUGHT: Json = {"type": "thinking", "thinking": "Hm.", "signature": "sig=="}
CALL: Json = {"type": "tool_use", "id": "abcdefghi", "name": "roll", "input": {}}
RESULT: Json = {"type": "tool_result", "tool_use_id": "abcdefghi", "content": "4"}
TEXT: Json = {"type": "text", "text": "hello"}
ROLL: Json = {"name": "roll", "description": "Roll.", "input_schema": {"type": "object"}}


def user(*blocks: Json) -> Json:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Json) -> Json:
    return {"role": "assistant", "content": list(blocks)}


PLAIN: list[Json] = [user(TEXT)]
ROUND: list[Json] = [*PLAIN, assistant(THOUGHT, CALL), user(RESULT)]


def image(**source: str) -> Json:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk=", **source}}


async def post(service: AnthropicMessages, messages: list[Json], **more: object) -> str:
    """Send a request as it is; the rule it broke, "" when it was answered. None in `more` leaves a field out."""
    body: Json = {"model": service.model, "max_tokens": 2_000, "messages": messages, "stream": True, **more}
    sent = {name: value for name, value in body.items() if value is not None}
    headers = {"Authorization": f"Bearer {service.key}", "anthropic-version": "2026-10-21"}
    before = len(service.refusals)
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{service.base_url}/messages", json=deepcopy(sent), headers=headers) as response,
    ):
        await response.text()
    return service.refusals[-1].rule if len(service.refusals) > before else ""


@pytest.mark.parametrize(
    ("messages", "more", "rule"),
    [
        (PLAIN, {}, ""),
        (ROUND, {"tools": [ROLL]}, ""),
        ([*ROUND[:2], user(RESULT, TEXT)], {}, ""),
        ([user(image(), TEXT)], {}, ""),
        (PLAIN, {"max_tokens": None}, "max_tokens"),
        (PLAIN, {"max_tokens": 99_000}, "max_tokens"),
        (PLAIN, {"temperature": 1}, "unknown field"),
        (PLAIN, {"model": "gpt-4"}, "model"),
        (PLAIN, {"tools": [{**ROLL, "parameters": {}}]}, "unknown field"),
        (PLAIN, {"tools": [{**ROLL, "input_schema": {}}]}, "tools"),
        (PLAIN, {"system": [{"type": "text", "text": " "}]}, "empty text"),
        (PLAIN, {"thinking": {"type": "enabled", "budget_tokens": 1_024}}, "thinking"),
        (PLAIN, {"thinking": {"type": "disabled"}}, "thinking"),
        (PLAIN, {"output_config": {"effort": "minimal"}}, "effort"),
        (PLAIN, {"system": [{**TEXT, "cache_control": {"type": "ephemeral"}}] * 5}, "marks"),
        ([], {}, "nothing"),
        ([user()], {}, "nothing in it"),
        ([user({**TEXT, "text": "\n"})], {}, "empty text"),
        ([{**user(TEXT), "name": "Ada"}], {}, "unknown field"),
        ([user({**TEXT, "mood": "good"})], {}, "unknown field"),
        ([{"role": "tool", "content": "4"}], {}, "unknown role"),
        ([user(TEXT), user(TEXT)], {}, "alternation"),
        ([assistant(TEXT), user(TEXT)], {}, "alternation"),
        ([user(TEXT), assistant(TEXT)], {}, "last role"),
        ([user(image(media_type="image/bmp"))], {}, "image"),
        ([user(image(data="?"))], {}, "image"),
        ([user(CALL)], {}, "block"),
        ([*PLAIN, assistant(RESULT), user(TEXT)], {}, "block"),
        ([user(RESULT)], {}, "orphan result"),
        ([*ROUND[:2], user(TEXT)], {}, "unanswered call"),
        ([*ROUND[:2], user(RESULT, RESULT)], {}, "orphan result"),
        ([*ROUND[:2], user(TEXT, RESULT)], {}, "results first"),
        ([*PLAIN, assistant(THOUGHT, {**CALL, "input": "{}"}), user(RESULT)], {}, "arguments"),
        ([*PLAIN, assistant(THOUGHT, {**CALL, "name": "roll the dice"}), user(RESULT)], {}, "function name"),
        ([*PLAIN, assistant(THOUGHT, {**CALL, "id": "a b"}), user(RESULT)], {}, "id"),
        ([*PLAIN, assistant(CALL), user(RESULT)], {}, "thinking missing"),
        ([*PLAIN, assistant(CALL, THOUGHT), user(RESULT)], {}, "thinking missing"),
        ([*PLAIN, assistant({**THOUGHT, "thinking": "Hm!"}, CALL), user(RESULT)], {}, "thinking changed"),
        ([*PLAIN, assistant({**THOUGHT, "signature": "made up"}, CALL), user(RESULT)], {}, "thinking changed"),
    ],
)
async def test_each_rule(messages: list[Json], more: Json, rule: str) -> None:
    """What breaks a rule is refused by that rule, and what keeps all of them is answered."""
    async with AnthropicMessages() as service:
        service.thoughts[THOUGHT["signature"]] = THOUGHT

        assert await post(service, messages, **more) == rule

        assert {refusal.kind for refusal in service.refusals} <= {Kind.BROKEN}


@pytest.mark.parametrize(("budget", "rule"), [(1_024, ""), (1_000, "budget"), (2_000, "budget")])
async def test_a_budget_is_within_the_bound_on_the_reply(budget: int, rule: str) -> None:
    """Older models think within 1,024 tokens and what the reply may have."""
    async with AnthropicOlder() as service:
        assert await post(service, PLAIN, thinking={"type": "enabled", "budget_tokens": budget}) == rule
