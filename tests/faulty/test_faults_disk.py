"""F23: the disk of a disk cache fills up, cannot be written to, flips bits, loses files, or hangs.

The servers keep nothing in memory: every read goes to the disk.
"""

import asyncio
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.disk.sites import FAKETIME, Process, data_reads, disk_text, process_of
from tests.faulty.bucket import FaultyBucket, faulty_bucket
from tests.faulty.site import UNSHARDED, store_section
from tests.faulty.troubled_disk import disk_metrics
from tests.faulty.truth import Truth, blocks_path, write_truth
from tests.programs import need
from tests.servers import free_port
from tests.serving import UUID
from tests.volumes import XYZ

NO_LIMIT = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
READ_LOCKS_LENGTH, READ_LOCKS_START = 5, 123
"""The bytes of the index of the log that readers lock (SQLite, walformat.html, section 2.3.1)."""


@dataclass(frozen=True)
class Disk:
    """A volume in a bucket, and a directory for the disk cache of its servers."""

    directory: Path
    bucket: FaultyBucket
    truth: Truth

    @property
    def files(self) -> dict[str, Path]:
        """The files of the cache by their names."""
        names = ("cache.sqlite", "cache.sqlite-wal", "cache.sqlite-shm", "CACHEDIR.TAG")
        return {name: self.directory / "disk" / "dvidpc-cache" / name for name in names}


@pytest.fixture(name="disk")
async def a_disk(tmp_path: Path) -> AsyncIterator[Disk]:
    truth = write_truth(tmp_path / "bucket" / "em", UNSHARDED)
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        yield Disk(tmp_path, bucket, truth)


@dataclass(frozen=True)
class Site:
    """A server in a process of its own."""

    process: Process
    disk: Disk
    metrics: str
    """The URL of its metrics."""

    async def serve(self, blocks: list[XYZ] | None = None) -> int:
        """Ask for *blocks* (None: all), which have to be right; return how many reads they cost."""
        asked = self.disk.truth.blocks if blocks is None else blocks
        before = len(data_reads(self.disk.bucket))
        status, body = await self.process.ask(blocks_path(f"/api/node/{UUID}", "em", asked))
        assert status == 200, body
        assert self.disk.truth.wrong_in(asked, body) == []
        return len(data_reads(self.disk.bucket)) - before

    async def warm(self, blocks: list[XYZ] | None = None) -> None:
        """Ask for *blocks* (None: all) until all come from the disk."""
        asked = self.disk.truth.blocks if blocks is None else blocks
        reads = 1
        while reads or await self.count("entries") < sum(map(self.disk.truth.is_stored, asked)):
            reads = await self.serve(asked)

    async def count(self, name: str) -> float:
        """Return a number of the disk cache."""
        return (await disk_metrics(f"metrics at {self.metrics}"))[name]


@asynccontextmanager
async def serving(
    disk: Disk, environ: Mapping[str, str] | None = None, prefix: Sequence[str] = ()
) -> AsyncIterator[Site]:
    """Run a server; *environ* is added to its environment, and *prefix* is a command that runs it."""
    port = free_port()
    ref = store_section("http", disk.bucket)
    metrics = f'[metrics]\naddress = "127.0.0.1:{port}"\n'
    text = disk_text(disk.directory, ref, more="memory = 0\nindex_memory = 0", sections=metrics)
    async with (
        process_of(text, disk.directory, environ=environ, prefix=prefix) as process,
        asyncio.timeout(40),
    ):
        yield Site(process, disk, f"http://127.0.0.1:{port}/metrics")
    assert not any("Traceback" in line for line in process.command.lines)


def told_by(site: Site) -> list[str]:
    """Return the lines about trouble with the disk cache in the log of a server that has ended."""
    return [line for line in site.process.command.lines if "disk cache" in line and " INFO " not in line]


async def test_f23_a_disk_that_is_full_is_read_and_is_written_again_once_there_is_room(disk: Disk) -> None:
    """Stand in for it with a limit on the size of files; then the server's clock is put forward."""
    need("faketime", "faketime")
    offset = disk.directory / "offset"
    offset.write_text("+0\n")
    clock = {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_CACHE_DURATION": "1"}
    known = disk.truth.blocks[:3]
    async with serving(disk, clock) as site:
        await site.warm(known)
        pid = site.process.command.process.pid
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        while await site.count("writable"):
            await site.serve()
        assert await site.serve(known) == 0
        resource.prlimit(pid, resource.RLIMIT_FSIZE, NO_LIMIT)
        offset.write_text("+2m\n")
        await asyncio.sleep(1.5)  # it is read once a second, and timeouts are put forward too
        await site.process.ask("/healthz")
        await site.warm()
        assert await site.count("writable")
        assert await site.count("errors_total") > 0
        assert await site.count("dropped_total") > 0
    stopped, *_, resumed = told_by(site)
    assert "is not written to" in stopped
    assert "can be written to again" in resumed


@pytest.mark.parametrize("names", [["cache.sqlite"], ["."], [".", "cache.sqlite"]], ids="+".join)
async def test_f23_a_read_only_disk(names: list[str], disk: Disk) -> None:
    known = disk.truth.blocks[:3]
    async with serving(disk) as site:
        await site.warm(known)
    paths = [disk.files["cache.sqlite"].parent / name for name in names]
    modes = [path.stat().st_mode for path in paths]
    for path in paths:
        path.chmod(0o500)
    async with serving(disk, prefix=without_privileges()) as site:
        for _ in range(3):
            await site.serve()
    assert len(told_by(site)) == 1, told_by(site)
    for path, mode in zip(paths, modes, strict=True):
        path.chmod(mode)
    async with serving(disk) as site:
        await site.warm()
    assert told_by(site) == []


def without_privileges() -> list[str]:
    """Return a command that runs another one for which permissions count, even for root."""
    if os.geteuid() != 0:
        return []
    privileges = "-dac_override,-dac_read_search"
    program = need("setpriv", "util-linux")
    return [program, f"--bounding-set={privileges}", f"--inh-caps={privileges}", "--"]


async def test_f23_entries_whose_bits_flipped_are_read_from_the_bucket(disk: Disk) -> None:
    async with serving(disk) as site:
        await site.warm()
    blocks = [block for block in disk.truth.blocks if disk.truth.is_stored(block) and max(block) < 1]
    blocks += [(1, 0, 0), (0, 1, 1)]
    for block in blocks:
        content = disk.truth.expected(block).transpose(2, 1, 0).tobytes()
        flip(disk.files["cache.sqlite"], content[1000:1100])
    async with serving(disk) as site:
        assert await site.serve() == len(blocks)
        assert await site.count("errors_total") == len(blocks)
        await site.warm()
        assert await site.count("errors_total") == len(blocks)
    told = told_by(site)
    assert told
    assert all("damaged entry" in line for line in told)


def flip(file: Path, content: bytes) -> None:
    """Flip one bit wherever *content* begins in *file*: an older copy may lie in a page that is free."""
    flipped = bytes([content[0] ^ 1]) + content[1:]
    data = file.read_bytes()
    assert content in data
    file.write_bytes(data.replace(content, flipped))


@pytest.mark.parametrize(
    "names",
    [
        ["cache.sqlite"],
        ["cache.sqlite-wal"],
        ["cache.sqlite-shm"],
        ["cache.sqlite", "cache.sqlite-wal", "cache.sqlite-shm", "CACHEDIR.TAG"],
        ["."],
    ],
    ids="+".join,
)
async def test_f23_files_that_are_deleted_are_made_anew(names: list[str], disk: Disk) -> None:
    """Only some of them too: programs that tidy up delete single files that have not changed for long."""
    async with serving(disk) as site:
        await site.warm(disk.truth.blocks[:3])
        for name in names:
            if name == ".":
                shutil.rmtree(disk.files["cache.sqlite"].parent)
            else:
                disk.files[name].unlink()
        await site.warm()
        while not all(path.exists() for path in disk.files.values()):
            await site.serve()
    for line in told_by(site):
        assert re.search("starts empty|is opened anew|cannot be read", line), line
    async with serving(disk) as site:
        before = disk.bucket.sent
        await site.serve()
        assert disk.bucket.sent - before < 2000, "`info` may be lost: then one byte of each block is read"


async def test_f23_the_cache_is_ours_without_its_tag(disk: Disk) -> None:
    async with serving(disk) as site:
        await site.warm()
    disk.files["CACHEDIR.TAG"].unlink()
    async with serving(disk) as site:
        assert await site.serve() == 0
    assert told_by(site) == []
    assert disk.files["CACHEDIR.TAG"].exists()


async def test_f23_a_disk_that_hangs_delays_requests_and_the_stop_for_a_short_while(disk: Disk) -> None:
    """Stand in for it with the locks of readers: SQLite waits for them for ten seconds."""
    with ExitStack() as stack:
        async with serving(disk) as site:
            await site.warm()
            with hanging(disk.files["cache.sqlite-shm"]):
                assert await site.serve() > 0
                for _ in range(5):
                    await site.serve()
            assert await site.count("errors_total") > 0
            stack.enter_context(hanging(disk.files["cache.sqlite-shm"]))
            await site.serve()


@contextmanager
def hanging(file: Path) -> Iterator[None]:
    """Keep readers of the database from reading."""
    code = (
        f"import fcntl\nfile = open({str(file)!r}, 'r+b')\n"
        f"fcntl.lockf(file, fcntl.LOCK_EX, {READ_LOCKS_LENGTH}, {READ_LOCKS_START})\n"
        "print(flush=True)\ninput()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.kill()
