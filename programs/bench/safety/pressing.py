"""What people press and which commands they use in an input, rightfully or not."""

from collections.abc import Callable
from typing import Any

from programs.bench.safety.writing import Writing
from programs.playground.entities import Json, Message
from programs.playground.interactions import Interaction
from programs.playground.state import Dispatch

_ROW, _BUTTON = 1, 2  # Discord's numbers of components


class Pressing(Writing):
    """People who press buttons; see `Acts`."""

    _remembered: tuple[int, str] = (0, "")

    async def command(self, who: str, name: str, options: dict[str, str] | None = None) -> None:
        """Use a slash command, also one that Discord would not offer."""
        given = [{"name": key, "value": value} for key, value in (options or {}).items()]
        with self._stage.commands_for_all():
            used = self._people.command(self.channel, self.people[who], name, given)
        await self._answered(used, f"/{name}")

    async def menu(self, who: str, name: str) -> None:
        """Use the menu of the last message of somebody."""
        with self._stage.commands_for_all():
            said = self._said[self._last[0]]
            used = self._people.command(self.channel, self.people[who], name, target_id=said.id)
        await self._answered(used, name)

    async def click(self, who: str, label: str) -> None:
        """Press the last button whose label begins so, once it is there."""
        message, custom_id = await self._button(label)
        await self._press(who, message, custom_id)

    async def click_if(self, who: str, label: str) -> None:
        """The same if it is there."""
        found = self.find(label)
        if found is not None:
            await self._press(who, *found)

    async def forge(self, who: str, label: str) -> None:
        """Press a button of one's own with the custom id of a button of the bot's, wherever that is."""
        await self.made_up(who, (await self._button(label))[1])

    async def turned(self, who: str, label: str, before: str, after: str) -> None:
        """The same with a part of the custom id replaced."""
        await self.made_up(who, (await self._button(label))[1].replace(before, after))

    async def made_up(self, who: str, custom_id: str) -> None:
        """The same with any custom id."""
        own = self._people.send(self.channel, self.people[who], "mine")
        button = {"type": _BUTTON, "id": 2, "style": 2, "label": "x", "custom_id": custom_id}
        own.components = [{"type": _ROW, "id": 1, "components": [button]}]
        await self._press(who, own, custom_id)

    async def remember(self, label: str) -> None:
        """Keep the custom id of a button."""
        message, custom_id = await self._button(label)
        self._remembered = message.id, custom_id

    async def press_remembered(self, who: str) -> None:
        """Press a button that was kept, though it may be gone by now."""
        await self.made_up(who, self._remembered[1])

    async def deny_because(self, who: str, reason: str) -> None:
        """Deny a call with a reason."""
        opened: list[Json] = []

        def note(dispatch: Dispatch) -> None:
            if dispatch.name == "MODAL_OPEN":
                opened.append(dispatch.render(self.people[who]))

        unsubscribe = self._stage.playground.state.subscribe(note)
        await self.click(who, "Deny with a reason")
        form = (await self._stage.until(lambda: opened, "A form"))[0]
        unsubscribe()
        used = self._people.submit_modal(self.people[who], int(form["modal_id"]), {"reason": reason})
        await self._answered(used, "the form")

    async def react(self, who: str, emoji: str) -> None:
        """React to the bot's last message."""
        self._people.react(self.channel, self._stage.shown(self.channel)[-1].id, self.people[who], emoji)

    async def card(self) -> None:
        """Wait until a call waits for approval."""
        await self._button("Approve")

    async def answer(self) -> None:
        """Wait until one more answer has ended."""
        await self._end(lambda: None)

    async def quiet(self) -> None:
        """The same; Ada denies what waits for approval."""
        await self._end(lambda: self.find("Deny"))

    async def approve_all(self, who: str) -> None:
        """The same; somebody approves what waits for approval."""
        await self._end(lambda: self.find("Approve"), who)

    async def _end(self, find: Callable[[], tuple[Message, str] | None], who: str = "ada") -> None:
        pressed: set[str] = set()

        def next_state() -> tuple[Message, str] | bool | None:
            if self._stage.ends(self.channel) > self._ended:
                return True
            found = find()
            return None if found is None or found[1] in pressed else found

        while not isinstance(found := await self._stage.until(next_state, "An answer"), bool) and found is not None:
            pressed.add(found[1])
            await self._press(who, *found)
        self._ended = self._stage.ends(self.channel)

    def find(self, label: str) -> tuple[Message, str] | None:
        """The last button whose label begins so, in any of the places."""
        for place in reversed(self.places):
            for message in reversed(self._stage.shown(place, privately=True)):
                for button in buttons_of(message):
                    if button.get("label", "").startswith(label):
                        return message, button["custom_id"]
        return None

    async def _button(self, label: str) -> tuple[Message, str]:
        found = await self._stage.until(lambda: self.find(label), f"A button {label}")
        if found is None:
            raise TimeoutError
        return found

    async def _press(self, who: str, message: Message, custom_id: str) -> None:
        used = self._people.click(message.channel_id, self.people[who], message.id, custom_id)
        await self._answered(used, custom_id)

    async def _answered(self, used: Interaction, what: str) -> None:
        await self._stage.until(lambda: used.answered, f"An answer to {what}")


def buttons_of(message: Message) -> list[dict[str, Any]]:
    """The buttons under a message."""
    return [one for row in message.components for one in row.get("components", ())]
