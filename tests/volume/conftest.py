"""A grid store over an array in memory: no bucket, no server."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dvidpc.cache.held import make_held
from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.formats.assembly import BlockLayout
from dvidpc.formats.payloads import UNCOMPRESSED
from dvidpc.volume.chunk_cache import CachedChunks
from dvidpc.volume.grid_store import GridStore
from tests.arrays import BLOCK, ArrayChunks


@pytest.fixture
def cache() -> LoadingCache:
    """Payloads and decoded chunks."""
    return LoadingCache(2**26, absence_ttl_s=30, clock=time.monotonic)


@pytest.fixture
def source() -> ArrayChunks:
    """The chunks of an array; counts how many were read."""
    return ArrayChunks()


@pytest.fixture
def chunks(cache: LoadingCache, source: ArrayChunks) -> Iterator[CachedChunks]:
    """The same chunks, cached."""
    with ThreadPoolExecutor(1) as pool:
        yield CachedChunks(source, cache, pool)


@pytest.fixture
def grid(cache: LoadingCache, chunks: CachedChunks) -> GridStore:
    """Blocks of 64 x 64 x 64 voxels made of these chunks."""
    layout = BlockLayout(np.dtype("<u2"), 1, 0)
    return GridStore([chunks], layout, (UNCOMPRESSED,), BLOCK, cache, make_held())
