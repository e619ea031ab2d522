"""Waiting for states that nobody tells of."""

from tests.waiting import eventually

__all__ = ["eventually"]
