"""L10: read one chunk from each of 100,000 shards; the cached indexes stay within their budget."""

import struct
import time
from collections.abc import Callable
from typing import Final

import psutil

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.formats.precomputed.chunk_ids import ChunkIds
from dvidpc.formats.precomputed.info import parse_info
from dvidpc.sources.precomputed.chunk_reader import ChunkReader
from dvidpc.storage.base import Blob
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange, ChunkCoord
from tests.load.place import MIB

SHARDS = 100_000
BUDGET = 8 * MIB
CHUNKS: Final = (64, 64, 32)
"""Chunks along x, y and z: 131,072 in total, each in its own shard."""
SHARDS_OF_ALL: Final = 2**17
INFO = b"""{
  "type": "image", "data_type": "uint8", "num_channels": 1,
  "scales": [{
    "key": "s0", "encoding": "raw", "size": [128, 128, 64], "voxel_offset": [0, 0, 0],
    "resolution": [8, 8, 8], "chunk_sizes": [[2, 2, 2]],
    "sharding": {
      "@type": "neuroglancer_uint64_sharded_v1", "hash": "identity", "preshift_bits": 0,
      "minishard_bits": 0, "shard_bits": 17, "minishard_index_encoding": "raw", "data_encoding": "raw"
    }
  }]
}"""


class ManyShards:
    """A bucket that generates shards on demand; each holds one chunk, its own number in 8 bytes."""

    url = identity = "made://shards"
    oddity = None

    def __init__(self) -> None:
        self.seen = bytearray(SHARDS_OF_ALL)
        self.asked = 0

    def on_retracted(self, callback: Callable[[], None]) -> None:
        """Nothing is ever missing."""

    async def get(self, key: str, *, max_size: int, is_metadata: bool = False) -> Blob | None:
        """Nothing."""
        raise NotImplementedError(f"{key}, {max_size}, {is_metadata}")

    async def get_range(
        self, key: str, byte_range: ByteRange, *, version: Version | None = None
    ) -> Blob | None:
        """A part of a shard: an index of one entry, an index of one chunk, the chunk."""
        self.asked += 1
        number = int(key.rpartition("/")[2].removesuffix(".shard"), 16)
        self.seen[number] = 1
        data = struct.pack("<QQ", 8, 32) + struct.pack("<Q", number) + struct.pack("<QQQ", number, 0, 8)
        return Blob(data[byte_range.start : byte_range.stop], version or Version(f'"{number}"'))

    async def get_tail(self, key: str, size: int) -> Blob | None:
        """Nothing."""
        raise NotImplementedError(f"{key}, {size}")

    async def close(self) -> None:
        """Do nothing: no resources are held."""


async def measure() -> dict[str, object]:
    """Run the row and return its figures."""
    info = parse_info(INFO)
    scale = info.scales[0]
    chunk_ids = ChunkIds(scale.grids[0])
    store = ManyShards()
    indexes = LoadingCache(BUDGET, absence_ttl_s=30, clock=time.monotonic)
    reader = ChunkReader(store, "", scale, scale.grids[0], indexes)
    process = psutil.Process()
    before, most, wrong = process.memory_info().rss, 0, 0
    began = time.perf_counter()
    for number in range(SHARDS):
        x, y, z = number % CHUNKS[0], number // CHUNKS[0] % CHUNKS[1], number // (CHUNKS[0] * CHUNKS[1])
        blob = await reader.read(ChunkCoord(x, y, z), 2**20)
        wrong += blob is None or blob.data != struct.pack("<Q", chunk_ids.chunk_id(ChunkCoord(x, y, z)))
        most = max(most, indexes.nbytes)
    return {
        "shards read from": sum(store.seen),
        "reads": store.asked,
        "wrong chunks": wrong,
        "MiB of indexes, most": round(most / MIB, 2),
        "MiB allowed": BUDGET / MIB,
        "indexes kept at the end": len(indexes),
        "dropped to make room": indexes.counts.evictions,
        "MiB resident, grown by": round((process.memory_info().rss - before) / MIB, 1),
        "seconds": round(time.perf_counter() - began, 1),
    }
