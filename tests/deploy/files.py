"""The files with which the bot is deployed, as Docker and systemd read them."""

import re
import shlex
from dataclasses import dataclass, field
from typing import Any

import yaml

from tests.documents import ROOT

UNIT = ROOT / "deploy" / "llmgine.service"


@dataclass
class Image:
    """What the Dockerfile says."""

    base: str = ""
    env: dict[str, str] = field(default_factory=dict)
    copies: list[tuple[str, str]] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    one: dict[str, str] = field(default_factory=dict)  # what there is one of, by instruction


def image() -> Image:
    """Read the Dockerfile; an instruction that is not known here is an error."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    made = Image()
    for line in re.sub(r"\\\n", " ", text).splitlines():
        name, _, rest = line.partition(" ")
        match name:
            case "FROM":
                made.base = rest
            case "ENV":
                made.env |= dict(pair.split("=", 1) for pair in shlex.split(rest))
            case "COPY":
                source, target = rest.split()
                made.copies.append((source, target))
            case "RUN":
                made.runs.append(rest)
            case "USER" | "WORKDIR" | "VOLUME" | "HEALTHCHECK" | "CMD":
                assert name not in made.one
                made.one[name] = rest
            case _:
                assert not name, line
    return made


def compose() -> dict[str, Any]:
    """Read compose.yaml."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return found


def unit() -> dict[str, list[str]]:
    """The unit's directives; each with its values, since it may be given more than once."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        if line and line[0] not in "#[":
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found
