"""A cache bounded by weight and age, in which each key is loaded once however many ask at a time."""

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
"""How long a value is served without asking the bucket again. What is made of two cached values, such as
a block of chunks, is thus an hour old at most."""
STALE_S: Final = 600.0
"""How much longer a value is kept, to be served while the bucket is down."""

_OVERHEAD = 900
"""Bytes counted for a key, its place in the cache and the objects around a value, so that many small values
stay bounded too; measured by `make load ROWS=shards`."""


class Missing(Enum):
    """The type of MISSING."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING
"""What `peek` answers for a key the cache does not hold; None is a value: "there is nothing there"."""


@dataclass(slots=True)
class CacheCounts:
    """What a cache did since it was made."""

    hits: int = 0
    misses: int = 0
    """Loads started."""
    shared: int = 0
    """Requests that joined a load under way."""
    evictions: int = 0
    stale: int = 0
    """Times an old value was served since the bucket was down."""


@dataclass(slots=True)
class _Absence:
    """A proven absence, believed until *expires* on the cache's clock."""

    expires: float


@dataclass(frozen=True, slots=True)
class _Old:
    """The key of a value that is too old to be served as long as the bucket answers."""

    key: Hashable


class _WeighedLRU(LRUCache[Hashable, object]):
    """An LRU cache that tells of evictions, and since when it holds each value."""

    def __init__(self, maxsize: int, counts: CacheCounts, clock: Callable[[], float]) -> None:
        super().__init__(maxsize, getsizeof=_weigh)
        self._counts = counts
        self._clock = clock
        self.since: dict[Hashable, float] = {}
        """The oldest first."""

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
    """Values by key, the least recently used dropped first once their bytes exceed a budget.

    A value is None (nothing there; kept for *absence_ttl_s* only), bytes, or has `nbytes`.
    A load that fails is not kept. A load nobody waits for any more is cancelled.
    Values are served for *fresh_s*; for *stale_s* more they are kept for the case that the bucket is down.
    For use on one event loop; somebody calls `expire` from time to time, so that a hit need not look at
    the clock.

    Args:
        max_bytes: The budget; 0 keeps nothing, but loads are still shared.
        absence_ttl_s: How long a None is believed.
        clock: Seconds, monotonic.
        fresh_s: How long a value is served without asking again.
        stale_s: How long it is kept then.
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
        """What the values held now weigh."""
        return int(self._values.currsize)

    def __len__(self) -> int:
        return len(self._values)

    def peek(self, key: Hashable) -> Any:  # noqa: ANN401 - the type belongs to the key
        """The value of *key* without loading it; MISSING if it is not held."""
        value = self._values.get(key, MISSING)
        if value is MISSING:
            return MISSING
        if type(value) is _Absence:
            if value.expires <= self._clock():
                self.drop(key)
                return MISSING
            value = None
        self.counts.hits += 1
        TALLY.get().hits += 1
        return value

    async def get_or_load(self, key: Hashable, load: Callable[[], Awaitable[T]]) -> T:
        """The value of *key*, by *load* if it is not held; calls that overlap share one load.

        Raises:
            Exception: Whatever *load* raises, for all who wait for it.
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
        """A share in the load of *key*, which `peek` did not find; by *load* if none is under way."""
        flight = self._flights.get(key)
        if flight is None:
            self.counts.misses += 1
            flight = self._flights[key] = Flight()
            flight.task = asyncio.get_running_loop().create_task(self._load(key, load, flight))
        else:
            self.counts.shared += 1
        return Share(flight, partial(self._abandon, key, flight))

    def last_known(self, key: Hashable) -> object:
        """The value of *key*, however old; MISSING if none is kept. Counts as no use of it."""
        value = self._values.get(key, MISSING)
        return self._values.get(_Old(key), MISSING) if value is MISSING else value

    def drop(self, key: Hashable) -> None:
        """Forget *key*; a load under way for it goes on, for those who wait, but is not kept."""
        self._values.pop(key, None)
        self._values.pop(_Old(key), None)
        self._flights.pop(key, None)

    def clear(self) -> None:
        """Forget everything; loads under way go on."""
        self._values.clear()

    def expire(self) -> None:
        """Put aside what is no longer fresh, and forget what was put aside long enough ago."""
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
        """Forget every key that *chosen* holds true of."""
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
        """The load is over, or not wanted: who comes now begins another."""
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _abandon(self, key: Hashable, flight: Flight) -> None:
        """Nobody has a share in the load any more."""
        if not flight.task.done():
            self._land(key, flight)
            flight.task.cancel()
        flight.task.add_done_callback(_look_at)  # a load that is cancelled may fail instead


def _look_at(task: "asyncio.Task[Any]") -> None:
    """Look at a failure that nobody else will: asyncio complains of those, and nobody had to."""
    if not task.cancelled():
        task.exception()


def _weigh(value: object) -> int:
    if isinstance(value, bytes):
        return len(value) + _OVERHEAD
    return int(getattr(value, "nbytes", 0)) + _OVERHEAD
