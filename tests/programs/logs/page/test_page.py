"""The page as people see it."""

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.commands import EditPromptCommand
from programs.logs.serve import LogPage
from tests.programs.logs.story import Story, Turn

pytestmark = pytest.mark.asyncio(loop_scope="package")

CALL = ToolCall(id="call00001", name="get_weather", arguments='{"location": "Paris"}')
HOSTILE = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>\u202e\x1b[2J'


def row(page: Page, text: str) -> Locator:
    return page.locator("#rows tr", has_text=text)


def span(page: Page, name: str) -> Locator:
    return page.locator(".span", has_text=name)


async def bar_width(page: Page, kind: str) -> float:
    return float(await page.locator(f".bar.{kind}").get_attribute("width") or 0)


def whole_turn(story: Story, turn_id: str, text: str) -> None:
    turn = Turn(story, turn_id, text)
    turn.reply(tool_calls=(CALL,), finish="tool_calls", first=None)
    turn.approval(CALL, approved=True)
    with turn.tool(CALL):
        pass
    turn.reply(round_=1)
    turn.finish()


async def test_without_turns_it_says_what_to_do(page: Page) -> None:
    """An empty log is not an empty page."""
    await expect(page.locator("#empty")).to_contain_text("No turns yet")
    await expect(page.locator("#turn")).to_contain_text("Choose a turn")
    await expect(page.locator("#status")).to_have_text("Live")


async def test_turns_appear_and_change_as_they_happen(story: Story, page: Page) -> None:
    """Nobody needs to reload: a new turn stands on top, and its state, tokens and time follow."""
    await expect(page.locator("#empty")).to_be_visible()
    turn = Turn(story, "t1", "What is the weather?")
    await expect(row(page, "What is the weather?")).to_contain_text("running")
    await expect(page.locator("#empty")).to_be_hidden()

    turn.reply()
    turn.finish(seconds=2.5)

    await expect(row(page, "What is the weather?")).to_contain_text("done")
    await expect(row(page, "What is the weather?").locator(".number")).to_have_text(["110", "2.50 s"])
    Turn(story, "t2", "A second question")
    await expect(page.locator("#rows tr").first).to_contain_text("A second question")


async def test_a_turn_unfolds_into_its_waterfall(story: Story, page: Page) -> None:
    """From the prompt to rounds, model calls, approval and tool call: each a bar where and as long as it was."""
    whole_turn(story, "t1", "What is the weather?")

    await row(page, "What is the weather?").click()

    names = page.locator(".span-name b")
    await expect(names).to_have_text(
        [
            *("prompt", "admitted", "turn", "round 1"),
            *("model small · 100 → 10 tokens, 40 cached", "approval get_weather", "tool get_weather"),
            *("round 2", "model small · 100 → 10 tokens, 40 cached"),
        ]
    )
    bars = [
        (float(await bar.get_attribute("x") or 0), float(await bar.get_attribute("width") or 0))
        for bar in await page.locator(".bar").all()
    ]
    (_, whole), (asked, _), (waited, approval), (ran, tool) = bars[2], bars[4], bars[5], bars[6]
    assert whole > 990
    assert asked < waited < ran
    assert tool > approval > 50  # the wait for people is drawn shorter than it was
    await span(page, "tool get_weather").locator("summary").click()
    await expect(span(page, "tool get_weather").locator("pre")).to_contain_text('get_weather({"location": "Paris"})')


async def test_waiting_for_people_does_not_flatten_the_waterfall(story: Story, page: Page) -> None:
    """Ten minutes until somebody decided are drawn short, striped and said; what was done keeps its lengths."""
    turn = Turn(story, "t1", "What is the weather?")
    turn.reply(tool_calls=(CALL,), finish="tool_calls", seconds=2.0)
    turn.approval(CALL, approved=True, seconds=600.0)
    with turn.tool(CALL, seconds=1.0):
        pass
    turn.finish(seconds=603.0)

    await row(page, "What is the weather?").click()

    await expect(page.locator(".shortened")).to_have_text("Striped: 10 m 00 s of waiting for people, drawn shorter.")
    await expect(page.locator(".cut")).to_have_count(await page.locator(".span").count())
    widths = {kind: await bar_width(page, kind) for kind in ("model", "approval", "tool")}
    assert widths["model"] == pytest.approx(2 * widths["tool"], rel=0.02)
    assert widths["tool"] > 250 > widths["approval"] > 100
    await expect(span(page, "approval").locator(".span-took")).to_have_text("10 m 00 s")
    await expect(page.locator("#latency title").first).to_contain_text("3.00 s, and 10 m 00 s waiting for people")


async def test_the_title_follows_an_edit(story: Story, page: Page) -> None:
    """The list and the turn show the message as it was last edited."""
    Turn(story, "t1", "What is teh weather?")
    await row(page, "What is teh weather?").click()

    story.tell(EditPromptCommand, session_id="test:1", turn_id="t1", source_id="t1", version=1, text="The weather?")

    await expect(row(page, "The weather?")).to_be_visible()
    await expect(page.locator("#turn h3")).to_have_text("The weather?")


@pytest.mark.parametrize("width", [1200, 380])
async def test_a_turn_far_down_unfolds_where_one_looks(
    story: Story, served: LogPage, browser: Browser, width: int
) -> None:
    """The waterfall is on the screen, however long the list is."""
    for number in range(60):
        whole_turn(story, f"t{number}", f"Question {number}.")
    page = await browser.new_page(viewport={"width": width, "height": 700})
    await page.goto(served.url)

    await row(page, "Question 0.").click()

    await expect(page.locator("#turn h3")).to_have_text("Question 0.")
    await expect(page.locator("#turn h3")).to_be_in_viewport()
    await expect(span(page, "tool get_weather")).to_be_in_viewport()
    await page.close()


async def test_what_is_unfolded_stays_while_the_turn_goes_on(story: Story, page: Page) -> None:
    """A live page does not take away what one reads."""
    turn = Turn(story, "t1", "Slow question")
    await row(page, "Slow question").click()
    await span(page, "prompt").locator("summary").click()
    await expect(span(page, "prompt").locator("pre")).to_be_visible()

    turn.reply()

    await expect(span(page, "model small")).to_be_visible()
    await expect(span(page, "prompt").locator("pre")).to_be_visible()


async def test_the_plots_show_each_turn(story: Story, page: Page) -> None:
    """A dot for the time of each, a bar for its tokens; choosing one opens the turn."""
    for number in range(5):
        turn = Turn(story, f"t{number}", f"Question {number}")
        turn.reply()
        turn.finish("failed" if number == 4 else "done", seconds=number + 1.0)

    await expect(page.locator("#latency .mark.turn")).to_have_count(5)
    await expect(page.locator("#latency .mark.turn.failed")).to_have_count(1)
    await expect(page.locator("#latency .mark.first")).to_have_count(5)
    await expect(page.locator("#tokens .mark")).to_have_count(15)
    heights = [float(await mark.get_attribute("cy") or 0) for mark in await page.locator(".mark.turn").all()]
    assert heights == sorted(heights, reverse=True)

    await page.locator("#latency .mark.turn").nth(1).click()

    await expect(page.locator("#turn h3")).to_have_text("Question 1")
    await expect(row(page, "Question 1")).to_have_attribute("aria-current", "true")


async def test_numbers_add_up(story: Story, page: Page) -> None:
    """The tiles sum what the list shows."""
    for number in range(3):
        turn = Turn(story, f"t{number}")
        turn.reply()
        turn.finish("failed" if number == 2 else "done", seconds=number + 1.0)

    await expect(page.locator(".tile-value")).to_have_text(["3", "1", "2.00 s", "3.00 s", "250 ms", "300", "30"])


async def test_hostile_text_is_only_text(story: Story, page: Page) -> None:
    """Whatever stands in the log, in any field, neither runs nor becomes an element."""
    turn = Turn(story, "t1", HOSTILE, session=HOSTILE)
    call = CALL.model_copy(update={"name": HOSTILE, "arguments": HOSTILE})
    with turn.tool(call, content=HOSTILE):
        pass
    turn.reply(HOSTILE, model=HOSTILE)
    turn.finish("failed", notice=HOSTILE, model=HOSTILE)
    with story.path.open("ab") as file:
        file.write(b'{"v":1,"type":"TurnStartedEvent","turn_id":"\\"><img src=x>/..","session_id":"%27\\""}\n')

    await expect(page.locator("#rows tr")).to_have_count(2)
    for line in await page.locator("#rows tr").all():
        await line.click()
        await expect(page.locator(".waterfall .span").first).to_be_visible()
        for summary in await page.locator(".span summary").all():
            await summary.click()

    assert await page.title() == "Logs"
    assert await page.locator("img, main script").count() == 0
    await expect(page.locator("#turn h3")).to_contain_text("<img src=x")


async def test_a_turn_has_an_address(story: Story, served: LogPage, page: Page) -> None:
    """What is chosen stands in the address, so that it can be opened again."""
    whole_turn(story, "t1", "First question")
    whole_turn(story, "t2", "Second question")
    await row(page, "First question").click()
    await expect(page.locator("#turn h3")).to_have_text("First question")
    assert page.url == f"{served.url}#turn=t1"

    await page.reload()

    await expect(page.locator("#turn h3")).to_have_text("First question")


async def test_it_can_be_used_by_keyboard(story: Story, page: Page) -> None:
    """Rows and spans are reached by Tab and opened by Enter, and keep the focus while the page changes."""
    turn = Turn(story, "t1", "Question")
    button = row(page, "Question").get_by_role("button")
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#turn h3")).to_have_text("Question")

    turn.finish()

    await expect(row(page, "Question")).to_contain_text("done")
    await expect(button).to_be_focused()


async def test_a_lost_connection_is_said_and_made_anew(story: Story, browser: Browser) -> None:
    """After the program was started again, what was missed is there."""
    async with LogPage(story.path).served() as first:
        page = await browser.new_page()
        await page.goto(first.url)
        await expect(page.locator("#status")).to_have_text("Live")
    await expect(page.locator("#status")).to_have_text("Reconnecting…")
    Turn(story, "t1", "While you were away")

    async with LogPage(story.path, port=first.port).served():
        await expect(row(page, "While you were away")).to_be_visible(timeout=15_000)
        await expect(page.locator("#status")).to_have_text("Live")
        await page.close()


async def test_it_fits_a_narrow_screen(story: Story, served: LogPage, browser: Browser) -> None:
    """Nothing is wider than a telephone but the table, which scrolls in its own frame."""
    whole_turn(story, "t1", "unbroken" * 60)
    page = await browser.new_page(viewport={"width": 380, "height": 700})
    await page.goto(f"{served.url}#turn=t1")
    await expect(page.locator(".waterfall .span").first).to_be_visible()

    assert await page.evaluate("document.documentElement.scrollWidth") == 380
    assert await page.locator(".logs").evaluate("main => main.scrollWidth <= main.clientWidth")
    await page.close()


async def test_it_is_light_or_dark(story: Story, served: LogPage, browser: Browser) -> None:
    """As the system says, until somebody chooses; the choice is kept."""
    page = await browser.new_page(color_scheme="dark")
    await page.goto(served.url)
    background = "getComputedStyle(document.body).backgroundColor"
    dark = await page.evaluate(background)

    await page.get_by_role("button", name="Light or dark").click()

    light = await page.evaluate(background)
    await page.reload()
    assert (await page.evaluate(background), light != dark) == (light, True)
    await page.close()
