"""The tool that searches the web by the service that the operator has chosen."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr
from yarl import URL

from llmgine.errors import ToolError
from llmgine.messages.chat_messages import Source
from llmgine.messages.text import collapse_spaces, shorten
from llmgine.tools.files import ToolOutput
from llmgine.tools.tool import Tool
from programs.guarded_http import GuardedHttp
from programs.tools.robots import AGENT
from programs.tools.search_services import Brave, Hit, SearchService, SearXNG, Tavily

_MOST_EXCERPT = 1_000  # characters of what a page says
_MOST_TITLE = 200  # characters

Query = Annotated[str, Field(min_length=1, max_length=400)]
Count = Annotated[int, Field(ge=1, le=10)]


class SearchConfig(BaseModel):
    """Who searches.

    Attributes:
        service: Which service.
        key: The key for Brave or Tavily.
        url: The address of the SearXNG; for the others, an address in place of their own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: Literal["searxng", "brave", "tavily"]
    key: SecretStr = SecretStr("")
    url: HttpUrl | None = None

    def opened(self) -> SearchService:
        """The service.

        Raises:
            ValueError: SearXNG has no address.
        """
        url = URL(str(self.url)) if self.url else None
        http = GuardedHttp(allow=[url] if url else (), agent=AGENT)
        key = self.key.get_secret_value()
        if self.service == "brave":
            return Brave(http, key, url) if url else Brave(http, key)
        if self.service == "tavily":
            return Tavily(http, key, url) if url else Tavily(http, key)
        if url is None:
            raise ValueError("SearXNG needs an address")
        return SearXNG(http, url)


def search_tool(config: SearchConfig) -> Tool:
    """The tool `web_search`, asking the service of `config`."""
    service = config.opened()

    async def web_search(query: Query, count: Count = 5) -> ToolOutput:
        """Search the web. Give the addresses of the pages that your answer uses.

        Args:
            query: What to look for, in a few words.
            count: How many pages to name.
        """
        hits = [hit for hit in await service.search(query, count) if hit.url.startswith(("https://", "http://"))]
        if not hits:
            raise ToolError("nothing was found: use fewer or other words")
        told = "\n\n".join(_told(number, hit) for number, hit in enumerate(hits, 1))
        return ToolOutput(told, sources=[Source(title=hit.title, url=_ascii(hit.url)) for hit in hits])

    return Tool.from_function(web_search, idempotent=True, reads_outside=True)


def _told(number: int, hit: Hit) -> str:
    """A page as the model is told of it."""
    title = shorten(collapse_spaces(hit.title), _MOST_TITLE)
    return f"{number}. {title}\n{hit.url}\n{shorten(collapse_spaces(hit.excerpt), _MOST_EXCERPT)}"


def _ascii(url: str) -> str:
    """An address with its host in ASCII, as it goes over the wire; as it is where it cannot be read."""
    try:
        return str(URL(url))
    except ValueError:
        return url
