"""Run the real command in a separate process on the first core; clients run on the last core."""

import asyncio
import contextlib
import json
import os
import re
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
from prometheus_client.parser import text_string_to_metric_families

from tests.faulty.soak import address, command
from tests.programs import find
from tests.serving import UUID

NODE = f"/api/node/{UUID}/em"
MIB = 2**20
SERVER = '[server]\nhttpAddress = "127.0.0.1:0"\nshutdownDelay = 0\n'
METRICS = '[metrics]\naddress = "127.0.0.1:0"\n'


@dataclass(frozen=True)
class Place:
    """A running server."""

    url: str
    process: psutil.Process
    log: Path

    @property
    def resident(self) -> float:
        """Resident memory in MiB."""
        return float(self.process.memory_info().rss / MIB)

    @property
    def tracebacks(self) -> int:
        """Number of tracebacks in the log."""
        return self.log.read_text().count("Traceback")

    async def metrics(self) -> dict[str, float]:
        """Return its metrics by name and labels, such as `dvidpc_upstream_in_flight{store=em}`."""
        match = re.search(r"metrics at (\S+)", self.log.read_text())
        assert match is not None
        async with aiohttp.ClientSession() as session, session.get(match[1]) as answer:
            families = text_string_to_metric_families(await answer.text())
        samples = (sample for family in families for sample in family.samples)
        return {_name(sample.name, sample.labels): sample.value for sample in samples}


def _name(name: str, labels: dict[str, str]) -> str:
    pairs = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    return f"{name}{{{pairs}}}" if pairs else name


@asynccontextmanager
async def place(text: str, directory: Path, *under: str) -> AsyncIterator[Place]:
    """Serve the configuration *text*, written into *directory*; the command *under* wraps the server."""
    config = directory / "config.toml"
    config.write_text(text)
    cores = sorted(os.sched_getaffinity(0))
    with command(config, *under) as (process, log):
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
    """Make a directory for one measurement."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


@contextmanager
def free_ports(count: int) -> Iterator[list[int]]:
    """Reserve ports on which nothing listens while the context is open."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        yield [int(probe.getsockname()[1]) for probe in probes]


class Probe:
    """Polls `/healthz` and records the latencies in milliseconds."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.took: list[float] = []
        self.failed = 0

    async def once(self, session: aiohttp.ClientSession) -> None:
        """Send one request."""
        began = time.perf_counter()
        try:
            async with session.get(f"{self._url}/healthz") as answer:
                await answer.read()
                self.failed += answer.status != 200
        except (aiohttp.ClientError, TimeoutError):
            self.failed += 1
        self.took.append(1e3 * (time.perf_counter() - began))


def centile(values: list[float], share: float) -> float:
    """Return the quantile *share* of the values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


@dataclass(frozen=True)
class Load:
    """wrk's report of a load."""

    rate: float
    """Requests per second."""
    median_ms: float
    p99_ms: float
    errors: tuple[str, ...]


async def wrk(url: str, paths: Sequence[str], directory: Path, *, connections: int, seconds: float) -> Load:
    """Load the server at *url* with *paths* in turn; each client sends its next request after an answer."""
    script = directory / "paths.lua"
    script.write_text(
        f"local paths = {{{', '.join(map(json.dumps, paths))}}}\nlocal n = 0\n"
        "request = function() n = n % #paths + 1; return wrk.format('GET', paths[n]) end\n"
    )
    process = await asyncio.create_subprocess_exec(
        find("wrk", "wrk"),
        *("-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s", "--latency", "-s", script, url),
        stdout=asyncio.subprocess.PIPE,
    )
    text = (await process.communicate())[0].decode()
    rate = re.search(r"Requests/sec: +([\d.]+)", text)
    if rate is None:
        raise RuntimeError(f"wrk said nothing of use:\n{text}")
    errors = re.findall(r".*(?:Socket errors|Non-2xx).*", text)
    return Load(
        float(rate[1]), _latency(text, 50), _latency(text, 99), tuple(error.strip() for error in errors)
    )


def _latency(text: str, share: int) -> float:
    """Return the *share* percentile of the latency in milliseconds."""
    match = re.search(rf" {share}% +([\d.]+)(us|ms|s)\b", text)
    if match is None:
        raise RuntimeError(f"wrk said nothing of use:\n{text}")
    return float(match[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[match[2]]
