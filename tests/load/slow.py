"""B5: 500 connections that send a request byte by byte; other clients are unaffected, slow ones are cut.

Measured directly, and behind nginx with the configuration in deploy/, which buffers request heads.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import aiohttp

from tests.deploy.test_proxies import nginx_command
from tests.faulty.test_faults_running import ready
from tests.load.place import NODE, SERVER, Load, Place, centile, free_ports, place, scratch, wrk
from tests.programs import find
from tests.serving import config_text
from tests.volumes import VolumeSpec, write_volume

SLOW = 500
BYTE_EVERY_S = 10.0
HEADER_TIMEOUT_S = 15.0
"""The configuration's default."""
HONEST = 16
SLICES = 6
SLICE_S = 2.0
"""Repetitions and seconds of a load. The median is used, since other work on the machine varies."""
LONGEST_S = 90.0
BLOCK = f"{NODE}/subvolblocks/64_64_64/0_0_0"
HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: very slow\r\n\r\n"


@dataclass
class Findings:
    """How the slow connections ended."""

    lived_s: list[float] = field(default_factory=list)
    answered: int = 0
    """Connections that got a response before they were closed, such as nginx's 408."""


async def measure() -> dict[str, object]:
    """Return the figures, directly and behind nginx."""
    with scratch() as directory:
        write_volume(directory / "em", VolumeSpec(encoding="jpeg"))
        async with place(config_text({"em": directory / "em"}, SERVER), directory) as server:
            figures: dict[str, object] = {"direct": await _measure(server, server.url, directory)}
            async with _nginx(server.url, directory) as url:
                figures["behind nginx"] = await _measure(server, url, directory)
            figures["tracebacks in the log"] = server.tracebacks
    return figures


@asynccontextmanager
async def _nginx(url: str, directory: Path) -> AsyncIterator[str]:
    """Run the nginx of deploy/ in front of *url*, with room for all slow clients; yield its URL."""
    with free_ports(1) as [front]:
        pass
    command = nginx_command(directory, front, int(url.rpartition(":")[2]))
    config = directory / "nginx.conf"
    config.write_text(config.read_text().replace("events {}", "events { worker_connections 4096; }"))
    process = await asyncio.create_subprocess_exec(find("nginx", "nginx"), *command[1:])
    try:
        await ready(f"http://127.0.0.1:{front}")
        yield f"http://127.0.0.1:{front}"
    finally:
        process.terminate()
        await process.wait()


async def _measure(server: Place, url: str, directory: Path) -> dict[str, object]:
    async with aiohttp.ClientSession() as session, session.get(url + BLOCK) as answer:
        assert answer.status == 200
        await answer.read()
    await wrk(url, [BLOCK], directory, connections=HONEST, seconds=SLICE_S)
    alone = await _slices(url, directory)
    findings = Findings()
    before = server.resident, server.process.num_fds()
    slow = [asyncio.create_task(_send_slowly(url, findings)) for _ in range(SLOW)]
    await asyncio.sleep(0.5)
    files = server.process.num_fds()
    meanwhile = await _slices(url, directory)
    await asyncio.gather(*slow)
    return {
        "slow connections, and how many of them the server has": [SLOW, files - before[1]],
        "seconds until they were cut, minimum, median, maximum": [
            round(centile(findings.lived_s, share), 1) for share in (0, 0.5, 1)
        ],
        "got a response first": findings.answered,
        "not cut within 90 s": sum(lived >= LONGEST_S for lived in findings.lived_s),
        "other clients, alone": _say(alone),
        "other clients, meanwhile": _say(meanwhile),
        "MiB grown by": round(server.resident - before[0], 1),
        "open files at the end, less those before": server.process.num_fds() - before[1],
    }


async def _slices(url: str, directory: Path) -> list[Load]:
    return [await wrk(url, [BLOCK], directory, connections=HONEST, seconds=SLICE_S) for _ in range(SLICES)]


def _say(loads: list[Load]) -> dict[str, object]:
    return {
        "requests/s, median": round(median(load.rate for load in loads)),
        "ms, median": round(median(load.median_ms for load in loads), 1),
        "p99 ms, median": round(median(load.p99_ms for load in loads), 1),
        "p99 ms, each": [round(load.p99_ms, 1) for load in loads],
        "errors": [error for load in loads for error in load.errors] or 0,
    }


async def _send_slowly(url: str, findings: Findings) -> None:
    """Send one byte every BYTE_EVERY_S, from the start or the middle of a head, until the server closes."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    began = time.perf_counter()
    got = b""
    sent = random.choice([1, 5, len(HEAD) // 2])
    try:
        writer.write(HEAD[:sent])
        async with asyncio.timeout(LONGEST_S):
            while True:
                try:
                    async with asyncio.timeout(BYTE_EVERY_S):
                        got = await reader.read(1000)
                    break
                except TimeoutError:
                    writer.write(HEAD[sent : sent + 1])
                    sent += 1
    except (OSError, TimeoutError):
        pass
    finally:
        findings.lived_s.append(time.perf_counter() - began)
        findings.answered += bool(got)
        writer.transport.abort()
