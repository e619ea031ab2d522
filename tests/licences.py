"""The licences of the locked dependencies: `uv run --group test python -m tests.licences`.

It ends with 1 when one of them is unknown or is not among those that this project may ship with.
"""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path
from typing import NamedTuple

LOCK = Path(__file__).parent.parent / "requirements.lock"
PERMISSIVE = frozenset(
    {"MIT", "MIT-CMU", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "PSF-2.0", "ISC", "0BSD", "Unlicense"}
)
# Looked at, and not permissive: libraries that are installed beside this project as they are, and that anybody can
# replace, as the LGPL asks.
LOOKED_AT = {"chardet": "LGPL"}

# How packages named them before there were expressions of SPDX.
_OLD_NAMES = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Python Software Foundation License": "PSF-2.0",
}
_LONGEST = 60  # characters of a licence's name; some packages have its whole text there


class Licensed(NamedTuple):
    """A package and its licence: an expression of SPDX, "" where it is unknown, None where it is not installed."""

    package: str
    licence: str | None

    @property
    def is_fine(self) -> bool:
        """Whether it may be shipped with; what another system needs is looked at there."""
        if self.licence is None or self.licence == LOOKED_AT.get(self.package):
            return True
        words = re.findall(r"[\w.-]+", self.licence)
        return bool(words) and all(word in PERMISSIVE or word in {"AND", "OR"} for word in words)


def locked(text: str) -> list[str]:
    """The packages of a lock file."""
    return re.findall(r"^([A-Za-z0-9_.-]+)==", text, re.MULTILINE)


def licence_of(facts: PackageMetadata) -> str:
    """What a package says of its licence: as an expression, as a name, or as a classifier."""
    expression = _first(facts, "License-Expression")
    if expression:
        return expression
    name = _first(facts, "License").strip()
    if name and len(name) <= _LONGEST:
        return _OLD_NAMES.get(name, name)
    classifiers = (one.rpartition(" :: ")[2] for one in facts.get_all("Classifier") or [] if one.startswith("License"))
    return " OR ".join(_OLD_NAMES.get(one, one) for one in classifiers)


def _first(facts: PackageMetadata, name: str) -> str:
    return str(next(iter(facts.get_all(name) or ()), ""))


def licences(packages: list[str]) -> Iterator[Licensed]:
    """The licences of packages, as they are installed here."""
    for package in packages:
        try:
            yield Licensed(package, licence_of(metadata(package)))
        except PackageNotFoundError:
            yield Licensed(package, None)


def main() -> int:
    """List the licences; returns 1 when one needs to be looked at."""
    found = list(licences(locked(LOCK.read_text(encoding="utf-8"))))
    for one in found:
        licence = "not installed on this system" if one.licence is None else one.licence or "unknown"
        sys.stdout.write(f"{one.package:24} {licence}{'' if one.is_fine else '   <- look at this one'}\n")
    return 0 if all(one.is_fine for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
