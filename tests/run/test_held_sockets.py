"""Sockets in the file system, and those that systemd holds: no request is lost while the server restarts."""

import asyncio
import contextlib
import http.client
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from dvidpc.config import UnixAddress
from dvidpc.errors import ConfigError
from dvidpc.run.held_sockets import passed_sockets, unix_socket
from dvidpc.run.places import reserved
from tests.processes import get, running, wait_until, write_config
from tests.programs import need
from tests.servers import free_port

KEY = "config.toml: [server] httpAddress"


async def ask(path: Path, url: str = "http://anything/readyz") -> bytes:
    """Return the answer of the server at a socket in the file system."""
    connector = aiohttp.UnixConnector(str(path))
    async with aiohttp.ClientSession(connector=connector) as session, session.get(url) as response:
        assert response.status == 200
        return await response.read()


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_socket_in_the_file_system_is_served(tmp_path: Path, volume: Path, workers: int) -> None:
    path = tmp_path / "dvidpc.sock"
    config = write_config(tmp_path, volume, f'httpAddress = "unix:{path}"\nworkers = {workers}')
    with running(config) as command:
        at = f"listening at unix:{path}"
        wait_until(lambda: sum(at in line for line in command.lines) == workers, command.lines)
        assert stat.S_ISSOCK(path.stat().st_mode)
        for _ in range(20):
            assert await ask(path) == b"ok\n"
            body = await ask(path, "http://x/api/node/:master/em/raw/0_1_2/150_130_100/0_0_0")
            assert len(body) == 1_950_000
        command.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(command.process.wait, 20) == 0
        assert not path.exists()
        assert not [line for line in command.lines if " ERROR " in line]


async def test_a_stream_that_could_be_cut_unseen_is_refused(tmp_path: Path, volume: Path) -> None:
    """A socket in the file system knows no reset, and HTTP/1.0 no chunks."""
    path = tmp_path / "dvidpc.sock"
    config = write_config(tmp_path, volume, f'httpAddress = "unix:{path}"')
    blocks = ",".join(["0,0,0", "1,0,0", "0,1,0", "1,1,0"] * 40)
    with running(config) as command:
        wait_until(lambda: any("listening at" in line for line in command.lines), command.lines)
        for version, status in (("1.0", b"400"), ("1.1", b"200")):
            reader, writer = await asyncio.open_unix_connection(path)
            call = f"/api/node/:master/em/specificblocks?blocks={blocks}&compression=uncompressed"
            writer.write(f"GET {call} HTTP/{version}\r\nConnection: close\r\nHost: x\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
            assert answer.startswith(b"HTTP/%b %b" % (version.encode(), status))
            assert (b"proxy_http_version 1.1" in answer) == (version == "1.0")


def test_what_a_killed_server_left_is_replaced(tmp_path: Path) -> None:
    address = UnixAddress(tmp_path / "x.sock")
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(address.path))
    left.close()
    with unix_socket(address, KEY) as made:
        assert made.getsockname() == str(address.path)
        with pytest.raises(ConfigError, match="Address already in use"), unix_socket(address, KEY):
            pass
        assert address.path.exists()
    assert not address.path.exists()


@pytest.mark.parametrize("kind", ["file", "directory", "nowhere", "long"])
def test_a_place_that_cannot_be_listened_at_is_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("precious")
    (tmp_path / "directory").mkdir()
    name = {"nowhere": "nowhere/x.sock", "long": "x" * 120}.get(kind, kind)
    words = r"httpAddress: cannot listen on unix:/.*; name another"
    with pytest.raises(ConfigError, match=words), unix_socket(UnixAddress(tmp_path / name), KEY):
        pass
    assert (tmp_path / "file").read_text() == "precious"


def test_sockets_for_another_process_are_not_taken() -> None:
    for environ in ({}, {"LISTEN_FDS": "1"}, {"LISTEN_FDS": "1", "LISTEN_PID": "1"}, {"LISTEN_PID": ""}):
        assert passed_sockets(environ, os.getpid()) == []


@pytest.mark.parametrize("count", ["", "x", "-1"])
def test_a_count_that_is_none_is_refused(count: str) -> None:
    with pytest.raises(ConfigError, match="LISTEN_FDS"):
        passed_sockets({"LISTEN_FDS": count, "LISTEN_PID": "7"}, 7)


def activate(listening: int, config: Path, log: Path) -> subprocess.Popen[bytes]:
    """Run the server with a listening socket, passed as systemd passes it."""
    script = f'exec 3<&{listening}; LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" -m dvidpc serve "$1"'
    with log.open("a") as stream:
        return subprocess.Popen(
            [need("bash", "bash"), "-c", script, sys.executable, str(config)],
            pass_fds=(listening,),
            stderr=stream,
        )


def test_only_listening_stream_sockets_are_taken(tmp_path: Path, volume: Path) -> None:
    config = write_config(tmp_path, volume, "")
    with (
        socket.socket() as idle,
        socket.socket(type=socket.SOCK_DGRAM) as datagrams,
        Path(os.devnull).open() as file,
    ):
        for passed in (idle.fileno(), datagrams.fileno(), file.fileno()):
            log = tmp_path / "log"
            log.write_text("")
            assert activate(passed, config, log).wait(timeout=20) == 2
            assert "file descriptor 3, which systemd passed" in log.read_text()


@contextlib.contextmanager
def asking(port: int, *, keep: bool) -> Iterator[list[object]]:
    """Send requests all the time, on new connections or on one that is kept; yield what came of each."""
    came: list[object] = []
    ended = threading.Event()

    def ask_all() -> None:
        kept = None
        while not ended.is_set():
            connection = kept or http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                connection.request("GET", "/api/node/:master/em/specificblocks?blocks=0,0,0")
                response = connection.getresponse()
                came.append(response.status if len(response.read()) > 1000 else "short")
                kept = connection if keep and not response.will_close else None
            except (OSError, http.client.HTTPException) as error:
                came.append(error)
                kept = None
            if kept is None:
                connection.close()
        if kept is not None:
            kept.close()

    threads = [threading.Thread(target=ask_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield came
    finally:
        ended.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("keep", [False, True])
def test_no_request_is_lost_while_the_server_restarts(
    tmp_path: Path, volume: Path, workers: int, *, keep: bool
) -> None:
    """Requests wait at the socket that systemd holds, until the next server takes them."""
    config = write_config(tmp_path, volume, f"workers = {workers}")
    config.write_text(config.read_text().replace("shutdownDelay = 0", f"shutdownDelay = {1 if keep else 0}"))
    log = tmp_path / "log"
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as held:
        port = held.getsockname()[1]
        process = activate(held.fileno(), config, log)
        try:
            with asking(port, keep=keep) as came:
                for _ in range(2):
                    wait_until(lambda: came.count(200) > 50, log.read_text())
                    process.send_signal(signal.SIGTERM)
                    assert process.wait(timeout=30) == 0
                    assert set(came) == {200}
                    came.clear()
                    process = activate(held.fileno(), config, log)
                wait_until(lambda: came.count(200) > 50, log.read_text())
        finally:
            process.kill()
            process.wait()
    assert set(came) == {200}
    assert f"listening at http://localhost:{port}" in log.read_text()
    assert " ERROR " not in log.read_text()


def test_systemd_starts_the_server_at_the_first_request(tmp_path: Path, volume: Path) -> None:
    program = need("systemd-socket-activate", "systemd")
    port = free_port()
    config = write_config(tmp_path, volume, 'httpAddress = "localhost:1"')
    process = subprocess.Popen(
        [program, "-l", f"127.0.0.1:{port}", sys.executable, "-m", "dvidpc", "serve", str(config)],
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: is_listening(port))
        started = time.monotonic()
        assert get(f"http://127.0.0.1:{port}/readyz") == b"ok\n"
        assert time.monotonic() - started < 20
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()


def is_listening(port: int) -> bool:
    """Return whether something listens at *port*, without connecting, which would start the server."""
    wanted = f"0100007F:{port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(fields[1] == wanted and fields[3] == "0A" for fields in map(str.split, lines))


def test_the_configured_address_is_used_if_nothing_is_passed(tmp_path: Path) -> None:
    address = UnixAddress(tmp_path / "x.sock")
    with reserved(address, KEY, {"LISTEN_FDS": "1", "LISTEN_PID": "1"}) as place:
        assert place.address == address
        assert len(place.sockets) == 1
