"""Keys of many services are known by their shape, and what is no key stays as it is."""

import base64
import itertools
import json
import random
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.commands import Attachment, Author, PromptCommand, Quote
from llmgine.observability.redaction import REDACTED, Redactor
from llmgine.observability.secret_shapes import SHAPES

_RANDOM = random.Random(18)  # noqa: S311  nothing depends on it
_SMALL, _HEX = string.ascii_lowercase, "0123456789abcdef"
_MIXED = string.ascii_letters + string.digits


def made(length: int, of: str = _MIXED) -> str:
    """A random text; with letters of both kinds and digits in it where it may have them."""
    fixed = "aB3d5F" if of == _MIXED else ""
    return fixed + "".join(_RANDOM.choice(of) for _ in range(length - len(fixed)))


def _tokens() -> Iterator[tuple[str, str]]:
    """One key of each kind, in pieces, so that none of them is written here."""
    capitals = string.ascii_uppercase + "234567"
    yield from ((f"aws {kind}", kind + "IA" + made(16, capitals)) for kind in ("AK", "AS", "AB"))
    yield from ((f"github {kind}", f"gh{kind}" + "_" + made(36)) for kind in "pousr")
    yield "github fine-grained", "github" + "_pat_" + made(82)
    yield from (
        (f"gitlab {kind}", "gl" + kind + "-" + made(20)) for kind in ("pat", "dt", "rt", "ptt", "agent", "soat")
    )
    yield "google", "AI" + "za" + made(35)
    yield "google oauth", "GOC" + "SPX-" + made(28)
    yield "google access", "ya" + "29." + made(60)
    yield "google refresh", "1/" + "/0" + made(40)
    yield from (
        (f"slack {kind}", f"xo{kind}" + "-" + made(12, string.digits) + "-" + made(24)) for kind in ("xb", "xp")
    )
    yield "slack app", "xa" + "pp-1-" + made(11) + "-" + made(64, _HEX)
    yield "slack webhook", "hooks.slack" + ".com/services/" + made(9) + "/" + made(10) + "/" + made(24)
    yield "discord", "MT" + made(22) + "." + made(6) + "." + made(38)
    yield "discord webhook", "https://discord.com/api" + "/webhooks/" + made(19, string.digits) + "/" + made(68)
    yield from ((f"stripe {kind}", kind + "_live_" + made(24)) for kind in ("sk", "rk"))
    yield "openai", "sk" + "-proj-" + made(48)
    yield "anthropic", "sk" + "-ant-api03-" + made(93)
    yield "jwt", "ey" + "J" + made(30) + ".ey" + "J" + made(60) + "." + made(43)
    yield "jwt without signature", "ey" + "J" + made(30) + ".ey" + "J" + made(60)
    yield "npm", "np" + "m_" + made(36)
    yield "pypi", "py" + "pi-AgEIcHlwaS5vcmc" + made(60)
    yield "hugging face", "h" + "f_" + made(34, string.ascii_letters)
    yield "sendgrid", "S" + "G." + made(22) + "." + made(43)
    yield "twilio", "S" + "K" + made(32, _HEX)
    yield "telegram", made(9, string.digits) + ":A" + "A" + made(33)
    yield "digitalocean", "dop" + "_v1_" + made(64, _HEX)
    yield "shopify", "shp" + "at_" + made(32, _HEX)
    yield "vault", "hv" + "s." + made(90)
    yield "databricks", "da" + "pi" + made(32, _HEX)
    yield "docker", "dckr" + "_pat_" + made(27)
    yield "grafana", "gl" + "sa_" + made(32) + "_" + made(8, _HEX)
    yield "mailgun", "ke" + "y-" + made(32, _HEX)
    yield "mailchimp", made(32, _HEX) + "-u" + "s12"
    yield "azure", "aB3" + "8Q" + "~" + made(34)
    yield "age", "AGE-SECRET" + "-KEY-1" + made(58, string.ascii_uppercase)


TOKENS = dict(_tokens())
BODY = "\n".join(made(64) for _ in range(20))
BLOCK = f"-----BEGIN RSA {'PRIVATE'} KEY-----\n{BODY}\n-----END RSA {'PRIVATE'} KEY-----"
SECRET = made(40)
WORDED = {
    "address": (f"postgres://ada:{SECRET}@db.example/app", f"postgres://ada:{REDACTED}@db.example/app"),
    "bearer": (f"Authorization: Bearer {SECRET}", f"Authorization: Bearer {REDACTED}"),
    "basic": (f"'authorization': 'Basic {SECRET}'", f"'authorization': 'Basic {REDACTED}'"),
    "bearer alone": (f"with bearer {SECRET}.", f"with bearer {REDACTED}"),
    "named": (f"AWS_SECRET_ACCESS_KEY={SECRET}", f"AWS_SECRET_ACCESS_KEY={REDACTED}"),
    "named in JSON": (json.dumps({"apiKey": SECRET}), json.dumps({"apiKey": REDACTED})),
    "private key": (f"Is this\n{BLOCK}\nmy key?", f"Is this\n{REDACTED}\nmy key?"),
    "cut private key": (f"{BLOCK[:600]}\n\nIs it?", f"{REDACTED}\n\nIs it?"),
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize("around", ["{}", "it is {}, see?", '{{"key": "{}"}}', "key={}\n", "a\\n{}", "`{}`"])
def test_a_key_is_known_wherever_it_is(token: str, around: str) -> None:
    """Nothing of it is left, and all around it is."""
    text = Redactor()(around.format(token))

    assert REDACTED in text
    assert token[-8:] not in text
    before, after = around.format("\0").split("\0")
    assert text.startswith(before)
    assert text.endswith(after)


@pytest.mark.parametrize(("text", "shown"), WORDED.values(), ids=WORDED)
def test_a_secret_is_known_by_the_words_around_it(text: str, shown: str) -> None:
    """A password in an address, a header, a variable, a private key: only the secret goes."""
    assert Redactor()(text) == shown


@pytest.mark.parametrize("text", [*TOKENS.values(), *(text for text, _ in WORDED.values())])
def test_json_in_json_hides_no_secret(text: str) -> None:
    """What is escaped twice, as the arguments of a tool are in the log, is found; the JSON stays JSON."""
    line = json.dumps({"arguments": json.dumps({"text": text}), "number": 5})

    shown = json.loads(Redactor().in_json(line))

    assert shown["number"] == 5
    assert REDACTED in json.loads(shown["arguments"])["text"]


INNOCENT = [
    line
    for line in (Path(__file__).parent / "innocent.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("# ")
]


@pytest.mark.parametrize("text", INNOCENT)
def test_what_is_no_secret_stays(text: str) -> None:
    """Words, hashes, ids, code, base64 and placeholders are left alone."""
    assert Redactor()(text) == text


@pytest.mark.parametrize("seed", range(5))
def test_random_data_is_no_secret(seed: int) -> None:
    """Half a megabyte of base64 or hex, as files have it, has nothing in it that is taken for a key."""
    data = random.Random(seed).randbytes(300_000)  # noqa: S311  nothing depends on it
    for text in (base64.b64encode(data).decode(), data.hex()):
        assert Redactor()(text) == text


def _hostile() -> Iterator[str]:
    """Texts on which a pattern with a flaw would take hours: what patterns begin with, again and again."""
    for shape in SHAPES:
        yield from (shape.hint, f"{shape.hint}a", f"a{shape.hint}-")
    yield from ("M", "M" * 27 + ".aaaaaa." + "a" * 26 + " ", "eyJaaaaaaaaaaaa.", "://a:", "uthorization: bearer ", "-")
    yield from ("-----BEGIN RSA PRIVATE KEY-----", "token=aB3d5", "earer aaaaaa", "aB3d5F", "\\u0041sk-", "1Q~", "0")


def test_no_text_takes_long() -> None:
    """The time grows with the text: 200,000 characters of each hostile pattern are done within the time limit."""
    redact = Redactor(["a-password-of-ours"])
    for piece in _hostile():
        text = (piece * (200_000 // len(piece) + 1))[:200_000]
        assert len(redact.growing(text)) <= len(text) * 4


@pytest.mark.parametrize("token", [*TOKENS.values(), "the password with blanks"])
def test_a_secret_that_is_being_written_is_never_seen(token: str) -> None:
    """Whatever its pieces are, no more of it than a few letters is shown before all of it is there."""
    redact = Redactor(["the password with blanks"])
    text = f"It is this: {token} and more."

    shown = [redact.growing(text[:end]) for end in range(len(text) + 1)]

    begun = token.rpartition("/")[2][:16]  # of a webhook the last part is the secret
    assert all(begun not in one for one in shown)
    assert shown[-1] == redact(text)
    assert all(len(before) <= len(after) + len(token) for before, after in itertools.pairwise(shown))


def test_only_texts_of_a_message_are_changed() -> None:
    """Texts by people lose their secrets, however deep they are; ids, images and what has none stay the same."""
    key = TOKENS["openai"]
    prompt = PromptCommand(
        session_id=key,
        text=f"use {key}",
        source="test",
        source_id="1",
        author=Author(id="1", name="Ada"),
        quoted=Quote(author=None, text=f"no, {key}"),
        attachments=(Attachment(name="a.txt", media_type="text/plain", size=1, text=key),),
        images=(key,),
    )

    clean = Redactor().in_texts(prompt)

    assert (clean.text, clean.session_id, clean.images) == (f"use {REDACTED}", key, (key,))
    assert clean.quoted is not None
    assert clean.quoted.text == f"no, {REDACTED}"
    assert clean.attachments[0].text == REDACTED
    assert clean.author is prompt.author


def test_what_has_no_secret_is_the_same_object() -> None:
    """So that whoever asks can tell by it that something was removed."""
    call: BaseModel = ToolCall(name="f", arguments='{"a":  1}')

    assert Redactor().in_texts(call) is call
