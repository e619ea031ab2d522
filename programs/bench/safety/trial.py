"""Trying inputs on a stage, and what came of each."""

import asyncio
import faulthandler
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass

from programs.bench.safety.acts import Acts, prepare
from programs.bench.safety.checks import CHECKS
from programs.bench.safety.corpus import Input
from programs.bench.safety.harms import Outcome, common_harms
from programs.bench.safety.stage import Counts, Stage

_AT_ONCE = 6  # inputs
_LONGEST = 120  # seconds until the next input begins; then this process hangs, as a tower of powers would do it


@dataclass(frozen=True)
class Verdict:
    """What became of an input: it passed if it did any harm.

    Attributes:
        input: The input.
        harms: What it did, each a sentence.
    """

    input: Input
    harms: tuple[str, ...]

    def with_harms(self, harms: Iterable[str]) -> "Verdict":
        """The same with more of them."""
        return Verdict(self.input, (*self.harms, *harms))


class Trial:
    """Tries inputs on a stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def verdicts(self, inputs: list[Input]) -> list[Verdict]:
        """Try inputs of one class, several at once unless each has the bot to itself."""
        if inputs[0].kind.alone:
            return [await self.verdict(one) for one in inputs]
        return await asyncio.gather(*(self.verdict(one) for one in inputs))

    async def verdict(self, input_: Input) -> Verdict:
        """Try one input in a channel of its own."""
        async with self._slots:
            faulthandler.dump_traceback_later(_LONGEST, exit=True)  # also while Python itself is busy with one number
            outcome = await self._outcome(input_)
        harms = [*common_harms(input_, outcome), *CHECKS[input_.kind.name](self._stage, input_, outcome)]
        return Verdict(input_, tuple(dict.fromkeys(harms)))

    async def _outcome(self, input_: Input) -> Outcome:
        stage = self._stage
        acts = Acts(stage, stage.playground.admin.add_channel(input_.id).id)
        before, cpu, harms = Counts.of(stage), time.process_time(), []
        todo = prepare(stage, input_)
        try:
            await acts.perform(todo)
            if todo[-1][0] == "settle":
                await self._settle(acts)
        except TimeoutError as error:
            harms.append(str(error))
        stage.playground.state.base_url = stage.playground.url
        since = acts.guarded or before
        outcome = Outcome(
            shown=[payload for place in acts.places for payload in stage.seen.pop(place, [])],
            requests=[one for one in stage.model.requests[since.requests :] if input_.mark in json.dumps(one)],
            mails=[
                mail for mail in stage.outbox()[before.mails :] if input_.kind.alone or input_.mark.encode() in mail
            ],
            results=stage.results[before.results :],
            payments=stage.payments[before.payments :],
            changes=stage.changes[since.changes : (acts.settled or before).changes] if acts.guarded else [],
            private=stage.connections.private[before.private :],
            cpu_seconds=time.process_time() - cpu,
            harms=harms,
        )
        await acts.perform(input_.get("after", []))
        return outcome

    async def _settle(self, acts: Acts) -> None:
        """Deny what still waits, and wait until all that was done has had its effect."""
        stage, places = self._stage, acts.places
        await stage.fence()
        acts.settled = Counts.of(stage)
        pressed: set[str] = set()

        def waiting() -> str | None:
            found = acts.find("Deny")
            return None if found is None or found[1] in pressed else found[1]

        while stage.is_active(places):
            await stage.until(lambda: waiting() or not stage.is_active(places), "The end of an answer")
            if (custom_id := waiting()) is not None:
                pressed.add(custom_id)
                await acts.click("ada", "Deny")
        await stage.rest()
