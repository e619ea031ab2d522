"""Known vulnerabilities of the locked dependencies: `uv run python -m tests.vulnerabilities`.

pip-audit looks each of them up in a database on the network, and passes what it cannot look up. So where there is no
network, nothing is said to be safe; the exit code is 1 only if a vulnerability is known.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LOCK = Path(__file__).parent.parent / "requirements.lock"
_SECONDS = 120.0


@dataclass(frozen=True)
class Audited:
    """What became of an audit.

    Attributes:
        checked: How many dependencies were looked up.
        skipped: How many were not.
        vulnerable: What is known of the others, a line each.
    """

    checked: int
    skipped: int
    vulnerable: tuple[str, ...]

    @property
    def summary(self) -> str:
        """All of it, in a few lines."""
        if not self.checked:
            return "Not checked for vulnerabilities: their database cannot be reached."
        lines = [f"Checked {self.checked} dependencies for vulnerabilities.", *self.vulnerable]
        return "\n".join([*lines, *([f"{self.skipped} could not be looked up."] if self.skipped else [])])


def audited(report: str) -> Audited:
    """What pip-audit's report says, in its JSON form.

    Raises:
        ValueError: It is no such report.
    """
    found = json.loads(report)["dependencies"]
    looked_up = [one for one in found if "skip_reason" not in one]
    vulnerable = [
        f"{one['name']} {one['version']}: {known['id']}, fixed in {', '.join(known['fix_versions']) or 'no version'}"
        for one in looked_up
        for known in one["vulns"]
    ]
    return Audited(len(looked_up), len(found) - len(looked_up), tuple(vulnerable))


def main() -> int:
    """Print what is known; 1 if a dependency is vulnerable."""
    command = [os.environ.get("UV", "uv"), "tool", "run", "pip-audit", "--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run(
            [*command, "--disable-pip", "-r", str(LOCK)], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        result = audited(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        sys.stdout.write(f"Not checked for vulnerabilities: pip-audit did not run ({type(error).__name__}).\n")
        return 0
    sys.stdout.write(f"{result.summary}\n")
    return 1 if result.vulnerable else 0


if __name__ == "__main__":
    sys.exit(main())
