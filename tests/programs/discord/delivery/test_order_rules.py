"""The rules of order, one by one: what is posted, edited, deleted and told, and what waits for what."""

from collections.abc import Sequence

import pytest

from llmgine.messages.deliveries import DeliveryKey
from llmgine.messages.steps import Turn
from programs.discord.components.custom_ids import Action, button
from programs.discord.delivery.answer import Part, Phase
from programs.discord.delivery.arranging import NONCE_IS_SURE, PLAIN_AFTER
from programs.discord.delivery.bodies import Body, plain_form
from programs.discord.delivery.next_steps import OWED_AFTER, Delete, Edit, LookUp, NoticeKind, Post, Step, Store
from programs.discord.delivery.notices import NOT_TAKEN, WITHOUT_WORDS
from programs.discord.delivery.read_back import Seen, orphans_of
from tests.programs.discord.delivery.discord_model import HOUR, REMEMBERED, SimulatedDiscord
from tests.programs.discord.delivery.shell import REQUEST_LASTS, Fate, Shell
from tests.programs.discord.delivery.store_model import SimulatedStore
from tests.programs.discord.delivery.talk import drawn, plain_form_of

CARD: Body = {"embed": {"fields": [{"name": "clock", "value": "It is noon."}]}}
FILE: Body = {"content": "all of it", "file": {"name": "answer.md", "text": "\n\n".join(["word " * 370] * 7)}}


class Scene:
    """A channel, and the process that shows answers in it."""

    def __init__(self) -> None:
        self.discord = SimulatedDiscord()
        self.store = SimulatedStore()
        self.questions: dict[str, int] = {}
        self.shell = Shell(self.discord, self.store, self.questions)

    def ask(self, *texts: str | Body) -> Turn:
        """Somebody asks; the turn runs and shows this."""
        turn = self.store.admit(len(self.questions) + 1, len(self.questions) + 1)
        self.questions[turn.id] = self.discord.say()
        self.shell.begin(turn, parts(*texts), resumed=False)
        return turn

    def finish(self, turn: Turn, *texts: str | Body) -> None:
        """The turn ends with this."""
        final = parts(*texts)
        self.shell.finish(self.store.finish(turn.id, "done", final), final)

    def again(self, turn: Turn, *texts: str | Body) -> None:
        """The turn runs once more."""
        self.store.again(turn.id)
        self.shell.begin(self.store.run(turn.id), parts(*texts), resumed=False)

    def run(self) -> None:
        """All requests go well, until there are none."""
        while self.shell.running:
            self.shell.resolve(self.shell.running[0], Fate.FINE)

    def end(self, kind: type[Step], fate: Fate) -> None:
        """The request of this kind has this fate; those of other kinds that are under way go well."""
        while not isinstance(self.shell.running[0].step, kind):
            self.shell.resolve(self.shell.running[0], Fate.FINE)
        self.shell.resolve(self.shell.running[0], fate)

    def fail(self, seconds: float, *, arrived: bool = False) -> None:
        """For so long no request gets an answer."""
        self.shell.pass_time(seconds, arrived=arrived)

    def live(self, seconds: float) -> None:
        """Time passes, and all goes well."""
        end = self.discord.now + seconds
        while self.discord.now < end:
            self.run()
            self.shell.pass_time(min(5.0, end - self.discord.now), arrived=True)
        self.run()

    def restart(self, *, arrived: bool) -> None:
        """The process dies over what is under way, and another one begins."""
        self.shell.kill(arrived=arrived)
        self.shell = Shell(self.discord, self.store, self.questions)
        self.shell.recover()

    def resume(self, turn: Turn, *texts: str | Body) -> None:
        """The turn goes on in the process that began last, and shows this."""
        self.shell.begin(turn, parts(*texts), resumed=True)

    def bar(self, *, yes: bool) -> None:
        """The bot may not read what was said before, or may again."""
        self.discord.may_read = not yes
        self.shell.rights_changed()

    def requests(self, kind: type[Step]) -> list[Step]:
        """The requests of a kind that are under way."""
        return [request.step for request in self.shell.running if isinstance(request.step, kind)]

    def seen(self) -> list[object]:
        """What is visible, from top to bottom."""
        return [one.body.get("content", one.body) for one in self.discord.visible()]

    def told(self, kind: NoticeKind) -> int:
        """How often people were told this."""
        return sum(one is kind for _, one in self.shell.told)


@pytest.fixture
def scene() -> Scene:
    """A channel in which nothing was said."""
    return Scene()


def parts(*texts: str | Body) -> list[Part]:
    """The parts of an answer, one round each; a text that is given as such is its own body."""
    bodies: list[Body] = [{"content": one} if isinstance(one, str) else one for one in texts]
    kinds = ["card" if "embed" in body else "text" for body in bodies]
    return [
        Part(DeliveryKey(kind="card" if kind == "card" else "text", round=number, part=0), body)
        for number, (kind, body) in enumerate(zip(kinds, bodies, strict=True), 1)
    ]


def is_settled(scene: Scene) -> bool:
    """Whether nothing is to be done any more, neither here nor after a restart."""
    return not scene.shell.channel.answers and not scene.store.undelivered()


FOUR = ("one", "two", "three", "four")


@pytest.mark.parametrize("lost", range(4))
def test_a_message_that_takes_no_more_edits_leaves_and_the_others_move_up(scene: Scene, lost: int) -> None:
    """Whichever message is too old for its final part, the parts are seen in their order, each once."""
    turn = scene.ask(*FOUR)
    scene.run()
    scene.discord.freeze(scene.discord.visible()[lost].id)

    scene.finish(turn, *[text.upper() for text in FOUR])
    scene.live(10.0)

    assert scene.seen() == ["ONE", "TWO", "THREE", "FOUR"]
    assert is_settled(scene)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_messages_that_are_all_too_old_are_posted_again(scene: Scene, count: int) -> None:
    """An hour later all parts are posted as new messages, and the old ones are deleted."""
    turn = scene.ask(*FOUR[:count])
    scene.run()
    before = {message.id for message in scene.discord.visible()}
    scene.discord.pass_time(HOUR + 1.0)

    scene.finish(turn, *[text.upper() for text in FOUR[:count]])
    scene.live(10.0)

    assert scene.seen() == [text.upper() for text in FOUR[:count]]
    assert not before & {message.id for message in scene.discord.visible()}


@pytest.mark.parametrize("lost", range(3))
def test_a_message_that_a_person_deleted_is_replaced_when_the_question_is_edited(scene: Scene, lost: int) -> None:
    """A new attempt is shown in the messages that are left, with a new one at the end."""
    turn = scene.ask("one", "two", "three")
    scene.run()
    scene.finish(turn, "one", "two", "three")
    scene.run()
    scene.discord.visible()[lost].is_deleted = True

    scene.again(turn, "ONE", "TWO", "THREE")
    scene.run()
    scene.finish(turn, "ONE", "TWO", "THREE")
    scene.live(10.0)

    assert scene.seen() == ["ONE", "TWO", "THREE"]


def test_a_part_that_a_person_deleted_is_not_shown_again(scene: Scene) -> None:
    """What a person took away while it was shown stays away, and the rest stays in its order."""
    turn = scene.ask("one", "two", "three")
    scene.run()
    scene.discord.visible()[1].is_deleted = True

    scene.finish(turn, "ONE", "TWO", "THREE")
    scene.live(10.0)

    assert scene.seen() == ["ONE", "THREE"]
    assert is_settled(scene)


def test_deleting_a_running_answer_stops_its_turn(scene: Scene) -> None:
    """A person who deletes a message of a running turn stops it."""
    turn = scene.ask("one")
    scene.run()
    scene.discord.visible()[0].is_deleted = True

    scene.shell.progress(turn.id, parts("one and more"))
    scene.live(5.0)

    assert scene.told(NoticeKind.STOP) == 1


def test_what_asks_for_a_decision_is_posted_again_when_it_is_missing(scene: Scene) -> None:
    """A card whose buttons people have to press comes back, and its turn goes on."""
    turn = scene.ask(CARD)
    scene.run()
    scene.discord.visible()[0].is_deleted = True

    asking: Body = {**CARD, "buttons": [button(Action.APPROVE, "Approve", turn, place=(1, 0))]}
    scene.shell.progress(turn.id, parts(asking))
    scene.live(5.0)

    assert scene.seen() == [asking]
    assert scene.told(NoticeKind.STOP) == 0


def test_a_preview_waits_for_a_long_limit_of_its_message(scene: Scene) -> None:
    """While the turn runs, a message that takes no edits for a while keeps its place."""
    turn = scene.ask("one")
    scene.run()
    scene.shell.progress(turn.id, parts("one and more"))
    scene.fail(2.0)

    scene.end(Edit, Fate.LONG_LIMITED)
    scene.live(60.0)

    assert scene.seen() == ["one and more"]
    assert len(scene.discord.messages) == 2  # with the question


def test_a_final_part_does_not_wait_for_a_long_limit(scene: Scene) -> None:
    """When the turn has ended, the part is posted as a new message, and the limited one is deleted."""
    turn = scene.ask("one")
    scene.run()
    scene.finish(turn, "ONE")

    scene.end(Edit, Fate.LONG_LIMITED)
    scene.run()

    assert scene.seen() == ["ONE"]
    assert len(scene.discord.messages) == 3


def test_a_preview_that_has_no_part_any_more_is_posted_and_deleted(scene: Scene) -> None:
    """A message whose post got no answer is asked for until it is known, and leaves when it has no part by then."""
    turn = scene.ask("one", "two")
    scene.end(Post, Fate.FINE)
    scene.end(Post, Fate.UNANSWERED)

    scene.shell.progress(turn.id, parts("one"))
    scene.live(20.0)

    assert scene.seen() == ["one"]


def test_an_answer_that_is_forgotten_while_it_is_posted_is_taken_away(scene: Scene) -> None:
    """Nothing is left of it, neither in Discord nor in the store."""
    turn = scene.ask("one")
    scene.finish(turn, "ONE")
    scene.end(Post, Fate.UNANSWERED)

    scene.shell.withdraw(scene.store.forget(turn.id))
    scene.live(20.0)

    assert scene.seen() == []
    assert is_settled(scene)
    assert scene.store.rows[turn.id] == {}


@pytest.mark.parametrize("fate", [Fate.UNSURE_SHUT, Fate.UNSURE_LIMITED])
@pytest.mark.parametrize("withdrawn_first", [True, False])
def test_what_may_be_there_though_the_last_request_was_refused(
    scene: Scene, fate: Fate, *, withdrawn_first: bool
) -> None:
    """A refusal of the last of several requests for a post says nothing of the one before that got no answer."""
    turn = scene.ask("one")
    if withdrawn_first:
        scene.shell.withdraw(scene.store.forget(turn.id))
    scene.end(Post, fate)
    if not withdrawn_first:
        scene.shell.withdraw(scene.store.forget(turn.id))

    scene.shell.rights_changed()
    scene.live(100.0)

    assert scene.seen() == []
    assert is_settled(scene)


def test_an_edit_that_may_be_done_though_the_last_request_was_refused(scene: Scene) -> None:
    """What a message shows is not known then, so it is edited even if it should show what it did before."""
    turn = scene.ask("one")
    scene.run()
    scene.live(5.0)
    scene.shell.progress(turn.id, parts("two"))
    scene.end(Edit, Fate.UNSURE_SHUT)

    scene.finish(turn, "one")
    scene.shell.rights_changed()
    scene.live(10.0)

    assert scene.seen() == ["one"]
    assert is_settled(scene)


def test_a_forgotten_answer_is_looked_for_after_a_restart(scene: Scene) -> None:
    """A message that nobody stored before the process died is taken away by the next one."""
    turn = scene.ask("one")
    scene.finish(turn, "ONE")
    scene.shell.withdraw(scene.store.forget(turn.id))

    scene.restart(arrived=True)
    scene.run()

    assert scene.seen() == []
    assert is_settled(scene)


def test_a_file_gives_way_to_messages_after_a_minute(scene: Scene) -> None:
    """What has got no answer for a minute is shown without its file."""
    turn = scene.ask()
    scene.finish(turn, FILE)
    scene.fail(REQUEST_LASTS * 2 + PLAIN_AFTER)

    scene.live(60.0)

    assert scene.seen() == [body["content"] for body in plain_form(FILE)]
    assert is_settled(scene)


def test_a_file_gives_way_though_a_card_did_before(scene: Scene) -> None:
    """A card that is shown as text does not keep a file from becoming messages."""
    turn = scene.ask()
    scene.finish(turn, CARD, FILE)
    scene.end(Post, Fate.INVALID)
    scene.end(Post, Fate.FINE)
    scene.end(Store, Fate.FINE)
    scene.fail(REQUEST_LASTS * 2 + PLAIN_AFTER)

    scene.live(60.0)

    assert scene.seen()[1:] == [body["content"] for body in plain_form(FILE)]


def test_later_answers_do_not_wait_for_ever(scene: Scene) -> None:
    """An answer that got through for two minutes no more is owed, and later ones are posted; people are told once."""
    first, second, third = scene.ask(), scene.ask(), scene.ask()
    scene.finish(first, "ONE")
    scene.finish(second, "TWO")
    scene.fail(REQUEST_LASTS * 2 + OWED_AFTER)
    assert [answer.phase for answer in scene.shell.channel.answers[:2]] == [Phase.OWED, Phase.OUTCOME]
    scene.fail(REQUEST_LASTS * 2 + OWED_AFTER)

    scene.finish(third, "THREE")
    scene.run()

    assert scene.seen() == ["THREE"]
    assert scene.told(NoticeKind.FAILING) == 1


def test_what_is_owed_is_shown_when_it_is_tried_again(scene: Scene) -> None:
    """What could not be shown comes later, once."""
    turn = scene.ask()
    scene.finish(turn, "ONE")
    scene.fail(REQUEST_LASTS * 2 + OWED_AFTER, arrived=True)

    scene.shell.look_again()
    scene.run()

    assert scene.seen() == ["ONE"]
    assert is_settled(scene)


def test_a_new_attempt_is_not_put_off_by_what_was_owed(scene: Scene) -> None:
    """A turn that runs once more is shown at once, though its last answer was owed."""
    turn = scene.ask()
    scene.finish(turn, "ONE")
    scene.fail(REQUEST_LASTS * 2 + OWED_AFTER)

    scene.again(turn, "TWO")
    scene.run()

    assert scene.seen() == ["TWO"]


def test_nothing_is_posted_below_an_answer_that_is_not_all_there(scene: Scene) -> None:
    """A later answer waits until the last part of the one above is posted."""
    first, second = scene.ask("one"), scene.ask()
    scene.run()
    scene.finish(first, "ONE", "TWO")
    scene.finish(second, "THREE")
    scene.end(Post, Fate.LOST)
    assert scene.requests(Post) == []

    scene.live(5.0)

    assert scene.seen() == ["ONE", "TWO", "THREE"]


def test_a_post_is_not_repeated_for_longer_than_its_nonce_is_remembered(scene: Scene) -> None:
    """Though an edit is always under way besides, a post that may have arrived is looked for after two minutes."""
    turn = scene.ask("one", "two")
    scene.run()
    scene.finish(turn, "ONE", "TWO", "THREE")
    scene.fail(REMEMBERED * 2, arrived=True)

    scene.shell.look_again()
    scene.live(10.0)

    assert scene.seen() == ["ONE", "TWO", "THREE"]


@pytest.mark.parametrize("arrived", [True, False])
def test_where_it_may_not_read_it_says_that_it_cannot_know(scene: Scene, arrived: bool) -> None:
    """What may be there, and cannot be looked for, is not posted twice; people are told once, and it comes in the end.

    Later answers do not wait for it.
    """
    scene.bar(yes=True)
    turn = scene.ask()
    scene.finish(turn, "ONE", "TWO")
    scene.discord.pass_time(REMEMBERED)
    scene.restart(arrived=arrived)
    later = scene.ask()
    scene.finish(later, "LATER")
    scene.live(400.0)
    scene.shell.look_again()
    scene.live(10.0)
    assert scene.seen() == ["ONE", "LATER"][not arrived :]
    assert scene.told(NoticeKind.UNKNOWN) == 1

    scene.bar(yes=False)
    scene.live(10.0)

    assert sorted(map(str, scene.seen())) == ["LATER", "ONE", "TWO"]
    assert is_settled(scene)


@pytest.mark.parametrize("arrived", [True, False])
def test_where_it_may_not_read_a_nonce_that_is_known_yet_is_enough(scene: Scene, arrived: bool) -> None:
    """Soon after the question the same nonce brings back what is there, so nothing has to be read."""
    scene.bar(yes=True)
    turn = scene.ask()
    scene.finish(turn, "ONE", "TWO")
    scene.restart(arrived=arrived)
    scene.live(10.0)

    assert scene.seen() == ["ONE", "TWO"]
    assert is_settled(scene)
    assert scene.told(NoticeKind.UNKNOWN) == 0


def test_where_it_may_not_read_a_nonce_is_not_trusted_for_longer(scene: Scene) -> None:
    """A turn that had nothing to show until its nonce was too old posts nothing, as something may be there."""
    scene.bar(yes=True)
    turn = scene.ask("one")
    scene.restart(arrived=True)
    scene.resume(turn)
    scene.live(REMEMBERED)

    scene.finish(turn, "ONE")
    scene.live(10.0)
    assert scene.seen() == ["one"]
    assert scene.told(NoticeKind.UNKNOWN) == 1

    scene.bar(yes=False)
    scene.live(10.0)
    assert scene.seen() == ["ONE"]
    assert is_settled(scene)


def test_where_it_may_not_read_a_post_without_an_answer_is_not_made_twice(scene: Scene) -> None:
    """In the same process: once the nonce may be forgotten, people are told, and nothing more is posted."""
    scene.bar(yes=True)
    turn = scene.ask()
    scene.finish(turn, "ONE")
    scene.fail(NONCE_IS_SURE * 2, arrived=True)
    scene.shell.look_again()
    scene.live(300.0)
    assert scene.seen() == ["ONE"]
    assert scene.told(NoticeKind.UNKNOWN) == 1
    assert not is_settled(scene)

    scene.bar(yes=False)
    scene.live(10.0)
    assert scene.seen() == ["ONE"]
    assert is_settled(scene)


def test_where_it_may_not_read_what_is_known_is_edited(scene: Scene) -> None:
    """What needs no new message is shown all the same."""
    scene.bar(yes=True)
    turn = scene.ask("one")
    scene.run()
    scene.shell.progress(turn.id, parts("one", "two"))
    scene.end(Store, Fate.FINE)
    scene.discord.pass_time(REMEMBERED)
    scene.restart(arrived=False)
    scene.resume(turn, "one more")
    scene.live(10.0)
    scene.finish(turn, "ONE")
    scene.live(10.0)

    assert scene.seen() == ["ONE"]
    assert scene.told(NoticeKind.UNKNOWN) == 0
    assert not is_settled(scene)


def test_where_it_may_not_read_it_notes_what_it_knows(scene: Scene) -> None:
    """A process that died over no post leaves nothing unknown, so the next one goes on, whatever time has passed."""
    scene.bar(yes=True)
    turn = scene.ask("one")
    scene.run()
    scene.discord.pass_time(REMEMBERED)
    scene.restart(arrived=True)
    scene.resume(turn, "one")
    scene.finish(turn, "ONE", "TWO")
    scene.live(10.0)

    assert scene.seen() == ["ONE", "TWO"]
    assert is_settled(scene)


def test_where_it_may_not_read_what_it_noted_goes_before_the_next_post(scene: Scene) -> None:
    """A process that died over a post leaves no note that it knew all."""
    scene.bar(yes=True)
    turn = scene.ask("one")
    scene.run()
    scene.shell.progress(turn.id, parts("one", "two"))
    assert scene.requests(Post) == []
    scene.end(Store, Fate.FINE)
    assert len(scene.requests(Post)) == 1
    scene.discord.pass_time(REMEMBERED)
    scene.restart(arrived=True)
    scene.resume(turn, "one", "two")
    scene.finish(turn, "ONE", "TWO")
    scene.live(10.0)

    assert scene.seen() == ["ONE", "two"]
    assert scene.told(NoticeKind.UNKNOWN) == 1


def test_what_is_forgotten_where_it_may_not_read_leaves_one_message_to_find_the_rest_by(scene: Scene) -> None:
    """All but the last message of a forgotten answer go at once, and that one when the channel may be read."""
    scene.bar(yes=True)
    turn = scene.ask("one", "two")
    scene.run()
    scene.finish(turn, "ONE", "TWO", "THREE")
    scene.end(Store, Fate.FINE)
    scene.discord.pass_time(REMEMBERED)
    scene.restart(arrived=True)
    scene.shell.withdraw(scene.store.forget(turn.id))
    scene.live(10.0)
    assert len(scene.seen()) == 2, "the last one that is stored, and what nobody stored"

    scene.bar(yes=False)
    scene.live(10.0)
    assert scene.seen() == []
    assert is_settled(scene)


def test_a_reply_that_is_refused_is_posted_without_its_reference(scene: Scene) -> None:
    """Where earlier messages may not be read, the answer comes all the same."""
    scene.discord.may_read = False
    scene.ask("one")
    scene.run()

    assert scene.seen() == ["one"]
    assert scene.discord.visible()[0].reply_to is None


def test_a_nonce_whose_message_was_deleted_is_used_no_more(scene: Scene) -> None:
    """A post whose message a person deleted before it was known is made with the next nonce."""
    turn = scene.ask("one")
    scene.end(Post, Fate.UNANSWERED)
    scene.discord.visible()[0].is_deleted = True

    scene.live(10.0)

    assert [message.nonce for message in scene.discord.visible()] == [(turn.id, 1)]


def test_a_message_that_is_found_counts_as_posted(scene: Scene) -> None:
    """The next part does not get the nonce of a message that was found by reading the channel."""
    turn = scene.ask()
    scene.finish(turn, "ONE", "TWO")
    scene.restart(arrived=True)
    scene.run()

    assert scene.seen() == ["ONE", "TWO"]
    assert [message.nonce for message in scene.discord.visible()] == [(turn.id, 0), (turn.id, 1)]


def test_nothing_is_posted_before_the_message_above_is_stored(scene: Scene) -> None:
    """While the store fails, nothing more of the answer is posted; then it goes on."""
    turn = scene.ask()
    scene.finish(turn, "ONE", "TWO")
    scene.end(Post, Fate.FINE)
    scene.end(Store, Fate.LOST)
    assert scene.requests(Post) == []

    scene.live(5.0)

    assert scene.seen() == ["ONE", "TWO"]
    assert is_settled(scene)


@pytest.mark.parametrize("fate", [Fate.LOST, Fate.UNANSWERED])
def test_what_is_visible_is_settled_though_the_store_failed(scene: Scene, fate: Fate) -> None:
    """Whether the write that failed was done or not, it is made again."""
    turn = scene.ask("ONE")
    scene.run()
    scene.finish(turn, "ONE")

    scene.end(Store, fate)
    scene.live(5.0)

    assert is_settled(scene)


def test_people_are_told_once_that_the_bot_may_not_write(scene: Scene) -> None:
    """Nothing is posted before it may write, and all is posted then."""
    scene.discord.may_write = scene.shell.knows_rights = False
    turn = scene.ask("one")
    scene.live(300.0)
    scene.finish(turn, "ONE")
    scene.live(300.0)
    assert (scene.seen(), scene.told(NoticeKind.SHUT)) == ([], 1)

    scene.discord.may_write = True
    scene.shell.rights_changed()
    scene.run()

    assert scene.seen() == ["ONE"]
    assert scene.told(NoticeKind.SHUT) == 1


def test_a_message_that_may_not_be_deleted_yet_is_deleted_later(scene: Scene) -> None:
    """A forgotten answer goes as soon as the bot may see the channel again."""
    turn = scene.ask("one")
    scene.run()
    scene.finish(turn, "ONE")
    scene.run()
    scene.discord.may_view = scene.shell.knows_rights = False
    scene.shell.withdraw(scene.store.forget(turn.id))
    scene.live(60.0)
    assert scene.seen() == ["ONE"]

    scene.discord.may_view = True
    scene.shell.rights_changed()
    scene.run()

    assert scene.seen() == []
    assert is_settled(scene)


@pytest.mark.parametrize("told", [True, False])
def test_what_is_owed_in_a_deleted_channel_is_given_up(scene: Scene, told: bool) -> None:
    """Nothing is owed where nobody can read it, whether the bot was told of it or finds out."""
    turn = scene.ask("one")
    scene.finish(turn, "ONE")
    scene.discord.is_gone = True
    if told:
        scene.shell.removed()
    scene.restart(arrived=False)
    scene.run()

    assert is_settled(scene)


def test_what_is_owed_for_a_day_is_given_up(scene: Scene) -> None:
    """An answer that is given up is not tried any more, and the store does not owe it."""
    turn = scene.ask()
    scene.finish(turn, "ONE")
    scene.fail(REQUEST_LASTS * 2 + OWED_AFTER)

    scene.shell.look_again(list(scene.shell.channel.answers))
    scene.run()

    assert scene.seen() == []
    assert is_settled(scene)


def test_a_running_turn_says_that_it_goes_on_when_the_bot_ends(scene: Scene) -> None:
    """The note is below the last message, and nothing more of the turn is posted."""
    turn = scene.ask("one", "two")
    scene.run()

    scene.shell.pause("It goes on.")
    scene.shell.progress(turn.id, parts("one", "two", "three"))
    scene.run()

    assert scene.seen() == ["one", "two\n-# It goes on."]


def test_an_end_lasts_though_permissions_change(scene: Scene) -> None:
    """Nothing of a running turn is posted after the end was announced, also when the bot may write only then."""
    scene.discord.may_write = False
    scene.ask("one")
    scene.run()
    scene.shell.pause("It goes on.")

    scene.discord.may_write = True
    scene.shell.rights_changed()
    scene.run()

    assert scene.seen() == []


@pytest.mark.parametrize(
    ("refusals", "shown"), [(1, ["**clock**\nIt is noon."]), (2, [str(NOT_TAKEN)]), (3, [WITHOUT_WORDS]), (4, [])]
)
def test_a_card_that_is_refused_gives_way_step_by_step(scene: Scene, refusals: int, shown: Sequence[str]) -> None:
    """It is shown as text, then as a notice, then as a sign, then not at all; the part below is shown in any case."""
    turn = scene.ask()
    scene.finish(turn, CARD, "TWO")
    for _ in range(refusals):
        scene.end(Post, Fate.INVALID)
    scene.run()

    assert scene.seen() == [*shown, "TWO"]
    assert is_settled(scene)


def test_one_channel_is_read_for_one_answer_at_a_time(scene: Scene) -> None:
    """What is found for one answer is stored before it can be found for another one."""
    for texts in (("ONE",), ("TWO", "THREE")):
        scene.finish(scene.ask(), *texts)
    scene.run()
    for turn in list(scene.store.turns.values()):
        scene.again(turn, "once more")
    scene.restart(arrived=False)
    for turn in list(scene.store.turns.values()):
        scene.shell.begin(scene.store.run(turn.id), parts("once more"), resumed=True)
    for request in list(scene.shell.running):
        scene.shell.resolve(request, Fate.FINE)

    assert len(scene.requests(LookUp)) == 1


def test_nothing_is_deleted_while_a_message_is_not_stored(scene: Scene) -> None:
    """The message by which the next process would recognize one that is being posted stays until that is stored."""
    turn = scene.ask("one", "two")
    scene.end(Post, Fate.FINE)
    scene.end(Store, Fate.FINE)
    scene.finish(turn, "one", "two")
    scene.shell.withdraw(scene.store.forget(turn.id))

    assert len(scene.requests(Post)) == 1
    assert scene.requests(Delete) == []


@pytest.mark.parametrize(
    ("seen", "stored", "found"),
    [
        ([Seen(2, 1, ()), Seen(3, None, ())], {}, (2, 3)),  # it replies to the question, and one is directly below
        ([Seen(2, None, ("lg:stop:abc:1",))], {}, (2,)),  # it names the turn
        ([Seen(2, None, ("lg:stop:xyz:1",)), Seen(3, None, ())], {}, ()),  # it names another turn
        ([Seen(2, 9, ()), Seen(3, None, ())], {}, ()),  # it replies to another question
        ([Seen(2, None, ()), Seen(3, None, ())], {2: "xyz"}, ()),  # it is directly below another turn's
        ([Seen(2, None, ()), Seen(3, None, ())], {2: "abc"}, (3,)),  # it is directly below one that is stored
        ([Seen(2, None, ())], {}, (2,)),  # it is directly below the question
    ],
)
def test_parts_that_nobody_stored_are_recognized(
    seen: list[Seen], stored: dict[int, str], found: tuple[int, ...]
) -> None:
    """A message is a part of a turn by what it replies to or names, or else by the message above it."""
    assert orphans_of("abc", 1, seen, stored) == found


def test_a_part_below_another_turn_is_recognized_if_it_can_be_of_no_other() -> None:
    """It does not reply where the bot might not read the history, and nothing on it says of which turn it is."""
    seen = [Seen(2, None, ()), Seen(3, None, ())]

    assert orphans_of("abc", 1, seen, {2: "xyz"}, alone=True) == (3,)


def test_where_it_might_not_read_a_message_below_another_turn_is_found(scene: Scene) -> None:
    """A post without an answer that could not reply is found once the channel may be read, and not made twice."""
    first = scene.ask()
    scene.restart(arrived=False)
    scene.bar(yes=True)
    scene.ask("above")
    scene.run()
    scene.shell.begin(scene.store.run(first.id), parts("one"), resumed=True)
    scene.end(Post, Fate.UNANSWERED)
    scene.fail(NONCE_IS_SURE * 2, arrived=True)
    scene.bar(yes=False)

    scene.live(REMEMBERED + NONCE_IS_SURE)

    assert scene.seen() == ["above", "one"]


def test_plain_forms_of_a_file_are_cut_once(scene: Scene) -> None:
    """The cheap way to the plain form that the machine takes gives the same as the real one."""
    for shape in ("F", "TF", "TCF"):
        for _, body in drawn(scene.ask(), shape, 1, [], final=True):
            assert plain_form_of(body) == plain_form(body)


def test_what_nobody_stored_is_taken_back_once_the_channel_may_be_read(scene: Scene) -> None:
    """A forgotten answer, of which a message may be there that no process stored, is owed until that is looked for."""
    turn = scene.ask("one")
    scene.restart(arrived=True)
    scene.bar(yes=True)
    scene.finish(turn, "ONE")
    scene.shell.withdraw(scene.store.forget(turn.id))
    scene.live(300.0)
    assert scene.seen() == ["one"]

    scene.bar(yes=False)
    scene.live(300.0)

    assert scene.seen() == []
