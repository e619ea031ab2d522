"""An e-mail as bytes that say exactly what was approved, as far as programs that read e-mails agree."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import Header, decode_header, make_header
from email.message import EmailMessage, Message
from email.policy import SMTP, compat32, default, strict
from email.utils import format_datetime, getaddresses, make_msgid
from typing import NamedTuple

from llmgine.errors import ToolError
from llmgine.messages.text import collapse_spaces

_HEADERS = ("From", "To", "Subject", "Date", "Message-ID", "Content-Type", "Content-Transfer-Encoding", "MIME-Version")
_PLAIN = 60  # characters of a subject that needs neither encoding nor folding
_LINE_END = "\r\n"


class Mail(NamedTuple):
    """What somebody approved."""

    sender: str
    to: Sequence[str]
    subject: str
    body: str


def composed(mail: Mail) -> bytes:
    """The e-mail as it is sent, in ASCII.

    Raises:
        ToolError: It cannot be written so that it reads back as what was approved; nothing was sent.
    """
    try:
        data = _compose(mail)
        same = _read_back(data, mail) and _read_back_by_old_rules(data, mail)
    except Exception as exc:  # the parsers of email raise whatever comes, and what they cannot read is not sent
        raise ToolError("not sent: it cannot be composed. Write subject and text more simply") from exc
    if not same:
        raise ToolError("not sent: the composed e-mail does not say what was approved. Write the subject more simply")
    return data


def _compose(mail: Mail) -> bytes:
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.to)
    message["Date"] = format_datetime(datetime.now(UTC))
    # The domain is given so that this machine's name is neither looked up nor told.
    message["Message-ID"] = make_msgid(domain=mail.sender.partition("@")[2])
    message.set_content(mail.body)
    return _subject(mail.subject).encode("ascii") + message.as_bytes()


def _subject(text: str) -> str:
    """The header of a subject. It is not left to EmailMessage, whose way to fold loses and adds blanks."""
    plain = text.isascii() and len(text) <= _PLAIN and text == collapse_spaces(text)
    value = text if plain else Header(text, "utf-8", header_name="Subject").encode(linesep=_LINE_END)
    return f"Subject: {value}{_LINE_END}"


def _read_back(data: bytes, mail: Mail) -> bool:
    """Whether the strictest parser of Python reads what was approved, and no other header or part."""
    read = message_from_bytes(data, EmailMessage, policy=default + strict)
    return (
        sorted(read.keys()) == sorted(_HEADERS)
        and _people(read["From"]) == [mail.sender]
        and _people(read["To"]) == list(mail.to)
        and str(read["Subject"]) == mail.subject
        and read.get_content_type() == "text/plain"
        and not read.is_multipart()
        and not read.defects
        and _lines(read.get_content()) == _lines(mail.body)
    )


def _read_back_by_old_rules(data: bytes, mail: Mail) -> bool:
    """The same with the parser that knows only the older rules, as many programs that receive e-mails do."""
    read: Message = message_from_bytes(data, policy=compat32)
    content = read.get_payload(decode=True)
    return (
        sorted(read.keys()) == sorted(_HEADERS)
        and [address for _, address in getaddresses([str(read["To"])])] == list(mail.to)
        and str(make_header(decode_header(str(read["Subject"])))) == mail.subject
        and isinstance(content, bytes)
        and _lines(content.decode(str(read.get_content_charset("utf-8")))) == _lines(mail.body)
    )


def _people(header: object) -> list[str]:
    addresses = getattr(header, "addresses", ())
    return [str(one.addr_spec) for one in addresses if not one.display_name]


def _lines(text: str) -> str:
    """A text as SMTP leaves it: of line ends only that they are there matters."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
