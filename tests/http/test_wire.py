"""Answers of data, which are not written by aiohttp, on connections of every kind."""

import asyncio
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from dvidpc.dvid.services import SERVICES
from tests.rawhttp import RawAnswer, exchange
from tests.serving import UUID, Server, config_text, serving

BLOCKS: Final = ",".join(f"{x},{y},0" for x in range(2) for y in range(2))
PATH: Final = f"/api/node/{UUID}/em/specificblocks?blocks={BLOCKS}"
OFTEN: Final = f"/api/node/{UUID}/em/specificblocks?blocks={','.join([BLOCKS] * 40)}"
ORIGIN: Final = "Origin: https://example.org\r\n"
CORS: Final = '\n[server]\ncorsDomains = ["https://example.org"]\n'


async def ask(server: Server, path: str, version: str, headers: str) -> RawAnswer:
    return await exchange(
        server.url, f"GET {path} HTTP/{version}\r\nHost: localhost\r\n{headers}\r\n".encode()
    )


async def ask_twice(server: Server, path: str, headers: str) -> tuple[RawAnswer, RawAnswer]:
    """Both answers to two requests sent at once, the second of which closes the connection."""
    kept = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"
    closing = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    first = await exchange(server.url, (kept + closing).encode())
    size = int(first.headers["content-length"])
    head, _, body = first.body[size:].partition(b"\r\n\r\n")
    return first._replace(body=first.body[:size]), RawAnswer(int(head.split()[1]), {}, body)


@pytest.mark.parametrize("path", [PATH, OFTEN])
@pytest.mark.parametrize("headers", ["", ORIGIN, "User-Agent: x\r\n", f"{ORIGIN}User-Agent: x\r\n"])
async def test_an_answer_is_the_same_on_a_connection_that_stays_open(
    volume: Path, tmp_path: Path, headers: str, path: str
) -> None:
    async with serving(config_text({"em": volume}, CORS), tmp_path) as server:
        await server.get(path)
        ours, next_one = await ask_twice(server, path, headers)
        assert (next_one.status, next_one.body) == (200, b"ok\n")
        for version in ("1.0", "1.1"):
            theirs = await ask(server, path, version, f"{headers}Connection: close\r\n")
            assert theirs.body == ours.body
            assert len(ours.body) == int(ours.headers["content-length"]) > 0
            for answer in (ours, theirs):
                answer.headers.pop("connection", None)
                assert answer.headers["date"].endswith("GMT")
            assert theirs.headers | {"date": ""} == ours.headers | {"date": ""}


async def test_no_block_at_all_is_an_empty_answer(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        answer, next_one = await ask_twice(server, PATH.replace(BLOCKS, "99,99,99"), "")
        assert (answer.status, answer.body, next_one.status) == (200, b"", 200)


async def test_a_client_that_reads_late_gets_all_of_a_large_answer(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        expected = await server.get(OFTEN)
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(server.url).port, limit=1024)
        writer.write(f"GET {OFTEN} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        await server.get(PATH)
        assert await reader.readexactly(len(expected)) == expected
        writer.close()


async def test_what_is_streamed_ends_as_the_version_of_http_has_it(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}, "[cache]\nmemory = 0\n"), tmp_path) as server:
        expected = await server.get(OFTEN)
        modern = await ask(server, OFTEN, "1.1", "Connection: close\r\n")
        assert modern.headers["transfer-encoding"] == "chunked"
        assert modern.headers["connection"] == "close"
        assert unchunked(modern.body) == expected
        old = await ask(server, OFTEN, "1.0", "Connection: keep-alive\r\n")
        assert old.headers.get("connection", "close") == "close"
        assert "transfer-encoding" not in old.headers
        assert old.body == expected


def unchunked(body: bytes) -> bytes:
    """The content of a body in chunks, all of it there."""
    content = []
    while True:
        line, _, body = body.partition(b"\r\n")
        size = int(line, 16)
        content.append(body[:size])
        assert body[size : size + 2] == b"\r\n"
        body = body[size + 2 :]
        if not size:
            assert not body
            return b"".join(content)


@pytest.mark.parametrize("path", [PATH, "/healthz", "/bogus", "/api/repos/info"])
async def test_each_answer_closes_its_connection_while_the_server_stops(
    volume: Path, tmp_path: Path, path: str
) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        await ask_twice(server, PATH, "")  # it is kept open before
        server.app[SERVICES].stopping.set()
        answer = await ask(server, path, "1.1", "")
        assert answer.headers["connection"] == "close"
        assert len(answer.body) == int(answer.headers["content-length"]) > 0
