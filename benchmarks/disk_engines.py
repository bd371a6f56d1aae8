"""Compare embedded engines for a cache on disk: `python -m benchmarks.disk_engines --gib 4`.

Each engine and each phase has a process of its own. Values have 40 kB and do not compress. Between writing
and reading the pages of the files are dropped from memory (`posix_fadvise`), and no value is read twice
while it is cold: every read goes to the disk, as it does when the cache is many times larger than memory.
"""

import argparse
import asyncio
import functools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.engines import ENGINES, Engine, Items

VALUE_BYTES = 40_000
BATCH = 16
THREADS, AT_ONCE = 2, 8
READS = 8000

COLUMNS = (
    "engine",
    *("write p50 / p99", "CPU", "written"),
    *("when full p50 / p99", "CPU", "written"),
    *("cold read p50 / p99", "CPU"),
    *("hot read p50 / p99", "CPU"),
    "size",
)
POOL = random.Random(1).randbytes(2**24)


def name_of(number: int) -> bytes:
    """Return the name of a value: 16 bytes without an order."""
    return random.Random(number).randbytes(16)


def value_of(name: bytes) -> bytes:
    """Return the value that belongs to *name*."""
    at = int.from_bytes(name[:3], "little") % (len(POOL) - VALUE_BYTES)
    return name + POOL[at : at + VALUE_BYTES - 16]


def items_of(numbers: Sequence[int]) -> list[tuple[bytes, bytes]]:
    """Return names and values."""
    return [(name, value_of(name)) for name in map(name_of, numbers)]


def written_bytes() -> int:
    """Return what this process has dirtied of files, in bytes."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


def disk_bytes(directory: Path) -> int:
    """Return what the files take on the disk."""
    return sum(path.stat().st_blocks * 512 for path in directory.rglob("*") if path.is_file())


def drop_pages(directory: Path) -> None:
    """Write the files to the disk, and drop them from memory."""
    for path in directory.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


async def timed(steps: Iterable[Callable[[], object]], threads: int, at_once: int) -> dict[str, float]:
    """Run *steps* in threads, *at_once* at a time; return times in ms and CPU in us of each."""
    loop, left = asyncio.get_running_loop(), iter(steps)
    times: list[float] = []
    with ThreadPoolExecutor(threads) as pool:

        async def work() -> None:
            for step in left:
                started = time.perf_counter()
                await loop.run_in_executor(pool, step)
                times.append(time.perf_counter() - started)

        cpu = time.process_time()
        await asyncio.gather(*(work() for _ in range(at_once)))
        cpu = time.process_time() - cpu
    times.sort()
    return {
        "count": len(times),
        "p50_ms": statistics.median(times) * 1e3,
        "p99_ms": times[int(len(times) * 0.99)] * 1e3,
        "cpu_us": cpu / len(times) * 1e6,
    }


def checked_get(engine: Engine, name: bytes) -> None:
    """Read a value, and look whether it is the right one at both ends."""
    value = engine.get(name)
    truth = value_of(name)
    if value is None or value[:16] != name or value[-8:] != truth[-8:] or len(value) != len(truth):
        raise RuntimeError("a wrong value")


def put_phase(engine: Engine, count: int) -> dict[str, float]:
    """Write *count* values, a batch at a time."""
    return _writing(engine, (([], items_of(range(at, at + BATCH))) for at in range(0, count, BATCH)))


def replace_phase(engine: Engine, count: int) -> dict[str, float]:
    """Write a quarter as many again, and delete as many, those written first: a cache that is full."""
    starts = range(0, count // 4, BATCH)
    return _writing(
        engine,
        (
            (
                [name_of(n) for n in range(at, at + BATCH)],
                items_of(range(at + 2 * count, at + 2 * count + BATCH)),
            )
            for at in starts
        ),
    )


def _writing(engine: Engine, batches: Iterable[tuple[Sequence[bytes], Items]]) -> dict[str, float]:
    """Write batches in one thread; times are of a batch, CPU is of a value."""
    before = written_bytes()
    figures = asyncio.run(timed((functools.partial(engine.replace, *batch) for batch in batches), 1, 1))
    engine.close()
    payload = figures["count"] * BATCH * VALUE_BYTES
    return {
        **figures,
        "cpu_us": figures["cpu_us"] / BATCH,
        "written": (written_bytes() - before) / payload,
    }


def get_phase(engine: Engine, count: int) -> dict[str, float]:
    """Read values in a random order, each once."""
    numbers = random.Random(7).sample(range(count // 4 + BATCH, count), min(READS, count // 2))
    steps = (functools.partial(checked_get, engine, name_of(number)) for number in numbers)
    return asyncio.run(timed(steps, THREADS, AT_ONCE))


def idle_phase(_engine: Engine, count: int) -> dict[str, float]:
    """Do all of a read but the reading: what the measurement itself costs."""
    steps = (functools.partial(value_of, name_of(number)) for number in range(min(READS, count)))
    return asyncio.run(timed(steps, THREADS, AT_ONCE))


PHASES = {"idle": idle_phase, "put": put_phase, "replace": replace_phase, "cold": get_phase, "hot": get_phase}


def run_phase(name: str, phase: str, directory: Path, count: int) -> dict[str, float]:
    """Run one phase in this process."""
    return PHASES[phase](ENGINES[name](directory, 4 * count * VALUE_BYTES), count)


def measure(name: str, directory: Path, count: int) -> str:
    """Measure one engine from an empty directory on, each phase in a process of its own; return a line."""
    figures: dict[str, dict[str, float]] = {}
    for phase in PHASES:
        if phase == "cold":
            size = disk_bytes(directory) / (count * VALUE_BYTES)
            drop_pages(directory)
        arguments = "--phase", name, phase, str(directory), str(count)
        command = [sys.executable, "-m", "benchmarks.disk_engines", *arguments]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        figures[phase] = json.loads(output)
    idle = figures["idle"]["cpu_us"]
    cells = [name]
    for phase in ("put", "replace"):
        one = figures[phase]
        cells += [_times(one), f"{one['cpu_us'] - idle:.0f}", f"{one['written']:.1f}"]
    for phase in ("cold", "hot"):
        cells += [_times(figures[phase]), f"{figures[phase]['cpu_us'] - idle:.0f}"]
    return f"| {' | '.join([*cells, f'{size:.2f}'])} |"


def _times(figures: dict[str, float]) -> str:
    return f"{figures['p50_ms']:.1f} / {figures['p99_ms']:.1f}"


def main() -> None:
    """Print the table, a line for each engine."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.disk_engines", description=__doc__)
    parser.add_argument("--gib", type=float, default=4, help="how much is written")
    parser.add_argument("--only", default="", help="only the engines whose name holds this")
    parser.add_argument("--directory", help="on the disk to be measured; default: that for temporary files")
    parser.add_argument("--phase", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.phase:
        name, phase, where, values = options.phase
        sys.stdout.write(json.dumps(run_phase(name, phase, Path(where), int(values))))
        return
    count = int(options.gib * 2**30 / VALUE_BYTES)
    sys.stdout.write(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|\n")
    for name in ENGINES:
        if options.only in name:
            with tempfile.TemporaryDirectory(dir=options.directory) as scratch:
                sys.stdout.write(measure(name, Path(scratch) / "engine", count) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
