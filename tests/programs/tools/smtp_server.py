"""A mail server on loopback, of as much SMTP as the tests need, that can be told to misbehave."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class SmtpServer:
    """What came in, and how to answer.

    Attributes:
        replies: An answer other than the usual one, by command; "." is the end of the data.
        refused: Recipients that are not taken.
        hang_up_at: The command at which the connection is closed without an answer.
    """

    port: int = 0
    extensions: tuple[str, ...] = ("AUTH PLAIN",)
    replies: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    hang_up_at: str | None = None
    commands: list[str] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 loopback ESMTP\r\n")
            while line := (await reader.readline()).decode().strip():
                verb = line.partition(" ")[0].upper()
                if not await self._answer(verb, line, reader, writer):
                    break
        except ConnectionError:
            pass  # the client went away, as some tests make it
        finally:
            writer.close()

    async def _answer(self, verb: str, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one command; False ends the conversation."""
        self.commands.append(line)
        if verb == self.hang_up_at:
            return False
        if verb == "EHLO":
            lines = ["loopback", *self.extensions]
            usual = "\r\n".join([f"250-{each}" for each in lines[:-1]] + [f"250 {lines[-1]}"])
        else:
            usual = {"QUIT": "221 bye", "DATA": "354 go on", "AUTH": "235 welcome"}.get(verb, "250 ok")
        if verb == "RCPT" and any(one in line for one in self.refused):
            usual = "550 no such user"
        reply = self.replies.get(verb, usual)
        if verb == "AUTH":
            _, user, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")
            self.logins.append((user, password))
        writer.write(reply.encode() + b"\r\n")
        if reply.startswith("354"):
            return await self._take_mail(reader, writer)
        return verb != "QUIT"

    async def _take_mail(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        lines: list[bytes] = []
        while (line := await reader.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        self.mails.append(message_from_bytes(b"".join(lines), EmailMessage, policy=policy.default))
        if self.hang_up_at == ".":
            return False
        writer.write(self.replies.get(".", "250 queued").encode() + b"\r\n")
        return True


@asynccontextmanager
async def smtp_server(server: SmtpServer) -> AsyncIterator[SmtpServer]:
    """Run `server` on a free port of 127.0.0.1, which it then knows."""
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await listening.wait_closed()
