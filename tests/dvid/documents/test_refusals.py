"""Writes to the repo and the version are refused in DVID's words, and their bodies are not read."""

import asyncio
from pathlib import Path

import pytest

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


async def test_writes_are_refused_in_dvids_words(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        for path, text in REFUSED.items():
            for method in WRITES:
                async with server.ask(method, path, body=b"{}") as response:
                    assert response.status == 400
                    assert response.content_type == "text/plain"
                    said = text.format(method=method.lower())
                    assert await response.text() == f"{said} ({path}).\n"


async def test_expect_100_continue_gets_the_refusal_before_the_body(volume: Path, tmp_path: Path) -> None:
    head = (
        f"POST /api/node/{UUID}/em/blocks/0_0_0/1 HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Length: 1000000000000\r\nExpect: 100-continue\r\n\r\n"
    )
    async with serving(config_text({"em": volume}), tmp_path) as server:
        answer = await exchange(server.url, head.encode(), until_closed=False)
        assert answer.status == 400


async def test_an_endless_body_is_cut_off(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        host, port = server.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"POST /api/node/{UUID}/note HTTP/1.1\r\nHost: localhost\r\n".encode())
        writer.write(b"Transfer-Encoding: chunked\r\n\r\n")
        assert (await reader.readline()).split()[1] == b"400"

        async def send_on() -> None:
            while True:
                writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
                await writer.drain()

        with pytest.raises(ConnectionError):
            await asyncio.wait_for(send_on(), 30)
