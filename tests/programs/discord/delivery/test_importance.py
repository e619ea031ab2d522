"""What goes first when requests have to wait: answers before previews, and both before courtesies."""

from programs.discord.rate_limiter import Importance, Ticket
from tests.programs.discord.delivery.delivery_scene import before_long, soon, stages
from tests.programs.discord.scene import Scene, body_of

NEVER = 86_400.0  # seconds


async def started(unstarted: Scene, *, interval: float = 0.05) -> Scene:
    """A scene without signs, whose channel was heard before, so that nothing of it has to be read."""
    scene = await unstarted.start(bot={"reaction_delay": NEVER}, interval=interval)
    scene.ask("hello")
    await scene.outcome()
    await scene.delivered()
    return scene


def tickets(scene: Scene) -> list[Ticket]:
    """The tickets that the bot asks its limiter for, from now on."""
    found: list[Ticket] = []
    limiter = scene.bot.limiter
    ticket = limiter.ticket

    def noted(importance: Importance) -> Ticket:
        found.append(ticket(importance))
        return found[-1]

    limiter.ticket = noted  # type: ignore[method-assign]  # it is only looked at
    return found


async def test_a_preview_gives_way_and_an_answer_does_not(unstarted: Scene) -> None:
    """The first text and the final one are asked for as what people wait for, the text in between as a preview."""
    scene = await started(unstarted)
    more, end = stages(scene, "One ", "two ", "three.")
    asked = tickets(scene)
    scene.ask("count")
    message = (await soon(scene, lambda: scene.shown()[1:]))[0]
    assert [one.importance for one in asked if one.importance is not Importance.COURTESY] == [Importance.FIRST]
    asked.clear()

    more.set()
    await soon(scene, lambda: message.content == "One two")
    assert {one.importance for one in asked} - {Importance.COURTESY} == {Importance.PREVIEW}
    asked.clear()
    end.set()
    await scene.outcome(2)

    assert Importance.FIRST in {one.importance for one in asked}
    assert body_of(message.content) == "One two three."


async def test_a_final_text_overtakes_its_preview(unstarted: Scene) -> None:
    """A preview that waits for its turn becomes one of the first requests when the text under it is final."""
    scene = await started(unstarted)
    more, end = stages(scene, "One ", "two ", "three.")
    scene.ask("count")
    await soon(scene, lambda: scene.shown()[1:])
    asked = tickets(scene)
    scene.bot.limiter._saved, scene.bot.limiter._rate = 0.0, 0.001  # nothing may be asked for a while

    more.set()
    await before_long(lambda: any(one.importance is Importance.PREVIEW for one in asked))
    end.set()
    await before_long(lambda: not any(one.importance is Importance.PREVIEW for one in asked))

    scene.bot.limiter._saved, scene.bot.limiter._rate = 0.0, 45.0
    scene.bot.limiter._wake()
    await scene.outcome(2)


async def test_typing_is_a_courtesy(unstarted: Scene) -> None:
    """That the bot is typing is told only when nothing else is to be done."""
    scene = await started(unstarted)
    (end,) = stages(scene, "", "Done.")
    asked = tickets(scene)
    scene.ask("think")

    await soon(scene, lambda: len(scene.sends("POST", "/channels/{channel_id}/typing")) == 2)

    assert {one.importance for one in asked} == {Importance.COURTESY}
    end.set()
    await scene.outcome(2)


async def test_a_final_text_does_not_wait_for_the_interval(unstarted: Scene) -> None:
    """However far apart previews are, the final text is shown at once."""
    scene = await started(unstarted, interval=NEVER)
    (end,) = stages(scene, "One ", "two.")
    scene.ask("count")
    await soon(scene, lambda: scene.shown()[1:])

    end.set()

    assert body_of((await scene.outcome(2)).content) == "One two."
