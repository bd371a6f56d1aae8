"""Reading chunks: what is counted, what is joined, and what becomes of failures."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from dvidpc.errors import StoreError, StoreRefusedError
from dvidpc.sources.base import ChunkSource
from dvidpc.storage.retry.retrying_store import BreakerOpenError
from dvidpc.types import ByteRange, ChunkCoord
from dvidpc.warm import filling
from dvidpc.warm.backlog import Backlog
from dvidpc.warm.filling import Filler
from dvidpc.warm.morton_walk import walk
from dvidpc.warm.outcome import Outcome
from tests.segments import MemoryStore
from tests.volumes import VolumeSpec, sharding, write_volume
from tests.waiting import Clock
from tests.warm.remembering import Rig, rig_of

HOLES = ((1, 1, 0),)
UNSHARDED = VolumeSpec(holes=HOLES)
SHARDED = VolumeSpec(holes=HOLES, sharding=sharding(shard_bits=0))
CHUNKS = 3 * 3 * 2


@pytest.fixture(params=[UNSHARDED, SHARDED], ids=["unsharded", "sharded"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    write_volume(tmp_path, request.param)
    return rig_of(tmp_path)


class Watch:
    """A filler whose pauses take no time, and its calls."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.clock = Clock()
        self.outcome = Outcome()
        self.checks = 0
        self.pauses: list[float] = []
        self.flushes = 0
        self.filler = Filler(
            self.outcome, self.probe, self.check, Backlog(self.flush), 10**6, self.sleep, self.clock
        )

    async def probe(self) -> None:
        await self.rig.bucket.get("info", max_size=10**6, is_metadata=True)

    async def check(self) -> None:
        self.checks += 1

    async def flush(self) -> None:
        self.flushes += 1

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.now += seconds

    async def fill(self, copies: Sequence[ChunkSource]) -> Outcome:
        grid = copies[0].grid
        await self.filler.fill(copies, walk(grid.cells_touching(grid.box)))
        return self.outcome


async def test_every_chunk_is_read_once_and_counted(rig: Rig) -> None:
    outcome = await Watch(rig).fill(await rig.open())
    assert (outcome.fetched, outcome.there, outcome.absent, outcome.failed) == (CHUNKS - 1, 0, 1, 0)
    assert outcome.done == CHUNKS
    source = (await rig.open())[0]
    cells = source.grid.chunks_touching(source.grid.box)
    assert outcome.fetched_bytes == sum([len(await source.read(cell) or b"") for cell in cells])


async def test_a_second_run_reads_no_chunk(rig: Rig) -> None:
    first = await Watch(rig).fill(await rig.open())
    rig.bucket.asked.clear()
    second = await Watch(rig).fill(await rig.open())
    assert (second.fetched, second.there, second.absent) == (0, CHUNKS - 1, 1)
    assert second.there_bytes == first.fetched_bytes
    hole = [key for key, _ in rig.bucket.asked if key != "info"]
    assert hole in ([], ["s0/64-128_64-128_0-64"])


async def test_neighbours_in_a_shard_are_read_together(tmp_path: Path) -> None:
    write_volume(tmp_path, SHARDED)
    rig = rig_of(tmp_path)
    await Watch(rig).fill(await rig.open())
    indexes = 1 + 4  # a page of the shard index and the index of each minishard
    chunks = [where for key, where in rig.bucket.asked if key != "info"][indexes:]
    stored = sum(where.size for where in chunks if where is not None)
    assert stored >= sum(len(blob.data) for (_, part), blob in rig.kept.items() if part in chunks)
    assert len(chunks) < (CHUNKS - 1) / 2


async def test_a_damaged_chunk_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    write_volume(tmp_path, UNSHARDED)
    (tmp_path / "s0/0-64_0-64_0-64").write_bytes(b"")
    rig = rig_of(tmp_path)
    watch = Watch(rig)
    outcome = await watch.fill(await rig.open())
    assert (outcome.fetched, outcome.absent, outcome.failed) == (CHUNKS - 2, 1, 1)
    assert outcome.named == ["memory://bucket/s0/0-64_0-64_0-64: chunk is empty (0 bytes)"]
    assert watch.pauses == []


class Failing(MemoryStore):
    """Fails for some keys, for some time."""

    def __init__(self, objects: dict[str, bytes], error: StoreError) -> None:
        super().__init__(objects)
        self.error = error
        self.fails: Callable[[str], bool] = lambda key: "64" in key
        self.left = 10**9

    async def _answer(self, key: str, byte_range: ByteRange | None) -> bytes | None:
        if self.left and self.fails(key):
            self.left -= 1
            raise self.error
        return await super()._answer(key, byte_range)


def failing(rig: Rig, error: StoreError) -> Failing:
    bucket = rig.bucket = Failing(rig.bucket.objects, error)
    return bucket


async def test_what_fails_for_a_while_is_read_later(rig: Rig) -> None:
    bucket = failing(rig, StoreError("broken"))
    bucket.fails = lambda key: key.startswith("s0")
    bucket.left = 2
    watch = Watch(rig)
    outcome = await watch.fill(await rig.open())
    assert (outcome.fetched, outcome.absent, outcome.failed) == (CHUNKS - 1, 1, 0)
    assert watch.pauses in ([2.0], [2.0, 4.0])


async def test_a_chunk_that_fails_while_the_bucket_answers_is_given_up(tmp_path: Path) -> None:
    write_volume(tmp_path, UNSHARDED)
    rig = rig_of(tmp_path)
    bucket = failing(rig, StoreError("broken"))
    bucket.fails = lambda key: key == "s0/0-64_0-64_0-64"
    watch = Watch(rig)
    outcome = await watch.fill(await rig.open())
    assert (outcome.fetched, outcome.absent, outcome.failed) == (CHUNKS - 2, 1, 1)
    assert outcome.named == ["memory://bucket/s0/0-64_0-64_0-64: broken"]
    assert bucket.left == 10**9 - filling.TRIES
    assert sum(watch.pauses) < 10


async def test_chunks_that_were_not_requested_are_not_given_up(tmp_path: Path) -> None:
    """The circuit breaker opens because of other chunks."""
    write_volume(tmp_path, UNSHARDED)
    rig = rig_of(tmp_path)
    bucket = failing(rig, BreakerOpenError("not requested"))
    bucket.fails = lambda key: key == "s0/0-64_0-64_0-64"
    bucket.left = 2 * filling.TRIES
    outcome = await Watch(rig).fill(await rig.open())
    assert (outcome.fetched, outcome.failed, bucket.left) == (CHUNKS - 1, 0, 0)


async def test_a_bucket_that_is_down_is_waited_for(rig: Rig) -> None:
    copies = await rig.open()
    rig.bucket.broken = True
    watch = Watch(rig)

    async def sleep(seconds: float) -> None:
        watch.clock.now += seconds
        rig.bucket.broken = watch.clock.now < filling.DOWN_S - 60

    watch.filler.sleep = sleep
    outcome = await watch.fill(copies)
    assert (outcome.fetched, outcome.absent, outcome.failed) == (CHUNKS - 1, 1, 0)
    assert watch.clock.now >= filling.DOWN_S - 60


async def test_a_bucket_that_stays_down_ends_the_prefetch(rig: Rig) -> None:
    copies = await rig.open()
    rig.bucket.broken = True
    watch = Watch(rig)
    with pytest.raises(StoreError, match=r"has been down for 10 minutes: .* cannot be read"):
        await watch.fill(copies)
    assert watch.outcome.failed == 0
    assert filling.DOWN_S <= watch.clock.now < filling.DOWN_S + 90


async def test_refused_chunks_are_failures_until_there_are_too_many(tmp_path: Path) -> None:
    write_volume(tmp_path, UNSHARDED)
    rig = rig_of(tmp_path)
    failing(rig, StoreRefusedError("403"))
    outcome = await Watch(rig).fill(await rig.open())
    assert outcome.failed == CHUNKS
    write_volume(tmp_path / "more", VolumeSpec(size=(64, 64, 64), chunk_size=(8, 8, 8)))
    many = rig_of(tmp_path / "more")
    failing(many, StoreRefusedError("403")).fails = lambda key: key.startswith("s0")
    watch = Watch(many)
    with pytest.raises(StoreRefusedError, match="refuses every chunk: 403"):
        await watch.fill(await many.open())
    assert filling.MOST_REFUSALS <= watch.outcome.failed < filling.MOST_REFUSALS + filling.BATCHES


async def test_what_one_copy_lacks_is_read_from_the_other(tmp_path: Path) -> None:
    write_volume(tmp_path / "a", UNSHARDED)
    write_volume(tmp_path / "b", VolumeSpec(chunk_size=(32, 32, 32)))
    first, second = rig_of(tmp_path / "a"), rig_of(tmp_path / "b")
    watch = Watch(first)
    outcome = await watch.fill([*(await first.open()), *(await second.open())])
    assert (outcome.fetched, outcome.absent) == (CHUNKS, 0)
    names = [key for key, _ in second.bucket.asked if key != "info"]
    assert len(names) == 8
    assert all(name.startswith(("s0/64-96_", "s0/96-128_")) for name in names)


async def test_the_check_is_made_between_batches_and_may_end_it(tmp_path: Path) -> None:
    write_volume(tmp_path, VolumeSpec(size=(128, 128, 128), chunk_size=(8, 8, 8)))
    rig = rig_of(tmp_path)
    watch = Watch(rig)
    outcome = await watch.fill(await rig.open())
    assert outcome.fetched == 4096
    assert watch.checks == 4096 // filling.BATCH

    async def refuse() -> None:
        raise StoreError("full")

    again = Watch(rig_of(tmp_path))
    again.filler.check = refuse
    with pytest.raises(StoreError, match="full"):
        await again.fill(await again.rig.open())
    assert again.outcome.done <= filling.BATCH * (filling.BATCHES + 1)


async def test_a_sample_reads_only_what_no_index_says(rig: Rig) -> None:
    copies, watch = await rig.open(), Watch(rig)
    sizes = [await watch.filler.read_one(copies, ChunkCoord(x, 0, 0)) for x in range(3)]
    assert sizes == [64 * 64 * 64, 64 * 64 * 64, 22 * 64 * 64]
    read = [key for key, part in rig.kept if part is None]
    assert len(read) == (0 if any(key.endswith(".shard") for key in rig.bucket.objects) else 3)
    outcome = await watch.fill(await rig.open())
    assert (outcome.fetched, outcome.there, outcome.absent) == (CHUNKS - 1, 0, 1)


async def test_chunks_that_the_disk_cache_does_not_keep_are_counted(rig: Rig) -> None:
    watch = Watch(rig)
    watch.filler.largest = 100_000
    outcome = await watch.fill(await rig.open())
    grid = (await rig.open())[0].grid
    stored = [cell for cell in walk(grid.cells_touching(grid.box)) if cell not in HOLES]
    large = sum(math.prod(grid.chunk_box(cell).size) > 100_000 for cell in stored)
    assert (outcome.fetched, outcome.oversize) == (len(stored) - large, large)
    assert 0 < large < len(stored)
