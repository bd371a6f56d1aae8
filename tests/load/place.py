"""The real command in a process of its own, on the first core; whoever asks it runs on the last."""

import contextlib
import os
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from tests.faulty.soak import address, command
from tests.serving import UUID

NODE = f"/api/node/{UUID}/em"
MIB = 2**20
SERVER = '[server]\nhttpAddress = "127.0.0.1:0"\nshutdownDelay = 0\n'


@dataclass(frozen=True)
class Place:
    """A running server."""

    url: str
    process: psutil.Process
    log: Path

    @property
    def resident(self) -> float:
        """MiB."""
        return float(self.process.memory_info().rss / MIB)


@asynccontextmanager
async def place(text: str, directory: Path) -> AsyncIterator[Place]:
    """Serve the configuration *text*, written into *directory*."""
    config = directory / "config.toml"
    config.write_text(text)
    cores = sorted(os.sched_getaffinity(0))
    with command(config) as (process, log):
        url = await address(log)
        server = psutil.Process(process.pid)
        server.cpu_affinity(cores[:1])
        for thread in server.threads():
            os.sched_setaffinity(thread.id, set(cores[:1]))
        os.sched_setaffinity(0, set(cores[-1:]))
        try:
            yield Place(url, server, log)
        finally:
            os.sched_setaffinity(0, set(cores))


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory for one measurement."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


@contextmanager
def free_ports(count: int) -> Iterator[list[int]]:
    """Ports at which nobody listens as long as this is open."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        yield [int(probe.getsockname()[1]) for probe in probes]


class Probe:
    """Asks `/healthz` again and again, and notes how long the answer takes, in milliseconds."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.took: list[float] = []
        self.failed = 0

    async def once(self, session: aiohttp.ClientSession) -> None:
        """Ask once."""
        began = time.perf_counter()
        try:
            async with session.get(f"{self._url}/healthz") as answer:
                await answer.read()
                self.failed += answer.status != 200
        except (aiohttp.ClientError, TimeoutError):
            self.failed += 1
        self.took.append(1e3 * (time.perf_counter() - began))


def centile(values: list[float], share: float) -> float:
    """The value that *share* of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
