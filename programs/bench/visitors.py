"""A playground whose people do as they are asked, for `programs.bench`: `python -m programs.bench.visitors KIND COUNT`.

It has so many channels, or so many people with a DM. It prints where it is, as JSON, and then answers each line that it
reads, the name of a method and its arguments, by a line with what that gave. Times are seconds of the monotonic clock,
which all processes of a machine share.
"""

import asyncio
import json
import re
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from programs.playground.entities import ADA_ID, BOT_ID, GRACE_ID, GUILD_ID
from programs.playground.server import Playground
from programs.playground.state import Dispatch

_PATIENCE = 300.0  # seconds for all answers
_READ = ("GET", "/channels/{channel_id}/messages")
_PEOPLE = 8  # who ask in the busy channel one after the other, so that no two questions become one
_TEXT = re.compile(r"\d{10,}")  # the model's; before it people see a placeholder
_FOOTER = re.compile(r"\n-# (?:.* · )?\d+\.\d s$")


@dataclass
class Question:
    """A question, and when people saw the first text of its answer, and all of it; 0 while they have not."""

    asked: float
    first_text: float = 0.0
    ended: float = 0.0


class Visitors:
    """The people, and what they see.

    Args:
        playground: Where they are.
        kind: "channels" or "DMs".
        count: How many.
    """

    def __init__(self, playground: Playground, kind: str, count: int) -> None:
        self._playground = playground
        self._in_channels = kind == "channels"
        self._writers = dict(self._place(number) for number in range(count))  # by place
        self._asked: dict[str, Question] = {}  # by message
        self._requests: Counter[str] = Counter()  # by method and route
        self._limited = 0
        self._asking: asyncio.Task[str] | None = None
        playground.state.subscribe(self._on_event)

    def _place(self, number: int) -> tuple[int, int]:
        if self._in_channels:
            return self._playground.admin.add_channel(f"bench-{number}").id, ADA_ID
        person = self._playground.admin.join(f"Person {number}")
        return self._playground.people.open_dm(person).id, person

    @property
    def facts(self) -> dict[str, Any]:
        """Where the bot finds them."""
        playground = self._playground
        return {
            "token": playground.token,
            "api": playground.api_base,
            "gateway": playground.gateway_url,
            "places": list(self._writers),
            "guild": GUILD_ID,
        }

    def slow_down(self, seconds: float) -> None:
        """Answer each read of a history so late."""
        method, route = _READ
        self._playground.faults.plan("delay", method, route, seconds=seconds, times=10**9)

    def write_everywhere(self, questions: int) -> None:
        """Write in every place, and ask in so many of them. Nobody talks to others in a DM: elsewhere it is quiet.

        Later, when the bot is online, somebody asks in the place in which nothing happened for longest.
        """
        places = list(self._writers)
        asked = set(places[1 :: max(1, (len(places) - 1) // max(1, questions))][:questions])
        for place in places:
            if place in asked:
                self._ask(place, self._writers[place])
            elif self._in_channels:
                self._playground.people.send(place, self._writers[place], "hello Grace")
        self._count_anew()
        self._asking = asyncio.create_task(self._ask_when_online(places[0]))

    async def _ask_when_online(self, place: int) -> str:
        await self._playground.wait_for(lambda state: state.bot_online)
        return self._ask(place, self._writers[place])

    async def answered(self) -> dict[str, Any]:
        """Wait for all answers. Gives the questions that were missed, and the one that was asked later."""
        live = "" if self._asking is None else await self._asking
        await self._until_answered()
        questions = {message: asdict(question) for message, question in self._asked.items()}
        return {"live": questions.pop(live, None), "missed": list(questions.values()), **self._traffic()}

    async def converse(self, seconds: float, pause: float, talk: int) -> dict[str, Any]:
        """Ask every `pause` seconds in the first place, where others write so many messages meanwhile."""
        place = next(iter(self._writers))
        people = [self._playground.admin.join(f"Person {number}") for number in range(_PEOPLE)]
        self._count_anew()
        begin = time.monotonic()
        for number in range(round(seconds / pause)):
            self._ask(place, people[number % _PEOPLE])
            for part in range(talk):
                await asyncio.sleep(begin + pause * (number + part / talk) - time.monotonic())
                self._playground.people.send(place, ADA_ID, "hello Grace")
            await asyncio.sleep(begin + pause * (number + 1) - time.monotonic())
        seen = self._traffic() | {"seconds": time.monotonic() - begin}
        await self._until_answered()
        return seen | {"questions": [asdict(question) for question in self._asked.values()]}

    async def ask(self) -> dict[str, float]:
        """Ask in the first place, and wait for the answer."""
        place = next(iter(self._writers))
        message = self._ask(place, self._writers[place])
        await self._until_answered()
        return asdict(self._asked[message])

    async def use_sessions(self, words: str) -> dict[str, float]:
        """Have a plain member use /sessions in the second place, perhaps to search, and wait for the list."""
        place = list(self._writers)[1]
        given = [{"name": "search", "value": words}] if words else []
        self._count_anew()
        begun = time.monotonic()
        before = len(self._shown_to_member(place))
        self._playground.people.command(place, GRACE_ID, "sessions", given)
        async with asyncio.timeout(_PATIENCE):
            await self._playground.wait_for(lambda _: len(self._shown_to_member(place)) > before)
        # Old DMs and threads are read in the background meanwhile.
        requests = self._requests.total() - self._requests[" ".join(_READ)]
        return {"seconds": time.monotonic() - begun, "requests": requests}

    def _shown_to_member(self, place: int) -> list[object]:
        messages = self._playground.state.channels[place].messages.values()
        return [one for one in messages if one.ephemeral_to == GRACE_ID and (one.embeds or one.content)]

    async def ask_beside_sessions(self) -> dict[str, float]:
        """Ask while a member uses /sessions."""
        asked, _ = await asyncio.gather(self.ask(), self.use_sessions(""))
        return asked

    def _ask(self, place: int, person: int) -> str:
        text = "tell me everything" if not self._in_channels else f"<@{BOT_ID}> tell me everything"
        asked = Question(time.monotonic())
        message = str(self._playground.people.send(place, person, text).id)
        self._asked[message] = asked
        return message

    async def _until_answered(self) -> None:
        async with asyncio.timeout(_PATIENCE):
            await self._playground.wait_for(lambda _: all(one.ended for one in self._asked.values()))

    def _count_anew(self) -> None:
        self._requests.clear()
        self._limited = 0

    def _traffic(self) -> dict[str, Any]:
        return {"requests": dict(self._requests), "reads": self._requests[" ".join(_READ)], "limited": self._limited}

    def _on_event(self, dispatch: Dispatch) -> None:
        if dispatch.name == "REQUEST":
            request = dispatch.render(BOT_ID)
            self._requests[f"{request['method']} {request['route']}"] += 1
            self._limited += request["status"] == 429
        elif dispatch.name in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            self._see(dispatch.render(BOT_ID))

    def _see(self, message: dict[str, Any]) -> None:
        question = self._asked.get(message.get("message_reference", {}).get("message_id", ""))
        if question is None or message["author"]["id"] != str(BOT_ID):
            return
        if not question.first_text and _TEXT.search(message["content"]):
            question.first_text = time.monotonic()
        if _FOOTER.search(message["content"]):
            question.ended = time.monotonic()


async def _serve(kind: str, count: int) -> None:
    async with Playground() as playground:  # with Discord's limits
        visitors = Visitors(playground, kind, count)
        _tell(visitors.facts)
        while line := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
            name, *arguments = json.loads(line)
            given = getattr(visitors, name)(*arguments)
            _tell(await given if asyncio.iscoroutine(given) else given)


def _tell(facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2])))
