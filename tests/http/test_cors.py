"""Pages of other origins can read what they may, errors included."""

import json
from pathlib import Path

import pytest

from dvidpc.config import load_config
from dvidpc.http.once import MOST
from dvidpc.run.reload import RELOADING
from tests.rawhttp import exchange
from tests.serving import UUID, Server, config_text, serving

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
    "line too long": b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "header too long": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    "bad header": b"GET / HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n",
}


OPEN = '[server]\ncorsDomains = ["*"]\n'
NEAR = ["http://localhost:8080", "http://127.0.0.1:9000", "https://[::1]:1", "http://viewer.localhost"]
FAR = [
    PAGE,
    "http://evil.example",
    "null",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://128.0.0.1",
    "http://[::2]",
    "http://[localhost",
    "file://localhost",
    "http://evil.example#localhost",
]


def store(name: str, volume: Path, *, anonymous: bool) -> str:
    flag = str(anonymous).lower()
    return (
        f'[store.{name}]\nengine = "ngprecomputed"\nref = "file://{volume}"\ninstance = "{name}"\n'
        f"anonymous = {flag}\n"
    )


async def allowed(server: Server, path: str, origin: str, method: str = "GET") -> str | None:
    """Return which origins may read the answer, as the header says; None: it does not."""
    async with server.ask(method, path, {"Origin": origin}) as response:
        await response.read()
        return response.headers.get("Access-Control-Allow-Origin")


@pytest.mark.parametrize("way", ["corsDomains", "anonymous"])
async def test_any_page_reads_every_answer_where_that_is_configured(
    volume: Path, tmp_path: Path, way: str
) -> None:
    text = (
        config_text({"em": volume}, OPEN)
        if way == "corsDomains"
        else config_text({}, store("em", volume, anonymous=True))
    )
    async with serving(text, tmp_path) as server:
        for path, status in EVERY_KIND_OF_ANSWER.items():
            for headers in ({"Origin": PAGE}, {}):
                async with server.ask("GET", path, headers) as response:
                    assert response.status == status, path[:100]
                    assert response.headers["Access-Control-Allow-Origin"] == "*"
                    assert "ETag" in response.headers["Access-Control-Expose-Headers"]
                    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_by_default_only_pages_of_this_machine_read(volume: Path, tmp_path: Path, method: str) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        for path in EVERY_KIND_OF_ANSWER:
            for origin in NEAR:
                assert await allowed(server, path, origin, method) == origin
            for origin in FAR:
                assert await allowed(server, path, origin, method) is None
            async with server.ask(method, path) as response:
                assert response.headers["Vary"] == "Origin"
                assert "Access-Control-Allow-Origin" not in response.headers


async def test_beside_private_stores_everybody_reads_anonymous_ones_and_nothing_else(
    volume: Path, tmp_path: Path
) -> None:
    text = config_text({}, store("em", volume, anonymous=True) + store("secret", volume, anonymous=False))
    async with serving(text, tmp_path) as server:
        for call in ("info", "specificblocks?blocks=0,0,0", "raw/xy/9_9/0_0_0", "specificblocks?blocks=0"):
            assert await allowed(server, f"{server.node}/em/{call}", PAGE) == "*"
            assert await allowed(server, f"{server.node}/secret/{call}", PAGE) is None
            assert await allowed(server, f"{server.node}/secrets/{call}", PAGE) is None
        for path in ("/api/server/info", "/api/server/volumes", "/", "/readyz", "/api/load", "/api/storage"):
            assert await allowed(server, path, PAGE) is None
        for path in ("/api/repos/info", f"/api/repo/{UUID}/info", f"/api/repo/{UUID[:4]}/info/"):
            async with server.ask("GET", path, {"Origin": PAGE}) as response:
                seen = await response.text()
                assert response.headers["Access-Control-Allow-Origin"] == "*"
                assert '"em"' in seen
                assert "secret" not in seen
            for headers in ({}, {"Origin": NEAR[0]}, {"Origin": server.url}):
                async with server.ask("GET", path, headers) as response:
                    assert '"secret"' in await response.text()


async def test_a_reload_that_makes_a_store_private_closes_it(volume: Path, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    async with serving(config_text({}, store("em", volume, anonymous=True)), tmp_path) as server:
        assert await allowed(server, f"{server.node}/em/info", PAGE) == "*"
        path.write_text(config_text({}, store("em", volume, anonymous=False)))
        await server.app[RELOADING].use(load_config(path))
        assert await allowed(server, f"{server.node}/em/info", PAGE) is None
        assert await allowed(server, "/api/repos/info", PAGE) is None


async def test_a_refused_page_is_named_once_with_the_line_that_would_let_it_read(
    volume: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    more = '[server]\ncorsDomains = ["https://friend.example"]'
    line = f'corsDomains = ["https://friend.example", "{PAGE}"]'
    async with serving(config_text({"em": volume}, more), tmp_path) as server:
        for _ in range(3):
            for path in (f"{server.node}/em/specificblocks?blocks=0,0,0", "/api/repos/info", "/bogus"):
                assert await allowed(server, path, PAGE) is None
        for origin in (*NEAR, "https://friend.example", server.url, "null", 'x y:"z"'):
            await allowed(server, "/api/repos/info", origin)
        own = {"Origin": "https://em.example.org", "Sec-Fetch-Site": "same-origin"}  # behind a proxy
        async with server.ask("POST", "/api/repos/info", own):
            pass
        overview = json.loads(await server.get("/api/server/volumes"))
    refused, nowhere = [one.getMessage() for one in caplog.records if "refused" in one.getMessage()]
    assert line in refused
    assert PAGE in refused
    assert "without an origin" in nowhere
    assert overview["refused"] == [{"origin": PAGE, "line": line}]
    config = tmp_path / "allowed.toml"
    config.write_text(config_text({"em": volume}, f"[server]\n{line}"))
    async with serving(config.read_text(), tmp_path) as server:
        assert await allowed(server, "/api/repos/info", PAGE) == PAGE


async def test_pages_that_invent_origins_do_not_fill_the_log(
    volume: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        for number in range(3 * MOST):
            await allowed(server, "/healthz", f"https://{number}.example")
        overview = json.loads(await server.get("/api/server/volumes"))
    assert len(overview["refused"]) == MOST
    assert len([one for one in caplog.records if one.levelname == "WARNING"]) == MOST + 1


async def test_named_origins_read_and_others_do_not(volume: Path, tmp_path: Path) -> None:
    more = f'[server]\ncorsDomains = ["{PAGE}", "http://localhost:8080"]'
    text = config_text({}, f"{store('em', volume, anonymous=True)}{more}")
    async with serving(text, tmp_path) as server:
        for path in EVERY_KIND_OF_ANSWER:
            for origin, answer in ((PAGE, PAGE), ("http://evil.example", None), (f"{PAGE}.evil", None)):
                async with server.ask("GET", path, {"Origin": origin}) as response:
                    assert response.headers.get("Access-Control-Allow-Origin") == answer
                    assert response.headers["Vary"] == "Origin"


@pytest.mark.parametrize("kind", BROKEN)
async def test_what_no_handler_sees_is_answered_with_our_headers_too(
    volume: Path, tmp_path: Path, kind: str
) -> None:
    more = f"{OPEN}[limits]\nmax_request_line = 65536"
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
    async with serving(config_text({"em": volume}, OPEN), tmp_path) as server:
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
