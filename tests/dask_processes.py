"""A Dask scheduler, workers and the client `dvidpc index build`, each a process that can be killed."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.waiting import soon

PATIENCE_S = 60
_ENVIRON = {
    **os.environ,
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "2s",
    "DASK_DISTRIBUTED__COMM__RETRY__COUNT": "0",
    "DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT": "1s",
}


@dataclass
class Cluster:
    """One scheduler and its workers."""

    directory: Path
    processes: list[Process] = field(default_factory=list)
    """The scheduler, then the workers."""

    @property
    def scheduler_file(self) -> Path:
        """Where the scheduler says how to connect to it."""
        return self.directory / "scheduler.json"

    async def start(self, workers: int = 2) -> None:
        """Start a scheduler and its workers."""
        self.scheduler_file.unlink(missing_ok=True)
        await self._run("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
        await soon(self.scheduler_file.exists, 0.05, PATIENCE_S)
        for _ in range(workers):
            await self.add_worker()

    async def add_worker(self) -> None:
        """Start a worker with one thread."""
        local = str(self.directory / "local")
        await self._run(
            "worker", "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", local
        )

    async def _run(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "dask", *arguments, "--scheduler-file", str(self.scheduler_file)]
        with (self.directory / "dask.log").open("ab") as log:
            self.processes.append(
                await asyncio.create_subprocess_exec(*command, env=_ENVIRON, stdout=log, stderr=log)
            )

    async def kill(self, which: Sequence[int]) -> None:
        """Send SIGKILL to some processes."""
        for number in which:
            process = self.processes[number]
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
                await process.wait()

    async def restart(self) -> None:
        """Kill everything and start again."""
        await self.kill(range(len(self.processes)))
        self.processes.clear()
        await self.start()


@asynccontextmanager
async def cluster(directory: Path, workers: int = 2) -> AsyncIterator[Cluster]:
    """Run a scheduler and workers, which talk over TCP."""
    found = Cluster(directory)
    try:
        await found.start(workers)
        yield found
    finally:
        await found.kill(range(len(found.processes)))


async def start_build(config: Path, output: Path, *options: str) -> Process:
    """Start `dvidpc index build`, with lines of JSON on stdout."""
    command = ["index", "build", str(config), "--store", "labels", "--to", str(output), "--json", *options]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dvidpc", *command, env=_ENVIRON, stdout=PIPE, stderr=PIPE
    )


async def finish_build(process: Process) -> tuple[int, list[str], str]:
    """Wait for a build to end; return its exit code, its lines and what it complained of."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode().splitlines(), err.decode()
