"""Writes are refused as DVID refuses them, and nothing of what is sent is read."""

import asyncio
from pathlib import Path

import pytest

from dvidpc.dvid.routes import ENDPOINTS, ROUTES
from tests.rawhttp import exchange
from tests.serving import UUID, config_text, serving

WRITES = ("POST", "PUT", "DELETE", "PATCH")
REFUSED = {
    f"/api/node/{UUID}/note": f"Cannot do {{method}} on locked node {UUID}",
    f"/api/node/{UUID[:5]}/log": f"Cannot do {{method}} on locked node {UUID}",
    f"/api/node/{UUID}/commit": f"Cannot do {{method}} on locked node {UUID}",
    f"/api/node/{UUID}/newversion": "Server in read-only mode and will only accept GET and HEAD requestcs",
    f"/api/repo/{UUID}/info": "Server in read-only mode and will only accept GET and HEAD requestcs",
    f"/api/repo/{UUID}/log": "Server in read-only mode and will only accept GET and HEAD requestcs",
    f"/api/repo/{UUID}/merge": "Server in read-only mode and will only accept GET and HEAD requestcs",
    f"/api/repo/{UUID}/instance": f"New data instance cannot be created on locked node {UUID}",
    "/api/repo/zzz/info": "could not find UUID with partial match to zzz",
    "/api/node/zzz/note": "could not find UUID with partial match to zzz",
}
POSTS_TO_DATA = {
    "em/info": "info endpoint only supports GET HTTP verb",
    "em/specificblocks": "DVID does not accept the post action on the 'specificblocks' endpoint",
    "em/subvolblocks/64_64_64/0_0_0": "DVID does not accept the post action on the 'blocks' endpoint",
    "em/blocks/0_0_0/1": 'Data "em" uses an immutable GridStore so cannot received POSTs',
    "em/metadata": f'Cannot do POST on endpoint "metadata" of locked node {UUID}',
    "neutu_config/key/meta": "invalid data instance name",
}


async def test_writes_are_refused_in_dvids_words(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        for path, text in REFUSED.items():
            for method in WRITES:
                async with server.ask(method, path, body=b"{}") as response:
                    assert response.status == 400
                    assert response.content_type == "text/plain"
                    said = text.format(method=method.lower())
                    assert await response.text() == f"{said} ({path}).\n"


async def test_posts_to_data_are_refused_in_dvids_words(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        for call, text in POSTS_TO_DATA.items():
            path = f"{server.node}/{call}"
            async with server.ask("POST", path, body=b"x") as response:
                assert (response.status, await response.text()) == (400, f"{text} ({path}).\n")
            async with server.ask("DELETE", path) as response:
                assert response.status == 400
                name = call.split("/")[0]
                assert f'Data "{name}" can only handle GET or POST HTTP verbs' in await response.text()


async def test_no_verb_is_answered_but_those_the_table_names(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        paths = [route.path.format(uuid=UUID, type="uint8blk", name="master") for route in ROUTES]
        paths += [f"{server.node}/em/{name}" for name in ENDPOINTS]
        for path in [*paths, "/bogus", "/api/bogus"]:
            for method in (*WRITES, "TRACE", "PROPFIND"):
                async with server.ask(method, path) as response:
                    assert response.status in {400, 404}, (method, path)
                    assert response.content_type == "text/plain"


async def test_a_client_that_asks_first_is_not_asked_for_its_body(volume: Path, tmp_path: Path) -> None:
    head = (
        f"POST /api/node/{UUID}/em/blocks/0_0_0/1 HTTP/1.1\r\nHost: x\r\n"
        "Content-Length: 1000000000000\r\nExpect: 100-continue\r\n\r\n"
    )
    async with serving(config_text({"em": volume}), tmp_path) as server:
        answer = await exchange(server.url, head.encode(), until_closed=False)
        assert answer.status == 400


@pytest.mark.parametrize(
    ("line", "expected", "status"),
    [
        (b"POST /api/server/settings", b"100-continue", 100),
        (b"POST /api/server/settings", b"a miracle", 417),
        (b"POST /api/server/settings", b"100-contin\x9de", 417),
        (b"OPTIONS *", b"100-contin\x9de", 417),
    ],
)
async def test_what_a_client_expects_before_its_body_is_met_or_refused(
    volume: Path, tmp_path: Path, line: bytes, expected: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    head = b"%b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: %b\r\n\r\n" % (line, expected)
    async with serving(config_text({"em": volume}), tmp_path) as server:
        answer = await exchange(server.url, head, until_closed=False)
        assert answer.status == status
    assert "Traceback" not in caplog.text


async def test_an_endless_body_is_cut_off(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        host, port = server.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"POST /api/node/{UUID}/note HTTP/1.1\r\nHost: x\r\n".encode())
        writer.write(b"Transfer-Encoding: chunked\r\n\r\n")
        assert (await reader.readline()).split()[1] == b"400"

        async def send_on() -> None:
            while True:
                writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
                await writer.drain()

        with pytest.raises(ConnectionError):
            await asyncio.wait_for(send_on(), 30)


async def test_nobody_is_connected_to_another_host(volume: Path, tmp_path: Path) -> None:
    request = b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n"
    async with serving(config_text({"em": volume}), tmp_path) as server:
        answer = await exchange(server.url, request, until_closed=False)
        assert answer.status in {400, 404}
