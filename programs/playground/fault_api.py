"""The faults over loopback HTTP, for tests that run in another process: `/playground/faults`, only when asked for."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field

from programs.playground.entities import Json
from programs.playground.faults import Fault, Faults
from programs.playground.forms import Form, read
from programs.playground.gateway import Gateway
from programs.playground.log import Log
from programs.playground.page_api import answering
from programs.playground.wire import NOTHING, Call, Reply


class GatewayFault(Form):
    """What goes wrong with the gateway: at once, or with the next `times` events, or RESUMEs."""

    effect: Literal[
        "drop",
        "reconnect",
        "invalidate",
        "refuse_resume",
        "repeat",
        "lose",
        "reverse",
        "malformed",
        "stop_acks",
        "freeze",
        "outage",
        "restore",
    ]
    code: int = Field(4000, ge=1000, le=4999)  # of `drop`
    name: str = "MESSAGE_CREATE"  # of `repeat`, `lose` and `malformed`
    times: int = Field(1, ge=1)
    data: dict[str, Any] = Field(default={})  # of `malformed`
    listed: bool = True  # of `outage`


_AnyFault = Annotated[Fault | GatewayFault, Field(discriminator="effect")]


class FaultApi:
    """The routes by which other processes plan faults."""

    def __init__(self, faults: Faults, gateway: Gateway, seen: Log) -> None:
        self._faults = faults
        self._log = seen
        self._at_once: dict[str, Callable[[GatewayFault], None]] = {
            "drop": lambda fault: gateway.drop(fault.code),
            "reconnect": lambda _: gateway.ask_to_reconnect(),
            "invalidate": lambda _: gateway.invalidate(),
            "refuse_resume": lambda fault: gateway.refuse_resume(fault.times),
            "repeat": lambda fault: gateway.repeat(fault.name),
            "lose": lambda fault: gateway.lose(fault.name, fault.times),
            "reverse": lambda fault: gateway.reverse(max(2, fault.times)),
            "malformed": lambda fault: gateway.send_event(fault.name, fault.data),
            "stop_acks": lambda _: gateway.stop_acks(),
            "freeze": lambda _: gateway.freeze(),
            "outage": lambda fault: gateway.outage(listed=fault.listed),
            "restore": lambda _: gateway.restore(),
        }

    def add(self, app: web.Application) -> None:
        """Put the routes into `app`."""
        app.router.add_get("/playground/faults", answering(self.list))
        app.router.add_post("/playground/faults", answering(self.plan))
        app.router.add_delete("/playground/faults", answering(self.clear))

    def list(self, _: Call) -> Reply:
        """What is planned, how often it was met, and what was seen that Discord would not accept."""
        planned: list[Json] = [one.described() for one in self._faults.all()]
        return Reply({"faults": planned, "violations": [f"{one.by}: {one.text}" for one in self._log.violations]})

    def plan(self, call: Call) -> Reply:
        """Plan a fault of requests, or do one to the gateway at once. Raises 50035 for a fault that there is not."""
        fault: Fault | GatewayFault = read(_AnyFault, call.body)
        if isinstance(fault, Fault):
            return Reply(self._faults.add(fault).described(), 201)
        self._at_once[fault.effect](fault)
        return NOTHING

    def clear(self, _: Call) -> Reply:
        """Take back all faults that are planned."""
        self._faults.clear()
        return NOTHING
