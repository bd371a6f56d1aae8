"""The rows of the table about the disk cache."""

import asyncio
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from benchmarks.label_rows import requests_per_cpu_s
from benchmarks.machinery import Server, bucket, dvidpc, s3_store, slow_network, wrk
from benchmarks.rows import PLANE_BLOCKS, Bench, Row, fetch, latencies, query, ratio_row

_RANDOM_READS: Final = 20_000


def restart(bench: Bench) -> list[Row]:
    """Compare the first 72 blocks of a server that has just started: from the disk cache, and from files.

    The bucket is 30 ms away. What is asked of it besides `info`, and whether it exists, is counted.
    """
    blocks = query(PLANE_BLOCKS)
    log = bench.directory / "access.log"
    with ExitStack() as stack:
        near = stack.enter_context(bucket(bench.volume.path, bench.directory))
        store = s3_store(stack.enter_context(slow_network(near)))
        with _warmed(bench, store, [blocks]) as disk:
            before = len(log.read_text().splitlines())
            pairs = []
            for _ in range(4 * bench.rounds):
                with dvidpc(store, bench.directory, disk=disk) as server:
                    from_disk = _first(server, blocks)
                with dvidpc(_files(bench), bench.directory) as server:
                    pairs.append((from_disk, _first(server, blocks)))
            asked = [line for line in log.read_text().splitlines()[before:] if ".shard" in line]
    ratios = [ours / files for ours, files in pairs]
    ours, files = (statistics.median(times) * 1e3 for times in zip(*pairs, strict=True))
    name = "72 blocks from the disk cache after a restart, store 30 ms away"
    ratio = statistics.median(ratios)
    return [
        Row(name, f"{ours:.0f} ms", f"{files:.0f} ms", ratio, 1.5, at_least=False, rounds=ratios),
        Row("the same, reads of shards in the bucket", str(len(asked)), "0", len(asked), 0, at_least=False),
    ]


def working_set(bench: Bench) -> list[Row]:
    """Compare random blocks from the disk cache and from a directory, four times as many as fit in memory."""
    blocks = bench.volume.blocks
    memory = bench.volume.nbytes // 4
    drawn = random.Random(5).choices(blocks, k=_RANDOM_READS)
    with ExitStack() as stack:
        store = s3_store(stack.enter_context(bucket(bench.volume.path, bench.directory)))
        disk = stack.enter_context(_warmed(bench, store, [query([block]) for block in blocks]))
        servers = [
            stack.enter_context(dvidpc(*where, memory=memory, disk=cache))
            for where, cache in (
                ((store, _below(bench, "cached")), disk),
                ((_files(bench), _below(bench, "files")), None),
            )
        ]
        urls = [[server.url + query([block]) for block in drawn] for server in servers]
        for some in urls:
            wrk(some, bench.directory, seconds=1)
        pairs = [
            (wrk(urls[0], bench.directory)[0], wrk(urls[1], bench.directory)[0]) for _ in range(bench.rounds)
        ]
    return [
        ratio_row(
            "random blocks from the disk cache, working set 4x the memory cache", 0.7, pairs, "blocks/s"
        )
    ]


def disk_on_and_off(bench: Bench) -> list[Row]:
    """Compare a block that is cached in memory with and without a disk cache, in CPU time."""
    with ExitStack() as stack:
        store = s3_store(stack.enter_context(bucket(bench.volume.path, bench.directory)))
        disk = _below(bench, "disk")
        on = stack.enter_context(dvidpc(store, _below(bench, "on"), disk=disk))
        off = stack.enter_context(dvidpc(store, _below(bench, "off")))
        pairs = []
        for _ in range(2 * bench.rounds):
            rates = [
                requests_per_cpu_s(server, [server.url + query([(1, 1, 1)])], bench) for server in (on, off)
            ]
            pairs.append((rates[0], rates[1]))
    return [ratio_row("hot single block, disk cache on against off", 0.98, pairs, "req/CPU-s")]


def _below(bench: Bench, name: str) -> Path:
    directory = bench.directory / name
    directory.mkdir(exist_ok=True)
    return directory


def _files(bench: Bench) -> str:
    return f'ref = "file://{bench.volume.path}"'


def _first(server: Server, path: str) -> float:
    """Return the seconds of the first request for blocks, once the server is ready."""
    return asyncio.run(latencies([f"{server.url}/readyz", server.url + path], 1))[1][0]


@contextmanager
def _warmed(bench: Bench, store: str, paths: Sequence[str]) -> Iterator[Path]:
    """Yield the directory of a disk cache that holds what the server itself and *paths* need."""
    disk = _below(bench, "disk")
    with dvidpc(store, bench.directory, disk=disk) as server:
        for path in ("/readyz", *paths):
            fetch(server.url + path)
        time.sleep(2)  # nothing says when the last of it is written
    yield disk


ALL: Final[Sequence[Callable[[Bench], list[Row]]]] = (restart, working_set, disk_on_and_off)
