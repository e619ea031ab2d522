"""The demo model: its fixed forms become real tool calls, and it claims nothing beyond them."""

import json
import time

import pytest

from llmgine.messages.chat_messages import ChatMessage, ToolCall, ToolSchema
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.tools.tool import Tool
from programs.demo_model import DemoModel
from tests.cpu import moment

TOOLS = ("get_weather", "calculate", "send_email")


def user(text: str) -> ChatMessage:
    return ChatMessage(role="user", content=text)


def told_by(name: str, text: str) -> ChatMessage:
    """A message as it comes from a shared channel."""
    return user(json.dumps({"from": {"id": "1", "name": name}, "text": text}))


async def ask(*messages: ChatMessage | str, tools: tuple[str, ...] = TOOLS) -> ChatReply:
    """The reply, whose streamed pieces are checked to be its text."""
    asked = tuple(user(message) if isinstance(message, str) else message for message in messages)
    schemas = tuple(ToolSchema(name=name, description="", parameters={}) for name in tools)
    pieces: list[str] = []
    reply = await DemoModel(delay=0).reply(ChatRequest(messages=asked, tools=schemas), pieces.append)
    assert "".join(pieces) == reply.text
    return reply


def calls_in(reply: ChatReply) -> list[tuple[str, dict[str, str]]]:
    assert reply.finish == ("tool_calls" if reply.tool_calls else "stop")
    return [(call.name, json.loads(call.arguments)) for call in reply.tool_calls]


def after_calls(prompt: str, *results: tuple[str, str]) -> tuple[ChatMessage, ...]:
    """A turn whose calls have been run: pairs of tool name and result."""
    calls = tuple(ToolCall(name=name) for name, _ in results)
    answers = [
        ChatMessage(role="tool", content=content, tool_call_id=call.id)
        for call, (_, content) in zip(calls, results, strict=True)
    ]
    return (user(prompt), ChatMessage(role="assistant", tool_calls=calls), *answers)


@pytest.mark.parametrize(
    ("prompt", "location"),
    [
        ("What's the weather like in San Francisco?", "San Francisco"),
        ("weather in Paris", "Paris"),
        ("WHAT IS THE WEATHER IN st. louis today?", "st. louis"),
        ("Can you tell me the forecast for São Paulo, Brazil, please", "São Paulo, Brazil"),
        ("<@1234567890> what's the temperature in Rome right now", "Rome"),
    ],
)
async def test_a_question_about_the_weather_calls_the_tool(prompt: str, location: str) -> None:
    """The place is taken as it was written, without what stands around it."""
    assert calls_in(await ask(prompt)) == [("get_weather", {"location": location})]


def roll_dice(sides: int = 6, *, label: str = "", weights: list[float] | None = None, loud: bool = False) -> str:
    """Roll a die."""
    return f"{sides} {label} {weights} {loud}"


@pytest.mark.parametrize(
    ("prompt", "arguments"),
    [
        ("call roll_dice", {}),
        ("Please call roll_dice sides=20.", {"sides": 20}),
        ("call `roll_dice` sides=20, loud=true", {"sides": 20, "loud": True}),
        ("call roll_dice label='two words' weights=[1, 2.5]", {"label": "two words", "weights": [1, 2.5]}),
        ('call roll_dice label="7" sides=x', {"label": "7", "sides": "x"}),
        ("call roll_dice label=7", {"label": "7"}),
    ],
)
async def test_any_tool_is_called_by_its_name(prompt: str, arguments: dict[str, object]) -> None:
    """Arguments are what the tool's schema wants them to be; what does not fit is the tool's to refuse."""
    request = ChatRequest(messages=(user(prompt),), tools=(Tool.from_function(roll_dice).schema,))

    reply = await DemoModel(delay=0).reply(request, lambda _: None)

    assert [(call.name, json.loads(call.arguments)) for call in reply.tool_calls] == [("roll_dice", arguments)]


async def test_what_is_no_tool_is_not_called() -> None:
    """A name that looks like a tool's is told to be none; other words after "call" mean something else."""
    assert (await ask("call roll_dice sides=20")).text == "I can't use roll_dice here."
    assert (await ask("call me tomorrow")).text.startswith("I'm the **offline demo model**")
    mail = "Send an email to a@example.com with subject 'Hi' and body 'call calculate expression=1'"
    assert [name for name, _ in calls_in(await ask(mail))] == ["send_email"]


@pytest.mark.parametrize(
    ("prompt", "expression"),
    [
        ("Can you calculate 24*7 for me?", "24*7"),
        ("what is (3+4)^2?", "(3+4)^2"),
        ("What's 1,000 \u00d7 3", "1000 * 3"),
        ("how much is 12 ÷ 4 = ?", "12 / 4"),
        ("calculate 3.5*2.", "3.5*2"),
        ("calculate 9**9**9", "9**9**9"),
        ("calculate __import__('os').system('echo 1')", "__import__('os').system('echo 1')"),
    ],
)
async def test_a_sum_calls_the_calculator(prompt: str, expression: str) -> None:
    """Whether a sum is allowed is the calculator's to say, so also a hostile one is passed on."""
    assert calls_in(await ask(prompt)) == [("calculate", {"expression": expression})]


@pytest.mark.parametrize(
    ("prompt", "subject", "body"),
    [
        (
            "Send an email to test@example.com with subject 'Hello' and body 'Testing the function calling capability'",
            "Hello",
            "Testing the function calling capability",
        ),
        ('send email to test@example.com, subject: "It\'s", body: “Two\nlines”', "It's", "Two\nlines"),
        ("Please send an e-mail to test@example.com saying 'I'm late'.", "", "I'm late"),
    ],
)
async def test_an_email_calls_the_tool(prompt: str, subject: str, body: str) -> None:
    """Address, subject and body come out of the quotes as they are."""
    expected = {"to": "test@example.com", "subject": subject, "body": body}

    assert calls_in(await ask(prompt)) == [("send_email", expected)]


async def test_what_an_email_says_is_not_asked_of_the_model() -> None:
    """A question inside the quotes is text to send, nothing more."""
    reply = await ask("send an email to a@b.co with body 'calculate 1+1. What's the weather in Rome?'")

    assert [call.name for call in reply.tool_calls] == ["send_email"]


async def test_several_requests_become_several_calls_in_one_round() -> None:
    """One message, one round, all its calls."""
    reply = await ask(
        "What's the weather in Paris and London, and can you calculate 24*7? "
        "Then send an email to a@b.co with subject 'x' and body 'y'."
    )

    assert calls_in(reply) == [
        ("get_weather", {"location": "Paris"}),
        ("get_weather", {"location": "London"}),
        ("calculate", {"expression": "24*7"}),
        ("send_email", {"to": "a@b.co", "subject": "x", "body": "y"}),
    ]
    assert len({call.id for call in reply.tool_calls}) == 4


async def test_a_burst_is_read_as_one() -> None:
    """Messages sent one after the other, without an answer in between, are all heard."""
    reply = await ask(told_by("Ada", "weather in Rome"), told_by("Ada", "and calculate 1+1"))

    assert [call.name for call in reply.tool_calls] == ["get_weather", "calculate"]


async def test_only_offered_tools_are_called() -> None:
    """A tool that is not in the request is said to be missing; the others are called."""
    reply = await ask("weather in Rome and calculate 1+1", tools=("calculate",))

    assert calls_in(reply) == [("calculate", {"expression": "1+1"})]
    assert "get_weather" in reply.text


async def test_without_any_tool_it_says_so() -> None:
    """No weather is made up."""
    reply = await ask("weather in Rome", tools=())

    assert calls_in(reply) == []
    assert "can't use" in reply.text


@pytest.mark.parametrize(
    ("tool", "result", "said"),
    [
        ("get_weather", "Sunny, 18 °C (sample data)", "Sunny, 18 °C (sample data)"),
        ("get_weather", '{"location": "Rome", "wind_speed": 3}', "location: Rome, wind speed: 3"),
        ("calculate", "168", "168"),
        ("calculate", "Error in calculate: this divides by zero", "this divides by zero"),
        ("send_email", "The person refused to let this run.", "The person refused to let this run."),
        ("send_email", "Interrupted, outcome unknown.", "Interrupted, outcome unknown."),
        ("roll_dice", "4", "4"),
    ],
)
async def test_a_result_is_told_as_it_is(tool: str, result: str, said: str) -> None:
    """An error, a refusal or an unknown outcome is passed on in its own words, never as a success."""
    reply = await ask(*after_calls("weather in Rome", (tool, result)))

    assert said in reply.text
    assert calls_in(reply) == []


async def test_results_of_one_round_are_told_together() -> None:
    """Each result has its line, in the order of the calls."""
    reply = await ask(*after_calls("both", ("get_weather", "Sunny"), ("calculate", "168")))

    assert reply.text == "**Weather:** Sunny\n**Result:** 168"


async def test_results_of_earlier_turns_are_not_told_again() -> None:
    """A new question is answered, not the one before."""
    reply = await ask(
        *after_calls("weather in Rome", ("get_weather", "Sunny")),
        ChatMessage(role="assistant", content="**Weather:** Sunny"),
        "calculate 1+1",
    )

    assert calls_in(reply) == [("calculate", {"expression": "1+1"})]


@pytest.mark.parametrize("question", ["What did I say first?", "what did i ask you first", "My first message?"])
async def test_recalls_what_was_said_first(question: str) -> None:
    """It quotes the first user message of the history it was sent."""
    reply = await ask(
        ChatMessage(role="system", content="Be kind."),
        "I like tea",
        ChatMessage(role="assistant", content="Fine."),
        "calculate nothing",
        ChatMessage(role="assistant", content="Fine."),
        question,
    )

    assert "“I like tea”" in reply.text


async def test_recalls_who_said_it_in_a_shared_channel() -> None:
    """The data around a message is not part of what was said, and its author is named."""
    reply = await ask(
        told_by("Ada", "I like tea"),
        ChatMessage(role="assistant", content="Fine."),
        told_by("Bob", "what did I say first?"),
    )

    assert "Ada said" in reply.text
    assert "“I like tea”" in reply.text


@pytest.mark.parametrize(
    "prompt",
    [
        "hello",
        "",
        "What is love?",
        "calculate the meaning of life",
        "weather?",
        '{"from": 3, "text": "hello"}',
        '{"text": 3}',
        "{" * 5000,
        "[" * 5000,
    ],
)
async def test_otherwise_lists_what_it_can_do(prompt: str) -> None:
    """It says that it is no real model, what it knows, and which settings bring one."""
    reply = await ask(prompt)

    assert calls_in(reply) == []
    for part in ("offline demo model", "don't understand language", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        assert part in reply.text


@pytest.mark.parametrize("prompt", ["Show me a long answer", "tell me a long story"])
async def test_shows_a_long_answer(prompt: str) -> None:
    """The text has to be split, and its code block as well."""
    reply = await ask(prompt)

    _, code, rest = reply.text.split("```")
    assert code.startswith("python\n")
    assert len(code) > 2000
    assert "offline demo model" in reply.text
    assert rest
    compile(code.removeprefix("python\n"), "example", "exec")


async def test_what_it_can_do_is_true() -> None:
    """Every example of its list works when it is typed in."""
    listed = [line[3:-1] for line in (await ask("help")).text.splitlines() if line.startswith("- `")]

    assert [call.name for each in listed for call in (await ask(each)).tool_calls] == list(TOOLS)


async def test_counts_tokens_roughly() -> None:
    """The footer has something to show: four bytes to a token."""
    reply = await ask("hello")

    assert reply.usage is not None
    assert reply.usage.output_tokens == (len(reply.text.encode()) + 3) // 4
    assert reply.usage.input_tokens > 5


async def test_goes_by_its_own_name() -> None:
    """Nobody takes it for a model."""
    assert DemoModel().model == (await ask("hello")).model == "demo"


@pytest.mark.parametrize(
    "hostile",
    [
        "weather in " * 900,
        "weather " * 1200,
        "weather in x" + " " * 9000 + "y",
        "send an email to a@b.co body '" + "x' y" * 2000,
        "what is " + "1 " * 4900 + "a",
        "calculate 1 and " * 1000,
        "send an email to " + "a@" * 4900,
    ],
)
async def test_no_text_keeps_it_busy(hostile: str) -> None:
    """Looking for the forms takes no time that others would notice, and calls stay few."""
    start = time.thread_time()

    reply = await ask(hostile)

    assert time.thread_time() - start < 50 * moment()
    assert len(reply.tool_calls) <= 10


async def test_a_reply_is_bounded() -> None:
    """Its long answer is ended where a request says so, as that of every provider."""
    request, pieces = ChatRequest(messages=(user("a long answer"),), max_characters=99), list[str]()

    reply = await DemoModel(delay=0).reply(request, pieces.append)

    assert "".join(pieces) == reply.text
    assert (len(reply.text), reply.finish, reply.bounded) == (99, "length", True)
