"""An e-mail says what was approved, to whom it was approved, and nothing else."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmgine.errors import ToolError
from llmgine.messages.chat_messages import ToolCall
from llmgine.tools.tool_manager import ToolManager
from programs.tools import mail
from programs.tools.email import email_tool
from programs.tools.mail import Mail, composed
from tests.programs.tools.smtp_server import SmtpServer, smtp_server
from tests.programs.tools.test_email import MAIL, files, only_mail, send
from tests.programs.tools.test_email import to as at


def composed_with(subject: str, body: str = "Hello") -> bytes:
    return composed(Mail("bot@example.org", ("ann@example.com",), subject, body))


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?Hi=0aBcc:_eve@example.com?=",
        "=?utf-8?b?SGkKQmNjOiBldmVAZXhhbXBsZS5jb20KCkEgbmV3IGJvZHk=?=",
        "Hi =?utf-8?q?=0a=0aAnother_body?=",
        "=?us-ascii?Q?x?=",
        "=?",
    ],
)
async def test_an_encoded_word_is_refused(tmp_path: Path, subject: str) -> None:
    """Python decodes it while it composes: what was approved as a subject would become headers and another body."""
    result = await send(tmp_path, {"subject": subject})

    assert "without =?" in result.content
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "changed",
    [
        b"Bcc: eve@example.com\r\n",
        b"To: eve@example.com\r\n",
        b"Subject: Another\r\n",
        b"X-Header: 1\r\n",
        b"Content-Type: multipart/mixed; boundary=a\r\n",
    ],
)
def test_what_reads_back_differently_is_not_sent(changed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the composing of a mail adds or changes, it is found before anything is sent."""
    compose = mail._compose
    monkeypatch.setattr(mail, "_compose", lambda approved: changed + compose(approved))

    with pytest.raises(ToolError, match="not sent"):
        composed_with("Hi")


@pytest.mark.parametrize("part", ["subject", "body", "to", "sender"])
def test_each_part_is_read_back(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail that says something else than was approved, in any part, is not sent."""
    other = {"subject": "Hj", "body": "Hello\n\nP.S.", "to": ("eve@example.com",), "sender": "eve@example.org"}[part]
    compose = mail._compose
    monkeypatch.setattr(mail, "_compose", lambda approved: compose(approved._replace(**{part: other})))

    with pytest.raises(ToolError, match="does not say what was approved"):
        composed_with("Hi")


@given(
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=200),
    st.text(st.characters(exclude_categories=("Cc", "Cs"), include_characters="\t\r\n"), max_size=500),
)
def test_any_text_comes_as_it_was_approved(subject: str, body: str) -> None:
    """Blanks, marks, emoji, any script: the mail that is sent reads back as the same."""
    data = composed_with(subject.replace("=?", "= ?"), body)

    assert data.isascii()
    assert max(map(len, data.split(b"\r\n"))) < 998


async def test_one_recipient_unless_configured(tmp_path: Path) -> None:
    """A list of addresses is refused; with EMAIL_RECIPIENTS that many are taken, and no more."""
    two = {"to": "ann@example.com, bob@example.com"}
    assert not (await send(tmp_path, two)).ok
    manager = ToolManager([email_tool(outbox=tmp_path, recipients=2)])

    sent = await manager.run(ToolCall(name="send_email", arguments=json.dumps(MAIL | two)))
    three = {"to": f"{two['to']}, eve@example.com"}
    refused = await manager.run(ToolCall(name="send_email", arguments=json.dumps(MAIL | three)))

    assert sent.ok
    assert only_mail(tmp_path)["To"] == two["to"]
    assert "at most 2 addresses" in refused.content


@pytest.mark.parametrize(
    ("to", "taken"),
    [
        ("ann@example.com", True),
        ("ann@EXAMPLE.com", True),
        ("ann@example.org", False),
        ("ann@sub.example.com", False),
        ("ann@example.com.evil.example", False),
        ("ann@evilexample.com", False),
    ],
)
async def test_only_allowed_domains_get_mail(tmp_path: Path, to: str, taken: bool) -> None:
    """With EMAIL_ALLOWED other domains are refused, also those that only look like an allowed one."""
    manager = ToolManager([email_tool(outbox=tmp_path / "outbox", allowed=["Example.com"])])

    result = await manager.run(ToolCall(name="send_email", arguments=json.dumps(MAIL | {"to": to})))

    assert result.ok is taken
    assert (tmp_path / "outbox").exists() is taken


async def test_of_several_recipients_the_refused_ones_are_told(tmp_path: Path) -> None:
    """The mail went to the others, and the model hears to whom it did not."""
    async with smtp_server(SmtpServer(refused={"bob@example.com"})) as server:
        manager = ToolManager([email_tool(outbox=tmp_path, smtp=at(server), recipients=2)])
        both = MAIL | {"to": "ann@example.com, bob@example.com"}
        result = await manager.run(ToolCall(name="send_email", arguments=json.dumps(both)))

    assert "sent, but not to all" in result.content
    assert "bob@example.com" in result.content
    assert len(server.mails) == 1
