"""The row of a mesh: its fragments are read concurrently, so its cost is a few round trips."""

import json
import statistics
import time
from pathlib import Path

import numpy as np

from benchmarks.machinery import NODE, ROUND_TRIP_S, bucket, dvidpc, s3_store, slow_network
from benchmarks.rows import Bench, Row, fetch

_FRAGMENTS = 64
_SIDE = 30
"""A fragment is a sheet of this many vertices squared."""


def mesh(bench: Bench) -> list[Row]:
    """Measure legacy meshes that the server has not read before, over a slow network."""
    root = bench.directory / "segments"
    segments = range(1, bench.rounds + 2)
    bench.directory.chmod(0o755)  # nginx reads as another user
    _write(root, segments)
    with (
        bucket(root, bench.directory) as url,
        slow_network(url) as slow,
        dvidpc(s3_store(slow), bench.directory) as server,
    ):
        prefix = f"{server.url}{NODE}_meshes/key"
        times = []
        for segment_id in segments:
            started = time.perf_counter()
            fetch(f"{prefix}/{segment_id}.ngmesh")
            times.append(time.perf_counter() - started)
    trips = [each / ROUND_TRIP_S for each in times[1:]]  # the first one reads the info of the directory too
    ratio = statistics.median(trips)
    ours = f"{1000 * statistics.median(times[1:]):.0f} ms"
    limit = f"{1000 * ROUND_TRIP_S:.0f} ms"
    return [Row("legacy mesh of 64 fragments, cold, bucket 30 ms away", ours, limit, ratio, 3, False, trips)]


def _write(root: Path, segments: range) -> None:
    """Write a segmentation without chunks, and meshes beside it."""
    scale = {
        "key": "s0",
        "size": [64] * 3,
        "resolution": [8] * 3,
        "encoding": "raw",
        "chunk_sizes": [[64] * 3],
    }
    info = {
        "type": "segmentation",
        "data_type": "uint64",
        "num_channels": 1,
        "mesh": "mesh",
        "scales": [scale],
    }
    (root / "mesh").mkdir(parents=True)
    (root / "info").write_text(json.dumps(info))
    (root / "mesh" / "info").write_text('{"@type": "neuroglancer_legacy_mesh"}')
    fragment = _draw_sheet()
    for segment_id in segments:
        names = [f"{segment_id}:0:{number}" for number in range(_FRAGMENTS)]
        (root / "mesh" / f"{segment_id}:0").write_text(json.dumps({"fragments": names}))
        for name in names:
            (root / "mesh" / name).write_bytes(fragment)


def _draw_sheet() -> bytes:
    number = np.arange(_SIDE**2, dtype="<u4").reshape(_SIDE, _SIDE)
    x, y = np.divmod(number.ravel(), _SIDE)
    vertices = np.stack([x, y, x * y], 1).astype("<f4")
    corners = number[:-1, :-1].ravel(), number[:-1, 1:].ravel(), number[1:, :-1].ravel()
    return np.uint32(_SIDE**2).tobytes() + vertices.tobytes() + np.stack(corners, 1).tobytes()
