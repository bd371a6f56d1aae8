"""Stop, restart and reload under load: the real command behind a real load balancer.

The names of the rows, F18 and so on, are those of docs/reliability.md.
"""

import asyncio
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.balancer import RECIPE, listening
from tests.faulty.bucket import faulty_bucket
from tests.faulty.site import UNSHARDED, limits_section, store_section
from tests.faulty.truth import Truth, write_truth
from tests.processes import Command, running
from tests.serving import UUID, config_text

BLOCKS = f"/api/node/{UUID}/em/specificblocks?compression=uncompressed&blocks=0,0,0,1,0,0,2,1,1"
ALL_UP = "/all-up"
"""Answered by HAProxy itself: 200 if its checks have found every server ready."""
HEAD = f'[repo]\nuuid = "{UUID}"\n'


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> tuple[Truth, Path]:
    directory = tmp_path_factory.mktemp("bucket")
    return write_truth(directory / "em", UNSHARDED), directory


def store(directory: Path, name: str = "em") -> str:
    return f'[store.{name}]\nengine = "ngprecomputed"\ninstance = "{name}"\nref = "file://{directory}/em"\n'


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def ready(url: str, path: str = "/readyz") -> None:
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(url + path) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)


@asynccontextmanager
async def load(url: str, clients: int, outcomes: "Counter[str]", body: bytes) -> AsyncIterator[None]:
    """Request the same blocks continuously and count the outcomes."""

    async def ask(session: aiohttp.ClientSession) -> None:
        while True:
            try:
                async with session.get(url + BLOCKS) as answer:
                    got = await answer.read()
                    outcomes["right" if got == body else f"{answer.status} {got[:80]!r}"] += 1
            except aiohttp.ClientError as error:
                outcomes[repr(error)] += 1
            await asyncio.sleep(0.01)

    async with aiohttp.ClientSession() as session:
        tasks = [asyncio.create_task(ask(session)) for _ in range(clients)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


def right_body(url: str, truth: Truth) -> bytes:
    status, body = fetch(url + BLOCKS)
    assert status == 200
    assert truth.wrong_in([(0, 0, 0), (1, 0, 0), (2, 1, 1)], body) == []
    return body


@contextmanager
def balancer(directory: Path, ports: list[int]) -> Iterator[str]:
    """Run deploy/haproxy.cfg in front of servers on *ports*."""
    port = free_port()
    backs = {f"s{one}": f"127.0.0.1:{one}" for one in ports}
    monitor = f"  monitor-uri {ALL_UP}\n  monitor fail if {{ nbsrv(dvidpc) lt {len(ports)} }}\n"
    config = directory / "haproxy.cfg"
    config.write_text(listening(RECIPE.read_text(), directory, port, backs, monitor))
    binary = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert binary is not None, "Debian's package haproxy is needed"
    with (directory / "haproxy.log").open("w") as log:
        process = subprocess.Popen([binary, "-db", "-f", config], stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


async def test_f18_rolling_restarts_behind_haproxy_fail_no_request(
    tmp_path: Path, truth: tuple[Truth, Path]
) -> None:
    ports = [free_port(), free_port()]
    configs = []
    for port in ports:
        configs.append(tmp_path / f"{port}.toml")
        server = f'[server]\nhttpAddress = "127.0.0.1:{port}"\nshutdownDelay = 1\n'
        configs[-1].write_text(HEAD + server + store(truth[1]))

    def start(number: int) -> "subprocess.Popen[bytes]":
        with configs[number].with_suffix(".log").open("a") as log:
            return subprocess.Popen([sys.executable, "-m", "dvidpc", "serve", configs[number]], stderr=log)

    outcomes: Counter[str] = Counter()
    processes = [start(0), start(1)]
    try:
        for port in ports:
            await ready(f"http://127.0.0.1:{port}")
        with balancer(tmp_path, ports) as url:
            await ready(url, ALL_UP)
            async with load(url, 8, outcomes, right_body(url, truth[0])):
                for turn in range(5):
                    number = turn % 2
                    processes[number].send_signal(signal.SIGTERM)
                    assert await asyncio.to_thread(processes[number].wait, 30) == 0
                    processes[number] = start(number)
                    await ready(f"http://127.0.0.1:{ports[number]}")
                    await ready(url, ALL_UP)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert set(outcomes) == {"right"}
    assert outcomes["right"] > 200


async def test_f20_fifty_reloads_under_load_fail_no_request(
    tmp_path: Path, truth: tuple[Truth, Path]
) -> None:
    config = tmp_path / "config.toml"
    good = f'{HEAD}[server]\nhttpAddress = "localhost:0"\nshutdownDelay = 0\n{store(truth[1])}'
    config.write_text(good)
    texts = [
        good + store(truth[1], "more"),
        "not TOML [",
        good + "[limits]\nmax_blocks = 1000\nattempts = 5\n",
        good + '[limits]\nattempts = "many"\n',
        good,
    ]
    outcomes: Counter[str] = Counter()
    with running(config) as command:
        url = command.url()
        await ready(url)
        async with load(url, 4, outcomes, right_body(url, truth[0])):
            for turn in range(50):
                config.write_text(texts[turn % len(texts)])
                command.process.send_signal(signal.SIGHUP)
                await until_said(command, turn + 1)
        names = (await asyncio.to_thread(fetch, f"{url}/api/repos/info"))[1].split(b'"')
        assert b"em" in names
        assert b"more" not in names
        command.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(command.process.wait, 20) == 0
        text = "\n".join(command.lines)
        assert text.count("the configuration stays as it was") == 20
        assert "[limits] attempts" in text
        assert "Traceback" not in text
    assert set(outcomes) == {"right"}


async def soon(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not claim():  # noqa: ASYNC110 - another process has no events
            await asyncio.sleep(0.01)


async def until_said(command: Command, times: int) -> None:
    """Wait until the reload has been done or refused so many times."""
    ends = ("configuration read again", "stays as it was")
    await soon(lambda: sum(any(end in line for end in ends) for line in command.lines) >= times)


def fetch(url: str) -> tuple[int, bytes]:
    """Return status and body."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own server
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def text_of(file: Path) -> str:
    return file.read_text() if file.exists() else ""


async def test_f20_what_the_new_configuration_says_holds(tmp_path: Path, truth: tuple[Truth, Path]) -> None:
    config = tmp_path / "config.toml"
    head = f'{HEAD}[server]\nhttpAddress = "localhost:0"\nshutdownDelay = 0\n[logging]\nlogfile = "%s.log"\n'
    config.write_text(head % "first" + store(truth[1]))
    with running(config) as command:
        await soon(lambda: "listening at" in text_of(tmp_path / "first.log"))
        url = text_of(tmp_path / "first.log").split("listening at ")[1].split()[0]
        config.write_text(head % "second" + store(truth[1], "other") + "[limits]\nmax_blocks = 2\n")
        command.process.send_signal(signal.SIGHUP)
        await soon(lambda: "read again" in text_of(tmp_path / "second.log"))
        assert (await asyncio.to_thread(fetch, url + BLOCKS))[0] == 400
        assert (await asyncio.to_thread(fetch, url + BLOCKS.replace("/em/", "/other/")))[0] == 413


async def test_f21_a_bucket_that_is_down_at_start_is_served_once_it_is_up(
    tmp_path: Path, truth: tuple[Truth, Path]
) -> None:
    async with faulty_bucket(truth[1]) as bucket:
        await bucket.stop()
        config = tmp_path / "config.toml"
        server = '[server]\nhttpAddress = "localhost:0"\nshutdownDelay = 0\n'
        config.write_text(config_text({}, server + store_section("s3", bucket) + limits_section()))
        with running(config) as command:
            url = command.url()
            status, reason = await asyncio.to_thread(fetch, f"{url}/readyz")
            assert status == 503
            assert b"store em" in reason
            assert await asyncio.to_thread(fetch, f"{url}/healthz") == (200, b"ok\n")
            await bucket.start(bucket.port)
            await ready(url)
            await asyncio.to_thread(right_body, url, truth[0])


async def test_f22_few_file_descriptors_shed_clients_and_no_data_is_lost(
    tmp_path: Path, truth: tuple[Truth, Path]
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        f'{HEAD}[server]\nhttpAddress = "localhost:0"\nshutdownDelay = 0\n{store(truth[1])}'
        "[limits]\nheader_timeout = 1\n"
    )
    with running(config) as command:
        url = command.url()
        await ready(url)
        resource.prlimit(command.process.pid, resource.RLIMIT_NOFILE, (128, 128))
        body = right_body(url, truth[0])
        port = int(url.rpartition(":")[2])
        idle = [await asyncio.open_connection("localhost", port) for _ in range(200)]
        for _, writer in idle:
            writer.transport.abort()
        async with asyncio.timeout(30):
            while True:
                try:
                    assert await asyncio.to_thread(right_body, url, truth[0]) == body
                    break
                except OSError:
                    await asyncio.sleep(0.1)
