"""Resources that all volumes share: caches, the thread pool, and isolated decoders."""

import time
from concurrent.futures import Executor
from dataclasses import dataclass, field

from dvidpc.cache.held import make_held
from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.config import CacheConfig, LimitsConfig
from dvidpc.sources.base import SourceTools
from dvidpc.sources.isolation import Isolation


@dataclass(frozen=True, slots=True)
class Resources:
    """Caches, the thread pool, and the processes that decode what could crash this one."""

    payloads: LoadingCache
    """Keeps payloads and decoded chunks."""
    indexes: LoadingCache
    """Keeps indexes, such as those of shards."""
    pool: Executor
    """Decodes and encodes."""
    held: LoadingCache = field(default_factory=make_held)
    """Keeps decoded chunks for in-flight requests."""
    isolation: Isolation = field(default_factory=Isolation)
    """Close it after the pool has shut down."""
    max_mesh: int = 128 * 2**20
    """The most bytes of a mesh."""
    max_cells: int = 4_096
    """The most cells of a spatial index that a request for annotations may read."""
    max_annotations: int = 1_000_000
    """The most annotations that a request may decode."""
    max_response: int = 512 * 2**20
    """The most bytes of an answer with annotations."""

    @property
    def tools(self) -> SourceTools:
        """The part that chunk sources need."""
        return SourceTools(self.indexes, self.isolation)

    @property
    def caches(self) -> tuple[LoadingCache, ...]:
        """Everything that can be dropped when memory runs short."""
        return self.payloads, self.held, self.indexes

    def expire(self) -> None:
        """Demote or drop old values; call it every few seconds."""
        self.payloads.expire()
        self.indexes.expire()


def make_resources(cache: CacheConfig, limits: LimitsConfig, pool: Executor) -> Resources:
    """Make the resources that the configuration describes."""
    return Resources(
        payloads=_make_cache(cache.memory, limits),
        indexes=_make_cache(cache.index_memory, limits),
        pool=pool,
        max_mesh=limits.max_mesh,
        max_cells=limits.max_cells,
        max_annotations=limits.max_annotations,
        max_response=limits.max_response,
    )


def _make_cache(max_bytes: int, limits: LimitsConfig) -> LoadingCache:
    """Make a cache whose absences are valid for a third of negative_ttl.

    The absence of a block can follow from that of a minishard, and this from that of a shard, so an absence
    can be cached three times in a row.
    """
    return LoadingCache(max_bytes, absence_ttl_s=limits.negative_ttl_s / 3, clock=time.monotonic)
