"""The bot as a process: wrong settings, signals, sudden death, and another program on the same sessions."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from llmgine.sessions import SessionStore, open_store
from programs.exit_codes import ExitCode
from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID
from programs.playground.rules import Rules
from programs.playground.server import Playground
from tests.chat_completions import ChatCompletionsServer
from tests.programs.discord.process import address, ended, launch, running
from tests.programs.discord.scene import Scene, body_of, labels
from tests.waiting import computing, eventually, patience

BOT = "programs.discord.bot"
CHAT = "programs.function_chat"
NOISE = ("Traceback", "Unclosed", "never retrieved", "never awaited", "Warning")


def assert_one_sentence(err: str, *words: str) -> None:
    """One line that says what to do, and no noise around it."""
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, err
    assert all(word in lines[0] for word in words), err
    assert not any(noise in err for noise in NOISE), err


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"DISCORD_API_BASE": "http://example.com/api/v10", "DISCORD_TOKEN": "t"}, ["DISCORD_API_BASE", "https"]),
        ({"DISCORD_GATEWAY_URL": "ws://example.com/", "DISCORD_TOKEN": "t"}, ["DISCORD_GATEWAY_URL", "wss"]),
        (
            {
                "DISCORD_API_BASE": "http://127.0.0.1:9/api/v10",
                "DISCORD_GATEWAY_URL": "ws://127.0.0.1:9/",
                "DISCORD_TOKEN": "t",
            },
            ["Discord cannot be reached", "check the network"],
        ),
        ({"DATABASE_URL": "mysql://db/x", "PLAYGROUND_PORT": 0}, ["DATABASE_URL"]),
        ({"DATABASE_URL": "sqlite:////proc/nowhere/x.db", "PLAYGROUND_PORT": 0}, ["/proc/nowhere"]),
        ({"PLAYGROUND_PORT": "many"}, ["PLAYGROUND_PORT"]),
    ],
    ids=["http base", "ws gateway", "unreachable", "unknown database", "unusable database", "no number"],
)
async def test_a_bad_setting_is_one_sentence(tmp_path: Path, settings: dict[str, Any], words: list[str]) -> None:
    """A setting that cannot work ends the program with one sentence that names it, and no traceback."""
    process = await launch(BOT, folder=tmp_path, **settings)

    end = await ended(process)

    assert end.code == (ExitCode.FAULT if "Discord cannot be reached" in words else ExitCode.CONFIGURATION)
    assert_one_sentence(end.err, *words)


async def test_an_unreachable_gateway_is_one_sentence(tmp_path: Path, playground: Playground) -> None:
    """Logged in, and then no gateway: one sentence, though discord.py fails on an error of its own."""
    settings = {**of(playground), "DISCORD_GATEWAY_URL": "ws://127.0.0.1:9/"}
    process = await launch(BOT, folder=tmp_path, **settings)

    end = await ended(process)

    assert end.code == ExitCode.FAULT
    assert_one_sentence(end.err, "Discord cannot be reached")


async def test_a_malformed_env_file_is_one_sentence(tmp_path: Path) -> None:
    """A line of .env that is no setting is named with its number."""
    (tmp_path / ".env").write_text('PLAYGROUND_PORT=0\nthis is "nothing\n')
    process = await launch(BOT, folder=tmp_path)

    end = await ended(process)

    assert end.code == ExitCode.CONFIGURATION
    assert_one_sentence(end.err, ".env", "line 2")


@pytest.mark.parametrize("token", ["wrong", "wrong\nline", "wröng"])
async def test_a_refused_token_is_one_sentence(tmp_path: Path, playground: Playground, token: str) -> None:
    """A token that Discord does not take, or that is none: where to get another."""
    process = await launch(BOT, folder=tmp_path, **of(playground) | {"DISCORD_TOKEN": token})

    end = await ended(process)

    assert end.code == ExitCode.CONFIGURATION
    assert_one_sentence(end.err, "DISCORD_TOKEN", "https://discord.com/developers/applications")
    assert token not in end.err


async def test_a_missing_intent_is_one_sentence(tmp_path: Path) -> None:
    """Without the Message Content intent: which switch to flip, and where."""
    async with Playground(rules=Rules(message_content=False)) as playground:
        process = await launch(BOT, folder=tmp_path, **of(playground))

        end = await ended(process)

    assert end.code == ExitCode.CONFIGURATION
    assert_one_sentence(end.err, "Message Content", "https://discord.com/developers/applications")


async def test_intents_that_discord_does_not_know_are_one_sentence(tmp_path: Path, playground: Playground) -> None:
    """The gateway's 4013, and its like: it ends at once, with what to do."""
    async with running(BOT, folder=tmp_path, **of(playground)) as process:
        async with patience("the bot to be online", computing(process.pid)):
            await playground.wait_for(lambda state: state.bot_online)
        playground.gateway.drop(4013)

        end = await ended(process)

    assert end.code == ExitCode.CONFIGURATION
    assert_one_sentence(end.err, "intents", "update")


async def test_a_taken_port_is_one_sentence(tmp_path: Path, playground: Playground) -> None:
    """A second playground on the same port says that there is one, and how to go on."""
    process = await launch(BOT, folder=tmp_path, PLAYGROUND_PORT=playground.port)

    end = await ended(process)

    assert end.code == ExitCode.CONFIGURATION
    assert_one_sentence(end.err, str(playground.port), "PLAYGROUND_PORT")


def of(playground: Playground, model: ChatCompletionsServer | None = None) -> dict[str, Any]:
    """The settings that lead a process to a playground and a model service of this test."""
    return {
        "DISCORD_TOKEN": playground.token,
        "DISCORD_API_BASE": playground.api_base,
        "DISCORD_GATEWAY_URL": playground.gateway_url,
        "OPENAI_BASE_URL": model and model.base_url,
    }


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    """With no settings at all it starts, prints the real address, and ends with code 0 when it is told to."""
    async with running(BOT, folder=tmp_path, PLAYGROUND_PORT=0) as process:
        url = await address(process)
        async with aiohttp.ClientSession() as http, http.get(url) as page:
            assert page.status == 200
        process.send_signal(number)

        end = await ended(process)

    assert end.code == 0
    assert not any(noise in end.err for noise in NOISE), end.err


@pytest.fixture
async def outside(playground: Playground, model: ChatCompletionsServer, tmp_path: Path) -> Scene:
    """A scene whose bot is another process."""
    return Scene(playground, model, tmp_path)


async def test_a_signal_in_the_middle_of_an_answer(outside: Scene) -> None:
    """Told to end while it streams, it ends at once and without noise; the next start finishes the answer."""
    never = asyncio.Event()
    outside.model.hold(never, before="I was about to ")
    settings = of(outside.playground, outside.model) | {"SHUTDOWN_GRACE": "0.1"}
    async with running(BOT, folder=outside.folder, **settings) as process:
        await outside.until(lambda: outside.playground.state.bot_online)
        outside.ask("tell me")
        await outside.until(outside.shown)
        process.send_signal(signal.SIGTERM)
        end = await ended(process)
    assert end.code == 0
    assert not any(noise in end.err for noise in NOISE), end.err
    never.set()
    outside.model.reply("I was about to say this.")

    async with running(BOT, folder=outside.folder, **settings):
        outcome = await outside.until(lambda: next(iter(outside.outcomes()), None))

    assert outcome is not None
    assert body_of(outcome.content) == "I was about to say this."
    assert len(outside.shown()) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_second_signal_ends_it_at_once(outside: Scene, number: signal.Signals) -> None:
    """Told twice, it waits for nothing and its exit code is not 0; the next start finishes the answer, once."""
    never = asyncio.Event()
    outside.model.hold(never, before="I was about to ")
    settings = of(outside.playground, outside.model) | {"SHUTDOWN_GRACE": "60"}
    async with running(BOT, folder=outside.folder, **settings) as process:
        await outside.until(lambda: outside.playground.state.bot_online)
        outside.ask("tell me")
        await outside.until(outside.shown)
        process.send_signal(number)
        assert process.stderr is not None
        async with patience("the bot to say that it ends", computing(process.pid)):
            while b"press Ctrl-C again to quit now" not in await process.stderr.readline():
                pass
        process.send_signal(number)
        end = await ended(process)
    assert end.code == -number
    assert not any(noise in end.err for noise in NOISE), end.err
    never.set()
    outside.model.reply("I was about to say this.")

    async with running(BOT, folder=outside.folder, **settings):
        outcome = await outside.until(lambda: next(iter(outside.outcomes()), None))

    assert outcome is not None
    assert body_of(outcome.content) == "I was about to say this."
    assert len(outside.shown()) == 1


async def test_killed_in_the_middle_of_an_answer(outside: Scene) -> None:
    """After kill -9 while it streams, the next start finishes the same message: one outcome, nothing twice."""
    never = asyncio.Event()
    outside.model.hold(never, before="I was about to ")
    settings = of(outside.playground, outside.model)
    async with running(BOT, folder=outside.folder, **settings) as process:
        await outside.until(lambda: outside.playground.state.bot_online)
        outside.ask("tell me")
        half = (await outside.until(outside.shown))[0]
        outside.ask("and then?")
        await outside.until(lambda: len(outside.messages()) == 3)
        process.kill()
        await process.wait()
    never.set()
    outside.model.reply("I was about to say this.")

    async with running(BOT, folder=outside.folder, **settings):
        outcome, _ = await outside.until(lambda: outside.outcomes()[1:] and outside.outcomes())

    assert outcome.id == half.id
    assert body_of(outcome.content) == "I was about to say this."


async def test_killed_while_a_call_waits_for_approval(outside: Scene) -> None:
    """The buttons on a card work after kill -9 and a new start, and the e-mail is sent once."""
    outside.playground.people.open_dm(ADA_ID)
    settings = of(outside.playground)
    async with running(BOT, folder=outside.folder, **settings) as process:
        await outside.until(lambda: outside.playground.state.bot_online)
        outside.ask("Send an email to test@example.com with subject 'Hello' and body 'Hi'")
        card = await outside.until(lambda: next((m for m in outside.shown() if "Approve" in labels(m)), None))
        assert card is not None
        process.kill()
        await process.wait()
    await outside.until(lambda: not outside.playground.state.bot_online)

    async with running(BOT, folder=outside.folder, **settings):
        await outside.until(lambda: outside.playground.state.bot_online)
        outside.click(card, "Approve")
        await outside.until(outside.outcomes)

    assert len(list((outside.folder / "outbox").glob("*.eml"))) == 1
    assert len([message for message in outside.shown() if message.embeds]) == 1


async def test_conversations_get_titles(outside: Scene) -> None:
    """The program asks the model for a title after the first answer, and the list of conversations shows it."""
    outside.model.reply("Paris.")
    outside.model.reply("The capital of France")
    settings = of(outside.playground, outside.model) | {"SESSION_TITLES": "true"}
    async with running(BOT, folder=outside.folder, **settings):
        await outside.until(lambda: outside.playground.state.bot_online)
        outside.ask("What is the capital of France?")
        await outside.until(outside.outcomes)
        store = await open_store(f"sqlite:///{outside.folder}/llmgine.db")
        await eventually(lambda: _has_title(store))
        await store.close()
        outside.command("sessions")
        await outside.until(lambda: "The capital of France" in str([m.embeds for m in outside.private(ADA_ID)]))


async def _has_title(store: SessionStore) -> bool:
    return (await store.sessions.get(f"discord:{GENERAL_ID}")).title is not None


async def test_the_terminal_goes_on_with_a_session_of_the_bot(scene: Scene) -> None:
    """While the bot runs, the terminal lists its sessions and continues one; the bot then knows what was said there."""
    scene.ask("I like green.")
    await scene.outcome()
    settings = {"OPENAI_BASE_URL": scene.model.base_url}
    listed = await ended(await launch(CHAT, "--list-sessions", folder=scene.folder, **settings))
    assert f"discord:{GENERAL_ID}" in listed.out
    assert "#general in Playground" in listed.out

    chat = await launch(CHAT, "--session", f"discord:{GENERAL_ID}", folder=scene.folder, **settings)
    said = await ended(chat, "And I like blue.\n/exit\n")
    assert said.code == 0, said.err
    assert "And I like blue." in said.out

    scene.ask("What do I like?")
    await scene.outcome(2)
    texts = [message["content"] for message in scene.model.requests[-1]["messages"]]
    assert any("I like green." in text for text in texts)
    assert any("And I like blue." in text for text in texts)
    assert len(scene.shown()) == 2


@pytest.mark.smoke
async def test_what_was_said_in_the_playground_survives_a_restart(tmp_path: Path) -> None:
    """Ended and started again, the bot's own playground shows the conversation, and the bot remembers it."""
    question = f"<@{BOT_ID}> what did I say first?"
    async with running(BOT, folder=tmp_path, PLAYGROUND_PORT=0) as process:
        first = await asked(await address(process), question, answers=1)
        process.send_signal(signal.SIGTERM)
        await ended(process)

    async with running(BOT, folder=tmp_path, PLAYGROUND_PORT=0) as process:
        again = await asked(await address(process), f"<@{BOT_ID}> And what was my first question?", answers=2)

    assert [_told(message) for message in first] == [_told(message) for message in again[-2:]]
    assert "what did I say first?" in again[0]["content"]


def _told(message: dict[str, Any]) -> dict[str, Any]:
    """A message without what changes after its answer is whole, also of what it replies to.

    Of the buttons some go when there is something newer, and a question gets its sign once its answer is visible.
    """
    told = {key: value for key, value in message.items() if key not in {"components", "edited_timestamp", "reactions"}}
    replied_to = told.get("referenced_message")
    return told if replied_to is None else {**told, "referenced_message": _told(replied_to)}


async def asked(url: str, text: str, *, answers: int) -> list[dict[str, Any]]:
    """Say something on the page; the messages of the channel, newest first, once there are so many whole answers."""
    channel = f"{url}playground/channels/{GENERAL_ID}/messages?as={ADA_ID}"
    page = f"{url}playground/events?as={ADA_ID}"
    async with patience("so many answers"), aiohttp.ClientSession() as http, http.ws_connect(page) as events:
        while not (await (await http.get(f"{url}playground/state")).json())["bot_online"]:
            await events.receive()
        async with http.post(channel, json={"as": str(ADA_ID), "content": text}) as response:
            assert response.status == 200
        while True:
            async with http.get(channel) as response:
                messages: list[dict[str, Any]] = await response.json()
            if sum("offline demo model ·" in message["content"] for message in messages) == answers:
                return messages
            await events.receive()
