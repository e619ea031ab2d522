"""Nobody but this machine's own page and programs gets in."""

import aiohttp
import pytest

from programs.playground.entities import ADA_ID, ChannelType
from programs.playground.server import Playground
from tests.programs.playground.conftest import Raw

PATHS = ["/", "/page/app.js", "/playground/state", "/api/v10/users/@me", "/gateway", "/attachments/1/2/x"]


@pytest.mark.parametrize("path", PATHS)
async def test_a_foreign_host_name_is_refused(playground: Playground, raw: Raw, path: str) -> None:
    """A name that was bent to 127.0.0.1 does not open anything."""
    for host in ("evil.test", f"evil.test:{playground.port}", "127.0.0.1", f"127.0.0.1.evil.test:{playground.port}"):
        async with raw.session.get(playground.url + path, headers={"Host": host}) as answer:
            assert answer.status == 403


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://127.0.0.1:1", "http://localhost"])
async def test_a_foreign_page_is_refused(playground: Playground, raw: Raw, origin: str) -> None:
    """A page from elsewhere can neither post nor listen."""
    status, _ = await raw.page("POST", "/dms", {"as": str(ADA_ID)}, headers={"Origin": origin})
    assert status == 403
    for path in ("/gateway", f"/playground/events?as={ADA_ID}"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await raw.session.ws_connect(playground.url + path, headers={"Origin": origin})
        assert refused.value.status == 403
    assert not [one for one in playground.state.channels.values() if one.type is ChannelType.DM]


async def test_the_own_page_is_let_in(playground: Playground, raw: Raw) -> None:
    """Both names of this machine are the page's own."""
    for name in ("127.0.0.1", "localhost"):
        own = f"{name}:{playground.port}"
        status, _ = await raw.page("GET", "/state", headers={"Host": own, "Origin": f"http://{own}"})
        assert status == 200


async def test_the_page_runs_nothing_foreign(playground: Playground, raw: Raw) -> None:
    """Page and answers are served under a strict policy and are never kept."""
    for path in ("/", "/page/index.html", "/playground/state", "/playground/state?as=1"):
        async with raw.session.get(playground.url + path) as answer:
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["..%2Fserver.py", "%2e%2e%2fserver.py", ".hidden", "nothing.js", "%00"])
async def test_only_the_pages_own_files_are_served(playground: Playground, raw: Raw, name: str) -> None:
    """No name leads out of the page's folder."""
    async with raw.session.get(f"{playground.url}/page/{name}") as answer:
        assert answer.status == 404
