"""What the build adds to an editable installation, which is what `uv run` makes of this folder."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PytestCommand(BuildHookInterface):
    """Installs a command `pytest` that names the group of the test tools where they are missing.

    Without it `uv run pytest` would take a pytest from elsewhere on PATH, or end with an error that names no remedy.
    A wheel for other people's programs does not have it: there `pytest` is theirs.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the command to an editable wheel.

        Args:
            version: What is built, "standard" or "editable".
            build_data: What hatchling is told of the wheel; changed in place.
        """
        if version == "editable":
            build_data["shared_scripts"]["tests/pytest_command"] = "pytest"
