"""Which model answers in the terminal, what it was not given, and a service that is not up yet."""

import asyncio
import json
from pathlib import Path

import pytest
from aiohttp import web

from tests.chat_completions import ChatCompletionsServer, Exchange
from tests.programs.model_list import ListingServer, in_days
from tests.programs.terminal.program import in_terminal, piped, run, transcript

NO_TOOLS = "note: This model can't use tools, so it answered without them.\n"
SHORTENED = "note: This conversation is too long for the model, so older messages were left out.\n"


async def test_a_model_that_is_named_is_greeted_by_its_name(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """The first lines say who answers, by the command line or the settings."""
    named = await run(tmp_path, OPENAI_BASE_URL=model.base_url, OPENAI_MODEL="some-model")
    other = await run(tmp_path, "--model", "other-model", OPENAI_BASE_URL=model.base_url, OPENAI_MODEL="some-model")

    assert "note: model some-model; /help lists the commands\n" in named.errors
    assert "note: model other-model; /help lists the commands\n" in other.errors


async def test_a_model_that_nobody_named_is_chosen_at_the_first_question(tmp_path: Path) -> None:
    """The greeting says so, and the answer's last line names the model that was chosen."""
    async with ListingServer() as model:
        model.models = ["some-model"]

        chat = await transcript(tmp_path, lines=["hello"], OPENAI_BASE_URL=model.base_url)

    assert "note: the model is chosen at the first question; /help lists the commands\n" in chat.output
    assert "You said: hello\n-- some-model · " in chat.output
    assert model.requests[0]["model"] == "some-model"


@pytest.mark.parametrize("named", ["some-model", ""])
async def test_a_shutdown_within_sixty_days_is_a_warning(tmp_path: Path, named: str) -> None:
    """It is logged in the background, for the model that is named and for the one that would be chosen."""
    warning = f"shuts down the model some-model on {in_days(45)}"
    async with ListingServer() as model:
        model.models, model.shutdowns = ["some-model"], {"some-model": in_days(45)}

        async with piped(tmp_path, OPENAI_BASE_URL=model.base_url, OPENAI_MODEL=named) as chat:
            await chat.until_state(lambda: warning in chat.errors, "the warning")


async def test_a_list_that_hangs_keeps_nobody_waiting(tmp_path: Path) -> None:
    """The chat begins, answers and ends while the service's list does not come."""

    class Hanging(ListingServer):
        async def _list_models(self, request: web.Request) -> web.Response:
            await asyncio.Event().wait()
            return await super()._list_models(request)

    async with Hanging() as model:
        chat = await run(tmp_path, lines=["hello"], OPENAI_BASE_URL=model.base_url, OPENAI_MODEL="some-model")

    assert "You said: hello\n" in chat.output
    assert chat.process.returncode == 0
    assert "WARNING" not in chat.errors


async def test_without_a_list_nothing_is_said(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """Most services tell nothing of shutdowns, which is worth no warning."""
    chat = await run(tmp_path, lines=["hello"], OPENAI_BASE_URL=model.base_url, OPENAI_MODEL="some-model")

    assert "WARNING" not in chat.errors


async def test_what_the_model_was_not_given_is_a_note(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """Tools that the service refuses are said once, under the answer; the next question is asked without them."""
    model.fail(400, {"error": {"message": "some-model does not support tools"}})

    chat = await transcript(tmp_path, lines=["one", "two"], OPENAI_BASE_URL=model.base_url, OPENAI_MODEL="some-model")

    assert f"You said: one\n{NO_TOOLS}-- some-model" in chat.output
    assert chat.output.count(NO_TOOLS) == 1
    assert [bool(request.get("tools")) for request in model.requests] == [True, False, False]


async def test_older_messages_that_were_left_out_are_a_note(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """Once a turn, however many of its rounds were too long."""
    for _ in range(8):
        model.reply("words " * 200)
    too_long = {"error": {"message": "The input exceeds the context window"}}
    for _ in range(2):
        model.fail(400, too_long)
        model.reply(tool_calls=[("calculate", json.dumps({"expression": "6*7"}))])

    chat = await transcript(tmp_path, lines=[*["talk"] * 8, "and now?"], OPENAI_BASE_URL=model.base_url)

    assert chat.output.count(SHORTENED) == 1
    assert "error:" not in chat.output


class TestAServiceThatStarts:
    """It is asked again until it is up, or until the person has enough."""

    def starting(self, model: ChatCompletionsServer, up: asyncio.Event) -> None:
        """Refuse until it is up."""

        async def answer(exchange: Exchange) -> web.StreamResponse:
            if not up.is_set():
                model.answer(answer)
                return web.json_response({"error": {"message": "Loading model", "code": 503}}, status=503)
            await exchange.text("Here I am.")
            await exchange.chunk({}, "stop")
            return await exchange.end()

        model.answer(answer)

    async def test_the_wait_is_said_once(self, tmp_path: Path, model: ChatCompletionsServer) -> None:
        """However often it is asked, one line says what is waited for, and the answer comes."""
        up = asyncio.Event()
        self.starting(model, up)
        async with piped(tmp_path, OPENAI_BASE_URL=model.base_url) as chat:
            chat.say("hello")
            await chat.until("Trying again for up to a minute.\n")
            await model.until(lambda: len(model.requests) >= 3)
            up.set()
            await chat.until("Here I am.\n")
        assert chat.errors.count("Trying again") == 1

    async def test_ctrl_c_stops_it(self, tmp_path: Path, model: ChatCompletionsServer) -> None:
        """The wait is on the screen, and Ctrl-C ends it; the chat goes on."""
        up = asyncio.Event()
        self.starting(model, up)
        async with in_terminal(tmp_path, OPENAI_BASE_URL=model.base_url) as chat:
            await chat.until("/help lists the commands")
            chat.type("hello\r")
            await chat.until("Trying again in 1 s … (Ctrl-C to stop)")

            chat.interrupt()

            await chat.until("Stopped.")
            up.set()
            chat.type("and now?\r")
            await chat.until("Here I am.")
            chat.type(b"\x04")
