"""The rows of the table about annotations."""

import asyncio
import contextlib
import gc
import http.client
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks.machinery import NODE, ROUND_TRIP_S, Server, bucket, dvidpc, s3_store, slow_network
from benchmarks.rows import Bench, Row, fetch
from benchmarks.synapses import Synapses, draw_synapses, encode, write_collection, write_shard
from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.formats.precomputed.annotation_info import parse_annotation_info
from dvidpc.formats.precomputed.annotation_roles import decide_roles
from dvidpc.formats.precomputed.annotation_settings import AnnotationSettings
from dvidpc.sources.plan import Metadata
from dvidpc.sources.precomputed.annotation_places import AnnotationTools
from dvidpc.sources.precomputed.annotation_reader import AnnotationReader
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref

_SIDE: Final = 2048
"""Voxels along y and z, and along x for each place that is asked for."""
_GRIDS: Final = (1, 1, 2, 2)
"""Cells along x that each level has for each of these places."""
_BODY: Final = 10_000
"""Synapses of a body."""
_MANY: Final = 1_000_000
_PART: Final = 2**20
_WATCH_S: Final = 0.02
_ROUNDS: Final = 10


def cached_elements(bench: Bench) -> list[Row]:
    """Measure `elements` of a box of 20,000 lines in four levels of cached cells, per second of CPU time."""
    size = (_SIDE, _SIDE, _SIDE)
    path = f"elements/{_SIDE}_{_SIDE}_{_SIDE}/0_0_0"
    root = bench.directory / "hot"
    write_collection(root, size, [1] * 4, {(n, 0): draw_synapses(5000, size, n) for n in range(4)})
    rates = []
    with dvidpc(f'ref = "file://{root}"', bench.directory) as server:
        count = len(json.loads(_get(server, path)))
        for _ in range(bench.rounds):
            before = server.cpu_s()
            for _ in range(_ROUNDS):
                _get(server, path)
            rates.append(_ROUNDS * count / (server.cpu_s() - before))
    rate = statistics.median(rates)
    name = f"annotations: {count} elements of cached cells, one core"
    return [_at_least(name, rate, 100_000, [each / 100_000 for each in rates])]


def cold_elements(bench: Bench) -> list[Row]:
    """Measure `elements` over six cells of four levels, not read before, over a slow network."""
    places = bench.rounds + 1
    size = (places * _SIDE, _SIDE, _SIDE)
    cells: dict[tuple[int, int], Synapses] = {}
    for level, grid in enumerate(_GRIDS):
        for x in range(grid * places):
            synapses = draw_synapses(1000, (_SIDE // grid, _SIDE, _SIDE), 100 * level + x)
            synapses["ends"][:, :, 0] += x * _SIDE // grid
            cells[level, x] = synapses
    root = bench.directory / "cold"
    write_collection(root, size, [grid * places for grid in _GRIDS], cells)
    with _far_away(bench, root, "margin = 50") as server:
        times = _times(
            server, [f"elements/1000_500_500/{place * _SIDE + 500}_0_0" for place in range(places)]
        )
    return [_in_round_trips("annotations: elements over 6 cells on 4 levels, cold", times, 1.5)]


def cold_label(bench: Bench) -> list[Row]:
    """Measure `label` of bodies not read before, over a slow network; and how it holds the event loop."""
    root = bench.directory / "bodies"
    bodies = range(1, bench.rounds + 2)
    _write_bodies(root, bodies)
    with _far_away(bench, root) as server:
        times = _times(server, [f"label/{body}" for body in bodies])
    held = [asyncio.run(_hold(root, body)) for body in bodies]
    most = statistics.median(held)
    name = f"annotations: label of a body with {_BODY:,} synapses"
    return [
        _in_round_trips(f"{name}, cold", times, 2),
        Row(f"{name}, event loop held", f"{1000 * most:.1f} ms", "5 ms", most / 0.005, 1, at_least=False),
    ]


def many_annotations(bench: Bench) -> list[Row]:
    """Measure the memory that `all-elements` of a million lines takes beyond the cache, and what stays."""
    cells = 100
    size = (cells * 64, _SIDE, _SIDE)
    per_cell = _MANY // cells
    lists = {}
    for x in range(cells):
        synapses = draw_synapses(per_cell, (64, _SIDE, _SIDE), x)
        synapses["ends"][:, :, 0] += x * 64
        lists[0, x] = synapses
    root = bench.directory / "many-annotations"
    write_collection(root, size, [cells], lists)
    cache = 2**26
    with dvidpc(f'ref = "file://{root}"', bench.directory, memory=cache) as server:
        idle = server.resident_bytes()
        most = _drain(server, "all-elements")
        time.sleep(1)
        left = server.resident_bytes() - idle - cache
    name = f"annotations: all-elements of {_MANY:,} lines"
    beyond = (most - idle - cache) / 2**20
    return [
        Row(
            f"{name}, memory beyond the cache",
            f"{beyond:.0f} MiB",
            "400 MiB",
            beyond / 400,
            1,
            at_least=False,
        ),
        Row(
            f"{name}, memory afterwards",
            f"{left / 2**20:.0f} MiB",
            "100 MiB",
            left / 2**20 / 100,
            1,
            at_least=False,
        ),
    ]


def _at_least(name: str, rate: float, target: float, rounds: Sequence[float]) -> Row:
    ours, limit = f"{rate:,.0f} elements/CPU-s", f"{target:,.0f} elements/CPU-s"
    return Row(name, ours, limit, rate / target, 1, at_least=True, rounds=rounds)


def _in_round_trips(name: str, times: Sequence[float], target: float) -> Row:
    trips = [each / ROUND_TRIP_S for each in times]
    ours = f"{1000 * statistics.median(times):.0f} ms"
    return Row(name, ours, f"{1000 * ROUND_TRIP_S:.0f} ms", statistics.median(trips), target, False, trips)


@contextlib.contextmanager
def _far_away(bench: Bench, root: Path, more: str = "") -> Iterator[Server]:
    """Serve the collection in *root* from a bucket 30 ms away."""
    bench.directory.chmod(0o755)  # nginx reads as another user
    with (
        bucket(root, bench.directory) as url,
        slow_network(url) as slow,
        dvidpc(f"{s3_store(slow)}\n{more}", bench.directory) as server,
    ):
        yield server


def _times(server: Server, paths: Sequence[str]) -> list[float]:
    """Return how long each request takes but the first, which reads the indexes."""
    times = []
    for path in paths:
        started = time.perf_counter()
        answer = _get(server, path)
        times.append(time.perf_counter() - started)
        if len(answer) < 1000:
            raise RuntimeError(f"{path} was answered by {answer!r}")
    return times[1:]


def _get(server: Server, path: str) -> bytes:
    return fetch(f"{server.url}{NODE}/{path}")


def _write_bodies(root: Path, bodies: range) -> None:
    """Write a collection indexed by body; a body sends by half of its synapses, and receives by others."""
    size = (_SIDE, _SIDE, _SIDE)
    write_collection(root, size, [1], {(0, 0): draw_synapses(10, size, 0)})
    for seed, name in enumerate(("pre_synaptic_cell", "post_synaptic_cell")):
        values = {
            body: encode(draw_synapses(_BODY // 2, size, 1000 * seed + body), 2**32 * seed + 2**24 * body)
            for body in bodies
        }
        write_shard(root / name, values)


async def _hold(root: Path, body: int) -> float:
    """Answer for one body in this process; return the most CPU time between two turns of the event loop."""
    info = (root / "info").read_bytes()
    collection = parse_annotation_info(info)
    roles = decide_roles(collection, AnnotationSettings(), None, "[store.bench]")
    indexes, prepared = (LoadingCache(2**28, absence_ttl_s=30, clock=time.monotonic) for _ in range(2))
    store = await open_store(BucketAccess(parse_ref(f"file://{root}")), UpstreamLimits(), environ={})
    gaps: list[float] = []

    async def tick() -> None:
        last = time.process_time()
        while True:
            await asyncio.sleep(0)
            now = time.process_time()
            gaps.append(now - last)
            last = now

    gc.collect()
    gc.freeze()  # as the server does after its start
    with ThreadPoolExecutor(2) as pool:
        tools = AnnotationTools(indexes, prepared, pool)
        reader = AnnotationReader(store, Metadata("", f"{root}/info", info), collection, roles, tools)
        ticking = asyncio.create_task(tick())
        await asyncio.sleep(0)
        await reader.label(body, with_relationships=False)
        ticking.cancel()
        await store.close()
    return max(gaps)


def _drain(server: Server, path: str) -> int:
    """Read an answer and drop it; return the most memory that was resident meanwhile."""
    seen: list[int] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_WATCH_S):
            seen.append(server.resident_bytes())

    watching = threading.Thread(target=watch)
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=600)
    with contextlib.closing(connection):
        watching.start()
        connection.request("GET", f"{NODE}/{path}")
        answer = connection.getresponse()
        while answer.read(_PART):
            pass
        ended.set()
        watching.join()
    return max(seen)


ALL: Final[Sequence[Callable[[Bench], list[Row]]]] = (
    cached_elements,
    cold_elements,
    cold_label,
    many_annotations,
)
