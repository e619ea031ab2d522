"""The whole bench: every input is tried in one of two processes, and what passed is counted by class."""

import asyncio
import faulthandler
import json
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from llmgine.errors import ConfigurationError
from programs.bench.measure import alone
from programs.bench.safety.corpus import CLASSES, Input, inputs
from programs.bench.safety.secrets import leaks
from programs.bench.safety.stage import stage
from programs.bench.safety.trial import Trial, Verdict

# Two shares that take about the same time.
_FIRST = (
    *("mentions", "links", "invisible", "names", "quotes", "earlier", "files", "results", "pages", "attachments"),
    "secrets",
)


@dataclass(frozen=True)
class Row:
    """A class and what became of its inputs."""

    name: str
    meaning: str
    tried: int
    passed: tuple[tuple[str, str, tuple[str, ...]], ...]

    @property
    def refused(self) -> int:
        """How many inputs did no harm."""
        return self.tried - len(self.passed)


async def rows(kind: str | None = None, only: str | None = None) -> list[Row]:
    """Try the inputs of a class, or of all; with `only`, the one of that id.

    Raises:
        ConfigurationError: There is no such input, or a process ended, which is a harm, too.
    """
    wanted = inputs(kind, only)
    shares = [[one for one in wanted if (one.kind.name in _FIRST) is first] for first in (True, False)]
    try:
        found = await asyncio.gather(*(alone(verdicts, share) for share in shares if share))
    except BrokenProcessPool:
        raise ConfigurationError(
            "The bot hung or its process was ended: see above what it did, and try each --class"
        ) from None
    return _rows([one for share in found for one in share])


async def verdicts(wanted: Sequence[Input]) -> list[Verdict]:
    """Try inputs, class by class; then look for secrets in what is left."""
    by_class: defaultdict[str, list[Input]] = defaultdict(list)
    for one in wanted:
        by_class[one.kind.name].append(one)
    with tempfile.TemporaryDirectory() as folder:
        async with stage(Path(folder)) as there:
            trial = Trial(there)
            found = [verdict for share in by_class.values() for verdict in await trial.verdicts(share)]
        sent = {"a request to the model": [json.dumps(one) for one in there.model.requests], "a message": there.told}
        leaked = list(leaks(Path(folder), sent, there.secrets))
    faulthandler.cancel_dump_traceback_later()
    return [one.with_harms(harm for id_, harm in leaked if id_ == one.input.id) for one in found]


def _rows(found: list[Verdict]) -> list[Row]:
    made = []
    for kind in CLASSES.values():
        of_class = [one for one in found if one.input.kind == kind]
        passed = tuple((one.input.id, str(one.input["tries"]), one.harms) for one in of_class if one.harms)
        if of_class:
            made.append(Row(kind.name, kind.passed, len(of_class), passed))
    return made
