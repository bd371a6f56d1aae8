"""A server on loopback does not answer to the names of web pages, which could make them resolve to it."""

from pathlib import Path

import pytest

from tests.serving import UUID, Server, config_text, serving

PATHS = (
    "/",
    "/healthz",
    "/api/repos/info",
    f"/api/node/{UUID}/em/specificblocks?blocks=0,0,0",
    "//x",
    "/bogus",
)
OURS = ["localhost", "LOCALHOST:1234", "localhost.:80", "em.localhost", "127.0.0.1:8000", "[::1]:8000"]
ADDRESSES = ["10.1.2.3:8000", "[fe80::1]"]
"""Addresses of forwarded ports; a page cannot make an address resolve to something else."""
THEIRS = ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "x" * 5000]


async def status(server: Server, path: str, host: str, method: str = "GET") -> int:
    async with server.ask(method, path, {"Host": host}) as response:
        text = await response.text() if method == "GET" and response.content_type == "text/plain" else ""
        if response.status == 421:
            assert "allowed_hosts" in text or method != "GET"
            assert "Access-Control-Allow-Origin" not in response.headers
        return response.status


@pytest.mark.parametrize("address", ["localhost:8000", "127.0.0.1:0", "[::1]:8000"])
async def test_only_its_own_names_are_answered(volume: Path, tmp_path: Path, address: str) -> None:
    text = config_text({"em": volume}, f'[server]\nhttpAddress = "{address}"\nhost = "em.example.org"')
    async with serving(text, tmp_path) as server:
        for path in PATHS:
            for host in (*OURS, *ADDRESSES, "em.example.org", "em.example.org:443"):
                assert await status(server, path, host) != 421, host
            for host in THEIRS:
                for method in ("GET", "HEAD", "POST", "OPTIONS"):
                    assert await status(server, path, host, method) == 421, host


async def test_a_server_for_other_machines_has_any_name(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}, '[server]\nhttpAddress = ":8000"'), tmp_path) as server:
        for host in (*OURS, *ADDRESSES, *THEIRS):
            assert await status(server, "/healthz", host) == 200


@pytest.mark.parametrize("address", ["localhost:8000", ":8000"])
async def test_names_can_be_allowed(volume: Path, tmp_path: Path, address: str) -> None:
    more = f'[server]\nhttpAddress = "{address}"\nallowed_hosts = ["EM.example.org"]'
    async with serving(config_text({"em": volume}, more), tmp_path) as server:
        for host in (*OURS, *ADDRESSES, "em.example.org", "em.EXAMPLE.org:8000"):
            assert await status(server, "/healthz", host) == 200
        for host in (*THEIRS, "x.em.example.org"):
            assert await status(server, "/healthz", host) == 421


async def test_every_name_can_be_allowed(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}, '[server]\nallowed_hosts = ["*"]'), tmp_path) as server:
        for host in (*OURS, *THEIRS):
            assert await status(server, "/healthz", host) == 200


async def test_a_refused_name_is_logged_once_with_the_line_that_would_allow_it(
    volume: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        for port in ("", ":80", ":8000"):
            for _ in range(2):
                assert await status(server, "/", f"em.example.org{port}") == 421
    [line] = [one.getMessage() for one in caplog.records if "refused" in one.getMessage()]
    assert 'allowed_hosts = ["em.example.org"]' in line
