"""The mutation check: `uv run --group test python -m tests.mutations [words]`.

Each safeguard of the program is taken out in turn, in a copy of the sources; the tests named with it must then fail.
Without this check a test that can never fail would not be noticed.
"""
