"""People: they write, edit and delete, and change what the bot may do."""

import random
from dataclasses import dataclass, field

from programs.playground.entities import BOT_ID, NO_PERMISSION, Permission
from tests.simulation.entities import PEOPLE, Channel, Kind, Message
from tests.simulation.faults import Fault, Weather
from tests.simulation.presses import Presses
from tests.simulation.server import Server
from tests.simulation.timeline import Timeline

_TAKEN = {
    Fault.NO_SEND: Permission.SEND_MESSAGES,
    Fault.NO_VIEW: Permission.VIEW_CHANNEL,
    Fault.NO_HISTORY: Permission.READ_MESSAGE_HISTORY,
    Fault.NO_EMBEDS: Permission.EMBED_LINKS,
    Fault.NO_FILES: Permission.ATTACH_FILES,
}


@dataclass
class Question:
    """Something that the bot has to answer.

    Attributes:
        number: Its number, which is in its text.
        version: How often it was edited.
        edited_at: When that was last.
        deleted_at: When it was deleted.
    """

    number: int
    message: Message
    asked_at: float
    version: int = 0
    edited_at: float | None = None
    deleted_at: float | None = None


@dataclass
class People:
    """All people together.

    Attributes:
        questions: What they asked, in that order.
    """

    server: Server
    timeline: Timeline
    weather: Weather
    chance: random.Random
    presses: Presses
    questions: list[Question] = field(default_factory=list)

    def found(self) -> None:
        """Make the channels, a thread and the DMs."""
        server = self.server
        channels = [server.add(Kind.TEXT, f"channel-{number}") for number in range(self.chance.choice((1, 2, 4)))]
        server.add(Kind.THREAD, "thread", parent_id=channels[-1].id)
        for person_id in list(PEOPLE)[: self.chance.choice((1, 2))]:
            server.add(Kind.DM, "", person_id=person_id)

    def plan(self, turns: int, *, after: float) -> float:
        """Let people ask so many questions, one in each place at first; gives when the last one is asked.

        Args:
            turns: How many, those at first among them.
            after: When the others begin.
        """
        places = list(self.server.channels.values())
        for channel in places:
            self.timeline.at(4.0, lambda channel=channel: self._ask(channel, self._somebody(channel)))  # type: ignore[misc]
        moment, asked = after, len(places)
        pace = self.chance.choice((0.5, 2.0, 6.0))
        while asked < turns:
            count = min(turns - asked, self._companions())
            asked += count
            self.timeline.at(moment, lambda count=count: self._act(count))  # type: ignore[misc]
            moment += self.chance.expovariate(1 / pace)
            if self.chance.random() < 0.02:
                moment += self.chance.choice((30.0, 200.0, 900.0))
        return moment

    def _companions(self) -> int:
        return self.chance.choice((2, 3, 4)) if self.weather.strikes(Fault.CROWD) else 1

    def _act(self, count: int) -> None:
        """Ask so many questions at once, or in a row."""
        channel = self._somewhere()
        if channel is None:
            return
        burst = self.weather.strikes(Fault.BURST)
        author = self._somebody(channel)
        for place in range(count):
            who = author if burst else self._somebody(channel)
            self.timeline.after(place * self.chance.choice((0.0, 0.4)), lambda who=who: self._ask(channel, who))  # type: ignore[misc]
        if self.chance.random() < 0.2:
            self.server.say(channel, self._somebody(channel), "this is for nobody in particular")
        self._meddle(channel)

    def _somewhere(self) -> Channel | None:
        there = [one for one in self.server.channels.values() if not one.gone]
        return self.chance.choice(there) if there else None

    def _somebody(self, channel: Channel) -> int:
        return channel.person_id or self.chance.choice(list(PEOPLE))

    def _ask(self, channel: Channel, author_id: int) -> None:
        if channel.gone:
            return
        number = len(self.questions)
        ours = [one for one in self.server.posts[-20:] if one.channel is channel and one.gone is None]
        reply = channel.kind is Kind.TEXT and bool(ours) and self.chance.random() < 0.2
        text = f"q{number}v0 please"
        if channel.kind is Kind.TEXT and not reply:
            text = f"<@{BOT_ID}> {text}"
        message = self.server.say(channel, author_id, text, self.chance.choice(ours) if reply else None)
        question = Question(number, message, self.timeline.now)
        self.questions.append(question)
        self.timeline.note(f"asked q{number} {message.id}")
        self._change_later(question)

    def _change_later(self, question: Question) -> None:
        if self.weather.strikes(Fault.QUESTION_EDITED):
            self.timeline.after(self._while_answered(), lambda: self._edit(question))
        if self.weather.strikes(Fault.QUESTION_DELETED):
            self.timeline.after(self._while_answered(), lambda: self._delete(question))

    def _while_answered(self) -> float:
        """How long after something: mostly while it is being answered."""
        return self.chance.choice((0.05, 0.5, 2.0, 5.0, 15.0, 60.0, 400.0)) * self.chance.random()

    def _edit(self, question: Question) -> None:
        message = question.message
        if message.gone is None:
            question.version += 1
            question.edited_at = self.timeline.now
            before = f"q{question.number}v{question.version - 1}"
            self.timeline.note(f"edited q{question.number}")
            self.server.revise(message, message.content.replace(before, f"q{question.number}v{question.version}"))

    def _delete(self, question: Question) -> None:
        if question.message.gone is None:
            question.deleted_at = self.timeline.now
            self.timeline.note(f"deleted q{question.number}")
            self.server.remove(question.message, "person")

    def _meddle(self, channel: Channel) -> None:
        if self.weather.strikes(Fault.ANSWER_DELETED):
            self.timeline.after(self._while_answered(), lambda: self._delete_answer(channel))
        if self.weather.strikes(Fault.PRESSED):
            for _ in range(self.chance.choice((1, 1, 2))):
                self.timeline.after(self._while_answered(), lambda: self._press(channel))
        if channel.kind is Kind.TEXT:
            for fault, permission in _TAKEN.items():
                if self.weather.strikes(fault):
                    self._take(channel, permission)
            texts = [one for one in self.server.channels.values() if one.kind is Kind.TEXT and not one.gone]
            if len(texts) > 1 and self.weather.strikes(Fault.CHANNEL_DELETED):
                self.timeline.after(self._while_answered(), lambda: self._close(channel))
        elif channel.kind is Kind.THREAD and self.weather.strikes(Fault.THREAD_DELETED):
            self.timeline.after(self._while_answered(), lambda: self._close(channel))

    def _delete_answer(self, channel: Channel) -> None:
        ours = [one for one in channel.messages.values() if one.author_id == BOT_ID]
        if ours and not channel.gone:
            message = self.chance.choice(ours[-3:])
            self.timeline.note(f"deleted the answer {message.id}")
            self.server.remove(message, "person")

    def _press(self, channel: Channel) -> None:
        ours = [one for one in channel.messages.values() if one.author_id == BOT_ID and one.components]
        if ours and not channel.gone:
            self.presses.press_one(self.chance.choice(ours[-2:]))

    def _close(self, channel: Channel) -> None:
        if not channel.gone:
            self.timeline.note(f"closed {channel.id}")
            self.server.close(channel)

    def _take(self, channel: Channel, permission: Permission) -> None:
        self._set(channel, channel.denied | permission)
        self.timeline.after(self.chance.choice((3.0, 20.0, 120.0, 700.0)), lambda: self._give(channel, permission))

    def _give(self, channel: Channel, permission: Permission) -> None:
        if not channel.gone and permission in channel.denied:
            self._set(channel, channel.denied & ~permission)

    def _set(self, channel: Channel, denied: Permission) -> None:
        self.timeline.note(f"denied in {channel.id}: {denied!r}")
        self.server.allow(channel, denied)

    def make_peace(self) -> None:
        """Give back everything that was taken."""
        for channel in self.server.channels.values():
            if channel.denied and not channel.gone:
                self._set(channel, NO_PERMISSION)
