"""What people do in an input: its acts, each a list of the name of a method below and what it takes.

Most inputs have a short form in place of acts: `write`, what Ada has the model write; `say`; `files`, which she sends;
`page` and `place`, which she has read; `url`, which is fetched; `expression`, which is calculated; `secret`.
"""

import json
from typing import Any

from programs.bench.safety.corpus import Input
from programs.bench.safety.pressing import Pressing
from programs.bench.safety.secrets import acts_with
from programs.bench.safety.stage import Stage
from programs.playground.errors import ApiError

_REFUSED = (403, 404)  # by Discord itself


class Acts(Pressing):
    """Does what people do in one input, in a channel."""

    async def perform(self, acts: list[list[Any]]) -> None:
        """Do all of it, as far as Discord allows it."""
        for word, *rest in acts:
            try:
                await getattr(self, word)(*rest)
            except ApiError as error:
                if error.status not in _REFUSED:
                    raise

    async def settle(self) -> None:
        """Wait until all of it has had its effect, which the trial does after these acts."""


def prepare(stage: Stage, input_: Input) -> list[list[Any]]:
    """Put up what an input finds: pages, places, redirects, addresses of names, what the model can tell.

    Returns:
        What is done; short forms in full.
    """
    data = input_.data
    if "secret" in data:
        up, acts = acts_with(input_, stage.secrets.make(input_).text)
        data = {**data, **up, "acts": acts}
    stage.names.table = {name: list(addresses) for name, addresses in data.get("names", {}).items()}
    if "page" in data:
        stage.site.pages[input_.id] = data["page"].replace("$SITE", stage.site.url)
    if "place" in data:
        stage.site.places[input_.id] = data["place"]
    if "tells" in data:
        stage.model.known[input_.id] = data["tells"]
    if data.get("by") in ("redirect", "weather"):
        stage.site.redirects[input_.id] = data["url"]
    if data.get("by") == "attachment":
        stage.playground.state.base_url = data["url"]
    return _acts(input_.id, data)


def _acts(id_: str, data: dict[str, Any]) -> list[list[Any]]:
    if "acts" in data:
        found: list[list[Any]] = data["acts"]
        return found
    if "files" in data or data.get("by") == "attachment":
        return [["say", "ada", f"look at evil-{id_}", data.get("files", [{"name": "a.txt", "text": "a"}])], ["answer"]]
    return [["say", "ada", _said(id_, data)], ["answer"]]


def _said(id_: str, data: dict[str, Any]) -> str:
    """What Ada says, where it follows from what is to be tried."""
    if "write" in data:
        return f"⟦WRITE {data['write']}⟧"
    if "expression" in data:
        return _call("calculate", expression=data["expression"])
    if "page" in data:
        return _call("read_page", url=f"$SITE/page/{id_}")
    if "place" in data or data.get("by") == "weather":
        return _call("get_weather", location=id_)
    if "url" in data:
        return _call("read_page", url=f"$SITE/to/{id_}" if data["by"] == "redirect" else data["url"])
    said: str = data["say"]
    return said


def _call(tool: str, **arguments: str) -> str:
    return f"⟦CALL {tool} {json.dumps(arguments)}⟧"
