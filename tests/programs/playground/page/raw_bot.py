"""A bot without a library: one gateway connection and plain REST calls, so that a test says what is on the wire."""

from types import TracebackType
from typing import Any, Self

from aiohttp import ClientSession

from programs.playground.entities import BOT_ID
from programs.playground.server import Playground
from tests.waiting import patience

INTENTS = 1 | 1 << 9 | 1 << 11 | 1 << 12 | 1 << 15
IDENTIFY = 2


class RawBot:
    """Use it with `async with`; then it is logged in."""

    def __init__(self, playground: Playground) -> None:
        self._playground = playground

    async def __aenter__(self) -> Self:
        headers = {"Authorization": f"Bot {self._playground.token}"}
        self._session = await ClientSession(headers=headers).__aenter__()
        self._socket = await self._session.ws_connect(self._playground.gateway_url)
        properties = {"os": "linux", "browser": "test", "device": "test"}
        identity = {"token": self._playground.token, "intents": INTENTS, "properties": properties}
        await self._socket.send_json({"op": IDENTIFY, "d": identity})
        await self.event("READY")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._socket.close()
        await self._session.close()

    async def event(self, name: str) -> dict[str, Any]:
        """The data of the next event of that name; others are passed over."""
        async with patience(f"the event {name}"):
            while True:
                frame = await self._socket.receive_json()
                if frame["t"] == name:
                    data: dict[str, Any] = frame["d"]
                    return data

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """A REST call that must succeed; its JSON, or None where there is none."""
        async with self._session.request(method, self._playground.api_base + path, json=body) as response:
            text = await response.text()
            assert response.ok, text
            return await response.json() if text else None

    async def send(self, channel_id: int, **body: object) -> str:
        """Create a message; its id."""
        message = await self.call("POST", f"/channels/{channel_id}/messages", body)
        message_id: str = message["id"]
        return message_id

    async def register(self, *commands: dict[str, Any]) -> None:
        await self.call("PUT", f"/applications/{BOT_ID}/commands", list(commands))

    async def answer(self, interaction: dict[str, Any], kind: int, data: dict[str, Any] | None = None) -> None:
        path = f"/interactions/{interaction['id']}/{interaction['token']}/callback"
        await self.call("POST", path, {"type": kind, "data": data})
