"""E-mail: sent, written to the outbox, or refused, and always said which."""

import asyncio
import json
import os
import stat
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from llmgine.messages.chat_messages import ToolCall, ToolResult
from llmgine.tools.tool_manager import ToolManager
from programs.tools.email import SmtpConfig, email_tool
from tests.programs.tools.smtp_server import SmtpServer, smtp_server
from tests.waiting import patience

MAIL = {"to": "ann@example.com", "subject": "Grüße", "body": "Hello\n.\nlast line 👋"}


async def send(outbox: Path, changes: dict[str, str] | None = None, *, smtp: SmtpConfig | None = None) -> ToolResult:
    manager = ToolManager([email_tool(outbox=outbox, smtp=smtp)])
    async with patience("the tool's result"):
        return await manager.run(ToolCall(name="send_email", arguments=json.dumps(MAIL | (changes or {}))))


def to(server: SmtpServer, **changes: object) -> SmtpConfig:
    plain = {"host": "127.0.0.1", "port": server.port, "sender": "bot@example.org", "tls": "none", "timeout": 5}
    return SmtpConfig.model_validate(plain | changes)


def files(outbox: Path) -> list[Path]:
    return sorted(outbox.iterdir())


def only_mail(outbox: Path) -> EmailMessage:
    (path,) = files(outbox)
    return message_from_bytes(path.read_bytes(), EmailMessage, policy=policy.default)


def test_the_schema_is_for_one_mail_with_consent() -> None:
    """A person has to agree, and it is never run twice on a guess; nothing of the configuration is offered."""
    tool = email_tool(outbox=Path("outbox"))

    assert tool.requires_approval
    assert not tool.idempotent
    assert tool.schema.parameters == {
        "type": "object",
        "additionalProperties": False,
        "required": ["to", "subject", "body"],
        "properties": {
            "to": {
                "type": "string",
                "description": "The address of the one recipient, for example ann@example.com.",
            },
            "subject": {
                "type": "string",
                "minLength": 1,
                "maxLength": 200,
                "description": "The subject, one line.",
            },
            "body": {"type": "string", "maxLength": 100_000, "description": "The text."},
        },
    }


async def test_without_a_server_the_mail_is_written_to_the_outbox(tmp_path: Path) -> None:
    """The result says that it was not sent and where it is; the file holds the whole mail."""
    outbox = tmp_path / "deep" / "outbox"

    result = await send(outbox)

    mail = only_mail(outbox)
    assert result.ok
    assert result.content == f"Not sent, because no mail server is configured: written to {files(outbox)[0]}"
    assert (mail["From"], mail["To"], mail["Subject"]) == ("llmgine@localhost", MAIL["to"], MAIL["subject"])
    assert mail["Message-ID"].endswith("@localhost>")
    assert mail["Date"].datetime is not None
    assert mail.get_content().replace("\r\n", "\n").rstrip("\n") == MAIL["body"]


async def test_the_outbox_is_for_its_owner_only(tmp_path: Path) -> None:
    """Folder 0700 and file 0600, whatever the process's mask allows."""
    outbox = tmp_path / "outbox"
    mask = os.umask(0)
    try:
        await send(outbox)
    finally:
        os.umask(mask)

    (mail,) = files(outbox)
    assert stat.S_IMODE(outbox.stat().st_mode) == 0o700
    assert stat.S_IMODE(mail.stat().st_mode) == 0o600


async def test_mails_of_one_moment_do_not_overwrite_each_other(tmp_path: Path) -> None:
    """Every mail has a file of its own."""
    await asyncio.gather(*(send(tmp_path) for _ in range(20)))

    assert len(files(tmp_path)) == 20


async def test_an_outbox_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A file where the folder should be: not sent, and why."""
    (tmp_path / "outbox").write_text("not a folder")

    result = await send(tmp_path / "outbox")

    assert not result.ok
    assert "not sent: the outbox" in result.content


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ann",
        "ann@",
        "@example.com",
        "ann@@example.com",
        "a b@example.com",
        "ann@example..com",
        ".ann@example.com",
        "ann@-example.com",
        "Ann <ann@example.com>",
        "ann@example.com,bob@example.com",
        "ann@example.com\nBcc: bob@example.com",
        "ann@example.com\n",
        "änn@example.com",
        f"{'a' * 65}@example.com",
        f"ann@{'.'.join(['a' * 60] * 5)}",
    ],
)
async def test_only_one_plain_address_is_taken(tmp_path: Path, address: str) -> None:
    """What is no single address is refused before anything is written, with what to write."""
    result = await send(tmp_path, {"to": address})

    assert not result.ok
    assert "to: Value error, write one plain address" in result.content
    assert files(tmp_path) == []


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\0", "\x0b", "\x85", "\u2028", "\u2029"], ids=ascii)
async def test_a_subject_cannot_carry_a_header(tmp_path: Path, end: str) -> None:
    """Whatever any program takes for the end of a line is refused in a subject."""
    result = await send(tmp_path, {"subject": f"Hi{end}Bcc: bob@example.com"})

    assert not result.ok
    assert "subject: Value error, write one line" in result.content
    assert files(tmp_path) == []


@pytest.mark.parametrize("changes", [{"subject": ""}, {"subject": "x" * 201}, {"body": "x" * 100_001}, {"body": "\0"}])
async def test_bounds_hold(tmp_path: Path, changes: dict[str, str]) -> None:
    """Too long, empty or binary: refused."""
    assert not (await send(tmp_path, changes)).ok
    assert files(tmp_path) == []


async def test_a_body_with_headers_and_long_lines_stays_a_body(tmp_path: Path) -> None:
    """Nothing in the text becomes a header, and lines longer than SMTP allows come whole."""
    body = "Bcc: bob@example.com\n\n" + "word " * 1_000 + "ü" * 2_000 + "\U0001f469\u200d\U0001f52c"

    await send(tmp_path, {"body": body})

    (path,) = files(tmp_path)
    assert only_mail(tmp_path)["Bcc"] is None
    assert only_mail(tmp_path).get_content().replace("\r\n", "\n").rstrip("\n") == body
    assert max(map(len, path.read_bytes().split(b"\r\n"))) < 998


async def test_with_a_server_the_mail_is_sent(tmp_path: Path) -> None:
    """It arrives as it was written, lone dots included; the result names the server, and no file is made."""
    async with smtp_server(SmtpServer()) as server:
        result = await send(tmp_path / "outbox", smtp=to(server, username="bot", password="letmein"))

    (mail,) = server.mails
    assert result.content == "Sent to ann@example.com through the mail server 127.0.0.1"
    assert (mail["From"], mail["To"], mail["Subject"]) == ("bot@example.org", MAIL["to"], MAIL["subject"])
    assert mail.get_content().replace("\r\n", "\n").rstrip("\n") == MAIL["body"]
    assert server.logins == [("bot", "letmein")]
    assert server.commands[0] == "EHLO [127.0.0.1]"
    assert not (tmp_path / "outbox").exists()


@pytest.mark.parametrize(
    ("replies", "told"),
    [
        ({"MAIL": "550 not you"}, "refused it: 550 not you"),
        ({"RCPT": "550 no such user"}, "refused it: 550 no such user"),
        ({"DATA": "452 full"}, "refused it: 452 full"),
        ({".": "554 spam"}, "refused it: 554 spam"),
        ({"AUTH": "535 wrong"}, "refused the username or password"),
        ({"EHLO": "garbage"}, "no connection to the mail server"),
    ],
    ids=str,
)
async def test_a_refusal_is_not_sent_and_says_why(tmp_path: Path, replies: dict[str, str], told: str) -> None:
    """What the server answered reaches the model; the password does not."""
    async with smtp_server(SmtpServer(replies=replies)) as server:
        result = await send(tmp_path, smtp=to(server, username="bot", password="letmein"))

    assert not result.ok
    assert "not sent: " in result.content
    assert told in result.content
    assert "letmein" not in result.content


@pytest.mark.parametrize(
    "server", [SmtpServer(hang_up_at="."), SmtpServer(replies={".": "nonsense"})], ids=["cut", "garbage"]
)
async def test_a_connection_lost_after_the_data_is_an_unknown_outcome(tmp_path: Path, server: SmtpServer) -> None:
    """The mail may be on its way: that is said, and not to repeat it."""
    async with smtp_server(server):
        result = await send(tmp_path, smtp=to(server))

    assert not result.ok
    assert "it is unknown whether the mail was sent" in result.content
    assert len(server.mails) == 1


async def test_a_rude_farewell_does_not_unsend_a_mail(tmp_path: Path) -> None:
    """Accepted is sent, also when the server hangs up at QUIT."""
    async with smtp_server(SmtpServer(hang_up_at="QUIT")) as server:
        assert (await send(tmp_path, smtp=to(server))).ok


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_no_encryption_no_mail(tmp_path: Path, tls: str) -> None:
    """A server that does not encrypt as configured gets neither password nor mail."""
    async with smtp_server(SmtpServer()) as server:
        result = await send(tmp_path, smtp=to(server, tls=tls, username="bot", password="letmein", timeout=1))

    assert "not sent: no connection" in result.content
    assert server.logins == []
    assert server.mails == []


async def test_an_unreachable_server_is_said(tmp_path: Path) -> None:
    """Nothing listens: not sent."""
    async with smtp_server(SmtpServer()) as server:
        pass

    result = await send(tmp_path, smtp=to(server))

    assert "not sent: no connection to the mail server 127.0.0.1" in result.content


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": ""},
        {"port": 0},
        {"sender": "Bot <bot@example.org>"},
        {"tls": "yes"},
        {"username": "bot"},
        {"password": "letmein"},
        {"tls": "none", "username": "bot", "password": "letmein"},
    ],
    ids=str,
)
def test_a_wrong_configuration_is_refused_when_it_is_made(wrong: dict[str, object]) -> None:
    """Also a password that would travel readable to another machine."""
    good = {"host": "mail.example.org", "sender": "bot@example.org"}
    SmtpConfig.model_validate(good)

    with pytest.raises(ValidationError):
        SmtpConfig.model_validate(good | wrong)


def test_the_password_is_not_shown() -> None:
    """A configuration in a log or an error keeps its secret."""
    config = SmtpConfig(host="::1", sender="b@example.org", username="b", password=SecretStr("letmein"), tls="none")

    assert "letmein" not in repr(config)
