"""Benchmarks people can run: `uv run python -m programs.bench --help`."""
