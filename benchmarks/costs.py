"""What `installation.py` reckons with: what a block costs by where it comes from, and where it comes from."""

import asyncio
import statistics
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import aiohttp

from benchmarks.machinery import Server, bucket, dvidpc, free_port, make_tls, s3_store, wrk
from benchmarks.rows import Bench, Row, query
from benchmarks.trace import HOURS_A_WEEK, SECONDS_AT_A_PLACE, TEAM, TEAM_DISK_BYTES, Region, simulate
from dvidpc.types import BlockCoord

TEAM_MEMORY_GIB: Final = (0.5, 2, 8, 32)
"""Memory caches of all servers, for each team, for which shares are simulated."""
_AT_ONCE: Final = 8


def figures(bench: Bench) -> dict[str, Any]:
    """Measure CPU, bytes and requests of a block; simulate how often it comes from memory and disk."""
    volume = bench.volume
    block_bytes = volume.nbytes / len(volume.blocks)
    week = Region().trace(TEAM, HOURS_A_WEEK * 3600 // SECONDS_AT_A_PLACE)
    shares = []
    for gib in TEAM_MEMORY_GIB:
        memory, disk = int(gib * 2**30 / block_bytes), int(TEAM_DISK_BYTES / block_bytes)
        share = simulate(week, memory=memory, disk=disk)
        shares.append([gib, share.memory, share.disk])
    with _https_bucket(bench) as store:
        firsts = [_first_time(bench, store, turn) for turn in range(bench.rounds)]
        disk_dir = bench.directory / "first-0"
        with dvidpc(store, bench.directory, memory=0, disk=disk_dir) as server:
            from_disk = _cpu_us(bench, server)
        with dvidpc(store, bench.directory) as server:
            from_memory = _cpu_us(bench, server)
    return {
        "block_bytes": round(block_bytes),
        "memory_us": round(from_memory),
        "disk_us": round(from_disk),
        "bucket_us": round(statistics.median(cpu for cpu, _ in firsts)),
        "gets_per_block": round(statistics.median(gets for _, gets in firsts), 2),
        "shares": [[gib, round(memory, 4), round(disk, 4)] for gib, memory, disk in shares],
    }


def replay(bench: Bench) -> list[Row]:
    """Replay what four proofreaders do in a region of 256 blocks, and compare it with the simulation."""
    region = Region(BlockCoord(8, 8, 4), view=(3, 2), away=0)
    blocks = region.trace(4, 100)
    memory = len(bench.volume.blocks) // 4
    expected = simulate(blocks, memory=memory, disk=len(bench.volume.blocks))
    budget = memory * bench.volume.nbytes // len(bench.volume.blocks)
    port = free_port()
    log = bench.directory / "access.log"
    log.unlink(missing_ok=True)  # of the rows before
    with bucket(bench.volume.path, bench.directory) as url:
        store = f'{s3_store(url)}\n[metrics]\naddress = "127.0.0.1:{port}"'
        disk = bench.directory / "replayed"
        disk.mkdir()
        with dvidpc(store, bench.directory, memory=budget, disk=disk) as server:
            urls = [server.url + query([region.block(number)]) for number in blocks]
            before = _lookups(port)
            asyncio.run(_ask(urls, 1))
            hits, lookups = (after - earlier for after, earlier in zip(_lookups(port), before, strict=True))
        asked = len([line for line in log.read_text().splitlines() if ".shard" in line])
    distinct = len(set(blocks))
    share = hits / lookups
    return [
        Row(
            "replayed trace of proofreaders: share from memory, of the simulated",
            f"{share:.3f}",
            f"{expected.memory:.3f}",
            share / expected.memory,
            0.9,
            at_least=True,
        ),
        Row(
            "the same, reads of the bucket a block that is seen for the first time",
            f"{asked:,}",
            f"{distinct:,}",
            asked / distinct,
            1.3,
            at_least=False,
        ),
    ]


def _lookups(port: int) -> tuple[float, float]:
    """Return the hits of the memory cache for blocks, and hits and misses."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    known = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    hits, misses = (
        float(known[f'dvidpc_cache_{what}_total{{cache="blocks"}}']) for what in ("hits", "misses")
    )
    return hits, hits + misses


def _cpu_us(bench: Bench, server: Server) -> float:
    """Return the CPU time of a block, the requests being for one block each."""
    urls = [server.url + query([block]) for block in bench.volume.blocks]
    wrk(urls, bench.directory, seconds=2)
    costs = []
    for _ in range(bench.rounds):
        before = server.cpu_s()
        _rate, count = wrk(urls, bench.directory)
        costs.append((server.cpu_s() - before) / count * 1e6)
    return statistics.median(costs)


def _first_time(bench: Bench, store: str, turn: int) -> tuple[float, float]:
    """Read every block once, slice by slice, into an empty disk cache; return CPU and requests of a block."""
    disk = bench.directory / f"first-{turn}"
    disk.mkdir()
    log = bench.directory / "access.log"
    before = len(log.read_text().splitlines())
    with dvidpc(store, bench.directory, disk=disk) as server:
        slices = sorted(bench.volume.blocks, key=lambda block: block[::-1])
        urls = [server.url + query([block]) for block in slices]
        started = server.cpu_s()
        asyncio.run(_ask(urls, _AT_ONCE))
        asyncio.run(asyncio.sleep(2))  # it is written afterwards
        cpu_us = (server.cpu_s() - started) / len(urls) * 1e6
    asked = [line for line in log.read_text().splitlines()[before:] if ".shard" in line]
    return cpu_us, len(asked) / len(urls)


async def _ask(urls: Sequence[str], at_once: int) -> None:
    left = iter(urls)
    async with aiohttp.ClientSession() as session:

        async def client() -> None:
            for url in left:
                async with session.get(url) as answer:
                    answer.raise_for_status()
                    await answer.read()

        await asyncio.gather(*(client() for _ in range(at_once)))


@contextmanager
def _https_bucket(bench: Bench) -> Iterator[str]:
    with ExitStack() as stack:
        tls = make_tls(bench.directory)
        stack.enter_context(bucket(bench.volume.path, bench.directory, tls))
        yield f'{s3_store(f"https://127.0.0.1:{tls.port}")}\nca_bundle = "{tls.certificate}"'


ALL: Final[Sequence[Callable[[Bench], list[Row]]]] = (replay,)
