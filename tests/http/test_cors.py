"""Pages of other origins can read what they may, errors included."""

from pathlib import Path

import pytest

from tests.rawhttp import exchange
from tests.serving import UUID, config_text, serving

PAGE = "https://neuroglancer-demo.appspot.com"
EVERY_KIND_OF_ANSWER = {
    "/api/server/info": 200,
    f"/api/node/{UUID}/em/specificblocks?blocks=0,0,0": 200,
    f"/api/node/{UUID}/em/specificblocks?blocks=0": 400,
    f"/api/node/{UUID}/em/specificblocks?blocks={'0,0,0,' * 40000}0,0,0": 413,
    "/api/bogus": 404,
    "/bogus": 404,
    "//api/load": 301,
}
BROKEN = {
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
    "no such version": b"GET / HTTP/x\r\n\r\n",
    "line too long": b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "header too long": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    "bad header": b"GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n",
}


@pytest.mark.parametrize("domains", ["", 'corsDomains = ["*"]'])
async def test_any_page_reads_every_answer(volume: Path, tmp_path: Path, domains: str) -> None:
    async with serving(config_text({"em": volume}, f"[server]\n{domains}"), tmp_path) as server:
        for path, status in EVERY_KIND_OF_ANSWER.items():
            async with server.ask("GET", path, {"Origin": PAGE}) as response:
                assert response.status == status, path[:100]
                assert response.headers["Access-Control-Allow-Origin"] == "*"
                assert "ETag" in response.headers["Access-Control-Expose-Headers"]
                assert "Access-Control-Allow-Credentials" not in response.headers


async def test_named_origins_read_and_others_do_not(volume: Path, tmp_path: Path) -> None:
    more = f'[server]\ncorsDomains = ["{PAGE}", "http://localhost:8080"]'
    async with serving(config_text({"em": volume}, more), tmp_path) as server:
        for path in EVERY_KIND_OF_ANSWER:
            for origin, allowed in ((PAGE, PAGE), ("http://evil.example", None), (f"{PAGE}.evil", None)):
                async with server.ask("GET", path, {"Origin": origin}) as response:
                    assert response.headers.get("Access-Control-Allow-Origin") == allowed
                    assert response.headers["Vary"] == "Origin"


@pytest.mark.parametrize("kind", BROKEN)
async def test_what_no_handler_sees_is_answered_with_our_headers_too(
    volume: Path, tmp_path: Path, kind: str
) -> None:
    more = "[limits]\nmax_request_line = 65536"
    async with serving(config_text({"em": volume}, more), tmp_path) as server:
        answer = await exchange(server.url, BROKEN[kind])
        assert answer.status == 400
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/api/repos/info", f"/api/node/{UUID}/em/subvolblocks/64_64_64/0_0_0", "/api/bogus", "/"]
)
async def test_a_browser_that_asks_first_may_send_its_token(volume: Path, tmp_path: Path, path: str) -> None:
    asking = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    async with serving(config_text({"em": volume}), tmp_path) as server:
        async with server.ask("OPTIONS", path, asking) as response:
            assert response.status == 204
            assert await response.read() == b""
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert "GET" in response.headers["Access-Control-Allow-Methods"]
            assert "authorization" in response.headers["Access-Control-Allow-Headers"].lower()
            assert int(response.headers["Access-Control-Max-Age"]) > 0
            assert "Access-Control-Allow-Private-Network" not in response.headers
        asking["Access-Control-Request-Private-Network"] = "true"
        async with server.ask("OPTIONS", path, asking) as response:
            assert response.headers["Access-Control-Allow-Private-Network"] == "true"


async def test_a_page_that_is_not_named_gets_no_leave_for_the_private_network(
    volume: Path, tmp_path: Path
) -> None:
    asking = {
        "Origin": "http://evil.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Private-Network": "true",
    }
    more = f'[server]\ncorsDomains = ["{PAGE}"]'
    async with (
        serving(config_text({"em": volume}, more), tmp_path) as server,
        server.ask("OPTIONS", "/api/repos/info", asking) as response,
    ):
        assert response.status == 204
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Access-Control-Allow-Private-Network" not in response.headers


@pytest.mark.parametrize("allowed", ["true", "false"])
async def test_timing_is_shown_where_the_configuration_says_so(
    volume: Path, tmp_path: Path, allowed: str
) -> None:
    more = f"[server]\nallowTiming = {allowed}"
    async with (
        serving(config_text({"em": volume}, more), tmp_path) as server,
        server.ask("GET", f"{server.node}/em/info") as response,
    ):
        assert response.headers.get("Timing-Allow-Origin") == ("*" if allowed == "true" else None)
