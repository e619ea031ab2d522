"""What is made of pip-audit's report."""

import json

import pytest

from tests.vulnerabilities import audited

_KNOWN = {"id": "PYSEC-0000-1", "fix_versions": ["1.1"], "aliases": [], "description": ""}
_SKIPPED = {"name": "a", "skip_reason": "Dependency not found"}
_SAFE = {"name": "b", "version": "2.0", "vulns": []}
_VULNERABLE = {"name": "c", "version": "1.0", "vulns": [_KNOWN]}


@pytest.mark.parametrize(
    ("dependencies", "vulnerable", "said"),
    [
        ([_SKIPPED, _SKIPPED], 0, "Not checked for vulnerabilities: their database cannot be reached."),
        ([_SAFE], 0, "Checked 1 dependencies for vulnerabilities."),
        ([_SAFE, _VULNERABLE], 1, "c 1.0: PYSEC-0000-1, fixed in 1.1"),
        ([_SAFE, _SKIPPED], 0, "1 could not be looked up."),
    ],
)
def test_what_was_not_looked_up_is_not_called_safe(
    dependencies: list[dict[str, object]], vulnerable: int, said: str
) -> None:
    """A known vulnerability is one whatever else was skipped, and a report without any look-up says so."""
    found = audited(json.dumps({"dependencies": dependencies, "fixes": []}))

    assert len(found.vulnerable) == vulnerable
    assert said in found.summary.splitlines()


def test_another_output_is_no_report() -> None:
    """What is not the report, such as an error in words, is not taken for one without vulnerabilities."""
    with pytest.raises(ValueError, match="Expecting value"):
        audited("No known vulnerabilities found")
