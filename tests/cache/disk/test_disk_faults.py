"""A disk that is full, cannot be written to, or returns noise costs entries, and never a wrong byte."""

import asyncio
import errno
import multiprocessing
import os
import random
import resource
import shutil
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dvidpc.cache.disk.disk_cache import DiskCache
from dvidpc.cache.disk.disk_writer import RETRY_MAX_S, RETRY_MIN_S
from tests.cache.disk.values import BUDGET, below, data_of, entry_of, is_right, name_of
from tests.logged import logging_to
from tests.waiting import Clock

TROUBLES = ("disk I/O error", "database or disk is full")
PLACE = "dvidpc-cache/cache.sqlite"


def in_child(work: Callable[[Path], Coroutine[Any, Any, None]], directory: Path) -> str:
    """Run *work* in a process of its own, whose limits it may change; return what it logged."""

    def run() -> None:
        with logging_to(directory / "log"):
            asyncio.run(work(directory))

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join(60)
    assert process.exitcode == 0
    return (directory / "log").read_text()


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Make this process unable to write files beyond *size*: a stand-in for a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def fill_the_disk(directory: Path) -> None:
    clock = Clock()
    cache = DiskCache(directory / "disk", BUDGET, clock=clock)
    await cache.open()
    for number in range(20):
        cache.put(entry_of(number, 10_000))
    await cache.flush()
    with files_limited_to(1_000_000):
        for number in range(20, 200):
            cache.put(entry_of(number, 10_000))
            if number % 20 == 0:
                await cache.flush()
        await cache.flush()
        assert str(cache.trouble) in TROUBLES
        assert cache.counts.dropped > 80
        pause_s, waited_s = RETRY_MIN_S, 0.0
        for _ in range(8):
            errors = cache.counts.errors
            clock.now += pause_s - 1
            cache.put(entry_of(300, 10_000))
            await cache.flush()
            assert cache.counts.errors == errors, "it is not tried before its time"
            clock.now += 1
            cache.put(entry_of(300, 2**19))
            cache.put(entry_of(301, 2**19))
            await cache.flush()
            assert cache.counts.errors == errors + 1
            waited_s += pause_s
            pause_s = min(2 * pause_s, RETRY_MAX_S)
        assert pause_s == RETRY_MAX_S
        for number in range(20):
            found = await cache.look_up(name_of(number))
            assert found is not None, "what is there is served"
            assert found.data == data_of(number, 10_000)
    clock.now += RETRY_MAX_S
    cache.put(entry_of(0, 100, current=1.0, generation=1))
    await cache.flush()
    assert cache.trouble is None
    found = await cache.look_up(name_of(0))
    assert found is not None
    assert found.data == data_of(0, 100, 1)
    await cache.close()


def test_a_full_disk_is_read_and_written_to_again_once_it_has_room(tmp_path: Path) -> None:
    log = in_child(fill_the_disk, tmp_path)
    lines = [line for line in log.splitlines() if "disk cache" in line]
    assert [line.partition(f"disk cache at {tmp_path}/disk")[2][:16] for line in lines] == [
        ": 128 KiB of 64 ",
        " is not written ",
        " can be written ",
    ]
    assert "Traceback" not in log


async def start_on_a_full_disk(directory: Path) -> None:
    clock = Clock()
    with files_limited_to(1000):
        cache = DiskCache(directory / "disk", BUDGET, clock=clock)
        await cache.open()
        assert str(cache.trouble) in TROUBLES
        cache.put(entry_of(0, 100))
        assert await cache.look_up(name_of(0)) is None
    clock.now += RETRY_MIN_S
    await cache.flush()
    assert cache.trouble is None
    cache.put(entry_of(0, 100))
    await cache.flush()
    assert await cache.look_up(name_of(0)) is not None
    await cache.close()


def test_a_disk_that_is_full_at_the_start_is_used_later(tmp_path: Path) -> None:
    log = in_child(start_on_a_full_disk, tmp_path)
    assert f"disk cache at {tmp_path}/disk is not used: " in log


async def start_without_rights(directory: Path) -> None:
    clock = Clock()
    if os.geteuid() == 0:
        os.seteuid(65534)
    cache = DiskCache(directory / "disk", BUDGET, clock=clock)
    await cache.open()
    assert "Permission denied" in str(cache.trouble)
    cache.put(entry_of(0, 100))
    await cache.flush()
    assert await cache.look_up(name_of(0)) is None
    await cache.close()


def test_a_directory_without_rights_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir(mode=0o555)
    in_child(start_without_rights, tmp_path)
    assert list((tmp_path / "disk").iterdir()) == []


@pytest.mark.parametrize("place", ["file", "missing/disk", "file/disk"])
async def test_a_place_that_is_no_directory(place: str, tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").write_text("mine")
    cache = DiskCache(tmp_path / place, BUDGET, clock=clock)
    await cache.open()
    assert cache.trouble is not None
    assert str(tmp_path / place) in cache.trouble
    await cache.close()
    assert (tmp_path / "file").read_text() == "mine"


async def read_all(cache: DiskCache, numbers: int) -> int:
    """Read entries and check them; return how many there are."""
    found = await asyncio.gather(*(cache.look_up(name_of(number)) for number in range(numbers)))
    there = {number: one for number, one in enumerate(found) if one is not None}
    assert all(is_right(number, one) for number, one in there.items())
    return len(there)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("running", [True, False])
async def test_noise_at_random_places_is_never_served(
    seed: int, tmp_path: Path, clock: Clock, *, running: bool
) -> None:
    chosen = random.Random(seed)
    cache = DiskCache(tmp_path / "disk", BUDGET, clock=clock)
    await cache.open()
    for generation in range(6):
        for number in range(100):
            cache.put(entry_of(number, chosen.choice((20, 5000)), generation, generation))
        await cache.flush()
        if not running:
            await cache.close()
        for name in (PLACE, PLACE + "-wal", PLACE + "-shm")[: 2 if running else 1]:
            file = tmp_path / "disk" / name
            if file.exists() and file.stat().st_size:
                with file.open("r+b") as opened:
                    for _ in range(chosen.choice((1, 3, 30))):
                        opened.seek(chosen.randrange(file.stat().st_size))
                        opened.write(chosen.randbytes(chosen.choice((1, 100, 5000))))
        if not running:
            cache = DiskCache(tmp_path / "disk", BUDGET, clock=clock)
            await cache.open()
        await read_all(cache, 100)
        await cache.flush()
        await read_all(cache, 100)
    for _ in range(3):  # damage may be found one page after the other
        for number in range(100):
            cache.put(entry_of(number, 1000, 9.0, 9))
        await cache.flush()
    assert await read_all(cache, 100) == 100
    assert cache.trouble is None
    await cache.close()
    assert below(tmp_path) <= BUDGET


@pytest.mark.parametrize("how", ["truncated", "emptied", "text", "foreign database", "shorter log"])
async def test_replaced_while_it_runs(how: str, cache: DiskCache, tmp_path: Path) -> None:
    for number in range(100):
        cache.put(entry_of(number, 5000))
    await cache.flush()
    file = tmp_path / "disk" / PLACE
    match how:
        case "truncated":
            os.truncate(file, 100_000)
        case "emptied":
            os.truncate(file, 0)
        case "text":
            file.write_text("nothing " * 10_000)
        case "foreign database":
            other = DiskCache(tmp_path / "other", BUDGET)
            await other.open()
            other.put(entry_of(5, 100, generation=7))
            await other.close()
            shutil.copyfile(tmp_path / "other" / PLACE, file)
        case "shorter log":
            os.truncate(f"{file}-wal", 50_000)
    await read_all(cache, 100)
    await cache.flush()
    for _ in range(3):
        for number in range(100):
            cache.put(entry_of(number, 1000, 9.0, 9))
        await cache.flush()
    assert await read_all(cache, 100) == 100
    assert cache.trouble is None


async def test_what_was_set_aside_goes_when_its_room_is_needed(tmp_path: Path, clock: Clock) -> None:
    cache = DiskCache(tmp_path / "disk", BUDGET, clock=clock)
    await cache.open()
    for start in range(0, 800, 100):
        for number in range(start, start + 100):
            cache.put(entry_of(number, 40_000))
        await cache.flush()
    await cache.close()
    with (tmp_path / "disk" / PLACE).open("r+b") as opened:
        opened.write(bytes(200))
    cache = DiskCache(tmp_path / "disk", BUDGET, clock=clock)
    await cache.open()
    aside = tmp_path / "disk/dvidpc-cache.set-aside-1"
    assert below(aside) > 30_000_000
    kept = 0
    for start in range(0, 2000, 50):
        for number in range(start, start + 50):
            cache.put(entry_of(number, 40_000))
        await cache.flush()
        assert below(tmp_path) <= BUDGET * 1.01
        kept += aside.exists()
    assert not aside.exists()
    assert kept > 5
    assert cache.entries > 1000
    assert (cache.trouble, cache.counts.dropped) == (None, 0)
    await cache.close()


async def test_a_file_system_that_becomes_read_only_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Reading it would end the process: SQLite writes to the index of its log, which is mapped memory."""
    clock = Clock()
    cache = DiskCache(tmp_path / "disk", BUDGET, clock=clock)
    await cache.open()
    cache.put(entry_of(1, 10_000))
    await cache.flush()

    def refuse(path: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    with monkeypatch.context() as patched:
        patched.setattr(os, "utime", refuse)
        await cache.flush()
        assert "takes no writes any more" in str(cache.trouble)
        assert await cache.look_up(name_of(1)) is None
        cache.put(entry_of(2, 10_000))
        await cache.flush()
    assert [line.levelname for line in caplog.records if "disk cache" in line.message] == ["ERROR"]
    clock.now += RETRY_MIN_S
    await cache.flush()
    assert cache.trouble is None
    assert await cache.look_up(name_of(1)) is not None
    await cache.close()
