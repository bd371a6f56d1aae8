"""A cache bounded by weight and age; concurrent requests for one key share one load."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, Final, TypeVar, cast

from cachetools import LRUCache

from dvidpc.cache.flights import Flight, Share
from dvidpc.counters import TALLY
from dvidpc.errors import ObjectChangedError, StoreError, StoreRefusedError

T = TypeVar("T")

FRESH_S: Final = 1800.0
"""How long a value is served without asking the bucket again. A value made from cached values, such as a
block assembled from chunks, is thus at most an hour old; half an hour more if the chunks came from a disk
cache."""
STALE_S: Final = 600.0
"""How much longer a value is kept as a fallback while the bucket is down."""

_OVERHEAD = 900
"""Bytes counted for a key, its cache entry and the objects around a value, so that many small values stay
bounded too; measured by `make load ROWS=shards`."""


class Missing(Enum):
    """The type of MISSING."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING
"""What `peek` returns for a key that is not cached; None is a value: "there is nothing there"."""


@dataclass(slots=True)
class CacheCounts:
    """What a cache has done since it was made."""

    hits: int = 0
    misses: int = 0
    """Loads started."""
    shared: int = 0
    """Requests that joined an in-flight load."""
    evictions: int = 0
    stale: int = 0
    """Times an old value was served because the bucket was down."""


@dataclass(slots=True)
class _Absence:
    """A proven absence, valid until *expires* on the cache's clock."""

    expires: float


@dataclass(frozen=True, slots=True)
class _Old:
    """The key of a value that is served only while the bucket is down."""

    key: Hashable


class _WeighedLRU(LRUCache[Hashable, object]):
    """An LRU cache that counts evictions and knows the age of each value."""

    def __init__(self, maxsize: int, counts: CacheCounts, clock: Callable[[], float]) -> None:
        super().__init__(maxsize, getsizeof=_weigh)
        self._counts = counts
        self._clock = clock
        self.since: dict[Hashable, float] = {}
        """When each value was stored; the oldest first."""

    def __setitem__(self, key: Hashable, value: object) -> None:
        super().__setitem__(key, value)
        self.since.pop(key, None)
        self.since[key] = self._clock()

    def __delitem__(self, key: Hashable) -> None:
        super().__delitem__(key)
        del self.since[key]

    def popitem(self) -> tuple[Hashable, object]:
        self._counts.evictions += 1
        return super().popitem()


class LoadingCache:
    """Values by key; the least recently used are evicted once their bytes exceed a budget.

    A value is None (nothing there; cached only for *absence_ttl_s*), bytes, or an object with `nbytes`.
    A failed load is not cached. A load that no caller waits for is cancelled.
    Values are served for *fresh_s*, and kept for *stale_s* more as a fallback while the bucket is down.
    For use on one event loop. The owner calls `expire` from time to time, so that a hit need not read the
    clock.

    Args:
        max_bytes: The budget; 0 keeps nothing, but loads are still shared.
        absence_ttl_s: How long a None is valid.
        clock: Seconds, monotonic.
        fresh_s: How long a value is served without asking again.
        stale_s: How long it is kept after that.
    """

    def __init__(
        self,
        max_bytes: int,
        *,
        absence_ttl_s: float,
        clock: Callable[[], float],
        fresh_s: float = FRESH_S,
        stale_s: float = STALE_S,
    ) -> None:
        self.counts = CacheCounts()
        self._values = _WeighedLRU(max_bytes, self.counts, clock)
        self._fresh_s = fresh_s
        self._stale_s = stale_s
        self._flights: dict[Hashable, Flight] = {}
        self._absence_ttl_s = absence_ttl_s
        self._clock = clock

    @property
    def max_bytes(self) -> int:
        """The budget."""
        return int(self._values.maxsize)

    @property
    def nbytes(self) -> int:
        """Bytes of the values held now."""
        return int(self._values.currsize)

    def __len__(self) -> int:
        return len(self._values)

    def peek(self, key: Hashable) -> Any:  # noqa: ANN401 - the type belongs to the key
        """Return the value of *key* without loading it, and count a hit; MISSING if it is not cached."""
        value = self.look(key)
        if value is not MISSING:
            self.note_hits(1)
        return value

    def look(self, key: Hashable) -> Any:  # noqa: ANN401 - the type belongs to the key
        """Return what `peek` would, without counting a hit: for callers that may not use what they find."""
        value = self._values.get(key, MISSING)
        if type(value) is not _Absence:
            return value
        if value.expires > self._clock():
            return None
        self.drop(key)
        return MISSING

    def note_hits(self, hits: int) -> None:
        """Count values found by `look` as hits, once they are used."""
        self.counts.hits += hits
        TALLY.get().hits += hits

    async def get_or_load(self, key: Hashable, load: Callable[[], Awaitable[T]]) -> T:
        """Return the value of *key*, loading it if it is not cached; concurrent calls share one load.

        Raises:
            Exception: Whatever *load* raises, in every waiting caller.
        """
        value = self.peek(key)
        if value is not MISSING:
            return cast("T", value)
        share = self.begin(key, load)
        try:
            return await share.value()
        finally:
            share.give_up()

    def begin(self, key: Hashable, load: Callable[[], Awaitable[T]]) -> Share[T]:
        """Return a share in the load of *key*, which `peek` did not find; start one if none is in flight."""
        flight = self._flights.get(key)
        if flight is None:
            self.counts.misses += 1
            flight = self._flights[key] = Flight()
            flight.task = asyncio.get_running_loop().create_task(self._load(key, load, flight))
        else:
            self.counts.shared += 1
        return Share(flight, partial(self._abandon, key, flight))

    def last_known(self, key: Hashable) -> object:
        """Return the value of *key*, however old, without counting a hit; MISSING if none is kept."""
        value = self._values.get(key, MISSING)
        return self._values.get(_Old(key), MISSING) if value is MISSING else value

    def drop(self, key: Hashable) -> None:
        """Drop *key*; an in-flight load goes on for those who wait, but its value is not kept."""
        self._values.pop(key, None)
        self._values.pop(_Old(key), None)
        self._flights.pop(key, None)

    def clear(self) -> None:
        """Drop everything; in-flight loads go on."""
        self._values.clear()

    def expire(self) -> None:
        """Demote values that are no longer fresh to fallbacks, and drop fallbacks that are too old."""
        now = self._clock()
        aged = []
        for key, since in self._values.since.items():
            if since + min(self._fresh_s, self._stale_s) > now:
                break
            if since + (self._stale_s if type(key) is _Old else self._fresh_s) <= now:
                aged.append(key)
        for key in aged:
            value = self._values.pop(key)
            if type(key) is not _Old and type(value) is not _Absence:
                self._values[_Old(key)] = value

    def drop_where(self, chosen: Callable[[Hashable], bool]) -> None:
        """Drop every key for which *chosen* is true."""
        held = [key.key if type(key) is _Old else key for key in self._values]
        for key in [key for key in (*held, *self._flights) if chosen(key)]:
            self.drop(key)

    async def _load(self, key: Hashable, load: Callable[[], Awaitable[T]], flight: Flight) -> T:
        try:
            value = await load()
            if self._flights.get(key) is flight:
                self._keep(key, value)
        except StoreError as error:
            old = self._values.get(_Old(key), MISSING)
            if old is MISSING or isinstance(error, ObjectChangedError | StoreRefusedError):
                raise
            self.counts.stale += 1
            return cast("T", old)
        else:
            return value
        finally:
            self._land(key, flight)
            flight.wake()

    def _keep(self, key: Hashable, value: object) -> None:
        if value is None:
            value = _Absence(self._clock() + self._absence_ttl_s)
        self._values.pop(_Old(key), None)
        if _weigh(value) <= self._values.maxsize:
            self._values[key] = value

    def _land(self, key: Hashable, flight: Flight) -> None:
        """End a load: the next request for *key* starts another."""
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _abandon(self, key: Hashable, flight: Flight) -> None:
        """Cancel a load that has no shares left."""
        if not flight.task.done():
            self._land(key, flight)
            flight.task.cancel()
        flight.task.add_done_callback(_retrieve)  # a cancelled load may fail instead


def _retrieve(task: "asyncio.Task[Any]") -> None:
    """Retrieve an abandoned task's exception so that asyncio does not warn."""
    if not task.cancelled():
        task.exception()


def _weigh(value: object) -> int:
    if isinstance(value, bytes):
        return len(value) + _OVERHEAD
    return int(getattr(value, "nbytes", 0)) + _OVERHEAD
