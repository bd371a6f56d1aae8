"""Connections of clients that never finish a request, or never read the response, are closed."""

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.http import StreamWriter
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.test_utils import make_mocked_request

from dvidpc.config import LimitsConfig
from dvidpc.http.connections import FIRST_REQUEST_S, Connection, WatchedRunner, close_overdue
from tests.waiting import soon

LIMITS = LimitsConfig(header_timeout_s=10.0, write_stall_timeout_s=60.0)
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Transport(asyncio.Transport):
    """A transport without a socket, whose client reads as much as the test says."""

    def __init__(self) -> None:
        super().__init__({"peername": ("10.1.2.3", 4567)})
        self.unsent = 0
        self.aborted = False

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def close(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def answer(_request: web.Request) -> web.StreamResponse:
    return web.Response(text="well")


@pytest_asyncio.fixture
async def runner() -> AsyncIterator[WatchedRunner]:
    app = web.Application()
    app.router.add_get("/", answer)
    runner = WatchedRunner(app, access_log=None)
    runner.watch(LIMITS)
    await runner.setup()
    yield runner
    await runner.cleanup()


@pytest_asyncio.fixture
async def connection(runner: WatchedRunner) -> AsyncIterator[Connection]:
    assert runner.server is not None
    connection = runner.server()
    assert isinstance(connection, Connection)
    connection.connection_made(Transport())
    yield connection
    connection.connection_lost(None)


def transport_of(connection: Connection) -> Transport:
    assert isinstance(connection.transport, Transport)
    return connection.transport


async def settle() -> None:
    """Let the connection's task handle what has arrived."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_the_first_head_has_header_timeout_to_arrive(connection: Connection) -> None:
    opened = connection.head_since
    assert connection.overdue(opened + 9.9, LIMITS) is None
    assert connection.overdue(opened + 10.1, LIMITS) == "no complete request head within header_timeout"


async def test_half_a_head_does_not_extend_the_timeout(connection: Connection) -> None:
    opened = connection.head_since
    for piece in (REQUEST[:1], REQUEST[1:10], REQUEST[10:-1]):
        connection.data_received(piece)
        await settle()
    assert connection.overdue(opened + 10.1, LIMITS) is not None
    connection.data_received(REQUEST[-1:])
    assert connection.head_since == math.inf


async def test_an_idle_connection_waits_for_its_next_request_without_this_timeout(
    connection: Connection,
) -> None:
    connection.data_received(REQUEST)
    await settle()
    assert connection.overdue(connection.now + 1000, LIMITS) is None


async def test_a_second_head_has_the_same_time_as_the_first(connection: Connection) -> None:
    connection.data_received(REQUEST)
    await settle()
    connection.data_received(REQUEST[:10])
    begun = connection.head_since
    assert connection.overdue(begun + 9.9, LIMITS) is None
    assert connection.overdue(begun + 10.1, LIMITS) is not None


async def test_a_client_that_reads_nothing_is_overdue_after_write_stall_timeout(
    connection: Connection,
) -> None:
    connection.data_received(REQUEST)
    transport_of(connection).unsent = 5000
    assert connection.overdue(100, LIMITS) is None
    assert connection.overdue(159.9, LIMITS) is None
    assert connection.overdue(160, LIMITS) is not None


async def test_a_client_that_reads_a_byte_in_time_is_not_overdue(connection: Connection) -> None:
    connection.data_received(REQUEST)
    for turn in range(10):
        transport_of(connection).unsent = 5000 - turn
        assert connection.overdue(100 + 59 * turn, LIMITS) is None


async def test_an_empty_buffer_ends_the_stall(connection: Connection) -> None:
    connection.data_received(REQUEST)
    for now, unsent in ((100, 5000), (150, 0), (155, 5000), (210, 5000)):
        transport_of(connection).unsent = unsent
        assert connection.overdue(now, LIMITS) is None, now
    assert connection.overdue(215, LIMITS) is not None


async def test_only_overdue_connections_are_closed(
    runner: WatchedRunner, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dvidpc")
    assert runner.server is not None
    idle = connection
    busy = runner.server()
    busy.connection_made(Transport())
    busy.data_received(REQUEST)
    close_overdue(runner.server.connections, idle.head_since + 10.1, LIMITS)
    assert transport_of(idle).aborted
    assert isinstance(busy.transport, Transport)
    assert not busy.transport.aborted
    assert [record.getMessage() for record in caplog.records] == [
        "connection of ('10.1.2.3', 4567) closed: no complete request head within header_timeout"
    ]
    busy.connection_lost(None)


async def test_a_malformed_request_is_one_line_at_info(
    connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "dvidpc")
    connection.log_exception("Error handling", exc_info=BadHttpMessage("bad\r\n  line " + "x" * 500))
    connection.log_exception("Error handling", exc_info=ConnectionResetError("gone"))
    malformed, left = caplog.records
    assert malformed.levelno == logging.INFO
    assert malformed.getMessage().startswith("malformed request from ('10.1.2.3', 4567): bad line xxx")
    assert len(malformed.getMessage()) < 260
    assert left.levelno == logging.DEBUG
    assert left.getMessage() == "client disconnected: ('10.1.2.3', 4567): gone"


async def test_other_errors_are_logged_as_aiohttp_does(
    connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    connection.log_exception("Unhandled", exc_info=ValueError("bug"))
    [record] = caplog.records
    assert (record.name, record.levelno) == ("aiohttp.server", logging.ERROR)


async def test_an_expect_header_that_is_not_text_is_refused_with_417(connection: Connection) -> None:
    error = UnicodeEncodeError("utf-8", "\udc9d", 0, 1, "surrogates not allowed")
    expecting = make_mocked_request("POST", "/", {"Expect": "100-continue"})
    assert connection.handle_error(expecting, 500, error).status == 417
    plain = make_mocked_request("POST", "/", writer=StreamWriter(connection, asyncio.get_running_loop()))
    assert connection.handle_error(plain, 500, error).status == 500


async def test_the_runner_closes_overdue_connections_and_takes_new_limits(runner: WatchedRunner) -> None:
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", runner.addresses[0][1])
    runner.watch(replace(LIMITS, header_timeout_s=0.01))
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
    writer.close()


async def test_who_has_just_connected_to_a_server_that_stops_is_still_answered(runner: WatchedRunner) -> None:
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await soon(lambda: runner.server is not None and bool(runner.server.connections))
    stopping = asyncio.ensure_future(runner.cleanup())
    await soon(lambda: not runner.sites)
    writer.write(REQUEST)
    assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
    writer.close()
    await stopping
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_who_connects_and_says_nothing_does_not_keep_it_from_stopping(runner: WatchedRunner) -> None:
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reader, writer = await asyncio.open_connection("127.0.0.1", runner.addresses[0][1])
    await soon(lambda: runner.server is not None and bool(runner.server.connections))
    async with asyncio.timeout(FIRST_REQUEST_S + 10):
        await runner.cleanup()
        assert await reader.read() == b""
    writer.close()
