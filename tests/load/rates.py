"""L1, L3 and L5: single blocks that are cached, cold, or clipped, and the delay of the event loop meanwhile.

The blocks are those of `make bench`: JPEG of 45 kB in shards.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from benchmarks.machinery import bucket, s3_store
from benchmarks.volume import Volume, prepare
from tests.load.place import METRICS, NODE, SERVER, Place, place, scratch, wrk
from tests.serving import UUID
from tests.volumes import XYZ

HOT_SECONDS = 60
SECONDS = 20
WARM_UP_S = 2
NO_CACHE = "[cache]\nmemory = 0\n"


async def hot() -> dict[str, object]:
    """Measure one cached block under the load of 64 clients for a minute."""
    volume = bench_volume()
    return await _ask(f'ref = "file://{volume.path}"', "", volume.blocks[:1], 64, HOT_SECONDS)


async def cold() -> dict[str, object]:
    """Measure blocks read one at a time from nginx, with shard indexes cached."""
    volume = bench_volume()
    with scratch() as directory, bucket(volume.path, directory) as url:
        return await _ask(s3_store(url), NO_CACHE, volume.blocks, 32, SECONDS)


async def edges() -> dict[str, object]:
    """Measure blocks of clipped chunks, which are decoded, padded and encoded, for 32 clients."""
    volume = bench_volume()
    return await _ask(f'ref = "file://{volume.path}"', NO_CACHE, volume.edges, 32, SECONDS)


def bench_volume() -> Volume:
    """Return the volume of the benchmarks; write it first if it does not exist."""
    return prepare(Path(tempfile.gettempdir()) / "dvidpc-benchmark")


async def _ask(
    store: str, more: str, blocks: Sequence[XYZ], connections: int, seconds: float
) -> dict[str, object]:
    section = f'[store.em]\nengine = "ngprecomputed"\ninstance = "em"\n{store}\n'
    text = f'[repo]\nuuid = "{UUID}"\n{section}{SERVER}{METRICS}{more}'
    paths = [f"{NODE}/specificblocks?blocks={x},{y},{z}" for x, y, z in blocks]
    with scratch() as directory:
        async with place(text, directory) as server:
            sizes = [await _size(server, path) for path in paths[:10]]
            await wrk(server.url, paths, directory, connections=connections, seconds=WARM_UP_S)
            before = await server.metrics()
            load = await wrk(server.url, paths, directory, connections=connections, seconds=seconds)
            after = await server.metrics()
            tracebacks = server.tracebacks
    return {
        "blocks asked for in turn, bytes of the first": [len(paths), sizes[0]],
        "clients, seconds": [connections, seconds],
        "requests/s": round(load.rate),
        "ms, median and p99": [round(load.median_ms, 1), round(load.p99_ms, 1)],
        "errors": load.errors or 0,
        "lag of the loop, p99 at most, ms": 1e3 * _lag_p99(before, after),
        "tracebacks in the log": tracebacks,
    }


async def _size(server: Place, path: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(server.url + path) as answer:
        assert answer.status == 200
        return len(await answer.read())


def _lag_p99(before: dict[str, float], after: dict[str, float]) -> float:
    """Return the 99th percentile, in seconds, of the samples between two scrapes of the metrics."""
    name = "dvidpc_event_loop_lag_seconds_bucket{le="
    samples = {
        float(key.removeprefix(name).rstrip("}")): value - before[key]
        for key, value in after.items()
        if key.startswith(name)
    }
    most = max(samples.values())
    return min(bound for bound, count in samples.items() if count >= 0.99 * most)
