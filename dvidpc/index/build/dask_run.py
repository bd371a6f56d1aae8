"""Has Dask run the steps of a build, and resumes a build that was stopped."""

import logging
import time
from asyncio import CancelledError
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import dask
from distributed import Client, Future, KilledWorker, LocalCluster, as_completed
from distributed.client import FutureCancelledError

from dvidpc.errors import ConfigError, StoreError
from dvidpc.index.build.build_files import BuildFiles, open_files
from dvidpc.index.build.finish_step import finish_index
from dvidpc.index.build.job import BuildJob, tile_grid
from dvidpc.index.build.map_step import TILES, Done, map_tile, tile_name
from dvidpc.index.build.reduce_step import ROWS, reduce_partition, rows_name
from dvidpc.index.build.source_versions import SOURCES_KEY
from dvidpc.index.build.table_writing import Totals
from dvidpc.index.build.tile_reading import grid_of
from dvidpc.index.layout import INFO_KEY

_RETRIES: Final = 4
"""How often Dask tries a failed task again."""


class Stage(NamedTuple):
    """How far a step is."""

    stage: str
    """`map`, `reduce` or `finish`."""
    done: int
    total: int
    chunks: int
    """Chunks that were read in this run."""


Report = Callable[[Stage], None]
"""Called when a task is done."""


@dataclass(frozen=True)
class Cluster:
    """Where tasks run: at a scheduler that is running, or else in processes of this machine."""

    address: str | None = None
    """Such as `tcp://host:8786`; None: see the others."""
    scheduler_file: Path | None = None
    """As `dask scheduler --scheduler-file` writes it; None: start processes here."""
    workers: int | None = None
    """Processes to start here; None: one for each core."""


@contextmanager
def connected(cluster: Cluster) -> Iterator[Client]:
    """Connect to a cluster, or start one.

    Raises:
        ConfigError: The scheduler does not answer.
    """
    # A worker must be able to start the processes that decode what could crash it.
    with dask.config.set({"distributed.worker.daemon": False}):
        if cluster.address is None and cluster.scheduler_file is None:
            with (
                LocalCluster(
                    n_workers=cluster.workers,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address=None,
                    silence_logs=logging.CRITICAL,  # errors of tasks are raised here, once
                ) as local,
                Client(local) as client,
            ):
                yield client
            return
        try:
            client = Client(cluster.address, scheduler_file=cluster.scheduler_file)
        except (OSError, ValueError) as error:
            raise ConfigError(f"no Dask scheduler answers at {cluster.address}: {error}") from error
        with client:
            yield client


def run_build(client: Client, job: BuildJob, sources: bytes, report: Report) -> Totals:
    """Run all steps that are not done yet, and return what the index holds.

    Raises:
        FormatError: A chunk is damaged, whenever it is read.
        StoreError: The volume cannot be read, or the index cannot be written; or the cluster is gone.
    """
    scratch, output = open_files(job.scratch), open_files(job.output)
    scratch.write(SOURCES_KEY, sources)
    output.remove(INFO_KEY)  # of an older index, which ends here
    runner = _Runner(client, job, report)
    tiles = tile_grid(grid_of(job)).count
    runner.run_missing("map", map_tile, _missing(scratch, TILES, tile_name, tiles), tiles)
    waiting = _missing(scratch, ROWS, rows_name, job.partitions)
    runner.run_missing("reduce", reduce_partition, waiting, job.partitions, tiles)
    totals = runner.run_last(finish_index)
    scratch.clear()
    return totals


def _missing(scratch: BuildFiles, directory: str, name: Callable[[int], str], total: int) -> list[int]:
    scratch.sweep(directory)
    done = scratch.sizes(directory)
    return [number for number in range(total) if name(number).rpartition("/")[2] not in done]


@dataclass
class _Runner:
    """Runs tasks and waits for them."""

    client: Client
    job: BuildJob
    report: Report
    chunks: int = 0

    def run_missing(
        self, stage: str, step: Callable[..., Done], numbers: Sequence[int], total: int, *more: int
    ) -> None:
        """Run a step for some numbers, of *total* that there are."""
        done = total - len(numbers)
        self.report(Stage(stage, done, total, self.chunks))
        key = f"{stage}-{self.job.fingerprint}-{time.time_ns():x}"
        futures = [
            self.client.submit(step, self.job, number, *more, key=f"{key}-{number}", retries=_RETRIES)
            for number in numbers
        ]
        try:
            for future in as_completed(futures):
                self.chunks += _result(future).chunks
                done += 1
                self.report(Stage(stage, done, total, self.chunks))
        finally:
            if self.client.status == "running":
                self.client.cancel(futures)

    def run_last(self, step: Callable[[BuildJob], Totals]) -> Totals:
        self.report(Stage("finish", 0, 1, self.chunks))
        key = f"finish-{self.job.fingerprint}-{time.time_ns():x}"
        totals: Totals = _result(self.client.submit(step, self.job, key=key, retries=_RETRIES))
        self.report(Stage("finish", 1, 1, self.chunks))
        return totals


def _result(future: "Future[Any]") -> Any:  # noqa: ANN401 - as the task's
    """Return the result of a task that has ended, or raise its error."""
    try:
        return future.result()
    except KilledWorker as error:
        raise StoreError(
            f"{error}; if workers run out of memory, give each at least 1 GiB, then run the command again"
        ) from error
    except (CancelledError, FutureCancelledError, OSError) as error:
        raise StoreError(
            f"the Dask cluster is gone ({error}); run the command again to go on where it was"
        ) from error
