"""Abusive clients over raw sockets cost little and do not affect other clients.

The names of the rows, B1 and so on, are those of docs/reliability.md.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import psutil
import pytest
import pytest_asyncio

from dvidpc.log.line_formats import TextFormatter
from tests.faulty.faults import Fault
from tests.faulty.site import faulty_site, limits_section
from tests.processes import running, write_config
from tests.serving import UUID, Server, config_text, serving
from tests.volumes import VolumeSpec, write_volume

NODE = f"/api/node/{UUID}/em"
BLOCKS = f"{NODE}/specificblocks?blocks=0,0,0"
MIB = 2**20
PATIENT = {"first_byte_timeout": 20, "attempt_timeout": 20, "request_deadline": 20}
TIMES = "[limits]\nheader_timeout = 0.4\nwrite_stall_timeout = 1.5\n"


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    write_volume(tmp_path / "volume", VolumeSpec(size=(256, 256, 128)))
    return tmp_path / "volume"


@pytest_asyncio.fixture
async def server(volume: Path, tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(config_text({"em": volume}, TIMES), tmp_path, {}) as server:
        yield server


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Stream]:
    url = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port, limit=64 * MIB)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def exchange(server: Server, data: bytes) -> bytes:
    """Send *data*; return what comes back until the server closes or pauses."""
    async with connected(server) as (reader, writer):
        writer.write(data)
        got = b""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(5):
                await writer.drain()
                while piece := await reader.read(65536):
                    got += piece
        return got


def head(line: str, *headers: str) -> bytes:
    return "\r\n".join([line, "Host: localhost", *headers, "Connection: close", "", ""]).encode("latin-1")


def status_of(answer: bytes) -> int:
    match = re.match(rb"HTTP/1\.[01] (\d{3}) ", answer)
    assert match, answer[:200]
    return int(match[1])


async def assert_well(server: Server) -> None:
    assert await server.get("/healthz") == b"ok\n"
    assert len(await server.get(BLOCKS)) > 16


@pytest.mark.parametrize(
    ("blocks", "is_taken"),
    [
        ("", True),
        ("0,0,0", True),
        ("%2B1,1,1", True),
        ("-1,0,0", True),
        ("0,0", False),
        ("0,0,0,", False),
        ("1_0,0,0", False),
        ("%201,0,0", False),
        ("1%20,0,0", False),
        ("%D9%A3,0,0", False),
        ("%EF%BC%99,0,0", False),
        ("9" * 5000 + ",0,0", False),
        ("2147483647,0,0", True),
        ("2147483648,0,0", False),
        ("-2147483649,0,0", False),
        ("1e3,0,0", False),
        ("0x1,0,0", False),
        ("--1,0,0", False),
        (",,", False),
        ("%00,0,0", False),
    ],
)
async def test_b1_numbers_are_those_that_go_reads(server: Server, blocks: str, is_taken: bool) -> None:  # noqa: FBT001 - a case
    answer = await exchange(server, head(f"GET {NODE}/specificblocks?blocks={blocks} HTTP/1.1"))
    assert status_of(answer) == (200 if is_taken else 400)


async def test_b2_more_blocks_than_allowed_are_refused_by_their_count(server: Server) -> None:
    blocks = ",".join(["0"] * 3 * 300_000)
    answer = await exchange(server, head(f"GET {NODE}/specificblocks?blocks={blocks} HTTP/1.1"))
    assert status_of(answer) == 413
    assert b"max_blocks" in answer


async def test_b2_oversized_requests_are_not_read_to_the_end(server: Server) -> None:
    process = psutil.Process()
    before = process.memory_info().rss
    for data in (
        head("GET /?" + "a" * 10 * MIB + " HTTP/1.1"),
        head("GET / HTTP/1.1", "X: " + "a" * 3 * MIB),
        head("GET / HTTP/1.1", *(f"X{number}: a" for number in range(10_000))),
    ):
        answer = await exchange(server, data)
        assert answer == b"" or status_of(answer) == 400  # the rest of what was sent may reset the answer
    answer = await exchange(server, head(f"GET {BLOCKS}&" + "&".join(["u=x"] * 100) + " HTTP/1.1"))
    assert status_of(answer) == 200
    assert process.memory_info().rss - before < 150 * MIB, "client and server are one process here"
    await assert_well(server)


@pytest.mark.parametrize(
    "path",
    [
        "/api/node/..%2f..%2fetc/passwd",
        f"/api/node/{UUID}/..%2f..%2f..%2fetc%2fpasswd/info",
        f"/api/node/{UUID}/em%00/info",
        f"/api/node/{UUID}/%0d%0aSet-Cookie:%20a=b/info",
        f"/api/node/{UUID}/em/%0d%0aSet-Cookie:%20a=b",
        "/a//b",
        "/" + "n" * 65536,
        f"/api/node/{UUID}/%ff%fe%80/info",
        f"/api/node/{UUID}/%1b[31mred/info",
        f"/api/node/{UUID}/x%E2%80%A8y/info",
    ],
)
async def test_b3_odd_names_change_neither_headers_nor_log_lines(
    server: Server, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dvidpc")
    answer = await exchange(server, head(f"GET {path} HTTP/1.1"))
    assert 300 <= status_of(answer) < 500
    fields, _, body = answer.partition(b"\r\n\r\n")
    assert b"set-cookie" not in fields.lower()
    assert b"root:" not in body
    assert [line for line in map(TextFormatter().format, caplog.records) if "\n" in line] == []


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: b\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\nhello",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX\x00Y: b\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
        b"\x00" * 1000,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked, identity\r\n\r\n0\r\n\r\n",
    ],
)
async def test_b5_abuse_of_framing_is_refused_and_the_connection_closed(
    server: Server, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        answer = await exchange(server, data)
    assert "Traceback" not in caplog.text
    assert answer == b"" or status_of(answer) == 400
    assert answer.count(b"\r\nDate:") <= 1
    await assert_well(server)


async def test_b5_clients_that_never_finish_asking_are_cut(server: Server) -> None:
    async with contextlib.AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(connected(server)) for _ in range(100)]
        for number, (_, writer) in enumerate(opened):
            writer.write(b"" if number % 3 == 0 else b"GET / HTTP/1.1\r\nHost: ")
            if number % 3 == 1:
                writer.write(b"localhost\r\n\r\nGET / HT")  # a second head after a good request
        await assert_well(server)
        async with asyncio.timeout(10):
            for reader, writer in opened:
                with contextlib.suppress(ConnectionError):
                    writer.write(b"x")
                    await reader.read(-1)
        await assert_well(server)


async def test_b5_an_idle_connection_that_was_used_is_kept(server: Server) -> None:
    async with connected(server) as (reader, writer):
        for _ in range(2):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await reader.readuntil(b"ok\n")).startswith(b"HTTP/1.1 200")
            # A connection opened now that sends nothing is cut after header_timeout and a sweep.
            async with connected(server) as (silent, _), asyncio.timeout(20):
                with contextlib.suppress(ConnectionError):
                    assert await silent.read() == b""


async def test_b5_a_body_without_end_is_dropped(server: Server) -> None:
    async with connected(server) as (reader, writer):
        writer.write(b"POST /api/repos HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(20):
                while not reader.at_eof():
                    writer.write(b"1\r\nx\r\n")
                    await writer.drain()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(4096), 0.2)
    await assert_well(server)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE", "CONNECT", "PATCH", "BREW"])
@pytest.mark.parametrize("path", ["/", "/api/repos/info", f"{NODE}/specificblocks?blocks=0,0,0"])
async def test_b6_nothing_can_be_written(server: Server, method: str, path: str) -> None:
    answer = await exchange(server, head(f"{method} {path} HTTP/1.1", "Content-Length: 0"))
    assert answer == b"" or 400 <= status_of(answer) < 500


async def test_b6_an_unwanted_body_is_not_inflated(server: Server) -> None:
    before = psutil.Process().memory_info().rss
    headers = ("Content-Encoding: gzip", f"Content-Length: {100 * MIB}")
    answer = await exchange(server, head(f"POST {NODE}/info HTTP/1.1", *headers) + bytes(MIB))
    assert 400 <= status_of(answer) < 500
    assert psutil.Process().memory_info().rss - before < 50 * MIB


async def test_l13_stalled_readers_cost_little_and_are_cut(
    volume: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dvidpc.http.connections")
    blocks = ",".join(f"{x},{y},{z}" for x in range(4) for y in range(4) for z in range(2)) * 1
    many = ",".join([blocks] * 12)  # 100 MB
    text = config_text({"em": volume}, TIMES)
    async with serving(text, tmp_path, {}) as server:
        await server.get(f"{NODE}/specificblocks?blocks={blocks}&compression=uncompressed")
        before = psutil.Process().memory_info().rss
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(50):
                _, writer = await stack.enter_async_context(connected(server))
                cast("asyncio.ReadTransport", writer.transport).pause_reading()
                query = f"blocks={many}&compression=uncompressed"
                writer.write(head(f"GET {NODE}/specificblocks?{query} HTTP/1.1"))
            async with asyncio.timeout(20):
                while caplog.text.count("write_stall_timeout") < 50:
                    await asyncio.sleep(0.05)
                    assert psutil.Process().memory_info().rss - before < 200 * MIB
                    await server.get("/healthz")
        await assert_well(server)


async def test_a_slow_reader_is_not_a_stalled_one(volume: Path, tmp_path: Path) -> None:
    text = config_text({"em": volume}, TIMES)
    async with serving(text, tmp_path, {}) as server, connected(server) as (reader, writer):
        blocks = ",".join(f"{x},{y},{z}" for x in range(4) for y in range(4) for z in range(2))
        query = f"blocks={blocks}&compression=uncompressed"
        writer.write(head(f"GET {NODE}/specificblocks?{query} HTTP/1.1"))
        size = 0
        while piece := await reader.read(MIB):
            size += len(piece)
            await asyncio.sleep(0.05)
        assert size > 32 * 64**3


async def test_f17_clients_that_disconnect_at_any_moment_are_no_error(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    blocks = ",".join(f"{x},{y},{z}" for x in range(4) for y in range(4) for z in range(2))
    request = head(f"GET {NODE}/specificblocks?blocks={blocks}&compression=uncompressed HTTP/1.1")
    for number in range(200):
        async with connected(server) as (reader, writer):
            writer.write(request)
            await writer.drain()
            for _ in range(number % 20):
                await asyncio.sleep(0)
            if number % 3 == 0:
                await reader.read(100_000)
    await assert_well(server)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_requests_beyond_the_limit_are_told_when_to_retry(tmp_path: Path) -> None:
    patient = limits_section(max_in_flight=2, max_waiting=3, wait_timeout=0.5, **PATIENT)
    async with faulty_site(tmp_path, "http", limits=patient) as site:
        site.bucket.rule("em/s0/*", Fault(delay_s=1.5))
        answers = [asyncio.create_task(site.status([(0, 0, 0)])) for _ in range(12)]
        refused = await asyncio.gather(*answers)
        assert sorted(refused) == [200, 200, *[503] * 10]
        assert await site.server.get("/healthz") == b"ok\n"
        site.bucket.heal()
        assert await site.wrong() == []


async def test_queued_requests_get_their_turn_and_disconnected_ones_make_room(tmp_path: Path) -> None:
    patient = limits_section(max_in_flight=1, max_waiting=50, wait_timeout=20, **PATIENT)
    async with faulty_site(tmp_path, "http", limits=patient) as site:
        site.bucket.rule("em/s0/*", Fault(delay_s=0.05))
        work = [asyncio.create_task(site.status([block])) for block in site.truth.blocks * 2]
        await asyncio.sleep(0.02)
        for task in work[::3]:
            task.cancel()
        done = await asyncio.gather(*work, return_exceptions=True)
        assert {one for one in done if not isinstance(one, BaseException)} == {200}
        assert await site.wrong() == []


async def test_limits_of_admission_do_not_touch_health_and_documents(tmp_path: Path) -> None:
    patient = limits_section(max_in_flight=1, max_waiting=0, **PATIENT)
    async with faulty_site(tmp_path, "http", limits=patient) as site:
        site.bucket.rule("em/s0/0-64_0-64_0-64", Fault(delay_s=1))
        busy = asyncio.create_task(site.status([(0, 0, 0)]))
        await asyncio.sleep(0.2)
        for path in ("/healthz", "/readyz", "/", "/api/repos/info", f"{NODE}/info"):
            assert await site.server.get(path)
        with pytest.raises(AssertionError, match="503"):
            await site.server.get(BLOCKS)
        assert await busy == 200


async def test_s1_no_part_of_a_request_names_a_host_to_go_to(tmp_path: Path) -> None:
    async with faulty_site(tmp_path, "http") as site:
        asked = []

        async def canary(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(await reader.read(100))
            writer.close()

        trap = await asyncio.start_server(canary, "127.0.0.1", 0)
        where = f"127.0.0.1:{trap.sockets[0].getsockname()[1]}"
        async with trap:
            for data in (
                head(f"GET http://{where}/ HTTP/1.1"),
                head(f"GET //{where}/ HTTP/1.1"),
                head(f"GET /api/node/{UUID}/em/info?ref=http://{where}/ HTTP/1.1"),
                head(f"GET /api/node/http:%2f%2f{where}/em/info HTTP/1.1"),
                head(f"GET {BLOCKS} HTTP/1.1", f"X-Forwarded-Host: {where}", f"Referer: http://{where}/"),
                head(f"CONNECT {where} HTTP/1.1"),
            ):
                await exchange(site.server, data)
            assert asked == []


@pytest.mark.parametrize("metrics", ["", '[metrics]\naddress = "localhost:0"\n'])
def test_s7_nothing_listens_but_what_the_configuration_names(
    volume: Path, tmp_path: Path, metrics: str
) -> None:
    config = write_config(tmp_path, volume, 'httpAddress = "localhost:0"')
    config.write_text(config.read_text() + metrics)
    with running(config) as command:
        url = command.url()
        named = [url, *re.findall(r"metrics at (\S+)/metrics", "\n".join(command.lines))]
        sockets = psutil.Process(command.process.pid).net_connections("all")
    listening = [one.laddr for one in sockets if one.status == psutil.CONN_LISTEN]
    assert {one.ip for one in listening} <= {"127.0.0.1", "::1"}
    assert {one.port for one in listening} == {urlsplit(one).port for one in named}
    assert len(named) == (2 if metrics else 1)
