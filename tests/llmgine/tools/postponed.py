"""A tool in a module whose annotations are strings until someone resolves them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class Stop(BaseModel):
    name: str


async def plan(stops: list[Stop], by: Literal["bus", "train"] = "bus") -> str:
    """Plan a journey.

    Args:
        stops: Where to stop.
        by: What to go by.
    """
    return f"{by}: {' - '.join(stop.name for stop in stops)}"
