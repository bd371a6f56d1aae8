"""The rows of the table about zarr: chunks larger than blocks, shards, and the table of compressions."""

import asyncio
import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

import imagecodecs
import numpy as np
import simplejpeg
import tensorstore as ts

from benchmarks.machinery import NODE, SERVER_CORE, bare_server, bucket, dvidpc, s3_store, slow_network, wrk
from benchmarks.rows import (
    PLANE_BLOCKS,
    Bench,
    Row,
    fetch,
    latencies,
    limit,
    query,
    ratio_row,
)
from dvidpc.formats.arrays.zarr2 import parse_zarray
from dvidpc.formats.data_types import Voxels

SIDE: Final = 512
"""Voxels along x and y of the array; along z it has half as many."""
_CHUNK: Final = 128
_FEW_GREYS: Final = 0xE0
_BLOSC: Final = {"id": "blosc", "cname": "zstd", "clevel": 5, "shuffle": 1, "blocksize": 0}
_ZSTD: Final = {"id": "zstd", "level": 3}
_GZIP: Final = {"id": "gzip", "level": 5}
_DECODE: Final = {
    "blosc": imagecodecs.blosc_decode,
    "zstd": imagecodecs.zstd_decode,
    "gzip": imagecodecs.gzip_decode,
}
_ZARR: Final = NODE.replace("/em", "/array")


def large_chunks(bench: Bench) -> list[Row]:
    """Compare cold blocks of 64^3 out of chunks of 128^3 with decoding these alone, in CPU time.

    Each request has the eight blocks of a chunk. JPEGs are compared with decoding and encoding alone.
    """
    rows = []
    for compressor in (_BLOSC, _ZSTD):
        path = _write_zarr2(bench, compressor)
        chunk = (path / "0" / "0" / "0").read_bytes()
        with dvidpc(_store(bench, f"file://{path}"), bench.directory, memory=0, core=None) as server:
            for payload, target in (("uncompressed", 0.6), ("jpeg", 0.6)):
                urls = [server.url + _query(blocks, payload) for blocks in _blocks_of_chunks()]
                wrk(urls, bench.directory, seconds=1)
                pairs = []
                for _ in range(bench.rounds):
                    before = server.cpu_s()
                    _rate, count = wrk(urls, bench.directory, connections=4)
                    ours = 8 * count / (server.cpu_s() - before)
                    pairs.append((ours, 8 / _cpu_s(_alone(chunk, str(compressor["id"]), payload))))
                name = f"arrays: cold 64^3 {payload} out of 128^3 {compressor['id']}"
                rows.append(ratio_row(name, target, pairs, "blocks/CPU-s"))
    return rows


def array_cut_out(bench: Bench) -> list[Row]:
    """Compare a hot cut-out of 256^3 voxels with the lower of two limits, as for precomputed."""
    path = _write_zarr2(bench, _ZSTD)
    with (
        dvidpc(_store(bench, f"file://{path}"), bench.directory) as server,
        bare_server(bench.directory) as bare,
    ):
        url = f"{server.url}{_ZARR}/raw/0_1_2/256_256_256/64_64_0"
        fetch(url)
        pairs = []
        for _ in range(bench.rounds):
            rate, _count = wrk([url], bench.directory, connections=1)
            wire, _count = wrk([f"{bare}/box"], bench.directory, connections=1)
            pairs.append((rate, min(wire, limit("copy", bench.directory, SERVER_CORE))))
    return [ratio_row("arrays: raw cut-out 256^3, hot", 0.5, pairs, "cut-outs/s")]


def sharded(bench: Bench) -> list[Row]:
    """Measure what a store 30 ms away adds to 72 cold blocks of a `sharding_indexed` array, in round trips.

    The blocks are decoded and encoded meanwhile, which takes longer than a round trip, so the time of
    the same request with the store at 0 ms is subtracted. The requests of a single block are counted.
    """
    path = _write_zarr3(bench)
    log = bench.directory / "access.log"
    with ExitStack() as stack:
        near = stack.enter_context(bucket(path, bench.directory))
        far = stack.enter_context(slow_network(near))
        urls: list[str] = []
        for place in (near, far):
            directory = bench.directory / f"server-{len(urls)}"
            directory.mkdir()
            store = _store(bench, s3_store(place), is_ref=False)
            server = stack.enter_context(dvidpc(store, directory, memory=0, core=None))
            urls.append(server.url)
        planes = [url + _query(PLANE_BLOCKS) for url in urls]
        times = asyncio.run(latencies([*planes, f"{far}/bucket/zarr.json"], 5 + 4 * bench.rounds))
        before = len(log.read_text().splitlines())
        fetch(urls[0] + _query([(4, 4, 1)]))
        reads = len([line for line in log.read_text().splitlines()[before:] if "/c/" in line])
    at_once, far_away, trip = (statistics.median(seconds[5:]) for seconds in times)
    pairs = zip(times[1][5:], times[0][5:], strict=True)
    ratios = [(there - here) / trip for there, here in pairs]
    ratio = statistics.median(ratios)
    return [
        Row(
            "arrays: 72 cold blocks of shards, what 30 ms a round trip add, indexes known",
            f"{far_away * 1e3:.0f} - {at_once * 1e3:.0f} ms",
            f"{trip * 1e3:.1f} ms",
            ratio,
            1.5,
            False,
            ratios,
        ),
        Row("arrays: reads of a cold block of a shard", str(reads), "1", reads, 1, False),
    ]


def array_decoding(bench: Bench) -> list[Row]:
    """Compare decoding a chunk of 64^3 by its document with the library alone, in CPU time on one core."""
    voxels = _voxels(bench)[:64, :64, :64]
    rows = []
    for compressor in (_BLOSC, _ZSTD, _GZIP):
        path = bench.directory / f"one-{compressor['id']}"
        _create("zarr", path, _zarray(voxels.shape, 64, compressor), voxels)
        chunk = (path / "0" / "0" / "0").read_bytes()
        spec = parse_zarray(_zarray(voxels.shape, 64, compressor), (), None)
        alone = _decode_alone(chunk, str(compressor["id"]), 64**3)
        pairs = [
            (1 / _cpu_s(partial(spec.decode, chunk)), 1 / _cpu_s(alone)) for _ in range(4 * bench.rounds)
        ]
        rows.append(ratio_row(f"arrays: decoding 64^3 {compressor['id']}", 0.87, pairs, "chunks/CPU-s"))
    return rows


def _query(blocks: Sequence[tuple[int, int, int]], payload: str = "jpeg") -> str:
    return query(blocks, f"&compression={payload}").replace(NODE, _ZARR)


def _store(bench: Bench, place: str, *, is_ref: bool = True) -> str:
    """Return TOML of two stores: that of the benchmarks, and the array."""
    ref = f'ref = "{place}"' if is_ref else place
    return f'ref = "file://{bench.volume.path}"\n[store.array]\nengine = "zarr"\ninstance = "array"\n{ref}'


def _blocks_of_chunks() -> list[list[tuple[int, int, int]]]:
    """Return the eight blocks of each chunk of the array."""
    cells = itertools.product(range(SIDE // _CHUNK), range(SIDE // _CHUNK), range(SIDE // 2 // _CHUNK))
    return [[(2 * x + a, 2 * y + b, 2 * z + c) for a, b, c in np.ndindex(2, 2, 2)] for x, y, z in cells]


def _alone(chunk: bytes, name: str, payload: str) -> Callable[[], object]:
    """Return what any server must do for the blocks of a chunk: decode it, and encode them as JPEG."""
    decode = _decode_alone(chunk, name, _CHUNK**3)
    if payload != "jpeg":
        return decode

    def recode() -> None:
        voxels = np.frombuffer(decode(), np.uint8).reshape(_CHUNK, _CHUNK, _CHUNK)
        for z, y, x in np.ndindex(2, 2, 2):
            block = voxels[64 * z :, 64 * y :, 64 * x :][:64, :64, :64]
            pixels = np.ascontiguousarray(block).reshape(4096, 64, 1)
            simplejpeg.encode_jpeg(pixels, quality=80, colorspace="GRAY")

    return recode


def _decode_alone(chunk: bytes, name: str, size: int) -> Callable[[], Any]:
    options = {"numthreads": 1} if name == "blosc" else {}
    return lambda: _DECODE[name](chunk, out=np.empty(size, np.uint8).data, **options)


def _cpu_s(step: Callable[[], object], times: int = 30) -> float:
    """Return the CPU seconds of a step, the least of three rounds of *times*."""
    least = float("inf")
    for _ in range(3):
        started = time.process_time()
        for _ in range(times):
            step()
        least = min(least, (time.process_time() - started) / times)
    return least


def _voxels(bench: Bench) -> Voxels:
    """Return voxels of the demo, `[z, y, x]`."""
    source = {
        "driver": "neuroglancer_precomputed",
        "kvstore": {"driver": "file", "path": f"{bench.volume.path}/"},
    }
    box = ts.open(source).result()[:SIDE, :SIDE, : SIDE // 2, 0]
    return np.ascontiguousarray(np.asarray(box.read().result()).transpose())


def _zarray(shape: tuple[int, ...], chunk: int, compressor: dict[str, Any]) -> dict[str, Any]:
    return {
        "zarr_format": 2,
        "shape": list(shape),
        "chunks": [chunk] * 3,
        "dtype": "|u1",
        "compressor": compressor,
        "fill_value": 0,
        "order": "C",
        "filters": None,
        "dimension_separator": "/",
    }


def _write_zarr2(bench: Bench, compressor: dict[str, Any]) -> Path:
    path = bench.directory / f"array-{compressor['id']}"
    if not path.exists():
        voxels = _voxels(bench)
        _create("zarr", path, _zarray(voxels.shape, _CHUNK, compressor), voxels)
    return path


def _write_zarr3(bench: Bench) -> Path:
    """Write an array of fewer grey levels, so that a chunk has about 45 kB, as those of the other rows."""
    path = bench.volume.path.parent / "array-sharded"  # where nginx may read
    voxels = _voxels(bench) & _FEW_GREYS
    sharding = {
        "chunk_shape": [64, 64, 64],
        "codecs": [{"name": "bytes"}, {"name": "zstd", "configuration": {"level": 3}}],
        "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
    }
    metadata = {
        "shape": list(voxels.shape),
        "data_type": "uint8",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [256, 256, 256]}},
        "codecs": [{"name": "sharding_indexed", "configuration": sharding}],
    }
    _create("zarr3", path, metadata, voxels)
    return path


def _create(driver: str, path: Path, metadata: dict[str, Any], voxels: Voxels) -> None:
    spec = {"driver": driver, "kvstore": {"driver": "file", "path": f"{path}/"}, "metadata": metadata}
    ts.open(spec, create=True, delete_existing=True).result().write(voxels).result()


ALL: Final[Sequence[Callable[[Bench], list[Row]]]] = (large_chunks, array_cut_out, sharded, array_decoding)
