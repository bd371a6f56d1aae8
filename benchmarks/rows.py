"""The rows of the table: each measurement with its limit and its target."""

import asyncio
import compileall
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from benchmarks.machinery import (
    NODE,
    SERVER_CORE,
    bare_server,
    bucket,
    dvidpc,
    s3_store,
    slow_network,
    wrk,
)
from benchmarks.volume import Volume

IMPORTED = (
    "aiohttp",
    "brotli",
    "cachetools",
    "imagecodecs",
    "mmh3",
    "msgspec",
    "numpy",
    "simplejpeg",
    "tomli",
    "uvloop",
)
"""The packages that a server of images imports, wherever they are."""
PLANE_BLOCKS = [(x, y, 1) for y in range(8) for x in range(8)] + [(x, 0, 2) for x in range(8)]
"""72 blocks: what a slice view of a proofreading tool requests."""


@dataclass(frozen=True)
class Row:
    """One measured ratio."""

    name: str
    ours: str
    limit: str
    ratio: float
    target: float
    at_least: bool
    """Whether the target is a minimum; otherwise it is a maximum."""
    rounds: Sequence[float] = field(default_factory=list)

    @property
    def is_met(self) -> bool:
        """Whether the ratio is on the right side of the target."""
        return self.ratio >= self.target if self.at_least else self.ratio <= self.target


@dataclass(frozen=True)
class Bench:
    """The settings that all rows share."""

    volume: Volume
    directory: Path
    rounds: int


def query(blocks: Sequence[tuple[int, int, int]], more: str = "") -> str:
    """Return the path of a request for *blocks*."""
    return f"{NODE}/specificblocks?blocks={','.join(str(n) for block in blocks for n in block)}{more}"


def fetch(url: str) -> bytes:
    """Return the body of an answer."""
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - loopback
        body: bytes = answer.read()
        return body


def ratio_row(name: str, target: float, pairs: Sequence[tuple[float, float]], unit: str) -> Row:
    """Make a row of rates: the median ratio of our rate to the limit."""
    ratios = [ours / limit for ours, limit in pairs]
    ours, limit = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    return Row(
        name, f"{ours:,.0f} {unit}", f"{limit:,.0f} {unit}", statistics.median(ratios), target, True, ratios
    )


def hot(bench: Bench) -> list[Row]:
    """Compare cached blocks with a bare aiohttp handler, in turn on the same core."""
    files = f'ref = "file://{bench.volume.path}"'
    with dvidpc(files, bench.directory) as server:
        single, many = query([(1, 1, 1)]), query(PLANE_BLOCKS)
        (bench.directory / "single").write_bytes(fetch(server.url + single))
        (bench.directory / "many").write_bytes(fetch(server.url + many))
        with bare_server(bench.directory) as bare:
            rows = []
            for name, path, limit in (
                ("hot single block, JPEG as stored", single, "/single"),
                ("hot 72-block request", many, "/many"),
            ):
                pairs = [
                    (
                        wrk([server.url + path], bench.directory)[0],
                        wrk([bare + limit], bench.directory)[0],
                    )
                    for _ in range(bench.rounds)
                ]
                rows.append(ratio_row(name, 0.6, pairs, "req/s"))
    return rows


def cut_out(bench: Bench) -> list[Row]:
    """Compare a cut-out of 256^3 voxels, chunks decoded and cached, with the lower of two limits.

    They are numpy putting the chunks into place, and a bare aiohttp handler that sends as many bytes.
    """
    files = f'ref = "file://{bench.volume.path}"'
    with dvidpc(files, bench.directory) as server, bare_server(bench.directory) as bare:
        url = f"{server.url}{NODE}/raw/0_1_2/256_256_256/64_64_0"
        pairs = []
        for _ in range(bench.rounds):
            rate, _count = wrk([url], bench.directory, connections=1)
            wire, _count = wrk([f"{bare}/box"], bench.directory, connections=1)
            pairs.append((rate, min(wire, limit("copy", bench.directory, SERVER_CORE))))
    return [ratio_row("raw cut-out 256^3, hot", 0.5, pairs, "cut-outs/s")]


def two_workers(bench: Bench) -> list[Row]:
    """Compare the CPU time of a cached block with two workers and with one."""
    costs = []
    for workers in (1, 2):
        files = f'ref = "file://{bench.volume.path}"'
        with dvidpc(files, bench.directory, workers=workers, core=None) as server:
            url = server.url + query([(1, 1, 1)])
            wrk([url], bench.directory, seconds=1)
            before = server.cpu_s()
            _, count = wrk([url], bench.directory, seconds=4)
            costs.append((server.cpu_s() - before) / count * 1e6)
    one, two = costs
    return [
        Row("CPU per hot block, 2 workers against 1", f"{two:.0f} us", f"{one:.0f} us", two / one, 1.1, False)
    ]


def cold_plane(bench: Bench) -> list[Row]:
    """Measure 72 blocks from a store 30 ms away, in round trips of a small object."""
    rows = []
    for name, index_memory, target in (
        ("cold 72 blocks, store 30 ms away, indexes known", 2**27, 1.5),
        ("the same, nothing known", 0, 3.5),
    ):
        with ExitStack() as stack:
            near = stack.enter_context(bucket(bench.volume.path, bench.directory))
            far = stack.enter_context(slow_network(near))
            store = s3_store(far)
            server = stack.enter_context(dvidpc(store, bench.directory, memory=0, index_memory=index_memory))
            urls = server.url + query(PLANE_BLOCKS), f"{far}/bucket/info"
            ours, small = asyncio.run(latencies(urls, 5 + 4 * bench.rounds))
        trip = statistics.median(small[5:])
        ratios = [seconds / trip for seconds in ours[5:]]
        ratio = statistics.median(ratios)
        rows.append(
            Row(name, f"{ratio * trip * 1e3:.0f} ms", f"{trip * 1e3:.1f} ms", ratio, target, False, ratios)
        )
    return rows


async def latencies(urls: Sequence[str], count: int, *, to_first_byte: bool = False) -> list[list[float]]:
    """Return the seconds that each of *urls* took, requested in turn: until all came, or the first byte."""
    times: list[list[float]] = [[] for _ in urls]
    async with aiohttp.ClientSession() as session:
        for _ in range(count):
            for url, seconds in zip(urls, times, strict=True):
                started = time.perf_counter()
                async with session.get(url) as response:
                    response.raise_for_status()
                    await (response.content.readany() if to_first_byte else response.read())
                    seconds.append(time.perf_counter() - started)
                    await response.read()
    return times


def latency_by_blocks(bench: Bench) -> list[tuple[int, float]]:
    """Return seconds of a cold request by number of blocks, indexes cached, 30 ms away; for the plot."""
    with ExitStack() as stack:
        near = stack.enter_context(bucket(bench.volume.path, bench.directory))
        far = stack.enter_context(slow_network(near))
        server = stack.enter_context(dvidpc(s3_store(far), bench.directory, memory=0))
        points = []
        for count in (1, 2, 4, 8, 16, 32, 64, 128, 256):
            url = server.url + query(bench.volume.blocks[:count])
            (seconds,) = asyncio.run(latencies([url], 3 + bench.rounds))
            points.append((count, statistics.median(seconds[3:])))
        return points


def throughput_by_workers(bench: Bench) -> list[tuple[int, float]]:
    """Return cached single blocks per second by number of workers; for the plot."""
    points = []
    for workers in (1, 2):
        files = f'ref = "file://{bench.volume.path}"'
        with dvidpc(files, bench.directory, workers=workers, core=None) as server:
            url = server.url + query([(1, 1, 1)])
            points.append((workers, wrk([url], bench.directory)[0]))
    return points


def cold_directory(bench: Bench) -> list[Row]:
    """Single blocks that are not in the cache, from files, against a bare handler of the same bytes."""
    parts = [(str(bench.volume.path / key), start, stop) for key, start, stop in bench.volume.parts]
    (bench.directory / "parts.json").write_text(json.dumps(parts))
    files = f'ref = "file://{bench.volume.path}"'
    with dvidpc(files, bench.directory, memory=0) as server, bare_server(bench.directory) as bare:
        urls = [server.url + query([block]) for block in bench.volume.blocks]
        wrk(urls, bench.directory, seconds=1)
        pairs = [
            (wrk(urls, bench.directory)[0], wrk([f"{bare}/part"], bench.directory)[0])
            for _ in range(bench.rounds)
        ]
    return [ratio_row("cold single blocks from a directory", 0.5, pairs, "blocks/s")]


def coding(bench: Bench) -> list[Row]:
    """Compare decoded, or decoded and encoded, blocks with simplejpeg alone on the same cores."""
    rows = []
    for name, target, what, blocks, chunks, more in (
        (
            "uncompressed of stored JPEG",
            0.6,
            "decode",
            bench.volume.blocks,
            bench.volume.chunks,
            "uncompressed",
        ),
        ("clipped JPEG block, cold", 0.6, "recode", bench.volume.edges, bench.volume.edge_chunks, "jpeg"),
    ):
        work = bench.directory / f"{what}.json"
        work.write_text(json.dumps({"chunks": [str(path) for path in chunks]}))
        files = f'ref = "file://{bench.volume.path}"'
        with dvidpc(files, bench.directory, memory=0, core=None) as server:
            batches = [blocks[at : at + 8] for at in range(0, len(blocks) - 7, 8)]
            urls = [server.url + query(batch, f"&compression={more}") for batch in batches]
            pairs = []
            for _ in range(bench.rounds):
                requests, _count = wrk(urls, bench.directory, connections=4)
                pairs.append((requests * 8, limit(what, work, None)))
        rows.append(ratio_row(name, target, pairs, "blocks/s"))
    return rows


def limit(what: str, work: Path, core: str | None) -> float:
    """Return the rate that `limits.py` measures, on one core or, if *core* is None, on all."""
    script = Path(__file__).with_name("limits.py")
    pinned = ["taskset", "-c", core] if core else []
    command = [*pinned, sys.executable, str(script), what, str(work)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def requests_upstream(bench: Bench) -> list[Row]:
    """Count the requests to the bucket in the bucket's own log."""
    log = bench.directory / "access.log"

    def asked(since: int) -> list[str]:
        return [line for line in log.read_text().splitlines()[since:] if ".shard" in line]

    with bucket(bench.volume.path, bench.directory) as url, dvidpc(s3_store(url), bench.directory) as server:
        plane = [(x, y, 2) for y in range(8) for x in range(8)]
        fetch(server.url + query([(x, y, 3) for x, y, _ in plane]))  # the same minishards, other chunks
        before = len(log.read_text().splitlines())
        fetch(server.url + query(plane))
        share = len(asked(before)) / len(plane)
        rows = [Row("upstream GETs a block, 8x8x1 blocks", f"{share * 64:.0f}", "64", share, 0.35, False)]
        before = len(log.read_text().splitlines())
        asyncio.run(_together(server.url + query([(4, 4, 0)]), 200))
        repeats = max(Counter(asked(before)).values())
        name = "GETs of a range by 200 identical cold requests"
        rows.append(Row(name, str(repeats), "1", repeats, 1, False))
    return rows


async def _together(url: str, count: int) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def get() -> None:
            async with session.get(url) as response:
                response.raise_for_status()
                await response.read()

        await asyncio.gather(*(get() for _ in range(count)))


def memory(bench: Bench) -> list[Row]:
    """Measure resident memory beyond the cache's budget after a working set of ten times the cache."""
    budget = bench.volume.nbytes // 10
    files = f'ref = "file://{bench.volume.path}"'
    with dvidpc(files, bench.directory, memory=budget) as server:
        urls = [server.url + query([block]) for block in bench.volume.blocks]
        seen = []
        for _ in range(3):
            wrk(urls, bench.directory, seconds=5)
            seen.append(server.resident_bytes())
        beyond = (max(seen) - budget) / 2**20
        growth = (seen[-1] - seen[0]) / 2**20
    text = f"{beyond:.0f} MiB (+{growth:.1f} MiB from first to last)"
    return [Row("resident memory beyond the cache, working set 10x", text, "200 MiB", beyond / 200, 1, False)]


def start(bench: Bench) -> list[Row]:
    """Start to first block, of a directory and of a bucket, against Python with imports; `--version` too.

    All of them as installed by pip, with their bytecode, whatever this environment says of writing it.
    """
    compileall.compile_dir(Path(__file__).parents[1] / "dvidpc", quiet=1)

    def timed(step: Callable[[], object]) -> float:
        started = time.perf_counter()
        step()
        return time.perf_counter() - started

    def python(*arguments: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True)

    def first_block(store: str) -> float:
        started = time.perf_counter()
        with dvidpc(store, bench.directory, core=None) as server:
            fetch(server.url + query([(1, 1, 1)]))
            return time.perf_counter() - started

    imports = python("-c", "import aiohttp, obstore")
    same_imports = python("-c", f"import {', '.join(IMPORTED)}")
    rounds = range(2 * bench.rounds)
    files = f'ref = "file://{bench.volume.path}"'
    firsts = [(first_block(files), timed(imports)) for _ in rounds]
    with bucket(bench.volume.path, bench.directory) as url:
        from_bucket = [(first_block(s3_store(url)), timed(same_imports)) for _ in rounds]
    versions = [(timed(python("-m", "dvidpc", "--version")), timed(python("-c", "pass"))) for _ in rounds]
    rows = []
    for name, target, pairs in (
        ("start to first answered block", 1.6, firsts),
        ("the same, an anonymous S3 bucket", 1.6, from_bucket),
        ("dvidpc --version", 5.0, versions),
    ):
        ratios = [ours / limit for ours, limit in pairs]
        ours, limit = (statistics.median(times) * 1e3 for times in zip(*pairs, strict=True))
        rows.append(
            Row(name, f"{ours:.0f} ms", f"{limit:.0f} ms", statistics.median(ratios), target, False, ratios)
        )
    return rows


ALL: Sequence[Callable[[Bench], list[Row]]] = (
    hot,
    cut_out,
    cold_plane,
    cold_directory,
    coding,
    requests_upstream,
    memory,
    start,
    two_workers,
)
