"""What happens to the disk of a disk cache while servers use it, and what they make of it."""

import asyncio
import contextlib
import errno
import itertools
import re
import resource
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final, TypeAlias

import aiohttp
import psutil
from prometheus_client.parser import text_string_to_metric_families

from dvidpc.cache.disk.disk_place import UnusableError
from dvidpc.cache.disk.upkeep import clear
from tests.programs import find

BUDGET: Final = 64 * 2**20
"""The least that a configuration may say."""
_SMALL: Final = 112 * 2**20
"""Bytes of a small file system: budget, what was set aside, the journal, and a little for something else."""
_SAMPLE_EVERY_S: Final = 0.1


@dataclass(frozen=True)
class TroubledDisk:
    """A directory for a disk cache, and the server that uses it."""

    root: Path
    """The configured `disk_path`."""
    kind: str = "directory"
    """Which small file system its parent is, `tmpfs` or `ext4`; `directory`: it is none of its own."""
    random: Random = field(default_factory=lambda: Random(1))

    @property
    def directory(self) -> Path:
        """What the server makes."""
        return self.root / "dvidpc-cache"

    @property
    def cache_keys(self) -> str:
        """Lines for the section `[cache]`."""
        return f'disk = "{BUDGET}"\ndisk_path = "{self.root}"\n'

    def nbytes(self) -> int:
        """Return the bytes of all files below the directory."""
        found = 0
        for path in self.root.rglob("*"):
            with suppress(FileNotFoundError):
                found += path.stat().st_size if path.is_file() else 0
        return found


Trouble: TypeAlias = Callable[[TroubledDisk, psutil.Process], AbstractContextManager[None]]
"""Lasts as long as its context."""


@contextmanager
def flipped_bits(disk: TroubledDisk, _server: psutil.Process) -> Iterator[None]:
    """Flip bits of the database and of its log, in many places or in one."""
    for file in (disk.directory / "cache.sqlite", disk.directory / "cache.sqlite-wal"):
        with suppress(FileNotFoundError), file.open("r+b", buffering=0) as stream:
            size = stream.seek(0, 2)
            for _ in range(disk.random.choice([1, 8, 64]) if size else 0):
                at = disk.random.randrange(size)
                stream.seek(at)
                byte = stream.read(1)
                stream.seek(at)
                stream.write(bytes([(byte or b"\0")[0] ^ 1 << disk.random.randrange(8)]))
    yield


@contextmanager
def lost_pages(disk: TroubledDisk, _server: psutil.Process) -> Iterator[None]:
    """Fill some pages of the database with zeros, as a disk does after a repair."""
    with suppress(FileNotFoundError), (disk.directory / "cache.sqlite").open("r+b", buffering=0) as stream:
        pages = stream.seek(0, 2) // 4096
        for page in disk.random.sample(range(pages), min(pages, 8)):
            stream.seek(page * 4096)
            stream.write(bytes(4096))
    yield


@contextmanager
def deleted(disk: TroubledDisk, _server: psutil.Process) -> Iterator[None]:
    """Delete all files."""
    for name in ("CACHEDIR.TAG", "cache.sqlite", "cache.sqlite-wal", "cache.sqlite-shm"):
        (disk.directory / name).unlink(missing_ok=True)
    yield


@contextmanager
def lost_log(disk: TroubledDisk, _server: psutil.Process) -> Iterator[None]:
    """Delete the log only."""
    (disk.directory / "cache.sqlite-wal").unlink(missing_ok=True)
    yield


@contextmanager
def cleared(disk: TroubledDisk, _server: psutil.Process) -> Iterator[None]:
    """Clear the cache, as `dvidpc cache clear` does."""
    with suppress(UnusableError):
        clear(disk.root)
    yield


@contextmanager
def short_files(disk: TroubledDisk, server: psutil.Process) -> Iterator[None]:
    """Forbid the server and its workers to write beyond some position of any file."""
    limit = disk.random.choice([65536, 2**20, BUDGET // 4, BUDGET // 2])
    processes = [server, *server.children()]
    for process in processes:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        for process in {*processes, *server.children()}:
            with suppress(ProcessLookupError):
                no_limit = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, no_limit)


@contextmanager
def full(disk: TroubledDisk, _server: psutil.Process) -> Iterator[None]:
    """Fill the file system with something else; does nothing if it is not a small one of its own."""
    other = disk.root.parent / "something-else"
    if disk.kind != "directory":
        fill(other)
    try:
        yield
    finally:
        other.unlink(missing_ok=True)


def fill(file: Path) -> None:
    """Write to *file* until nothing more can be written."""
    with file.open("wb", buffering=0) as stream:
        try:
            while stream.write(bytes(65536)):
                pass
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


@contextmanager
def read_only(disk: TroubledDisk, _server: psutil.Process) -> Iterator[None]:
    """Make the directory and its files read-only, for root by the attribute "immutable".

    The attribute stops writing to open files on ext4, not on tmpfs. What is denied is left as it is.
    """
    found = [path for path in (disk.directory, *disk.directory.glob("*")) if path.exists()]
    chattr = find("chattr", "e2fsprogs")
    modes = {path: path.stat().st_mode for path in found}
    for path, mode in modes.items():
        with suppress(OSError):
            path.chmod(mode & 0o555)
    subprocess.run([chattr, "+i", *found], stderr=subprocess.DEVNULL, check=False)
    try:
        yield
    finally:
        subprocess.run([chattr, "-i", *found], stderr=subprocess.DEVNULL, check=False)
        for path, mode in modes.items():
            with suppress(OSError):
                path.chmod(mode)


@contextmanager
def hanging(disk: TroubledDisk, _server: psutil.Process) -> Iterator[None]:
    """Have writes to the disk hang; does nothing if it is not ext4 in a small file system of its own."""
    freeze = find("fsfreeze", "util-linux")
    if disk.kind == "ext4":
        subprocess.run([freeze, "--freeze", disk.root.parent], check=True)
    try:
        yield
    finally:
        if disk.kind == "ext4":
            subprocess.run([freeze, "--unfreeze", disk.root.parent], check=True)


TROUBLES: Final[Sequence[Trouble]] = (
    flipped_bits,
    deleted,
    lost_pages,
    flipped_bits,
    cleared,
    short_files,
    flipped_bits,
    hanging,
    full,
    flipped_bits,
    lost_log,
    read_only,
)
"""In the order in which the soak has them happen.

Once writing has failed, the server does not try again for a minute: what makes it fail is two others apart.
"""


@dataclass
class DiskFindings:
    """What became of a disk cache."""

    troubles: Counter[str] = field(default_factory=Counter)
    most_bytes: int = 0
    """The most bytes of its files that were seen."""
    samples: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Its counters and gauges in the end."""

    @property
    def is_bounded(self) -> bool:
        """Whether it never took more than its budget and one per cent."""
        return self.samples > 0 and self.most_bytes <= BUDGET * 1.01

    @property
    def share(self) -> float:
        """The most bytes, of the budget."""
        return round(self.most_bytes / BUDGET, 4)

    def figures(self, log: str) -> dict[str, object]:
        """Return what to print; *log* is the server's."""
        return {
            "disk troubles": dict(self.troubles),
            "disk bytes, most, of the budget": self.share,
            "disk samples": self.samples,
            "disk metrics": dict(self.metrics),
            "disk lines in the log": dict(lines_about_disk(log).most_common()),
        }


def lines_about_disk(log: str) -> Counter[str]:
    """Return how often the log says what about the disk cache; numbers are left out."""
    lines = [
        line.partition("disk cache")[2]
        for line in log.splitlines()
        if "disk cache" in line and " INFO " not in line
    ]
    return Counter(re.sub(r"\d+", "N", re.sub(r"/\S*/", "", line)).strip() for line in lines)


async def trouble(disk: TroubledDisk, server: psutil.Process, findings: DiskFindings, every_s: float) -> None:
    """Have one trouble after the other, until cancelled; half of the time there is none."""
    for begin in itertools.cycle(TROUBLES):
        await asyncio.sleep(disk.random.uniform(0.5, 1) * every_s)
        with begin(disk, server):
            findings.troubles[begin.__name__] += 1
            await asyncio.sleep(disk.random.uniform(0, 0.5) * every_s)


async def watch_size(disk: TroubledDisk, findings: DiskFindings) -> None:
    """Sample the size of the cache until cancelled."""
    while True:
        findings.most_bytes = max(findings.most_bytes, await asyncio.to_thread(disk.nbytes))
        findings.samples += 1
        await asyncio.sleep(_SAMPLE_EVERY_S)


async def disk_metrics(log: str) -> dict[str, float]:
    """Return what the disk caches of all workers count, summed up; *log* says where it is found."""
    found: defaultdict[str, float] = defaultdict(float)
    async with aiohttp.ClientSession() as session:
        for url in re.findall(r"metrics at (\S+)", log):
            async with session.get(url) as answer:
                for family in text_string_to_metric_families(await answer.text()):
                    for sample in family.samples:
                        if sample.name.startswith("dvidpc_disk_cache_"):
                            found[sample.name.removeprefix("dvidpc_disk_cache_")] += sample.value
    return dict(found)


@contextmanager
def troubled_disk(directory: Path, kind: str = "directory") -> Iterator[TroubledDisk]:
    """Make a directory for a disk cache below *directory*.

    Args:
        directory: Where.
        kind: `tmpfs` or `ext4`: in a small file system of its own, which only root may mount; or `directory`.
    """
    place = directory / "small-disk"
    place.mkdir()
    with contextlib.ExitStack() as stack:
        if kind != "directory":
            mount(place, kind)
            unmount = [find("umount", "mount"), "--lazy", str(place)]
            stack.callback(lambda: subprocess.run(unmount, check=True))
        (place / "disk").mkdir()
        yield TroubledDisk(place / "disk", kind)


def mount(place: Path, kind: str) -> None:
    """Mount a small file system at *place*."""
    what, options = Path("tmpfs"), f"size={_SMALL}"
    if kind == "ext4":
        what, options = place.with_suffix(".ext4"), "loop"
        with what.open("wb") as image:
            image.truncate(_SMALL)
        subprocess.run([find("mkfs.ext4", "e2fsprogs"), "-q", what], check=True)
    subprocess.run([find("mount", "mount"), "-t", kind, "-o", options, what, place], check=True)
