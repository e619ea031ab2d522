"""What a mutation is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """One safeguard taken out, and the tests that must notice.

    Attributes:
        name: The safeguard.
        path: The file it is in, seen from the root of the repository.
        before: The text that makes it; it is in the file once.
        after: The text in its place.
        tests: The node ids of pytest: the quickest tests that notice.
    """

    name: str
    path: str
    before: str
    after: str
    tests: tuple[str, ...]
