"""Secrets of many services, made up when the bench runs, so that none of them is written anywhere."""

import random
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from programs.bench.safety.corpus import Input

_HEX, _DIGITS = "0123456789abcdef", string.digits
_MIXED = string.ascii_letters + string.digits
_CAPITALS = string.ascii_uppercase + "234567"

# Each kind: what is before a random part, its length and letters, and what is after it. No piece of it is a key.
_SHAPES: Mapping[str, tuple[str, int, str, str]] = {
    "aws": ("AK" + "IA", 16, _CAPITALS, ""),
    "github": ("gh" + "p_", 36, _MIXED, ""),
    "github fine-grained": ("github" + "_pat_", 60, _MIXED, ""),
    "gitlab": ("gl" + "pat-", 20, _MIXED, ""),
    "google": ("AI" + "za", 35, _MIXED, ""),
    "google oauth": ("GOC" + "SPX-", 28, _MIXED, ""),
    "slack": ("xo" + "xb-123456789012-", 24, _MIXED, ""),
    "slack app": ("xa" + "pp-1-A1234567890-", 40, _HEX, ""),
    "slack webhook": ("https://hooks.slack" + ".com/services/T12345678/B1234567890/", 24, _MIXED, ""),
    "discord": ("MT" + "AwMjAwMzAwNDAwNTAwNjAwNw.GaBcDe.", 38, _MIXED, ""),
    "discord webhook": ("https://discord.com/api" + "/webhooks/1002003004005006007/", 68, _MIXED, ""),
    "stripe": ("sk" + "_live_", 24, _MIXED, ""),
    "openai": ("sk" + "-proj-", 48, _MIXED, ""),
    "anthropic": ("sk" + "-ant-api03-", 93, _MIXED, ""),
    "jwt": ("ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxMjM0NTY3ODkwIn0.", 43, _MIXED, ""),
    "npm": ("np" + "m_", 36, _MIXED, ""),
    "pypi": ("py" + "pi-AgEIcHlwaS5vcmc", 60, _MIXED, ""),
    "hugging face": ("h" + "f_", 34, string.ascii_letters, ""),
    "sendgrid": ("S" + "G.abcdefghijklmnopqrstuv.", 43, _MIXED, ""),
    "twilio": ("S" + "K", 32, _HEX, ""),
    "telegram": ("123456789:A" + "A", 33, _MIXED, ""),
    "digitalocean": ("dop" + "_v1_", 64, _HEX, ""),
    "shopify": ("shp" + "at_", 32, _HEX, ""),
    "vault": ("hv" + "s.", 90, _MIXED, ""),
    "databricks": ("da" + "pi", 32, _HEX, ""),
    "docker": ("dckr" + "_pat_", 27, _MIXED, ""),
    "grafana": ("gl" + "sa_", 32, _MIXED, "_0123abcd"),
    "private key": ("-----BEGIN RSA PRIVATE" + " KEY-----\n", 64, _MIXED, "\n-----END RSA PRIVATE" + " KEY-----"),
    "bearer": ("Authorization: Bearer ", 40, _MIXED, ""),
    "password in an address": ("postgres://ada:", 24, _MIXED, "@db.example/app"),
    "named": ("AWS_SECRET_ACCESS_KEY=", 40, _MIXED, ""),
}


@dataclass(frozen=True)
class Secret:
    """A secret: the `text` that somebody writes, and its `core`, which must be nowhere."""

    text: str
    core: str


class Secrets:
    """The secrets of a run.

    Attributes:
        configured: One that is a setting and has no shape.
        of: Those that the inputs used, by their ids.
    """

    def __init__(self) -> None:
        self._random = random.SystemRandom()
        self.configured = "correct-horse-" + self._some(16, _DIGITS)
        self.of: dict[str, Secret] = {}

    def _some(self, length: int, letters: str) -> str:
        """A random text, with letters of both kinds and digits where it may have them, as real keys have."""
        fixed = "aB3d5F7" if letters == _MIXED else ""
        return fixed + "".join(self._random.choice(letters) for _ in range(length - len(fixed)))

    def make(self, input_: Input) -> Secret:
        """The secret of an input, always the same in a run."""
        if input_.id not in self.of:
            kind = input_["secret"]
            if kind == "configured":
                self.of[input_.id] = Secret(self.configured, self.configured)
            else:
                before, length, letters, after = _SHAPES[kind]
                core = self._some(length, letters)
                self.of[input_.id] = Secret(f"{before}{core}{after}", core)
        return self.of[input_.id]


def acts_with(input_: Input, secret: str) -> tuple[dict[str, Any], list[list[Any]]]:
    """What is put up for an input, and what is done, so that its secret is where the input says."""
    id_, about = input_.id, f"my key\n{secret}\nis it right?"
    read = f'⟦CALL read_page {{"url": "$SITE/page/{id_}"}}⟧'
    weather = f'⟦CALL get_weather {{"location": "{id_}"}}⟧'
    said: dict[str, list[list[Any]]] = {
        "asked": [["say", "ada", f"{about} ⟦REPEAT⟧"]],
        "file": [["say", "ada", "⟦REPEAT⟧", [{"name": "a.env", "text": about}]]],
        "quote": [["talk", "grace", about], ["reply", "ada", "⟦REPEAT⟧"]],
        "page": [["say", "ada", read]],
        "told": [["say", "ada", f"⟦TELL {id_}⟧"]],
        "argument": [["say", "ada", f"⟦TELL {id_} calculate⟧"]],
        "title": [
            ["say", "ada", f"⟦TELL {id_}⟧"],
            ["answer"],
            ["command", "ada", "sessions"],
            ["say", "ada", "thanks"],
        ],
        "name": [["person", "p", secret], ["say", "ada", "Thank {p} ⟦REPEAT⟧"]],
        "prompt": [["command", "ada", "system", {"prompt": f"{about} ⟦REPEAT⟧"}], ["say", "ada", "hello"]],
        "error": [["say", "ada", weather]],
    }
    up = {"page": f"{about} ⟦REPEAT⟧", "place": f"refused: {about} ⟦REPEAT⟧", "tells": about}
    return up, [*said[input_["place"]], ["answer"]]


def leaks(folder: Path, sent: Mapping[str, list[str]], secrets: Secrets) -> Iterator[tuple[str, str]]:
    """Where secrets are, by the ids of their inputs: in files of the bot, or in what was sent."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    contents = [(f"{path.relative_to(folder)}", path.read_bytes()) for path in files]
    contents += [(name, "\n".join(texts).encode()) for name, texts in sent.items()]
    for id_, secret in secrets.of.items():
        yield from ((id_, f"it is in {name}") for name, content in contents if secret.core.encode() in content)
