"""Paths are cleaned as Go's ServeMux cleans them."""

from pathlib import Path

import pytest

from dvidpc.http.gate import clean_path
from tests.serving import UUID, config_text, serving

CLEANED = {
    "//api/repos/info": "/api/repos/info",
    "/api//repos/info": "/api/repos/info",
    "/x/../api/load": "/api/load",
    "/../../api/load": "/api/load",
    "/%2e%2e/api/load": "/api/load",
    "/./api/load/": "/api/load/",
    "//example.org": "/example.org",
    "//\\example.org": "/%5Cexample.org",
    "/api/load/..": "/api/",
    f"/api/node/{UUID}/em//specificblocks?blocks=0,0,0&x=a%2Fb": (
        f"/api/node/{UUID}/em/specificblocks?blocks=0,0,0&x=a%2Fb"
    ),
}


@pytest.mark.parametrize("path", CLEANED)
async def test_a_path_with_more_than_it_needs_is_sent_to_the_clean_one(
    volume: Path, tmp_path: Path, path: str
) -> None:
    async with (
        serving(config_text({"em": volume}), tmp_path) as server,
        server.ask("GET", path) as response,
    ):
        assert response.status == 301
        assert response.headers["Location"] == CLEANED[path]


@pytest.mark.parametrize("path", ["/", "/a", "/a/", "/.hidden", "/a/..b", "/a.b/c"])
def test_a_clean_path_is_left_alone(path: str) -> None:
    assert clean_path(path) == path


async def test_a_slash_at_the_end_and_head_work_wherever_get_does(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        for path in (
            "/api/server/info/",
            "/api/server/compiled-types/",
            "/api/load/",
            "/api/help/",
            "/api/help/uint8blk/",
            "/interface/",
            "/api/repos/info/",
            f"/api/repo/{UUID}/info/",
            f"{server.node}/commit/",
            f"{server.node}/em/info/",
            f"{server.node}/em/subvolblocks/64_64_64/0_0_0/",
        ):
            for asked in (path, path.rstrip("/")):
                async with server.ask("GET", asked) as got, server.ask("HEAD", asked) as head:
                    assert got.status == head.status == 200, asked
                    assert head.content_type == got.content_type
                    assert await head.read() == b""


async def test_everything_is_below_the_base_path(volume: Path, tmp_path: Path) -> None:
    more = '[server]\nbasePath = "/dvid"'
    async with serving(config_text({"em": volume}, more), tmp_path) as server:
        for path in ("/", "/api/repos/info", "/api/help", f"{server.node}/em/info", "/readyz"):
            await server.get(f"/dvid{path}")
            assert (await server.error(path))[0] == 404
        page = (await server.get("/dvid/api/help")).decode()
        assert 'href="/' not in page
        assert "href=/" not in page
        status, text = await server.error(f"/dvid{server.node}/em/bogus")
        assert status == 400
        assert "/dvid/api/help/uint8blk" in text
        async with server.ask("GET", "/dvid//api/load") as response:
            assert response.headers["Location"] == "/dvid/api/load"
