"""Every dependency has a licence that this project may ship with."""

from email.message import Message
from typing import Any

import pytest

from tests.licences import LOCK, Licensed, licence_of, licences, locked


def test_all_licences_are_known() -> None:
    """Of each locked package that is installed here; most of them are."""
    found = list(licences(locked(LOCK.read_text(encoding="utf-8"))))

    assert [one for one in found if not one.is_fine] == []
    assert sum(one.licence is not None for one in found) > len(found) / 2 > 10


@pytest.mark.parametrize(
    ("licence", "fine"),
    [
        ("MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("(MIT OR BSD-3-Clause)", True),
        ("GPL-3.0-only", False),
        ("", False),
    ],
)
def test_what_is_unknown_or_not_permissive_fails(licence: str, fine: bool) -> None:
    """Also where only a part of it is."""
    assert Licensed("x", licence).is_fine is fine
    assert not Licensed("x", f"{licence} AND GPL-3.0-only").is_fine


@pytest.mark.parametrize(
    ("headers", "licence"),
    [
        ({"License-Expression": "MIT", "License": "GPL"}, "MIT"),
        ({"License": "Apache 2.0"}, "Apache-2.0"),
        ({"License": "text " * 100, "Classifier": "License :: OSI Approved :: MIT License"}, "MIT"),
        ({}, ""),
    ],
)
def test_a_licence_is_read_as_packages_write_it(headers: dict[str, str], licence: str) -> None:
    """An expression, a name, or a classifier."""
    facts: Any = Message()
    for name, value in headers.items():
        facts[name] = value

    assert licence_of(facts) == licence
