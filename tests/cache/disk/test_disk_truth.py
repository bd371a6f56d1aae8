"""Whatever happens to bucket, clock, processes and database: no byte is served that it may not be.

Two processes share a disk. Every read is compared with what the bucket held at the times that it may be of.
"""

import asyncio
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from dvidpc.cache.disk.disk_cache import DiskCache
from dvidpc.cache.loading_cache import FRESH_S, STALE_S
from dvidpc.errors import ObjectChangedError, StoreError
from dvidpc.storage.base import Blob, ObjectStore
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange
from tests.cache.disk.memory_bucket import MemoryBucket
from tests.waiting import Clock

MEMORY: Final = Path("/dev") / "shm" if Path("/dev", "shm").is_dir() else None
"""Where files cost no writes to a disk."""
KEYS: Final = ("a", "b")
PARTS: Final = (None, ByteRange(0, 4), ByteRange(2, 6), 4)


HAPPENS: Final = ("replace", "rewrite metadata", "delete", "later", "much later", "down", "up", "damage")
"""What processes are not told of."""
ASKED: Final = ("read", "read of a version", "metadata", "burst", "flush", "restart")


DAMAGES: Final = (
    "UPDATE OR IGNORE entries SET name = x'00' WHERE id = (SELECT max(id) FROM entries)",
    "UPDATE entries SET version = x'00' WHERE id = (SELECT max(id) FROM entries)",
    "UPDATE entries SET is_gzip = 1 - is_gzip WHERE id = (SELECT max(id) FROM entries)",
    "UPDATE entries SET checksum = x'00' WHERE id = (SELECT max(id) FROM entries)",
    "UPDATE contents SET data = data || x'00' WHERE id = (SELECT max(id) FROM entries)",
    "UPDATE contents SET data = (SELECT data FROM contents ORDER BY id LIMIT 1)",
)


class Step(NamedTuple):
    """Something that happens; what *number* means depends on *what*."""

    what: str
    who: int
    """Which process."""
    key: str
    number: int


steps = st.builds(
    Step,
    st.sampled_from([*HAPPENS, *ASKED, *["read"] * 6, *["read of a version"] * 3]),
    st.integers(0, 1),
    st.sampled_from(KEYS),
    st.integers(0, 7),
)


def part_of(data: bytes, part: ByteRange | int | None) -> bytes:
    if part is None:
        return data
    return data[-part:] if isinstance(part, int) else data[part.start : part.stop]


class World:
    """A bucket, two processes with one disk, and what each process may serve."""

    def __init__(self, directory: Path, *, has_etags: bool, has_times: bool) -> None:
        self.directory = directory
        self.clock = Clock()
        self.clock.now = 1_700_000_000.0
        self.bucket = MemoryBucket(self.clock, has_etags=has_etags, has_times=has_times)
        self.caches: list[DiskCache] = []
        self.stores: list[ObjectStore] = []
        self.known: dict[str, list[tuple[Version, bytes]]] = {key: [] for key in KEYS}
        """Versions that were read, and the contents that they are of."""
        self.trusted_since = 0.0
        """When metadata was found to have changed."""
        self.changed_at: dict[tuple[int, str], float] = {}
        """When a process found an object replaced."""
        self.seen_metadata: Version | None = None
        self.served = 0

    async def start(self, who: int) -> None:
        cache = DiskCache(self.directory / "disk", 2**26, clock=self.clock)
        await cache.open()
        self.caches[who:] = [cache, *self.caches[who + 1 :]]
        self.stores[who:] = [cache.wrap(self.bucket), *self.stores[who + 1 :]]

    async def stop(self, who: int) -> None:
        await self.caches[who].close()

    async def do(self, step: Step) -> None:
        self.clock.now += 0.25
        if step.what in HAPPENS:
            self.happen(step)
            return
        match step.what:
            case "flush":
                await self.caches[step.who].flush()
            case "restart":
                await self.stop(step.who)
                await self.start(step.who)
                self.changed_at = {at: when for at, when in self.changed_at.items() if at[0] != step.who}
            case "metadata":
                await self.read_metadata(step.who)
            case "burst":
                await asyncio.gather(*(self.read(step.who, step.key, part) for part in PARTS * 2))
            case "read of a version" if self.known[step.key]:
                known = self.known[step.key]
                await self.read_version(step.who, step.key, *known[step.number % len(known)])
            case _:
                await self.read(step.who, step.key, PARTS[step.number % len(PARTS)])

    def happen(self, step: Step) -> None:
        match step.what:
            case "replace":
                self.replace(step.key)
            case "rewrite metadata":
                self.replace("info")
            case "delete":
                self.bucket.put(step.key, None)
            case "later":
                self.clock.now += 20.0 * step.number
            case "much later":
                self.clock.now += 700.0 * step.number
            case "down":
                self.bucket.error = StoreError("down")
            case "up":
                self.bucket.error = None
            case _:
                self.damage(step.number)

    def replace(self, key: str) -> None:
        """Write a content that no other one shares a part with; most have the same size."""
        number = len(self.bucket.history.get(key, ()))
        self.bucket.put(key, (f"{key}{number:02d}." * (5 if number % 3 == 2 else 4)).encode())

    def damage(self, number: int) -> None:
        """Change the youngest entry, without telling anybody."""
        file = self.directory / "disk/dvidpc-cache/cache.sqlite"
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute(DAMAGES[number % len(DAMAGES)])

    async def read_metadata(self, who: int) -> None:
        try:
            blob = await self.stores[who].get("info", max_size=99, is_metadata=True)
        except StoreError:
            assert self.bucket.error is not None
            return
        if self.bucket.error is not None:
            assert blob is not None
            assert blob.data in self.held("info", self.clock.now - FRESH_S - STALE_S)
            return
        assert (blob.data if blob else None) == self.bucket.history["info"][-1].data
        for cache in self.caches:  # what waits to be written is as if it was in the memory of its process
            await cache.flush()
        assert blob is not None
        if self.seen_metadata is not None and blob.version.etag != self.seen_metadata.etag:
            self.trusted_since = self.clock.now
        self.seen_metadata = blob.version

    async def read(self, who: int, key: str, part: ByteRange | int | None) -> None:
        started, error = self.clock.now, self.bucket.error
        changed_at = self.changed_at.get((who, key), 0.0)
        try:
            blob = await self.ask(self.stores[who], key, part)
        except ObjectChangedError:
            raise AssertionError("nobody asked for a version") from None
        except StoreError:
            assert error is not None, "the bucket answers"
            return
        if blob is None:
            assert error is None, "an absence is never served from the disk"
            assert self.bucket.history[key][-1].data is None
            return
        age_s = FRESH_S if error is None else FRESH_S + STALE_S
        since = max(started - age_s, changed_at)
        if error is None:
            since = max(since, self.trusted_since)
        allowed = self.held(key, since)
        assert blob.data in {part_of(data, part) for data in allowed if data is not None}
        self.note(key, blob, part)

    async def read_version(self, who: int, key: str, version: Version, data: bytes) -> None:
        part = ByteRange(1, 5)
        try:
            blob = await self.stores[who].get_range(key, part, version=version)
        except ObjectChangedError:
            assert self.bucket.history[key][-1].data != data
            self.changed_at[who, key] = self.clock.now
        except StoreError:
            assert self.bucket.error is not None
        else:
            if blob is None:
                assert self.bucket.history[key][-1].data is None
            elif self.bucket.has_etags:
                assert blob.data == part_of(data, part)
            else:  # such a bucket cannot tell what was replaced in the same second
                assert blob.data in {part_of(one, part) for one in self.held(key, 0) if one is not None}

    async def ask(self, store: ObjectStore, key: str, part: ByteRange | int | None) -> Blob | None:
        if part is None:
            return await store.get(key, max_size=99)
        if isinstance(part, int):
            return await store.get_tail(key, part)
        return await store.get_range(key, part)

    def held(self, key: str, since: float) -> set[bytes | None]:
        """Return what the bucket held at some time from *since* on."""
        history = self.bucket.history[key]
        ends = [*(one.at for one in history[1:]), float("inf")]
        return {one.data for one, end in zip(history, ends, strict=True) if end >= since}

    def note(self, key: str, blob: Blob, part: ByteRange | int | None) -> None:
        self.served += 1
        of = [
            one.data
            for one in self.bucket.history[key]
            if one.data is not None and part_of(one.data, part) == blob.data
        ]
        if len(of) == 1:
            self.known[key].append((blob.version, of[0]))


@settings(max_examples=100, deadline=None)
@given(st.lists(steps, min_size=40, max_size=80), st.sampled_from(["etags", "times", "etags times", ""]))
def test_nothing_is_served_that_the_bucket_did_not_hold_lately(happening: list[Step], told: str) -> None:
    async def run(directory: Path) -> None:
        world = World(directory, has_etags="etags" in told, has_times="times" in told)
        for key in (*KEYS, "info"):
            world.replace(key)
        for who in range(2):
            await world.start(who)
        try:
            for step in happening:
                await world.do(step)
        finally:
            for who in range(2):
                await world.stop(who)

    with tempfile.TemporaryDirectory(dir=MEMORY) as directory:
        asyncio.run(run(Path(directory)))


async def test_the_model_notices_a_wrong_byte(tmp_path: Path) -> None:
    """What the test above relies on."""
    world = World(tmp_path, has_etags=True, has_times=True)
    for key in (*KEYS, "info"):
        world.replace(key)
    await world.start(0)
    await world.read(0, "a", None)
    world.replace("a")
    world.clock.now += FRESH_S + 1
    held, world.stores[0] = world.bucket.history["a"], Frozen(b"a00." * 4)
    assert held[0].data == b"a00." * 4
    try:
        await world.read(0, "a", None)
    except AssertionError:
        return
    finally:
        await world.stop(0)
    raise AssertionError("an old content was accepted")


class Frozen(MemoryBucket):
    """A store whose objects never change."""

    def __init__(self, data: bytes) -> None:
        super().__init__(lambda: 0.0)
        self.put("a", data)
