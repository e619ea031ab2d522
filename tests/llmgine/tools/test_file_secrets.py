"""Secrets in the files that tools give: in any encoding, and wherever they are in a long text."""

import pytest

from llmgine.observability.redaction import Redactor
from llmgine.tools.file_secrets import without_secrets
from tests.cpu import moments

SECRET = "sk-proj-" + "a1B2" * 12
PASSWORD = "correct horse battery staple"
PIECE = 2**16  # characters that are looked at together
KEY = (
    "-----BEGIN RSA PRIVATE KEY-----\n"
    + "".join(f"{number:02}AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/AbCdEfGhIjKlMnOpQrStUv\n" for number in range(50))
    + "-----END RSA PRIVATE KEY-----"
)
REDACT = Redactor([PASSWORD])


def clean(text: str, encoding: str = "utf-8") -> str:
    """The text when it was a file."""
    return without_secrets(text.encode(encoding), REDACT).decode(encoding)


@pytest.mark.parametrize("filler", ["x", "word ", '{"a": "b"},', "a line\n", "ß", "-----BEGIN ", "[redacted]"])
@pytest.mark.parametrize("secret", [SECRET, f'"api_key": "{SECRET[8:]}"', f"Bearer {SECRET[8:]}", PASSWORD, KEY])
def test_a_secret_goes_wherever_it_is(filler: str, secret: str) -> None:
    """At the beginning of a piece of a text, at its end, or across both, whatever is around it."""
    words = secret.split("AbC")[1] if secret is KEY else secret[-12:]
    for shift in (-len(secret) - 1, -len(secret) + 1, -len(secret) // 2, -20, -5, -1, 0, 1):
        before = (filler * PIECE)[: PIECE + shift - 1]
        found = clean(f"{before} {secret} {filler * 100}")
        assert words not in found
        assert found.startswith(before[:100])
        assert found.endswith(filler * 99)


@pytest.mark.parametrize("secret", [SECRET, PASSWORD])
def test_a_secret_within_a_word_without_end(secret: str) -> None:
    """No part of it is left where a text has nothing at which it can be cut."""
    for shift in range(-len(secret), 2, 7):
        found = clean("x" * (PIECE + shift - 1) + "." + secret + "." + "y" * PIECE)
        assert secret[-6:] not in found
        assert secret[:12] not in found


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"]
)
def test_a_secret_goes_in_any_encoding(encoding: str) -> None:
    """The rest of the file is as it was, byte by byte."""
    text = f"Schlüssel für Grüße:\r\nkey={SECRET}\r\nEnde"
    data = text.encode(encoding)
    found = without_secrets(data, REDACT)
    assert found == text.replace(SECRET, "[redacted]").encode(encoding)
    innocent = "Grüße".encode(encoding)
    assert without_secrets(innocent, REDACT) is innocent


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\0\0", b"\xff\xfe\x00", b"\xff\xfb\x90\x01" * 99, bytes(range(256)), b""]
)
def test_what_is_no_text_stays(data: bytes) -> None:
    """A file that is none has all its bytes, whatever is among them."""
    for one in (data, data + b"\0" + SECRET.encode()):
        assert without_secrets(one, REDACT) == one


@pytest.mark.parametrize("filler", ["-----BEGIN ", "sk-proj-", "word ", "[redacted]"])
def test_the_time_grows_with_the_text_alone(filler: str) -> None:
    """A text that is made to be slow is not."""
    text = filler * (2**21 // len(filler))

    assert moments(lambda: clean(text), 200) <= 200  # it takes a tenth of that
