"""A deadline for every test of the log."""

from tests.llmgine.deadline import deadline

__all__ = ["deadline"]
