"""The rows of the table about building a label index."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Final

from benchmarks.labels import draw_cells
from benchmarks.rows import Bench, Row
from dvidpc.formats.dvid.google_labels import encode_google

_CHUNK: Final = 64
_CHUNKS: Final = 32
"""Chunks along each axis: 32,768 in all, and 128 of a tile."""
_NUM_LABELS: Final = 100
_TILES: Final = 17
_GIB: Final = 2**30
_RATE: Final = 1200
_FIRST: Final = f"0-{_CHUNK}_0-{_CHUNK}_0-{_CHUNK}"


def map_rate(bench: Bench) -> list[Row]:
    """Measure the map of chunks of about 100 labels from a directory, and the memory that both steps take."""
    taken = [_measure(bench, "map", _TILES) for _ in range(bench.rounds)]
    rate = statistics.median(one["chunks"] / one["cpu_s"] for one in taken)
    most = max(one["resident"] for one in (*taken, _measure(bench, "reduce")))
    return [
        Row(
            f"label index: map, chunks of {_NUM_LABELS} labels, one core",
            f"{rate:,.0f} blocks/s",
            f"{_RATE:,} blocks/s",
            rate / _RATE,
            1,
            at_least=True,
        ),
        Row(
            "label index: memory of a worker, tile or shard of 6.6 million rows",
            f"{most / 2**20:.0f} MiB",
            "1024 MiB",
            most / _GIB,
            1,
            at_least=False,
        ),
    ]


def two_workers(bench: Bench) -> list[Row]:
    """Compare two workers of Dask with one."""
    pairs = [
        [_measure(bench, "dask", workers, 4 * _TILES)["seconds"] for workers in (1, 2)]
        for _ in range(bench.rounds)
    ]
    ratio = statistics.median(one / two for one, two in pairs)
    return [Row("label index: two workers against one", f"{ratio:.2f}", "1", ratio, 1.7, at_least=True)]


def _measure(bench: Bench, *arguments: str | int) -> dict[str, float]:
    """Run a step in a process of its own."""
    directory = bench.directory / "build"
    if not directory.exists():
        _write(directory)
    what, *numbers = map(str, arguments)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.build_child", what, str(directory), *numbers],
        check=True,
        capture_output=True,
        text=True,
    )
    took: dict[str, float] = json.loads(done.stdout)
    return took


def _write(directory: Path) -> None:
    """Write a segmentation all of whose chunks are links to one file."""
    scale = directory / "labels" / "s0"
    scale.mkdir(parents=True)
    (scale / _FIRST).write_bytes(encode_google(draw_cells(_NUM_LABELS)))
    spans = [f"{at}-{at + _CHUNK}" for at in range(0, _CHUNK * _CHUNKS, _CHUNK)]
    for names in product(spans, repeat=3):
        if (name := "_".join(names)) != _FIRST:
            os.link(scale / _FIRST, scale / name)
    described = {
        "key": "s0",
        "size": [_CHUNK * _CHUNKS] * 3,
        "resolution": [8, 8, 8],
        "chunk_sizes": [[_CHUNK] * 3],
        "encoding": "compressed_segmentation",
        "compressed_segmentation_block_size": [8, 8, 8],
    }
    info = {"type": "segmentation", "data_type": "uint64", "num_channels": 1, "scales": [described]}
    (directory / "labels" / "info").write_text(json.dumps(info))
    (directory / "build.toml").write_text(
        f'[store.labels]\nengine = "ngprecomputed"\nref = "file://{directory}/labels"\ninstance = "labels"\n'
    )


ALL: Final[Sequence[Callable[[Bench], list[Row]]]] = (map_rate, two_workers)
