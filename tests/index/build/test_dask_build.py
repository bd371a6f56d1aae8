"""Builds on Dask: over TCP, with processes that are killed at random moments, and from a failing bucket."""

import asyncio
import functools
import json
import random
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from dvidpc.types import Point
from tests.building import Objects, index_of_counts, job_of, read_index, write_config
from tests.dask_processes import Cluster, cluster, finish_build, start_build
from tests.faulty.bucket import FaultyBucket, faulty_bucket
from tests.faulty.faults import Chance, Fault
from tests.label_chunks import draw_cells
from tests.label_index import count_blocks
from tests.label_volumes import LabelScale, write_labels
from tests.waiting import soon

LABELS = draw_cells(200, Point(160, 160, 160))
CHUNKS = 5**3
SLOW = Chance(1, (Fault(delay_s=0.2),))
"""Makes the map take some seconds."""


@functools.cache
def counted() -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64]]:
    """Return the blocks of all labels, as numpy counts them."""
    return count_blocks(LABELS, (0, 0, 0))


@dataclass(frozen=True)
class Site:
    """A volume of small chunks in a bucket, and its index as numpy counts it."""

    bucket: FaultyBucket
    config: Path
    output: Path
    truth: Objects

    def seen(self) -> int:
        """Return how many chunks were asked for."""
        return sum(count for key, count in self.bucket.counts.items() if key.startswith("volume/s0/"))


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    write_labels(tmp_path / "bucket/volume", LabelScale(LABELS, chunk_size=(32, 32, 32)))
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        config = write_config(tmp_path, f"{bucket.url}/volume")
        job, _ = await asyncio.to_thread(job_of, config, tmp_path / "index")
        truth = index_of_counts(job, counted())
        yield Site(bucket, config, tmp_path / "index", truth)


async def finish(site: Site, *options: str) -> list[dict[str, object]]:
    """Run a build, which must end well, and compare its index; return its lines."""
    process = await start_build(site.config, site.output, *options)
    code, lines, complaint = await finish_build(process)
    assert code == 0, complaint
    assert read_index(site.output) == site.truth
    return [json.loads(line) for line in lines]


def cluster_options(dask: Cluster) -> tuple[str, str]:
    return "--scheduler-file", str(dask.scheduler_file)


async def test_processes_of_this_machine_build_an_index(site: Site) -> None:
    lines = await finish(site, "--workers", "2")
    ended = [line["stage"] for line in lines if line.get("done") == line.get("total")]
    assert ended == ["map", "reduce", "finish", "done"]
    assert site.seen() == CHUNKS
    summary = lines[-1]
    assert (summary["stage"], summary["voxels"]) == ("done", LABELS.size)
    assert list(site.output.parent.glob("index.scratch/*")) == []
    again = await finish(site)
    assert again == [{"stage": "done"}]
    assert site.seen() == CHUNKS


async def test_a_scheduler_and_workers_over_tcp_build_an_index(site: Site, tmp_path: Path) -> None:
    async with cluster(tmp_path) as dask:
        address = json.loads(dask.scheduler_file.read_text())["address"]
        assert address.startswith("tcp://")
        await finish(site, "--scheduler", address, "--scratch", str(tmp_path / "work"))
    assert site.seen() == CHUNKS
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize("seed", range(2))
async def test_a_worker_is_killed(site: Site, tmp_path: Path, seed: int) -> None:
    """Another one takes its tasks over."""
    site.bucket.chance = SLOW
    async with cluster(tmp_path) as dask:
        process = await start_build(site.config, site.output, *cluster_options(dask))
        await reach(site, process, random.Random(seed).randrange(CHUNKS))
        await dask.kill([1])
        site.bucket.heal()
        code, _, complaint = await finish_build(process)
        assert code == 0, complaint
    assert read_index(site.output) == site.truth


@pytest.mark.parametrize("seed", range(2))
async def test_the_client_is_killed(site: Site, tmp_path: Path, seed: int) -> None:
    site.bucket.chance = SLOW
    async with cluster(tmp_path) as dask:
        for number in range(2):
            process = await start_build(site.config, site.output, *cluster_options(dask))
            await reach(site, process, random.Random(seed + 2 * number).randrange(CHUNKS))
            process.send_signal(signal.SIGKILL)
            await process.wait()
            assert not (site.output / "info").exists()
        site.bucket.heal()
        await finish(site, *cluster_options(dask))


@pytest.mark.parametrize("seed", range(2))
async def test_the_scheduler_is_killed(site: Site, tmp_path: Path, seed: int) -> None:
    site.bucket.chance = SLOW
    async with cluster(tmp_path) as dask:
        process = await start_build(site.config, site.output, *cluster_options(dask))
        await reach(site, process, random.Random(seed).randrange(CHUNKS))
        await dask.kill([0])
        code, _, complaint = await finish_build(process)
        assert code == 1, complaint
        assert "the Dask cluster is gone" in complaint
        assert "run the command again to go on where it was" in complaint
        assert not (site.output / "info").exists()
        site.bucket.heal()
        await dask.restart()
        await finish(site, *cluster_options(dask))


async def reach(site: Site, process: Process, chunks: int) -> None:
    """Wait until some more chunks were asked for."""
    until = site.seen() + 1 + chunks // 3
    await soon(lambda: site.seen() >= until or process.returncode is not None, 0.01, 60)
    assert process.returncode is None


async def test_what_is_done_is_not_done_again(site: Site, tmp_path: Path) -> None:
    site.bucket.chance = SLOW
    async with cluster(tmp_path, workers=1) as dask:
        process = await start_build(site.config, site.output, *cluster_options(dask))
        await soon(lambda: len(list(tmp_path.glob("index.scratch/*/tiles/*.parquet"))) >= 2, 0.01, 60)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await dask.restart()
        done = list(tmp_path.glob("index.scratch/*/tiles/*.parquet"))
        before = site.seen()
        site.bucket.heal()
        first, *_ = await finish(site, *cluster_options(dask))
        assert first["done"] == len(done)
        assert site.seen() - before < CHUNKS


async def test_a_bucket_with_2_percent_faults(site: Site) -> None:
    site.bucket.chance = Chance(0.02, seed=7)
    await finish(site, "--workers", "2")
    assert site.bucket.hurt > 0


async def test_a_chunk_that_stays_damaged_ends_the_build_and_is_named(site: Site) -> None:
    chunk = site.bucket.directory / "volume/s0/0-32_32-64_64-96"
    good = chunk.read_bytes()
    chunk.write_bytes(good[:100])
    code, _, complaint = await finish_build(await start_build(site.config, site.output, "--workers", "1"))
    assert code == 1
    last = complaint.splitlines()[-1]
    assert last.startswith(f"dvidpc: {site.bucket.url}/volume/s0/0-32_32-64_64-96: ")
    assert "Traceback" not in complaint
    assert not (site.output / "info").exists()
    chunk.write_bytes(good)
    await finish(site, "--workers", "1")


async def test_a_scheduler_that_does_not_answer_is_one_line(site: Site) -> None:
    process = await start_build(site.config, site.output, "--scheduler", "tcp://127.0.0.1:9")
    code, _, complaint = await finish_build(process)
    assert code == 2
    assert complaint.startswith("dvidpc: no Dask scheduler answers at tcp://127.0.0.1:9")


def test_a_missing_package_is_named_with_what_to_install() -> None:
    program = (
        "import sys\nsys.modules['distributed'] = None\nfrom dvidpc.cli import main\n"
        "sys.exit(main(['index', 'build', 'c.toml', '--store', 'a', '--to', 'b']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "dvidpc: dvidpc index needs the package distributed; run: pip install 'dvidpc[index]'\n"
    )
