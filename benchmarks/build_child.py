"""Runs steps of a build in a process of its own, and prints what they took as JSON: see `build_rows`."""

import asyncio
import json
import resource
import sys
import time
from pathlib import Path
from typing import Final

import numpy as np

from dvidpc.config import load_config
from dvidpc.index.build.block_counts import BlockCounts
from dvidpc.index.build.dask_run import Cluster, connected
from dvidpc.index.build.job import BuildJob
from dvidpc.index.build.job_making import find_store, make_job, parse_place, writing_access
from dvidpc.index.build.map_step import map_tile
from dvidpc.index.build.shard_making import make_shard
from dvidpc.index.layout import choose_sharding

_ROWS: Final = 100 * 2**16
"""Rows of a shard, if blocks have 100 labels."""


def job_in(directory: Path) -> BuildJob:
    """Return the build of the only store of `build.toml`."""
    config = load_config(directory / "build.toml")
    store = find_store(config, "labels")
    places = [writing_access(store, parse_place(str(directory / name))) for name in ("built", "scratch")]
    job, _ = asyncio.run(make_job(config, store, *places))
    return job


def map_tiles(directory: Path, tiles: int) -> dict[str, float]:
    """Map some tiles here; the first does not count, as it imports modules."""
    job = job_in(directory)
    map_tile(job, 0)
    before = time.process_time()
    done = [map_tile(job, tile) for tile in range(1, tiles)]
    return {
        "cpu_s": time.process_time() - before,
        "chunks": sum(one.chunks for one in done),
        "rows": sum(one.rows for one in done),
        "bytes": sum(one.nbytes for one in done),
    }


def reduce_rows(rows: int) -> dict[str, float]:
    """Make a shard of random rows."""
    rng = np.random.default_rng(1)
    counts = BlockCounts(
        rng.integers(1, rows // 30, rows, np.uint64),
        rng.integers(0, 2**17, rows, np.uint64),
        rng.integers(1, 2**18, rows, np.uint32),
    )
    before = time.process_time()
    made = make_shard(choose_sharding(1), counts)
    assert made is not None
    return {"cpu_s": time.process_time() - before, "rows": rows, "bytes": len(made[0])}


def on_dask(directory: Path, workers: int, tiles: int) -> dict[str, float]:
    """Map some tiles on workers of this machine."""
    job = job_in(directory)
    with connected(Cluster(workers=workers)) as client:
        client.gather([client.submit(map_tile, job, tile, pure=False) for tile in range(4 * workers)])
        before = time.perf_counter()
        client.gather([client.submit(map_tile, job, tile, pure=False) for tile in range(tiles)])
        return {"seconds": time.perf_counter() - before}


def main() -> None:
    """Run what the command line names."""
    what, directory, *numbers = sys.argv[1:]
    match what:
        case "map":
            took = map_tiles(Path(directory), int(numbers[0]))
        case "reduce":
            took = reduce_rows(_ROWS)
        case _:
            took = on_dask(Path(directory), *map(int, numbers))
    took["resident"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(f"{json.dumps(took)}\n")


if __name__ == "__main__":
    main()
