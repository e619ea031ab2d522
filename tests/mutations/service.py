"""Mutations of running as a service: health, exit codes, one playground per folder."""

from tests.mutations.mutation import Mutation

_HEALTH_TESTS = "tests/programs/discord/test_health.py"

MUTATIONS = (
    Mutation(
        "a minute between two attempts to connect",
        "programs/discord/connection.py",
        "min(super().delay(), _LONGEST_WAIT)",
        "super().delay()",
        ("tests/programs/discord/test_connection_faults.py::test_it_is_back_within_a_minute_of_discord",),
    ),
    Mutation(
        "a bot that shuts down staying unready",
        "programs/discord/connection_status.py",
        "        if self._phase is ConnectionPhase.STOPPING:\n            return\n",
        "",
        (f"{_HEALTH_TESTS}::test_shutting_down_is_the_last_phase",),
    ),
    Mutation(
        "the database in the health check",
        "programs/discord/health_server.py",
        "                await self._app.check_store()\n",
        "                pass\n",
        (f"{_HEALTH_TESTS}::test_a_store_that_fails_is_not_healthy",),
    ),
    Mutation(
        "no restart on a damaged database",
        "programs/exit_codes.py",
        "(ConfigurationError, NewerStoreError, DamagedStoreError)",
        "(ConfigurationError, NewerStoreError)",
        ("tests/programs/test_exit_codes.py::test_an_error_has_its_code",),
    ),
    Mutation(
        "one playground per file",
        "programs/playground/storage.py",
        "            self._lock.acquire(blocking=False)\n",
        "            pass\n",
        ("tests/programs/playground/test_storage.py::test_one_playground_per_file",),
    ),
    Mutation(
        "few series for Prometheus",
        "llmgine/observability/prometheus.py",
        "if len(self._known) >= MOST_SERIES:",
        "if False:",
        ("tests/llmgine/observability/test_prometheus.py::test_series_are_bounded",),
    ),
    Mutation(
        "addresses without passwords in the first lines",
        "programs/discord/start_lines.py",
        "parts.netloc.rpartition('@')[2]",
        "parts.netloc",
        ("tests/programs/discord/test_start_lines.py::test_addresses_are_shown_without_passwords",),
    ),
)
