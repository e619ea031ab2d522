"""The e-mail tool: one message to one address, sent by SMTP or, without a server, put into an outbox."""

import asyncio
import os
import re
import secrets
import unicodedata
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Self

import aiosmtplib
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from llmgine.errors import ToolError
from llmgine.messages.translatable import tr
from llmgine.settings import is_loopback
from llmgine.tools.result_text import NotDone
from llmgine.tools.tool import Tool
from programs.tools.mail import Mail, composed

OUTBOX_SENDER = "llmgine@localhost"

# Seconds the server has to answer our QUIT, when the mail is accepted already.
_FAREWELL = 2.0

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{1,254}}\Z)(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*\Z")


def _address(text: str) -> str:
    if not _ADDRESS.match(text):
        raise ValueError("write one plain address such as ann@example.com, without a name, in ASCII letters")
    return text


def _recipients(text: str, most: int, allowed: frozenset[str]) -> str:
    """One address, or up to `most` with commas between them, at the domains of `allowed` if there are any."""
    addresses = [_address(one.strip()) for one in text.split(",")] if most > 1 else [_address(text)]
    if len(addresses) > most:
        raise ValueError(f"write at most {most} addresses")
    for address in addresses:
        domain = address.rpartition("@")[2].lower()
        if allowed and domain not in allowed:
            raise ValueError(f"e-mails may only go to {', '.join(sorted(allowed))}, not to {domain}")
    return text


def _line(text: str) -> str:
    # Also what only some programs take for the end of a line: a header after it would be the model's own.
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text):
        raise ValueError("write one line of text, without control characters")
    if "=?" in text:  # the beginning of an encoded word, which whoever reads the header would decode
        raise ValueError("write the text itself, without =?")
    return text


def _plain_text(text: str) -> str:
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in "\t\r\n" for char in text):
        raise ValueError("write plain text, without control characters")
    return text


Address = Annotated[str, AfterValidator(_address)]
Subject = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_line)]
Body = Annotated[str, Field(max_length=100_000), AfterValidator(_plain_text)]


class SmtpConfig(BaseModel):
    """The server mail is handed to.

    Attributes:
        host: Its name.
        port: 587 is usual for "starttls", 465 for "tls".
        username: For authentication; None sends without.
        password: As `username`.
        sender: The address mail comes from.
        tls: "starttls" upgrades a plain connection and sends nothing when that fails, "tls" is encrypted from
            the start, "none" is readable on the way and takes a password only to this machine.
        timeout: Seconds each step of the dialogue may take.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    username: str | None = None
    password: SecretStr | None = None
    sender: Address
    tls: Literal["starttls", "tls", "none"] = "starttls"
    timeout: float = Field(default=15.0, gt=0)

    @model_validator(mode="after")
    def _keep_the_password_secret(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("SMTP authentication takes a username and a password: give both or neither")
        if self.password is not None and self.tls == "none" and not is_loopback(self.host):
            raise ValueError("with tls 'none' the SMTP password would travel readable: take 'starttls' or 'tls'")
        return self


def email_tool(
    *, outbox: Path, smtp: SmtpConfig | None = None, recipients: int = 1, allowed: Collection[str] = ()
) -> Tool:
    """The tool `send_email`.

    Args:
        outbox: The folder for `.eml` files, in place of sending, where `smtp` is None.
        smtp: The mail server.
        recipients: How many addresses one e-mail may have.
        allowed: The domains that e-mails may go to; () for any.
    """
    domains = frozenset(domain.lower() for domain in allowed)
    told = "address of the one recipient, for example ann@example.com"
    if recipients > 1:
        told = f"addresses of up to {recipients} recipients, with commas between them"
    Recipients = Annotated[  # noqa: N806  a type
        str, AfterValidator(lambda text: _recipients(text, recipients, domains)), Field(description=f"The {told}.")
    ]

    async def send_email(to: Recipients, subject: Subject, body: Body) -> str:
        """Send an e-mail of plain text.

        Args:
            to: Who gets it.
            subject: The subject, one line.
            body: The text.

        Returns:
            Whether it was sent, or only written to the outbox because no mail server is configured.
        """
        mail = Mail(smtp.sender if smtp else OUTBOX_SENDER, tuple(one.strip() for one in to.split(",")), subject, body)
        data = composed(mail)
        if smtp is None:
            path = await asyncio.to_thread(_write, outbox, data)
            return NotDone(f"Not sent, because no mail server is configured: written to {path}")
        await _send(smtp, mail, data)
        return f"Sent to {to} through the mail server {smtp.host}"

    return Tool.from_function(send_email, requires_approval=True, timeout=120.0)


def _write(outbox: Path, data: bytes) -> Path:
    """Put the message into the outbox as a file of its own, readable by its owner only.

    Raises:
        ToolError: The folder or the file cannot be written; nothing is left behind.
    """
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}.eml"
    path = outbox / name
    try:
        outbox.mkdir(mode=0o700, parents=True, exist_ok=True)
        # O_EXCL: neither an earlier mail nor the target of a link is ever written over.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as exc:
        raise ToolError(f"not sent: the outbox {outbox} cannot be written: {exc.strerror}") from exc
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except OSError as exc:
        path.unlink(missing_ok=True)
        raise ToolError(f"not sent: {path} cannot be written: {exc.strerror}") from exc
    return path


async def _send(smtp: SmtpConfig, mail: Mail, data: bytes) -> None:
    """Hand the message to the server.

    Raises:
        ToolError: It was not sent, or, when the connection broke while it was handed over, perhaps was;
            the text says which.
    """
    client = aiosmtplib.SMTP(
        hostname=smtp.host,
        port=smtp.port,
        username=smtp.username,
        password=smtp.password.get_secret_value() if smtp.password else None,
        use_tls=smtp.tls == "tls",
        start_tls=smtp.tls == "starttls",
        timeout=smtp.timeout,
        # An address literal is a valid greeting, and the name of this machine is nobody's business.
        local_hostname="[127.0.0.1]",
    )
    try:
        await _connect(client, smtp)
        await _hand_over(client, smtp, mail, data)
        with suppress(aiosmtplib.SMTPException, OSError):  # the mail is accepted, however the farewell goes
            await client.quit(timeout=_FAREWELL)
    finally:
        client.close()


async def _connect(client: aiosmtplib.SMTP, smtp: SmtpConfig) -> None:
    """Connect, encrypt and authenticate, as configured."""
    try:
        await client.connect()
    except aiosmtplib.SMTPAuthenticationError as exc:
        raise ToolError(f"not sent: the mail server {smtp.host} refused the username or password") from exc
    except (aiosmtplib.SMTPException, OSError, ValueError) as exc:
        raise ToolError(f"not sent: no connection to the mail server {smtp.host}: {_said(exc)}") from exc


async def _hand_over(client: aiosmtplib.SMTP, smtp: SmtpConfig, mail: Mail, data: bytes) -> None:
    """Give the message to the connected server; only an answer from it makes the outcome known."""
    try:
        refused, _ = await client.sendmail(mail.sender, list(mail.to), data)
    except (aiosmtplib.SMTPException, OSError) as exc:
        if _is_refusal(exc):
            raise ToolError(f"not sent: the mail server {smtp.host} refused it: {_said(exc)}") from exc
        raise ToolError(
            f"it is unknown whether the mail was sent: the mail server {smtp.host} broke off. "
            "Do not send it again without asking the person",
            shown=tr("Whether the e-mail was sent is unknown: the mail server {host} broke off.", host=smtp.host),
        ) from exc
    if refused:
        raise ToolError(f"sent, but not to all: the mail server {smtp.host} refused {', '.join(refused)}")


def _is_refusal(exc: Exception) -> bool:
    """Whether the server said no, in words that can be relied on."""
    if isinstance(exc, aiosmtplib.SMTPResponseException):
        return 400 <= exc.code < 600
    return isinstance(exc, aiosmtplib.SMTPRecipientsRefused | aiosmtplib.SMTPNotSupported)


def _said(exc: Exception) -> str:
    """What the server said, shortened; each recipient's refusal when it refused them all."""
    if isinstance(exc, aiosmtplib.SMTPRecipientsRefused):
        return "; ".join(_said(refused) for refused in exc.recipients)
    if isinstance(exc, aiosmtplib.SMTPResponseException):
        return f"{exc.code} {exc.message}"[:300]
    return (str(exc) or type(exc).__name__)[:300]
